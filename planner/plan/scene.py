"""What a plan is measured against: the planning scan's own surfaces, its liver closed without the planned zones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from planner.case import Case, Study
from planner.measure.liver import ClosedLiver, close_liver
from planner.plan.zone import PlannedZone
from planner.scene import with_vessels
from planner.surface import Surface, surface_of
from planner.volume import Mask

NONE_KEPT: Mapping[str, Mask] = MappingProxyType({})


def with_zones(
    case: Case,
    zones: Mapping[str, PlannedZone],
    pairs: Mapping[str, tuple[str, ...]],
    kept: Mapping[str, Mask] = NONE_KEPT,
) -> Case:
    """Return a case whose study after the ablation is the planning scan with the planned zones on it.

    Parameters
    ----------
    case
        The planning scan is its `pre`.
    zones
        Planned zones by zone id ("1", "2", ...).
    pairs
        Which of them, and of the kept ones, are for which lesion.
    kept
        Zones that were made before, by zone id.
    """
    pre = case.pre
    frame = pre.image.grid.frame_uid
    lesions = {*(f"tumour_{n}" for n in pre.tumours), *(f"ablation_{n}" for n in pre.ablations)}
    around = {role: mask for role, mask in pre.masks.items() if role not in lesions}
    drawn = {f"ablation_{zone_id}": zone.mask(frame, f"ablation_{zone_id}") for zone_id, zone in zones.items()}
    drawn |= {f"ablation_{zone_id}": mask for zone_id, mask in kept.items()}
    planned = Study(pre.image, {**around, **drawn}, is_scan=pre.is_scan)
    return Case(case.case_id, case.patient_key, pre, planned, pairs, case.facts, case.notes, case.cautions)


def closed_liver(study: Study, made: Mapping[str, Surface]) -> ClosedLiver | None:
    """Return the liver with its tumours and the zones that were made in it, closed; None without a liver mask."""
    if study.liver is None:
        return None
    inner = [*(surface_of(mask) for mask in study.tumours.values()), *made.values()]
    return close_liver(with_vessels(study, study.liver, inner), inner, inner)
