"""How sure a plan of several zones is: together they must hold what none of them holds alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm, qmc

from planner.grid import FloatArray
from planner.plan.border import Border
from planner.plan.held import Draws, held_in, mean_share
from planner.plan.robust import Robustness, Spread
from planner.plan.zone import PlannedZone

CAVITY_ZONES = 4
"""Fewer convex bodies cannot enclose what none of them holds."""


def try_several(
    zones: Sequence[PlannedZone],
    radius_sds_mm: Sequence[float],
    borders: Mapping[float, Border],
    inner: Mapping[float, FloatArray],
    volumes: Mapping[float, FloatArray],
    spread: Spread,
) -> Robustness:
    """Try a plan of several zones against what may differ from it.

    The minimal margin is at least m exactly if the zones together hold the border of the target of m, and enclose
    nothing of it. Each needle is off by itself, and each zone is large or small by itself; registration and breathing
    move all zones together.

    Parameters
    ----------
    zones, radius_sds_mm
        As planned, and the standard deviation of each one's radius.
    borders
        Of what must be held, by the margin asked about.
    inner
        Points that fill the target of a margin, shape (n, 3): of use for `CAVITY_ZONES` and more.
    volumes
        Points that fill the target of a margin evenly, shape (n, 3), by margin.
    spread
        What is assumed; `radius_sds_mm` stand for its `radius_sd_mm`.
    """
    draws = draws_of(zones, radius_sds_mm, spread)
    chances: dict[float, float] = {}
    alive = np.arange(draws.count)
    for margin, border in sorted(borders.items()):
        # Whoever misses a smaller target misses a larger one: only the others are asked.
        alive = alive[held_in(draws.only(alive), border, inner.get(margin, np.zeros((0, 3))))]
        chances[margin] = len(alive) / draws.count
    covered = {margin: mean_share(draws, points) for margin, points in volumes.items()}
    return Robustness(chances, covered, spread, tuple(radius_sds_mm))


def draws_of(zones: Sequence[PlannedZone], radius_sds_mm: Sequence[float], spread: Spread) -> Draws:
    """Return draws that fill their space evenly (a scrambled Sobol sequence).

    Which coordinates a zone gets depends on where it lies, not on the order in which the zones are given.
    """
    evenly = qmc.Sobol(4 * (1 + len(zones)), seed=spread.seed).random(spread.draws)
    normal = norm.ppf(np.clip(evenly, 1e-12, 1.0 - 1e-12)).T.reshape(1 + len(zones), 4, spread.draws)
    together = spread.registration_sd_mm * normal[0, :3].T
    together[:, 2] += spread.breathing_sd_mm * normal[0, 3]
    places = [
        (*z.centre_lps_mm, *z.axis_lps, z.length_mm, z.width_mm, sd) for z, sd in zip(zones, radius_sds_mm, strict=True)
    ]
    own = np.empty((len(zones), 4, spread.draws))
    own[sorted(range(len(zones)), key=places.__getitem__)] = normal[1:]
    shifts = spread.tip_sd_mm * own[:, :3].swapaxes(1, 2) + together
    return Draws(tuple(zones), shifts, own[:, 3] * np.asarray(radius_sds_mm)[:, None])
