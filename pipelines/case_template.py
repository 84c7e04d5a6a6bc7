"""A commented case file to fill in: it reads back as one that says nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from planner.facts import TOPICS, Fact

WIDTH = 110

_TABLES = """\
# What the files of a case cannot say. Every line is a comment: take the "# " from those that you need. Paths are
# relative to this file. Its JSON Schema, for an editor that checks as you type: ablation rules --schema

# [case]
# id = "case-17"                      # never a patient's name or number

# [pre]                               # and [post]; of several posts one [[post]] each, in the order of the call
# path = "pre-study"
# series_uid = "uid-7f3a91bc2d"       # where a folder holds several series: as the error message marks it, or the UID
# volume = 2                          # where a series holds several volumes: as the error message numbers it
# modality = "CT"                     # or "MR": an image that states another is refused
# scanned_on = 2024-12-31             # counts before what the images state

# [post]                              # takes the keys of [pre], and
# days_since_ablation = 40

# [baseline]                          # a study from before PRE whose tumours are looked for in PRE
# path = "first-study"                # takes the keys of [pre]

# [[mask]]                            # a mask that lies elsewhere or has no clear name; repeats
# study = "pre"                       # or "baseline", "post", of several posts "post_2", ...
# role = "tumour_1"
# file = "masks/lesion.nii.gz"
# segment = 2                         # of a SEG, an RTSTRUCT or a .seg.nrrd: its number or label
# label = 3                           # of a label map: a value, several, or "totalsegmentator" for all (without a role)
# series_uid = "uid-0b1c2d3e4f"       # of a folder with a mask stored as an image series, where it holds several

# [[pair]]                            # which zones treat which lesion; otherwise those that meet it; repeats
# study = "post"
# lesion = "1"
# zones = ["1", "2"]

# [registration]                      # a map of your own: an ITK transform, points of POST to points of PRE
# file = "pre_from_post.h5"
# error_mm = 1.5                      # what is known of its mean 3-D error at the zones

# [landmarks]                         # pairs of points, or PRE's and then POST's list of 3D Slicer
# files = ["landmarks.csv"]

# Facts that published statements ask for. One that is left out, or empty (""), is unknown, never taken for "no".
# Words stand in quotes (primary = "colorectal"), lists in brackets; true, false and numbers stand by themselves.
# Dates are not written to any result: only days between them are.
[facts]
"""


def case_template() -> str:
    """Return a case file (TOML) with every key and every fact as a comment, each fact with what it may be."""
    return _TABLES + "".join(_topic(topic, facts) for topic, facts in TOPICS.items())


def _topic(topic: str, facts: tuple[Fact, ...]) -> str:
    entries = "\n".join(line for fact in facts for line in _entry(fact))
    return f"\n# ---- {topic.replace('_', ' ').capitalize()} ----\n{entries}\n"


def _entry(fact: Fact) -> Iterator[str]:
    yield ""
    for text in (fact.definition, f"Value: {fact.expected}"):
        yield from textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
    yield f'# {fact.name} = ""'
