"""How the margin is spread over the tumour's surface."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipelines.figures import style
from planner.measure.margin import Margin
from planner.report import words

BIN_MM = 0.5
LOWEST_MM, HIGHEST_MM = -15.0, 20.0
_HATCHES = ("///", "", "", "")


def draw_distribution(lesion_id: str, margin: Margin) -> Canvas:
    """Return the histogram of the margin, by area, in its bands, with the minimum and its interval."""
    figure = style.canvas(9.6, 3.3)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.075, right=0.985, bottom=0.15, top=0.75)
    finite = np.isfinite(margin.map.primary_mm)
    values = np.clip(margin.map.primary_mm[finite], LOWEST_MM, HIGHEST_MM - 1e-9)
    area = margin.map.tumour.vertex_area_mm2
    edges = _edges(margin, values)
    share, _ = np.histogram(values, bins=edges, weights=100.0 * area[finite] / area.sum())
    places = style.band_of(edges[:-1])
    ax.bar(edges[:-1], share, width=BIN_MM, align="edge", color=[style.BANDS[n].colour for n in places],
           hatch=[_HATCHES[n] for n in places], edgecolor="#333333", linewidth=0.5)  # fmt: skip
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0.0, max(float(share.max(initial=0.0)) * 1.38, 1.0))
    ax.set_xlabel("margin, mm  (+ covered, - not covered on these images)", fontsize=9)
    ax.set_ylabel(f"% of surface per {BIN_MM:g} mm", fontsize=9)
    ax.tick_params(labelsize=8.5)
    ax.spines[["top", "right"]].set_visible(False)
    for limit in (0.0, 5.0, 10.0):
        ax.axvline(limit, color="#333333", linewidth=0.8, linestyle=":")
    _mark_minimum(ax, margin)
    _name_bands(figure, margin, area)
    figure.suptitle(f"Lesion {lesion_id}: margin over the tumour surface", fontsize=11, fontweight="bold", y=0.985)
    return figure


def _edges(margin: Margin, values: style.FloatArray) -> style.FloatArray:
    """Return bin edges on whole multiples of the bin, so that no bin lies in two bands."""
    found = [*values.tolist(), 0.0, 5.0]
    if margin.interval is not None:
        found += [margin.interval.low_mm, margin.interval.high_mm]
    low = max(np.floor(min(found)) - 1.0, LOWEST_MM)
    high = min(np.ceil(max(found)) + 1.0, HIGHEST_MM)
    return np.arange(low, high + BIN_MM / 2, BIN_MM)


def _mark_minimum(ax: Axes, margin: Margin) -> None:
    if margin.min_mm is None:
        return
    top = ax.get_ylim()[1]
    height = 0.86 * top
    text = f"minimum {words.millimetres(margin.min_mm)} mm"
    if margin.interval is not None:
        low, high = margin.interval.low_mm, margin.interval.high_mm
        ax.errorbar([(low + high) / 2], [height], xerr=[[(high - low) / 2]], fmt="none", ecolor=style.INK,
                    elinewidth=1.6, capsize=5)  # fmt: skip
        text += f", 95 % interval {words.millimetres(low)} to {words.millimetres(high)} mm"
    ax.plot([margin.min_mm], [height], marker="D", markersize=7, color=style.INK)
    ax.plot([margin.min_mm, margin.min_mm], [0.0, height], color=style.INK, linewidth=1.0)
    left, right = ax.get_xlim()
    near_right = margin.min_mm > (left + right) / 2
    ax.annotate(text, xy=(margin.min_mm, height), xytext=(0, 9), textcoords="offset points", fontsize=9,
                ha="right" if near_right else "left", va="bottom",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip


def _name_bands(figure: Canvas, margin: Margin, area: style.FloatArray) -> None:
    """Print each band's share of the surface beside its colour, above the histogram."""
    places = style.band_of(margin.map.primary_mm)
    for n, band in enumerate(style.BANDS):
        share = float(area[places == n].sum() / area.sum())
        x = (0.075, 0.34, 0.56, 0.78)[n]
        figure.text(x, 0.86, "   ", fontsize=8.5, va="center", bbox={
            "boxstyle": "square,pad=0.15", "facecolor": band.colour, "edgecolor": "#333333", "hatch": _HATCHES[n],
        })  # fmt: skip
        figure.text(x + 0.025, 0.86, f"{band.words}: {words.percent(share)} %", fontsize=8.8, va="center")
