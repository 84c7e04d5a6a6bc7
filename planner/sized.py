"""How large a lesion is, with its doubt; not known where the scan ends in it."""

from __future__ import annotations

from dataclasses import replace

from planner.assessment import LesionAssessment, Reason
from planner.case import Study
from planner.measure.sizes import size_intervals
from planner.measure.volumes import max_axial_diameter_mm, max_diameter_mm
from planner.surface import Surface

FIELDS = (
    "max_axial_diameter_mm", "max_diameter_mm", "tumour_ml", "max_axial_diameter_ci95_mm", "max_diameter_ci95_mm",
    "tumour_ci95_ml",
)  # fmt: skip


def sized(
    lesion: LesionAssessment, surface: Surface, pre: Study, contour_sd_mm: float, correlation_mm: float, seed: int
) -> LesionAssessment:
    """Return a lesion with its diameters and volume, or the reason why they are not known.

    Parameters
    ----------
    lesion, surface
        The lesion, and its surface in PRE.
    pre
        The study that it was drawn in: where its scan ends in the tumour, nothing is known of what lies beyond.
    contour_sd_mm, correlation_mm, seed
        As of `size_intervals`.
    """
    if pre.cuts(pre.tumours[lesion.lesion_id]):
        text = f"PRE ends in tumour_{lesion.lesion_id}: how large it is beyond is not known"
        reasons = tuple(Reason(name, "scan-ends-in-lesion", text) for name in FIELDS)
        return replace(lesion, reasons=(*lesion.reasons, *reasons))
    return replace(
        lesion, max_axial_diameter_mm=max_axial_diameter_mm(surface), max_diameter_mm=max_diameter_mm(surface),
        tumour_ml=surface.volume_ml, sizes=size_intervals(surface, contour_sd_mm, correlation_mm, seed),
    )  # fmt: skip
