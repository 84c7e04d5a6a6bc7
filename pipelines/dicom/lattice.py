"""The lattice that a segmentation's frames lie on: the series' own, else one made of their positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.dicom.geometry import REGULAR_MM, SAME_DIRECTION, SAME_POSITION_MM, Plane
from planner.errors import InputError
from planner.grid import FloatArray, Grid

ON_LATTICE_MM = 1e-2
"""A frame lies on a lattice if none of its corners is farther than this from a voxel's centre."""

THICKER = 1.5
"""Frames farther apart than so many times their thickness may have others between them that were omitted."""

LONGEST_STACK = 10_000
"""A lattice of more slices is taken for malformed positions."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A lattice and, for each frame, the voxel k, j, i of its first pixel."""

    grid: Grid
    start_kji: tuple[tuple[int, int, int], ...]


def place_frames(grid: Grid, planes: Sequence[Plane]) -> Placed | None:
    """Return where on `grid` the frames lie, or None unless every pixel of each falls on a voxel's centre."""
    starts = []
    for plane in planes:
        start = _start(grid, plane)
        if start is None:
            return None
        starts.append(start)
    return Placed(grid, tuple(starts))


def frame_lattice(
    planes: Sequence[Plane], stated_mm: float, frame_uid: str, name: str, thickness_mm: float = 0.0
) -> Placed:
    """Return the lattice that parallel frames make themselves; positions without a frame are empty slices.

    Frames without a voxel are often omitted, so the slice spacing is the stated one where it fits the positions, else
    the smallest gap between them: scanners are known to state a wrong one. Where nothing is stated and even that gap is
    much larger than a slice is thick, frames between may have been omitted: nothing says how far apart slices are.

    Raises
    ------
    InputError
        Frames are not parallel, or their positions are no multiples of one spacing.
    """
    directions = np.stack([p.directions for p in planes])
    if np.abs(directions - directions[0]).max() > SAME_DIRECTION:
        raise InputError(f"{name}: frames of different orientation", code="mixed-orientation")
    spacings = np.asarray([p.spacing_mm for p in planes])
    if np.ptp(spacings, axis=0).max() > SAME_DIRECTION:
        raise InputError(f"{name}: frames of different pixel spacing", code="mixed-matrix")
    origins = np.stack([p.origin_lps_mm for p in planes])
    along_mm = origins @ planes[0].normal
    first, last = int(np.argmin(along_mm)), int(np.argmax(along_mm))
    spacing_mm = _spacing_mm(along_mm, stated_mm, name)
    if not stated_mm and 0 < THICKER * thickness_mm < spacing_mm:
        raise InputError(
            f"{name}: frames at least {spacing_mm:.3g} mm apart, {thickness_mm:.3g} mm thick, and no"
            " SpacingBetweenSlices: the slice spacing is unknown",
            code="bad-spacing",
        )
    count = float(np.ptp(along_mm)) / spacing_mm
    if count >= LONGEST_STACK:
        raise InputError(
            f"{name}: frame positions span {count:.3g} times {spacing_mm:.3f} mm, expected at most {LONGEST_STACK}",
            code="irregular-spacing",
        )
    index = np.rint((along_mm - along_mm[first]) / spacing_mm).astype(int)
    step = planes[0].normal * spacing_mm
    if index[last] > 0:
        step = (origins[last] - origins[first]) / index[last]
    off_mm = float(np.linalg.norm(origins - (origins[first] + index[:, None] * step), axis=1).max())
    if off_mm > REGULAR_MM:
        raise InputError(
            f"{name}: frame positions are no multiples of {spacing_mm:.3f} mm, up to {off_mm:.3f} mm off",
            code="irregular-spacing",
        )
    grid = Grid((int(index[last]) + 1, *planes[0].shape), planes[first].affine(step), frame_uid)
    return Placed(grid, tuple((int(k), 0, 0) for k in index))


def _start(grid: Grid, plane: Plane) -> tuple[int, int, int] | None:
    """Return the voxel k, j, i of a frame's first pixel, or None unless the frame lies on the lattice."""
    rows, columns = plane.shape
    corners = np.asarray(
        [
            plane.origin_lps_mm + c * plane.column_step_mm + r * plane.row_step_mm
            for r in (0, rows - 1)
            for c in (0, columns - 1)
        ]
    )
    nearest = np.rint(grid.ijk(corners))
    if np.linalg.norm(grid.lps_mm(nearest) - corners, axis=1).max() > ON_LATTICE_MM:
        return None
    i, j, k = (int(n) for n in nearest[0])
    expected = np.asarray([(i + c, j + r, k) for r in (0, rows - 1) for c in (0, columns - 1)])
    size_k, size_j, size_i = grid.shape_kji
    inside = 0 <= k < size_k and 0 <= j <= size_j - rows and 0 <= i <= size_i - columns
    return (k, j, i) if inside and np.array_equal(nearest, expected) else None


def _spacing_mm(along_mm: FloatArray, stated_mm: float, name: str) -> float:
    """Return the stated slice spacing where all gaps are multiples of it, else the smallest gap."""
    gaps = np.diff(np.sort(along_mm))
    gaps = gaps[gaps > SAME_POSITION_MM]
    if stated_mm > SAME_POSITION_MM:
        off_mm = np.abs(gaps - np.rint(gaps / stated_mm) * stated_mm)
        if not gaps.size or (off_mm.max() <= REGULAR_MM and gaps.min() > stated_mm / 2):
            return stated_mm
    if not gaps.size:
        raise InputError(f"{name}: one frame position and no slice spacing", code="bad-spacing")
    return float(gaps.min())
