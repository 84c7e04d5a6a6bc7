"""A planned zone beside the one that was achieved: overlap, where it lies, how large it came out, and margin lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.surface import Surface

SAMPLES = 120_000
"""Points of the two zones' box by which their overlap is counted."""

ROUND = 1.02
"""A zone whose longest extent is less than so many times the next has no axis to compare."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A solid's place and extent, as those of the ellipsoid with its moments.

    Parameters
    ----------
    centre_lps_mm
        Its centroid, shape (3,).
    axes_lps
        Unit vectors of its longest, middle and shortest extent, as rows, shape (3, 3).
    extents_mm
        Full extents along them, shape (3,).
    volume_ml
        Volume inside the surface.
    """

    centre_lps_mm: FloatArray
    axes_lps: FloatArray
    extents_mm: FloatArray
    volume_ml: float


@dataclass(frozen=True, slots=True)
class Achieved:
    """How an achieved zone differs from the planned one, both in POST.

    Parameters
    ----------
    dice
        Twice the shared volume over the sum of both, 0 to 1.
    mean_apart_mm, p95_apart_mm, most_apart_mm
        Distance between the two surfaces, both ways, by area.
    centre_off_mm
        Distance between the centroids; `along_needle_mm` (+ deeper than planned) and `across_needle_mm` are its parts.
    axis_off_degrees
        Angle between the long axes, 0 to 90; None where either is too round to have one.
    length_mm, width_mm
        Extent of the achieved zone along its long axis, and the mean of the two across.
    length_ratio, width_ratio, volume_ratio
        Achieved over planned.
    """

    dice: float
    mean_apart_mm: float
    p95_apart_mm: float
    most_apart_mm: float
    centre_off_mm: float
    along_needle_mm: float
    across_needle_mm: float
    axis_off_degrees: float | None
    length_mm: float
    width_mm: float
    length_ratio: float
    width_ratio: float
    volume_ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class PlanOutcome:
    """What became of a lesion's plan.

    Parameters
    ----------
    zones
        Ids of the planned zones for this lesion.
    planned_min_mm
        Minimal margin as planned, on the planning scan: + covered, - not covered; None with a reason.
    lost_mm
        The most margin that was lost at one point of the tumour's surface: planned less achieved there. Below 0 where
        everywhere more was achieved than planned.
    lost_at_lps_mm, lost_where
        That point in POST, and its direction from the tumour's centroid.
    lost_share
        Share of the surface, by area, where less was achieved than planned.
    achieved
        The planned zone beside the achieved one; None where the lesion has not one of each.
    reason
        Why something is not known; "" where all is.
    """

    zones: tuple[str, ...]
    planned_min_mm: float | None = None
    lost_mm: float | None = None
    lost_at_lps_mm: tuple[float, float, float] | None = None
    lost_where: str | None = None
    lost_share: float | None = None
    achieved: Achieved | None = None
    reason: str = ""


def shape_of(surface: Surface) -> Shape:
    """Return place and extent of what a closed surface holds, by its moments.

    A solid ellipsoid of half extents a has the second moments a squared over five along its axes.
    """
    corners = surface.vertices_lps_mm[surface.triangles]
    about = corners.reshape(-1, 3).mean(axis=0)
    a, b, c = (corners - about).swapaxes(0, 1)
    six_volumes = np.einsum("nk,nk->n", a, np.cross(b, c))
    total = six_volumes.sum()
    first = (six_volumes[:, None] * (a + b + c)).sum(axis=0) / (4.0 * total)
    summed = a + b + c
    second = np.einsum("n,ni,nj->ij", six_volumes, summed, summed)
    for corner in (a, b, c):
        second += np.einsum("n,ni,nj->ij", six_volumes, corner, corner)
    spread = second / (20.0 * total) - np.outer(first, first)
    values, vectors = np.linalg.eigh(spread)
    return Shape(
        about + first, vectors.T[::-1], 2.0 * np.sqrt(5.0 * np.maximum(values[::-1], 0.0)), float(total / 6000.0)
    )


def achieved_beside(planned: Surface, achieved: Surface, needle_lps: FloatArray) -> Achieved:
    """Return how an achieved zone differs from the planned one.

    Parameters
    ----------
    planned, achieved
        Their surfaces, both in POST.
    needle_lps
        Direction of the planned needle in POST, from the entry to the tip, shape (3,).
    """
    wanted, got = shape_of(planned), shape_of(achieved)
    off = got.centre_lps_mm - wanted.centre_lps_mm
    needle = needle_lps / np.linalg.norm(needle_lps)
    along = float(off @ needle)
    apart, weights = _apart(planned, achieved)
    across_wanted, across_got = (float(shape.extents_mm[1:].mean()) for shape in (wanted, got))
    return Achieved(
        dice=_dice(planned, achieved),
        mean_apart_mm=float(np.average(apart, weights=weights)),
        p95_apart_mm=_quantile(apart, weights, 0.95),
        most_apart_mm=float(apart.max()),
        centre_off_mm=float(np.linalg.norm(off)),
        along_needle_mm=along,
        across_needle_mm=float(np.linalg.norm(off - along * needle)),
        axis_off_degrees=_between_axes(wanted, got),
        length_mm=float(got.extents_mm[0]),
        width_mm=across_got,
        length_ratio=float(got.extents_mm[0] / wanted.extents_mm[0]),
        width_ratio=across_got / across_wanted,
        volume_ratio=got.volume_ml / wanted.volume_ml,
    )


def _between_axes(a: Shape, b: Shape) -> float | None:
    if any(shape.extents_mm[0] < ROUND * shape.extents_mm[1] for shape in (a, b)):
        return None
    return float(np.degrees(np.arccos(np.clip(abs(a.axes_lps[0] @ b.axes_lps[0]), 0.0, 1.0))))


def _apart(a: Surface, b: Surface) -> tuple[FloatArray, FloatArray]:
    """Return how far the vertices of each surface lie from the other, mm, and their areas."""
    apart = [np.abs(b.signed_depth_mm(a.vertices_lps_mm)), np.abs(a.signed_depth_mm(b.vertices_lps_mm))]
    return np.concatenate(apart), np.concatenate([a.vertex_area_mm2, b.vertex_area_mm2])


def _quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, share * cumulative[-1])])


def _dice(a: Surface, b: Surface) -> float:
    both = np.concatenate([a.vertices_lps_mm, b.vertices_lps_mm])
    low, high = both.min(axis=0), both.max(axis=0)
    step = float((np.prod(high - low) / SAMPLES) ** (1.0 / 3.0))
    axes = [np.arange(start + 0.5 * step, end, step) for start, end in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    in_a, in_b = np.asarray(a.contains(points)), np.asarray(b.contains(points))
    return float(2.0 * (in_a & in_b).sum() / max(1, in_a.sum() + in_b.sum()))
