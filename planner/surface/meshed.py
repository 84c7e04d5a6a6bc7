"""The zero level of a fitted function as a mesh: marching cubes, each vertex then moved onto the level itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import marching_cubes

from planner.grid import FloatArray
from planner.surface.implicit import Implicit, NoFitError
from planner.surface.mesh import Surface
from planner.volume import BoolVoxels, Mask

CELLS_PER_RADIUS = 8.0
CELL_RANGE_MM = (0.35, 2.0)
CELLS_PER_DETAIL = 4.5
MOST_CELLS_PER_RADIUS = 40.0
FEWEST_CELLS_PER_RADIUS = 2.5
"""Size of the cells that the fitted function is meshed with."""

FLATTEST_SLOPE_SQUARED = 0.05
LONGEST_STEP_CELLS = 0.5
"""A projection step divides by no less than the first, and goes no farther than the second."""

PROJECTION_ROUNDS = 2
UNFOLDING_ROUNDS = 10


def mesh_of(fitted: Implicit, mask: Mask, silent: BoolVoxels | None) -> Surface:
    """Return the surface of a function that was fitted to a mask.

    Parameters
    ----------
    fitted
        The function.
    mask
        What it was fitted to, padded.
    silent
        Voxels of its lattice that said nothing; None where all did.

    Raises
    ------
    NoFitError
        The function's zero level lies between the corners of the cells.
    """
    # A body smaller than the finest cell (one voxel of 0.5 mm) would slip between the corners.
    cell = min(
        float(np.clip(fitted.radius_mm / CELLS_PER_RADIUS, *CELL_RANGE_MM)), fitted.radius_mm / FEWEST_CELLS_PER_RADIUS
    )
    cell = max(min(cell, fitted.smallest_detail_mm / CELLS_PER_DETAIL), fitted.radius_mm / MOST_CELLS_PER_RADIUS)
    origin, values = _sampled(fitted, mask, silent, cell)
    if not values.min() < 0.0 < values.max():
        raise NoFitError("the fitted function has no zero level between the cells' corners")
    vertices, triangles, _, _ = marching_cubes(values, 0.0, gradient_direction="ascent", allow_degenerate=False)
    start = origin + vertices.astype(np.float64) * cell
    points = start
    for _ in range(PROJECTION_ROUNDS):
        value, slope = fitted.value_and_gradient(points)
        step = value / np.maximum((slope**2).sum(axis=1), FLATTEST_SLOPE_SQUARED)
        points = points - np.clip(step, -LONGEST_STEP_CELLS * cell, LONGEST_STEP_CELLS * cell)[:, None] * slope
    points = _unfolded(start, points, triangles)
    surface = Surface(
        points,
        triangles.astype(np.int64),
        mask.grid.spacing_kji_mm,
        sd_of=FittedSd(fitted, points),
        even=True,
        off_side_lps_mm=fitted.off_side_mm,
    )
    return surface if surface.volume_ml >= 0 or not surface.is_closed else surface.flipped()


@dataclass(frozen=True, eq=False)
class FittedSd:
    """The standard deviations of vertices on a fitted surface."""

    fitted: Implicit
    points_mm: FloatArray

    def __call__(self, vertices: npt.NDArray[np.int64]) -> FloatArray:
        """Return those of some vertices, mm, shape (k,)."""
        return self.fitted.sd_mm(self.points_mm[vertices])


def _unfolded(start: FloatArray, projected: FloatArray, triangles: npt.NDArray[np.int32]) -> FloatArray:
    """Return the projected vertices, but where a triangle turned over, all of its own stay where they were meshed."""
    points = projected
    before = _normals(start, triangles)
    for _ in range(UNFOLDING_ROUNDS):
        turned = np.einsum("ij,ij->i", before, _normals(points, triangles)) <= 0.0
        if not turned.any():
            break
        points = points.copy()
        back = triangles[turned].ravel()
        points[back] = start[back]
    return points


def _normals(points: FloatArray, triangles: npt.NDArray[np.int32]) -> FloatArray:
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return np.asarray(np.cross(b - a, c - a))


def _sampled(fitted: Implicit, mask: Mask, silent: BoolVoxels | None, cell: float) -> tuple[FloatArray, FloatArray]:
    """Return the origin and the values of f on an LPS lattice (x, y, z) around the mask.

    Only near the surface are they exact; elsewhere just their sign matters. Away from label changes the label itself
    stands in, as f is only fitted there; where voxels are silent f alone says how the surface goes on.
    """
    corners = mask.grid.corners_lps_mm()
    origin = corners.min(axis=0) - cell
    counts = np.ceil((corners.max(axis=0) + cell - origin) / cell).astype(int) + 1
    if silent is not None:
        return origin, _refined(fitted, origin, counts, cell)
    nodes = np.rint((fitted.sites.points_mm[fitted.sites.beside] - origin) / cell).astype(int)
    far = np.ones(counts, dtype=bool)
    far[tuple(nodes.T)] = False
    gap = cell * ndimage.distance_transform_edt(far)
    inside = _labels(mask, origin, counts, cell)
    reach = SITE_REACH * float(np.linalg.norm(mask.grid.spacing_kji_mm))
    values = np.where(inside, cell, -cell)
    near = gap < reach + NODE_REACH * cell
    found = fitted.value(origin + cell * np.argwhere(near))
    stray = (gap[near] > reach + ROUNDED * cell) & ((found > 0) != inside[near])
    values[near] = np.where(stray, values[near], found)
    return origin, values


SITE_REACH = 0.75
"""The surface lies within this share of a voxel's diagonal of a centre beside a label change."""

NODE_REACH = 1.25
"""And the corners of the cells that it crosses within so many cells more."""


ROUNDED = 0.5 * float(np.sqrt(3.0))
"""Gaps are taken from the nodes nearest to centres: up to so many cells from them."""


def _labels(mask: Mask, origin: FloatArray, counts: npt.NDArray[np.int64], cell: float) -> BoolVoxels:
    """Return the label of the voxel around each node of an LPS lattice, shape (x, y, z); outside beyond the mask."""
    ijk_from_node = np.linalg.inv(mask.grid.lps_mm_from_ijk) @ np.block(
        [[cell * np.eye(3), origin[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]]
    )
    found = ndimage.affine_transform(
        mask.voxels_kji.transpose(2, 1, 0).astype(np.uint8), ijk_from_node, output_shape=tuple(counts), order=0
    )
    return np.asarray(found, dtype=bool)


COARSER = 3
COARSE_SHELL = 1.5
"""f is first sampled this many cells apart, then at every cell where it is below this many coarse steps."""


def _refined(fitted: Implicit, origin: FloatArray, counts: npt.NDArray[np.int64], cell: float) -> FloatArray:
    """Return f on a lattice, shape (x, y, z): exact near its zero level, elsewhere interpolated."""
    wide = -(-counts // COARSER) + 1
    coarse = fitted.value(_lattice(origin, wide, COARSER * cell)).reshape(wide)
    fine = ndimage.zoom(coarse, (COARSER * (wide - 1) + 1) / wide, order=1, grid_mode=False)
    values = fine[: counts[0], : counts[1], : counts[2]].ravel()
    near = np.abs(values) < COARSE_SHELL * COARSER * cell
    values[near] = fitted.value(_lattice(origin, counts, cell)[near])
    return np.asarray(values.reshape(counts))


def _lattice(origin: FloatArray, counts: npt.NDArray[np.int64], step: float) -> FloatArray:
    axes = [origin[a] + step * np.arange(counts[a]) for a in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
