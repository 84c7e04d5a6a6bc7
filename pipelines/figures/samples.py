"""Points spread densely over a triangle surface, each with the values between the vertices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from planner.surface import Surface

FloatArray = npt.NDArray[np.float64]

MOST_ROWS = 60
ENDLESS_MM = 100.0
"""What stands for a margin without end where margins are averaged."""


class Samples(NamedTuple):
    """Points of a surface.

    Parameters
    ----------
    lps_mm
        Shape (n, 3).
    normals
        Shape (n, 3): outward, between those of the vertices, about of unit length.
    margin_mm
        Shape (n,): between those of the vertices; no more than `ENDLESS_MM`.
    """

    lps_mm: FloatArray
    normals: FloatArray
    margin_mm: FloatArray


def spread(surface: Surface, margin_mm: FloatArray, rows: npt.NDArray[np.int64]) -> Samples:
    """Return points on each triangle, its corners among them.

    Parameters
    ----------
    surface, margin_mm
        What they lie on, and the margin of its vertices.
    rows
        Shape (m,): into how many parts the sides of each triangle are cut; a triangle with 0 is left out.
    """
    values = np.concatenate(
        [surface.vertices_lps_mm, surface.vertex_normals, np.minimum(margin_mm, ENDLESS_MM)[:, None]], axis=1
    )
    parts = [np.empty((0, 7))]
    for count in np.unique(rows[rows > 0]):
        shares = _shares(int(min(count, MOST_ROWS)))
        parts.append(np.einsum("sc,tcv->tsv", shares, values[surface.triangles[rows == count]]).reshape(-1, 7))
    found = np.concatenate(parts)
    return Samples(found[:, :3], found[:, 3:6], found[:, 6])


def rows_for(lengths: FloatArray, step: float) -> npt.NDArray[np.int64]:
    """Return into how many parts sides of these lengths are cut so that none is longer than `step`."""
    return np.clip(np.ceil(lengths / step), 1, MOST_ROWS).astype(np.int64)


def longest_sides_mm(surface: Surface) -> FloatArray:
    """Return the longest side of each triangle, shape (m,), mm."""
    corners = surface.vertices_lps_mm[surface.triangles]
    return np.asarray(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1))


def _shares(count: int) -> FloatArray:
    """Return the shares of the three corners in each point of a triangle whose sides are cut into `count` parts."""
    a, b = np.indices((count + 1, count + 1)).reshape(2, -1)
    kept = a + b <= count
    return np.stack([a[kept], b[kept], count - a[kept] - b[kept]], axis=1) / count
