"""How sure a plan is: its margin where needle, zone, registration and breathing differ from what was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.stats import norm, qmc

from planner.grid import FloatArray
from planner.plan.target import Target
from planner.plan.zone import PlannedZone

BoolArray = npt.NDArray[np.bool_]

FEW_CORNERS = 400
"""Corners of a target that are held against every draw first."""

LEAST_MM = 1e-6
"""No draw makes a zone's radius smaller than this."""

AT_ONCE = 64
"""Draws that are looked at together: memory, not results, depends on it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations that a plan is tried against; every one is an assumption that the report prints.

    Parameters
    ----------
    tip_sd_mm
        Of the needle's place along each axis.
    radius_sd_mm
        Of the zone's radius: its length and width both grow or shrink by twice the draw.
    registration_sd_mm
        Of the planning scan against the patient, along each axis.
    breathing_sd_mm
        Of the liver's place from head to feet.
    seed, draws
        Of the trial; the draws a power of two.
    """

    tip_sd_mm: float = 2.0
    radius_sd_mm: float = 3.0
    registration_sd_mm: float = 0.0
    breathing_sd_mm: float = 0.0
    seed: int = 20130101
    draws: int = 16_384


@dataclass(frozen=True, slots=True)
class Robustness:
    """What became of a plan over all draws.

    Parameters
    ----------
    p_at_least
        Share of the draws in which the minimal margin is at least so many mm, by limit.
    expected_covered
        Mean share of the target's volume that the zones hold, by the margin that the target was grown by.
    spread
        What was assumed.
    radius_sds_mm
        Of each zone's radius, in the order of the needles.
    """

    p_at_least: Mapping[float, float]
    expected_covered: Mapping[float, float]
    spread: Spread
    radius_sds_mm: tuple[float, ...]


def try_plan(
    zone: PlannedZone, targets: Sequence[Target], volumes: Mapping[float, FloatArray], spread: Spread
) -> Robustness:
    """Try a plan of one zone against what may differ from it.

    The minimal margin is at least m exactly if the zone holds the target of m; the zone is convex, so that it does if
    it holds the target's corners: no margin has to be measured.

    Parameters
    ----------
    zone
        As planned.
    targets
        What must be held, for each margin asked about.
    volumes
        Points that fill the target of a margin evenly, shape (n, 3), by margin.
    spread
        What is assumed.
    """
    shifts, growths = _draws(spread)
    chances = {
        one.margin_mm: float(_held(zone, one.corners_lps_mm, shifts, growths).mean())
        if len(one.corners_lps_mm)
        else 1.0
        for one in targets
    }
    covered = {margin: _mean_share(zone, points, shifts, growths) for margin, points in volumes.items()}
    return Robustness(chances, covered, spread, (spread.radius_sd_mm,))


def _draws(spread: Spread) -> tuple[FloatArray, FloatArray]:
    """Return how far the zone is off, shape (draws, 3), and by how much its radii grow, shape (draws,), mm.

    The draws fill their space evenly (a scrambled Sobol sequence): their shares are surer than those of as many dice.
    """
    evenly = qmc.Sobol(5, seed=spread.seed).random(spread.draws)
    normal = norm.ppf(np.clip(evenly, 1e-12, 1.0 - 1e-12))
    along_each = float(np.hypot(spread.tip_sd_mm, spread.registration_sd_mm))
    shifts = normal[:, :3] * along_each
    shifts[:, 2] += normal[:, 4] * spread.breathing_sd_mm
    return shifts, normal[:, 3] * spread.radius_sd_mm


def _held(zone: PlannedZone, corners: FloatArray, shifts: FloatArray, growths: FloatArray) -> BoolArray:
    """Return in which draws all corners lie in the zone, shape (draws,).

    A few corners decide most draws: no corner is reached farther than one of them by more than the distance between
    the two allows. Only draws that this leaves open are held against all.
    """
    few = corners[:: max(1, len(corners) // FEW_CORNERS)]
    gap_mm = float(cKDTree(few).query(corners)[0].max())
    least_radius = np.maximum(min(zone.length_mm, zone.width_mm) / 2.0 + growths, LEAST_MM)
    farthest = _farthest(zone, few, shifts, growths)
    held = farthest <= 1.0
    unsure = held & (farthest > 1.0 - gap_mm / least_radius)
    held[unsure] = _farthest(zone, corners, shifts[unsure], growths[unsure]) <= 1.0
    return np.asarray(held)


def _farthest(zone: PlannedZone, points: FloatArray, shifts: FloatArray, growths: FloatArray) -> FloatArray:
    """Return by how much the zone of each draw would have to be scaled to hold all points, shape (draws,)."""
    blocks = (_reach(zone, points, s, g).max(axis=1) for s, g in _blocks(shifts, growths))
    return np.asarray(np.sqrt(np.concatenate([np.zeros(0), *blocks])))


def _mean_share(zone: PlannedZone, points: FloatArray, shifts: FloatArray, growths: FloatArray) -> float:
    """Return the mean share of points in the zone, 1 of none; a tenth of the draws tells it well enough."""
    if not len(points):
        return 1.0
    some = slice(0, max(1, len(shifts) // 10))
    return float(np.mean([(_reach(zone, points, s, g) <= 1.0).mean() for s, g in _blocks(shifts[some], growths[some])]))


def _blocks(shifts: FloatArray, growths: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    return [(shifts[n : n + AT_ONCE], growths[n : n + AT_ONCE]) for n in range(0, len(shifts), AT_ONCE)]


def _reach(zone: PlannedZone, points: FloatArray, shifts: FloatArray, growths: FloatArray) -> FloatArray:
    """Return the square of the scale at which the zone of each draw reaches each point, shape (draws, points)."""
    half_length = np.maximum(zone.length_mm / 2.0 + growths, LEAST_MM)[:, None]
    half_width = np.maximum(zone.width_mm / 2.0 + growths, LEAST_MM)[:, None]
    offset = points - zone.centre_lps_mm
    along = (offset @ zone.axis_lps)[None, :] - (shifts @ zone.axis_lps)[:, None]
    reach = shifts @ (-2.0 * offset.T)
    reach += (offset**2).sum(axis=1)[None, :]
    reach += (shifts**2).sum(axis=1)[:, None]
    reach /= half_width**2
    along *= along
    along *= 1.0 / half_length**2 - 1.0 / half_width**2
    reach += along
    return np.asarray(reach)
