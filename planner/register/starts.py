"""Where a rigid registration may start: rough motions that lay one liver, else one body, over the other.

Studies of different frames lie anywhere, turned, and a scan may end inside the liver. What is compared is the distance
to the liver's surface, where both scans show it (a scan's end is no surface); without two livers, the intensities.
Motions all over are tried on a few points, the best of them refined by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
"""Tried around the middles laid on each other: components of a rotation vector, and shifts along L, P and S. What is
found may lie half a step farther, and the refinement takes it from there."""

REFINED = 8
APART_MM = 15.0
"""So many of the best are refined, none nearer to a better one than the second at the liver's rim."""

FAR_MM = 25.0
"""Distances to the liver's surface count up to this."""

UNSEEN_MM = 9.0
LEAST_SEEN = 0.3
"""A point that PRE does not show counts as if it were so far off; a motion that shows fewer points is none."""

BODY_UNIT_MM = 8.0
"""An intensity a standard deviation off counts as so many mm."""

COARSE_MM = 4.0
FEW_POINTS, MANY_POINTS = 400, 2000


def rough_starts(post: Working, pre: Working) -> list[FloatArray]:
    """Return 4 x 4 matrices (LPS mm) that take POST roughly to PRE, the one that fits best first."""
    task = _task_of(post, pre)
    return [task.matrix(motion) for motion in _motions(task)]


def best_fit_mm(post: Working, pre: Working) -> float:
    """Return how far the two livers' surfaces (else the bodies) lie apart, mean, after the best of the rough motions.

    Infinite where no motion brings them to overlap.
    """
    task = _task_of(post, pre)
    return min((task.cost(motion) for motion in _motions(task)[:1]), default=np.inf)


def _task_of(post: Working, pre: Working) -> _Task:
    if post.liver is not None and pre.liver is not None:
        return _Task.of(_liver_level(post, post.liver), _liver_level(pre, pre.liver))
    return _Task.of(_body_level(post), _body_level(pre))


def _motions(task: _Task) -> list[FloatArray]:
    radius_mm = float(np.sqrt(((task.points_mm - task.middle_mm) ** 2).sum(axis=1).mean()))
    tried = [
        np.concatenate([np.radians(turn), shift])
        for turn, shift in product(product(TURNS_DEG, repeat=3), product(*SHIFTS_MM))
    ]
    chosen = _apart(task.thinned(FEW_POINTS).ranked(tried), radius_mm)
    refined = task.ranked([task.refined(motion) for motion in chosen])
    return _apart(refined, radius_mm)


@dataclass(frozen=True, eq=False)
class _Level:
    """A distance, or what stands for one, on a coarse lattice; NaN where its scan shows nothing."""

    level_mm: npt.NDArray[np.float32]
    grid: Grid

    def at(self, points: FloatArray) -> FloatArray:
        """Return values at points, shape (n,)."""
        kji = self.grid.ijk(points)[:, ::-1].T
        return np.asarray(ndimage.map_coordinates(self.level_mm, kji, order=1, mode="constant", cval=np.nan))

    @property
    def middle_mm(self) -> FloatArray:
        """Centroid of what lies inside, shape (3,)."""
        with np.errstate(invalid="ignore"):
            inside = np.argwhere(self.level_mm > 0.0)
        return np.asarray(self.grid.lps_mm(inside[:, ::-1]).mean(axis=0))


def _liver_level(scan: Working, liver: BoolVoxels) -> _Level:
    """Return the distance to the liver's surface, + inside, mm; the end of the scan is none."""
    step = _step(scan.grid, COARSE_MM)
    spacing = step * scan.grid.spacing_kji_mm[0]
    own, seen = (voxels[::step, ::step, ::step] for voxels in (liver, scan.seen))
    inside = ndimage.distance_transform_edt(~(seen & ~own), sampling=spacing)
    outside = ndimage.distance_transform_edt(~own, sampling=spacing)
    level = np.where(own, np.minimum(inside, FAR_MM), -np.minimum(outside, FAR_MM))
    return _coarse(level, scan, step)


def _body_level(scan: Working) -> _Level:
    """Return the intensity, smoothed, in standard deviations of the scan's own."""
    step = _step(scan.grid, 2.0 * COARSE_MM)
    smooth = ndimage.gaussian_filter(scan.image, 0.5 * step)[::step, ::step, ::step]
    seen = scan.seen[::step, ::step, ::step]
    level = BODY_UNIT_MM * (smooth - smooth[seen].mean()) / max(float(smooth[seen].std()), 1e-6)
    return _coarse(level, scan, step)


