"""Closed contours in parallel planes as voxels: on the image's lattice where they were drawn on its slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from pipelines.dicom.geometry import REGULAR_MM
from pipelines.dicom.lattice import LONGEST_STACK
from pipelines.dicom.pixels import MOST_VOXELS
from pipelines.dicom.polygons import IntArray, fill_plane
from planner.errors import InputError
from planner.grid import FloatArray, Grid
from planner.volume import BoolVoxels

THICKER = 1.5
"""Planes farther apart than so many slices of the image may be a coarser stack, or parts of something."""

FEWEST_GAPS = 2
"""So many equal gaps at least prove a coarser stack."""

MOST_IN_A_PLANE = 2_000
"""Each contour of a plane is held against all others: a noisy threshold leaves some hundreds."""

COARSEST_MM = 10.0
"""Planes farther apart than this are no stack."""


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """Voxels on a lattice, and what a reader should know of how they came about."""

    voxels_kji: BoolVoxels
    grid: Grid
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Planes:
    """A lattice and the polygons (column, row) of each of its slices that has some."""

    grid: Grid
    polygons: dict[int, list[FloatArray]]
    notes: tuple[str, ...]


def fill_contours(contours: Sequence[FloatArray], image: Grid, name: str) -> Filled:
    """Return the voxels whose centres lie within the contours, even-odd in each plane.

    Contours drawn on the image's slices take its lattice, extended where they leave it. Others take a lattice of their
    own: the image's pixels, slices at the contours' planes. One plane without a contour between two with one is
    interpolated by shape.

    Parameters
    ----------
    contours
        Vertices of each, LPS mm, shape (n, 3), n at least 3.
    image
        Lattice of the image that they were drawn on, or one parallel to it.
    name
        What messages call them.

    Raises
    ------
    InputError
        A contour is not parallel to the image's slices, planes are not evenly spaced, or several planes between two
        overlapping shapes hold none.
    """
    planes = _planes(contours, image, name)
    most = max(map(len, planes.polygons.values()))
    if most > MOST_IN_A_PLANE:
        raise InputError(f"{name}: {most} contours in a plane, expected at most {MOST_IN_A_PLANE}", code="too-large")
    grid = planes.grid
    voxels = np.zeros(grid.shape_kji, dtype=bool)
    fills = {k: fill_plane(polygons, grid.shape_kji[1:]) for k, polygons in planes.polygons.items()}
    for k, fill in fills.items():
        voxels[k] = fill.inside
    lost = sum(fill.is_lost for fill in fills.values())
    if lost:
        raise InputError(
            f"{name}: on {lost} planes contours cross themselves or cancel each other out (even-odd), expected simple"
            " ones",
            code="crossing-contours",
        )
    interpolated = _fill_between(voxels, sorted(planes.polygons), grid, name)
    said = {
        "copies of contours that were left out": sum(f.copies for f in fills.values()),
        "planes with a contour within another, which counts as a hole (even-odd)": sum(
            f.nested for f in fills.values()
        ),
        "planes with contours that cross, what both hold counts as outside (even-odd)": sum(
            f.crossing for f in fills.values()
        ),
        "contours that reach a hole by a keyhole": sum(f.keyholes for f in fills.values()),
        "contours that overlap themselves, what they hold twice counts as outside (even-odd)": sum(
            f.looped for f in fills.values()
        ),
        "contours that cross themselves, a small loop lies beside them": sum(f.twisted for f in fills.values()),
        "planes whose contours hold no pixel's centre": sum(not f.inside.any() for f in fills.values()),
        "planes between contours that were interpolated": interpolated,
    }
    notes = tuple(f"{name}, {text}: {count}" for text, count in said.items() if count)
    return Filled(voxels, grid, (*planes.notes, *notes))


def _planes(contours: Sequence[FloatArray], image: Grid, name: str) -> _Planes:
    slice_mm = _slice_mm(image)
    places = [image.ijk(c) for c in contours]
    _require_near(places, image, name)
    heights = np.asarray([ijk[:, 2].mean() for ijk in places])
    lean_mm = max(float(np.ptp(ijk[:, 2])) for ijk in places) * slice_mm
    if lean_mm > REGULAR_MM:
        raise InputError(
            f"{name}: a contour leaves the image's slices by {lean_mm:.2f} mm, expected contours parallel to them",
            code="oblique-contours",
        )
    first, step, notes = _spacing(places, heights, slice_mm, name)
    index = np.rint((heights - first) / step).astype(int)
    off_mm = float(np.abs(first + index * step - heights).max()) * slice_mm
    if off_mm > REGULAR_MM:
        raise InputError(
            f"{name}: contour planes are not evenly spaced, up to {off_mm:.3f} mm from multiples of"
            f" {step * slice_mm:.3f} mm",
            code="irregular-spacing",
        )
    grid, start = _lattice(places, index, image, first, step, name)
    polygons: dict[int, list[FloatArray]] = defaultdict(list)
    for k, ijk in zip(index, places, strict=True):
        polygons[int(k) - start[0]].append(ijk[:, :2] - (start[2], start[1]))
    return _Planes(grid, dict(polygons), notes)


def _slice_mm(grid: Grid) -> float:
    """Return the distance between slices along their normal, mm."""
    axes = grid.lps_mm_from_ijk[:3, :3]
    normal = np.cross(axes[:, 0], axes[:, 1])
    return float(abs(axes[:, 2] @ normal) / np.linalg.norm(normal))


def _spacing(
    places: Sequence[FloatArray], heights: FloatArray, slice_mm: float, name: str
) -> tuple[float, float, tuple[str, ...]]:
    """Return where the planes' lattice begins and its spacing, in slices of the image, and a note where they differ.

    Contours on the image's slices have those, unless all of them prove that a coarser stack was drawn.
    """
    gaps = np.diff(np.sort(heights))
    gaps = gaps[gaps * slice_mm > REGULAR_MM]
    on_slices = float(np.abs(heights - np.rint(heights)).max()) * slice_mm <= REGULAR_MM
    step = float(gaps.min()) if len(gaps) else 1.0
    coarser = step > THICKER and _is_one_stack(places, heights, gaps, slice_mm)
    if on_slices and not coarser:
        return 0.0, 1.0, ()
    if step > THICKER and not coarser:
        raise InputError(
            f"{name}: contours between the image's slices, from {step * slice_mm:.3g} to {gaps.max() * slice_mm:.3g} mm"
            " apart, do not say how thick their planes are",
            code="irregular-spacing",
        )
    span = float(np.ptp(heights))
    count = round(span / step)
    step = span / count if count else step
    said = (
        f"{name}: drawn on planes {step * slice_mm:.3g} mm apart, the image's slices are {slice_mm:.3g} mm apart: kept"
        " on its own planes"
    )
    return float(heights.min()), step, (said,)


def _is_one_stack(places: Sequence[FloatArray], heights: FloatArray, gaps: FloatArray, slice_mm: float) -> bool:
    """Return whether planes lie evenly apart, are several, not too far apart, and each lies over the last one's box."""
    if len(gaps) < FEWEST_GAPS or np.ptp(gaps) * slice_mm > REGULAR_MM or gaps.max() * slice_mm > COARSEST_MM:
        return False
    planes = np.rint((heights - heights.min()) / gaps.min()).astype(int)
    boxes = []
    for k in range(int(planes.max()) + 1):
        corners = np.concatenate([ijk[:, :2] for ijk, plane in zip(places, planes, strict=True) if plane == k])
        boxes.append((corners.min(axis=0), corners.max(axis=0)))
    return all((a[0] <= b[1]).all() and (b[0] <= a[1]).all() for a, b in pairwise(boxes))


