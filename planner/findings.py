"""What is measured: each quantity's name, unit, scope and definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["lesion", "patient", "session"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A registered quantity: what a finding of that name means."""

    name: str
    unit: str
    scope: Scope
    definition: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured value of a registered quantity; None with a reason where it is not known."""

    quantity: Quantity
    value: float | None
    lesion_id: str | None = None
    ci95: tuple[float, float] | None = None
    reason: str | None = None


LIVER_ML = Quantity("liver_ml", "ml", "patient", "Volume of the liver mask of PRE by voxel count.")

MARGIN_MM = Quantity(
    "margin.min_mm", "mm", "lesion",
    "Minimal ablative margin in 3D, + covered: to liver that was not ablated, or geometric without a liver mask.",
)  # fmt: skip
GEOMETRIC_MARGIN_MM = Quantity(
    "margin.geometric_min_mm", "mm", "lesion",
    "Minimal distance in 3D from the tumour's surface to the zone's, + covered, wherever the liver ends.",
)  # fmt: skip
_DUCTS = "the nearest of the common, left and right hepatic duct, + apart (a common bile duct mask counts as common)."
_BOWEL = "the nearest of stomach, duodenum, small bowel and colon, + apart."
TUMOUR_TO_DUCT_MM = Quantity(
    "dist.tumour_to_major_duct_mm", "mm", "lesion", f"Distance in 3D from the tumour's surface to {_DUCTS}"
)
ZONE_TO_DUCT_MM = Quantity(
    "dist.zone_to_major_duct_mm", "mm", "lesion",
    f"Distance in 3D from the surface of the ablation zones that treat the lesion to {_DUCTS}",
)  # fmt: skip
TUMOUR_TO_BOWEL_MM = Quantity(
    "dist.tumour_to_bowel_mm", "mm", "lesion", f"Distance in 3D from the tumour's surface to {_BOWEL}"
)
ZONE_TO_BOWEL_MM = Quantity(
    "dist.zone_to_bowel_mm", "mm", "lesion",
    f"Distance in 3D from the surface of the ablation zones that treat the lesion to {_BOWEL}",
)  # fmt: skip
ABLATED_PERCENT = Quantity(
    "ablation.fraction_of_liver_percent", "percent", "session",
    "Volume of all ablation zones of POST, overlaps counted once, as a share of the whole liver, tumours included.",
)  # fmt: skip

QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        LIVER_ML, MARGIN_MM, GEOMETRIC_MARGIN_MM, TUMOUR_TO_DUCT_MM, ZONE_TO_DUCT_MM, TUMOUR_TO_BOWEL_MM,
        ZONE_TO_BOWEL_MM, ABLATED_PERCENT,
    )
}  # fmt: skip
"""Every registered quantity by name."""
