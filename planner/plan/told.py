"""What a plan may say of a lesion, and what it may not: where the scan ends, or no liver is left, nothing is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from planner.assessment import Assessment, LesionAssessment, Reason
from planner.case import Case
from planner.plan.needle import Needle

ENDS = "scan-ends-in-lesion"
"""The reason's code where a scan ends in a tumour or a zone."""

MARGIN = "margin.min_mm"
"""The finding that is the minimal margin."""


def why_unknown(measured: LesionAssessment, needles: Sequence[Needle], case: Case) -> str:
    """Return why neither margin, coverage nor chances of a lesion are told; "" where they are.

    Parameters
    ----------
    measured
        The lesion with its planned zones and those that were made before.
    needles
        Those that are planned for it.
    case
        The planning scan as `pre`, with the zones as `post`.
    """
    if measured.status == "not_assessable":
        own = "; ".join(_ends(measured, needles, case))
        return own or "; ".join(reason.text for reason in measured.reasons if reason.field == "margin")
    margin = measured.margin
    if margin is not None and margin.min_mm is None:
        return margin.reason or "no margin could be measured"
    return ""


def as_planned(found: Assessment, whys: Mapping[str, str]) -> Assessment:
    """Return what was found without what holds for zones that were made alone, and in words of a plan.

    An interval of the contours by themselves says nothing of where a needle comes out: the chances of the plan stand in
    its place.
    """
    lesions = tuple(_lesion(lesion, whys[lesion.lesion_id]) for lesion in found.lesions)
    findings = tuple(
        replace(one, ci95=None) if one.quantity.name == MARGIN and one.ci95 is not None else one
        for one in found.findings
    )
    return replace(found, lesions=lesions, findings=findings)


def _lesion(lesion: LesionAssessment, why: str) -> LesionAssessment:
    if lesion.margin is not None and lesion.margin.interval is not None:
        lesion = replace(lesion, margin=replace(lesion.margin, interval=None))
    if not any(reason.code == ENDS for reason in lesion.reasons):
        return lesion
    others = tuple(reason for reason in lesion.reasons if reason.code != ENDS)
    return replace(lesion, reasons=(*others, Reason("margin", ENDS, why)))


def _ends(measured: LesionAssessment, needles: Sequence[Needle], case: Case) -> Iterator[str]:
    """Yield where the planning scan ends in the tumour or in one of its zones."""
    if case.pre.cuts(case.pre.tumours[measured.lesion_id]):
        yield f"the scan ends in tumour {measured.lesion_id}: how far it goes on is not known"
    planned = {needle.zone_id for needle in needles}
    for zone in measured.zones:
        if case.post.cuts(case.post.ablations[zone]):
            what = f"planned zone {zone} reaches" if zone in planned else f"zone {zone}, made before, reaches"
            yield f"{what} to the end of the scan or beyond it: what lies there is not known"
