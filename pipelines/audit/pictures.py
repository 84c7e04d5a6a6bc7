"""The audit's pictures: margins of the cohort, and survival by band."""

from __future__ import annotations

from matplotlib.ticker import MaxNLocator

from pipelines.audit.bands import BANDS
from pipelines.audit.cohort import Histogram
from pipelines.audit.survival import Survival
from pipelines.figures import style
from pipelines.figures.encode import encoded
from planner.report.counts import counted
from planner.report.figure import Figure

_COLOURS = {band.name: drawn.colour for band, drawn in zip(BANDS, style.BANDS, strict=True)}
_DASHES = {"below_0": "-", "0_to_5": "--", "5_to_10": "-.", "from_10": ":"}


def histogram_figure(histogram: Histogram) -> Figure | None:
    """Return the histogram of minimal margins in the colours of their bands; None without margins."""
    if not histogram.lesions:
        return None
    figure = style.canvas(9.6, 3.3)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.075, right=0.985, bottom=0.16, top=0.95)
    for left, right, count in zip(histogram.edges_mm, histogram.edges_mm[1:], histogram.lesions, strict=False):
        (bar,) = ax.bar(left, count, width=right - left, align="edge", linewidth=0.5)
        style.hatched(bar, int(style.band_of(left)))
    for limit in (0.0, 5.0, 10.0):
        ax.axvline(limit, color="#333333", linewidth=0.8, linestyle=":")
    ax.set_xlim(min(histogram.edges_mm[0], -1.0), max(histogram.edges_mm[-1], 11.0))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("minimal margin, mm  (+ covered, - not covered on these images)", fontsize=9)
    ax.set_ylabel("lesions per mm", fontsize=9)
    ax.tick_params(labelsize=8.5)
    ax.spines[["top", "right"]].set_visible(False)
    total = sum(histogram.lesions)
    return encoded(
        figure, "margins", f"Minimal margins of {counted(total, 'lesion')}, bins of 1 mm that hold their lower edge.",
        f"Histogram of minimal margins of {counted(total, 'lesion')}; its counts are in audit.json.", kind="margins",
    )  # fmt: skip


def survival_figure(survival: Survival) -> Figure | None:
    """Return the curves by band with the numbers at risk below; None without lesions."""
    if not survival.curves:
        return None
    rows = len(survival.curves)
    height = 4.6 + 0.24 * rows
    figure = style.canvas(9.6, height)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.19, right=0.975, bottom=(0.85 + 0.24 * rows) / height, top=1 - 0.62 / height)
    handles = []
    for curve in survival.curves:
        name, colour = curve.band.name, _COLOURS[curve.band.name]
        # Yellow alone is too pale for a line on white: each has a dark line in its own dashes over its colour.
        pale = ax.step(curve.days, curve.survival, where="post", color=colour, linewidth=4.5, alpha=0.8, zorder=2)
        dark = ax.step(curve.days, curve.survival, where="post", color=style.INK, linewidth=1.1,
                       linestyle=_DASHES[name], zorder=3)  # fmt: skip
        handles.append((pale[0], dark[0]))
        ax.fill_between(curve.days, curve.low, curve.high, step="post", color=colour, alpha=0.12, zorder=1)
        heights = [curve.survival_at(day) for day in curve.censored_days]
        ax.plot(curve.censored_days, heights, linestyle="", marker="|", markersize=8, color=style.INK, zorder=4)
    last = max(survival.ticks_days[-1], *(curve.days[-1] for curve in survival.curves), 1.0)
    ax.set(xlim=(0.0, last * 1.02), ylim=(0.0, 1.03), xticks=survival.ticks_days)
    ax.set_xlabel("days from ablation", fontsize=9)
    ax.set_ylabel("share alive without LTP at the lesion", fontsize=9)
    ax.tick_params(labelsize=8.5)
    ax.spines[["top", "right"]].set_visible(False)
    names = [f"{curve.band.words} (n = {curve.lesions})" for curve in survival.curves]
    # Above the axes, where no curve can run beneath it.
    ax.legend(handles, names, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.5, frameon=False,
              handlelength=3.5, borderaxespad=0.2)  # fmt: skip
    for row, curve in enumerate(survival.curves):
        y = (0.3 + 0.24 * (rows - 1 - row)) / height
        figure.text(0.01, y, curve.band.words, fontsize=8, va="center")
        for tick, count in zip(survival.ticks_days, curve.at_risk, strict=True):
            x = ax.get_position().x0 + ax.get_position().width * tick / (last * 1.02)
            figure.text(x, y, str(count), fontsize=8, va="center", ha="center")
    figure.text(0.01, (0.32 + 0.24 * rows) / height, "at risk", fontsize=8, fontweight="bold", va="center")
    return encoded(
        figure, "survival",
        "Kaplan-Meier curves of LTP-free survival by minimal margin, 95 % intervals, and numbers at risk. Upright"
        " marks: follow-up that ended without an event.",
        "Survival curves by margin band; the table below holds their numbers.", kind="survival",
    )  # fmt: skip
