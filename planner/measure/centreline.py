"""The centreline of a vessel as a forest of points, with rough radii: how far along it something goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from planner.grid import FloatArray, Grid
from planner.surface import PointMap
from planner.volume import Mask

IntArray = npt.NDArray[np.int64]

STEP_RANGE_MM = (0.7, 1.5)
"""Spacing of the even lattice that a vessel is thinned on: the finest of its own, within these bounds."""

DIAGONAL = 1.8
"""Points of a thinned vessel no more than so many steps apart are neighbours (across a corner: the root of 3)."""

SMOOTHING_ROUNDS = 6
"""Each takes the steps of the lattice off: half way to the mean of a point's neighbours."""

TURNING_ROUNDS = 24
"""The same for the direction of a vessel, which is taken over some way along it."""

SPUR_RADII = 1.2
PRUNING_ROUNDS = 3
"""A twig no longer than so many radii of where it leaves, plus two steps, is a bump of the wall."""

BULKIEST = 1.5
"""A section's radius is at most this multiple of the depth below the wall, and a step: where a vessel fell to pieces
between its slices, the volume around a point is not its own."""

PAD_VOXELS = 2


@dataclass(frozen=True, eq=False)
class Centreline:
    """Points along the middle of a vessel, joined without loops.

    Parameters
    ----------
    points_lps_mm
        Shape (n, 3).
    edges
        Shape (m, 2): indices of neighbouring points.
    radius_mm
        Shape (n,): of the circle with the area of the vessel's section around each, by its voxels.
    """

    points_lps_mm: FloatArray
    edges: IntArray
    radius_mm: FloatArray

    @cached_property
    def edge_mm(self) -> FloatArray:
        """Length of each edge, shape (m,)."""
        return np.asarray(np.linalg.norm(np.diff(self.points_lps_mm[self.edges], axis=1)[:, 0], axis=1))

    @cached_property
    def degree(self) -> IntArray:
        """Count of neighbours of each point, shape (n,)."""
        return np.bincount(self.edges.ravel(), minlength=len(self.points_lps_mm))

    @property
    def ends(self) -> IntArray:
        """The points with at most one neighbour."""
        return np.flatnonzero(self.degree <= 1)

    @cached_property
    def parts(self) -> IntArray:
        """Number of the connected part that each point belongs to, shape (n,)."""
        return np.asarray(connected_components(self._graph, directed=False)[1], dtype=np.int64)

    @cached_property
    def _graph(self) -> csr_matrix:
        return _graph_of(self.edges, self.edge_mm, len(self.points_lps_mm))

    def moved(self, to_from: PointMap) -> Centreline:
        """Return the centreline carried by a map of points; radii stay."""
        return replace(self, points_lps_mm=np.asarray(to_from(self.points_lps_mm)))

    def joined(self, edges: IntArray) -> Centreline:
        """Return the centreline with more edges, shape (k, 2)."""
        return replace(self, edges=np.concatenate([self.edges, edges.reshape(-1, 2)]))

    def directions(self) -> FloatArray:
        """Return unit vectors along the vessel, shape (n, 3), of either sign, but outward at the ends."""
        a, b = self.edges.T
        step = self.points_lps_mm[b] - self.points_lps_mm[a]
        squares = np.einsum("ni,nj->nij", step, step).reshape(-1, 9)
        sums, inward = np.zeros((len(self.points_lps_mm), 9)), np.zeros_like(self.points_lps_mm)
        for node, sign in ((a, 1.0), (b, -1.0)):
            np.add.at(sums, node, squares)
            np.add.at(inward, node, sign * step)
        columns = list(sums.T)
        for _ in range(TURNING_ROUNDS):
            columns = [_shared(column, self) for column in columns]
        found = np.linalg.eigh(np.stack(columns, axis=1).reshape(-1, 3, 3))[1][:, :, 2]
        back = (self.degree == 1) & (np.einsum("nj,nj->n", found, inward) > 0.0)
        return np.where(back[:, None], -found, found)

    def distances_from(self, start: int) -> tuple[FloatArray, IntArray]:
        """Return how far along the vessel each point is from one, mm (infinite if not joined), and its way back."""
        found = dijkstra(self._graph, directed=False, indices=start, return_predecessors=True)
        return np.asarray(found[0]), np.asarray(found[1], dtype=np.int64)

    def length_where_mm(self, excess: FloatArray) -> float:
        """Return the length along which a value given at the points, shape (n,), is at least 0; linear between."""
        values = excess[self.edges]
        high, low = values.max(axis=1), values.min(axis=1)
        share = np.clip(np.divide(high, high - low, out=np.where(low >= 0.0, 1.0, 0.0), where=high > low), 0.0, 1.0)
        return float((share * self.edge_mm).sum())


