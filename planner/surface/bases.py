"""What a fit starts from: the ellipsoid or, for what was cut out of a large organ, the half space nearest to a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
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

    def value_and_gradient(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the first-order signed distance (+ inside) and its gradient direction, shapes (n,) and (n, 3)."""
        offset = points - self.centre_mm
        slope = offset @ self.shape_per_mm2
        level = np.sqrt(np.maximum(np.einsum("ij,ij->i", offset, slope), 1e-12))
        steepness = np.maximum(np.linalg.norm(slope, axis=1), 1e-9)
        value = level * (1.0 - level) / steepness
        return value, -slope / steepness[:, None]


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


def base_of(mask: Mask, edges: FloatArray, *, cut: bool) -> tuple[Base, float]:
    """Return what the fit starts from, and how far the label changes lie from it (root mean square, mm)."""
    bases: list[Base] = [Ellipsoid.of(mask)]
    if cut and len(edges) > 3:
        bases.append(HalfSpace.through(edges, mask.centres_lps_mm()))
    misfits = [float(np.sqrt(np.mean(base.value_and_gradient(edges)[0] ** 2))) for base in bases]
    best = int(np.argmin(misfits))
    return bases[best], misfits[best]
