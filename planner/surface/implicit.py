"""A smooth function that is positive inside a mask and negative outside, fitted to the labels of its voxel centres.

f(x) = f0(x) + g(x): f0 is the first-order signed distance of the ellipsoid with the mask's volume and second moments,
g a Gaussian process on a few inducing points. A centre is inside with probability Phi(f / tau); the fit is the
posterior mode, its curvature gives the standard deviation that the sampling leaves open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag, cholesky, solve_triangular
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.surface.bases import Base, base_of, cut_flat
from planner.surface.kernels import Block
from planner.surface.posterior import SURE, Told, mode
from planner.surface.sites import Changes, Sites, sites_of, spread
from planner.volume import BoolVoxels, Mask

TAU_VOXELS = 0.15
"""How soft a label is, in units of the finest spacing."""

ANNEALING = (4.0, 1.5)
"""Factors on tau on the way to it."""

THINNED = 4
"""Only every so manieth centre counts before the last."""

OPEN_VOXELS = 0.25
"""Centres so much deeper than a sure one, on their side, are left out when tau is reached."""

FINER_VOXELS = 0.04
WRONG_SIDE_VOXELS = 0.1
"""A centre the first on the wrong side asks for a finer block; the second counts against the fit."""

SHALLOWEST = 0.2
"""A slope of f below this does not make the surface's place any less sure."""

DETAIL_ROUNDS = 2
DETAIL_POINTS = 100
MAIN_POINTS = 60
FEW_POINTS = 16


class NoFitError(Exception):
    """No smooth function follows the labels; surface nets have to do."""