def centreline_of(mask: Mask) -> Centreline | None:
    """Return the centreline of a vessel in its mask's frame; None where it is too small to have one.

    The mask is interpolated by its signed distance to an even lattice, thinned there, freed of twigs, and smoothed.
    """
    inside_mm, grid = _even(mask)
    thin = skeletonize(inside_mm > 0.0)
    kji = np.argwhere(thin)
    if not len(kji):
        return None
    step = grid.spacing_kji_mm[0]
    radius = np.maximum(inside_mm[tuple(kji.T)], 0.5 * step)
    line = Centreline(grid.lps_mm(kji[:, ::-1]), np.empty((0, 2), dtype=np.int64), radius)
    line = replace(line, edges=_tree(line.points_lps_mm, DIAGONAL * step))
    for _ in range(PRUNING_ROUNDS):
        line = _without_spurs(line, step)
    centres = mask.centres_lps_mm()
    return _with_radii(_centred(_smoothed(line), centres), centres, mask.grid.voxel_mm3)


def _centred(line: Centreline, centres: FloatArray) -> Centreline:
    """Return the centreline with its inner points in the middle of the voxel centres around them."""
    nearest = cKDTree(line.points_lps_mm).query(centres)[1]
    count = np.bincount(nearest, minlength=len(line.points_lps_mm)).astype(np.float64)
    sums: list[FloatArray] = [
        np.bincount(nearest, centres[:, axis], minlength=len(count)).astype(np.float64) for axis in range(3)
    ]
    for _ in range(SMOOTHING_ROUNDS):
        count, sums = _shared(count, line), [_shared(one, line) for one in sums]
    inner = (line.degree > 1) & (count > 0.0)
    middle = np.stack(sums, axis=1) / np.maximum(count, 1e-9)[:, None]
    return replace(line, points_lps_mm=np.where(inner[:, None], middle, line.points_lps_mm))


def _with_radii(line: Centreline, centres: FloatArray, voxel_mm3: float) -> Centreline:
    """Return the centreline with the radii that its voxels have: the volume nearest to a point over its length."""
    nearest = cKDTree(line.points_lps_mm).query(centres)[1]
    mm3: FloatArray = np.bincount(nearest, minlength=len(line.radius_mm)).astype(np.float64) * voxel_mm3
    long_mm: FloatArray = np.zeros(len(mm3))
    np.add.at(long_mm, line.edges, 0.5 * line.edge_mm[:, None])
    long_mm[line.ends] += line.radius_mm[line.ends]  # a vessel thins to points short of its ends
    for _ in range(SMOOTHING_ROUNDS):
        mm3, long_mm = _shared(mm3, line), _shared(long_mm, line)
    radius = np.sqrt(mm3 / (np.pi * np.maximum(long_mm, 1e-9)))
    return replace(line, radius_mm=np.minimum(radius, BULKIEST * line.radius_mm + min(STEP_RANGE_MM)))


