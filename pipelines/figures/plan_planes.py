"""The planes of a plan: three through the thin spot, and slices all through the target."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure as Canvas
from skimage.measure import find_contours

from pipelines.figures import planes, style
from pipelines.figures.plan_scene import PlanScene, shaft_ends
from pipelines.figures.scene import LARGEST_HALF_MM
from pipelines.figures.sections import ORIENTATIONS, FloatArray, Section
from planner.plan.slices import Slice, Slices
from planner.report import words
from planner.report.plan_text import planned_reading

MOST_SLICES = 12
COLUMNS = 4
AROUND_MM = 10.0
HAIR_MM = 1e-3
SAMPLES = 100
"""To either side of the middle of a slice."""

UNCOVERED_OPACITY = 0.55

ALONG_MM = 1.0
"""What of a needle lies this near to a plane lies in it, and as near as the middle to the next of several slices."""

Used = dict[str, style.Stroke]

ACROSS = {2: "axial", 1: "coronal", 0: "sagittal"}
"""The plane that lies across each axis of the patient."""


def draw_plan_planes(shown: PlanScene) -> Canvas:
    """Return three planes through the thin spot, and below, where one is known, close up at it."""
    scene = shown.scene
    rows = ["the plan", "close up"] if scene.foot_lps_mm is not None else ["the plan"]
    height_in = 0.75 + 3.12 * len(rows)
    figure = style.canvas(9.6, height_in)
    figure.subplots_adjust(left=0.035, right=0.995, bottom=0.5 / height_in, top=1 - 0.62 / height_in, wspace=0.03,
                           hspace=0.03)  # fmt: skip
    used: Used = {}
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for line, name in zip(axes, rows, strict=True):
        line[0].text(-0.015, 0.5, name, transform=line[0].transAxes, fontsize=9, rotation=90.0, ha="right", va="center")
        for ax, orientation in zip(line, ORIENTATIONS, strict=True):
            close = name == "close up"
            half_mm = max(planes.CLOSE_MM, 2.2 * abs(scene.min_mm or 0.0))
            section = scene.close(orientation, half_mm) if close else scene.overview(orientation)
            draw_plane(ax, shown, section, used)
            draw_needles(ax, shown, section, used, ALONG_MM)
            planes.frame(ax, section, bar_mm=5.0 if close else 10.0)
            if close:
                planes.arrow(ax, scene, section)
            elif scene.foot_lps_mm is not None:
                planes.callout(ax, scene, section)
    for ax, orientation in zip(axes[0], ORIENTATIONS, strict=True):
        ax.set_title(orientation.capitalize(), fontsize=10, pad=3)
    title = f"Lesion {shown.lesion.lesion_id}: {planned_reading(shown.lesion, scene.lesion)}"
    figure.suptitle(title, fontsize=11, fontweight="bold", y=1 - 0.12 / height_in, va="top")  # fmt: skip
    planes.add_legend(figure, used, style.PLAN_STROKES)
    return figure


def draw_plan_slices(shown: PlanScene) -> Canvas | None:
    """Return slices all through the target, with what of it no zone holds; None where the scan does not reach it."""
    chosen = chosen_slices(shown.lesion.slices)
    if not chosen:
        return None
    rows = -(-len(chosen) // COLUMNS)
    height_in = 0.75 + 2.55 * rows
    figure = style.canvas(9.6, height_in)
    figure.subplots_adjust(left=0.005, right=0.995, bottom=0.42 / height_in, top=1 - 0.62 / height_in, wspace=0.02,
                           hspace=0.11)  # fmt: skip
    used: Used = {}
    axes = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for ax in axes[len(chosen) :]:
        ax.set_axis_off()
    axis, least = shown.lesion.slices.axis, shown.lesion.slices.least
    apart_mm = shown.plan.case.pre.image.grid.spacing_kji_mm[0]
    for ax, one in zip(axes, chosen, strict=False):
        section = _section(shown, axis, one)
        draw_plane(ax, shown, section, used)
        draw_needles(ax, shown, section, used, max(ALONG_MM, apart_mm / 2.0))
        weight = "bold" if one is least else "normal"
        ax.set_title(slice_words(one, axis), fontsize=8.5, pad=3, fontweight=weight)
    planes.frame(axes[0], _section(shown, axis, chosen[0]), bar_mm=10.0)
    figure.suptitle(f"Lesion {shown.lesion.lesion_id}: how much of the target the zones hold, slice by slice",
                    fontsize=11, fontweight="bold", y=1 - 0.1 / height_in, va="top")  # fmt: skip
    planes.add_legend(figure, used, style.PLAN_STROKES)
    return figure


def slice_words(one: Slice, axis: int) -> str:
    """Return where a slice lies, and what share of the target in it is covered."""
    share = "all covered" if one.uncovered_mm2 <= 0.0 else f"{words.percent(one.covered_share)} % covered"
    return f"{words.coordinate(one.at_mm, axis)} mm: {share}"


def chosen_slices(slices: Slices) -> tuple[Slice, ...]:
    """Return up to twelve slices, evenly spread from the one end to the other, and the one that lacks most."""
    count = len(slices.all)
    if count <= MOST_SLICES:
        chosen = set(range(count))
    else:
        chosen = {round(place) for place in np.linspace(0, count - 1, MOST_SLICES)}
        if slices.least is not None and (least := slices.all.index(slices.least)) not in chosen:
            chosen = {least, *(chosen - {min(chosen, key=lambda one: abs(one - least))})}
    return tuple(sorted((slices.all[n] for n in chosen), key=lambda one: -one.at_mm))


def draw_plane(ax: Axes, shown: PlanScene, section: Section, used: Used) -> None:
    """Draw a plane of the planning scan with target, tumour and zones, and what no zone holds."""
    planes.show_study(ax, shown.plan.case.pre, section, used)
    _draw_target(ax, shown, section, used)
    for surface, stroke in shown.zones():
        planes.outline(ax, section.cut(surface), stroke, used)
    planes.outline(ax, section.cut(shown.scene.tumour), style.TUMOUR_HERE, used)


def _draw_target(ax: Axes, shown: PlanScene, section: Section, used: Used) -> None:
    coarse, target, left = shown.fields(section)
    x, y = coarse.axes_mm
    if (left > 0.0).any():
        used[style.UNCOVERED.words] = style.UNCOVERED
        ax.contourf(x, y, left, levels=[0.0, np.inf], colors=[to_rgba(style.UNCOVERED.colour, UNCOVERED_OPACITY)])
    planes.outline(ax, coarse.lines(find_contours(target, 0.0)), style.TARGET, used)


def draw_needles(ax: Axes, shown: PlanScene, section: Section, used: Used, near_mm: float) -> None:
    """Draw what of each needle lies near a plane: a line where it runs along it, a dot where it crosses it.

    All of it is drawn faintly, dropped onto the plane.
    """
    for needle in shown.needles:
        ends = np.stack(shaft_ends(needle))
        whole, part = section.project(ends), section.project(_within(ends, section, near_mm))
        used[style.NEEDLE.words] = style.NEEDLE
        ax.plot(*whole.T, color=style.NEEDLE.colour, linewidth=1.0, linestyle=":", zorder=5)
        if len(part) and np.linalg.norm(part[1] - part[0]) > 2.0 * near_mm:
            planes.outline(ax, [part], style.NEEDLE, used)
        elif len(part):
            ax.plot(*part.mean(axis=0), marker="o", markersize=4.5, color=style.NEEDLE.colour, markeredgecolor="black",
                    zorder=6)  # fmt: skip


def _within(ends: FloatArray, section: Section, near_mm: float) -> FloatArray:
    """Return the ends of that part of a line, given by its ends, that lies near a plane, shape (2, 3) or (0, 3)."""
    heights = (ends - section.centre_lps_mm) @ section.normal
    rise = float(heights[1] - heights[0])
    if abs(rise) < 1e-9:
        return ends if abs(float(heights[0])) <= near_mm else ends[:0]
    first, last = np.clip(np.sort((np.array([-near_mm, near_mm]) - heights[0]) / rise), 0.0, 1.0)
    return np.asarray(ends[0] + np.outer((first, last), ends[1] - ends[0])) if last > first else ends[:0]


def _section(shown: PlanScene, axis: int, one: Slice) -> Section:
    surfaces = (shown.scene.tumour, *shown.planned)
    points = np.concatenate([surface.vertices_lps_mm for surface in surfaces])
    asked = shown.lesion.asked_mm
    tumour = shown.scene.tumour.vertices_lps_mm
    low = np.minimum(points.min(axis=0), tumour.min(axis=0) - asked)
    high = np.maximum(points.max(axis=0), tumour.max(axis=0) + asked)
    half = min(float((high - low).max()) / 2.0 + AROUND_MM, LARGEST_HALF_MM)
    centre = (low + high) / 2.0
    # The outermost slice lies on the scan's edge: a hair's breadth inside of it, it is drawn.
    edges = shown.plan.case.pre.image.grid.corners_lps_mm()[:, axis]
    centre[axis] = np.clip(one.at_mm, edges.min() + HAIR_MM, edges.max() - HAIR_MM)
    return Section(ACROSS[axis], centre, (half, half), half / SAMPLES)
