"""Edges of the registered PRE over POST: whether vessels and capsule fall on each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from scipy import ndimage
from skimage.measure import find_contours

from pipelines.figures import planes, style
from pipelines.figures.pair import Pair
from pipelines.figures.scene import LesionScene
from pipelines.figures.sections import FloatArray

SMOOTH_MM = 1.5
"""Standard deviation of the smoothing before edges are looked for."""

LEAST_PER_MM = 0.0125
"""Least mean slope along an edge, in shares of the window a mm: 5 HU a mm at a window of 400 HU."""

NOISE_FACTOR = 4.0
"""An edge is on average this many times as steep as the flattest quarter of the picture is at most."""

KEPT = 0.55
"""An edge goes on as long as its slope is this share of the least mean."""

SHORTEST_MM = 6.0
"""Shorter edges are left out: they are noise more often than vessels."""


def draw_edges(scene: LesionScene, pairs: Sequence[Pair]) -> Canvas:
    """Return POST through the lesion with the edges of PRE, tumour and liver of PRE, and the zones of POST."""
    figure, axes = planes.panels([pair.section for pair in pairs])
    used: dict[str, style.Stroke] = {}
    for ax, pair in zip(axes, pairs, strict=True):
        planes.show(ax, pair.section, pair.post)
        planes.shade(ax, pair.section, np.isnan(pair.pre))
        planes.outline(ax, edge_lines(pair), style.EDGE, used)
        planes.outline_pre_liver(ax, scene, pair, used)
        planes.ringed_lesion(ax, scene, pair.section, used)
        planes.frame(ax, pair.section, bar_mm=20.0)
    return planes.finished(figure, f"Lesion {scene.lesion.lesion_id}: edges of the moved PRE over POST", used)


def edge_lines(pair: Pair) -> list[FloatArray]:
    """Return the edges of the registered PRE on a plane: lines of picture coordinates, shape (n, 2) each, mm.

    An edge is where the slope of the smoothed image is greatest along its own direction (a zero of the second
    derivative in that direction), steeper than the noise, and long enough.
    """
    step = pair.section.step_mm
    slope, bend, falling = _slopes(pair.pre, step)
    # Near the end of PRE the smoothed values are made up.
    known = ~ndimage.binary_dilation(np.isnan(pair.pre), iterations=int(np.ceil(2.0 * SMOOTH_MM / step)))
    tissue = known & (pair.pre > 0.0) & (pair.pre < 1.0)
    if not tissue.any():
        return []
    least = max(LEAST_PER_MM, NOISE_FACTOR * float(np.quantile(slope[tissue], 0.25)))
    contours = find_contours(bend, 0.0, mask=known & falling & (slope > KEPT * least))
    strong = [line for line in contours if _length(line) * step >= SHORTEST_MM and _mean(slope, line) >= least]
    return pair.section.lines(strong)


def _slopes(grey: FloatArray, step_mm: float) -> tuple[FloatArray, FloatArray, style.BoolArray]:
    """Return slope (a mm), second derivative in the slope's direction, and where that falls along it (no ledge)."""
    unknown = np.isnan(grey)
    if unknown.all():
        return np.zeros_like(grey), np.zeros_like(grey), np.zeros_like(unknown)
    if unknown.any():
        nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
        grey = grey[tuple(nearest)]
    smooth = ndimage.gaussian_filter(grey, SMOOTH_MM / step_mm)
    dy, dx = np.gradient(smooth, step_mm)
    (dyy, dyx), (_, dxx) = (np.gradient(part, step_mm) for part in (dy, dx))
    bend = dy * dy * dyy + 2.0 * dy * dx * dyx + dx * dx * dxx
    by, bx = np.gradient(bend, step_mm)
    return np.hypot(dy, dx), bend, dy * by + dx * bx < 0.0


def _length(line: FloatArray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _mean(slope: FloatArray, line: FloatArray) -> float:
    return float(ndimage.map_coordinates(slope, line.T, order=1).mean())
