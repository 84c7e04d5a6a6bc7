"""What a fit starts from: the ellipsoid or, for what was cut out of a large organ, the half space nearest to a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.surface.sites import Changes
from planner.volume import Mask


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """The solid ellipsoid {x: (x - c)' A (x - c) <= 1}."""

    centre_mm: FloatArray
    shape_per_mm2: FloatArray

    @classmethod
    def of(cls, mask: Mask) -> Ellipsoid:
        """Return the ellipsoid with the mask's centroid, second moments and volume (voxels as solid cells)."""
        centres = mask.centres_lps_mm()
        axes = mask.grid.lps_mm_from_ijk[:3, :3]
        spread = np.cov(centres.T, bias=True) if len(centres) > 1 else np.zeros((3, 3))
        moments = 5.0 * (spread + axes @ axes.T / 12.0)
        volume = len(centres) * mask.grid.voxel_mm3
        scale = (volume / (4.0 / 3.0 * np.pi * np.sqrt(np.linalg.det(moments)))) ** (2.0 / 3.0)
        return cls(centres.mean(axis=0), np.linalg.inv(moments * scale))

    @classmethod
    def around(cls, points_mm: FloatArray, weights: FloatArray) -> Ellipsoid:
        """Return the ellipsoid that weighted points of a surface lie around: its own, where they are spread over one.

        A ball's surface has a third of its squared radius as second moment along each axis.
        """
        centre = np.average(points_mm, axis=0, weights=weights)
        spread = np.cov((points_mm - centre).T, aweights=weights, bias=True)
        flattest = FLATTEST * max(float(np.trace(spread)), 1e-6) * np.eye(3)
        return cls(centre, np.asarray(np.linalg.inv(3.0 * spread + flattest), dtype=np.float64))

    def radius_mm(self, points: FloatArray) -> FloatArray:
        """Return the radius in the directions of points from the centre, mm, shape (n,)."""
        away = points - self.centre_mm
        away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        return np.asarray(1.0 / np.sqrt(np.einsum("ij,jk,ik->i", away, self.shape_per_mm2, away)))

    def value_and_gradient(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the first-order signed distance (+ inside) and its gradient, shapes (n,) and (n, 3)."""
        offset = points - self.centre_mm
        slope = offset @ self.shape_per_mm2
        level = np.sqrt(np.maximum(np.einsum("ij,ij->i", offset, slope), 1e-12))
        steepness = np.maximum(np.linalg.norm(slope, axis=1), 1e-9)
        value = level * (1.0 - level) / steepness
        along = (1.0 - 2.0 * level) / (level * steepness)
        across = value / steepness**2
        return value, along[:, None] * slope - across[:, None] * (slope @ self.shape_per_mm2)


@dataclass(frozen=True, eq=False)
class HalfSpace:
    """The half space {x: (x - c) . n >= 0}: the better start for what is cut out of a large organ."""

    centre_mm: FloatArray
    inward: FloatArray

    @classmethod
    def through(cls, edges_mm: FloatArray, inside_mm: FloatArray) -> HalfSpace:
        """Return the half space whose face fits some points best, on the side of others."""
        centre = edges_mm.mean(axis=0)
        normal = np.linalg.svd(edges_mm - centre, full_matrices=False)[2][-1]
        return cls(centre, normal if (inside_mm.mean(axis=0) - centre) @ normal > 0 else -normal)

    def value_and_gradient(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the signed distance (+ inside) and its gradient, shapes (n,) and (n, 3)."""
        return (points - self.centre_mm) @ self.inward, np.broadcast_to(self.inward, points.shape)


Base = Ellipsoid | HalfSpace


def base_of(mask: Mask, changes: Changes, *, cut: bool) -> tuple[Base, float]:
    """Return what the fit starts from, and how far the shape departs from it beyond what sampling explains, mm."""
    bases: list[Base] = [Ellipsoid.of(mask)]
    if cut and len(changes.midpoints_mm) > ENOUGH_FOR_A_PLANE:
        bases.append(HalfSpace.through(changes.midpoints_mm, mask.centres_lps_mm()))
    squares = [float(np.mean(base.value_and_gradient(changes.midpoints_mm)[0] ** 2)) for base in bases]
    best = int(np.argmin(squares))
    return bases[best], float(np.sqrt(max(0.0, squares[best] - _of_sampling(bases[best], changes))))


ENOUGH_FOR_A_PLANE = 3
FLATTEST = 1e-4
"""Keeps an ellipsoid around points of a plane from being singular, as a share of its size squared."""


def _of_sampling(base: Base, changes: Changes) -> float:
    """Return the mean square distance of label changes from a surface that is just where the base says, mm^2.

    A surface crosses the way between two centres anywhere with the same chance: the variance is a twelfth of its
    square, and of that only the part along the surface's normal counts.
    """
    slope = base.value_and_gradient(changes.midpoints_mm)[1]
    normal = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)
    return float(np.mean(np.einsum("ij,ij->i", normal, changes.steps_mm) ** 2) / 12.0)


FLATTER = 2.0
FEWEST_SLICES = 8
"""A face so many times as large as the largest step of such an ellipsoid was cut off; few slices cannot tell."""


def cut_flat(mask: Mask) -> bool:
    """Return whether the mask ends along a plane of its lattice, as where a scan or a capsule cut it off.

    Between neighbouring slices, an ellipsoid of half height c slices changes most at its pole: by 1 - (1 - 1 / c)^2 of
    its largest slice.
    """
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        slices = mask.voxels_kji.sum(axis=others)
        count = int(np.count_nonzero(slices))
        steps = np.abs(np.diff(mask.voxels_kji.astype(np.int8), axis=axis)).sum(axis=others, dtype=np.int64)
        if count >= FEWEST_SLICES and steps.max() > FLATTER * slices.max() * (1.0 - (1.0 - 2.0 / count) ** 2):
            return True
    return False
