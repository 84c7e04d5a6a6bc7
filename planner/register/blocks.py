"""Block matching: how far small blocks of one image would rather lie in another, where both show structure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from planner.grid import FloatArray
from planner.register.compared import Compared, intensities
from planner.volume import BoolVoxels, FloatVoxels

BLOCK_MM = 8.0
SEARCH_MM = 10.0
"""Half sizes of a block, and of where its match is looked for."""

APART_MM = 10.0
MOST_BLOCKS = 150
"""Blocks are this far apart; of more than so many those with the most structure are taken."""

LEAST_CORRELATION = 0.5
LOST_MM = 15.0
"""A block that finds itself nowhere at least so well, or only at the border of its search, counts as so far off."""

FLAT = 1e-6


def block_residual_mm(
    fixed: FloatVoxels,
    moved: FloatVoxels,
    where: BoolVoxels,
    spacing_mm: float,
    compared: Compared = intensities,
) -> float:
    """Return the median distance of blocks of `fixed` from where `moved` matches them best, by local correlation, mm.

    Parameters
    ----------
    fixed, moved
        Shape (k, j, i): both images on one isotropic lattice.
    where
        Where blocks may be centred.
    spacing_mm
        Of the lattice.
    compared
        What of the images is compared; where there is structure is told by the intensities of `fixed`.

    Returns
    -------
    float
        `LOST_MM` where no block fits, or most find themselves nowhere.
    """
    ways = blocks_of(fixed, moved, where, spacing_mm, compared)[1]
    return float(np.median(ways)) if len(ways) else LOST_MM


def blocks_of(
    fixed: FloatVoxels,
    moved: FloatVoxels,
    where: BoolVoxels,
    spacing_mm: float,
    compared: Compared = intensities,
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Return blocks' centres (n, 3; k, j, i) and how far each lies from its best match, mm; `LOST_MM` without one.

    Parameters are those of `block_residual_mm`.
    """
    half, search = round(BLOCK_MM / spacing_mm), round(SEARCH_MM / spacing_mm)
    centres = _structured(fixed, where, half, search, spacing_mm)
    channels = tuple(zip(compared(fixed), compared(moved), strict=True))
    ways = [_way_mm(channels, at, half, search, spacing_mm) for at in centres]
    return centres, np.array([LOST_MM if way is None else way for way in ways])


def _structured(
    fixed: FloatVoxels, where: BoolVoxels, half: int, search: int, spacing_mm: float
) -> npt.NDArray[np.int64]:
    """Return the centres of blocks, shape (n, 3): spread over the region, those with the most structure first."""
    room = half + search
    stride = max(1, round(APART_MM / spacing_mm))
    inner = np.zeros_like(where)
    centre = tuple(slice(room, n - room, stride) for n in where.shape)
    inner[centre] = where[centre]
    at = np.argwhere(inner)
    if not len(at):
        return at
    size = 2 * half + 1
    mean = ndimage.uniform_filter(fixed, size)
    square = ndimage.uniform_filter(fixed * fixed, size)
    structure = (square - mean * mean)[tuple(at.T)]
    return at[np.argsort(-structure, kind="stable")[:MOST_BLOCKS]]


def _way_mm(
    channels: Sequence[tuple[FloatVoxels, FloatVoxels]],
    at: npt.NDArray[np.int64],
    half: int,
    search: int,
    spacing_mm: float,
) -> float | None:
    """Return how far a block's best match lies away; None where none is good, or the best lies at the border."""
    inner = tuple(slice(c - half, c + half + 1) for c in at)
    outer = tuple(slice(c - half - search, c + half + search + 1) for c in at)
    correlation = np.mean(
        [_correlations(fixed[inner].astype(np.float64), moved[outer].astype(np.float64)) for fixed, moved in channels],
        axis=0,
    )
    best = np.array(np.unravel_index(int(np.argmax(correlation)), correlation.shape))
    if correlation[tuple(best)] < LEAST_CORRELATION or (best == 0).any() or (best == 2 * search).any():
        return None
    peak = best + _beside_peak(correlation, best) - search
    return float(np.linalg.norm(peak) * spacing_mm)


def _correlations(block: FloatArray, around: FloatArray) -> FloatArray:
    """Return the correlation of a block with every block of its size inside a larger one."""
    windows = np.lib.stride_tricks.sliding_window_view(around, block.shape)
    shape = windows.shape[:3]
    flat = windows.reshape(-1, block.size)
    centred = (block - block.mean()).ravel()
    spread = flat.std(axis=1) * np.sqrt(block.size) * np.linalg.norm(centred)
    return np.asarray((flat @ centred / np.maximum(spread, FLAT)).reshape(shape))


def _beside_peak(correlation: FloatArray, best: npt.NDArray[np.int64]) -> FloatArray:
    """Return where the peak lies between lattice points, from parabolas along the three axes."""
    offset = np.zeros(3)
    for axis in range(3):
        before, after = best.copy(), best.copy()
        before[axis] -= 1
        after[axis] += 1
        low, top, high = (float(correlation[tuple(p)]) for p in (before, best, after))
        bend = low - 2.0 * top + high
        offset[axis] = 0.5 * (low - high) / bend if bend < 0.0 else 0.0
    return np.clip(offset, -0.5, 0.5)
