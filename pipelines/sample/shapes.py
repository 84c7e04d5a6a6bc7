"""Analytic bodies: each is a function of points, negative inside, zero on its surface, in millimetres near it.

Values are first-order signed distances: exact in sign, within a few per cent near the surface, and not meant to be
read far from it. Exact distances are found from the zero set (`closest.py`), never from the values.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
EVERYWHERE_MM = 250.0
"""Half size of the box of a body without an end: more than any scan."""
NOTICED_MM = 6.0
"""Levels deeper than this need not know of a body that was cut out further away."""
AT_ONCE = 600_000


class Shape(Protocol):
    """A closed body with a box that holds it."""

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""

    def parts(self) -> list[Shape]:
        """Return bodies whose union this is, each with a tighter box."""

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3): negative inside."""


def norm(vectors: FloatArray) -> FloatArray:
    """Return lengths along the last axis."""
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)))


def unit(vector: npt.ArrayLike) -> FloatArray:
    """Return vectors scaled to length one along the last axis."""
    array = np.asarray(vector, dtype=np.float64)
    return np.asarray(array / np.maximum(norm(array)[..., None], 1e-12))


def smooth_max(first: FloatArray, second: FloatArray, width_mm: float) -> FloatArray:
    """Return the larger value, rounded where both are within `width_mm` of each other."""
    blend = np.maximum(width_mm - np.abs(first - second), 0) / width_mm
    return np.asarray(np.maximum(first, second) + blend * blend * (width_mm / 4))


def smooth_min(first: FloatArray, second: FloatArray, width_mm: float) -> FloatArray:
    """Return the smaller value, rounded where both are within `width_mm` of each other."""
    return -smooth_max(-first, -second, width_mm)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """An ellipsoid; the rows of `axes` are its unit axes."""

    centre_mm: FloatArray
    semi_mm: FloatArray
    axes: FloatArray = field(default_factory=lambda: np.eye(3))

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""
        half = norm((self.axes * self.semi_mm[:, None]).T)
        return np.stack([self.centre_mm - half, self.centre_mm + half])

    def parts(self) -> list[Shape]:
        """Return the body itself."""
        return [self]

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3)."""
        to_unit = (self.axes / self.semi_mm[:, None]).T.astype(points_mm.dtype)
        scaled = (points_mm - self.centre_mm.astype(points_mm.dtype)) @ to_unit
        length = norm(scaled)
        slope = norm(scaled / self.semi_mm.astype(points_mm.dtype))
        small = 1e-6
        return np.asarray((length - 1) * (length + small) / (slope + small / float(self.semi_mm.min())))


@dataclass(frozen=True, eq=False)
class HalfSpace:
    """All points with `normal . p < offset_mm`."""

    normal: FloatArray
    offset_mm: float

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""
        return np.array([[-EVERYWHERE_MM] * 3, [EVERYWHERE_MM] * 3])

    def parts(self) -> list[Shape]:
        """Return the body itself."""
        return [self]

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3)."""
        return np.asarray(points_mm @ self.normal.astype(points_mm.dtype) - self.offset_mm)


