"""How far apart two structures are: + apart, - overlapping, with the nearest pair of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.measure.interval import TRE_MEAN_PER_AXIS_SD, Z95
from planner.surface import Surface

CLOSE_MM = 10.0
TRIANGLES_MM = 3.0
"""Beyond the first, two surfaces are nearest where their vertices are, give or take the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """The distance between two surfaces.

    Parameters
    ----------
    mm
        + apart: the least distance; - overlapping: how deep one's surface lies in the other at most.
    at_first_lps_mm, at_second_lps_mm
        The pair of points, shape (3,) each: one on each surface.
    """

    mm: float
    at_first_lps_mm: FloatArray
    at_second_lps_mm: FloatArray


def gap_between(first: Surface, second: Surface) -> Gap:
    """Return the distance from one surface to another, mm, with the pair of points that it lies between."""
    of_first, of_second = _facing(first, second), _facing(second, first)
    into_second, into_first = second.signed_depth_mm(of_first), first.signed_depth_mm(of_second)
    a, b = int(np.argmax(into_second)), int(np.argmax(into_first))
    if into_second[a] >= into_first[b]:
        return Gap(-float(into_second[a]), of_first[a], second.depths(of_first[a]).foot_lps_mm[0])
    return Gap(-float(into_first[b]), first.depths(of_second[b]).foot_lps_mm[0], of_second[b])


def _facing(surface: Surface, other: Surface) -> FloatArray:
    """Return the vertices that can be nearest to another surface: all where the two come close or overlap."""
    to_vertices = cKDTree(other.vertices_lps_mm).query(surface.vertices_lps_mm)[0]
    nearest = float(to_vertices.min())
    if nearest < CLOSE_MM:
        return np.asarray(surface.vertices_lps_mm)
    return np.asarray(surface.vertices_lps_mm[to_vertices <= nearest + TRIANGLES_MM])


def gap_interval_mm(
    gap: Gap, voxel_sd_mm: float, contour_sd_mm: float, registration_error_mm: float
) -> tuple[float, float]:
    """Return the 95 % interval of a distance from independent errors of both contours, sampling and registration.

    `contour_sd_mm` is that of one contour; two lie in a distance. `registration_error_mm` is a mean 3-D length, 0 where
    both structures come from one study.
    """
    axis_sd = registration_error_mm / TRE_MEAN_PER_AXIS_SD
    spread = float(np.sqrt(2.0 * contour_sd_mm**2 + voxel_sd_mm**2 + axis_sd**2))
    return gap.mm - Z95 * spread, gap.mm + Z95 * spread
