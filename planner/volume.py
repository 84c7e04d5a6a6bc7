"""Read-only voxels on a lattice: images and masks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from planner.errors import EmptyMaskError, InputError
from planner.grid import FloatArray, Grid

FloatVoxels = npt.NDArray[np.float32]
BoolVoxels = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Image voxels, axes k, j, i, on a lattice. CT values are Hounsfield units."""

    voxels_kji: FloatVoxels
    grid: Grid
    modality: str = ""

    def __post_init__(self) -> None:
        """Check the shape and keep the voxels read-only, float32: a copy, unless nobody else can write to them."""
        voxels = self.voxels_kji
        if not _is_settled(voxels):
            voxels = np.array(voxels, dtype=np.float32, order="C")
        _require_shape(voxels.shape, self.grid, "image")
        voxels.setflags(write=False)
        object.__setattr__(self, "voxels_kji", voxels)


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Voxels that belong to a structure, axes k, j, i, on a lattice: true where the voxel's centre is inside."""

    voxels_kji: BoolVoxels
    grid: Grid
    name: str = "mask"

    def __post_init__(self) -> None:
        """Check shape and values and keep the voxels read-only, boolean."""
        source = np.asarray(self.voxels_kji)
        _require_shape(source.shape, self.grid, self.name)
        voxels = np.array(source if source.dtype == bool else _two_valued(source, self.name), dtype=bool, order="C")
        voxels.setflags(write=False)
        object.__setattr__(self, "voxels_kji", voxels)

    @property
    def is_empty(self) -> bool:
        """Whether no voxel belongs to the structure."""
        return not self.voxels_kji.any()

    @property
    def volume_ml(self) -> float:
        """Volume by voxel count, ml."""
        return float(np.count_nonzero(self.voxels_kji)) * self.grid.voxel_mm3 / 1000.0

    def require_some(self) -> None:
        """Raise if the mask is empty.

        Raises
        ------
        EmptyMaskError
            No voxel is set.
        """
        if self.is_empty:
            raise EmptyMaskError(f"{self.name}: the mask is empty, expected at least one voxel")

    def box_kji(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return first and last index, inclusive, of the set voxels along k, j, i.

        Raises
        ------
        EmptyMaskError
            No voxel is set.
        """
        slices = np.flatnonzero(np.any(self.voxels_kji, axis=(1, 2)))
        if not len(slices):
            self.require_some()
        k = int(slices[0]), int(slices[-1])
        shadow = np.any(self.voxels_kji[k[0] : k[1] + 1], axis=0)
        j, i = np.flatnonzero(shadow.any(axis=1)), np.flatnonzero(shadow.any(axis=0))
        return (k[0], int(j[0]), int(i[0])), (k[1], int(j[-1]), int(i[-1]))

    def box_corners_lps_mm(self) -> FloatArray:
        """Return the centres of the voxels at the eight corners of the box that holds the mask, shape (8, 3).

        Raises
        ------
        EmptyMaskError
            No voxel is set.
        """
        first, last = self.box_kji()
        return self.grid.lps_mm([kji[::-1] for kji in product(*zip(first, last, strict=True))])

    def touches_edge(self) -> bool:
        """Return whether a set voxel lies on the border of the lattice, so that the structure may go on outside."""
        if self.is_empty:
            return False
        first, last = self.box_kji()
        return any(a == 0 or b == n - 1 for a, b, n in zip(first, last, self.grid.shape_kji, strict=True))

    def cropped(self, pad_voxels: int = 0) -> Mask:
        """Return the mask on its bounding box grown by `pad_voxels` on each side, beyond the lattice where needed."""
        first, last = self.box_kji()
        start = tuple(a - pad_voxels for a in first)
        shape = tuple(b - a + 1 + 2 * pad_voxels for a, b in zip(first, last, strict=True))
        inner = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
        voxels = np.zeros(shape, dtype=bool)
        voxels[tuple(slice(pad_voxels, n - pad_voxels) for n in shape)] = self.voxels_kji[inner]
        grid = self.grid.cropped((start[0], start[1], start[2]), (shape[0], shape[1], shape[2]))
        return Mask(voxels, grid, self.name)

    def centres_lps_mm(self) -> FloatArray:
        """Return the centres of the set voxels, shape (n, 3)."""
        kji = np.argwhere(self.voxels_kji)
        return self.grid.lps_mm(kji[:, ::-1]) if len(kji) else np.empty((0, 3))


def _is_settled(voxels: FloatVoxels) -> bool:
    """Return whether an array is float32, contiguous, and owned by itself alone and read-only."""
    is_float = isinstance(voxels, np.ndarray) and voxels.dtype == np.float32
    return is_float and voxels.flags.c_contiguous and voxels.flags.owndata and not voxels.flags.writeable


def _require_shape(shape: tuple[int, ...], grid: Grid, name: str) -> None:
    if shape != grid.shape_kji:
        raise InputError(f"{name}: voxels of shape {shape} on a lattice of {grid.shape_kji}", code="bad-shape")


def _two_valued(values: npt.NDArray[np.generic], name: str) -> BoolVoxels:
    """Return the mask of an array that holds zeros and one other value only."""
    if not np.isfinite(values.astype(np.float64, copy=False)).all():
        raise InputError(f"{name}: the mask holds NaN or infinity, expected two values", code="bad-mask")
    inside = values != 0
    kinds = np.unique(values[inside])
    if kinds.size > 1:
        raise InputError(
            f"{name}: expected a mask of two values, found {np.unique(values).size} (from {values.min()} to"
            f" {values.max()});"
            " name one of them in the case file if this is a label map",
            code="not-binary",
        )
    return np.asarray(inside)
