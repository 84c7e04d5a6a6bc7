"""A smooth function that is positive inside a mask and negative outside, fitted to the labels of its voxel centres.

f(x) = f0(x) + g(x): f0 is the first-order signed distance of the ellipsoid with the mask's volume and second moments,
g a Gaussian process on a few inducing points. A centre is inside with probability Phi(f / tau); the fit is the
posterior mode (Newton steps), its curvature gives the standard deviation that the sampling leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk
from scipy.special import log_ndtr

from planner.grid import FloatArray
from planner.surface.bases import Base, Changes, base_of, cut_flat
from planner.surface.kernels import Block
from planner.volume import BoolVoxels, Mask

TAU_VOXELS = 0.15
"""How soft a label is, in units of the finest spacing."""

ANNEALING = (4.0, 1.5, 1.0)
"""Factors on tau, from soft to final; a fit that goes on from another takes only the last."""

THINNED = 4
"""Only every so manieth centre counts before the last."""

NEWTON_ROUNDS = 12
FINER_VOXELS = 0.04
WRONG_SIDE_VOXELS = 0.1
"""A centre the first on the wrong side asks for a finer block; the second counts against the fit."""

DETAIL_ROUNDS = 2
DETAIL_POINTS = 160
MAIN_POINTS = 60
GUARD_STRIDE = 0.35
"""Far centres, this share of the radius apart, keep f on the right side away from the surface."""


@dataclass(frozen=True, eq=False)
class Sites:
    """Voxel centres with their labels (+1 inside, -1 outside), and which of them lie beside a label change."""

    points_mm: FloatArray
    labels: FloatArray
    beside: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Implicit:
    """The fitted function. Positive inside; its zero level is the surface; not a distance away from it."""

    base: Base
    blocks: tuple[Block, ...]
    weights: FloatArray
    curvature: FloatArray
    radius_mm: float
    finest_mm: float
    sites: Sites

    def value(self, points: FloatArray) -> FloatArray:
        """Return f at points, shape (n,)."""
        return np.asarray(self.base.value_and_gradient(points)[0] + self._kernel(points) @ self.weights)

    def value_and_gradient(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return f at points and its gradient, shapes (n,) and (n, 3)."""
        value, slope = self.base.value_and_gradient(points)[0], self._base_gradient(points)
        start = 0
        for block in self.blocks:
            stop = start + len(block.points_mm)
            more, steeper = block.value_and_gradient(points, self.weights[start:stop])
            value, slope = value + more, slope + steeper
            start = stop
        return value, slope

    def sd_mm(self, points: FloatArray) -> FloatArray:
        """Return the standard deviation of the surface's place at points on it, mm: what the sampling leaves open."""
        kernel = self._kernel(points)
        variance = np.einsum("ij,ji->i", kernel, cho_solve(cho_factor(self.curvature), kernel.T))
        return np.asarray(
            np.sqrt(variance) / np.maximum(np.linalg.norm(self.value_and_gradient(points)[1], axis=1), 0.2)
        )

    def wrong_share(self) -> float:
        """Return the share of centres beside the surface that lie on the wrong side by over a tenth of a voxel."""
        return float(
            (self.sites.labels * self.value(self.sites.points_mm) < -WRONG_SIDE_VOXELS * self.finest_mm).mean()
        )

    def _kernel(self, points: FloatArray) -> FloatArray:
        return np.concatenate([block.kernel(points) for block in self.blocks], axis=1)

    def _base_gradient(self, points: FloatArray) -> FloatArray:
        step = 1e-3 * self.radius_mm
        parts = []
        for axis in range(3):
            shift = np.zeros(3)
            shift[axis] = step
            parts.append(
                (self.base.value_and_gradient(points + shift)[0] - self.base.value_and_gradient(points - shift)[0])
                / (2.0 * step)
            )
        return np.stack(parts, axis=1)


def fit(mask: Mask, unlabelled: BoolVoxels | None = None) -> Implicit:
    """Fit the implicit function of one connected, padded mask.

    Parameters
    ----------
    mask
        Not empty, with at least two empty voxels around it.
    unlabelled
        Voxels outside the mask, on its lattice, that say nothing (beyond the liver capsule, where an ablation zone
        ends because the liver does).
    """
    radius = float((3.0 * mask.volume_ml * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0))
    finest = min(mask.grid.spacing_kji_mm)
    changes, sites = _sites(mask, unlabelled, radius)
    if not len(changes.midpoints_mm):
        raise np.linalg.LinAlgError("no label change is known")
    base, excess_mm = base_of(mask, changes, cut=unlabelled is not None)
    blocks: tuple[Block, ...] = (
        _main_block(changes, radius, excess_mm, short=unlabelled is not None or cut_flat(mask)),
    )
    weights, curvature = _mode(base, blocks, sites, TAU_VOXELS * finest, None)
    for _ in range(DETAIL_ROUNDS):
        fitted = Implicit(base, blocks, weights, curvature, radius, finest, sites)
        wrong = sites.labels * fitted.value(sites.points_mm) < -FINER_VOXELS * finest
        if not wrong.any() or len(blocks) > 1 + DETAIL_ROUNDS:
            break
        short = float(np.clip(0.3 * radius, *DETAIL_LENGTH_MM))
        near = sites.points_mm[wrong]
        blocks = (*blocks, Block(_spread(near, min(DETAIL_POINTS, len(near))), short, DETAIL_AMPLITUDE_MM))
        weights, curvature = _mode(base, blocks, sites, TAU_VOXELS * finest, weights)
    return Implicit(base, blocks, weights, curvature, radius, finest, sites)


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

