"""The coded names of structures in DICOM segmentations, and the role each one means.

Codes are those of pydicom's CID tables (SNOMED CT). No standard code exists for an ablation zone: it has one in the
private scheme 99ABLMARGIN. Lateral structures without a code of their own carry a laterality modifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PRIVATE_SCHEME = "99ABLMARGIN"
PRIVATE_SCHEME_NAME = "ablation-planner private codes"

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: CodeValue, CodingSchemeDesignator, CodeMeaning."""

    value: str
    scheme: str
    meaning: str

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the concept: designator and value."""
        return self.scheme, self.value


@dataclass(frozen=True, slots=True)
class SegmentCode:
    """What a segment is: category, type, and side where the type does not say it."""

    category: Code
    type: Code
    side: Side | None = None


MORPHOLOGY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
LATERALITY = {"left": Code("7771000", "SCT", "Left"), "right": Code("24028007", "SCT", "Right")}
ABLATION_ZONE = Code("ABL-ZONE", PRIVATE_SCHEME, "Ablation zone")


def _anatomy(value: str, meaning: str, side: Side | None = None) -> SegmentCode:
    return SegmentCode(ANATOMY, Code(value, "SCT", meaning), side)


SEGMENT_CODES: dict[str, SegmentCode] = {
    "tumour": SegmentCode(MORPHOLOGY, Code("108369006", "SCT", "Neoplasm")),
    "ablation": SegmentCode(MORPHOLOGY, ABLATION_ZONE),
    "liver": _anatomy("10200004", "Liver"),
    "liver_left": _anatomy("10200004", "Liver", "left"),
    "liver_right": _anatomy("10200004", "Liver", "right"),
    "liver_segment_1": _anatomy("71133005", "Caudate lobe of liver"),
    "portal_vein": _anatomy("32764006", "Portal vein"),
    "hepatic_vein": _anatomy("8993003", "Hepatic vein"),
    "hepatic_vein_left": _anatomy("273202007", "Left Hepatic Vein"),
    "hepatic_vein_middle": _anatomy("273099000", "Middle Hepatic Vein"),
    "hepatic_vein_right": _anatomy("272998002", "Right Hepatic Vein"),
    "ivc": _anatomy("64131007", "Inferior vena cava"),
    "hepatic_artery": _anatomy("76015000", "Hepatic artery"),
    "bile_duct": _anatomy("28273000", "Bile duct"),
    "common_bile_duct": _anatomy("79741001", "Common bile duct"),
    "left_hepatic_duct": _anatomy("28273000", "Bile duct", "left"),
    "right_hepatic_duct": _anatomy("28273000", "Bile duct", "right"),
    "gallbladder": _anatomy("28231008", "Gallbladder"),
    "stomach": _anatomy("69695003", "Stomach"),
    "duodenum": _anatomy("38848004", "Duodenum"),
    "small_bowel": _anatomy("30315005", "Small intestine"),
    "colon": _anatomy("71854001", "Colon"),
    "kidney_left": _anatomy("64033007", "Kidney", "left"),
    "kidney_right": _anatomy("64033007", "Kidney", "right"),
    "heart": _anatomy("80891009", "Heart"),
    "diaphragm": _anatomy("5798000", "Diaphragm"),
    "skin": _anatomy("39937001", "Skin"),
    "spleen": _anatomy("78961009", "Spleen"),
    "pancreas": _anatomy("15776009", "Pancreas"),
}
"""How each role is written. `tumour` and `ablation` stand for `tumour_N` and `ablation_N`; N is in the label."""

ALSO_TUMOUR = (
    Code("14799000", "SCT", "Neoplasm, Secondary"),
    Code("372087000", "SCT", "Neoplasm, Primary"),
    Code("M-80003", "SRT", "Neoplasm, Primary"),
    Code("M-80006", "SRT", "Neoplasm, Secondary"),
)
"""Further types that mean a tumour when read."""


def role_of_code(type_key: tuple[str, str], side: Side | None = None) -> str | None:
    """Return the role that a segment's type (designator, value) and side mean, or None if it is not one of ours."""
    if type_key in {code.key for code in ALSO_TUMOUR}:
        return "tumour"
    unsided = None
    for role, code in SEGMENT_CODES.items():
        if code.type.key == type_key:
            if code.side == side:
                return role
            if code.side is None:
                unsided = role
    return unsided
