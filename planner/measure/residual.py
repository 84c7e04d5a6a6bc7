"""The largest part of a tumour that ablation zones left out: the longest distance between two of its points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.measure.volumes import span_mm
from planner.measure.zone import Zone
from planner.surface import Surface

IntArray = npt.NDArray[np.int64]

SAMPLES = 25_000
"""Points of the tumour's box that tell what of its inside hangs together."""

FINEST_STEP_MM = 0.25

TOUCH_MM = 0.05
"""What lies no farther outside the zone than this is not left out: surfaces of two equal masks are that close."""

NEIGHBOUR = 1.5
"""Samples this many steps apart or nearer hang together: over faces and edges."""

BESIDE = 1.0
"""A point of a surface belongs to a sample this many steps away or nearer."""


def residual_diameter_mm(tumour: Surface, zone: Zone) -> float:
    """Return the longest distance between two points of one connected part of a tumour outside a zone, mm.

    It is 0 where the tumour is covered.

    The parts are told by regular samples within and by the mesh of the tumour's surface; how far they reach by the
    surface outside the zone, the line where it dips into that, and the zone's surface within the tumour. Parts that lie
    less than one and a half steps of the samples apart count as one.

    Parameters
    ----------
    tumour, zone
        The tumour's surface, already in POST, and the zones that treat it.
    """
    within = _zone_within(tumour, zone)
    if not len(within) and zone.contains(tumour.vertices_lps_mm).all():
        return 0.0
    depth_mm = zone.depths(tumour.vertices_lps_mm).signed_mm + TOUCH_MM
    outside = depth_mm < 0.0
    samples, step = _samples_lps_mm(tumour, zone)
    if not outside.any() and not len(samples):
        return 0.0
    rim, rim_of = _rim(tumour, depth_mm)
    outer = np.flatnonzero(outside)
    points = np.concatenate([samples, tumour.vertices_lps_mm[outer], rim, within])
    place = np.full(len(outside), -1)
    place[outer] = len(samples) + np.arange(len(outer))
    first_rim = len(samples) + len(outer)
    links = [
        _near(samples, step),
        place[_edges(tumour)[outside[_edges(tumour)].all(axis=1)]],
        np.column_stack([first_rim + np.arange(len(rim)), place[rim_of]]),
        _to_samples(points, len(samples), step),
    ]
    pairs = np.concatenate([link.reshape(-1, 2) for link in links]).astype(np.int64)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    labels = connected_components(graph, directed=False)[1]
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return max(span_mm(points[part]) for part in parts)


def _samples_lps_mm(tumour: Surface, zone: Zone) -> tuple[FloatArray, float]:
    """Return regular samples of the tumour outside the zone, shape (n, 3), and the step between them, mm."""
    low, high = tumour.vertices_lps_mm.min(axis=0), tumour.vertices_lps_mm.max(axis=0)
    step = max(FINEST_STEP_MM, float((np.prod(high - low) / SAMPLES) ** (1.0 / 3.0)))
    axes = [np.arange(a + 0.5 * step, b, step) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[tumour.contains(points)]
    points = points[~zone.contains(points)]
    return (points[zone.depths(points).signed_mm < -TOUCH_MM] if len(points) else points), step


def _edges(tumour: Surface) -> IntArray:
    """Return the edges of a surface as pairs of vertices, shape (n, 2)."""
    return np.concatenate([tumour.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])


def _rim(tumour: Surface, depth_mm: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the points where edges of the tumour's surface enter the zone, shape (n, 3), and their outer vertices.

    `depth_mm` is how deep in the zone each vertex lies.
    """
    edges = _edges(tumour)
    crossing = edges[(depth_mm[edges[:, 0]] < 0.0) & (depth_mm[edges[:, 1]] >= 0.0)]
    ends, depths = tumour.vertices_lps_mm[crossing], depth_mm[crossing]
    share = depths[:, :1] / np.minimum(depths[:, :1] - depths[:, 1:], -1e-12)
    return np.asarray(ends[:, 0] + share * (ends[:, 1] - ends[:, 0])), crossing[:, 0]


def _zone_within(tumour: Surface, zone: Zone) -> FloatArray:
    """Return the vertices of the zone's surface that lie in the tumour, shape (n, 3)."""
    surface = zone.free.surface
    if surface is None:
        return np.empty((0, 3))
    points = surface.vertices_lps_mm[np.unique(surface.triangles)]
    return np.asarray(points[tumour.contains(points)])


def _near(samples: FloatArray, step: float) -> IntArray:
    """Return the pairs of samples that hang together, shape (n, 2)."""
    if len(samples) < 2:
        return np.empty((0, 2), dtype=np.int64)
    return np.asarray(cKDTree(samples).query_pairs(NEIGHBOUR * step, output_type="ndarray"), dtype=np.int64)


def _to_samples(points: FloatArray, count: int, step: float) -> IntArray:
    """Return the pairs of each point after the first `count`, which are samples, and its nearest sample, if near."""
    if not count or count == len(points):
        return np.empty((0, 2), dtype=np.int64)
    gaps, nearest = cKDTree(points[:count]).query(points[count:], distance_upper_bound=BESIDE * step)
    found = np.isfinite(gaps)
    return np.column_stack([count + np.flatnonzero(found), nearest[found]])
