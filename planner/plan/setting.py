"""A device setting as charted: how large a zone it makes, how sure that is, and who measured it on what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from planner.evidence.citation import Citation

Model = Literal["ex_vivo", "in_vivo", "patient", "user"]

MODELS: dict[Model, str] = {
    "ex_vivo": "tissue outside the body",
    "in_vivo": "living animals",
    "patient": "patients",
    "user": "stated by this site",
}

RADIUS_SD_MM = 3.0
"""Standard deviation of a charted radius where the chart states none: what a published comparison of charted and
achieved short axes leaves unexplained (0.8 cm x sqrt(1 - 0.63 squared), halved), rounded."""


def ellipsoid_ml(length_mm: float, width_mm: float) -> float:
    """Return the volume of an ellipsoid of revolution, ml, from its full extents along and across its axis."""
    return math.pi / 6.0 * length_mm * width_mm**2 / 1000.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of a chart.

    Parameters
    ----------
    id
        What a plan file names it by.
    device, modality
        As the source prints them; the modality is that of the facts ("microwave", "radiofrequency", "cryoablation",
        "irreversible_electroporation") or "" where the source leaves it open.
    power_w, duration_s
        None where the source states none.
    length_mm, width_mm
        Extent of the zone along and across the needle.
    length_sd_mm, width_sd_mm
        Standard deviations of the extents; None where none is stated.
    tip_beyond_mm
        How far the needle's tip lies beyond the middle of the zone; None where it is not stated.
    model, count
        What it was measured on, and how many; None where not stated.
    source
        The paper; None for a setting of the user's own.
    note
        What a reader must know of the row, "" where nothing.
    averaged
        Whether it is a mean over many settings, which nobody can dial: it is proposed only where it is asked for.
    charted
        Whether it is a row of a chart; a size that a plan file states is none.
    """

    id: str
    device: str
    modality: str
    power_w: float | None
    duration_s: float | None
    length_mm: float
    width_mm: float
    length_sd_mm: float | None
    width_sd_mm: float | None
    tip_beyond_mm: float | None
    model: Model
    count: int | None
    source: Citation | None
    note: str = ""
    averaged: bool = False
    charted: bool = True

    @property
    def volume_ml(self) -> float:
        """Volume of the ellipsoid that it makes."""
        return ellipsoid_ml(self.length_mm, self.width_mm)

    @property
    def radius_sd_mm(self) -> float:
        """Standard deviation of the radius in a patient, mm: a site's own where it states one, else the default.

        What a paper prints is the spread of repeated zones, which is not that of a patient against the chart.
        """
        stated = self.model == "user" and self.width_sd_mm is not None
        return (self.width_sd_mm or 0.0) / 2.0 if stated else RADIUS_SD_MM

    @property
    def label(self) -> str:
        """What a reader calls it: device, power and time."""
        power = "" if self.power_w is None else f", {self.power_w:g} W"
        time = "" if self.duration_s is None else f", {self.duration_s / 60.0:g} min"
        return f"{self.device}{power}{time}"
