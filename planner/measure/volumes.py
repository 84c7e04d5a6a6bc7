"""Diameters of a lesion."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from planner.grid import FloatArray
from planner.surface import Surface

FEW = 1000
"""So many points in one plane, or on one line, are compared each with each."""

SLAB_MM = 1.0
"""Axial planes are this far apart."""


def max_diameter_mm(surface: Surface) -> float:
    """Return the longest distance between two points of the surface, mm."""
    return span_mm(surface.vertices_lps_mm)


def max_axial_diameter_mm(surface: Surface) -> float:
    """Return the longest distance between two points of the surface in one plane of constant LPS z, mm."""
    return max(span_mm(axial_cut(surface, level)) for level in axial_levels_mm(surface))


def axial_levels_mm(surface: Surface) -> tuple[float, ...]:
    """Return the LPS z of the axial planes that a surface is cut by, mm."""
    z = surface.vertices_lps_mm[:, 2]
    low, high = float(z.min()), float(z.max())
    return tuple(np.arange(low + 0.5 * SLAB_MM, high, SLAB_MM)) if high - low > SLAB_MM else (0.5 * (low + high),)


def axial_cut(surface: Surface, level_mm: float) -> FloatArray:
    """Return the points where the surface's edges cross the plane z = level, shape (n, 2)."""
    height = surface.vertices_lps_mm[:, 2] - level_mm
    edges = np.concatenate([surface.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    a, b = edges[:, 0], edges[:, 1]
    crossing = (height[a] < 0) != (height[b] < 0)
    a, b = a[crossing], b[crossing]
    share = height[a] / (height[a] - height[b])
    points = surface.vertices_lps_mm[:, :2]
    return np.asarray(points[a] + share[:, None] * (points[b] - points[a]))


def span_mm(points: FloatArray) -> float:
    """Return the longest distance between two points, mm."""
    if len(points) < 2:
        return 0.0
    try:
        corners = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        corners = points if len(points) <= FEW else points[ConvexHull(points, qhull_options="QJ").vertices]
    return float(pdist(corners).max())
