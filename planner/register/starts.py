"""Where a rigid registration may start: rough motions that lay one liver, else one body, over the other.

Studies of different frames lie anywhere, turned, and a scan may end inside the liver. What is compared is the distance
to the liver's surface, where both scans show it (a scan's end is no surface); without two livers, the intensities.
Motions all over are tried on a few points, the best of them refined by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

from planner.grid import FloatArray, Grid
from planner.register.prepare import Working
from planner.volume import BoolVoxels

TURNS_DEG = (-17.0, 0.0, 17.0)
SHIFTS_MM = ((-20.0, 0.0, 20.0), (-20.0, 0.0, 20.0), tuple(18.0 * n for n in range(-6, 7)))
"""Tried around the middles laid on each other: turns about each axis, shifts along L, P and S. What is found may lie
half a step farther, and the refinement takes it from there."""

REFINED = 8
APART_MM = 15.0
"""So many of the best are refined, none nearer to a better one than the second at the liver's rim."""

FAR_MM = 25.0
"""Distances to the liver's surface count up to this."""

UNSEEN_MM = 9.0
LEAST_SEEN = 0.3
"""A point that PRE does not show counts as if it were so far off; a motion that shows fewer points is none."""

BODY_UNIT = 8.0
"""An intensity a standard deviation off counts as so many mm."""

COARSE_MM = 4.0
FEW_POINTS, MANY_POINTS = 400, 2000


@dataclass(frozen=True, eq=False)
class _Level:
    """A distance, or what stands for one, on a coarse lattice; NaN where its scan shows nothing."""

    level_mm: npt.NDArray[np.float32]
    grid: Grid

    def at(self, points: FloatArray) -> FloatArray:
        """Return values at points, shape (n,)."""
        kji = self.grid.ijk(points)[:, ::-1].T
        return np.asarray(ndimage.map_coordinates(self.level_mm, kji, order=1, mode="constant", cval=np.nan))


