"""Why a lesion cannot be assessed: a scan that ends in it, or an alignment that cannot be trusted there."""

from __future__ import annotations

from collections.abc import Sequence

from planner.assessment import Reason
from planner.case import Case
from planner.register.alignment import Alignment, Check


def unassessable(lesion_id: str, zones: Sequence[str], case: Case, alignment: Alignment) -> tuple[Reason, ...]:
    """Return why a lesion that these zones treat has no margin; nothing where it can be measured.

    Where no zone treats it, the alignment cannot be trusted if it fails at every zone.
    """
    failed = _failed_for(zones or tuple(case.post.ablations), alignment, every=not zones)
    return (*_cut_reasons(lesion_id, zones, case), *_gate_reasons(failed))


def error_away_mm(zones: Sequence[str], alignment: Alignment) -> float | None:
    """Return the registration error to reckon with where no margin is measured; None where none can be trusted.

    It is the largest predicted at the lesion's zones; of a lesion without any the largest of those that passed.
    """
    if any(check.passed is False for check in alignment.checks):
        return None
    asked = zones or tuple(alignment.error_at_zone_mm) or tuple(alignment.zone_checks)
    passed = [zone for zone in asked if all(check.passed is not False for check in alignment.zone_checks.get(zone, ()))]
    if asked and (not passed or (zones and len(passed) < len(zones))):
        return None
    return max((alignment.error_at_zone_mm.get(zone, 0.0) for zone in passed), default=0.0)


def _failed_for(zones: Sequence[str], alignment: Alignment, *, every: bool) -> list[Check]:
    """Return the failed checks of the case, and of these zones: of any of them, or only if every one has some."""
    by_zone = [[c for c in alignment.zone_checks.get(z, ()) if c.passed is False] for z in zones]
    failed = [check for checks in by_zone for check in checks] if not every or all(by_zone) else []
    return [check for check in alignment.checks if check.passed is False] + failed


def _cut_reasons(lesion_id: str, zones: Sequence[str], case: Case) -> tuple[Reason, ...]:
    """Return that a scan ends in the tumour or in one of its zones, where it does: what lies beyond is not known."""
    cut = [f"PRE ends in tumour_{lesion_id}"] if case.pre.cuts(case.pre.tumours[lesion_id]) else []
    cut += [f"POST ends in ablation_{zone}" for zone in zones if case.post.cuts(case.post.ablations[zone])]
    text = "the scan of {} (its mask reaches the outermost voxels): the margin beyond is not known"
    return tuple(Reason("margin", "scan-ends-in-lesion", text.format(what)) for what in cut)


def _gate_reasons(failed: Sequence[Check]) -> tuple[Reason, ...]:
    return tuple(Reason("margin", f"registration-{check.name}", check.text) for check in failed)
