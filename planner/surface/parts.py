"""The parts of a mask: solid ones, and the holes inside them, each of which has a closed surface of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from planner.volume import BoolVoxels, Mask

TOUCHING = np.ones((3, 3, 3), dtype=bool)
"""Voxels that share a corner belong together, whether inside or outside."""

FACES = np.asarray(ndimage.generate_binary_structure(3, 1), dtype=bool)
"""The stricter neighbourhood: voxels that share a face."""


@dataclass(frozen=True, eq=False)
class Part:
    """One solid body: a connected part of a mask with its holes filled, or one of those holes.

    Parameters
    ----------
    mask
        The body, on the whole mask's lattice.
    is_hole
        Whether it is missing from the mask.
    """

    mask: Mask
    is_hole: bool


def parts_of(mask: Mask) -> Iterator[Part]:
    """Return the connected parts of a mask without their holes, and the holes.

    A hole is what no path of empty voxels, over faces, edges or corners, joins to the outside. What lies inside a hole
    counts as a part of its own, and as the hole's, too: it bounds the one and fills the other.
    """
    labels, count = label_voxels(mask)
    for box, number in zip(ndimage.find_objects(labels), range(1, count + 1), strict=True):
        inside = labels[box] == number
        filled = filled_holes(inside)
        yield Part(_on(mask, box, filled, mask.name), is_hole=False)
        holes = filled & ~inside
        if holes.any():
            numbered, some = ndimage.label(holes, structure=TOUCHING)
            for hole in range(1, some + 1):
                yield Part(_on(mask, box, numbered == hole, f"hole in {mask.name}"), is_hole=True)


def label_voxels(mask: Mask) -> tuple[npt.NDArray[np.int32], int]:
    """Return the connected components of a mask (26 neighbours), numbered from 1, and how many there are."""
    labels, count = ndimage.label(mask.voxels_kji, structure=TOUCHING)
    return np.asarray(labels), int(count)


def filled_holes(inside: BoolVoxels, touching: BoolVoxels = TOUCHING) -> BoolVoxels:
    """Return voxels with their holes filled: all that the outside does not reach over neighbours as `touching` says."""
    reached = ndimage.label(np.pad(~inside, 1, constant_values=True), structure=touching)[0]
    return np.asarray(reached[1:-1, 1:-1, 1:-1] != reached[0, 0, 0])


def _on(mask: Mask, box: tuple[slice, ...], inside: BoolVoxels, name: str) -> Mask:
    start = tuple(int(s.start) for s in box)
    return Mask(inside, mask.grid.cropped((start[0], start[1], start[2]), inside.shape), name)