DETAIL_LENGTH_MM = (3.0, 4.5)
DETAIL_AMPLITUDE_MM = 3.0


def _main_block(changes: Changes, radius: float, excess_mm: float, *, short: bool) -> Block:
    if excess_mm > UNLIKE_BASE_RADII * radius:
        points = _spread(changes.midpoints_mm, UNLIKE_POINTS)
        return Block(points, UNLIKE_LENGTH_RADII * radius, UNLIKE_AMPLITUDE_RADII * radius)
    length = radius * (SHORT_LENGTH_RADII if short else LENGTH_RADII)
    amplitude = AMPLITUDE_RADII * radius + AMPLITUDE_PER_EXCESS * excess_mm
    return Block(_spread(changes.midpoints_mm, MAIN_POINTS), length, amplitude)


def _sites(mask: Mask, unlabelled: BoolVoxels | None, radius: float) -> tuple[Changes, Sites]:
    """Return the label changes, and the labelled centres beside a change with some far ones."""
    inside = mask.voxels_kji
    known = np.ones_like(inside) if unlabelled is None else ~(unlabelled & ~inside)
    around = np.ones((3, 3, 3), dtype=bool)
    beside = known & (
        (ndimage.binary_dilation(inside, around) & ~inside)
        | (ndimage.binary_dilation(~inside & known, around) & inside)
    )
    midpoints, steps = [], []
    for axis in range(3):
        lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        change = (inside[lower] != inside[upper]) & known[lower] & known[upper]
        kji = np.argwhere(change).astype(np.float64)
        kji[:, axis] += 0.5
        midpoints.append(kji)
        steps.append(np.broadcast_to(mask.grid.lps_mm_from_ijk[:3, 2 - axis], kji.shape))
    strides = [max(2, round(GUARD_STRIDE * radius / s)) for s in mask.grid.spacing_kji_mm]
    guard = np.zeros_like(inside)
    guard[:: strides[0], :: strides[1], :: strides[2]] = True
    chosen = np.argwhere(beside | (guard & known))
    labels = np.where(inside[tuple(chosen.T)], 1.0, -1.0)
    changes = Changes(mask.grid.lps_mm(np.concatenate(midpoints)[:, ::-1]), np.concatenate(steps))
    return changes, Sites(mask.grid.lps_mm(chosen[:, ::-1]), labels, beside[tuple(chosen.T)])


def _spread(points: FloatArray, count: int) -> FloatArray:
    """Return `count` of the points, far from one another (farthest-point sampling from the first)."""
    chosen = [0]
    gap = ((points - points[0]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(points)):
        farthest = int(np.argmax(gap))
        if gap[farthest] == 0.0:
            break
        chosen.append(farthest)
        gap = np.minimum(gap, ((points - points[farthest]) ** 2).sum(axis=1))
    return points[chosen]


def _mode(
    base: Base, blocks: tuple[Block, ...], sites: Sites, tau: float, start: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the posterior mode and the curvature there.

    The curvature is the Hessian of the negative log posterior; only its upper triangle is filled.
    """
    f0 = base.value_and_gradient(sites.points_mm)[0]
    kernel = np.concatenate([block.kernel(sites.points_mm) for block in blocks], axis=1)
    prior = np.zeros((kernel.shape[1],) * 2)
    place = 0
    for block in blocks:
        stop = place + len(block.points_mm)
        prior[place:stop, place:stop] = block.kernel(block.points_mm)
        place = stop
    prior[np.diag_indices_from(prior)] *= 1.0 + 1e-6
    weights = np.zeros(kernel.shape[1])
    if start is not None:
        weights[: len(start)] = start
    some = slice(None, None, THINNED)
    for factor in ANNEALING[:-1] if start is None else ():
        weights, _ = _newton(f0[some], kernel[some], prior, sites.labels[some], factor * tau, weights)
    return _newton(f0, kernel, prior, sites.labels, ANNEALING[-1] * tau, weights)


SURE = 4.5
"""A label this many tau from the surface, on its side, pulls no more."""


def _newton(
    f0: FloatArray, kernel: FloatArray, prior: FloatArray, labels: FloatArray, tau: float, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    def loss(w: FloatArray) -> float:
        return float(-log_ndtr(labels * (f0 + kernel @ w) / tau).sum() + 0.5 * w @ prior @ w)

    curvature = prior
    now = loss(weights)
    for _ in range(NEWTON_ROUNDS):
        z = labels * (f0 + kernel @ weights) / tau
        active = z < SURE
        ratio = np.exp(-0.5 * z[active] ** 2 - log_ndtr(z[active])) / np.sqrt(2.0 * np.pi)
        part = kernel[active]
        slope = prior @ weights - part.T @ (labels[active] * ratio) / tau
        bend = ratio * (ratio + z[active]) / tau**2
        rooted = part * np.sqrt(bend)[:, None]
        curvature = prior + dsyrk(1.0, rooted.T)
        step = cho_solve(cho_factor(curvature), slope)
        share = 1.0
        while share > 1e-3 and (after := loss(weights - share * step)) > now:
            share *= 0.5
        if share <= 1e-3:
            break
        weights = weights - share * step
        settled = now - after < 1e-3
        now = after
        if settled:
            break
    return weights, curvature


def label_voxels(mask: Mask) -> npt.NDArray[np.int32]:
    """Return the connected components of a mask (26 neighbours), numbered from 1."""
    return np.asarray(ndimage.label(mask.voxels_kji, structure=np.ones((3, 3, 3)))[0])
