"""One displacement from two that were found apart: from POST onto PRE, and from PRE onto POST."""

from __future__ import annotations

import numpy as np

from planner.grid import FloatArray, Grid
from planner.register.alignment import Displacement
from planner.volume import BoolVoxels

ROUNDS = 8
"""The inverse of a displacement is sought in so many steps, each smaller by how much it stretches."""


def halfway(there: Displacement, back: Displacement) -> Displacement:
    """Return the mean of a displacement and of the inverse of another that was found the other way round.

    Which image is the fixed one is arbitrary, and each answer errs by itself: their mean errs less.

    Parameters
    ----------
    there
        Takes points of POST onto the rigidly moved PRE.
    back
        Takes points of that PRE onto POST.

    Returns
    -------
    Displacement
        On the lattice of `there`.
    """
    inverse = _inverse_mm(back, _points(there.grid)).reshape(there.vectors_mm.shape)
    return Displacement((0.5 * (there.vectors_mm + inverse)).astype(np.float32), there.grid)


def carried(region: BoolVoxels, grid: Grid, there: Displacement) -> BoolVoxels:
    """Return the region as it lies in the other image: what a displacement takes it to, on the same lattice.

    Parameters
    ----------
    region
        Shape (k, j, i), on `grid`.
    there
        Takes points of the region's image onto the other.
    """
    points = _points(grid)
    ijk = np.rint(grid.ijk(points + _inverse_mm(there, points))).astype(np.int64)
    within = ((ijk >= 0) & (ijk < np.asarray(grid.shape_kji[::-1]))).all(axis=1)
    found = np.zeros(len(points), dtype=bool)
    i, j, k = ijk[within].T
    found[within] = region[k, j, i]
    return found.reshape(grid.shape_kji)


def _points(grid: Grid) -> FloatArray:
    return grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T)


def _inverse_mm(displacement: Displacement, points_lps_mm: FloatArray) -> FloatArray:
    """Return what takes points back to where the displacement took them from, less the points, shape (n, 3)."""
    inverse = np.zeros_like(points_lps_mm)
    for _ in range(ROUNDS):
        inverse = -displacement.at(points_lps_mm + inverse)
    return inverse
