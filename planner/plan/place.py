"""Where to put one zone: the placement that needs the smallest zone of a shape, and how large a margin it attains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.plan.ball import smallest_ball
from planner.plan.target import Target
from planner.plan.zone import PlannedZone, rounding, spread_directions

FIRST_DIRECTIONS = 160
"""Needle directions tried first, over the half sphere."""

ROUNDS = 5
AROUND = 10
"""Rounds of closer search, with so many directions around the best so far, each round over a cone a third as wide."""

FIRST_CONE_RAD = 2.5 / FIRST_DIRECTIONS**0.5
"""About the distance between directions that are tried first."""

SEARCH_CORNERS = 300
"""Corners of the target that the search for a direction looks at; what it finds is judged by all of them."""

MARGIN_STEP_MM = 0.02
"""A largest attainable margin is found to this."""

TargetOf = Callable[[float], Target]
"""Returns what must be held for a margin of so many mm."""


@dataclass(frozen=True, eq=False)
class Placement:
    """The best placement of a zone of one size.

    Parameters
    ----------
    zone
        The zone of that size, where it needs to be scaled least to hold the target.
    scale
        By how much it would have to be scaled about its middle to hold it: at most 1 where it does.
    """

    zone: PlannedZone
    scale: float

    @property
    def covers(self) -> bool:
        """Whether the zone holds the target."""
        return self.scale <= 1.0


def best_placement(target: Target, length_mm: float, width_mm: float, axis_lps: FloatArray | None = None) -> Placement:
    """Return where a zone of a size holds a target best, of all positions and, unless one is given, all directions.

    Parameters
    ----------
    target
        What is to be held.
    length_mm, width_mm
        Extent of the zone along and across the needle.
    axis_lps
        Direction of the needle; None to look for the best.
    """
    corners = target.corners_lps_mm
    if axis_lps is not None:
        return _placed(corners, np.asarray(axis_lps, dtype=np.float64), length_mm, width_mm)
    some = corners[:: max(1, len(corners) // SEARCH_CORNERS)]
    halves = spread_directions(2 * FIRST_DIRECTIONS)[:FIRST_DIRECTIONS]
    best = min((_placed(some, axis, length_mm, width_mm) for axis in halves), key=_scale)
    return _refined(target, best, FIRST_CONE_RAD)


def _refined(target: Target, start: Placement, cone_rad: float) -> Placement:
    """Return the best placement with its needle near that of a placement, exact for all corners."""
    zone, corners = start.zone, target.corners_lps_mm
    some = corners[:: max(1, len(corners) // SEARCH_CORNERS)]
    best = _placed(some, zone.axis_lps, zone.length_mm, zone.width_mm)
    if zone.length_mm != zone.width_mm:
        for n in range(ROUNDS):
            cone = _cone(best.zone.axis_lps, cone_rad / 3.0**n)
            best = min((best, *(_placed(some, axis, zone.length_mm, zone.width_mm) for axis in cone)), key=_scale)
    return _placed(corners, best.zone.axis_lps, zone.length_mm, zone.width_mm)


def _scale(found: Placement) -> float:
    return found.scale


def largest_margin(
    target_of: TargetOf,
    length_mm: float,
    width_mm: float,
    most_mm: float,
    axis_lps: FloatArray | None = None,
    known: tuple[float, Placement] | None = None,
) -> tuple[float, Placement] | None:
    """Return the largest margin, mm, that one zone of a size attains, at most `most_mm`, and where it does.

    None where the zone does not even hold the tumour. `known` is a margin that it attains, with its placement.
    """
    low, found = known or (0.0, best_placement(target_of(0.0), length_mm, width_mm, axis_lps))
    if not found.covers:
        return None
    # A target grown by d needs a zone that is at most 2 d / width larger, and without a liver at least 2 d / length.
    span = 1.0 - found.scale
    first, beyond = low + span * width_mm / 2.0, low + span * length_mm / 2.0 + MARGIN_STEP_MM
    bracket = _Bracket(low, found, None, 0.0)
    for margin in (first, beyond, (beyond + most_mm) / 2.0, most_mm):
        if bracket.high_mm is None and margin > bracket.low_mm:
            bracket = bracket.with_tried(min(margin, most_mm), target_of, axis_lps)
    bracket = bracket.narrowed(target_of, axis_lps)
    if bracket.high_mm is not None and axis_lps is None and length_mm != width_mm:
        # The needle was only turned a little on the way: once more, every direction is asked.
        anew = best_placement(target_of(bracket.high_mm), length_mm, width_mm)
        if anew.covers:
            return largest_margin(target_of, length_mm, width_mm, most_mm, known=(bracket.high_mm, anew))
    return bracket.low_mm, bracket.at_low


@dataclass(frozen=True, slots=True, eq=False)
class _Bracket:
    """A margin that is attained, where, and one that is not (None as long as none is known) with its scale."""

    low_mm: float
    at_low: Placement
    high_mm: float | None
    scale_at_high: float

    @property
    def next_mm(self) -> float:
        """The margin to try next: where the scale would reach 1 if it grew evenly, a step inside of both ends."""
        high_mm = self.low_mm if self.high_mm is None else self.high_mm
        share = (1.0 - self.at_low.scale) / (self.scale_at_high - self.at_low.scale)
        inside = min(MARGIN_STEP_MM / 2.0, (high_mm - self.low_mm) / 2.0)
        return float(np.clip(self.low_mm + share * (high_mm - self.low_mm), self.low_mm + inside, high_mm - inside))

    def narrowed(self, target_of: TargetOf, axis_lps: FloatArray | None) -> _Bracket:
        """Return the bracket once its ends lie close enough together."""
        bracket = self
        while bracket.high_mm is not None and bracket.high_mm - bracket.low_mm > MARGIN_STEP_MM:
            bracket = bracket.with_tried(bracket.next_mm, target_of, axis_lps)
        return bracket

    def with_tried(self, margin_mm: float, target_of: TargetOf, axis_lps: FloatArray | None) -> _Bracket:
        """Return the bracket after a margin was tried, its needle near that of the largest attained so far."""
        target, zone = target_of(margin_mm), self.at_low.zone
        if axis_lps is None:
            tried = _refined(target, self.at_low, FIRST_CONE_RAD)
        else:
            tried = best_placement(target, zone.length_mm, zone.width_mm, axis_lps)
        if tried.covers:
            return _Bracket(margin_mm, tried, self.high_mm, self.scale_at_high)
        return _Bracket(self.low_mm, self.at_low, margin_mm, tried.scale)


def _placed(corners: FloatArray, axis: FloatArray, length_mm: float, width_mm: float) -> Placement:
    matrix = rounding(np.asarray(axis / np.linalg.norm(axis)), length_mm, width_mm)
    centre, radius = smallest_ball(corners @ matrix.T)
    zone = PlannedZone(np.asarray(np.linalg.solve(matrix, centre)), axis, length_mm, width_mm)
    return Placement(zone, 2.0 * radius / width_mm)


def _cone(axis: FloatArray, width_rad: float) -> FloatArray:
    """Return directions in two rings around an axis."""
    across = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    across /= np.linalg.norm(across)
    other = np.cross(axis, across)
    turns = np.arange(AROUND) / AROUND * 2.0 * np.pi
    tilts = np.where(np.arange(AROUND) % 2 == 0, width_rad, width_rad / 2.0)
    ring = np.cos(turns)[:, None] * across + np.sin(turns)[:, None] * other
    return np.asarray(np.cos(tilts)[:, None] * axis + np.sin(tilts)[:, None] * ring)
