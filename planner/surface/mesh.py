"""A closed triangle surface in patient space and the signed distance to it: + inside, - outside, mm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.grid import FloatArray, as_points
from planner.surface.nearest import Finder
from planner.surface.triangles import corner_angles_rad, normals_of_curved, shares_of_corners, spread_shares

IntArray = npt.NDArray[np.int64]
PointMap = Callable[[FloatArray], FloatArray]
VertexSd = Callable[[IntArray], FloatArray]


UNKNOWN_SD_VOXELS = 0.25
"""SD of a surface whose own was not estimated, in units of the coarsest spacing."""


SPREAD = 5
"""Rows of points that are spread over a triangle."""

CLOSE_EDGES = 2.0
"""Farther from a surface than this many of its longest edges, the normal of the nearest vertex tells the side."""


@dataclass(frozen=True, eq=False)
class Depths:
    """Signed depth of points below a surface, with the nearest surface point of each.

    Parameters
    ----------
    signed_mm
        Shape (n,): + inside, - outside.
    foot_lps_mm
        Shape (n, 3): the nearest point of the surface.
    """

    signed_mm: FloatArray
    foot_lps_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Surface:
    """Closed triangle surface in LPS mm, oriented outward.

    Parameters
    ----------
    vertices_lps_mm, triangles
        Shape (n, 3), and (m, 3) vertex indices, counter-clockwise seen from outside.
    voxel_kji_mm
        Spacing of the lattice it was built from: its resolution.
    sd_of
        Takes indices of vertices, returns the standard deviation of their places along their normals that voxel
        sampling leaves, mm; None where it was not estimated.
    voxel_directions
        Unit vectors (rows) along the lattice's k, j and i; None where they are not known, taken as S, P, L.
    flags
        "truncated": the mask reached the border of its lattice, so that the structure may go on outside;
        "fallback": surface nets stand in for a fit that failed; "holes": walls of holes inside are part of it.
    off_side_lps_mm
        Shape (n, 3): the voxel centres that the surface leaves on the wrong side.
    even
        Whether the triangles are all of about one size, on a surface that is smooth at that size.
    """

    vertices_lps_mm: FloatArray
    triangles: IntArray
    voxel_kji_mm: tuple[float, float, float]
    sd_of: VertexSd | None = None
    flags: frozenset[str] = frozenset()
    voxel_directions: FloatArray | None = None
    even: bool = False
    off_side_lps_mm: FloatArray = field(default_factory=lambda: np.empty((0, 3)))

    def __post_init__(self) -> None:
        """Keep the arrays read-only."""
        for name in ("vertices_lps_mm", "triangles"):
            array = np.array(getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def sd_mm(self, vertices: npt.ArrayLike) -> FloatArray:
        """Return what voxel sampling leaves open at some vertices, mm; a quarter of the coarsest spacing where unknown.

        `vertices` holds indices, shape (k,); so does what is returned.
        """
        indices = np.atleast_1d(np.asarray(vertices, dtype=np.int64))
        if self.sd_of is not None:
            return self.sd_of(indices)
        return np.full(len(indices), UNKNOWN_SD_VOXELS * max(self.voxel_kji_mm))

    @property
    def voxels_across(self) -> float:
        """Number of voxels that the surface spans along the lattice axis along which it spans fewest."""
        axes = np.eye(3)[::-1] if self.voxel_directions is None else self.voxel_directions
        return float((np.ptp(self.vertices_lps_mm @ axes.T, axis=0) / np.asarray(self.voxel_kji_mm)).min())

    @property
    def truncated(self) -> bool:
        """Whether the mask reached the border of its lattice."""
        return "truncated" in self.flags

    @cached_property
    def triangle_vectors_mm2(self) -> FloatArray:
        """Outward normal of each triangle times its area, shape (m, 3)."""
        a, b, c = (self.vertices_lps_mm[self.triangles[:, corner]] for corner in range(3))
        return np.asarray(0.5 * np.cross(b - a, c - a))

    @cached_property
    def triangle_normals(self) -> FloatArray:
        """Outward unit normal of each triangle, shape (m, 3)."""
        vectors = self.triangle_vectors_mm2
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))

    @cached_property
    def triangle_centres_lps_mm(self) -> FloatArray:
        """Centre of each triangle, shape (m, 3)."""
        return np.asarray(self._corners_lps_mm.mean(axis=1))

    @cached_property
    def _corners_lps_mm(self) -> FloatArray:
        return self.vertices_lps_mm[self.triangles]

    @cached_property
    def _finder(self) -> Finder:
        at_corners = self.vertex_normals[self.triangles]
        return Finder.of(self._corners_lps_mm, self.triangle_normals, at_corners, even=self.even)

    @cached_property
    def vertex_area_mm2(self) -> FloatArray:
        """Share of the surface that belongs to each vertex, shape (n,): a third of its triangles."""
        third = np.linalg.norm(self.triangle_vectors_mm2, axis=1) / 3.0
        area = np.zeros(len(self.vertices_lps_mm))
        for corner in range(3):
            np.add.at(area, self.triangles[:, corner], third)
        return area

    @cached_property
    def vertex_normals(self) -> FloatArray:
        """Outward unit normals, shape (n, 3): those of the triangles, weighed by their angles at the vertex."""
        sums = np.zeros_like(self.vertices_lps_mm)
        angles = corner_angles_rad(self._corners_lps_mm)
        for corner in range(3):
            np.add.at(sums, self.triangles[:, corner], angles[:, corner, None] * self.triangle_normals)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))

    @cached_property
    def rim(self) -> IntArray:
        """Vertex pairs of the edges that only one triangle has, shape (k, 2): none on a closed surface."""
        ends = np.sort(np.concatenate([self.triangles[:, (a, b)] for a, b in ((0, 1), (1, 2), (2, 0))]), axis=1)
        _, first, count = np.unique(
            ends[:, 0] * len(self.vertices_lps_mm) + ends[:, 1], return_index=True, return_counts=True
        )
        return np.asarray(ends[first[count == 1]])

    @property
    def is_closed(self) -> bool:
        """Whether every edge of a triangle is one of another, too: an open patch has a rim."""
        return not len(self.rim)

    @cached_property
    def volume_ml(self) -> float:
        """Enclosed volume, ml (divergence theorem); on our own meshes that of the curved surface."""
        a, b, c = (self.vertices_lps_mm[self.triangles[:, corner]] for corner in range(3))
        flat_ml = float(np.einsum("ij,ij->", a - self.centroid_lps_mm, np.cross(b - a, c - a)) / 6.0 / 1000.0)
        return flat_ml + self._bulge_ml if self.even else flat_ml

    @property
    def _bulge_ml(self) -> float:
        """Volume between the triangles and the curved surface above them, ml: the bulge's integral, exactly."""
        corners = self._corners_lps_mm
        normals = normals_of_curved(corners, self.triangles, len(self.vertices_lps_mm))[self.triangles]
        rises = np.einsum("ncj,ncj->n", 3.0 * (corners - corners.mean(axis=1, keepdims=True)), normals)
        return float(np.linalg.norm(self.triangle_vectors_mm2, axis=1) @ rises / 24.0 / 1000.0)

    @cached_property
    def centroid_lps_mm(self) -> FloatArray:
        """Area-weighted centroid of the surface, shape (3,)."""
        return np.asarray(np.average(self.vertices_lps_mm, axis=0, weights=self.vertex_area_mm2))

    def moved(self, to_from: PointMap) -> Surface:
        """Return the surface with its vertices carried by a map of points, outward again if the map mirrors."""
        vertices = as_points(to_from(self.vertices_lps_mm))
        off_side = as_points(to_from(self.off_side_lps_mm)) if len(self.off_side_lps_mm) else self.off_side_lps_mm
        surface = replace(self, vertices_lps_mm=vertices, off_side_lps_mm=off_side)
        outward = surface.volume_ml >= 0 if self.is_closed else _keeps_hands(to_from, self.centroid_lps_mm)
        return surface if outward else surface.flipped()

    def within(self, wanted: npt.NDArray[np.bool_]) -> Surface:
        """Return the triangles of which some vertex is wanted, shape (n,), as an open surface; all if none is."""
        keep = wanted[self.triangles].any(axis=1)
        if keep.all() or not keep.any():
            return self
        used, triangles = np.unique(self.triangles[keep], return_inverse=True)
        sd_of = None if self.sd_of is None else PickedSd(self.sd_of, used)
        return replace(
            self, vertices_lps_mm=self.vertices_lps_mm[used], triangles=triangles.reshape(-1, 3), sd_of=sd_of
        )

    def depths(self, points_lps_mm: npt.ArrayLike) -> Depths:
        """Return the signed depth below the surface, mm (+ inside), and the foot of each point."""
        points = as_points(points_lps_mm)
        found = self._finder.feet(points)
        if not self.even:
            return Depths(found.signed_mm, found.points_mm)
        foot, bulge = self._bulged(found.points_mm, found.triangles)
        return Depths(np.copysign(np.linalg.norm(points - foot, axis=1), found.signed_mm + bulge), foot)

    def _bulged(self, feet: FloatArray, triangles: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return points of triangles moved onto the curved surface that the vertices' normals imply, and how far.

        To second order a surface rises above the chord half as far as the planes that touch it at the corners.
        """
        corners = self._corners_lps_mm[triangles]
        rises = np.einsum("ncj,ncj->nc", corners - feet[:, None], self.vertex_normals[self.triangles[triangles]])
        bulge = 0.5 * np.einsum("nc,nc->n", shares_of_corners(feet, corners), rises)
        return feet + bulge[:, None] * self.triangle_normals[triangles], bulge

    def signed_depth_mm(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the signed depth below the surface, mm (+ inside), shape (n,)."""
        return self.depths(points_lps_mm).signed_mm

    def between_vertices(self, points_lps_mm: npt.ArrayLike, values: FloatArray) -> FloatArray:
        """Return values of the vertices, shape (n,), interpolated at the surface points nearest to some points."""
        found = self._finder.feet(as_points(points_lps_mm))
        shares = shares_of_corners(found.points_mm, self._corners_lps_mm[found.triangles])
        return np.asarray(np.einsum("nc,nc->n", shares, values[self.triangles[found.triangles]]))

    def points_around(self, vertices: npt.ArrayLike) -> FloatArray:
        """Return points spread over the triangles that meet in some vertices, on the curved surface, shape (n, 3)."""
        wanted = np.zeros(len(self.vertices_lps_mm), dtype=bool)
        wanted[np.asarray(vertices)] = True
        triangles = np.flatnonzero(wanted[self.triangles].any(axis=1))
        shares = spread_shares(SPREAD)
        points = np.einsum("sc,ncj->nsj", shares, self._corners_lps_mm[triangles]).reshape(-1, 3)
        return self._bulged(points, np.repeat(triangles, len(shares)))[0] if self.even else points

    def rise_mm(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return how far points rise above the plane of the nearest vertex, mm, shape (n,): - below, so inside."""
        points = as_points(points_lps_mm)
        vertex = self._vertex_tree.query(points)[1]
        return np.asarray(np.einsum("ij,ij->i", points - self.vertices_lps_mm[vertex], self.vertex_normals[vertex]))

    def contains(self, points_lps_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which points lie inside, shape (n,): by the nearest vertex's normal unless the surface is close."""
        points = as_points(points_lps_mm)
        gap, vertex = self._vertex_tree.query(points)
        offset = points - self.vertices_lps_mm[vertex]
        inside = np.einsum("ij,ij->i", offset, self.vertex_normals[vertex]) < 0.0
        close = gap < CLOSE_EDGES * self._longest_edge_mm
        if close.any():
            inside[close] = self.signed_depth_mm(points[close]) > 0.0
        return np.asarray(inside)

    @cached_property
    def _vertex_tree(self) -> cKDTree:
        return cKDTree(self.vertices_lps_mm)

    @cached_property
    def _longest_edge_mm(self) -> float:
        ends = self.vertices_lps_mm[self.triangles]
        return float(np.linalg.norm(ends - np.roll(ends, 1, axis=1), axis=2).max())

    def flipped(self) -> Surface:
        """Return the surface with its triangles turned inside out."""
        return replace(self, triangles=self.triangles[:, ::-1])


@dataclass(frozen=True, eq=False)
class PickedSd:
    """The standard deviations of some vertices of a surface, which have become others' indices."""

    sd_of: VertexSd
    picked: IntArray

    def __call__(self, vertices: IntArray) -> FloatArray:
        """Return those of some vertices, mm, shape (k,)."""
        return self.sd_of(self.picked[vertices])


HAND_MM = 1.0
"""How far apart points are moved to see whether a map mirrors."""


def _keeps_hands(to_from: PointMap, at_mm: FloatArray) -> bool:
    """Return whether a map of points does not mirror, by what it does to a corner at a point."""
    corner = as_points(to_from(at_mm + HAND_MM * np.concatenate([np.zeros((1, 3)), np.eye(3)])))
    return float(np.linalg.det(corner[1:] - corner[0])) > 0.0
