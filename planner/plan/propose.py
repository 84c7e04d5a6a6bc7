"""The needle that is proposed for each tumour: the smallest charted zone that holds it with the margin asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from planner.case import Case
from planner.errors import InputError
from planner.plan.kept import NOTHING_KEPT, STEP_MM, Kept, Remaining
from planner.plan.needle import Needle, needle_without_entry
from planner.plan.place import Placement, best_placement, largest_margin
from planner.plan.plan import PlanSettings, Trial
from planner.plan.scene import closed_liver
from planner.plan.setting import Setting
from planner.plan.target import Target
from planner.plan.zone import PlannedZone
from planner.surface import surface_of

Observe = Callable[[str, float], None]

FLAT_DEGREES, FLAT_DIRECTIONS = 90.0, 37
"""Directions in the axial plane that are tried: so far to either side of straight from the front, so many."""

MOST_MARGIN_MM = 30.0
"""A larger margin is not looked for."""


def proposed(
    case: Case,
    settings: Sequence[Setting],
    plan: PlanSettings,
    observe: Observe = lambda *_: None,
    kept: Kept = NOTHING_KEPT,
) -> tuple[tuple[Needle, ...], dict[str, tuple[Trial, ...]]]:
    """Return for each tumour the needle of the smallest charted zone that holds it with the margin asked for.

    Where none does, that whose one zone attains the largest margin, or which needs to grow least. None for a tumour in
    which the scan ends.

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
    kept
        Zones that were made before: a needle is proposed for what they leave, and none where they leave nothing.

    Raises
    ------
    InputError
        There is no tumour, none that the scan shows whole, or no setting.
    """
    if not case.pre.tumours:
        raise InputError("PRE: no tumour mask found, expected tumour_1 (or tumour)", code="no-tumour")
    if not settings:
        raise InputError("chart: no setting may be chosen, expected at least one", code="no-setting")
    made = {zone_id: surface_of(mask) for zone_id, mask in kept.zones.items()}
    liver = closed_liver(case.pre, made)
    needles: list[Needle] = []
    trials: dict[str, tuple[Trial, ...]] = {}
    for done, (lesion_id, mask) in enumerate(case.pre.tumours.items()):
        observe(f"lesion {lesion_id}", done / len(case.pre.tumours))
        mask.require_some()
        if case.pre.cuts(mask):
            continue  # the scan ends in it: what a zone would have to hold is not known
        left = Remaining(surface_of(mask), liver, max(MOST_MARGIN_MM, plan.asked_mm), kept.of(lesion_id, made))
        if not len(left.by(plan.asked_mm).corners_lps_mm):
            continue  # what was made holds the target
        tried = [_trial(left, setting, plan.asked_mm, beside=bool(kept.zones)) for setting in settings]
        trials[lesion_id] = tuple(trial for trial, _ in tried)
        trial, placement = min(tried, key=lambda one: _preferred(one[0]))
        if trial.scale <= 1.0:
            flat = _flatter(left.by(plan.asked_mm), placement)
            inside = case.pre.image.grid.contains(flat.zone.surface().vertices_lps_mm).all()
            placement = flat if inside or not case.pre.is_scan else placement
        zone_id = str(kept.first_free + len(needles))
        needles.append(needle_without_entry(zone_id, lesion_id, trial.setting, _from_the_front(placement.zone)))
    if not needles and not kept.zones:
        text = (
            "PRE: the scan ends in every tumour, expected one that it shows whole: what a zone must hold is not known"
        )
        raise InputError(text, code="nothing-to-plan")
    return tuple(needles), trials


def _trial(left: Remaining, setting: Setting, asked_mm: float, *, beside: bool) -> tuple[Trial, Placement]:
    """Return what one zone of a setting could do, and its placement: for the margin asked, else the largest.

    `beside` zones that were made the search begins at the margin that these attain.
    """
    length_mm, width_mm = setting.length_mm, setting.width_mm
    at_asked = best_placement(left.by(asked_mm), length_mm, width_mm)
    known = (asked_mm, at_asked) if at_asked.covers else None
    if known is None and beside:
        least_mm = left.attained_mm(asked_mm) + STEP_MM
        known = least_mm, best_placement(left.by(least_mm), length_mm, width_mm)
    largest = largest_margin(left.by, length_mm, width_mm, max(MOST_MARGIN_MM, asked_mm), known=known)
    trial = Trial(setting, at_asked.scale, None if largest is None else largest[0])
    if at_asked.covers or largest is None:
        return trial, at_asked
    return trial, largest[1]


def _flatter(target: Target, found: Placement) -> Placement:
    """Return a placement that holds the target with its needle in the axial plane, where there is one, else `found`.

    Directions that hold the target alike are many: of those in the axial plane, from the front to either side, the one
    that holds it best.
    """
    zone = found.zone
    turns = np.radians(np.linspace(-FLAT_DEGREES, FLAT_DEGREES, FLAT_DIRECTIONS))
    axes = (np.array([np.sin(turn), np.cos(turn), 0.0]) for turn in sorted(turns, key=abs))
    flat = [best_placement(target, zone.length_mm, zone.width_mm, axis) for axis in axes]
    holds = [one for one in flat if one.covers]
    if zone.length_mm == zone.width_mm:
        return holds[0] if holds else found
    return min(holds, key=lambda one: one.scale, default=found)


def _preferred(trial: Trial) -> tuple[bool, float]:
    """Return what sorts trials: those that hold the target by volume, the others by how little they fall short."""
    if trial.scale <= 1.0:
        return False, trial.setting.volume_ml
    return True, trial.scale if trial.largest_mm is None else -trial.largest_mm


def _from_the_front(zone: PlannedZone) -> PlannedZone:
    """Return the same ellipsoid with its needle from the front rather than from behind: both ways fit it alike."""
    if zone.axis_lps[1] >= 0.0:
        return zone
    return PlannedZone(zone.centre_lps_mm, -zone.axis_lps, zone.length_mm, zone.width_mm)
