"""What a fit is told: voxel centres with their labels, and where the labels change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.volume import BoolVoxels, Mask

GUARD_STRIDE = 0.35
"""Far centres, this share of the radius apart, keep f on the right side away from the surface."""

PLACE_DECIMALS = 4
ENOUGH_TO_SPREAD = 3000
"""Points are spread among this many at most."""


@dataclass(frozen=True, eq=False)
class Changes:
    """Where neighbouring voxels differ in label.

    Parameters
    ----------
    midpoints_mm, steps_mm
        Shape (n, 3) each: halfway between the two centres, and from the one to the other.
    """

    midpoints_mm: FloatArray
    steps_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Sites:
    """Voxel centres with their labels (+1 inside, -1 outside), and which of them lie beside a label change."""

    points_mm: FloatArray
    labels: FloatArray
    beside: npt.NDArray[np.bool_]


def sites_of(mask: Mask, unlabelled: BoolVoxels | None, radius: float) -> tuple[Changes, Sites]:
    """Return the label changes, and the labelled centres beside a change with some far ones."""
    inside = mask.voxels_kji
    known = np.ones_like(inside) if unlabelled is None else ~(unlabelled & ~inside)
    beside = known & _beside_change(inside)
    midpoints, steps = [], []
    for axis in range(3):
        lower, upper = _halves(axis)
        change = (inside[lower] != inside[upper]) & known[lower] & known[upper]
        kji = np.argwhere(change).astype(np.float64)
        kji[:, axis] += 0.5
        midpoints.append(kji)
        steps.append(np.broadcast_to(mask.grid.lps_mm_from_ijk[:3, 2 - axis], kji.shape))
    guard = known & _far_apart(inside.shape, [GUARD_STRIDE * radius / s for s in mask.grid.spacing_kji_mm])
    chosen = np.argwhere(beside | guard)
    points = mask.grid.lps_mm(chosen[:, ::-1])
    order = _by_place(points)
    chosen, points = chosen[order], points[order]
    labels = np.where(inside[tuple(chosen.T)], 1.0, -1.0)
    middles = mask.grid.lps_mm(np.concatenate(midpoints)[:, ::-1])
    by_place = _by_place(middles)
    changes = Changes(middles[by_place], np.concatenate(steps)[by_place])
    return changes, Sites(points, labels, beside[tuple(chosen.T)])


def _far_apart(shape: tuple[int, ...], strides: Sequence[float]) -> BoolVoxels:
    """Return voxels so many apart along each axis (at least 2), as far from the one end of the lattice as the other."""
    found = np.zeros(shape, dtype=bool)
    steps = [max(2, round(stride)) for stride in strides]
    found[tuple(slice((n - 1) % step // 2, None, step) for n, step in zip(shape, steps, strict=True))] = True
    return found


def _by_place(points_mm: FloatArray) -> npt.NDArray[np.int64]:
    """Return the order of points by where they lie in the patient: the same however a volume's axes are stored."""
    return np.asarray(np.lexsort(np.round(points_mm, PLACE_DECIMALS).T), dtype=np.int64)


def voxels_beside_change(mask: Mask) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return the centres, LPS mm, of the voxels beside a change of label, and which of them are inside."""
    kji = np.argwhere(_beside_change(mask.voxels_kji))
    return mask.grid.lps_mm(kji[:, ::-1]), mask.voxels_kji[tuple(kji.T)]


def _beside_change(inside: BoolVoxels) -> BoolVoxels:
    """Return the voxels with a neighbour, across a face, of the other label."""
    found = np.zeros_like(inside)
    for axis in range(3):
        lower, upper = _halves(axis)
        change = inside[lower] != inside[upper]
        found[lower] |= change
        found[upper] |= change
    return found


def _halves(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return slices that pair each voxel with the next one along an axis."""
    lower, upper = [slice(None)] * 3, [slice(None)] * 3
    lower[axis], upper[axis] = slice(None, -1), slice(1, None)
    return tuple(lower), tuple(upper)


def spread(points: FloatArray, count: int) -> FloatArray:
    """Return `count` of the points, far from one another."""
    return points[spread_indices(points, count)]


def spread_indices(points: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Return the indices of `count` of the points, far from one another (farthest-point sampling from the first)."""
    every = max(1, len(points) // ENOUGH_TO_SPREAD)
    points = points[::every]
    chosen = [0]
    gap = _squared_mm2(points - points[0])
    while len(chosen) < min(count, len(points)):
        farthest = int(np.argmax(gap))
        if gap[farthest] == 0.0:
            break
        chosen.append(farthest)
        gap = np.minimum(gap, _squared_mm2(points - points[farthest]))
    return every * np.asarray(chosen, dtype=np.int64)


def _squared_mm2(offsets: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij->i", offsets, offsets))
