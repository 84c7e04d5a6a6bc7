"""Volumes of the liver: the whole of it, what is left without tumours, and what of that some zones hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from planner.measure.zone import Zone
from planner.surface import Surface
from planner.surface.parts import FACES, TOUCHING, filled_holes
from planner.volume import BoolVoxels, Mask

CHANNEL_MM = 8.0
"""Half the width of a channel through the liver that a vessel's mask fills."""

COARSE_MM = 2.0
"""How fine it is looked at which voxels of vessels lie in such channels."""

SAMPLES = 40_000
"""Points of the box around some zones by which their part in the liver is counted."""

Window = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class WholeLiver:
    """The whole liver of a study, and what of it is no tumour.

    Parameters
    ----------
    closed
        The liver mask with every tumour that meets it, what they enclose, and the vessels in channels through it.
    functioning
        The same without the tumours, on the same lattice.
    """

    closed: Mask
    functioning: Mask

    @property
    def liver_ml(self) -> float:
        """Volume of the whole liver, ml."""
        return self.closed.volume_ml

    @property
    def functioning_ml(self) -> float:
        """Volume of the liver without its tumours, ml."""
        return self.functioning.volume_ml

    def held_ml(self, zone: Zone) -> float:
        """Return how much of the functioning liver lies in a union of zones (in the liver's frame), ml.

        The zones' volume times the share of regular samples in them whose voxel is functioning liver: what of a zone
        lies in a tumour or beyond the liver counts for nothing.
        """
        points = zone.samples_lps_mm(SAMPLES)
        if not len(points):
            return 0.0
        grid = self.functioning.grid
        ijk = np.rint(grid.ijk(points)).astype(np.int64)
        within = ((ijk >= 0) & (ijk < np.asarray(grid.shape_kji[::-1]))).all(axis=1)
        i, j, k = ijk[within].T
        return zone.volume_ml * float(np.count_nonzero(self.functioning.voxels_kji[k, j, i])) / len(points)


def whole_liver(liver: Mask, tumours: Sequence[tuple[Mask, Surface]], vessels: Sequence[Mask]) -> WholeLiver:
    """Return the whole liver of a study.

    Parameters
    ----------
    liver
        The liver mask; automatic ones leave out tumours and vessels.
    tumours
        Masks of the same study with their surfaces; one that does not meet the liver mask is no part of it.
    vessels
        Masks of vessels; those on the liver mask's lattice are looked at.

    Raises
    ------
    EmptyMaskError
        The liver mask is empty.
    """
    window = _window(liver, tumours)
    grid = liver.grid.cropped((window[0].start, window[1].start, window[2].start), _size(window))
    voxels = np.array(liver.voxels_kji[window])
    none = np.zeros(voxels.shape, dtype=bool)
    found = [_voxels_of(mask, surface, liver, window) for mask, surface in tumours]
    inside = np.any([part for part in found if _meets(part, voxels)] or [none], axis=0)
    voxels |= inside
    own = [vessel.voxels_kji[window] for vessel in vessels if vessel.grid.same_lattice(liver.grid)]
    extra = np.any(own or [none], axis=0) & ~voxels
    if extra.any():
        voxels |= extra & _reached_by_closing(voxels, grid.spacing_kji_mm)
    closed = filled_holes(voxels, FACES)
    return WholeLiver(Mask(closed, grid, "whole liver"), Mask(closed & ~inside, grid, "functioning liver"))


def _window(liver: Mask, tumours: Sequence[tuple[Mask, Surface]]) -> Window:
    """Return the part of the liver mask's lattice that holds the liver and the tumours, as far as it reaches."""
    first, last = liver.box_kji()
    low, high = np.asarray(first), np.asarray(last)
    for _, surface in tumours:
        kji = liver.grid.ijk(surface.vertices_lps_mm)[:, ::-1]
        low = np.minimum(low, np.floor(kji.min(axis=0)).astype(int))
        high = np.maximum(high, np.ceil(kji.max(axis=0)).astype(int))
    low, high = np.maximum(low, 0), np.minimum(high, np.asarray(liver.grid.shape_kji) - 1)
    return slice(int(low[0]), int(high[0]) + 1), slice(int(low[1]), int(high[1]) + 1), slice(
        int(low[2]), int(high[2]) + 1
    )  # fmt: skip


def _size(window: Window) -> tuple[int, int, int]:
    k, j, i = (part.stop - part.start for part in window)
    return k, j, i


def _voxels_of(mask: Mask, surface: Surface, liver: Mask, window: Window) -> BoolVoxels:
    """Return a tumour's voxels in a part of the liver mask's lattice: its own, else centres within its surface."""
    if mask.grid.same_lattice(liver.grid):
        return np.asarray(mask.voxels_kji[window])
    found = np.zeros(_size(window), dtype=bool)
    start = np.array([part.start for part in window])
    kji = liver.grid.ijk(surface.vertices_lps_mm)[:, ::-1] - start
    low = np.clip(np.floor(kji.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1, found.shape)
    if (high <= low).any():
        return found
    box = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    inside = surface.contains(liver.grid.lps_mm((box.reshape(-1, 3) + start)[:, ::-1]))
    found[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = inside.reshape(box.shape[:3])
    return found


def _meets(tumour: BoolVoxels, liver: BoolVoxels) -> bool:
    """Return whether a tumour overlaps or touches the liver mask."""
    places = ndimage.find_objects(tumour.astype(np.int8))
    if not places:
        return False
    box = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in places[0])
    return bool((ndimage.binary_dilation(tumour[box], TOUCHING) & liver[box]).any())


def _reached_by_closing(liver: BoolVoxels, spacing_kji_mm: tuple[float, float, float]) -> npt.NDArray[np.bool_]:
    """Return the voxels that closing the liver by 8 mm reaches, seen on about 2 mm."""
    step = [max(1, round(COARSE_MM / mm)) for mm in spacing_kji_mm]
    spacing = [mm * n for mm, n in zip(spacing_kji_mm, step, strict=True)]
    pad = [int(np.ceil(CHANNEL_MM / mm)) + 1 for mm in spacing]
    coarse = np.pad(liver[:: step[0], :: step[1], :: step[2]], [(n, n) for n in pad])
    if not coarse.any():
        return np.zeros(liver.shape, dtype=bool)
    grown = ndimage.distance_transform_edt(~coarse, sampling=spacing) <= CHANNEL_MM
    closed = ndimage.distance_transform_edt(grown, sampling=spacing) > CHANNEL_MM
    inner = closed[tuple(slice(n, -n) for n in pad)]
    fine = inner
    for axis, n in enumerate(step):
        fine = np.repeat(fine, n, axis=axis)
    return np.asarray(fine[: liver.shape[0], : liver.shape[1], : liver.shape[2]])
