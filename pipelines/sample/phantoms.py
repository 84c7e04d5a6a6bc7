"""Analytic tumours and ablation zones whose margin is known by dense sampling of their own surfaces, not of masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TUMOUR_SAMPLES = 20_000
COARSE_SAMPLES = 1_000
ZONE_SAMPLES = 120_000
SAMPLING_MATTERS_MM = 0.5
"""Nearer than this the distance to the tangent plane stands in for that to the nearest sample."""


@dataclass(frozen=True, eq=False)
class Star:
    """A star-shaped body: radius(u) = radius_mm * (1 + sum of bumps), u a unit direction from the centre.

    Parameters
    ----------
    centre_mm
        Shape (3,).
    radius_mm
        Mean radius without bumps.
    bumps
        Shape (n, 5): direction (3), height as a share of the radius, sharpness.
    """

    centre_mm: FloatArray
    radius_mm: float
    bumps: FloatArray

    def radius_at(self, directions: FloatArray) -> FloatArray:
        """Return the radius, mm, along unit directions, shape (n,)."""
        heights = np.zeros(len(directions))
        for *axis, height, sharpness in self.bumps:
            heights += height * np.exp(sharpness * (directions @ np.asarray(axis) - 1.0))
        return np.asarray(self.radius_mm * (1.0 + heights))

    def inside(self, points: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        offset = points - self.centre_mm
        length = np.linalg.norm(offset, axis=1)
        direction = offset / np.maximum(length, 1e-12)[:, None]
        return np.asarray(length <= self.radius_at(direction))

    def surface(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Return `count` points spread over the surface and the outward unit normals there."""
        u = _fibonacci(count)
        points = self.centre_mm + self.radius_at(u)[:, None] * u
        step = 1e-4
        gradient = np.zeros_like(points)
        for axis in range(3):
            shift = np.zeros(3)
            shift[axis] = step
            gradient[:, axis] = (self._level(points + shift) - self._level(points - shift)) / (2 * step)
        return points, gradient / np.linalg.norm(gradient, axis=1, keepdims=True)

    def _level(self, points: FloatArray) -> FloatArray:
        offset = points - self.centre_mm
        length = np.linalg.norm(offset, axis=1)
        return np.asarray(length - self.radius_at(offset / length[:, None]))


@dataclass(frozen=True, eq=False)
class Phantom:
    """A tumour, the bodies whose union is the ablation zone, and the true minimal margin (mm, + covered)."""

    family: str
    tumour: Star
    zones: tuple[Star, ...]
    min_mm: float

    def zone_inside(self, points: FloatArray) -> BoolArray:
        """Return which points lie in the zone."""
        return np.asarray(np.any([zone.inside(points) for zone in self.zones], axis=0))


def _fibonacci(count: int) -> FloatArray:
    index = np.arange(count) + 0.5
    z = 1.0 - 2.0 * index / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * index
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)


def true_margin_mm(tumour: Star, zones: tuple[Star, ...]) -> float:
    """Return the minimal signed distance from the tumour's surface to the surface of the zones' union."""
    feet, normals = [], []
    for index, zone in enumerate(zones):
        at, normal = zone.surface(ZONE_SAMPLES)
        others = [other.inside(at) for n, other in enumerate(zones) if n != index]
        free = ~np.any(others, axis=0) if others else np.ones(len(at), dtype=bool)
        feet.append(at[free])
        normals.append(normal[free])
    foot, normal = np.concatenate(feet), np.concatenate(normals)
    tree = cKDTree(foot)

    def depth(points: FloatArray) -> FloatArray:
        distance, nearest = tree.query(points)
        offset = np.einsum("ij,ij->i", foot[nearest] - points, normal[nearest])
        length = np.where(distance < SAMPLING_MATTERS_MM, np.abs(offset), distance)
        inside = np.any([zone.inside(points) for zone in zones], axis=0)
        return np.asarray(np.where(inside, length, -length))

    coarse = tumour.surface(COARSE_SAMPLES)[0]
    coarse_depth = depth(coarse)
    fine = tumour.surface(TUMOUR_SAMPLES)[0]
    gap, nearest = cKDTree(coarse).query(fine)
    # A signed distance changes by no more than the way walked: only these can hold the minimum.
    candidates = fine[coarse_depth[nearest] - gap <= coarse_depth.min()]
    return float(min(coarse_depth.min(), depth(candidates).min(initial=np.inf)))


