"""The nearest point of each of many triangles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray

FLAT = 1e-12
"""A triangle whose squared area is below this share of its edges' is all edge."""


def nearest_on_triangles(points: FloatArray, corners: FloatArray) -> FloatArray:
    """Return the point of a triangle that is nearest to a point, for n pairs, shape (n, 3).

    It is the foot on the triangle's plane where that lies inside, else the nearest of the feet on the three edges.

    Parameters
    ----------
    points
        Shape (n, 3).
    corners
        Shape (n, 3, 3): pair, corner, coordinate.
    """
    first = corners[:, 0]
    u, v, away = corners[:, 1] - first, corners[:, 2] - first, points - first
    uu, uv, vv, au, av = _dot(u, u), _dot(u, v), _dot(v, v), _dot(away, u), _dot(away, v)
    double = uu * vv - uv * uv
    flat = double <= FLAT * uu * vv
    double = np.where(flat, 1.0, double)
    s, t = (vv * au - uv * av) / double, (uu * av - uv * au) / double
    found = first + s[:, None] * u + t[:, None] * v
    off = np.flatnonzero(flat | (s < 0.0) | (t < 0.0) | (s + t > 1.0))
    points, corners = points[off], corners[off]
    on = np.stack([_on_edge(points, corners[:, a], corners[:, b]) for a, b in ((0, 1), (1, 2), (2, 0))])
    nearest = np.argmin(((on - points) ** 2).sum(axis=2), axis=0)
    found[off] = on[nearest, np.arange(len(off))]
    return np.asarray(found)


def shares_of_corners(points: FloatArray, corners: FloatArray) -> FloatArray:
    """Return the barycentric coordinates of points on triangles, shape (n, 3); a third each on a flat triangle.

    Parameters
    ----------
    points
        Shape (n, 3).
    corners
        Shape (n, 3, 3): point, corner, coordinate.
    """
    u, v, away = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    uu, uv, vv, au, av = _dot(u, u), _dot(u, v), _dot(v, v), _dot(away, u), _dot(away, v)
    double = uu * vv - uv * uv
    flat = double <= FLAT * uu * vv
    double = np.where(flat, 1.0, double)
    s = np.where(flat, 1.0 / 3.0, (vv * au - uv * av) / double)
    t = np.where(flat, 1.0 / 3.0, (uu * av - uv * au) / double)
    return np.stack([1.0 - s - t, s, t], axis=1)


def corner_angles_rad(corners: FloatArray) -> FloatArray:
    """Return the angle at each corner of triangles of shape (n, 3, 3), shape (n, 3)."""
    onward = np.roll(corners, -1, axis=1) - corners
    back = np.roll(corners, 1, axis=1) - corners
    lengths = np.linalg.norm(onward, axis=2) * np.linalg.norm(back, axis=2)
    cosines = np.einsum("ncj,ncj->nc", onward, back) / np.maximum(lengths, np.finfo(np.float64).tiny)
    return np.asarray(np.arccos(np.clip(cosines, -1.0, 1.0)))


def spread_shares(rows: int) -> FloatArray:
    """Return barycentric coordinates of points spread over a triangle, shape (rows * (rows + 1) / 2, 3)."""
    a, b = np.meshgrid(np.arange(rows), np.arange(rows), indexing="ij")
    a, b = a[a + b < rows], b[a + b < rows]
    first, second = (a + 1.0 / 3.0) / rows, (b + 1.0 / 3.0) / rows
    return np.stack([first, second, 1.0 - first - second], axis=1)


def _on_edge(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    along = end - start
    share = _dot(points - start, along) / np.maximum(_dot(along, along), np.finfo(np.float64).tiny)
    return np.asarray(start + np.clip(share, 0.0, 1.0)[:, None] * along)


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij->i", a, b))


def normals_of_curved(corners: FloatArray, triangles: npt.NDArray[np.int64], count: int) -> FloatArray:
    """Return unit normals at `count` vertices, shape (count, 3), exact where all vertices lie on one sphere.

    Those of the triangles (corners: shape (m, 3, 3)) weighed by the sine over the two edges' lengths (Max 1999,
    doi 10.1080/10867651.1999.10487501): of uneven triangles on a smooth surface better than by angles.
    """
    sums = np.zeros((count, 3))
    for corner in range(3):
        one = corners[:, (corner + 1) % 3] - corners[:, corner]
        other = corners[:, (corner + 2) % 3] - corners[:, corner]
        weight = np.einsum("ij,ij->i", one, one) * np.einsum("ij,ij->i", other, other)
        np.add.at(sums, triangles[:, corner], np.cross(one, other) / np.maximum(weight, 1e-24)[:, None])
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))
