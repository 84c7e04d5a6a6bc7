"""A planned ablation zone: an ellipsoid along a needle, as a charted device setting makes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull

from planner.errors import InputError
from planner.grid import FloatArray, Grid
from planner.plan.setting import ellipsoid_ml
from planner.surface import Surface
from planner.volume import Mask

BoolArray = npt.NDArray[np.bool_]

SURFACE_POINTS = 6000
"""Vertices of a planned zone's surface: its chords lie less than 0.01 mm inside a zone of 50 mm."""

LATTICE_MM = 1.0
"""Spacing of the lattice that a planned zone is written on."""


@dataclass(frozen=True, eq=False)
class PlannedZone:
    """An ellipsoid of revolution along a needle, in the planning scan's patient coordinates.

    Parameters
    ----------
    centre_lps_mm
        Its middle, shape (3,).
    axis_lps
        Unit vector along the needle, from the entry towards the tip, shape (3,).
    length_mm, width_mm
        Full extent along and across the needle.
    """

    centre_lps_mm: FloatArray
    axis_lps: FloatArray
    length_mm: float
    width_mm: float

    def __post_init__(self) -> None:
        """Check the zone, and keep its arrays read-only.

        Raises
        ------
        InputError
            An extent is not positive and finite, or the axis has no direction.
        """
        centre, axis = (np.array(v, dtype=np.float64) for v in (self.centre_lps_mm, self.axis_lps))
        sizes = np.array([self.length_mm, self.width_mm])
        if not (np.isfinite(sizes).all() and (sizes > 0).all()):
            raise InputError("planned zone: expected a length and a width above 0 mm", code="bad-zone")
        if centre.shape != (3,) or axis.shape != (3,) or not np.isfinite(np.concatenate([centre, axis])).all():
            raise InputError("planned zone: expected a centre and a direction of three numbers", code="bad-zone")
        length = float(np.linalg.norm(axis))
        if length < 1e-9:
            raise InputError(
                "planned zone: its axis is zero or its entry and target are one point, so it has no direction",
                code="bad-zone",
            )
        axis = axis / length
        for name, value in (("centre_lps_mm", centre), ("axis_lps", axis)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def volume_ml(self) -> float:
        """Volume of the ellipsoid."""
        return ellipsoid_ml(self.length_mm, self.width_mm)

    @cached_property
    def rounding(self) -> FloatArray:
        """Return the matrix, shape (3, 3), that shortens lengths along the needle so that the zone becomes a ball.

        The ball has the radius `width_mm / 2`: what lies in the zone lies in the ball.
        """
        return rounding(self.axis_lps, self.length_mm, self.width_mm)

    def contains(self, points_lps_mm: npt.ArrayLike) -> BoolArray:
        """Return which points, shape (n, 3), lie in the zone."""
        return np.asarray(self.reach(points_lps_mm) <= 1.0)

    def reach(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return by how much the zone would have to be scaled about its middle to reach each point, shape (n,)."""
        offset = (np.asarray(points_lps_mm, dtype=np.float64) - self.centre_lps_mm) @ self.rounding.T
        return np.asarray(2.0 * np.linalg.norm(offset, axis=-1) / self.width_mm)

    def surface(self) -> Surface:
        """Return its surface, without error of a lattice: the vertices lie on the ellipsoid."""
        directions, triangles = _unit_sphere()
        stretch = np.linalg.inv(self.rounding)
        vertices = self.centre_lps_mm + self.width_mm / 2.0 * directions @ stretch.T
        return Surface(vertices, triangles, (LATTICE_MM, LATTICE_MM, LATTICE_MM))

    def mask(self, frame_of_reference: str, name: str) -> Mask:
        """Return the zone on a lattice of its own, one voxel beyond it on every side."""
        half = np.sqrt((self.width_mm / 2.0) ** 2 + self._longer * self.axis_lps**2) + 2.0 * LATTICE_MM
        counts = np.ceil(2.0 * half / LATTICE_MM).astype(int) + 1
        affine = np.diag([LATTICE_MM, LATTICE_MM, LATTICE_MM, 1.0])
        affine[:3, 3] = self.centre_lps_mm - (counts - 1) * LATTICE_MM / 2.0
        grid = Grid((int(counts[2]), int(counts[1]), int(counts[0])), affine, frame_of_reference)
        indices = np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1]
        return Mask(self.contains(grid.lps_mm(indices)).reshape(grid.shape_kji), grid, name)

    @property
    def _longer(self) -> float:
        return (self.length_mm**2 - self.width_mm**2) / 4.0


def rounding(axis_lps: FloatArray, length_mm: float, width_mm: float) -> FloatArray:
    """Return the matrix that makes a ball, of radius width / 2, of an ellipsoid of revolution about an axis."""
    return np.asarray(np.eye(3) + (width_mm / length_mm - 1.0) * np.outer(axis_lps, axis_lps))


def spread_directions(count: int) -> FloatArray:
    """Return unit vectors spread evenly over the sphere (a Fibonacci lattice), shape (count, 3)."""
    n = np.arange(count) + 0.5
    z = 1.0 - 2.0 * n / count
    around = np.pi * (1.0 + np.sqrt(5.0)) * n
    across = np.sqrt(1.0 - z**2)
    return np.stack([across * np.cos(around), across * np.sin(around), z], axis=1)


def _unit_sphere() -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return vertices on the unit sphere and the triangles of their hull, facing outward."""
    points = spread_directions(SURFACE_POINTS)
    triangles = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = points[triangles].swapaxes(0, 1)
    inward = np.einsum("nk,nk->n", np.cross(b - a, c - a), a) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return points, triangles
