"""Several surfaces as one value, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.surface.mesh import IntArray, Surface


@dataclass(frozen=True, eq=False)
class JoinedSd:
    """The standard deviations of vertices of several surfaces, side by side."""

    surfaces: tuple[Surface, ...]

    def __call__(self, vertices: IntArray) -> FloatArray:
        """Return those of some vertices, mm, shape (k,)."""
        found = np.empty(len(vertices))
        start = 0
        for surface in self.surfaces:
            own = (vertices >= start) & (vertices < start + len(surface.vertices_lps_mm))
            found[own] = surface.sd_mm(vertices[own] - start)
            start += len(surface.vertices_lps_mm)
        return found


def join(surfaces: Sequence[Surface]) -> Surface:
    """Return several surfaces as one value, side by side (no boolean operation)."""
    offsets = np.cumsum([0, *(len(s.vertices_lps_mm) for s in surfaces[:-1])])
    return Surface(
        np.concatenate([s.vertices_lps_mm for s in surfaces]),
        np.concatenate([s.triangles + o for s, o in zip(surfaces, offsets, strict=True)]),
        surfaces[0].voxel_kji_mm,
        JoinedSd(tuple(surfaces)) if any(s.sd_of is not None for s in surfaces) else None,
        frozenset().union(*(s.flags for s in surfaces)),
        surfaces[0].voxel_directions,
        all(s.even for s in surfaces),
        np.concatenate([s.off_side_lps_mm for s in surfaces]),
    )