@dataclass(frozen=True, eq=False)
class Implicit:
    """The fitted function. Positive inside; its zero level is the surface; not a distance away from it.

    `off_side_mm` are the centres that it leaves on the wrong side, shape (n, 3); `off_share` is the share of its sites
    that it does by over a tenth of a voxel.
    """

    base: Base
    blocks: tuple[Block, ...]
    weights: FloatArray
    curvature: FloatArray
    radius_mm: float
    finest_mm: float
    sites: Sites
    off_side_mm: FloatArray
    off_share: float

    def value(self, points: FloatArray) -> FloatArray:
        """Return f at points, shape (n,)."""
        value = self.base.value_and_gradient(points)[0]
        for block, weights in self._weighted_blocks():
            value = value + block.value(points, weights)
        return value

    def value_and_gradient(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return f at points and its gradient, shapes (n,) and (n, 3)."""
        value, slope = self.base.value_and_gradient(points)
        for block, weights in self._weighted_blocks():
            more, steeper = block.value_and_gradient(points, weights)
            value, slope = value + more, slope + steeper
        return value, slope

    def _weighted_blocks(self) -> Iterator[tuple[Block, FloatArray]]:
        starts = np.cumsum([len(block.points_mm) for block in self.blocks])[:-1]
        return zip(self.blocks, np.split(self.weights, starts), strict=True)

    def sd_mm(self, points: FloatArray) -> FloatArray:
        """Return the standard deviation of the surface's place at points on it, mm: what the sampling leaves open."""
        kernel = self._kernel(points)
        root = cholesky(self.curvature, check_finite=False)
        whitened = solve_triangular(root, kernel.T, trans="T", check_finite=False)
        steepness = np.linalg.norm(self.value_and_gradient(points)[1], axis=1)
        return np.asarray(np.linalg.norm(whitened, axis=0) / np.maximum(steepness, SHALLOWEST))

    @property
    def smallest_detail_mm(self) -> float:
        """Length of the finest block that more than a few places asked for; the main one's where there is none."""
        asked = [block.length_mm for block in self.blocks[1:] if len(block.points_mm) >= FEW_POINTS]
        return min([self.blocks[0].length_mm, *asked])

    def _kernel(self, points: FloatArray) -> FloatArray:
        return np.concatenate([block.kernel(points) for block in self.blocks], axis=1)


def fit(mask: Mask, unlabelled: BoolVoxels | None = None) -> Implicit:
    """Fit the implicit function of one connected, padded mask.

    Parameters
    ----------
    mask
        Not empty, with at least two empty voxels around it.
    unlabelled
        Voxels outside the mask, on its lattice, that say nothing (beyond the liver capsule, where an ablation zone
        ends because the liver does).

    Raises
    ------
    NoFitError
        No label change is known, the labels are rougher than a fit can follow, or the fit does not settle.
    """
    try:
        return _fit(mask, unlabelled)
    except np.linalg.LinAlgError as error:
        raise NoFitError("the fit did not settle") from error


def _fit(mask: Mask, unlabelled: BoolVoxels | None) -> Implicit:
    radius = float((3.0 * mask.volume_ml * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0))
    finest = min(mask.grid.spacing_kji_mm)
    tau = TAU_VOXELS * finest
    changes, sites = sites_of(mask, unlabelled, radius)
    if not len(changes.midpoints_mm):
        raise NoFitError("no label change is known")
    base, excess_mm = base_of(mask, changes, cut=unlabelled is not None)
    blocks: tuple[Block, ...] = (
        _main_block(changes, radius, excess_mm, short=unlabelled is not None or cut_flat(mask)),
    )
    prior = _prior(blocks[0])
    told = Told(base.value_and_gradient(sites.points_mm)[0], blocks[0].kernel(sites.points_mm), sites.labels)
    weights = np.zeros(len(prior))
    for factor in ANNEALING:
        weights, curvature = mode(told.only(slice(None, None, THINNED)), prior, factor * tau, weights)
    depth = told.labels * told.value(weights)
    off_side = depth[sites.beside] < -WRONG_SIDE_VOXELS * finest
    if too_rough(sites.points_mm[sites.beside], off_side, radius):
        raise NoFitError("the labels are rougher than a fit can follow")
    near = depth < SURE * tau + OPEN_VOXELS * finest
    weights, curvature = mode(told.only(near), prior, tau, weights)
    near |= _beside_wrong(sites.points_mm, told.labels * told.value(weights) < -FINER_VOXELS * finest)
    points, told = sites.points_mm[near], told.only(near)
    for _ in range(DETAIL_ROUNDS):
        wrong = points[told.labels * told.value(weights) < -FINER_VOXELS * finest]
        if not len(wrong):
            break
        block = Block(
            spread(wrong, DETAIL_POINTS), float(np.clip(0.3 * radius, *DETAIL_LENGTH_MM)), DETAIL_AMPLITUDE_MM
        )
        blocks, prior = (*blocks, block), block_diag(prior, _prior(block))
        told = told.and_kernel(block.kernel(points))
        weights, curvature = mode(told, prior, tau, np.concatenate([weights, np.zeros(len(block.points_mm))]))
    depth = told.labels * told.value(weights)
    off_share = np.count_nonzero(depth < -WRONG_SIDE_VOXELS * finest) / len(sites.labels)
    return Implicit(base, blocks, weights, curvature, radius, finest, sites, points[depth < 0.0], off_share)


DETAIL_REACH_MM = 6.0
"""Centres this near to a place that asks for a finer block are all heard again."""


def _beside_wrong(points: FloatArray, wrong: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    if not wrong.any():
        return wrong
    gap = cKDTree(points[wrong]).query(points, distance_upper_bound=DETAIL_REACH_MM)[0]
    return np.asarray(np.isfinite(gap))


ROUGH_SHARE = 0.05
ROUGH_SITES = 300
ROUGH_CELLS = 0.5
ROUGH_CELL_RADII = 0.5
"""More centres than the first two on the wrong side of the first fit, in most of the cells of half a radius that the
surface passes, are a roughness all over, as where contours were drawn slice by slice; finer blocks, made for a groove
here and there, would not bring them back."""


def too_rough(points: FloatArray, wrong: npt.NDArray[np.bool_], radius: float) -> bool:
    """Return whether so many centres lie on the wrong side, in so many places, that finer blocks cannot help.

    Parameters
    ----------
    points
        The centres beside label changes, shape (n, 3), mm.
    wrong
        Which of them lie on the wrong side.
    radius
        That of the ball of the mask's volume, mm.
    """
    count = int(wrong.sum())
    if count <= ROUGH_SITES or count <= ROUGH_SHARE * len(points):
        return False
    cells = np.floor((points - points.min(axis=0)) / (ROUGH_CELL_RADII * radius)).astype(np.int64)
    number = np.ravel_multi_index(tuple(cells.T), tuple(cells.max(axis=0) + 1))
    return len(np.unique(number[wrong])) > ROUGH_CELLS * len(np.unique(number))


def _prior(block: Block) -> FloatArray:
    prior = block.prior()
    prior[np.diag_indices_from(prior)] *= 1.0 + 1e-6
    return prior


LENGTH_RADII = 1.25
SHORT_LENGTH_RADII = 0.75
"""Kernel length in radii of the ball of the mask's volume; a long one would bulge over a face that was cut flat."""

AMPLITUDE_RADII = 0.03
AMPLITUDE_PER_EXCESS = 1.5
"""Kernel amplitude: in radii where the base explains the mask, more by what it does not explain."""

UNLIKE_BASE_RADII = 0.08
UNLIKE_LENGTH_RADII = 2.0
UNLIKE_AMPLITUDE_RADII = 4.0
UNLIKE_POINTS = 160
"""A shape farther than the first from its base (a tube, a C) is left to smoothness alone."""

DETAIL_LENGTH_MM = (4.5, 6.0)
DETAIL_AMPLITUDE_MM = 3.0


def _main_block(changes: Changes, radius: float, excess_mm: float, *, short: bool) -> Block:
    if excess_mm > UNLIKE_BASE_RADII * radius:
        points = spread(changes.midpoints_mm, UNLIKE_POINTS)
        return Block(points, UNLIKE_LENGTH_RADII * radius, UNLIKE_AMPLITUDE_RADII * radius)
    length = radius * (SHORT_LENGTH_RADII if short else LENGTH_RADII)
    amplitude = AMPLITUDE_RADII * radius + AMPLITUDE_PER_EXCESS * excess_mm
    return Block(spread(changes.midpoints_mm, MAIN_POINTS), length, amplitude)
