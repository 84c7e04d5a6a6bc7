"""A reviewed case beside its plan: what was planned for each lesion, and what of it was achieved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from planner.assessment import Assessment, LesionAssessment
from planner.case import Case
from planner.errors import InputError
from planner.measure.achieved import PlanOutcome, achieved_beside
from planner.measure.margin import Margin, direction_words, measure_margin
from planner.measure.zone import Zone
from planner.plan.needle import Needle
from planner.plan.scene import with_zones
from planner.register.alignment import Alignment
from planner.scene import Scene, make_scene
from planner.surface import Surface, surface_of

NOT_PLANNED = PlanOutcome((), reason="the plan holds no zone for this lesion")


def require_on(case: Case, needles: Sequence[Needle]) -> None:
    """Raise unless a plan was made on this planning scan, as far as that can be seen.

    Raises
    ------
    InputError
        A needle is for a lesion that PRE does not have, or its zone lies outside PRE.
    """
    for needle in needles:
        if needle.lesion_id not in case.pre.tumours:
            text = f"plan: needle {needle.zone_id} is for lesion {needle.lesion_id}, which PRE does not have"
            raise InputError(text, code="unknown-lesion")
        if not case.pre.image.grid.contains(needle.zone.centre_lps_mm[None, :]).all():
            text = f"plan: the zone of needle {needle.zone_id} lies outside PRE, expected a plan made on PRE"
            raise InputError(text, code="plan-elsewhere")


def with_plan(assessment: Assessment, case: Case, needles: Sequence[Needle]) -> Assessment:
    """Return an assessment whose lesions tell what became of their plan.

    Parameters
    ----------
    assessment
        Of the case, after the ablation.
    case
        As reviewed; the plan was made on its `pre`.
    needles
        The plan.

    Raises
    ------
    InputError
        The plan was not made on this PRE.
    """
    require_on(case, needles)
    own: dict[str, list[Needle]] = {}
    for needle in needles:
        own.setdefault(needle.lesion_id, []).append(needle)
    zones = {needle.zone_id: needle.zone for needle in needles}
    surfaces = {zone_id: zone.surface() for zone_id, zone in zones.items()}
    # As the plan was measured: the planned zones are no anatomy, and close no gap in the liver.
    scene = make_scene(with_zones(case, zones, {}), Alignment.as_given("as planned"), surfaces, planned=True)
    lesions = tuple(
        replace(
            lesion, planned=_outcome(lesion, own.get(lesion.lesion_id, []), surfaces, scene, case, assessment.alignment)
        )
        for lesion in assessment.lesions
    )
    return replace(assessment, lesions=lesions)


def _outcome(
    lesion: LesionAssessment,
    needles: Sequence[Needle],
    surfaces: Mapping[str, Surface],
    scene: Scene,
    case: Case,
    alignment: Alignment,
) -> PlanOutcome:
    if not needles:
        return NOT_PLANNED
    zones = tuple(needle.zone_id for needle in needles)
    planned = measure_margin(
        scene.tumours[lesion.lesion_id], Zone.of([surfaces[zone] for zone in zones]), liver=scene.liver
    )
    outcome = PlanOutcome(zones, planned.min_mm, reason=planned.reason or "")
    if lesion.margin is None:
        return replace(outcome, reason="no margin was measured after the ablation")
    return _compared(_lost(outcome, planned, lesion.margin), lesion, needles, surfaces, case, alignment)


def _lost(outcome: PlanOutcome, planned: Margin, achieved: Margin) -> PlanOutcome:
    """Return where most margin was lost: both margins are known at the same points of the tumour's surface."""
    before, after = planned.map.primary_mm, achieved.map.primary_mm
    if before.shape != after.shape:
        return replace(outcome, reason="the tumour of the plan is not that of the review")
    known = np.isfinite(before) & np.isfinite(after)
    if not known.any():
        return replace(outcome, reason="no point of the surface has both margins: the capsule ends them")
    lost = np.where(known, before, 0.0) - np.where(known, after, 0.0)
    at = int(np.argmax(np.where(known, lost, -np.inf)))
    point = achieved.map.tumour.vertices_lps_mm[at]
    area = achieved.map.tumour.vertex_area_mm2
    x, y, z = map(float, point)
    return replace(
        outcome,
        lost_mm=float(lost[at]),
        lost_at_lps_mm=(x, y, z),
        lost_where=direction_words(point - achieved.map.tumour.centroid_lps_mm),
        lost_share=float(area[known & (lost > 0.0)].sum() / area[known].sum()),
    )


def _compared(
    outcome: PlanOutcome,
    lesion: LesionAssessment,
    needles: Sequence[Needle],
    surfaces: Mapping[str, Surface],
    case: Case,
    alignment: Alignment,
) -> PlanOutcome:
    if len(needles) != 1 or len(lesion.zones) != 1:
        return replace(outcome, reason="one zone planned and one achieved can be compared, and this lesion has others")
    (needle,) = needles
    try:
        moved = surfaces[needle.zone_id].moved(alignment.map.post_from_pre)
        ends = np.stack([needle.zone.centre_lps_mm - needle.zone.axis_lps, needle.zone.centre_lps_mm])
        start, end = alignment.map.post_from_pre(ends)
    except InputError:
        return replace(outcome, reason="the registration folds where the zone was planned")
    achieved = surface_of(case.post.ablations[lesion.zones[0]])
    return replace(outcome, achieved=achieved_beside(moved, achieved, np.asarray(end - start)))
