"""Where slices lie in the patient, from position, orientation and pixel spacing alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from pipelines.dicom.index import READ_FAULTS
from pipelines.dicom.shown import safe_text
from planner.errors import InputError
from planner.grid import FloatArray, Grid

UNIT_TOLERANCE = 1e-3
"""Direction cosines may differ from unit length, and their product from 0, by this."""

SAME_DIRECTION = 1e-4
"""Direction cosines of two slices of one stack may differ by this."""

SAME_SPACING_MM = 1e-4
"""Pixel spacings of two slices of one stack may differ by this."""

SAME_POSITION_MM = 1e-2
"""Two slices closer than this along the normal lie at one position."""

REGULAR_MM = 0.05
"""A slice may lie this far from where even spacing puts it; positions are often rounded to 0.1 mm."""

EXACT_MM = 1e-3
"""A deviation from even spacing above this is noted."""

TILT_DEGREES = 0.05
"""A slice axis that leans from the slices' normal by more than this is noted as gantry tilt."""

FEWEST_SLICES = 3
"""A series of fewer slices is no volume."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice in patient space: DICOM PS3.3 C.7.6.2.1.1.

    Parameters
    ----------
    origin_lps_mm
        Centre of the first pixel.
    column_step_mm, row_step_mm
        From a pixel to its neighbour in the next column, and in the next row.
    shape
        Rows, columns.
    """

    origin_lps_mm: FloatArray
    column_step_mm: FloatArray
    row_step_mm: FloatArray
    shape: tuple[int, int]

    @property
    def directions(self) -> FloatArray:
        """Unit vectors along the rows and along the columns, shape (2, 3)."""
        steps = np.stack([self.column_step_mm, self.row_step_mm])
        return np.asarray(steps / np.linalg.norm(steps, axis=1, keepdims=True))

    @property
    def normal(self) -> FloatArray:
        """Unit vector across the slice."""
        normal = np.cross(self.column_step_mm, self.row_step_mm)
        return np.asarray(normal / np.linalg.norm(normal))

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """Distance between rows and between columns."""
        return float(np.linalg.norm(self.row_step_mm)), float(np.linalg.norm(self.column_step_mm))

    def affine(self, slice_step_mm: FloatArray) -> FloatArray:
        """Return the map of column, row, slice indices to patient points of a stack that begins with this slice."""
        affine = np.eye(4)
        affine[:3] = np.stack([self.column_step_mm, self.row_step_mm, slice_step_mm, self.origin_lps_mm], axis=1)
        return affine


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in the order of their positions, and the lattice they make."""

    order: tuple[int, ...]
    grid: Grid
    residual_mm: float
    tilt_degrees: float

    def notes(self) -> tuple[str, ...]:
        """Return sentences on what was tolerated."""
        found = []
        if self.residual_mm > EXACT_MM:
            found.append(f"slice positions differ from even spacing by up to {self.residual_mm:.3f} mm")
        if self.tilt_degrees > TILT_DEGREES:
            found.append(f"gantry tilt: slices are sheared by {self.tilt_degrees:.1f} degrees, the shear is kept")
        return tuple(found)


def numbers(header: Dataset, keyword: str, count: int, name: str) -> tuple[float, ...]:
    """Return the `count` finite numbers of an element.

    Raises
    ------
    InputError
        The element is missing, holds another count, or something that is not a finite number.
    """
    try:
        raw = header.get(keyword)
        several = [] if raw is None or raw == "" else [raw] if isinstance(raw, (str, int, float)) else list(raw)
        values = tuple(float(v) for v in several)
    except READ_FAULTS as error:
        raise InputError(f"{name}: {keyword} is not a number", code="bad-number") from error
    if len(values) != count:
        found = "missing" if not values else f"of {len(values)} values"
        raise InputError(f"{name}: {keyword} is {found}, expected {count}", code="bad-number")
    if not all(math.isfinite(v) for v in values):
        raise InputError(f"{name}: {keyword} is not finite", code="bad-number")
    return values


def plane_of(position: Dataset, orientation: Dataset, measures: Dataset, shape: tuple[int, int], name: str) -> Plane:
    """Return the slice that three datasets describe: for a single-frame image they are the same one.

    Raises
    ------
    InputError
        An element is missing or malformed.
    """
    cosines = np.asarray(numbers(orientation, "ImageOrientationPatient", 6, name)).reshape(2, 3)
    lengths = np.linalg.norm(cosines, axis=1)
    if np.abs(lengths - 1).max() > UNIT_TOLERANCE or abs(float(cosines[0] @ cosines[1])) > UNIT_TOLERANCE:
        raise InputError(
            f"{name}: ImageOrientationPatient is not two perpendicular unit vectors (lengths {lengths[0]:.4g},"
            f" {lengths[1]:.4g}, product {cosines[0] @ cosines[1]:.4g})",
            code="bad-orientation",
        )
    row_mm, column_mm = numbers(measures, "PixelSpacing", 2, name)
    if min(row_mm, column_mm) <= 0:
        raise InputError(f"{name}: PixelSpacing is {row_mm:g}, {column_mm:g} mm, expected > 0", code="bad-spacing")
    origin = np.asarray(numbers(position, "ImagePositionPatient", 3, name))
    return Plane(origin, cosines[0] * column_mm, cosines[1] * row_mm, shape)


def image_plane(header: Dataset, name: str) -> Plane:
    """Return the slice of a single-frame image."""
    rows, columns = (int(numbers(header, keyword, 1, name)[0]) for keyword in ("Rows", "Columns"))
    if min(rows, columns) < 1:
        raise InputError(f"{name}: {rows} rows and {columns} columns", code="bad-number")
    return plane_of(header, header, header, (rows, columns), name)


def stack(planes: Sequence[Plane], frame_uid: str) -> Stack:
    """Return the lattice of evenly spaced parallel slices.

    Raises
    ------
    InputError
        Too few slices, or slices that differ in matrix, spacing or orientation, share a position, or are not evenly
        spaced.
    """
    if len(planes) < FEWEST_SLICES:
        raise InputError(f"{len(planes)} slices, expected at least {FEWEST_SLICES}", code="too-few-slices")
    require_alike(planes)
    origins = np.stack([p.origin_lps_mm for p in planes])
    normal = planes[0].normal
    along_mm = origins @ normal
    order = np.argsort(along_mm, kind="stable")
    _require_apart(along_mm[order])
    step = (origins[order[-1]] - origins[order[0]]) / (len(planes) - 1)
    residual = _residual_mm(origins[order], step)
    first = planes[int(order[0])]
    grid = Grid((len(planes), *first.shape), first.affine(step), frame_uid)
    lean = float(np.clip(step @ normal / np.linalg.norm(step), -1, 1))
    return Stack(tuple(int(n) for n in order), grid, residual, math.degrees(math.acos(lean)))


def require_alike(planes: Sequence[Plane]) -> None:
    """Raise unless all slices have one matrix, one pixel spacing and one orientation.

    Raises
    ------
    InputError
        They differ.
    """
    shapes = sorted({p.shape for p in planes})
    if len(shapes) > 1:
        raise InputError(f"slices of different matrix: {_few(shapes)}", code="mixed-matrix")
    directions = np.stack([p.directions for p in planes])
    differ = np.abs(directions - directions[0]).max(axis=(1, 2))
    if differ.max() > SAME_DIRECTION:
        raise InputError(
            f"slices of different orientation: {int((differ > SAME_DIRECTION).sum())} of {len(planes)} differ from the"
            f" first, cosines by up to {differ.max():.4f}",
            code="mixed-orientation",
        )
    spacings = np.asarray([p.spacing_mm for p in planes])
    if np.ptp(spacings, axis=0).max() > SAME_SPACING_MM:
        raise InputError(
            f"slices of different pixel spacing: from {spacings.min():.4f} to {spacings.max():.4f} mm",
            code="mixed-matrix",
        )


def places_of(along_mm: FloatArray) -> int:
    """Return at how many positions along the normal slices lie."""
    return 1 + int((np.diff(np.sort(along_mm)) > SAME_POSITION_MM).sum())


def _require_apart(along_mm: FloatArray) -> None:
    places = places_of(along_mm)
    if places < len(along_mm):
        raise InputError(f"{len(along_mm)} slices at {places} positions", code="duplicate-positions")


def _residual_mm(origins_lps_mm: FloatArray, step_mm: FloatArray) -> float:
    """Return the largest distance of a slice from its place in the even stack.

    Raises
    ------
    InputError
        It exceeds `REGULAR_MM`.
    """
    even = origins_lps_mm[0] + np.arange(len(origins_lps_mm))[:, None] * step_mm
    residual = float(np.linalg.norm(origins_lps_mm - even, axis=1).max())
    if residual > REGULAR_MM:
        gaps = np.linalg.norm(np.diff(origins_lps_mm, axis=0), axis=1)
        raise InputError(
            f"slices are not evenly spaced: from {gaps.min():.3f} to {gaps.max():.3f} mm, up to {residual:.3f} mm off"
            " (a slice missing, or several stacks in one series?)",
            code="irregular-spacing",
        )
    return residual


def _few(shapes: Sequence[tuple[int, int]]) -> str:
    return safe_text(", ".join(f"{rows} x {columns}" for rows, columns in shapes))
