"""The part of both studies that a report carries: an axis-aligned lattice of POST, and what lies on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from planner.grid import FloatArray, Grid
from planner.volume import Mask, Volume

PointMap = Callable[[FloatArray], FloatArray]

AROUND_MM = 25.0
SIDES_MM = (60.0, 128.0)
"""A region's side is at least and at most this."""

FINEST_MM = 1.0
MOST_ACROSS = 97
"""Voxels along a side of one lesion's region."""

LESIONS_IN_FULL = 4
"""With more lesions than this, each region is coarser, so that all together take no more than these."""

MOST_VOXELS = 10_000_000
"""Voxels of a whole field of view."""

OUTSIDE = -32768
"""Stored where a study's image does not reach."""

LARGEST_STORED = 32000

SAMPLED_MM = 3.0
"""Distance between the points that a mean is taken of."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """An image on a region's lattice as whole numbers: value = `slope` * number + `offset`; `OUTSIDE` where none is.

    Axes k, j, i of `numbers_kji`; values are Hounsfield units for CT.
    """

    numbers_kji: npt.NDArray[np.int16]
    slope: float
    offset: float

    @property
    def reaches_not(self) -> bool:
        """Whether part of the region lies outside the image."""
        return bool((self.numbers_kji == OUTSIDE).any())


def region_around(points_lps_mm: FloatArray, at_lps_mm: FloatArray, lesions: int) -> Grid:
    """Return a cube of voxels around points of POST, with a voxel's centre exactly on one of them.

    Parameters
    ----------
    points_lps_mm
        Tumour and zones, shape (n, 3), LPS, mm: 25 mm around them are shown where the largest side allows.
    at_lps_mm
        The point that a voxel's centre lies on: the thin spot, else the tumour's centre.
    lesions
        How many such regions the report holds.
    """
    low, high = points_lps_mm.min(axis=0), points_lps_mm.max(axis=0)
    side = float(np.clip((high - low).max() + 2.0 * AROUND_MM, *SIDES_MM))
    across = int(MOST_ACROSS * min(1.0, LESIONS_IN_FULL / lesions) ** (1.0 / 3.0))
    step = max(FINEST_MM, side / (across - 1))
    count = round(side / step) + 1
    first = np.round(((low + high) / 2.0 - side / 2.0 - at_lps_mm) / step)
    # The point itself stays in the region, whatever its tumour's size.
    first = np.clip(first, 1 - count, 0)
    return Grid.axis_aligned((count, count, count), (step, step, step), at_lps_mm + first * step)


def region_of_all(grid: Grid, at_lps_mm: FloatArray) -> Grid:
    """Return an axis-aligned lattice over a whole scan, with a voxel's centre exactly on a point of it."""
    corners = grid.corners_lps_mm()
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = max(FINEST_MM, float(np.prod(high - low) / MOST_VOXELS) ** (1.0 / 3.0))
    first = np.ceil((low - at_lps_mm) / step)
    i, j, k = (np.floor((high - at_lps_mm) / step) - first + 1).astype(int).tolist()
    return Grid.axis_aligned((max(k, 1), max(j, 1), max(i, 1)), (step, step, step), at_lps_mm + first * step)


def values_in(image: Volume, mask: Mask, region: Grid) -> FloatArray:
    """Return what an image holds at points of a region, about 3 mm apart, that lie in a mask."""
    every = [np.arange(0, n, max(1, round(SAMPLED_MM / region.spacing_kji_mm[0]))) for n in region.shape_kji]
    k, j, i = np.meshgrid(*every, indexing="ij")
    points = region.lps_mm(np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1))
    inside = ndimage.map_coordinates(mask.voxels_kji.view(np.uint8), mask.grid.ijk(points)[:, ::-1].T, order=0)
    kji = image.grid.ijk(points[inside > 0])[:, ::-1].T
    values = ndimage.map_coordinates(image.voxels_kji, kji, order=1, cval=np.nan, output=np.float64)
    return np.asarray(values[np.isfinite(values)])


def stored(image: Volume, region: Grid, image_from_region: PointMap | None = None) -> Stored:
    """Return an image on a region's lattice, by linear interpolation, through a map of points if one is given."""
    slope, offset = _scale(image)
    slabs = [_slab(image, region, k, image_from_region, slope, offset) for k in range(region.shape_kji[0])]
    return Stored(np.stack(slabs), slope, offset)


def _slab(
    image: Volume, region: Grid, k: int, image_from_region: PointMap | None, slope: float, offset: float
) -> npt.NDArray[np.int16]:
    """Return one slice of the region: a whole field of view at once would take gigabytes of points."""
    _, rows, columns = region.shape_kji
    j, i = np.mgrid[:rows, :columns]
    points = region.lps_mm(np.stack([i.ravel(), j.ravel(), np.full(i.size, k)], axis=1))
    there = points if image_from_region is None else image_from_region(points)
    kji = image.grid.ijk(there)[:, ::-1].T
    values = ndimage.map_coordinates(image.voxels_kji, kji, order=1, mode="constant", cval=np.nan, output=np.float64)
    numbers = np.clip(np.rint((values - offset) / slope), -LARGEST_STORED, LARGEST_STORED)
    return np.where(np.isfinite(values), numbers, OUTSIDE).astype(np.int16).reshape(rows, columns)


def _scale(image: Volume) -> tuple[float, float]:
    """Return slope and offset of the stored numbers: 1 and 0 wherever whole numbers tell the image apart."""
    low, high = float(image.voxels_kji.min()), float(image.voxels_kji.max())
    if image.modality in {"", "CT"} or (high - low > 200.0 and max(-low, high) <= LARGEST_STORED):
        return 1.0, 0.0
    return max((high - low) / (2.0 * LARGEST_STORED), 1e-9), (low + high) / 2.0