def _step(grid: Grid, coarse_mm: float) -> int:
    return max(1, round(coarse_mm / grid.spacing_kji_mm[0]))


def _coarse(level_mm: FloatArray, scan: Working, step: int) -> _Level:
    """Return values on every `step`-th voxel of a scan's lattice."""
    shape = (level_mm.shape[0], level_mm.shape[1], level_mm.shape[2])
    spacing = step * scan.grid.spacing_kji_mm[0]
    grid = Grid.axis_aligned(shape, (spacing,) * 3, scan.grid.lps_mm_from_ijk[:3, 3])
    return _Level(np.where(scan.seen[::step, ::step, ::step], level_mm, np.nan).astype(np.float32), grid)


@dataclass(frozen=True, eq=False)
class _Task:
    """What motions are judged by. A motion, shape (6,), turns about `middle_mm`, then shifts beyond `target_mm`, mm.

    Parameters
    ----------
    points_mm
        Shape (n, 3): about the liver (the body) of POST, LPS mm.
    wanted_mm
        Shape (n,): the level of POST there.
    middle_mm, target_mm
        Middles of POST's and PRE's liver (body), LPS mm.
    moving
        The level of PRE.
    """

    points_mm: FloatArray
    wanted_mm: FloatArray
    middle_mm: FloatArray
    target_mm: FloatArray
    moving: _Level

    @classmethod
    def of(cls, fixed: _Level, moving: _Level) -> _Task:
        """Return the task of laying one level over the other, at points evenly picked."""
        with np.errstate(invalid="ignore"):
            at = np.argwhere(fixed.level_mm > -FAR_MM)
        at = at[np.linspace(0, len(at) - 1, min(len(at), MANY_POINTS)).round().astype(int)]
        wanted_mm = fixed.level_mm[tuple(at.T)].astype(np.float64)
        return cls(fixed.grid.lps_mm(at[:, ::-1]), wanted_mm, fixed.middle_mm, moving.middle_mm, moving)

    def thinned(self, count: int) -> _Task:
        """Return the task on about so many of the points."""
        every = max(1, len(self.points_mm) // count)
        return replace(self, points_mm=self.points_mm[::every], wanted_mm=self.wanted_mm[::every])

    def matrix(self, motion: FloatArray) -> FloatArray:
        """Return a motion as a 4 x 4 matrix, LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_rotvec(motion[:3]).as_matrix()
        matrix[:3, 3] = self.target_mm + motion[3:] - matrix[:3, :3] @ self.middle_mm
        return matrix

    def ranked(self, motions: list[FloatArray]) -> list[FloatArray]:
        """Return the motions by which PRE shows enough of the points, the one that is least off first."""
        costs = np.array([self.cost(motion) for motion in motions])
        return [motions[n] for n in np.argsort(costs, kind="stable") if np.isfinite(costs[n])]

    def refined(self, motion: FloatArray) -> FloatArray:
        """Return the motion near another that lays the levels best over each other."""
        found = optimize.least_squares(
            lambda m: self._off_mm(m)[0], motion, loss="soft_l1", f_scale=3.0,
            x_scale=[0.05, 0.05, 0.05, 4.0, 4.0, 4.0], diff_step=0.01, max_nfev=40,
        )  # fmt: skip
        return np.asarray(found.x)

    def cost(self, motion: FloatArray) -> float:
        """Return how far the levels lie apart, mean, mm; infinite where PRE shows too few of the points."""
        off_mm, seen = self._off_mm(motion)
        return float(np.abs(off_mm).mean()) if seen >= LEAST_SEEN else np.inf

    def _off_mm(self, motion: FloatArray) -> tuple[FloatArray, float]:
        """Return how far the level is off at each point, and the share of points that PRE shows."""
        matrix = self.matrix(motion)
        found = self.moving.at(self.points_mm @ matrix[:3, :3].T + matrix[:3, 3]) - self.wanted_mm
        unseen = np.isnan(found)
        return np.where(unseen, UNSEEN_MM, found), 1.0 - float(unseen.mean())


def _apart(motions: list[FloatArray], radius_mm: float) -> list[FloatArray]:
    """Return the first motions, best first, of which none lies near an earlier one."""
    kept: list[FloatArray] = []
    scale = np.array([radius_mm] * 3 + [1.0] * 3)
    for motion in motions:
        if all(np.linalg.norm((motion - other) * scale) > APART_MM for other in kept):
            kept.append(motion)
        if len(kept) == REFINED:
            break
    return kept
