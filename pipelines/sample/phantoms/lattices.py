"""Bodies into masks: lattices of any axes, and which of their voxel centres lie inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.sample.phantoms.bodies import Body, BoolArray, FloatArray

EDGE_VOXELS = 4
BOX_SAMPLES = 2000

STRAIGHT = np.eye(3)
OBLIQUE = np.array([[0.80, -0.36, 0.48], [0.60, 0.48, -0.64], [0.00, 0.80, 0.60]])
"""A rotation about no axis of the patient."""

SHEARED = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, np.tan(np.deg2rad(15.0))], [0.0, 0.0, 1.0]])
"""Slices that a gantry tilted by 15 degrees shifts along y."""

GRIDS: dict[str, FloatArray] = {
    **{
        name: STRAIGHT * [float(part) for part in name.split("x")]
        for name in ("0.7x0.7x1", "0.8x0.8x3", "1.5x1.5x3", "0.75x0.75x5")
    },
    "oblique": OBLIQUE * [0.8, 0.8, 3.0],
    "sheared": SHEARED * [0.8, 0.8, 3.0],
}
"""Columns: the steps from voxel to voxel along i, j and k, mm."""


def lattice_over(
    points_mm: FloatArray, steps_mm: FloatArray, offset_voxels: FloatArray
) -> tuple[tuple[int, int, int], FloatArray]:
    """Return shape (k, j, i) and the 4 x 4 lps_mm_from_ijk of a lattice over some points, with a rim.

    Parameters
    ----------
    points_mm
        Shape (n, 3).
    steps_mm
        Columns are the steps along i, j and k.
    offset_voxels
        Shape (3,): which share of a voxel along i, j and k the lattice is shifted by.
    """
    ijk = points_mm @ np.linalg.inv(steps_mm).T
    low = np.floor(ijk.min(axis=0)) - EDGE_VOXELS + offset_voxels
    count = np.ceil(ijk.max(axis=0) - low).astype(int) + EDGE_VOXELS + 1
    affine = np.eye(4)
    affine[:3, :3] = steps_mm
    affine[:3, 3] = steps_mm @ low
    return (int(count[2]), int(count[1]), int(count[0])), affine


def mask_of(body: Body, shape_kji: tuple[int, int, int], lps_mm_from_ijk: FloatArray) -> BoolArray:
    """Return which voxel centres of a lattice lie inside a body, shape (k, j, i)."""
    kji = np.indices(shape_kji).reshape(3, -1)
    points = kji[::-1].T @ lps_mm_from_ijk[:3, :3].T + lps_mm_from_ijk[:3, 3]
    return body.inside(points).reshape(shape_kji)


def lattice_of(
    bodies: Sequence[Body], steps_mm: FloatArray, offset_voxels: FloatArray
) -> tuple[tuple[int, int, int], FloatArray]:
    """Return shape (k, j, i) and lps_mm_from_ijk of a lattice over some bodies, as `lattice_over` does."""
    return lattice_over(np.concatenate([b.samples(BOX_SAMPLES).points_mm for b in bodies]), steps_mm, offset_voxels)


def pair_of_masks(
    tumour: Body, zone: Body, steps_mm: FloatArray, offset_voxels: FloatArray
) -> tuple[BoolArray, BoolArray, FloatArray]:
    """Return the masks of two bodies on one lattice over both, and its lps_mm_from_ijk."""
    shape, affine = lattice_of((tumour, zone), steps_mm, offset_voxels)
    return mask_of(tumour, shape, affine), mask_of(zone, shape, affine), affine


def voxelised(
    inside: Callable[[FloatArray], BoolArray],
    half_mm: float,
    spacing_kji_mm: tuple[float, float, float],
    offset_voxels_kji: npt.ArrayLike,
) -> tuple[BoolArray, FloatArray]:
    """Return the mask (k, j, i) of the voxel centres inside a body, and the lattice's 4 x 4 lps_mm_from_ijk.

    The lattice spans at least +-`half_mm` about the origin and is shifted by a share of a voxel along each axis.
    """
    spacing = np.asarray(spacing_kji_mm)
    shifts = np.asarray(offset_voxels_kji, dtype=np.float64)
    halves = np.ceil(half_mm / spacing).astype(int) + 1
    axes = [(np.arange(-n, n + 1) + shift) * s for n, shift, s in zip(halves, shifts, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = [axes[2][0], axes[1][0], axes[0][0]]
    return inside(points).reshape(z.shape), affine
