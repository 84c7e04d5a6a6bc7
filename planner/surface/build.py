"""The surface of a mask: an implicit fit for each connected part, meshed and projected; surface nets where it fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import marching_cubes

from planner.grid import FloatArray
from planner.surface.implicit import Implicit, fit, label_voxels
from planner.surface.mesh import Surface, join
from planner.surface.nets import nets_surface
from planner.surface.sites import voxels_beside_change
from planner.volume import BoolVoxels, Mask

CELLS_PER_RADIUS = 8.0
CELL_RANGE_MM = (0.35, 2.0)
CELLS_PER_DETAIL = 4.5
MOST_CELLS_PER_RADIUS = 40.0
"""Size of the cells that the fitted function is meshed with."""

PROJECTION_ROUNDS = 2
UNFOLDING_ROUNDS = 10
CHECKED_SITES = 1000
CHECK_TOLERANCE_VOXELS = 0.5
"""A mesh is held against this many centres; one this far on the wrong side counts as wrong."""

WRONG_SHARE_LIMIT = 0.005
"""A fit that leaves more centres on the wrong side is not used."""

PAD_VOXELS = 3


def surface_of(mask: Mask, unlabelled: Mask | None = None) -> Surface:
    """Return the closed sub-voxel surface of a mask, built on the mask's own lattice.

    Parameters
    ----------
    mask
        Any number of parts; each is fitted by itself.
    unlabelled
        On the same lattice: voxels outside `mask` that say nothing about where it ends.

    Returns
    -------
    Surface
        With the standard deviation that sampling leaves at each vertex. Flagged "truncated" where the mask reaches
        the border of its lattice (it is closed there), "fallback" where the fit failed and surface nets stand in.

    Raises
    ------
    EmptyMaskError
        No voxel is set.
    """
    box = mask.cropped(PAD_VOXELS)
    start = _start_kji(mask, box)
    silent = None if unlabelled is None else _on_grid(unlabelled, box)
    labels = label_voxels(box)
    parts = [_part(Mask(labels == n, box.grid, mask.name), silent) for n in range(1, int(labels.max()) + 1)]
    whole = join(parts)
    at_edge = ((start <= -PAD_VOXELS) | (start + box.grid.shape_kji >= np.add(mask.grid.shape_kji, PAD_VOXELS))).any()
    flags = whole.flags | ({"truncated"} if at_edge else set())
    spacing = mask.grid.spacing_kji_mm
    directions = mask.grid.lps_mm_from_ijk[:3, :3].T[::-1] / np.asarray(spacing)[:, None]
    return replace(whole, flags=frozenset(flags), voxel_kji_mm=spacing, voxel_directions=directions)


def _start_kji(mask: Mask, box: Mask) -> npt.NDArray[np.int64]:
    """Return where on the mask's lattice the first voxel of `box` lies, a crop of it."""
    return np.asarray(np.rint(mask.grid.ijk(box.grid.lps_mm((0, 0, 0)))[0]).astype(np.int64)[::-1])


def _on_grid(mask: Mask, box: Mask) -> Mask:
    """Return `mask` cut to the lattice of `box`, a crop of the same lattice; silent beyond the border."""
    start = _start_kji(mask, box)
    voxels = np.ones(box.grid.shape_kji, dtype=bool)
    source, target = [], []
    for first, size, available in zip(start, box.grid.shape_kji, mask.grid.shape_kji, strict=True):
        low, high = max(0, first), min(available, first + size)
        source.append(slice(low, high))
        target.append(slice(low - first, high - first))
    voxels[tuple(target)] = mask.voxels_kji[tuple(source)]
    return Mask(voxels, box.grid, mask.name)


def _part(mask: Mask, unlabelled: Mask | None) -> Surface:
    own = mask.cropped(PAD_VOXELS)
    silent = None if unlabelled is None else _on_grid(unlabelled, own).voxels_kji
    try:
        fitted = fit(own, silent)
        if fitted.off_share <= WRONG_SHARE_LIMIT:
            surface = _mesh(fitted, own, silent)
            if _agrees(surface, fitted):
                return surface
    except np.linalg.LinAlgError:
        pass
    nets = nets_surface(own)
    points, inside = voxels_beside_change(own)
    suspect = (nets.rise_mm(points) < 0.0) != inside
    wrong = points[suspect][nets.contains(points[suspect]) != inside[suspect]]
    return replace(nets, flags=frozenset({"fallback"}), off_side_lps_mm=wrong)


def _mesh(fitted: Implicit, mask: Mask, silent: BoolVoxels | None) -> Surface:
    # A body smaller than the finest cell (one voxel of 0.5 mm) would slip between the corners.
    cell = min(float(np.clip(fitted.radius_mm / CELLS_PER_RADIUS, *CELL_RANGE_MM)), 0.4 * fitted.radius_mm)
    cell = max(min(cell, fitted.smallest_detail_mm / CELLS_PER_DETAIL), fitted.radius_mm / MOST_CELLS_PER_RADIUS)
    origin, values = _sampled(fitted, mask, silent, cell)
    vertices, triangles, _, _ = marching_cubes(values, 0.0, gradient_direction="ascent", allow_degenerate=False)
    start = origin + vertices.astype(np.float64) * cell
    points = start
    for _ in range(PROJECTION_ROUNDS):
        value, slope = fitted.value_and_gradient(points)
        step = value / np.maximum((slope**2).sum(axis=1), 0.05)
        points = points - np.clip(step, -0.5 * cell, 0.5 * cell)[:, None] * slope
    points = _unfolded(start, points, triangles)
    surface = Surface(
        points,
        triangles.astype(np.int64),
        mask.grid.spacing_kji_mm,
        sd_of=FittedSd(fitted, points),
        even=True,
        off_side_lps_mm=fitted.off_side_mm,
    )
    return surface if surface.volume_ml >= 0 else surface.flipped()


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


def _agrees(surface: Surface, fitted: Implicit) -> bool:
    """Return whether the mesh leaves the voxel centres beside it on their sides, by the planes of its vertices."""
    sites = fitted.sites
    every = max(1, int(sites.beside.sum()) // CHECKED_SITES)
    labels, points = sites.labels[sites.beside][::every], sites.points_mm[sites.beside][::every]
    wrong = labels * surface.rise_mm(points) > CHECK_TOLERANCE_VOXELS * fitted.finest_mm
    return float(wrong.mean()) <= WRONG_SHARE_LIMIT


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
    stray = (gap[near] > reach) & ((found > 0) != inside[near])
    values[near] = np.where(stray, values[near], found)
    return origin, values


SITE_REACH = 0.75
"""The surface lies within this share of a voxel's diagonal of a centre beside a label change."""

NODE_REACH = 1.25
"""And the corners of the cells that it crosses within so many cells more."""


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
