"""What is measured: each quantity's name, unit, scope and definition."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Scope = Literal["lesion", "patient", "session"]

Bound = Literal["exact", "at_most", "at_least"]

YES_NO = "yes/no"
"""Unit of a quantity that is 1 where the definition holds and 0 where it does not."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A registered quantity: what a finding of that name means."""

    name: str
    unit: str
    scope: Scope
    definition: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured value of a registered quantity; None with a reason where it is not known.

    Parameters
    ----------
    quantity, value, lesion_id
        What was measured, its value in the quantity's unit, and where it is of a lesion, which.
    ci95
        Its 95 % interval.
    reason
        Why the value is None, or why it is a bound only.
    bound
        "at_most": the true value may be lower, for example because a structure that may lie nearer has no mask.
    applies
        Whether the quantity can be asked of the lesion at all: a zone's distance of one without a zone cannot.
    """

    quantity: Quantity
    value: float | None
    lesion_id: str | None = None
    ci95: tuple[float, float] | None = None
    reason: str | None = None
    bound: Bound = "exact"
    applies: bool = True


AXIAL_DIAMETER_MM = Quantity(
    "lesion.max_axial_diameter_mm", "mm", "lesion",
    "Longest distance between two points of the tumour's surface in one axial plane of PRE; rules on size take this.",
)  # fmt: skip
DIAMETER_MM = Quantity(
    "lesion.max_diameter_mm", "mm", "lesion",
    "Longest distance between two points of the tumour's surface in PRE, in any direction.",
)  # fmt: skip
LESION_ML = Quantity("lesion.volume_ml", "ml", "lesion", "Volume within the tumour's surface in PRE.")
ZONE_ML = Quantity(
    "lesion.ablation_ml", "ml", "lesion",
    "Volume of the ablation zones that treat the lesion, in POST; overlaps count once.",
)  # fmt: skip
TREATED = Quantity(
    "lesion.treated", YES_NO, "lesion", "Whether an ablation zone of POST touches the tumour, or was entered for it."
)
COVERED = Quantity(
    "lesion.covered", YES_NO, "lesion", "Whether the minimal ablative margin is at least 0 mm on these images."
)
MARGIN_MM = Quantity(
    "margin.min_mm", "mm", "lesion",
    "Minimal ablative margin in 3D, + covered: to liver that was not ablated, or geometric without a liver mask.",
)  # fmt: skip
GEOMETRIC_MARGIN_MM = Quantity(
    "margin.geometric_min_mm", "mm", "lesion",
    "Minimal distance in 3D from the tumour's surface to the zone's, + covered, wherever the liver ends.",
)  # fmt: skip

_DUCTS = (
    "the nearest of the common, left and right hepatic duct, + apart (a common bile duct mask counts as common; one "
    "mask of all bile ducts bounds what is not drawn by itself)."
)
_BOWEL = "the nearest of stomach, duodenum, small bowel and colon, + apart."
_VULNERABLE = "the nearest of stomach, bowel, gallbladder, diaphragm, heart and kidney, + apart."
_VESSELS = "the nearest vessel (portal vein, hepatic veins, inferior vena cava, hepatic artery), + apart."
_FROM_TUMOUR = "Distance in 3D from the tumour's surface to"
_FROM_ZONE = "Distance in 3D from the surface of the ablation zones that treat the lesion to"
TUMOUR_TO_DUCT_MM = Quantity("dist.tumour_to_major_duct_mm", "mm", "lesion", f"{_FROM_TUMOUR} {_DUCTS}")
ZONE_TO_DUCT_MM = Quantity("dist.zone_to_major_duct_mm", "mm", "lesion", f"{_FROM_ZONE} {_DUCTS}")
TUMOUR_TO_BOWEL_MM = Quantity("dist.tumour_to_bowel_mm", "mm", "lesion", f"{_FROM_TUMOUR} {_BOWEL}")
ZONE_TO_BOWEL_MM = Quantity("dist.zone_to_bowel_mm", "mm", "lesion", f"{_FROM_ZONE} {_BOWEL}")
TUMOUR_TO_VULNERABLE_MM = Quantity("dist.tumour_to_vulnerable_mm", "mm", "lesion", f"{_FROM_TUMOUR} {_VULNERABLE}")
ZONE_TO_VULNERABLE_MM = Quantity("dist.zone_to_vulnerable_mm", "mm", "lesion", f"{_FROM_ZONE} {_VULNERABLE}")
TUMOUR_TO_VESSEL_MM = Quantity("dist.tumour_to_vessel_mm", "mm", "lesion", f"{_FROM_TUMOUR} {_VESSELS}")
ZONE_TO_VESSEL_MM = Quantity("dist.zone_to_vessel_mm", "mm", "lesion", f"{_FROM_ZONE} {_VESSELS}")
VESSEL_CALIBRE_MM = Quantity(
    "vessel.calibre_mm", "mm", "lesion",
    "Medial-axis diameter of the vessel nearest to the tumour, of those with a mask, at its nearest point.",
)  # fmt: skip
VESSEL_CONTACT_MM = Quantity(
    "vessel.contact_mm", "mm", "lesion",
    "Length along which the ablation zones that treat the lesion touch (within half a voxel) or hold a vessel, of the "
    "vessel with the most.",
)  # fmt: skip

N_LESIONS = Quantity("patient.n_lesions", "lesions", "patient", "Count of tumours with a mask in PRE.")
LARGEST_MM = Quantity(
    "patient.max_axial_diameter_mm", "mm", "patient", "Longest axial diameter of the largest tumour of PRE."
)
LARGEST_3D_MM = Quantity(
    "patient.max_diameter_mm", "mm", "patient", "Longest diameter, in any direction, of all tumours of PRE."
)
SMALLEST_MM = Quantity(
    "patient.min_axial_diameter_mm", "mm", "patient", "Longest axial diameter of the smallest tumour of PRE."
)
N_TREATED = Quantity(
    "patient.n_treated_lesions",
    "lesions",
    "patient",
    "Count of tumours that an ablation zone of POST touches, or was entered for.",
)
N_COVERED = Quantity(
    "patient.n_covered_lesions", "lesions", "patient",
    "Count of tumours with a minimal ablative margin of at least 0 mm on these images.",
)  # fmt: skip
N_VANISHED = Quantity(
    "patient.n_vanished_lesions", "lesions", "patient",
    "Count of tumours with a mask in the baseline study that no tumour of PRE meets, within the error of the "
    "registration that brings the two together. No mask in PRE is not the same as no disease.",
)  # fmt: skip
BILOBAR = Quantity(
    "distribution.bilobar", YES_NO, "patient",
    "Whether tumours of PRE lie in both lobes of the liver, by the masks of its lobes; a tumour lies in each lobe that "
    "holds a quarter of it or more (our line).",
)  # fmt: skip
RESIDUAL_MM = Quantity(
    "residual.max_diameter_mm", "mm", "patient",
    "Longest distance between two points of one connected part of a tumour, as registered into POST (where it may be "
    "longer than in PRE), outside the zones that treat it; of a tumour that none treats its longest diameter in 3D.",
)  # fmt: skip
LIVER_ML = Quantity(
    "liver_ml", "ml", "patient",
    "Volume of the liver mask of PRE with the tumours that meet it, what they enclose, and vessels that run through.",
)  # fmt: skip
FUNCTIONING_ML = Quantity(
    "liver.functioning_ml", "ml", "patient", "The liver's volume (liver_ml) without all of these tumours."
)
REMNANT_ML = Quantity(
    "flr.volume_ml", "ml", "patient",
    "Functioning volume without what the ablation zones of POST, carried to PRE, hold of it; what of them lies in "
    "tumours or beyond the liver takes nothing away. What a resection removed is not taken off: where one was entered "
    "it is at most this.",
)  # fmt: skip
REMNANT_PERCENT = Quantity(
    "flr.of_functioning_liver_percent", "percent", "patient",
    "Remnant as a share of the functioning liver, that is without tumours.",
)  # fmt: skip
REMNANT_OF_STANDARD_PERCENT = Quantity(
    "flr.of_standard_volume_percent", "percent", "patient",
    "Remnant as a share of the standard liver volume: as entered, else by a published formula from the body surface.",
)  # fmt: skip
VEINS_PRESERVED = Quantity(
    "hepatic_veins.preserved_count", "count", "patient",
    "Count of hepatic veins of which 3 mm or more of lumen leaves the ablation zones on both sides; contact alone is "
    "no loss. To be confirmed by the reader.",
)  # fmt: skip
INFLOW_PRESERVED = Quantity(
    "inflow.preserved_count", "count", "patient",
    "Count of the two inflows (portal vein, hepatic artery) of which the lumen leaves the ablation zones on both "
    "sides. To be confirmed by the reader.",
)  # fmt: skip
PRE_AGE_DAYS = Quantity("pre_scan.before_ablation_days", "days", "patient", "Days from the PRE scan to the ablation.")
POST_AGE_DAYS = Quantity("post_scan.after_ablation_days", "days", "session", "Days from the ablation to the POST scan.")
PRE_IS_MR = Quantity("pre_scan.is_mr", YES_NO, "patient", "Whether the PRE image states the modality MR.")
ABLATED_ML = Quantity(
    "ablation.volume_ml", "ml", "session", "Volume of all ablation zones of POST, overlaps counted once."
)
ABLATED_PERCENT = Quantity(
    "ablation.fraction_of_liver_percent", "percent", "session",
    "Volume of all ablation zones of POST, overlaps counted once, also what of them lies in tumours or beyond the "
    "liver, as a share of the whole liver of PRE (liver_ml).",
)  # fmt: skip

QUANTITIES = MappingProxyType({
    quantity.name: quantity
    for quantity in (
        AXIAL_DIAMETER_MM, DIAMETER_MM, LESION_ML, ZONE_ML, TREATED, COVERED, MARGIN_MM, GEOMETRIC_MARGIN_MM,
        TUMOUR_TO_DUCT_MM, ZONE_TO_DUCT_MM, TUMOUR_TO_BOWEL_MM, ZONE_TO_BOWEL_MM, TUMOUR_TO_VULNERABLE_MM,
        ZONE_TO_VULNERABLE_MM, TUMOUR_TO_VESSEL_MM, ZONE_TO_VESSEL_MM, VESSEL_CALIBRE_MM, VESSEL_CONTACT_MM,
        N_LESIONS, LARGEST_MM, LARGEST_3D_MM, SMALLEST_MM, N_TREATED, N_COVERED, N_VANISHED, BILOBAR, RESIDUAL_MM,
        LIVER_ML, FUNCTIONING_ML, REMNANT_ML, REMNANT_PERCENT, REMNANT_OF_STANDARD_PERCENT, VEINS_PRESERVED,
        INFLOW_PRESERVED, PRE_AGE_DAYS, POST_AGE_DAYS, PRE_IS_MR, ABLATED_ML, ABLATED_PERCENT,
    )
})  # fmt: skip
"""Every registered quantity by name."""
