"""A plan is measured: the zones of its needles, what they would hold, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from planner.assess import assess
from planner.case import Case
from planner.grid import FloatArray, Grid
from planner.measure.liver import ClosedLiver
from planner.measure.margin import THRESHOLDS_MM
from planner.plan.border import Bordered
from planner.plan.course import course_of
from planner.plan.kept import NOTHING_KEPT, Kept, Remaining
from planner.plan.needle import Needle, needle_of
from planner.plan.plan import (
    Plan,
    PlannedLesion,
    PlanSettings,
    Shortfall,
    Trial,
)
from planner.plan.propose import proposed
from planner.plan.robust import Robustness, Spread, try_plan
from planner.plan.scene import with_zones
from planner.plan.setting import Setting
from planner.plan.several import CAVITY_ZONES, try_several
from planner.plan.shortfall import filled_target, filled_targets, outside_of, shortfall_of
from planner.plan.slices import Slices, slices_of
from planner.plan.told import as_planned, why_unknown
from planner.register.alignment import Alignment
from planner.scene import make_scene
from planner.surface import Surface, surface_of
from planner.surroundings import Around

__all__ = [
    "Needle", "Plan", "PlanSettings", "PlannedLesion", "Shortfall", "Trial", "needle_of", "planned",
    "proposed",
]  # fmt: skip

Observe = Callable[[str, float], None]

ALIGNED = "the zones are planned on this scan: no registration between two studies"


def planned(
    case: Case,
    needles: Sequence[Needle],
    settings: PlanSettings,
    trials: Mapping[str, tuple[Trial, ...]] | None = None,
    observe: Observe = lambda *_: None,
    kept: Kept = NOTHING_KEPT,
) -> Plan:
    """Measure a plan: margins, coverage, distances and remnant of its zones, and how sure its margins are.

    Parameters
    ----------
    case
        Its `pre` is the planning scan.
    needles
        With their zones; ids "1", "2", ..., or from the first number that no kept zone has.
    settings
        What is asked, tried and assumed.
    trials
        What was tried to find them, by lesion.
    observe
        Told what is measured.
    kept
        Zones that were made before: they count together with those that are planned.
    """
    zones = {needle.zone_id: needle.zone for needle in needles}
    pairs = {lesion_id: kept.pairs.get(lesion_id, ()) for lesion_id in case.pre.tumours}
    for needle in needles:
        pairs[needle.lesion_id] = (*pairs.get(needle.lesion_id, ()), needle.zone_id)
    whole = with_zones(case, zones, pairs, kept.zones)
    made = {zone_id: surface_of(mask) for zone_id, mask in kept.zones.items()}
    surfaces = {**made, **{zone_id: zone.surface() for zone_id, zone in zones.items()}}
    alignment = Alignment.as_given(ALIGNED)
    scene = make_scene(whole, alignment, surfaces, planned=True, kept=kept.zones)
    found = assess(whole, alignment, surfaces, settings.assess, observe, scene=scene)
    whys = {
        one.lesion_id: why_unknown(one, [n for n in needles if n.lesion_id == one.lesion_id], whole)
        for one in found.lesions
    }
    assessment = as_planned(found, whys)
    lesions = (
        _lesion(
            lesion_id,
            whys[lesion_id],
            case.pre.image.grid,
            scene.tumours[lesion_id],
            scene.liver,
            needles,
            settings,
            (trials or {}).get(lesion_id, ()),
            kept.of(lesion_id, made),
        )
        for lesion_id in case.pre.tumours
    )
    around = Around.of(whole, scene)
    sd_mm = settings.assess.tumour_contour_sd_mm
    courses = (course_of(needle, whole.post, around, sd_mm) for needle in needles)
    return Plan(whole, assessment, tuple(lesions), settings.spread, tuple(courses), scene.liver)


def _lesion(
    lesion_id: str,
    why: str,
    grid: Grid,
    tumour: Surface,
    liver: ClosedLiver | None,
    needles: Sequence[Needle],
    settings: PlanSettings,
    trials: tuple[Trial, ...],
    made: Sequence[Surface],
) -> PlannedLesion:
    own = tuple(needle for needle in needles if needle.lesion_id == lesion_id)
    if why:
        return PlannedLesion(lesion_id, settings.asked_mm, own, None, Slices.nothing(grid), (), None, why)
    zones = [needle.zone for needle in own]
    filled, size_ml = filled_target(tumour, settings.asked_mm, liver)
    shortfall = shortfall_of(tumour, filled, size_ml, [*zones, *made])
    slices = slices_of(grid, tumour, settings.asked_mm, liver, [*zones, *made])
    if not zones:
        why = "no zone is planned for it"
        return PlannedLesion(lesion_id, settings.asked_mm, own, shortfall, slices, trials, None, why)
    outside = outside_of(filled, made)
    robust = _tried(own, tumour, liver, settings, {settings.asked_mm: outside}, made)
    share = len(outside) / max(1, len(filled))
    expected = {margin: 1.0 - share * (1.0 - mean) for margin, mean in robust.expected_covered.items()}
    robust = replace(robust, expected_covered=expected)
    return PlannedLesion(lesion_id, settings.asked_mm, own, shortfall, slices, trials, robust)


def _tried(
    own: Sequence[Needle],
    tumour: Surface,
    liver: ClosedLiver | None,
    settings: PlanSettings,
    volumes: Mapping[float, FloatArray],
    made: Sequence[Surface],
) -> Robustness:
    """Try a lesion's needles, one or several, beside what was made."""
    margins = sorted({*THRESHOLDS_MM, settings.asked_mm})
    spreads = [_with_radius(settings.spread, needle.setting) for needle in own]
    if len(own) == 1:
        left = Remaining(tumour, liver, margins[-1], made)
        return try_plan(own[0].zone, [left.by(margin) for margin in margins], volumes, spreads[0])
    bordered = Bordered(tumour, liver, margins[-1], made)
    inner = filled_targets(tumour, margins, liver, made) if len(own) >= CAVITY_ZONES else {}
    return try_several(
        [needle.zone for needle in own],
        [spread.radius_sd_mm for spread in spreads],
        {margin: bordered.by(margin) for margin in margins},
        inner,
        volumes,
        settings.spread,
    )


def _with_radius(spread: Spread, setting: Setting) -> Spread:
    stated = setting.model == "user" and setting.width_sd_mm is not None
    if not stated:
        return spread
    return Spread(
        spread.tip_sd_mm, setting.radius_sd_mm, spread.registration_sd_mm, spread.breathing_sd_mm, spread.seed,
        spread.draws,
    )  # fmt: skip
