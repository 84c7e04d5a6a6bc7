"""How far apart two structures are: + apart, - overlapping, with the nearest pair of points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.errors import InputError
from planner.grid import FloatArray, as_points
from planner.measure.interval import TRE_MEAN_PER_AXIS_SD, Z95
from planner.surface import Depths, Surface

BoolArray = npt.NDArray[np.bool_]

CLOSE_MM = 10.0
TRIANGLES_MM = 3.0
"""Beyond the first, two surfaces are nearest where their vertices are, give or take the second."""

SHAFT_STEP_MM = 0.25
"""A shaft is asked at points so far apart; what lies between is nearer by less than half of that, squared, over twice
the distance to its axis."""


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


@dataclass(frozen=True, eq=False)
class Shaft:
    """A needle: a polyline with a radius, rounded at its ends.

    Parameters
    ----------
    corners_lps_mm
        Shape (n, 3), n >= 2: where it begins, bends and ends.
    radius_mm
        Of the shaft; 0 for a line.
    voxel_kji_mm
        A shaft is drawn on no lattice: its spacing is nothing.
    """

    corners_lps_mm: FloatArray
    radius_mm: float
    voxel_kji_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Check that there is a line, and keep it read-only.

        Raises
        ------
        InputError
            There are fewer than two corners, or the radius is negative.
        """
        corners = np.array(as_points(self.corners_lps_mm))
        if len(corners) < 2 or not self.radius_mm >= 0.0:
            raise InputError("shaft: expected two corners or more and a radius of 0 mm or more", code="bad-shaft")
        corners.setflags(write=False)
        object.__setattr__(self, "corners_lps_mm", corners)

    @cached_property
    def vertices_lps_mm(self) -> FloatArray:
        """Points along the axis, a quarter of a millimetre apart at most, shape (n, 3)."""
        pieces = []
        for a, b in zip(self.corners_lps_mm[:-1], self.corners_lps_mm[1:], strict=True):
            count = max(1, int(np.ceil(np.linalg.norm(b - a) / SHAFT_STEP_MM)))
            pieces.append(a + np.arange(count)[:, None] / count * (b - a))
        return np.concatenate([*pieces, self.corners_lps_mm[-1:]])

    def signed_depth_mm(self, points_lps_mm: FloatArray) -> FloatArray:
        """Return the signed depth of points in the shaft, mm (+ inside), shape (n,)."""
        points = as_points(points_lps_mm)
        away = np.full(len(points), np.inf)
        for a, b in zip(self.corners_lps_mm[:-1], self.corners_lps_mm[1:], strict=True):
            along = (points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12)
            away = np.minimum(away, np.linalg.norm(points - a - np.clip(along, 0.0, 1.0)[:, None] * (b - a), axis=1))
        return self.radius_mm - away


Body = Surface | Shaft


def gap_between(first: Body, second: Surface) -> Gap:
    """Return the distance from a surface or a shaft to a surface, mm, with the pair of points that it lies between.

    The second may be a patch cut out of a larger surface: what is nearest to its rim says nothing.
    """
    if isinstance(first, Shaft):
        return _gap_of_shaft(first, second)
    of_first, of_second = _facing(first, second), _facing(second, first)
    depths = second.depths(of_first)
    into_second = np.where(_says_nothing(second, depths), -np.inf, depths.signed_mm)
    into_first = first.signed_depth_mm(of_second)
    a, b = int(np.argmax(into_second)), int(np.argmax(into_first))
    if into_second[a] >= into_first[b]:
        return Gap(-float(into_second[a]), of_first[a], depths.foot_lps_mm[a])
    return Gap(-float(into_first[b]), first.depths(of_second[b]).foot_lps_mm[0], of_second[b])


def _gap_of_shaft(shaft: Shaft, surface: Surface) -> Gap:
    """Return the distance of the shaft's axis less its radius, whichever side of the surface the axis is on."""
    points = shaft.vertices_lps_mm
    depths = surface.depths(points)
    nearest = int(np.argmax(np.where(_says_nothing(surface, depths), -np.inf, depths.signed_mm)))
    deep_mm, foot = float(depths.signed_mm[nearest]), depths.foot_lps_mm[nearest]
    away = foot - points[nearest] if deep_mm < 0.0 else points[nearest] - foot
    return Gap(-deep_mm - shaft.radius_mm, points[nearest] + shaft.radius_mm * _unit(away), foot)


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))


def _says_nothing(surface: Surface, depths: Depths) -> BoolArray:
    """Return which depths below a patch mean nothing: on its rim, or deeper than the patch is wide there.

    None is left out if that is all there is.
    """
    rim = surface.rim
    if not len(rim):
        return np.zeros(len(depths.signed_mm), dtype=bool)
    ends = surface.vertices_lps_mm[rim]
    edge_mm = float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).max())
    to_rim = cKDTree(ends.reshape(-1, 3)).query(depths.foot_lps_mm)[0]
    found = (to_rim < edge_mm) | (depths.signed_mm > to_rim)
    return np.zeros(len(found), dtype=bool) if found.all() else np.asarray(found)


def _facing(surface: Surface, other: Surface) -> FloatArray:
    """Return the vertices that can be nearest to another surface: all where the two come close or overlap."""
    to_vertices = cKDTree(other.vertices_lps_mm).query(surface.vertices_lps_mm)[0]
    nearest = float(to_vertices.min())
    if nearest < CLOSE_MM:
        return np.asarray(surface.vertices_lps_mm)
    return np.asarray(surface.vertices_lps_mm[to_vertices <= nearest + TRIANGLES_MM])


def registration_sd_mm(error_mm: float) -> float:
    """Return the SD along one axis of a registration error that is given as a mean 3-D length, mm."""
    return error_mm / TRE_MEAN_PER_AXIS_SD


def gap_interval_mm(
    gap: Gap, voxel_sd_mm: float, contour_sd_mm: float, registration_error_mm: float
) -> tuple[float, float]:
    """Return the 95 % interval of a distance from independent errors of both contours, sampling and registration.

    `contour_sd_mm` is that of one contour; two lie in a distance. `registration_error_mm` is a mean 3-D length, 0 where
    both structures come from one study.
    """
    axis_sd = registration_sd_mm(registration_error_mm)
    spread = float(np.sqrt(2.0 * contour_sd_mm**2 + voxel_sd_mm**2 + axis_sd**2))
    return gap.mm - Z95 * spread, gap.mm + Z95 * spread
