"""How wide a vessel is at a place on its wall: twice the mean distance of the wall from the medial axis there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from planner.grid import FloatArray
from planner.measure.alike import fitting_radii_mm
from planner.measure.structures import part_around
from planner.surface import Surface
from planner.volume import Mask

COARSEST_MM = 1.5
"""A lattice with a coarser spacing than this says too little of a vessel's width."""

SPACING_SLACK_MM = 1e-3

ALONG_MM = 5.0
"""The wall is read so far along the axis, both ways."""

WIDEST_MM = 25.0
"""Half the side of the box in which a vessel's width is first guessed."""

WINDOW_MM = 10.0
WINDOW_RADII = 2.5
"""Half the side of the box that is turned into a surface: at least the first, and so many guessed radii."""

STEP_MM = 0.1
ROUNDS = 5
FARTHEST_RADII = 1.8
"""Wall farther from the axis than so many radii belongs to a branch."""

CAP_COSINE = 0.6
"""Wall that faces along the axis more than this closes a vessel's end and says nothing of its width."""

ENOUGH = 0.7
"""There has to be wall over this share of the length, both ways."""

NO_WALL = "the vessel has no wall all around near its nearest point (its mask ends or branches)"

SECTORS = 8
FEWEST_SECTORS = 7
"""There has to be wall in so many of eight sectors around the axis."""


OPEN_MM = 0.5
"""A calibre that the mask leaves open by more than this, both ways, is not told: so far apart may the radii lie."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """A point on a vessel's axis, the mean distance of its wall, and a millimetre along it (zero where not known)."""

    centre_lps_mm: FloatArray
    radius_mm: float
    step_lps_mm: FloatArray


@dataclass(frozen=True, slots=True)
class Calibre:
    """A vessel's diameter, mm; None with a reason where it is not known."""

    mm: float | None
    reason: str | None = None


def too_coarse(mask: Mask) -> str | None:
    """Return why a mask's lattice is too coarse to tell a vessel's width; None where it is not."""
    coarsest = max(mask.grid.spacing_kji_mm)
    if coarsest <= COARSEST_MM + SPACING_SLACK_MM:
        return None
    return f"the mask's grid is too coarse for a calibre ({coarsest:.1f} mm, at most {COARSEST_MM:g} mm)"


def calibre_at(mask: Mask, wall_lps_mm: FloatArray) -> Calibre:
    """Return the diameter of a vessel about its medial axis, within 5 mm along it of a place on or near its wall.

    Parameters
    ----------
    mask
        The vessel.
    wall_lps_mm
        Shape (3,), in the mask's own frame.

    Raises
    ------
    EmptyMaskError
        The mask is empty.
    """
    if why := too_coarse(mask):
        return Calibre(None, why)
    window = max(WINDOW_MM, WINDOW_RADII * _guessed_radius_mm(mask, wall_lps_mm))
    wall = part_around(mask, wall_lps_mm, window)
    start = wall.depths(wall_lps_mm).foot_lps_mm[0]
    axis = _Axis(*_medial(wall, start, window), np.zeros(3))
    for _ in range(ROUNDS):
        found = _about_axis(wall, axis.centre_lps_mm, axis.radius_mm)
        if found is None:
            return Calibre(None, NO_WALL)
        axis = found
    fitting = fitting_radii_mm(mask, axis.centre_lps_mm, axis.step_lps_mm, axis.radius_mm, ALONG_MM)
    return Calibre(2.0 * axis.radius_mm) if fitting is None else _between(*fitting)


def _between(least_mm: float, most_mm: float) -> Calibre:
    """Return the middle of the calibres that a mask fits alike; none where they lie too far apart."""
    if most_mm - least_mm > OPEN_MM:
        ends = f"{2.0 * least_mm:.1f} to {2.0 * most_mm:.1f} mm"
        return Calibre(
            None, f"the vessel runs along the mask's grid, and every calibre from {ends} has the same voxels"
        )
    return Calibre(least_mm + most_mm)


