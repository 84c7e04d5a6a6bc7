"""The role that a file's name or a segment's label means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.formats.totalsegmentator import TOTAL_V2
from planner.case import LOBES, SEGMENTS, STRUCTURES, is_role
from planner.errors import InputError

NUMBERED = ("tumour", "ablation")
"""Kinds of role that carry a number."""

SYNONYMS = {
    "inferior_vena_cava": "ivc",
    "vena_cava_inferior": "ivc",
    "portal_vein_and_splenic_vein": "portal_vein",
    "portal_veins": "portal_vein",
    "hepatic_veins": "hepatic_vein",
    "left_hepatic_vein": "hepatic_vein_left",
    "middle_hepatic_vein": "hepatic_vein_middle",
    "right_hepatic_vein": "hepatic_vein_right",
    "hepatic_arteries": "hepatic_artery",
    "bile_ducts": "bile_duct",
    "ductus_choledochus": "common_bile_duct",
    "gall_bladder": "gallbladder",
    "small_intestine": "small_bowel",
    "large_bowel": "colon",
    "large_intestine": "colon",
    "left_kidney": "kidney_left",
    "right_kidney": "kidney_right",
    "left_lung": "lung_left",
    "right_lung": "lung_right",
    "left_liver_lobe": "liver_left",
    "left_lobe_of_liver": "liver_left",
    "liver_left_lobe": "liver_left",
    "liver_lobe_left": "liver_left",
    "left_hemiliver": "liver_left",
    "right_liver_lobe": "liver_right",
    "right_lobe_of_liver": "liver_right",
    "liver_right_lobe": "liver_right",
    "liver_lobe_right": "liver_right",
    "right_hemiliver": "liver_right",
    "caudate_lobe": "liver_segment_1",
}
"""Other names of structures, TotalSegmentator's among them."""

_PLAIN = frozenset(
    {"image", *STRUCTURES, *LOBES, *SEGMENTS, *SYNONYMS, *SYNONYMS.values(), *(s.lower() for s in TOTAL_V2.values())}
)
"""Names of files that are no lesion's and hold no more than a structure. `rib...` may go on with anything."""

_PADDING = re.compile(r"_(mask|seg|segmentation|label|roi)$")
_LESION = re.compile(
    r"(?:(?:liver|hepatic)_)?"
    r"(?P<kind>tumour|lesion|gtv|metastasis|neoplasm(?:_(?:primary|secondary))?"
    r"|(?:ablation|ablated|coagulation|necrosis)(?:_(?:zone|area|volume))?)"
    r"_?(?P<number>[0-9]+)?"
)
_HINT = re.compile(r"tumou?r|lesion|gtv|metasta|neoplasm|ablat|coagul|necro")
_ABLATION = ("ablat", "coagul", "necro")


@dataclass(frozen=True, slots=True)
class NamedRole:
    """A role as a name states it: `kind` is the role, or `tumour` / `ablation` with `number` (None if unnumbered)."""

    kind: str
    number: int | None = None

    @property
    def role(self) -> str:
        """The role; an unnumbered tumour or ablation is the first."""
        return f"{self.kind}_{self.number or 1}" if self.kind in NUMBERED else self.kind


def role_of_name(name: str) -> NamedRole | None:
    """Return the role that a file's stem or a segment's label means, or None if it is none of ours.

    Raises
    ------
    InputError
        A tumour or an ablation zone numbered 0.
    """
    plain = normal_name(name)
    plain = SYNONYMS.get(plain, plain)
    lesion = _LESION.fullmatch(plain)
    if lesion:
        kind = "ablation" if lesion["kind"].startswith(_ABLATION) else "tumour"
        number = None if lesion["number"] is None else int(lesion["number"])
        if number == 0:
            raise InputError(f"{plain}: {kind}s are numbered from 1", code="bad-number")
        return NamedRole(kind, number)
    return NamedRole(plain) if is_role(plain) else None


def hints_at_lesion(name: str) -> bool:
    """Return whether a name that means no role still speaks of a tumour or an ablation."""
    return role_of_name(name) is None and _HINT.search(normal_name(name)) is not None


def normal_name(name: str) -> str:
    """Return `name` in lower case, words joined by underscores, UK spelling, without `mask`, `seg` and the like."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    plain = re.sub(r"tumors?(?=_|[0-9]|$)", lambda m: m.group().replace("tumor", "tumour"), plain)
    return _PADDING.sub("", plain)


def is_plain(name: str) -> bool:
    """Return whether a file's stem says nothing but a role, a structure or `image`: anything more may be a person's."""
    plain = normal_name(name)
    lesion = _LESION.fullmatch(plain)
    if lesion is not None:
        return name.isascii() and len(lesion["number"] or "") <= 2  # a longer number may be a date
    return name.isascii() and plain in _PLAIN


def known_roles() -> tuple[str, ...]:
    """Return the roles with a fixed name, and examples of the numbered ones, for messages that suggest one."""
    return (*STRUCTURES, *LOBES, *SEGMENTS, "tumour_1", "ablation_1", "tumour", "ablation")
