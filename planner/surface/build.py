"""The surface of a mask: an implicit fit for each part and hole, meshed and projected; surface nets where it fails."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, cKDTree

from planner.grid import FloatArray
from planner.surface.bases import Ellipsoid
from planner.surface.implicit import Implicit, NoFitError, fit
from planner.surface.joined import join
from planner.surface.mesh import Surface
from planner.surface.meshed import mesh_of
from planner.surface.nets import nets_surface
from planner.surface.parts import Part, parts_of
from planner.surface.sites import voxels_beside_change
from planner.volume import Mask

CHECKED_SITES = 1000
CHECK_TOLERANCE_VOXELS = 0.5
"""A mesh is held against this many centres; one this far on the wrong side counts as wrong."""

THIN_SITES = 30
THIN_INSIDE = 0.9
"""Of no more inside centres than the first, at least the second share has to lie inside the mesh."""

WRONG_SHARE_LIMIT = 0.005
"""A fit that leaves more centres on the wrong side is not used."""

LEAST_VOLUME = 0.5
"""Nor one whose surface holds less than this share of the voxels' volume, as of a line of voxels."""

LEAST_NETS_VOLUME = 0.8
"""Surface nets that hold less than this share of the voxels' volume (a plate, a line) are left unsmoothed."""

PAD_VOXELS = 3

STRAY_DIAGONALS = 1.0
"""A fit may have zeros where nothing was asked; so many voxel diagonals from where a label changes there is no wall."""


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
        the border of its lattice (it is closed there), "fallback" where the fit failed and surface nets stand in,
        "holes" where the mask has holes, whose walls are part of the surface.

    Raises
    ------
    EmptyMaskError
        No voxel is set.
    """
    return _joined(mask, unlabelled, LEAST_VOLUME)


def patch_of(mask: Mask, unlabelled: Mask) -> Surface:
    """Return the surface of what was cut out of a larger structure, open where it goes on beyond its lattice.

    Parameters and errors are those of `surface_of`. What an open surface encloses is no number to judge it by, and its
    sides are those of its normals.
    """
    found = _joined(mask, unlabelled, None)
    beside = voxels_beside_change(mask)[0]
    if not len(beside):
        return found
    reach = STRAY_DIAGONALS * float(np.linalg.norm(mask.grid.spacing_kji_mm))
    near = cKDTree(beside).query(found.vertices_lps_mm)[0] <= reach
    return found.within(near & mask.grid.contains(found.vertices_lps_mm))


def _joined(mask: Mask, unlabelled: Mask | None, least_share: float | None) -> Surface:
    """Return the surfaces of all parts; a fit that encloses less than a share of its part's voxels is not used."""
    box = mask.cropped(PAD_VOXELS)
    start = _start_kji(mask, box)
    silent = None if unlabelled is None else _on_grid(unlabelled, box)
    found = [_surface_of_part(part, silent, least_share) for part in parts_of(box)]
    whole = join([surface for surface in found if surface is not None])
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


def _surface_of_part(part: Part, unlabelled: Mask | None, least_share: float | None) -> Surface | None:
    """Return the surface of a part, that of a hole turned inside out; None for a hole about which nothing is known."""
    if not part.is_hole:
        return _solid(part.mask, unlabelled, least_share)
    voxels = part.mask.voxels_kji
    if unlabelled is not None:
        voxels = voxels & ~_on_grid(unlabelled, part.mask).voxels_kji
    if not voxels.any():
        return None
    found = _solid(Mask(voxels, part.mask.grid, part.mask.name), None, LEAST_VOLUME).flipped()
    return replace(found, flags=found.flags | {"holes"})


def _solid(mask: Mask, unlabelled: Mask | None, least_share: float | None) -> Surface:
    own = mask.cropped(PAD_VOXELS)
    silent = None if unlabelled is None else _on_grid(unlabelled, own).voxels_kji
    if silent is None:
        speck = _speck(own)
        if speck is not None:
            return speck
    try:
        fitted = fit(own, silent)
        if fitted.off_share <= WRONG_SHARE_LIMIT:
            surface = mesh_of(fitted, own, silent)
            if _large_enough(surface, own, least_share) and _agrees(surface, fitted):
                return surface
    except NoFitError:
        pass
    return _by_nets(own)


def _large_enough(surface: Surface, mask: Mask, least_share: float | None) -> bool:
    if least_share is None and not surface.is_closed:
        return True
    return surface.volume_ml >= (least_share or LEAST_VOLUME) * mask.volume_ml


def _by_nets(mask: Mask) -> Surface:
    nets = nets_surface(mask)
    if nets.volume_ml < LEAST_NETS_VOLUME * mask.volume_ml:
        nets = nets_surface(mask, smooth=False)
    points, inside = voxels_beside_change(mask)
    suspect = (nets.rise_mm(points) < 0.0) != inside
    wrong = points[suspect][nets.contains(points[suspect]) != inside[suspect]]
    return replace(nets, flags=frozenset({"fallback"}), off_side_lps_mm=wrong)


def _agrees(surface: Surface, fitted: Implicit) -> bool:
    """Return whether the mesh leaves the voxel centres beside it on their sides, by the planes of its vertices.

    On what is thin (a chain of voxels) planes mean little: most inside centres have to lie inside.
    """
    sites = fitted.sites
    every = max(1, int(sites.beside.sum()) // CHECKED_SITES)
    labels, points = sites.labels[sites.beside][::every], sites.points_mm[sites.beside][::every]
    inside = points[labels > 0]
    if len(inside) <= THIN_SITES and surface.contains(inside).mean() < THIN_INSIDE:
        return False
    wrong = labels * surface.rise_mm(points) > CHECK_TOLERANCE_VOXELS * fitted.finest_mm
    return float(wrong.mean()) <= WRONG_SHARE_LIMIT


SPECK_VOXELS = 6
SPECK_VERTICES = 200


def _speck(mask: Mask) -> Surface | None:
    """Return the ellipsoid of a few voxels, where it leaves all centres on their sides: a fit finds no more there."""
    if np.count_nonzero(mask.voxels_kji) > SPECK_VOXELS:
        return None
    ellipsoid = Ellipsoid.of(mask)
    points, inside = voxels_beside_change(mask)
    if ((ellipsoid.value_and_gradient(points)[0] > 0.0) != inside).any():
        return None
    directions, triangles = _sphere()
    vertices = ellipsoid.centre_mm + ellipsoid.radius_mm(ellipsoid.centre_mm + directions)[:, None] * directions
    return Surface(vertices, triangles, mask.grid.spacing_kji_mm)


@cache
def _sphere() -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return points spread evenly over the unit sphere (golden spiral), and the triangles of their hull, outward."""
    index = np.arange(SPECK_VERTICES) + 0.5
    height, turn = 1.0 - 2.0 * index / SPECK_VERTICES, np.pi * (3.0 - np.sqrt(5.0)) * index
    ring = np.sqrt(1.0 - height**2)
    points = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
    triangles = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0.0
    triangles[inward] = triangles[inward][:, ::-1]
    return points, triangles
