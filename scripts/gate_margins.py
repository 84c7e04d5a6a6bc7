"""A case's margin by a map, with its interval, from masks drawn with contour errors: for bench_gate.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from known_motion import Made

from pipelines.sample.phantoms import Contoured, SmoothError, Star
from planner.assess import AssessSettings
from planner.errors import InputError
from planner.grid import FloatArray, Grid
from planner.measure.interval import Doubt, margin_interval
from planner.measure.margin import THRESHOLDS_MM, measure_margin, slice_sd_mm
from planner.register.alignment import SpatialMap
from planner.volume import Mask

SETTINGS = AssessSettings()
SAMPLES = 4000


def true_margin_mm(made: Made) -> float:
    """Return the minimal margin of the true surfaces under the true motion."""
    return made.margin_mm(made.motion.post_from_pre(made.tumour.samples(SAMPLES).points_mm))


def margin_by(made: Made, used: SpatialMap, error_mm: float, seed: int) -> dict[str, Any]:
    """Return the measured margin and its 95 % interval, as a review would with this predicted error of the map.

    Tumour and zone are drawn with smooth contour errors of the size that a review assumes; there is no liver mask, as
    the truth knows none. A map that cannot be inverted at the tumour gives no row.
    """
    rng = np.random.default_rng([seed, 11])
    tumour = _drawn(made.tumour, made.pre.image.grid, SETTINGS.tumour_contour_sd_mm, rng)
    zone = _drawn(made.zone, made.post.image.grid, SETTINGS.zone_contour_sd_mm, rng, made)
    try:
        margin = measure_margin(tumour, [zone], post_from_pre=used.post_from_pre)
    except InputError:
        return {}
    doubt = Doubt(
        SETTINGS.tumour_contour_sd_mm, SETTINGS.zone_contour_sd_mm, SETTINGS.contour_correlation_mm, error_mm,
        margin.voxel_sd_mm, slice_sd_mm(margin),
    )  # fmt: skip
    points = margin.points()
    if points is None or margin.min_mm is None:
        raise RuntimeError("a margin without a liver always has a minimum")
    found = margin_interval(points, doubt, seed, THRESHOLDS_MM)
    return {"margin_mm": margin.min_mm, "margin_low_mm": found.low_mm, "margin_high_mm": found.high_mm}


def _drawn(body: Star, grid: Grid, sd_mm: float, rng: np.random.Generator, made: Made | None = None) -> Mask:
    """Return a body as a reader draws it on a lattice; POST's, where the case is given, lies in the frame near PRE."""
    drawn = Contoured(body, SmoothError.draw(sd_mm, SETTINGS.contour_correlation_mm, rng), np.zeros(3))
    points: FloatArray = grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T)
    points = points if made is None else made.motion.near(points)
    close = np.linalg.norm(points - body.centre_mm, axis=1) < NEAR_MM
    voxels = np.zeros(len(points), dtype=bool)
    voxels[close] = drawn.inside(points[close])
    return Mask(voxels.reshape(grid.shape_kji), grid, "tumour" if made is None else "ablation")


NEAR_MM = 60.0
"""No body is larger."""