@dataclass(frozen=True, eq=False)
class Column:
    """A superelliptic cylinder along z between two heights."""

    centre_xy_mm: FloatArray
    semi_xy_mm: FloatArray
    power: float = 2.0
    bottom_mm: float = -EVERYWHERE_MM
    top_mm: float = EVERYWHERE_MM

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""
        low, high = self.centre_xy_mm - self.semi_xy_mm, self.centre_xy_mm + self.semi_xy_mm
        return np.array([[*low, self.bottom_mm], [*high, self.top_mm]])

    def parts(self) -> list[Shape]:
        """Return the body itself."""
        return [self]

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3)."""
        dtype = points_mm.dtype
        scaled = np.abs(points_mm[..., :2] - self.centre_xy_mm.astype(dtype)) / self.semi_xy_mm.astype(dtype)
        radius = ((scaled + 1e-6) ** self.power).sum(axis=-1) ** (1 / self.power)
        slope = norm(((scaled + 1e-6) / radius[..., None]) ** (self.power - 1) / self.semi_xy_mm.astype(dtype))
        level = (radius - 1) / slope
        if self.top_mm - self.bottom_mm >= 2 * EVERYWHERE_MM:
            return np.asarray(level)
        height = points_mm[..., 2]
        return np.asarray(np.maximum(level, np.maximum(self.bottom_mm - height, height - self.top_mm)))


@dataclass(frozen=True, eq=False)
class Tube:
    """A union of round cones: `ends_mm` (n, 2, 3) with `radii_mm` (n, 2)."""

    ends_mm: FloatArray
    radii_mm: FloatArray

    @classmethod
    def along(cls, points_mm: npt.ArrayLike, radii_mm: npt.ArrayLike) -> Tube:
        """Return the tube through a polyline; radii are per point, or two to be tapered between."""
        path = np.asarray(points_mm, dtype=np.float64)
        radii = np.atleast_1d(np.asarray(radii_mm, dtype=np.float64))
        radii = np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, len(radii)), radii)
        return cls(np.stack([path[:-1], path[1:]], axis=1), np.stack([radii[:-1], radii[1:]], axis=1))

    @classmethod
    def joined(cls, tubes: list[Tube]) -> Tube:
        """Return one tube of all segments."""
        return cls(np.concatenate([t.ends_mm for t in tubes]), np.concatenate([t.radii_mm for t in tubes]))

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""
        reach = self.radii_mm[..., None]
        return np.stack([(self.ends_mm - reach).min(axis=(0, 1)), (self.ends_mm + reach).max(axis=(0, 1))])

    def parts(self) -> list[Shape]:
        """Return the segments."""
        return [Tube(self.ends_mm[n : n + 1], self.radii_mm[n : n + 1]) for n in range(len(self.ends_mm))]

    def inflated(self, by_mm: float) -> Tube:
        """Return the tube with all radii changed by `by_mm`."""
        return replace(self, radii_mm=np.maximum(self.radii_mm + by_mm, 0.1))

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3)."""
        if points_mm.size * len(self.ends_mm) < AT_ONCE:
            return self._all_segments(points_mm)
        levels = (self._segment(points_mm, n) for n in range(len(self.ends_mm)))
        return reduce(np.minimum, levels)

    def _all_segments(self, points_mm: FloatArray) -> FloatArray:
        dtype = points_mm.dtype
        start, radii = self.ends_mm[:, 0].astype(dtype), self.radii_mm.astype(dtype)
        axis = self.ends_mm[:, 1].astype(dtype) - start
        offset = points_mm[..., None, :] - start
        square = np.maximum(np.einsum("si,si->s", axis, axis), 1e-9)
        along = np.clip(np.einsum("...si,si->...s", offset, axis) / square, 0, 1)
        level = norm(offset - along[..., None] * axis) - (radii[:, 0] + along * (radii[:, 1] - radii[:, 0]))
        return np.asarray(level.min(axis=-1))

    def _segment(self, points_mm: FloatArray, index: int) -> FloatArray:
        dtype = points_mm.dtype
        start, end = self.ends_mm[index].astype(dtype)
        first, last = (float(radius) for radius in self.radii_mm[index])
        axis = end - start
        offset = points_mm - start
        along = np.clip((offset @ axis) / max(float(axis @ axis), 1e-9), 0, 1)
        return np.asarray(norm(offset - along[..., None] * axis) - (first + along * (last - first)))


