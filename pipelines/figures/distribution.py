"""How the margin is spread over the tumour's surface."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipelines.figures import style
from pipelines.figures.colour_bar import add_colour_bar
from planner.measure.margin import THRESHOLDS_MM, Margin
from planner.report import words

BIN_MM = 0.5
LOWEST_MM, HIGHEST_MM = -15.0, 20.0
CURVE_MM = 0.1
"""Distance between the points of the cumulative curve."""


def draw_distribution(lesion_id: str, margin: Margin) -> Canvas:
    """Return histogram and cumulative curve of the margin, by area, with the minimum and its interval."""
    figure = style.canvas(9.6, 4.3)
    bars, curve = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.125, top=0.70, wspace=0.17)
    finite = np.isfinite(margin.map.primary_mm)
    edges = _edges(margin, np.clip(margin.map.primary_mm[finite], LOWEST_MM, HIGHEST_MM - 1e-9))
    _draw_bars(bars, margin, edges)
    _draw_curve(curve, margin, edges)
    for ax in (bars, curve):
        ax.set_xlim(edges[0], edges[-1])
        ax.set_xlabel("margin, mm  (+ covered, - not covered on these images)", fontsize=9)
        ax.tick_params(labelsize=8.5)
        ax.spines[["top", "right"]].set_visible(False)
        for limit in THRESHOLDS_MM:
            ax.axvline(limit, color="#333333", linewidth=0.8, linestyle=":")
    area = margin.map.tumour.vertex_area_mm2
    places = style.band_of(margin.map.primary_mm)
    shares = [float(area[places == n].sum() / area.sum()) for n in range(len(style.BANDS))]
    add_colour_bar(figure, 0.6, 3.2, 8.9, [f"{words.percent(share)} % of the surface" for share in shares])
    figure.suptitle(f"Lesion {lesion_id}: margin over the tumour surface", fontsize=11, fontweight="bold", y=0.985)
    return figure


def cumulative_share(margin: Margin, below_mm: style.FloatArray) -> style.FloatArray:
    """Return the share of the tumour's surface, by area, whose margin is below each of some values, shape (n,)."""
    order = np.argsort(margin.map.primary_mm, kind="stable")
    area = np.concatenate([[0.0], np.cumsum(margin.map.tumour.vertex_area_mm2[order])])
    return np.asarray(area[np.searchsorted(margin.map.primary_mm[order], below_mm, side="left")] / area[-1])


def _draw_bars(ax: Axes, margin: Margin, edges: style.FloatArray) -> None:
    finite = np.isfinite(margin.map.primary_mm)
    area = margin.map.tumour.vertex_area_mm2
    values = np.clip(margin.map.primary_mm[finite], LOWEST_MM, HIGHEST_MM - 1e-9)
    share, _ = np.histogram(values, bins=edges, weights=100.0 * area[finite] / area.sum())
    places = style.band_of(edges[:-1])
    for patch, place in zip(ax.bar(edges[:-1], share, width=BIN_MM, align="edge", linewidth=0.5), places, strict=True):
        style.hatched(patch, int(place))
    ax.set_ylim(0.0, max(float(share.max(initial=0.0)) * 1.38, 1.0))
    ax.set_ylabel(f"% of surface per {BIN_MM:g} mm", fontsize=9)
    _mark_minimum(ax, margin, edges)


def _draw_curve(ax: Axes, margin: Margin, edges: style.FloatArray) -> None:
    at_mm = np.arange(edges[0], edges[-1] + CURVE_MM / 2, CURVE_MM)
    if margin.interval is not None:
        low, high = margin.interval.low_mm, margin.interval.high_mm
        ax.axvspan(low, high, facecolor="#bbbbbb", alpha=0.45, linewidth=0.0)
        ax.text(np.clip((low + high) / 2, edges[0], edges[-1]), 116.0, "95 % interval of the minimum", fontsize=8,
                ha="left" if high < edges[0] + 0.4 * (edges[-1] - edges[0]) else "center", va="bottom")  # fmt: skip
    ax.plot(at_mm, 100.0 * cumulative_share(margin, at_mm), color=style.INK, linewidth=1.6)
    for limit in THRESHOLDS_MM:
        share = float(cumulative_share(margin, np.array([limit]))[0])
        if not edges[0] <= limit <= edges[-1]:
            continue
        ax.plot(limit, 100.0 * share, marker="o", markersize=5, color=style.INK)
        ha, dx, up = _label_side(share, (limit - edges[0]) / (edges[-1] - edges[0]))
        ax.annotate(f"{words.percent(share)} % below {limit:g} mm", xy=(limit, 100.0 * share),
                    xytext=(dx, 5 if up else -3), textcoords="offset points", fontsize=8.5,
                    va="bottom" if up else "top", ha=ha,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip
    ax.set_ylim(-4.0, 124.0)
    ax.set_yticks([0, 25, 50, 75, 100])
    ax.set_ylabel("% of surface below", fontsize=9)


def _label_side(share: float, across: float) -> tuple[Literal["left", "center", "right"], int, bool]:
    """Return alignment, shift in points and whether above, so that a label of the curve's point is clear of the curve.

    `across` is how far across the axes the point lies, from 0 to 1.
    """
    if share > 0.5:
        return "right", -6, True
    if share < 0.05:
        return ("left", 4, True) if across < 0.2 else ("right", 8, True) if across > 0.8 else ("center", 0, True)
    return "left", 6, False


def _edges(margin: Margin, values: style.FloatArray) -> style.FloatArray:
    """Return bin edges on whole multiples of the bin, so that no bin lies in two bands."""
    found = [*values.tolist(), 0.0, 10.0]
    if margin.interval is not None:
        found += [margin.interval.low_mm, margin.interval.high_mm]
    low = max(np.floor(min(found)) - 1.0, LOWEST_MM)
    high = min(np.ceil(max(found)) + 1.0, HIGHEST_MM)
    return np.arange(low, high + BIN_MM / 2, BIN_MM)


def _mark_minimum(ax: Axes, margin: Margin, edges: style.FloatArray) -> None:
    if margin.min_mm is None:
        return
    top = ax.get_ylim()[1]
    height = 0.83 * top
    text = f"minimum {words.millimetres(margin.min_mm)} mm"
    if margin.interval is not None:
        low, high = margin.interval.low_mm, margin.interval.high_mm
        ax.errorbar([(low + high) / 2], [height], xerr=[[(high - low) / 2]], fmt="none", ecolor=style.INK,
                    elinewidth=1.6, capsize=5)  # fmt: skip
        text += f", 95 % interval {words.millimetres(low)} to {words.millimetres(high)} mm"
    ax.plot([margin.min_mm], [height], marker="D", markersize=7, color=style.INK)
    ax.plot([margin.min_mm, margin.min_mm], [0.0, height], color=style.INK, linewidth=1.0)
    near_right = margin.min_mm > (edges[0] + edges[-1]) / 2
    ax.text(0.99 if near_right else 0.015, 0.99, text, transform=ax.transAxes, fontsize=9, va="top",
            ha="right" if near_right else "left")  # fmt: skip
