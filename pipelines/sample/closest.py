"""Exact distances to zero sets: dense samples of a surface, then closest points by projection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from pipelines.sample.shapes import FloatArray, norm

Level = Callable[[FloatArray], FloatArray]
STEP_MM = 1e-4


def value_and_gradient(level: Level, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return level (n,) and gradient (n, 3) at once, by forward differences: good enough to walk by."""
    steps = np.concatenate([np.zeros((1, 1, 3)), np.eye(3)[:, None, :] * STEP_MM])
    values = level((points_mm[None] + steps).reshape(-1, 3)).reshape(4, -1)
    return values[0], np.asarray((values[1:] - values[0]).T / STEP_MM)


def onto(level: Level, points_mm: FloatArray, rounds: int = 4) -> FloatArray:
    """Return points moved onto the zero set along the gradient (Newton)."""
    points = np.asarray(points_mm, dtype=np.float64)
    for _ in range(rounds):
        value, slope = value_and_gradient(level, points)
        square = np.maximum(np.einsum("ij,ij->i", slope, slope), 1e-6)
        points = points - (value / square)[:, None] * slope
    return points


def onto_both(first: Level, second: Level, points_mm: FloatArray, rounds: int = 8) -> FloatArray:
    """Return points moved onto the curve where both levels are zero."""
    points = points_mm
    for _ in range(rounds):
        both = [value_and_gradient(level, points) for level in (first, second)]
        values = np.stack([value for value, _ in both], axis=1)
        slopes = np.stack([slope for _, slope in both], axis=1)
        points = points - (np.linalg.pinv(slopes, rcond=1e-3) @ values[..., None])[..., 0]
    good = np.maximum(np.abs(first(points)), np.abs(second(points))) < 1e-3
    return np.asarray(points[good])


def surface_samples(level: Level, box_mm: FloatArray, spacing_mm: float) -> FloatArray:
    """Return points of the zero set inside a box, no two neighbours further apart than about `spacing_mm`."""
    counts = np.maximum(np.ceil((box_mm[1] - box_mm[0]) / spacing_mm).astype(int) + 3, 3)
    origin = box_mm[0] - spacing_mm
    axes = [origin[n] + spacing_mm * np.arange(counts[n]) for n in range(3)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    # Single precision is enough to see where the sign changes; the points found are moved onto the surface after.
    values = level(nodes.astype(np.float32))
    found = [_crossings(nodes, values, axis) for axis in range(3)]
    return onto(level, np.concatenate(found))


def _crossings(nodes: FloatArray, values: FloatArray, axis: int) -> FloatArray:
    """Return the points on grid edges along `axis` where the sign changes, by linear interpolation."""
    low = tuple(slice(None, -1) if n == axis else slice(None) for n in range(3))
    high = tuple(slice(1, None) if n == axis else slice(None) for n in range(3))
    change = (values[low] < 0) != (values[high] < 0)
    first, second = values[low][change], values[high][change]
    share = first / (first - second)
    start = nodes[low][change]
    return np.asarray(start + share[:, None] * (nodes[high][change] - start))


def nearest(points_mm: FloatArray, targets_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the distance to, and the place of, the nearest target of each point (infinite if there is none)."""
    if not len(targets_mm):
        return np.full(len(points_mm), np.inf), np.full((len(points_mm), 3), np.nan)
    distance, index = cKDTree(targets_mm).query(points_mm)
    return np.asarray(distance), np.asarray(targets_mm[index])


def closer(points_mm: FloatArray, start_mm: FloatArray, level: Level, rounds: int = 10) -> FloatArray:
    """Slide start points along the zero set to where they are closest to `points_mm`; never ends further away."""
    best, found = norm(points_mm - start_mm), start_mm
    place = start_mm
    for _ in range(rounds):
        _, slope = value_and_gradient(level, place)
        normal = slope / np.maximum(norm(slope), 1e-9)[:, None]
        offset = points_mm - place
        place = place + 0.8 * (offset - np.einsum("ij,ij->i", offset, normal)[:, None] * normal)
        place = onto(level, place, rounds=2)
        distance = norm(points_mm - place)
        better = (distance < best) & (np.abs(level(place)) < 1e-4)
        best, found = np.where(better, distance, best), np.where(better[:, None], place, found)
    return np.asarray(found)