def rough_starts(post: Working, pre: Working) -> list[FloatArray]:
    """Return 4 x 4 matrices (LPS mm) that take POST roughly to PRE, the one that fits best first."""
    both = post.liver is not None and pre.liver is not None
    fixed, moving = (_liver_level(s) if both else _body_level(s) for s in (post, pre))
    points, wanted, middle = _points_of(fixed)
    target = _points_of(moving)[2]
    every = max(1, len(points) // FEW_POINTS)
    radius = float(np.sqrt(((points - middle) ** 2).sum(axis=1).mean()))
    tried = [
        np.concatenate([np.radians(turn), shift])
        for turn, shift in product(product(TURNS_DEG, repeat=3), product(*SHIFTS_MM))
    ]
    costs = [_cost(motion, points[::every], wanted[::every], middle, target, moving) for motion in tried]
    chosen = _apart([tried[n] for n in np.argsort(costs, kind="stable") if np.isfinite(costs[n])], radius, REFINED)
    refined = [_refined(motion, points, wanted, middle, target, moving) for motion in chosen]
    scores = [_cost(motion, points, wanted, middle, target, moving) for motion in refined]
    best = [refined[n] for n in np.argsort(scores, kind="stable") if np.isfinite(scores[n])]
    return [_matrix(motion, middle, target) for motion in _apart(best, radius, REFINED)]


def _liver_level(scan: Working) -> _Level:
    """Return the distance to the liver's surface, + inside, mm; the end of the scan is none."""
    step = max(1, round(COARSE_MM / scan.grid.spacing_kji_mm[0]))
    liver, seen = _thinned(scan.liver if scan.liver is not None else scan.seen, step), _thinned(scan.seen, step)
    spacing = step * scan.grid.spacing_kji_mm[0]
    inside = ndimage.distance_transform_edt(~(seen & ~liver), sampling=spacing)
    outside = ndimage.distance_transform_edt(~liver, sampling=spacing)
    level = np.where(liver, np.minimum(inside, FAR_MM), -np.minimum(outside, FAR_MM))
    return _Level(np.where(seen, level, np.nan).astype(np.float32), _thinned_grid(scan.grid, step))


def _body_level(scan: Working) -> _Level:
    """Return the intensity, smoothed, in standard deviations of the scan's own."""
    step = max(1, round(2.0 * COARSE_MM / scan.grid.spacing_kji_mm[0]))
    smooth = ndimage.gaussian_filter(scan.image, 0.5 * step)[::step, ::step, ::step]
    seen = _thinned(scan.seen, step)
    level = BODY_UNIT * (smooth - smooth[seen].mean()) / max(float(smooth[seen].std()), 1e-6)
    return _Level(np.where(seen, level, np.nan).astype(np.float32), _thinned_grid(scan.grid, step))


def _thinned(voxels: BoolVoxels, step: int) -> BoolVoxels:
    return np.asarray(voxels[::step, ::step, ::step])


def _thinned_grid(grid: Grid, step: int) -> Grid:
    shape = [-(-n // step) for n in grid.shape_kji]
    spacing = step * grid.spacing_kji_mm[0]
    return Grid.axis_aligned((shape[0], shape[1], shape[2]), (spacing,) * 3, grid.lps_mm_from_ijk[:3, 3])


def _points_of(level: _Level) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points about the liver (the body), evenly picked, the level there, and the middle of what lies inside."""
    with np.errstate(invalid="ignore"):
        near, inside = level.level_mm > -FAR_MM, level.level_mm > 0.0
    at = np.argwhere(near)
    at = at[np.linspace(0, len(at) - 1, min(len(at), MANY_POINTS)).round().astype(int)]
    middle = level.grid.lps_mm(np.argwhere(inside)[:, ::-1]).mean(axis=0)
    return level.grid.lps_mm(at[:, ::-1]), level.level_mm[tuple(at.T)].astype(np.float64), middle


def _moved(motion: FloatArray, points: FloatArray, middle: FloatArray, target: FloatArray) -> FloatArray:
    turned = (points - middle) @ Rotation.from_rotvec(motion[:3]).as_matrix().T
    return np.asarray(turned + target + motion[3:])


def _off(
    motion: FloatArray, points: FloatArray, wanted: FloatArray, middle: FloatArray, target: FloatArray, moving: _Level
) -> tuple[FloatArray, float]:
    """Return how far the level is off at each point, and the share of points that PRE shows."""
    found = moving.at(_moved(motion, points, middle, target)) - wanted
    unseen = np.isnan(found)
    return np.where(unseen, UNSEEN_MM, found), 1.0 - float(unseen.mean())


def _cost(
    motion: FloatArray, points: FloatArray, wanted: FloatArray, middle: FloatArray, target: FloatArray, moving: _Level
) -> float:
    off, seen = _off(motion, points, wanted, middle, target, moving)
    return float(np.abs(off).mean()) if seen >= LEAST_SEEN else np.inf


def _refined(
    motion: FloatArray, points: FloatArray, wanted: FloatArray, middle: FloatArray, target: FloatArray, moving: _Level
) -> FloatArray:
    found = optimize.least_squares(
        lambda m: _off(m, points, wanted, middle, target, moving)[0], motion, loss="soft_l1", f_scale=3.0,
        x_scale=[0.05, 0.05, 0.05, 4.0, 4.0, 4.0], diff_step=0.01, max_nfev=40,
    )  # fmt: skip
    return np.asarray(found.x)


def _apart(motions: list[FloatArray], radius_mm: float, most: int) -> list[FloatArray]:
    """Return the first motions, best first, of which none lies near an earlier one."""
    kept: list[FloatArray] = []
    scale = np.array([radius_mm] * 3 + [1.0] * 3)
    for motion in motions:
        if all(np.linalg.norm((motion - other) * scale) > APART_MM for other in kept):
            kept.append(motion)
        if len(kept) == most:
            break
    return kept


def _matrix(motion: FloatArray, middle: FloatArray, target: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(motion[:3]).as_matrix()
    matrix[:3, 3] = target + motion[3:] - matrix[:3, :3] @ middle
    return matrix