def _shared(values: FloatArray, line: Centreline) -> FloatArray:
    """Return values of points of which each gives a quarter to every neighbour, as far as it has two."""
    a, b = line.edges.T
    found = values.copy()
    part = 0.5 / np.maximum(2, line.degree)
    np.add.at(found, b, part[a] * values[a])
    np.add.at(found, a, part[b] * values[b])
    return np.asarray(found - part * line.degree * values)


def _even(mask: Mask) -> tuple[FloatArray, Grid]:
    """Return the signed distance below a mask's border, mm, on an even lattice along the patient's axes, and that."""
    box = mask.cropped(PAD_VOXELS)
    spacing = box.grid.spacing_kji_mm
    inside, outside = (ndimage.distance_transform_edt(v, sampling=spacing) for v in (box.voxels_kji, ~box.voxels_kji))
    signed = inside - outside
    step = float(np.clip(min(spacing), *STEP_RANGE_MM))
    corners = box.grid.corners_lps_mm()
    low = corners.min(axis=0)
    count = np.ceil(np.ptp(corners, axis=0) / step).astype(int) + 1
    grid = Grid.axis_aligned((int(count[2]), int(count[1]), int(count[0])), (step,) * 3, low)
    flip = np.eye(4)[[2, 1, 0, 3]]
    kji_from_kji = flip @ box.grid.ijk_from_lps_mm @ grid.lps_mm_from_ijk @ flip
    found = ndimage.affine_transform(
        signed, kji_from_kji, output_shape=grid.shape_kji, order=1, mode="constant", cval=-step
    )
    return np.asarray(found), grid


def _tree(points: FloatArray, reach_mm: float) -> IntArray:
    pairs = cKDTree(points).query_pairs(reach_mm, output_type="ndarray").astype(np.int64)
    if not len(pairs):
        return np.empty((0, 2), dtype=np.int64)
    lengths = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    tree = minimum_spanning_tree(_graph_of(pairs, lengths, len(points))).tocoo()
    return np.stack([tree.row, tree.col], axis=1).astype(np.int64)


def _graph_of(edges: IntArray, lengths_mm: FloatArray, count: int) -> csr_matrix:
    return coo_matrix((np.maximum(lengths_mm, 1e-9), (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()


def _without_spurs(line: Centreline, step: float) -> Centreline:
    keep = np.ones(len(line.points_lps_mm), dtype=bool)
    for twig, fork in _twigs(line):
        ends = line.points_lps_mm[[twig[0], fork]]
        if np.linalg.norm(ends[1] - ends[0]) <= SPUR_RADII * line.radius_mm[fork] + 2.0 * step:
            keep[twig] = False
    number = np.cumsum(keep) - 1
    edges = line.edges[keep[line.edges].all(axis=1)]
    return Centreline(line.points_lps_mm[keep], number[edges], line.radius_mm[keep])


def _twigs(line: Centreline) -> Iterator[tuple[list[int], int]]:
    """Yield each way from an end to the fork it leaves from (the fork apart), shortest first; of two at a fork, one."""
    neighbours: list[list[int]] = [[] for _ in line.points_lps_mm]
    for a, b in line.edges.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    found = []
    for end in np.flatnonzero(line.degree == 1).tolist():
        way, at, before = [end], neighbours[end][0], end
        while len(neighbours[at]) == 2:
            way.append(at)
            at, before = next(n for n in neighbours[at] if n != before), at
        if len(neighbours[at]) > 2:
            found.append((way, at))
    left = line.degree.copy()
    for way, fork in sorted(found, key=lambda twig: len(twig[0])):
        if left[fork] > 2:
            left[fork] -= 1
            yield way, fork


def _smoothed(line: Centreline) -> Centreline:
    points = line.points_lps_mm.copy()
    a, b = line.edges.T
    inner = line.degree > 1
    for _ in range(SMOOTHING_ROUNDS):
        sums = np.zeros_like(points)
        np.add.at(sums, a, points[b])
        np.add.at(sums, b, points[a])
        points[inner] += 0.5 * (sums[inner] / line.degree[inner, None] - points[inner])
    return replace(line, points_lps_mm=points)
