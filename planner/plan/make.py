"""A plan: zones for each tumour of a planning scan, what they would hold, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.assess import AssessSettings, assess
from planner.assessment import Assessment
from planner.case import Case
from planner.errors import InputError
from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.margin import direction_words
from planner.plan.place import Placement, best_placement, largest_margin
from planner.plan.robust import Robustness, Spread, try_plan
from planner.plan.scene import closed_liver, with_zones
from planner.plan.setting import Setting
from planner.plan.target import Growing
from planner.plan.zone import PlannedZone
from planner.register.alignment import Alignment
from planner.scene import make_scene
from planner.surface import Surface, surface_of

Observe = Callable[[str, float], None]

LIMITS_MM = (0.0, 5.0, 10.0)
"""The margins that chances are told for."""

FILL_POINTS = 3000
"""About so many points fill a target where its covered share is told."""

MOST_MARGIN_MM = 30.0
"""A larger margin is not looked for."""

ALIGNED = "the zones are planned on this scan: no registration between two studies"


@dataclass(frozen=True, slots=True, eq=False)
class Needle:
    """A needle with the zone that a setting makes at its end.

    Parameters
    ----------
    zone_id, lesion_id
        Its zone, and the lesion that it is for.
    setting
        As charted, or stated.
    zone
        The ellipsoid.
    entry_lps_mm
        Where it enters the skin, shape (3,); None where no entry was given: access is not planned.
    target_lps_mm
        Where its tip goes as far as the setting says how far that lies beyond the zone's middle; else the middle.
    """

    zone_id: str
    lesion_id: str
    setting: Setting
    zone: PlannedZone
    entry_lps_mm: FloatArray | None
    target_lps_mm: FloatArray

    @property
    def depth_mm(self) -> float | None:
        """Length from entry to target; None without an entry."""
        if self.entry_lps_mm is None:
            return None
        return float(np.linalg.norm(self.target_lps_mm - self.entry_lps_mm))


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What one zone of a setting could do for a lesion, at its best placement.

    Parameters
    ----------
    setting
        The setting.
    scale
        By how much its zone would have to be scaled to hold the tumour with the margin asked for: at most 1 if it does.
    largest_mm
        The largest margin that one zone of it attains; None where it does not even hold the tumour.
    """

    setting: Setting
    scale: float
    largest_mm: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Shortfall:
    """By how much the zones of a plan fall short of a target.

    Parameters
    ----------
    uncovered_ml
        Volume of the tumour grown by the margin asked for, within the liver, outside the zones.
    uncovered_share
        The same over that volume.
    where
        Direction from the tumour's centroid to the middle of what is uncovered; None where nothing is.
    """

    uncovered_ml: float
    uncovered_share: float
    where: str | None


@dataclass(frozen=True, slots=True, eq=False)
class PlannedLesion:
    """The plan of one lesion.

    `trials` are empty where the zones were given; `robustness` is None with a reason where it cannot be told.
    """

    lesion_id: str
    asked_mm: float
    needles: tuple[Needle, ...]
    shortfall: Shortfall
    trials: tuple[Trial, ...] = ()
    robustness: Robustness | None = None
    why_not_robust: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The plan of a case. `assessment` measures the planned zones as a review measures those that were made."""

    case: Case
    assessment: Assessment
    lesions: tuple[PlannedLesion, ...]
    spread: Spread


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What a plan is made with.

    Parameters
    ----------
    asked_mm
        The margin asked for.
    spread
        What it is tried against; its `radius_sd_mm` holds where a setting states none of its own.
    assess
        What measuring assumes.
    """

    asked_mm: float = 5.0
    spread: Spread = field(default_factory=Spread)
    assess: AssessSettings = field(default_factory=AssessSettings)


