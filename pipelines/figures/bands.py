"""A margin given on a raster, drawn as areas of the bands: colour, hatching and the lines between them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from scipy import ndimage

from pipelines.figures import style
from pipelines.figures.samples import ENDLESS_MM, FloatArray
from planner.measure.margin import THRESHOLDS_MM

HOLE_CELLS = 1.5
"""A gap between samples that is no wider is filled from beside it."""


def fill_bands(ax: Axes, x: FloatArray, y: FloatArray, margin_mm: FloatArray, within: Patch) -> None:
    """Draw the bands of a margin within a patch, as lines and areas, not as a raster.

    Parameters
    ----------
    ax, x, y
        Where, and the coordinates of the raster's columns and rows.
    margin_mm
        Shape (rows, columns); left as it is where it is not a number (there is nothing) or without end (nothing is left
        to measure to).
    within
        What ends the areas; it must be in the axes.
    """
    filled = without_holes(margin_mm)
    filled[filled >= ENDLESS_MM / 2] = np.nan
    if not np.isfinite(filled).any():
        return
    clipped = np.ma.masked_invalid(np.clip(filled, -ENDLESS_MM, ENDLESS_MM))
    levels = (-ENDLESS_MM - 1.0, *THRESHOLDS_MM, ENDLESS_MM + 1.0)
    areas = ax.contourf(x, y, clipped, levels=levels, colors=[band.colour for band in style.BANDS],
                        hatches=[band.hatch or None for band in style.BANDS])  # fmt: skip
    areas.set(edgecolor=style.HATCH_INK, linewidth=0.0, hatch_linewidth=style.HATCH_PT)
    areas.set_clip_path(within)
    if _crossed(clipped):
        lines = ax.contour(x, y, clipped, levels=THRESHOLDS_MM, colors=style.INK, linewidths=(1.3, 0.8, 0.8),
                           linestyles=("-", "--", ":"))  # fmt: skip
        lines.set_clip_path(within)


def without_holes(values: FloatArray, cells: float = HOLE_CELLS) -> FloatArray:
    """Return values with what is not a number filled from the nearest cell, up to so many cells away."""
    far, nearest = ndimage.distance_transform_edt(np.isnan(values), return_indices=True)
    return np.where(far <= cells, values[tuple(nearest)], np.nan)


def _crossed(margin_mm: np.ma.MaskedArray) -> bool:
    low, high = float(margin_mm.min()), float(margin_mm.max())
    return any(low < limit < high for limit in THRESHOLDS_MM)
