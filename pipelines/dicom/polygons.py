"""Polygons filled by the even-odd rule: a pixel is inside if its centre is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.volume import BoolVoxels

IntArray = npt.NDArray[np.int64]

MOST_TWISTED = 0.05
"""A polygon of which a larger share is wound around the other way is an eight, not a slip of the hand."""

SAME_POINT = 1e-6
"""Two vertices closer than this, in pixels, are one."""


def _crossings(polygon: FloatArray, rows: int) -> tuple[IntArray, FloatArray, IntArray]:
    """Return where the polygon's edges cross the rows' centre lines: row, column as a fraction, and down (1) or up."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = np.clip(np.ceil(low), 0, rows).astype(np.int64)  # the rows in [low, high)
    count = np.maximum(np.clip(np.ceil(high), 0, rows).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(polygon)), count)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    row = first[edge] + within
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    share = (row - y0) / (y1 - y0)
    return row, x0 + share * (x1 - x0), np.where(y1 > y0, 1, -1).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A polygon's pixels in the box that holds it: inside by even-odd, and what its line winds around at all.

    `twisted_share` is the share of those that the line winds around the other way: above 0 it crosses itself.
    """

    box: tuple[slice, slice]
    inside: BoolVoxels
    wound: BoolVoxels
    twisted_share: float

    @classmethod
    def of(cls, polygon: FloatArray, shape: tuple[int, int]) -> Patch:
        """Return the part of a polygon that lies in a picture of `shape` rows, columns."""
        low = np.clip(np.ceil(polygon.min(axis=0)), 0, shape[::-1]).astype(int)
        high = np.clip(np.floor(polygon.max(axis=0)) + 1, low, shape[::-1]).astype(int)
        rows, columns = int(high[1] - low[1]), int(high[0] - low[0])
        row, column, way = _crossings(polygon - low, rows)
        first = np.clip(np.ceil(column), 0, columns).astype(np.int64)
        turns = np.zeros((2, rows, columns + 1), dtype=np.int64)
        np.add.at(turns[0], (row, first), 1)
        np.add.at(turns[1], (row, first), way)
        crossed, winding = np.cumsum(turns[:, :, :columns], axis=2)
        ways = (int(np.count_nonzero(winding > 0)), int(np.count_nonzero(winding < 0)))
        twisted = min(ways) / max(1, sum(ways))
        return cls((slice(low[1], high[1]), slice(low[0], high[0])), crossed % 2 == 1, winding != 0, twisted)

    def shares_with(self, other: Patch) -> int:
        """Return how many pixels lie inside both."""
        starts = [max(a.start, b.start) for a, b in zip(self.box, other.box, strict=True)]
        stops = [min(a.stop, b.stop) for a, b in zip(self.box, other.box, strict=True)]
        if starts[0] >= stops[0] or starts[1] >= stops[1]:
            return 0
        parts = [
            patch.inside[
                starts[0] - patch.box[0].start : stops[0] - patch.box[0].start,
                starts[1] - patch.box[1].start : stops[1] - patch.box[1].start,
            ]
            for patch in (self, other)
        ]
        return int(np.count_nonzero(parts[0] & parts[1]))


@dataclass(frozen=True, slots=True, eq=False)
class PlaneFill:
    """The pixels inside the polygons of a plane, and what a reader should know of them.

    Parameters
    ----------
    inside
        Pixels, even-odd over all polygons but `copies`.
    copies
        Polygons that hold the pixels of another one: left out.
    nested, crossing
        Whether one lies within another (a hole), and whether two overlap without that.
    keyholes, looped
        Polygons with a channel to a hole, and those that wind around pixels more than once.
    is_lost
        Whether nothing is inside though the polygons wind around pixels, or a polygon is twisted into an eight.
    twisted
        Polygons that cross themselves a little: a small part of them is wound around the other way.
    """

    inside: BoolVoxels
    copies: int
    nested: bool
    crossing: bool
    keyholes: int
    looped: int
    is_lost: bool
    twisted: int = 0


def fill_plane(polygons: Sequence[FloatArray], shape: tuple[int, int]) -> PlaneFill:
    """Return the pixels inside an odd number of a plane's polygons.

    A centre on a left or upper edge is inside, on a right or lower edge outside: neighbours that share an edge share
    no pixel.

    Parameters
    ----------
    polygons
        Vertices (column, row) in pixels, shape (n, 2); the last is joined to the first.
    shape
        Rows, columns.
    """
    kept: list[Patch] = []
    copies = looped = twisted = 0
    nested = crossing = wound = eight = False
    inside = np.zeros(shape, dtype=bool)
    for patch in (Patch.of(polygon, shape) for polygon in polygons):
        size = np.count_nonzero(patch.inside)
        wound = wound or bool(patch.wound.any())
        twisted += 0 < patch.twisted_share <= MOST_TWISTED
        eight = eight or patch.twisted_share > MOST_TWISTED
        looped += bool((patch.wound != patch.inside).any())
        shares = [(other.shares_with(patch), np.count_nonzero(other.inside)) for other in kept]
        if any(shared == size == other > 0 for shared, other in shares):
            copies += 1
            continue
        nested = nested or any(0 < shared == min(size, other) for shared, other in shares)
        crossing = crossing or any(0 < shared < min(size, other) for shared, other in shares)
        kept.append(patch)
        inside[patch.box] ^= patch.inside
    keyholes = sum(map(has_keyhole, polygons))
    is_lost = eight or (wound and not inside.any())
    return PlaneFill(inside, copies, nested, crossing, keyholes, looped, is_lost, twisted)


def has_keyhole(polygon: FloatArray) -> bool:
    """Return whether the polygon walks an edge there and back, as a channel to a hole does."""
    points = np.round(polygon / SAME_POINT).astype(np.int64)
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    ends = np.concatenate([points, np.roll(points, -1, axis=0)], axis=1)
    forth = {tuple(edge) for edge in ends.tolist()}
    return any((c, d, a, b) in forth for a, b, c, d in forth)
