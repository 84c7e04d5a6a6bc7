"""What of a target the zones of a plan leave out: how much, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.margin import direction_words
from planner.plan.plan import Shortfall
from planner.plan.target import in_target
from planner.plan.zone import PlannedZone
from planner.surface import Surface

FILL_POINTS = 3000
"""About so many points fill a target where its covered share is told."""


def filled_target(tumour: Surface, margin_mm: float, liver: ClosedLiver | None) -> tuple[FloatArray, float]:
    """Return points that fill the target of a margin evenly, shape (n, 3), and its volume, ml."""
    low = tumour.vertices_lps_mm.min(axis=0) - margin_mm
    high = tumour.vertices_lps_mm.max(axis=0) + margin_mm
    step = float((np.prod(high - low) / (2.0 * FILL_POINTS)) ** (1.0 / 3.0))
    axes = [np.arange(a + 0.5 * step, b, step) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[in_target(points, tumour, margin_mm, liver)]
    return points, len(points) * step**3 / 1000.0


def filled_targets(
    tumour: Surface, margins_mm: Sequence[float], liver: ClosedLiver | None, zones: Sequence[PlannedZone | Surface] = ()
) -> dict[float, FloatArray]:
    """Return points that fill what zones leave of the target of each margin, shape (n, 3), by margin."""
    points = outside_of(filled_target(tumour, max(margins_mm), liver)[0], zones)
    depth = tumour.signed_depth_mm(points) if len(points) else np.zeros(0)
    return {margin: points[depth >= -margin] for margin in margins_mm}


def shortfall_of(
    tumour: Surface, filled: FloatArray, size_ml: float, zones: Sequence[PlannedZone | Surface]
) -> Shortfall:
    """Return what of a target, given by points that fill it and its volume (ml), the zones leave out."""
    outside = outside_of(filled, zones)
    share = len(outside) / len(filled) if len(filled) else 0.0
    where = direction_words(outside.mean(axis=0) - tumour.centroid_lps_mm) if len(outside) else None
    return Shortfall(share * size_ml, share, where)


def outside_of(points: FloatArray, zones: Sequence[PlannedZone | Surface]) -> FloatArray:
    """Return those of some points that lie in no zone."""
    for zone in zones:
        if len(points):
            points = points[~np.asarray(zone.contains(points))]
    return points
