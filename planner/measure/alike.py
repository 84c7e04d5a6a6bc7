"""Which calibres one mask fits where a vessel runs along the grid: every slice holds the same voxels there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray, Grid
from planner.volume import Mask

BoolArray = npt.NDArray[np.bool_]

ALONG_COSINE = 0.98
"""A vessel runs along an axis of the grid where its direction has at least this cosine with it."""

FEWEST_SLICES = 4
CENTRE_STEP_MM = 0.05
AROUND_RADII = 1.6
"""Voxels up to so many radii from the centre are looked at; a branch beyond does not matter."""


def fitting_radii_mm(
    mask: Mask, centre_lps_mm: FloatArray, axis_lps: FloatArray, radius_mm: float, along_mm: float
) -> tuple[float, float] | None:
    """Return the least and the largest radius of a round vessel along the grid whose voxels would be those of a mask.

    A voxel belongs to a vessel that holds its centre. Where every slice across holds the same voxels, they leave the
    radius open: with another centre, a narrower or a wider vessel has the same mask.

    Parameters
    ----------
    mask
        The vessel.
    centre_lps_mm, axis_lps
        A point on its axis and the direction of that, shape (3,), in the mask's own frame.
    radius_mm
        About how wide it is.
    along_mm
        How far along the axis, both ways, slices are compared.

    Returns
    -------
    The two radii, mm; None where the vessel runs across the grid, its slices differ, or no circle fits them.
    """
    steps = mask.grid.lps_mm_from_ijk[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    units = steps / spacing
    along = int(np.argmax(np.abs(axis_lps @ units)))
    across = [axis for axis in range(3) if axis != along]
    skewed = np.abs(units[:, along] @ units[:, across]).max() > 1e-3
    if skewed or abs(axis_lps @ units[:, along]) < ALONG_COSINE:
        return None
    section = _shared_section(mask, centre_lps_mm, along, across, radius_mm, along_mm)
    if section is None:
        return None
    return _fitting(*section, spacing[across], radius_mm)


def _shared_section(
    mask: Mask, centre_lps_mm: FloatArray, along: int, across: list[int], radius_mm: float, along_mm: float
) -> tuple[BoolArray, FloatArray] | None:
    """Return the voxels of a slice about a centre, and where that lies in voxels; None where slices differ."""
    grid: Grid = mask.grid
    spacing_ijk = np.asarray(grid.spacing_kji_mm)[::-1]
    at = grid.ijk(centre_lps_mm)[0]
    reach = np.where(np.arange(3) == along, along_mm, AROUND_RADII * radius_mm) / spacing_ijk
    low = np.maximum(np.ceil(at - reach).astype(int), 0)
    high = np.minimum(np.floor(at + reach).astype(int) + 1, grid.shape_kji[::-1])
    if (high - low)[along] < FEWEST_SLICES or (high <= low).any():
        return None
    part = mask.voxels_kji[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))]
    slices = np.moveaxis(part.astype(bool), 2 - along, 0)
    if (slices != slices[0]).any():
        return None
    # The voxels of a slice are indexed by the two axes across it, the later one first, as in the mask.
    return slices[0].T, (at - low)[across]


def _fitting(
    section_ij: BoolArray, centre_ij: FloatArray, spacing_mm: FloatArray, radius_mm: float
) -> tuple[float, float] | None:
    """Return the least and the largest radius of the circles that hold the voxels inside and none of those outside."""
    inside, outside = (np.argwhere(which) * spacing_mm for which in (section_ij, ~section_ij))
    if not len(inside) or not len(outside):
        return None
    reach = min(radius_mm, float(spacing_mm.max()))
    shift = np.arange(-reach, reach + CENTRE_STEP_MM, CENTRE_STEP_MM)
    centres = np.stack(np.meshgrid(shift, shift, indexing="ij"), axis=-1).reshape(-1, 2) + centre_ij * spacing_mm
    farthest = np.linalg.norm(centres[:, None] - inside, axis=2).max(axis=1)
    nearest = np.linalg.norm(centres[:, None] - outside, axis=2).min(axis=1)
    fits = farthest < nearest
    if not fits.any():
        return None
    return float(farthest[fits].min()), float(nearest[fits].max())
