"""A commented chart to fill in with a site's own device settings: it loads as it stands."""

from __future__ import annotations

TEMPLATE = """\
# A site's own device settings: a row for each device, power and time, with the size of the zone that it makes.
# `ablation plan PRE -o OUT --chart FILE` takes them beside those that come with the program. All lengths are mm. A row
# is refused whole if a key is unknown or a value is out of range; what is not known is left out, never guessed.

schema_version = 1

[[setting]]                         # repeats; this row is an example that stands for no device: replace it
id          = "example-60w-10min"   # small letters, digits and hyphens; what --setting and a plan file name it by
device      = "Example, no device"
modality    = "microwave"           # or "radiofrequency", "cryoablation", "irreversible_electroporation", or ""
power_w     = 60.0                  # optional
duration_s  = 600.0                 # optional
length_mm   = 40.0                  # extent of the zone along the needle
width_mm    = 30.0                  # and across it
# length_sd_mm  = 4.0               # optional: standard deviation of the length
width_sd_mm = 6.0                   # optional: of the width; half of it is the radius's in a plan (without: 3 mm)
# tip_beyond_mm = 5.0               # optional: how far the needle's tip lies beyond the middle of the zone
model       = "user"                # stated by this site; or "ex_vivo", "in_vivo", "patient": then a source is needed
# count       = 20                  # optional: how many zones were measured
# averaged    = true                # optional: a mean over many settings: proposed only with --setting
note        = "Made up for this example."

# [setting.source]                  # where it was published: needed unless model is "user"
# title       = "Title of the paper"
# published   = "Journal, year, pages"
# section     = "Table 2"
"""


def chart_template() -> str:
    """Return the template as text."""
    return TEMPLATE
