"""How sure a lesion's diameters and volume are: 95 % intervals by draws of contour errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError, cKDTree

from planner.grid import FloatArray
from planner.measure.contours import true_shape
from planner.measure.interval import VOXEL_INFLATION, Z95
from planner.measure.volumes import axial_cut, axial_levels_mm, max_axial_diameter_mm, max_diameter_mm, span_mm
from planner.surface import Surface, spread_indices

DRAWS = 400

AROUND = 160
"""The surface is displaced at so many points spread over it, and at the corners of its hull."""

LEVELS = 7
"""So many axial planes about the widest one are looked at, each at its corners."""

CORNERS = 40

VOXEL_SD = 0.25
"""SD that sampling leaves in where each cell of a surface lies, in units of a voxel."""

REACH_MM = 6.0
"""A diameter shorter than the longest by more is not made the longest by contour errors."""

STEEPEST = 0.5
"""An axial cut through a part of the surface that leans more than this is not displaced further for it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """95 % intervals of a lesion's size, low and high end.

    Parameters
    ----------
    axial_mm, longest_mm
        Of the longest diameter in an axial plane, and in any direction.
    volume_ml
        Of the volume within the surface.
    """

    axial_mm: tuple[float, float]
    longest_mm: tuple[float, float]
    volume_ml: tuple[float, float]


def size_intervals(surface: Surface, contour_sd_mm: float, correlation_mm: float, seed: int) -> Sizes:
    """Return how sure diameters and volume are, given what a reader's contour error is like.

    The longest of many nearly equal diameters reads long on a rough contour. So what the contour's error alone would
    show is taken off, with the doubt that remains (`true_shape`), and the longest is found anew in each draw.

    Parameters
    ----------
    surface
        The lesion's surface, in the frame in which planes of constant z are axial.
    contour_sd_mm, correlation_mm
        Of the contour's error, and how far it stays alike.
    seed
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    vertices = surface.vertices_lps_mm
    even = vertices[spread_indices(vertices, AROUND)]
    parts = [even, _corners(vertices, AROUND), *_widest_cuts(surface)]
    at = np.concatenate(parts)
    nearest = cKDTree(vertices).query(at)[1]
    change = true_shape(surface, at, np.ones(len(at)), contour_sd_mm, correlation_mm, DRAWS, rng).change_mm
    ends = np.cumsum([0, *map(len, parts)])
    moves = [
        _Moved(points, surface.vertex_normals[nearest[a:b]], change[:, a:b])
        for points, a, b in zip(parts, ends[:-1], ends[1:], strict=True)
    ]
    volume = surface.volume_ml + float(surface.vertex_area_mm2.sum()) * moves[0].change_mm.mean(axis=1) / 1000.0
    longest = moves[1].longest_mm() + max_diameter_mm(surface) - span_mm(parts[1])
    axial = np.max([cut.in_plane().longest_mm() for cut in moves[2:]], axis=0)
    axial += max_axial_diameter_mm(surface) - max(map(span_mm, parts[2:]))
    of_voxels = VOXEL_INFLATION * np.sqrt(2.0) * float(np.median(surface.sd_mm(nearest)))
    return Sizes(_ends(axial, of_voxels), _ends(longest, of_voxels), _ends(volume, _voxel_volume_sd_ml(surface)))


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """Points of a surface, shape (n, 3), directions they are displaced along, and by how much: shape (draws, n)."""

    points_lps_mm: FloatArray
    directions: FloatArray
    change_mm: FloatArray

    def in_plane(self) -> _Moved:
        """Return how far the axial cut through the displaced surface moves, along directions in its plane."""
        level = np.linalg.norm(self.directions[:, :2], axis=1)
        flat = self.directions * np.array([1.0, 1.0, 0.0]) / np.maximum(level, 1e-9)[:, None]
        return _Moved(self.points_lps_mm, flat, self.change_mm / np.maximum(level, STEEPEST))

    def longest_mm(self) -> FloatArray:
        """Return for each draw the longest distance between two displaced points."""
        a, b = np.triu_indices(len(self.points_lps_mm), 1)
        apart = self.points_lps_mm[a] - self.points_lps_mm[b]
        mm = np.linalg.norm(apart, axis=1)
        far = mm > mm.max() - REACH_MM
        a, b, along = a[far], b[far], apart[far] / mm[far][:, None]
        of_a, of_b = (np.einsum("ij,ij->i", along, self.directions[end]) for end in (a, b))
        return np.asarray((mm[far] + self.change_mm[:, a] * of_a - self.change_mm[:, b] * of_b).max(axis=1))


def _ends(draws: FloatArray, more_sd: float) -> tuple[float, float]:
    middle, spread = float(draws.mean()), float(np.hypot(draws.std(), more_sd))
    return max(0.0, middle - Z95 * spread), middle + Z95 * spread


def _voxel_volume_sd_ml(surface: Surface) -> float:
    """Return what voxel sampling leaves of doubt in a volume: each cell of the surface errs by itself."""
    step = np.asarray(surface.voxel_kji_mm)
    cell_mm2 = float(np.prod(step)) ** (2.0 / 3.0)
    cells = max(1.0, float(surface.vertex_area_mm2.sum()) / cell_mm2)
    return VOXEL_SD * float(np.prod(step)) * float(np.sqrt(cells)) / 1000.0


def _widest_cuts(surface: Surface) -> list[FloatArray]:
    """Return the corners of the widest axial cuts, shape (n, 3) each."""
    cuts = []
    for level in axial_levels_mm(surface):
        flat = axial_cut(surface, level)
        if len(flat) > 2:
            corners = _corners(flat, CORNERS)
            cuts.append(np.column_stack([corners, np.full(len(corners), level)]))
    return sorted(cuts, key=span_mm, reverse=True)[:LEVELS] or [_corners(surface.vertices_lps_mm, CORNERS)]


def _corners(points: FloatArray, most: int) -> FloatArray:
    """Return the corners of the points' hull, at most so many of them spread over it."""
    try:
        corners = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        corners = points
    chosen: FloatArray = corners if len(corners) <= most else corners[spread_indices(corners, most)]
    return chosen
