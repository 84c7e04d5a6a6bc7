"""How much of the tumour, and of the tumour grown by a margin, lies inside the ablation zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.residual import residual_diameter_mm
from planner.measure.zone import Zone
from planner.surface import Surface

GROWTHS_MM = (5.0, 10.0)
MOST_SAMPLES = 25_000
FINEST_STEP_MM = 0.25


@dataclass(frozen=True, slots=True)
class Coverage:
    """Volumes inside and outside the zone.

    Parameters
    ----------
    residual_ml
        Tumour volume outside the zone, ml.
    target_covered
        For each growth (mm): share of the tumour grown by it, within the closed liver, that lies inside the zone.
    residual_mm
        Longest distance between two points of one connected part of the tumour outside the zone, mm; 0 where covered.
    """

    residual_ml: float
    target_covered: Mapping[float, float]
    residual_mm: float | None = None


def measure_coverage(tumour: Surface, zone: Zone, liver: ClosedLiver | None = None) -> Coverage:
    """Sample the tumour, and the tumour grown by 5 and 10 mm within the closed liver, and count what the zone holds.

    Parameters
    ----------
    tumour
        Surface of the tumour, already in POST.
    zone, liver
        The zone, and the closed liver where one is known: tissue outside it is no target, the tumour always is.
    """
    return Coverage(
        _residual_ml(tumour, zone), _target_covered(tumour, zone, liver), residual_diameter_mm(tumour, zone)
    )


def _residual_ml(tumour: Surface, zone: Zone) -> float:
    points = _lattice(tumour, 0.0)
    inside = points[tumour.contains(points)]
    if not len(inside):
        inside = tumour.vertices_lps_mm
    return float((~zone.contains(inside)).mean()) * tumour.volume_ml


def _target_covered(tumour: Surface, zone: Zone, liver: ClosedLiver | None) -> dict[float, float]:
    points = _lattice(tumour, max(GROWTHS_MM))
    depth = tumour.signed_depth_mm(points)
    reached = depth >= -max(GROWTHS_MM)
    points, depth = points[reached], depth[reached]
    in_target = (depth >= 0) | (np.ones(len(points), dtype=bool) if liver is None else liver.contains(points))
    points, depth = points[in_target], depth[in_target]
    held = zone.contains(points)
    return {growth: float(held[depth >= -growth].mean()) for growth in GROWTHS_MM}


def _lattice(tumour: Surface, growth_mm: float) -> FloatArray:
    """Return regular sample points over the box of a surface grown by `growth_mm`."""
    low = tumour.vertices_lps_mm.min(axis=0) - growth_mm
    high = tumour.vertices_lps_mm.max(axis=0) + growth_mm
    step = max(FINEST_STEP_MM, float((np.prod(high - low) / MOST_SAMPLES) ** (1.0 / 3.0)))
    axes = [np.arange(a + 0.5 * step, b, step) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