@dataclass(frozen=True, eq=False)
class Star:
    """A body whose surface is one radius per direction from `centre_mm`.

    The base is a union of ellipsoids, (offset, semi-axes, axes) each, that all hold the centre. Each lobe multiplies
    the radius by 1 + gain * exp(sharpness * (cosine - 1)) around its direction: gain > 0 is a bump, < 0 a groove.
    """

    centre_mm: FloatArray
    blobs: tuple[Ellipsoid, ...]
    lobe_directions: FloatArray
    lobe_gains: FloatArray
    lobe_sharpness: FloatArray
    scale: float = 1.0

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""
        reach = max(float(norm(blob.centre_mm) + blob.semi_mm.max()) for blob in self.blobs) * self.scale
        reach *= float(np.prod(1 + np.maximum(self.lobe_gains, 0)))
        return np.stack([self.centre_mm - reach, self.centre_mm + reach])

    def parts(self) -> list[Shape]:
        """Return the body itself."""
        return [self]

    def radius_mm(self, directions: FloatArray) -> FloatArray:
        """Return the distance from the centre to the surface along unit directions (..., 3)."""
        base = reduce(np.maximum, (_exit_mm(blob, directions) for blob in self.blobs))
        cosines = directions @ self.lobe_directions.T.astype(directions.dtype)
        gains = self.lobe_gains.astype(directions.dtype)
        bumps = 1 + gains * np.exp(self.lobe_sharpness.astype(directions.dtype) * (cosines - 1))
        return np.asarray(base * bumps.prod(axis=-1) * self.scale)

    def surface_mm(self, directions: FloatArray) -> FloatArray:
        """Return the surface points along unit directions."""
        return np.asarray(self.centre_mm + self.radius_mm(directions)[..., None] * directions)

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3): the distance along the ray."""
        offset = points_mm - self.centre_mm.astype(points_mm.dtype)
        length = norm(offset)
        return np.asarray(length - self.radius_mm(offset / np.maximum(length, 1e-9)[..., None]))


def _exit_mm(blob: Ellipsoid, directions: FloatArray) -> FloatArray:
    """Return where rays from the origin, which lies inside `blob`, leave it."""
    to_unit = (blob.axes / blob.semi_mm[:, None]).T.astype(directions.dtype)
    ray = directions @ to_unit
    start = -blob.centre_mm.astype(directions.dtype) @ to_unit
    square = np.maximum(np.einsum("...i,...i->...", ray, ray), 1e-12)
    half = ray @ start
    return np.asarray((-half + np.sqrt(np.maximum(half * half - square * (start @ start - 1), 0))) / square)


@dataclass(frozen=True, eq=False)
class Blend:
    """Rounded union of `adds`, cut to `within` and freed of `cuts`, each with a gap."""

    adds: tuple[Shape, ...]
    within: tuple[tuple[Shape, float], ...] = ()
    cuts: tuple[tuple[Shape, float], ...] = ()
    width_mm: float = 10.0
    noticed_mm: float = NOTICED_MM

    @property
    def box_mm(self) -> FloatArray:
        """Lower and upper corner, (2, 3)."""
        boxes = np.stack([shape.box_mm for shape in self.adds])
        return np.stack([boxes[:, 0].min(axis=0) - self.width_mm / 4, boxes[:, 1].max(axis=0) + self.width_mm / 4])

    def parts(self) -> list[Shape]:
        """Return one body per part of a single `adds` (a rounded union of several cannot be taken apart)."""
        if len(self.adds) > 1:
            return [self]
        return [replace(self, adds=(part,)) for part in self.adds[0].parts()]

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (..., 3)."""
        level = reduce(lambda a, b: smooth_min(a, b, self.width_mm), (shape(points_mm) for shape in self.adds))
        for shape, gap_mm in self.within:
            level = smooth_max(level, shape(points_mm) + gap_mm, self.width_mm)
        for shape, gap_mm in self.cuts:
            level = self._cut(points_mm, level, shape, gap_mm)
        return level

    def _cut(self, points_mm: FloatArray, level: FloatArray, shape: Shape, gap_mm: float) -> FloatArray:
        """Return the level with one body cut out; points too far from it to notice are left alone."""
        box = shape.box_mm.astype(points_mm.dtype)
        reach = np.asarray(gap_mm + self.width_mm + self.noticed_mm, dtype=points_mm.dtype)
        near = np.all((points_mm >= box[0] - reach) & (points_mm <= box[1] + reach), axis=-1)
        if not near.any():
            return level
        if near.mean() > 0.6:
            return smooth_max(level, gap_mm - shape(points_mm), self.width_mm)
        level = level.copy()
        level[near] = smooth_max(level[near], gap_mm - shape(points_mm[near]), self.width_mm)
        return level
