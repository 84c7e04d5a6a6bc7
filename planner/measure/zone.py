"""The union of ablation zones: its surface is what of each zone's surface no other zone covers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.errors import InputError
from planner.grid import FloatArray
from planner.surface import Depths, Surface, join, outside_of, surface_of
from planner.volume import Mask

BoolArray = npt.NDArray[np.bool_]

VOLUME_SAMPLES = 60_000
"""Points of a zone's box by which its overlap with other zones is counted."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Parts of surfaces, open at their rims: something to measure a distance to, without an inside."""

    surface: Surface | None

    def distances(self, points: FloatArray) -> Depths:
        """Return distances (all positive, mm) and nearest points; infinite where there is no patch at all."""
        if self.surface is None:
            return Depths(np.full(len(points), np.inf), np.array(points))
        found = self.surface.depths(points)
        return Depths(np.abs(found.signed_mm), found.foot_lps_mm)


@dataclass(frozen=True, eq=False)
class Zone:
    """The union of the ablation zones that treat one tumour, in POST. Build it with `Zone.of`."""

    surfaces: tuple[Surface, ...]
    free: Patches

    @classmethod
    def of(cls, surfaces: Sequence[Surface]) -> Zone:
        """Return the union of closed surfaces."""
        if len(surfaces) == 1:
            return cls(tuple(surfaces), Patches(surfaces[0]))
        kept = [outside_of(one, [*surfaces[:n], *surfaces[n + 1 :]]) for n, one in enumerate(surfaces)]
        return cls(tuple(surfaces), Patches(join(kept)))

    @classmethod
    def of_masks(cls, masks: Sequence[Mask]) -> Zone:
        """Return the union of masks of one frame of reference; those on one lattice are joined as masks.

        So two that only abut leave no seam between them.

        Raises
        ------
        EmptyMaskError
            A mask is empty.
        InputError
            There is none.
        """
        if not masks:
            raise InputError("ablation: no mask was given, expected at least one ablation zone", code="no-zone")
        for mask in masks:
            mask.require_some()
        if len(masks) > 1 and all(mask.grid.same_lattice(masks[0].grid) for mask in masks):
            both = np.any([mask.voxels_kji for mask in masks], axis=0)
            return cls.of([surface_of(Mask(both, masks[0].grid, "ablation zones"))])
        return cls.of([surface_of(mask) for mask in masks])

    def depths(self, points: FloatArray) -> Depths:
        """Return the signed depth (+ inside the union, mm) and the nearest point of the union's surface."""
        if len(self.surfaces) == 1:
            return self.surfaces[0].depths(points)
        found = self.free.distances(points)
        return Depths(np.where(self.contains(points), found.signed_mm, -found.signed_mm), found.foot_lps_mm)

    def contains(self, points: FloatArray) -> BoolArray:
        """Return which points lie inside the union."""
        return np.asarray(np.any([s.contains(points) for s in self.surfaces], axis=0))

    def only(self, wanted: Callable[[FloatArray, FloatArray], BoolArray]) -> Patches:
        """Return the parts of the union's surface for whose triangles (centres, outward normals) `wanted` holds."""
        surface = self.free.surface
        if surface is None:
            return self.free
        keep = wanted(surface.triangle_centres_lps_mm, surface.triangle_normals)
        return Patches(replace(surface, triangles=surface.triangles[keep]) if keep.any() else None)

    def normals_at(self, feet: FloatArray) -> FloatArray:
        """Return the outward unit normals of the surface at points on it (that of the nearest triangle)."""
        tree, normals = self._triangle_tree
        return np.asarray(normals[tree.query(feet)[1]])

    def sd_mm_at(self, foot: FloatArray) -> float:
        """Return what voxel sampling leaves open of the surface's place at a point on it, mm."""
        surface = self.free.surface or self.surfaces[0]
        return float(surface.sd_mm(np.argmin(((surface.vertices_lps_mm - foot) ** 2).sum(axis=1)))[0])

    @cached_property
    def _triangle_tree(self) -> tuple[cKDTree, FloatArray]:
        surface = self.free.surface or self.surfaces[0]
        return cKDTree(surface.triangle_centres_lps_mm), surface.triangle_normals

    @cached_property
    def volume_ml(self) -> float:
        """Volume of the union, ml, overlaps counted once (by regular samples where several zones overlap)."""
        total, overlap = sum(surface.volume_ml for surface in self.surfaces), 0.0
        for n, surface in enumerate(self.surfaces[1:], start=1):
            points = _samples_lps_mm((surface,), VOLUME_SAMPLES)
            shared = np.any([before.contains(points) for before in self.surfaces[:n]], axis=0)
            overlap += surface.volume_ml * float(np.count_nonzero(shared)) / max(1, len(points))
        return total - overlap

    def samples_lps_mm(self, count: int) -> FloatArray:
        """Return the points of a regular lattice of about `count` over the union's box that lie in it, shape (n, 3)."""
        return _samples_lps_mm(self.surfaces, count)

    @cached_property
    def centroid_lps_mm(self) -> FloatArray:
        """Centroid of the union's surface, shape (3,)."""
        return (self.free.surface or self.surfaces[0]).centroid_lps_mm

    @property
    def off_side_lps_mm(self) -> FloatArray:
        """The voxel centres that the zones' surfaces leave on the wrong side, shape (n, 3)."""
        return np.concatenate([surface.off_side_lps_mm for surface in self.surfaces])

    @property
    def voxel_kji_mm(self) -> tuple[float, float, float]:
        """Spacing of the coarsest zone's lattice."""
        return max((s.voxel_kji_mm for s in self.surfaces), key=max)

    @property
    def truncated(self) -> bool:
        """Whether a zone's mask reached the border of its lattice."""
        return any(s.truncated for s in self.surfaces)


def _samples_lps_mm(surfaces: Sequence[Surface], count: int) -> FloatArray:
    """Return the points of a regular lattice of about `count` over a union's box that lie in it, shape (n, 3)."""
    points = np.concatenate([surface.vertices_lps_mm for surface in surfaces])
    low, high = points.min(axis=0), points.max(axis=0)
    step = (float(np.prod(high - low)) / count) ** (1.0 / 3.0)
    axes = [np.arange(a + 0.5 * step, b, step) for a, b in zip(low, high, strict=True)]
    samples = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(samples[np.any([surface.contains(samples) for surface in surfaces], axis=0)])
