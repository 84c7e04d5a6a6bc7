"""The minimal margins of several studies after one ablation, over time."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipelines.figures import style
from pipelines.figures.encode import encoded
from planner.report.counts import counted
from planner.report.figure import Figure
from planner.report.trend import LesionAt, PostAt, Trend

COLOURS = ("#0072B2", "#1a1a1a", "#AA3377", "#7F7F7F", "#7A2CF0", "#8C564B")
MARKERS = ("o", "s", "^", "D", "v", "P")
"""Colour and mark both tell lesions apart; none is the colour of a band, as a lesion's line runs through several."""

SIDESTEP_SHARE = 0.012
"""Lesions of one day stand beside each other by this share of the axis, so that no interval hides another."""

_AXES = {
    "since": "days since ablation",
    "between": "days since the pre-ablation study",
    "number": "study, in the order of the table",
}


def trend_figure(trend: Trend) -> Figure | None:
    """Return each lesion's minimal margin with its 95 % interval over time; None without two margins of a lesion."""
    lesions = [lesion_id for lesion_id in trend.lesion_ids if len(_points(trend, lesion_id)) > 1]
    if not lesions:
        return None
    kind, where = _times(trend)
    figure = style.canvas(9.6, 3.6)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.075, right=0.83, bottom=0.15, top=0.95)
    span = max(where.values()) - min(where.values()) or 1.0
    for place, lesion_id in enumerate(lesions):
        aside = (place - (len(lesions) - 1) / 2) * SIDESTEP_SHARE * span
        _draw(ax, place, lesion_id, [(where[post.number] + aside, x) for post, x in _points(trend, lesion_id)])
    for limit in (0.0, 5.0, 10.0):
        ax.axhline(limit, color="#333333", linewidth=0.8, linestyle="-" if limit == 0 else ":", zorder=0)
    ax.set_xlabel(_AXES[kind], fontsize=9)
    ax.set_ylabel("minimal margin, mm", fontsize=9)
    if kind == "number":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(labelsize=8.5)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5, frameon=False)
    return encoded(
        figure, "trend",
        f"Minimal margin of each lesion over {_AXES[kind]}, with the 95 % interval of each study. Positive: covered;"
        " negative: not covered on these images. Lines join the studies of a lesion; nothing is known between them.",
        f"Minimal margins of {counted(len(lesions), 'lesion')} in {counted(len(trend.posts), 'study', 'studies')}; the"
        " table holds their numbers.",
        kind="trend",
    )  # fmt: skip


def _draw(ax: Axes, place: int, lesion_id: str, points: list[tuple[float, LesionAt]]) -> None:
    times = [time for time, _ in points]
    margins = [lesion.min_mm or 0.0 for _, lesion in points]
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    ax.plot(
        times,
        margins,
        color=colour,
        marker=marker,
        markersize=6,
        linewidth=0.8,
        linestyle="--",
        label=f"lesion {lesion_id}",
    )
    for time, lesion in points:
        if lesion.ci95_mm is not None:  # the measured minimum need not lie in it
            ax.plot([time, time], lesion.ci95_mm, color=colour, linewidth=1.0, marker="_", markersize=7)


def _points(trend: Trend, lesion_id: str) -> list[tuple[PostAt, LesionAt]]:
    return [
        (post, lesion) for post in trend.posts for lesion in post.lesions
        if lesion.lesion_id == lesion_id and lesion.min_mm is not None
    ]  # fmt: skip


def _times(trend: Trend) -> tuple[str, dict[int, float]]:
    """Return what the time axis shows, the best that is known of all studies, and the place of each by its number."""
    timings = {post.number: post.timing for post in trend.posts if post.timing is not None}
    since = {number: timing.days_since_ablation for number, timing in timings.items()}
    between = {number: timing.days_between_studies for number, timing in timings.items()}
    for kind, days in (("since", since), ("between", between)):
        known = {number: day for number, day in days.items() if day is not None}
        if len(known) == len(timings):
            return kind, known
    return "number", {number: float(number) for number in timings}
