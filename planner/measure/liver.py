"""The closed liver: where an ablation could have gone on, and where the capsule ended it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.errors import InputError
from planner.grid import FloatArray
from planner.surface import PointMap, Surface, nets_surface
from planner.surface.parts import FACES, filled_holes
from planner.volume import Mask

BoolArray = npt.NDArray[np.bool_]

BEYOND_VOXELS = 1.0
"""How far beyond the zone's surface to look for liver, along its normal, in voxels of mean spacing."""

AROUND_MM = 25.0
"""How much of the liver around the zones is kept."""


@dataclass(frozen=True, eq=False)
class ClosedLiver:
    """The liver with everything inside its outer capsule, near the zones, as a surface in its own study's frame.

    Parameters
    ----------
    surface
        Outer surface of liver + tumours + zones with inner holes filled, cut to the zones' neighbourhood.
    closed
        The same as a mask on the whole lattice of the liver mask.
    liver_from_post
        Map of POST points to the frame of `surface`: identity when the liver is that of POST.
    step_mm
        How far beyond the zone's surface to look for liver.
    goes_on
        Whether its lattice ended before the zone or the tumour did, so that the liver was taken to go on there.
    """

    surface: Surface
    closed: Mask
    liver_from_post: PointMap
    step_mm: float
    goes_on: bool = False

    def contains(self, points_post_lps_mm: FloatArray) -> BoolArray:
        """Return which points of POST lie inside the closed liver."""
        return np.asarray(self.surface.contains(self.liver_from_post(points_post_lps_mm)))

    def goes_on_beyond(self, feet_post_lps_mm: FloatArray, normals: FloatArray) -> BoolArray:
        """Return at which points of the zone's surface liver lies just outside it (else the capsule ends it)."""
        return self.contains(feet_post_lps_mm + self.step_mm * normals)


def close_liver(
    liver: Mask, inner: Sequence[Surface], around: Sequence[Surface], liver_from_post: PointMap | None = None
) -> ClosedLiver:
    """Close a liver mask: add what lies inside `inner` (tumours, zones), fill inner holes, cut to `around`.

    Parameters
    ----------
    liver
        Liver mask on its own lattice.
    inner
        Surfaces, in the liver's frame, that count as liver whatever the mask says.
    around
        Surfaces, in the liver's frame, near which the liver is needed.
    liver_from_post
        Map of POST points to the liver's frame; None when that is POST itself.

    Raises
    ------
    InputError
        The liver mask lies nowhere near the surfaces.
    """
    neighbourhood(liver, around)  # a lattice that lies elsewhere is refused, not made to reach
    reaching = _reaching(liver, inner)
    goes_on, liver = reaching is not liver, reaching
    window = neighbourhood(liver, around)
    if not liver.voxels_kji[window].any():
        raise InputError("liver: the mask does not come near the ablation zone", code="no-shared-space")
    filled = np.array(liver.voxels_kji)
    for surface in inner:
        _add_inside(filled, liver, surface)
    filled = filled_holes(filled, FACES)
    cut = filled[window]
    start = tuple(int(part.start) for part in window)
    grid = liver.grid.cropped((start[0], start[1], start[2]), cut.shape)
    surface = nets_surface(_padded_by_repeating(cut, Mask(np.ones_like(cut), grid).cropped(2)))
    step = BEYOND_VOXELS * float(np.mean(liver.grid.spacing_kji_mm))
    closed = Mask(filled, liver.grid, "closed liver")
    return ClosedLiver(surface, closed, liver_from_post or (lambda points: points), step, goes_on)


def _reaching(liver: Mask, surfaces: Sequence[Surface]) -> Mask:
    """Return the liver on a lattice that holds some surfaces: where its own ends before, it goes on as at the end.

    What lies beyond a scan is not known; that the liver ended there is the one thing that is not likely.
    """
    if not surfaces:
        return liver
    kji = liver.grid.ijk(np.concatenate([surface.vertices_lps_mm for surface in surfaces]))[:, ::-1]
    shape = np.asarray(liver.grid.shape_kji)
    before = np.ceil(np.maximum(0.0, -kji.min(axis=0))).astype(int)
    after = np.ceil(np.maximum(0.0, kji.max(axis=0) - (shape - 1))).astype(int)
    if max(before.max(), after.max()) <= 1:
        return liver
    pad = [(int(low) + 2, int(high) + 2) for low, high in zip(before, after, strict=True)]
    voxels = np.pad(liver.voxels_kji, pad, mode="edge")
    first, size = (-pad[0][0], -pad[1][0], -pad[2][0]), (voxels.shape[0], voxels.shape[1], voxels.shape[2])
    return Mask(voxels, liver.grid.cropped(first, size), liver.name)


def _padded_by_repeating(cut: BoolArray, box: Mask) -> Mask:
    """Return the cut liver on a lattice two voxels larger: one repeated, so that the cut's own face moves outward."""
    voxels = np.zeros(box.grid.shape_kji, dtype=bool)
    voxels[1:-1, 1:-1, 1:-1] = np.pad(cut, 1, mode="edge")
    return Mask(voxels, box.grid, "liver")


def neighbourhood(liver: Mask, around: Sequence[Surface]) -> tuple[slice, slice, slice]:
    """Return the part of the liver's lattice within 25 mm of some surfaces, as slices.

    Raises
    ------
    InputError
        The lattice does not come near them.
    """
    points = np.concatenate([surface.vertices_lps_mm for surface in around])
    kji = liver.grid.ijk(points)[:, ::-1]
    pad = AROUND_MM / np.asarray(liver.grid.spacing_kji_mm)
    low = np.clip(np.floor(kji.min(axis=0) - pad).astype(int), 0, None)
    high = np.minimum(np.ceil(kji.max(axis=0) + pad).astype(int) + 1, liver.grid.shape_kji)
    if (high <= low).any():
        raise InputError("liver: the mask's lattice does not reach the ablation zone", code="no-shared-space")
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _add_inside(filled: BoolArray, liver: Mask, surface: Surface) -> None:
    """Set, in place, the voxels whose centre lies inside a closed surface."""
    kji = liver.grid.ijk(surface.vertices_lps_mm)[:, ::-1]
    low = np.clip(np.floor(kji.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1, liver.grid.shape_kji)
    if (high <= low).any():
        return
    box = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    inside = surface.contains(liver.grid.lps_mm(box.reshape(-1, 3)[:, ::-1]))
    part = filled[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    part |= inside.reshape(part.shape)
