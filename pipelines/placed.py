"""What is kept of a mask that lies in its image's space, and what a reader should know of it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from planner.errors import InputError
from planner.grid import Grid
from planner.volume import Mask

MOST_POINTS = 100_000
"""A mask's overlap with the image is judged on about this many of its voxels."""

CROP_PAD_VOXELS = 2
"""Voxels kept around a cropped structure."""


def outside_note(role: str, mask: Mask, image: Grid) -> tuple[str, ...]:
    """Return a note on the share of a mask that lies outside the image, if any.

    Raises
    ------
    InputError
        All of it does.
    """
    hits = np.flatnonzero(mask.voxels_kji)
    hits = hits[:: max(1, len(hits) // MOST_POINTS)]
    kji = np.stack(np.unravel_index(hits, mask.grid.shape_kji), axis=1)
    inside = float(image.contains(mask.grid.lps_mm(kji[:, ::-1])).mean())
    if inside == 0:
        raise InputError(f"{role}: no voxel of the mask lies in the image", code="no-shared-space")
    return (f"{100 * (1 - inside):.1f} % of {role} lies outside the image",) if inside < 1 else ()


def parts_note(role: str, mask: Mask) -> tuple[str, ...]:
    """Return a note on the separate parts of a mask, if there are several."""
    _, count = ndimage.label(mask.cropped().voxels_kji, structure=np.ones((3, 3, 3)))
    return (f"{role} has {count} separate parts, kept as one",) if count > 1 else ()


def cropped(mask: Mask) -> Mask:
    """Return the mask on the part of its lattice that holds it: an edge of that part that it touches is a true edge."""
    first, last = mask.box_kji()
    start = [max(0, a - CROP_PAD_VOXELS) for a in first]
    stop = [min(n, b + 1 + CROP_PAD_VOXELS) for n, b in zip(mask.grid.shape_kji, last, strict=True)]
    inner = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    shape = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
    return Mask(mask.voxels_kji[inner], mask.grid.cropped((start[0], start[1], start[2]), shape), mask.name)
