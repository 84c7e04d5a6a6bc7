"""The part of a structure that lies nearest to a lesion, as a surface: vessels and organs are only needed there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.errors import EmptyMaskError
from planner.grid import FloatArray
from planner.surface import PointMap, Surface, nets_surface, patch_of
from planner.volume import BoolVoxels, Mask

IntArray = npt.NDArray[np.int64]
Depth = Callable[[FloatArray], FloatArray]

LOCAL_MM = 10.0
"""Half the side of the box around the nearest voxel that is turned into a surface."""

LOCAL_VOXELS = 5
"""The same in voxels, at least: a few thick slices say little about a slanted wall."""

FITTED_WITHIN_MM = 25.0
"""Nearer than this the surface is fitted; beyond, surface nets will do."""

CELL_MM = 6.0
"""A structure's border is first looked at in cells of this size, by one voxel of each."""

STRETCH = 1.25
"""A map of points may draw the voxels of a cell so much farther apart."""

CLOSE_MM = 10.0
"""Nearer than this, how deep something lies may decide which part of a structure counts."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A structure with its border voxels: those that have a neighbour, across a face, outside. Scans end without one.

    Parameters
    ----------
    mask
        The structure.
    """

    mask: Mask

    @cached_property
    def border_lps_mm(self) -> FloatArray:
        """Centres of the border voxels, shape (n, 3), cell by cell."""
        return self._cells[0]

    @property
    def is_empty(self) -> bool:
        """Whether there is no border: nothing is drawn, or everything is."""
        return not len(self.border_lps_mm)

    @cached_property
    def _cells(self) -> tuple[FloatArray, IntArray]:
        """Return the border voxels in the order of their cells, and where in it each cell begins."""
        centres = self.mask.grid.lps_mm(_border_kji(self.mask)[:, ::-1])
        if not len(centres):
            return centres, np.empty(0, dtype=np.int64)
        cell = np.floor((centres - centres.min(axis=0)) / CELL_MM).astype(np.int64)
        number = np.ravel_multi_index(tuple(cell.T), tuple(cell.max(axis=0) + 1))
        order = np.argsort(number, kind="stable")
        return centres[order], np.flatnonzero(np.diff(number[order], prepend=-1))

    def nearest_voxel(
        self, points_lps_mm: FloatArray, moved: PointMap, depth: Depth | None
    ) -> tuple[FloatArray, float]:
        """Return the border voxel nearest to some points, in its own frame, and how far, mm.

        `depth` tells how deep points lie in what is asked for (+ inside): of an overlap the deepest voxel is returned.
        """
        tree = cKDTree(points_lps_mm)

        def apart(points: FloatArray, reach: float = np.inf) -> FloatArray:
            gap = np.asarray(tree.query(points, distance_upper_bound=reach)[0])
            return -depth(points) if depth is not None and gap.min() < CLOSE_MM else gap

        border, starts = self._cells
        gaps = apart(moved(border[starts]))
        wanted = gaps <= gaps.min() + STRETCH * np.sqrt(3.0) * CELL_MM
        chosen = np.repeat(wanted, np.diff(starts, append=len(border)))
        gaps = apart(moved(border[chosen]))
        nearest = int(np.argmin(gaps))
        return border[chosen][nearest], float(gaps[nearest])


def beyond(solid: Mask) -> Outline:
    """Return what lies outside a solid structure, as far as its lattice goes, as a structure of its own.

    Raises
    ------
    EmptyMaskError
        The mask is empty.
    """
    first, last = solid.box_kji()
    low = [max(0, a - LOCAL_VOXELS) for a in first]
    high = [min(n, b + 1 + LOCAL_VOXELS) for b, n in zip(last, solid.grid.shape_kji, strict=True)]
    return Outline(_cut(solid, tuple(slice(a, b) for a, b in zip(low, high, strict=True)), outside=True))


def _border_kji(mask: Mask) -> IntArray:
    if mask.is_empty:
        return np.empty((0, 3), dtype=np.int64)
    first, last = mask.box_kji()
    low = [max(0, a - 1) for a in first]
    inside = mask.voxels_kji[tuple(slice(a, b + 2) for a, b in zip(low, last, strict=True))]
    return np.argwhere(_beside_outside(inside)) + low


def _beside_outside(inside: BoolVoxels) -> BoolVoxels:
    found = np.zeros_like(inside)
    for axis in range(3):
        ahead, behind = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        a, b = tuple(ahead), tuple(behind)
        found[a] |= ~inside[b]
        found[b] |= ~inside[a]
    return np.asarray(found & inside)


def nearest_part(
    structure: Mask | Outline, points_lps_mm: FloatArray, moved: PointMap, depth: Depth | None = None
) -> Surface:
    """Return the surface of a structure, moved, near the place where it comes closest to some points.

    Voxels beyond the box are left unlabelled, so that the surface goes on across its faces instead of closing there.

    Parameters
    ----------
    structure
        The structure.
    points_lps_mm
        Shape (n, 3), in the frame that the structure is moved into.
    moved
        Takes points (n, 3) of the structure's frame there. Which part is nearest is judged there, too.
    depth
        Tells how deep points of that frame lie in the body that the points are of (+ inside): where the two overlap,
        the part that lies deepest counts.

    Raises
    ------
    EmptyMaskError
        The structure has no border.
    """
    outline = structure if isinstance(structure, Outline) else Outline(structure)
    mask = outline.mask
    if outline.is_empty:
        raise EmptyMaskError(f"{mask.name}: no border was drawn, expected a structure that ends somewhere")
    nearest, apart_mm = outline.nearest_voxel(points_lps_mm, moved, depth)
    window = _box(mask, np.rint(mask.grid.ijk(nearest)[0][::-1]).astype(np.int64), LOCAL_MM)
    if apart_mm > FITTED_WITHIN_MM:
        return nets_surface(_cut(mask, window).cropped(2)).moved(moved)
    return _patch(mask, window).moved(moved)


def part_around(mask: Mask, at_lps_mm: FloatArray, half_mm: float) -> Surface:
    """Return the fitted surface of a structure, in its own frame, in a box around a place in or beside it.

    Parameters
    ----------
    mask
        The structure.
    at_lps_mm
        Shape (3,).
    half_mm
        Half the side of the box, at least.

    Raises
    ------
    EmptyMaskError
        The box holds nothing of the structure.
    """
    kji = np.rint(mask.grid.ijk(at_lps_mm)[0][::-1]).astype(np.int64)
    return _patch(mask, _box(mask, np.clip(kji, 0, np.asarray(mask.grid.shape_kji) - 1), half_mm))


def _patch(mask: Mask, window: tuple[slice, ...]) -> Surface:
    part = _cut(mask, window)
    part.require_some()
    return patch_of(part, Mask(np.zeros(part.grid.shape_kji, dtype=bool), part.grid, "beyond the box"))


def _cut(mask: Mask, window: tuple[slice, ...], *, outside: bool = False) -> Mask:
    cut = mask.voxels_kji[window]
    grid = mask.grid.cropped((window[0].start, window[1].start, window[2].start), cut.shape)
    return Mask(~cut if outside else cut, grid, mask.name)


def _box(mask: Mask, centre_kji: IntArray, half_mm: float) -> tuple[slice, ...]:
    reach = np.maximum(np.ceil(half_mm / np.asarray(mask.grid.spacing_kji_mm)).astype(int), LOCAL_VOXELS)
    return tuple(
        slice(max(0, int(c - r)), min(n, int(c + r + 1)))
        for c, r, n in zip(centre_kji, reach, mask.grid.shape_kji, strict=True)
    )
