"""Polygons filled by the even-odd rule: a pixel is inside if its centre is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.volume import BoolVoxels

IntArray = npt.NDArray[np.int64]

SAME_POINT = 1e-6
"""Two vertices closer than this, in pixels, are one."""


def filled(polygons: Sequence[FloatArray], shape: tuple[int, int]) -> BoolVoxels:
    """Return which pixel centres lie inside an odd number of closed polygons.

    A centre on a left or upper edge is inside, on a right or lower edge outside: neighbours that share an edge share
    no pixel.

    Parameters
    ----------
    polygons
        Vertices (column, row) in pixels, shape (n, 2); the last is joined to the first.
    shape
        Rows, columns.
    """
    rows, columns = shape
    turns = np.zeros((rows, columns + 1), dtype=np.int64)
    for polygon in polygons:
        row, column = _crossings(polygon, rows)
        first = np.clip(np.ceil(column), 0, columns).astype(np.int64)
        np.add.at(turns, (row, first), 1)
    return np.asarray(np.cumsum(turns[:, :columns], axis=1) % 2 == 1)


def _crossings(polygon: FloatArray, rows: int) -> tuple[IntArray, FloatArray]:
    """Return where the polygon's edges cross the rows' centre lines: row, and column as a fraction."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = np.clip(np.ceil(low), 0, rows).astype(np.int64)  # the rows in [low, high)
    count = np.maximum(np.clip(np.ceil(high), 0, rows).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(polygon)), count)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    row = first[edge] + within
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    share = (row - y0) / (y1 - y0)
    return row, x0 + share * (x1 - x0)


def has_keyhole(polygon: FloatArray) -> bool:
    """Return whether the polygon walks an edge there and back, as a channel to a hole does."""
    points = np.round(polygon / SAME_POINT).astype(np.int64)
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    ends = np.concatenate([points, np.roll(points, -1, axis=0)], axis=1)
    forth = {tuple(edge) for edge in ends.tolist()}
    return any((c, d, a, b) in forth for a, b, c, d in forth)


def nested_or_crossing(polygons: Sequence[FloatArray], shape: tuple[int, int]) -> tuple[bool, bool]:
    """Return whether one polygon of a plane lies within another, and whether two overlap without that."""
    if len(polygons) < 2:
        return False, False
    masks = [filled([p], shape) for p in polygons]
    nested = crossing = False
    for n, one in enumerate(masks):
        for other in masks[n + 1 :]:
            shared = int(np.count_nonzero(one & other))
            if shared:
                inner = shared == min(np.count_nonzero(one), np.count_nonzero(other))
                nested, crossing = nested or inner, crossing or not inner
    return nested, crossing
