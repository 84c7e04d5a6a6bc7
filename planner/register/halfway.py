"""One displacement from two that were found apart: from POST onto PRE, and from PRE onto POST."""

from __future__ import annotations

import numpy as np

from planner.register.alignment import Displacement

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
    grid = there.grid
    points = grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T)
    inverse = np.zeros_like(points)
    for _ in range(ROUNDS):
        inverse = -back.at(points + inverse)
    mean = 0.5 * (there.vectors_mm + inverse.reshape(there.vectors_mm.shape))
    return Displacement(mean.astype(np.float32), grid)
