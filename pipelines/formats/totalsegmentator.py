"""TotalSegmentator's multi-label maps: which value is which structure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

# ruff: noqa: SIM905 (a list of 60 quoted words is harder to check against the original table)
_SIDES = ("left", "right")
_BEFORE_SPINE = """spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right
adrenal_gland_left lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right lung_middle_lobe_right
lung_lower_lobe_right esophagus trachea thyroid_gland small_bowel duodenum colon urinary_bladder prostate
kidney_cyst_left kidney_cyst_right sacrum""".split()
_SPINE = [
    f"vertebrae_{part}{n}" for part, most in (("S", 1), ("L", 5), ("T", 12), ("C", 7)) for n in range(most, 0, -1)
]
_AFTER_SPINE = """heart aorta pulmonary_vein brachiocephalic_trunk subclavian_artery_right subclavian_artery_left
common_carotid_artery_right common_carotid_artery_left brachiocephalic_vein_left brachiocephalic_vein_right
atrial_appendage_left superior_vena_cava inferior_vena_cava portal_vein_and_splenic_vein iliac_artery_left
iliac_artery_right iliac_vena_left iliac_vena_right humerus_left humerus_right scapula_left scapula_right
clavicula_left clavicula_right femur_left femur_right hip_left hip_right spinal_cord gluteus_maximus_left
gluteus_maximus_right gluteus_medius_left gluteus_medius_right gluteus_minimus_left gluteus_minimus_right
autochthon_left autochthon_right iliopsoas_left iliopsoas_right brain skull""".split()
_RIBS = [f"rib_{side}_{n}" for side in _SIDES for n in range(1, 13)]

TOTAL_V2: Mapping[int, str] = MappingProxyType(
    dict(enumerate([*_BEFORE_SPINE, *_SPINE, *_AFTER_SPINE, *_RIBS, "sternum", "costal_cartilages"], start=1))
)
"""Label value -> structure of the task `total`, version 2 (117 structures)."""

_LABEL = re.compile(rb'<Label Key="(\d{1,5})"[^>]{0,400}><!\[CDATA\[([A-Za-z0-9_]{1,80})\]\]></Label>')


def label_table(extension: bytes) -> dict[int, str]:
    """Return the label table that TotalSegmentator writes into the header of its multi-label NIfTI, empty if none."""
    return {int(value): name.decode("ascii") for value, name in _LABEL.findall(extension)}
