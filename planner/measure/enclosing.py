"""Structures that may lie around a lesion instead of beside it: a body, of which a lesion runs into the outside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from planner.grid import FloatArray
from planner.measure.structures import Outline, beyond
from planner.volume import BoolVoxels, Mask

HELD = 0.5
"""What has more than this share of its surface within a mask is taken to be inside, not to overlap it."""


@dataclass(frozen=True, eq=False)
class Enclosing:
    """A structure that was drawn as a wall, or as all that lies within the wall.

    Parameters
    ----------
    drawn
        The structure's mask.
    solid
        The same with all that it encloses.
    """

    drawn: Mask
    solid: Mask

    def facing(self, points_lps_mm: FloatArray) -> Outline:
        """Return what points of a surface, shape (n, 3) in the mask's frame, can run into.

        The outside, where most of them lie within the solid structure; else the structure as drawn.
        """
        return self._outside if self.holds(points_lps_mm) else self._drawn

    def holds(self, points_lps_mm: FloatArray) -> bool:
        """Return whether most of some points lie in voxels of the solid structure."""
        grid = self.solid.grid
        within = grid.contains(points_lps_mm)
        last = np.asarray(grid.shape_kji[::-1]) - 1
        i, j, k = np.clip(np.rint(grid.ijk(points_lps_mm)).astype(np.int64), 0, last).T
        return bool((within & self.solid.voxels_kji[k, j, i]).mean() > HELD)

    @cached_property
    def _drawn(self) -> Outline:
        return Outline(self.drawn)

    @cached_property
    def _outside(self) -> Outline:
        return beyond(self.solid)


def body_of(skin: Mask) -> Enclosing:
    """Return the body that a mask of the skin is around, or a mask of the body is: filled slice by slice.

    A scan ends in the body, so that only its slices close around it; those across the patient's long axis are asked.
    """
    along = int(np.argmax(np.abs(skin.grid.lps_mm_from_ijk[2, :3] / np.asarray(skin.grid.spacing_kji_mm[::-1]))))
    return Enclosing(skin, Mask(_filled_across(skin.voxels_kji, 2 - along), skin.grid, skin.name))


def _filled_across(inside: BoolVoxels, axis: int) -> BoolVoxels:
    """Return voxels with all that they close off from the border of each slice across an axis."""
    touching = np.asarray(ndimage.generate_binary_structure(3, 1), dtype=bool)
    for end in (0, 2):
        touching[tuple(end if a == axis else 1 for a in range(3))] = False
    rim = [(0, 0) if a == axis else (1, 1) for a in range(3)]
    empty = np.pad(~inside, rim, constant_values=True)
    labels = ndimage.label(empty, structure=touching)[0]
    edge = np.moveaxis(labels, axis, 0)[:, 0, 0]
    inner = labels[tuple(slice(None) if a == axis else slice(1, -1) for a in range(3))]
    outside = np.zeros(int(labels.max()) + 1, dtype=bool)
    outside[edge] = True
    return np.asarray(~outside[inner])