def _lattice(
    places: Sequence[FloatArray],
    index: IntArray,
    image: Grid,
    first: float,
    step: float,
    name: str,
) -> tuple[Grid, tuple[int, int, int]]:
    """Return the lattice that holds every contour, and its first voxel k, j, i on the planes' lattice."""
    own = first != 0.0 or step != 1.0
    corners = np.concatenate([ijk[:, :2] for ijk in places])
    low, high = np.ceil(corners.min(axis=0)).astype(int), np.floor(corners.max(axis=0)).astype(int)
    size_k, size_j, size_i = image.shape_kji
    ends = (int(index.max()), max(size_j - 1, int(high[1])), max(size_i - 1, int(high[0])))
    start = (int(index.min()), min(0, int(low[1])), min(0, int(low[0])))
    if not own:
        start, ends = (min(0, start[0]), *start[1:]), (max(size_k - 1, ends[0]), *ends[1:])
    shape = (ends[0] - start[0] + 1, ends[1] - start[1] + 1, ends[2] - start[2] + 1)
    if shape[0] > LONGEST_STACK or int(np.prod(shape, dtype=object)) > MOST_VOXELS:
        raise InputError(f"{name}: contours on a lattice of {shape} are too large", code="too-large")
    if not own:
        whole = start == (0, 0, 0) and shape == image.shape_kji
        return (image if whole else image.cropped(start, shape)), start
    affine = np.array(image.lps_mm_from_ijk)
    affine[:3, 3] = image.lps_mm((0.0, 0.0, first))[0]
    affine[:3, 2] *= step
    return Grid((1, 1, 1), affine, image.frame_uid).cropped(start, shape), start


def _require_near(places: Sequence[FloatArray], image: Grid, name: str) -> None:
    """Raise where contours reach farther out of the image than it is wide, high, or a long stack of slices is deep."""
    corners = np.concatenate(places)
    size_k, size_j, size_i = image.shape_kji
    limits = np.asarray([2.0 * size_i, 2.0 * size_j, float(LONGEST_STACK)])
    beyond = (corners > limits) | (corners < np.asarray([size_i, size_j, size_k]) - limits)
    if beyond.any():
        raise InputError(
            f"{name}: contours lie far outside the image (voxels of it reach up to {size_i}, {size_j}, {size_k}; a"
            f" contour {', '.join(f'{v:.3g}' for v in corners[beyond.any(axis=1)][0])})",
            code="no-shared-space",
        )


def _fill_between(voxels: BoolVoxels, drawn: Sequence[int], grid: Grid, name: str) -> int:
    """Fill single planes between drawn ones, and return how many got a voxel."""
    count = 0
    for below, above in pairwise(drawn):
        if above - below < 2 or not (voxels[below] & voxels[above]).any():
            continue
        if above - below > 2:
            raise InputError(
                f"{name}: {above - below - 1} planes in a row hold no contour between two that overlap, expected at"
                " most one: draw them, or give parts that are apart as structures of their own",
                code="contour-gap",
            )
        middle = (_depth(voxels[below], grid) + _depth(voxels[above], grid)) > 0
        voxels[below + 1] = middle
        count += bool(middle.any())
    return count


def _depth(inside: BoolVoxels, grid: Grid) -> FloatArray:
    """Return how deep each pixel lies inside a shape, mm, negative outside."""
    spacing = grid.spacing_kji_mm[1:]
    return np.asarray(
        ndimage.distance_transform_edt(inside, spacing) - ndimage.distance_transform_edt(~inside, spacing)
    )