def _bumps(rng: np.random.Generator, count: int, height: float, sharpness: tuple[float, float]) -> FloatArray:
    axes = rng.normal(size=(count, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    heights = rng.uniform(-0.4, 1.0, size=(count, 1)) * height
    return np.concatenate([axes, heights, rng.uniform(*sharpness, size=(count, 1))], axis=1)


def _direction(rng: np.random.Generator) -> FloatArray:
    axis = rng.normal(size=3)
    return np.asarray(axis / np.linalg.norm(axis))


NO_BUMPS: FloatArray = np.zeros((0, 5))


def _balls(rng: np.random.Generator) -> tuple[Star, tuple[Star, ...]]:
    tumour = Star(rng.uniform(-1, 1, 3), rng.uniform(5, 12), NO_BUMPS)
    shift = rng.uniform(0, 3) * _direction(rng)
    radius = tumour.radius_mm + np.linalg.norm(shift) + rng.uniform(0.5, 9)
    return tumour, (Star(tumour.centre_mm + shift, float(radius), NO_BUMPS),)


def _lobulated(rng: np.random.Generator) -> tuple[Star, tuple[Star, ...]]:
    tumour = Star(rng.uniform(-1, 1, 3), rng.uniform(6, 12), _bumps(rng, 4, 0.2, (3, 6)))
    shift = rng.uniform(0, 3) * _direction(rng)
    zone = Star(tumour.centre_mm + shift, tumour.radius_mm * 1.15 + rng.uniform(3, 9), _bumps(rng, 4, 0.15, (2, 5)))
    return tumour, (zone,)


def _partly_uncovered(rng: np.random.Generator) -> tuple[Star, tuple[Star, ...]]:
    tumour = Star(rng.uniform(-1, 1, 3), rng.uniform(6, 12), _bumps(rng, 3, 0.1, (2, 4)))
    radius = tumour.radius_mm * rng.uniform(1.05, 1.3)
    shift = (radius - tumour.radius_mm + rng.uniform(1.5, 5)) * _direction(rng)
    return tumour, (Star(tumour.centre_mm + shift, float(radius), NO_BUMPS),)


def _two_zones(rng: np.random.Generator) -> tuple[Star, tuple[Star, ...]]:
    tumour = Star(rng.uniform(-1, 1, 3), rng.uniform(6, 10), NO_BUMPS)
    axis = _direction(rng)
    apart = rng.uniform(5, 9)
    radii = tumour.radius_mm + rng.uniform(3, 7, 2)
    return tumour, tuple(
        Star(tumour.centre_mm + side * 0.5 * apart * axis, float(radius), NO_BUMPS)
        for side, radius in zip((-1, 1), radii, strict=True)
    )


FAMILIES: dict[str, Callable[[np.random.Generator], tuple[Star, tuple[Star, ...]]]] = {
    "balls": _balls,
    "lobulated": _lobulated,
    "partly_uncovered": _partly_uncovered,
    "two_zones": _two_zones,
}


def make_phantom(family: str, seed: int) -> Phantom:
    """Return a phantom of a family ("balls", "lobulated", "partly_uncovered", "two_zones"), the same for a seed."""
    rng = np.random.default_rng([seed, sorted(FAMILIES).index(family)])
    tumour, zones = FAMILIES[family](rng)
    return Phantom(family, tumour, zones, true_margin_mm(tumour, zones))


def voxelised(
    inside: Callable[[FloatArray], BoolArray],
    half_mm: float,
    spacing_kji_mm: tuple[float, float, float],
    offset_voxels_kji: FloatArray,
) -> tuple[BoolArray, FloatArray]:
    """Return the mask (k, j, i) of the voxel centres inside a body, and the lattice's 4 x 4 lps_mm_from_ijk.

    The lattice spans at least +-`half_mm` about the origin and is shifted by a share of a voxel along each axis.
    """
    spacing = np.asarray(spacing_kji_mm)
    halves = np.ceil(half_mm / spacing).astype(int) + 1
    axes = [(np.arange(-n, n + 1) + shift) * s for n, shift, s in zip(halves, offset_voxels_kji, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = [axes[2][0], axes[1][0], axes[0][0]]
    return inside(points).reshape(z.shape), affine