def proposed(
    case: Case, settings: Sequence[Setting], plan: PlanSettings, observe: Observe = lambda *_: None
) -> tuple[tuple[Needle, ...], dict[str, tuple[Trial, ...]]]:
    """Return for each tumour the needle of the smallest charted zone that holds it with the margin asked for.

    Where none does, that whose one zone attains the largest margin, or which needs to grow least.

    Parameters
    ----------
    case
        Its `pre` is the planning scan.
    settings
        What may be chosen.
    plan
        The margin asked for.
    observe
        Told which lesion is planned.

    Raises
    ------
    InputError
        There is no tumour, or no setting.
    """
    if not case.pre.tumours:
        raise InputError("PRE: no tumour mask found, expected tumour_1 (or tumour)", code="no-tumour")
    if not settings:
        raise InputError("chart: no setting may be chosen, expected at least one", code="no-setting")
    needles, trials = [], {}
    for number, (lesion_id, mask) in enumerate(case.pre.tumours.items(), start=1):
        observe(f"lesion {lesion_id}", (number - 1) / len(case.pre.tumours))
        mask.require_some()
        tumour = surface_of(mask)
        liver = closed_liver(case.pre, {})
        growing = Growing(tumour, liver, max(MOST_MARGIN_MM, plan.asked_mm))
        tried = [_trial(growing, setting, plan.asked_mm) for setting in settings]
        trials[lesion_id] = tuple(trial for trial, _ in tried)
        trial, placement = min(tried, key=lambda one: _preferred(one[0]))
        needles.append(_needle_at(str(number), lesion_id, trial.setting, placement.zone))
    return tuple(needles), trials


def needle_of(
    zone_id: str, lesion_id: str, setting: Setting, entry_lps_mm: FloatArray, target_lps_mm: FloatArray
) -> Needle:
    """Return the needle from an entry to a target, with the zone that a setting makes there.

    Raises
    ------
    InputError
        Entry and target are one point.
    """
    entry, target = np.array(entry_lps_mm, dtype=np.float64), np.array(target_lps_mm, dtype=np.float64)
    along = target - entry
    if float(np.linalg.norm(along)) < 1e-6:
        raise InputError(f"needle {zone_id}: entry and target are one point, expected two", code="bad-needle")
    axis = along / np.linalg.norm(along)
    centre = target - (setting.tip_beyond_mm or 0.0) * axis
    return Needle(
        zone_id, lesion_id, setting, PlannedZone(centre, axis, setting.length_mm, setting.width_mm), entry, target
    )


def planned(
    case: Case,
    needles: Sequence[Needle],
    settings: PlanSettings,
    trials: Mapping[str, tuple[Trial, ...]] | None = None,
    observe: Observe = lambda *_: None,
) -> Plan:
    """Measure a plan: margins, coverage, distances and remnant of its zones, and how sure its margins are.

    Parameters
    ----------
    case
        Its `pre` is the planning scan.
    needles
        With their zones; ids "1", "2", ...
    settings
        What is asked, tried and assumed.
    trials
        What was tried to find them, by lesion.
    observe
        Told what is measured.
    """
    zones = {needle.zone_id: needle.zone for needle in needles}
    pairs: dict[str, tuple[str, ...]] = dict.fromkeys(case.pre.tumours, ())
    for needle in needles:
        pairs[needle.lesion_id] = (*pairs.get(needle.lesion_id, ()), needle.zone_id)
    whole = with_zones(case, zones, pairs)
    surfaces = {zone_id: zone.surface() for zone_id, zone in zones.items()}
    alignment = Alignment.as_given(ALIGNED)
    scene = make_scene(whole, alignment, surfaces, planned=True)
    assessment = assess(whole, alignment, surfaces, settings.assess, observe, scene=scene)
    lesions = (
        _lesion(lesion_id, scene.tumours[lesion_id], scene.liver, needles, settings, (trials or {}).get(lesion_id, ()))
        for lesion_id in case.pre.tumours
    )
    return Plan(whole, assessment, tuple(lesions), settings.spread)