def _guessed_radius_mm(mask: Mask, at_mm: FloatArray) -> float:
    """Return the largest distance of a voxel near a place from the outside, mm."""
    spacing = np.asarray(mask.grid.spacing_kji_mm)
    at = mask.grid.ijk(at_mm)[0][::-1]
    reach = np.ceil(WIDEST_MM / spacing).astype(int)
    low = np.clip(np.floor(at).astype(int) - reach, 0, None)
    high = np.minimum(np.ceil(at).astype(int) + reach + 1, mask.grid.shape_kji)
    part = mask.voxels_kji[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    if not part.any():
        return 0.0
    depth = ndimage.distance_transform_edt(part, sampling=spacing)
    gap = np.linalg.norm((np.argwhere(part) + low - at) * spacing, axis=1)
    inner = depth[part]
    return float(inner[gap <= np.maximum(2.0 * inner, gap.min() + spacing.max())].max())


def _medial(wall: Surface, start: FloatArray, reach_mm: float) -> tuple[FloatArray, float]:
    """Return the deepest point below a place on the wall, and its depth, mm."""
    nearest = int(np.argmin(((wall.vertices_lps_mm - start) ** 2).sum(axis=1)))
    line = start - np.arange(STEP_MM, reach_mm, STEP_MM)[:, None] * wall.vertex_normals[nearest]
    depth = wall.signed_depth_mm(line)
    first = np.flatnonzero(depth <= 0.0)
    depth = depth[: first[0]] if len(first) and first[0] > 0 else depth
    deepest = int(np.argmax(depth))
    return line[deepest], max(float(depth[deepest]), STEP_MM)


def _about_axis(wall: Surface, centre: FloatArray, radius: float) -> _Axis | None:
    """Return a better centre, the mean distance of the wall and the direction; None without wall all around.

    Where the vessel ends within the length that is read, the centre moves away from its end.
    """
    offset = wall.triangle_centres_lps_mm - centre
    near = np.linalg.norm(offset, axis=1) < np.hypot(ALONG_MM, FARTHEST_RADII * radius)
    normals, area = wall.triangle_normals[near], np.linalg.norm(wall.triangle_vectors_mm2[near], axis=1)
    axes = np.linalg.eigh(np.einsum("n,ni,nj->ij", area, normals, normals))[1]
    along, (x, y) = offset[near] @ axes[:, 0], (offset[near] @ axes[:, 1:]).T
    away = np.hypot(x, y)
    side = np.abs(normals @ axes[:, 0]) < CAP_COSINE
    own = side & (np.abs(along) < ALONG_MM) & (away < FARTHEST_RADII * radius) & (away > 0.0)
    if len(np.unique(np.floor((np.arctan2(y[own], x[own]) / (2 * np.pi) + 0.5) * SECTORS) % SECTORS)) < FEWEST_SECTORS:
        return None
    inward = _inward_mm(along[own])
    if inward is None:
        return None
    along, x, y, away, weight = along[own], x[own], y[own], away[own], np.sqrt(area[own])
    cosine, sine = x / away, y / away
    terms = np.stack([cosine, sine, along * cosine, along * sine, np.ones_like(away)], axis=1)
    found = np.linalg.lstsq(terms * weight[:, None], away * weight, rcond=None)[0]
    moved = axes[:, 1:] @ (found[:2] + inward * found[2:4]) + inward * axes[:, 0]
    return _Axis(centre + moved, float(found[4]), axes[:, 0])


def _inward_mm(along: FloatArray) -> float | None:
    """Return how far to move along the axis so that there is wall both ways; None where the vessel is too short."""
    low, high = float(np.percentile(along, 2)), float(np.percentile(along, 98))
    short_low, short_high = max(0.0, low + ENOUGH * ALONG_MM), max(0.0, ENOUGH * ALONG_MM - high)
    if short_low > 0.0 and short_high > 0.0:
        return None
    return short_low - short_high
