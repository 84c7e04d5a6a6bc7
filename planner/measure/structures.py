"""The part of a structure that lies nearest to a lesion, as a surface: vessels and organs are only needed there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.surface import Surface, nets_surface, patch_of
from planner.volume import Mask

LOCAL_MM = 10.0
"""Half the side of the box around the nearest voxel that is turned into a surface."""

LOCAL_VOXELS = 5
"""The same in voxels, at least: a few thick slices say little about a slanted wall."""

FITTED_WITHIN_MM = 25.0
"""Nearer than this the surface is fitted; beyond, surface nets will do."""

MOST_CENTRES = 8_000


def nearest_part(mask: Mask, points_lps_mm: FloatArray, moved: Callable[[FloatArray], FloatArray]) -> Surface:
    """Return the surface of a structure, moved, near the place where it comes closest to some points.

    Voxels beyond the box are left unlabelled, so that the surface goes on across its faces instead of closing there.

    Parameters
    ----------
    mask
        The structure.
    points_lps_mm
        Shape (n, 3), in the frame that the structure is moved into.
    moved
        Takes points (n, 3) of the structure's frame there. Which part is nearest is judged there, too.

    Raises
    ------
    EmptyMaskError
        The structure's mask is empty.
    """
    mask.require_some()
    kji = np.argwhere(mask.voxels_kji)
    coarse = kji[:: max(1, len(kji) // MOST_CENTRES)]
    tree = cKDTree(points_lps_mm)
    start = coarse[int(np.argmin(tree.query(moved(mask.grid.lps_mm(coarse[:, ::-1])))[0]))]
    around = _box(mask, start, LOCAL_MM)
    centres = np.argwhere(mask.voxels_kji[around]) + [part.start for part in around]
    gaps = tree.query(moved(mask.grid.lps_mm(centres[:, ::-1])))[0]
    window = _box(mask, centres[int(np.argmin(gaps))], LOCAL_MM)
    if float(gaps.min()) > FITTED_WITHIN_MM:
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


def _cut(mask: Mask, window: tuple[slice, ...]) -> Mask:
    cut = mask.voxels_kji[window]
    return Mask(cut, mask.grid.cropped((window[0].start, window[1].start, window[2].start), cut.shape), mask.name)


def _box(mask: Mask, centre_kji: np.ndarray[tuple[int, ...], np.dtype[np.int64]], half_mm: float) -> tuple[slice, ...]:
    reach = np.maximum(np.ceil(half_mm / np.asarray(mask.grid.spacing_kji_mm)).astype(int), LOCAL_VOXELS)
    return tuple(
        slice(max(0, int(c - r)), min(n, int(c + r + 1)))
        for c, r, n in zip(centre_kji, reach, mask.grid.shape_kji, strict=True)
    )