def _trial(growing: Growing, setting: Setting, asked_mm: float) -> tuple[Trial, Placement]:
    """Return what one zone of a setting could do, and its placement: for the margin asked, else the largest."""
    at_asked = best_placement(growing.by(asked_mm), setting.length_mm, setting.width_mm)
    largest = largest_margin(growing.by, setting.length_mm, setting.width_mm, MOST_MARGIN_MM)
    trial = Trial(setting, at_asked.scale, None if largest is None else largest[0])
    if at_asked.covers or largest is None:
        return trial, at_asked
    return trial, largest[1]


def _preferred(trial: Trial) -> tuple[bool, float]:
    """Return what sorts trials: those that hold the target by volume, the others by how little they fall short."""
    if trial.scale <= 1.0:
        return False, trial.setting.volume_ml
    return True, trial.scale if trial.largest_mm is None else -trial.largest_mm


def _needle_at(zone_id: str, lesion_id: str, setting: Setting, zone: PlannedZone) -> Needle:
    target = np.asarray(zone.centre_lps_mm + (setting.tip_beyond_mm or 0.0) * zone.axis_lps)
    return Needle(zone_id, lesion_id, setting, zone, None, target)


def _lesion(
    lesion_id: str,
    tumour: Surface,
    liver: ClosedLiver | None,
    needles: Sequence[Needle],
    settings: PlanSettings,
    trials: tuple[Trial, ...],
) -> PlannedLesion:
    own = tuple(needle for needle in needles if needle.lesion_id == lesion_id)
    zones = [needle.zone for needle in own]
    filled, size_ml = _filled(tumour, settings.asked_mm, liver)
    shortfall = _shortfall(tumour, filled, size_ml, zones)
    if len(zones) != 1:
        why = "no zone is planned for it" if not zones else "several zones: chances are told for one zone only"
        return PlannedLesion(lesion_id, settings.asked_mm, own, shortfall, trials, None, why)
    (needle,) = own
    spread = _with_radius(settings.spread, needle.setting)
    margins = sorted({*LIMITS_MM, settings.asked_mm})
    growing = Growing(tumour, liver, margins[-1])
    targets = [growing.by(margin) for margin in margins]
    robust = try_plan(needle.zone, targets, {settings.asked_mm: filled}, spread)
    return PlannedLesion(lesion_id, settings.asked_mm, own, shortfall, trials, robust)


def _with_radius(spread: Spread, setting: Setting) -> Spread:
    stated = setting.model == "user" and setting.width_sd_mm is not None
    if not stated:
        return spread
    return Spread(
        spread.tip_sd_mm, setting.radius_sd_mm, spread.registration_sd_mm, spread.breathing_sd_mm, spread.seed,
        spread.draws,
    )  # fmt: skip


def _filled(tumour: Surface, margin_mm: float, liver: ClosedLiver | None) -> tuple[FloatArray, float]:
    """Return points that fill the target of a margin evenly, shape (n, 3), and its volume, ml."""
    low = tumour.vertices_lps_mm.min(axis=0) - margin_mm
    high = tumour.vertices_lps_mm.max(axis=0) + margin_mm
    step = float((np.prod(high - low) / (2.0 * FILL_POINTS)) ** (1.0 / 3.0))
    axes = [np.arange(a + 0.5 * step, b, step) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    depth = tumour.signed_depth_mm(points)
    points, depth = points[depth >= -margin_mm], depth[depth >= -margin_mm]
    if liver is not None:
        points = points[(depth >= 0.0) | liver.contains(points)]
    return points, len(points) * step**3 / 1000.0


def _shortfall(tumour: Surface, filled: FloatArray, size_ml: float, zones: Sequence[PlannedZone]) -> Shortfall:
    outside = ~np.any([zone.contains(filled) for zone in zones], axis=0) if zones else np.ones(len(filled), bool)
    share = float(outside.mean()) if len(filled) else 0.0
    where = direction_words(filled[outside].mean(axis=0) - tumour.centroid_lps_mm) if outside.any() else None
    return Shortfall(share * size_ml, share, where)
