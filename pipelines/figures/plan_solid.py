"""A still 3-D scene of a plan: liver, vessels, tumour, zones and needles, from three sides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from scipy import ndimage
from scipy.spatial import ConvexHull

from pipelines.figures import style
from pipelines.figures.colour_bar import add_colour_bar
from pipelines.figures.plan_scene import PlanScene, shaft_ends
from pipelines.figures.sections import FloatArray
from pipelines.figures.solid import View, draw_axes, draw_surface, outline_of

FROM_FRONT, FROM_LEFT, FROM_FEET = (np.array(eye) for eye in ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)))
"""Where the reader stands, LPS."""

ROOM, AXES_ROOM = 1.3, 1.25
"""The picture is so many times as large as what it shows; letters and the scale bar stand within the second of it."""

FIRST, LAST = 1.0, 6.0
"""What lies behind the tumour in a picture, and what before it."""

NOT_PLANNED = (0.0, (3.0, 1.6))
"""Dashes of a needle whose entry is not planned."""

CELLS = 120
"""Cells of the picture across, where structures are drawn as shadows of their voxels."""

COLOURS = {"liver": "#CDBFB4", "vessels": style.VESSEL.colour, "ducts": style.DUCT.colour}
OPACITY = {"liver": 0.35, "vessels": 0.6, "ducts": 0.7, "zone": 0.3}
_RIM = [withStroke(linewidth=4.2, foreground="black")]


def draw_plan_scene(shown: PlanScene) -> Canvas:
    """Return the scene from the front as a whole, and around the lesion from the patient's left and from the feet."""
    figure = style.canvas(9.6, 4.6)
    whole, near = _all_points(shown), _near_points(shown)
    views = (
        ("The whole, from the front", _view(FROM_FRONT, whole)),
        ("Around the lesion, from the patient's left", _view(FROM_LEFT, near)),
        ("Around the lesion, from the feet, as in axial pictures", _view(FROM_FEET, near)),
    )
    for place, (title, view) in enumerate(views):
        ax = figure.add_axes((place / 3.0 + 0.004, 0.22, 1.0 / 3.0 - 0.008, 0.66))
        ax.set(xlim=(-view.half_mm, view.half_mm), ylim=(-view.half_mm, view.half_mm), aspect="equal")
        ax.set_axis_off()
        _draw(ax, shown, view)
        draw_axes(ax, View(view.eye, view.centre_lps_mm, view.half_mm / AXES_ROOM))
        figure.text((place + 0.5) / 3.0, 0.9, title, fontsize=8.5, ha="center")
    add_colour_bar(figure, 1.8, 0.06, 6.0)
    handles = list(_handles(shown))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=8, frameon=False,
                  bbox_to_anchor=(0.5, 0.13))  # fmt: skip
    figure.suptitle(f"Lesion {shown.lesion.lesion_id}: planned zones and needles in 3-D", fontsize=11,
                    fontweight="bold", y=0.985)  # fmt: skip
    return figure


def _draw(ax: Axes, shown: PlanScene, view: View) -> None:
    """Draw what holds the tumour first, so that it is not seen through it; outlines and needles over it."""
    for kind, points, apart_mm in shown.around:
        _fill(ax, shadow(points, apart_mm, view), COLOURS[kind], OPACITY[kind], FIRST)
    zones = [(_hull(view.place(surface.vertices_lps_mm)), style.PLANNED_ZONE.colour) for surface in shown.planned]
    zones += [
        (shadow(surface.vertices_lps_mm, max(surface.voxel_kji_mm), view), style.MADE_ZONE.colour)
        for surface in shown.made
    ]
    for path, colour in zones:
        _fill(ax, path, colour, OPACITY["zone"], FIRST)
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=style.INK, linewidth=0.7, zorder=LAST))
    tumour, margin = shown.scene.tumour, shown.scene.lesion.margin
    if margin is not None:
        draw_surface(ax, margin, view)
    else:
        _fill(ax, shadow(tumour.vertices_lps_mm, max(tumour.voxel_kji_mm), view), style.NO_MARGIN, 1.0, FIRST)
    for needle in shown.needles:
        ends = view.place(np.stack(shaft_ends(needle)))
        dashes = style.NEEDLE.linestyle if needle.entry_lps_mm is not None else NOT_PLANNED
        ax.plot(*ends.T, color=style.NEEDLE.colour, linewidth=2.4, linestyle=dashes, path_effects=_RIM, zorder=LAST)
        ax.plot(*ends[1], marker="o", markersize=5, color=style.NEEDLE.colour, markeredgecolor="black", zorder=LAST)


def _fill(ax: Axes, path: Path, colour: str, opacity: float, order: float) -> None:
    ax.add_patch(PathPatch(path, facecolor=colour, alpha=opacity, edgecolor=style.INK, linewidth=0.7, zorder=order))


def shadow(points_lps_mm: FloatArray, apart_mm: float, view: View) -> Path:
    """Return the outline of what points of a body's border cover in a view, smoothed over a cell.

    Parameters
    ----------
    points_lps_mm
        Shape (n, 3).
    apart_mm
        How far they lie apart: no cell is smaller.
    view
        The view.
    """
    cell = max(2.0 * view.half_mm / CELLS, apart_mm)
    count = 2 * int(np.ceil(view.half_mm / cell)) + 3
    at = np.rint(view.place(points_lps_mm) / cell).astype(np.int64) + count // 2
    met = ((at >= 0) & (at < count)).all(axis=1)
    cells = np.zeros((count, count), dtype=bool)
    cells[at[met, 1], at[met, 0]] = True
    filled = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(cells, 2), iterations=2))
    return outline_of(np.asarray(filled, dtype=bool), cell * np.arange(-2.0 - count // 2, count // 2 + 3.0))


def _hull(places: FloatArray) -> Path:
    """Return the outline of a convex body by the places of its surface's points, shape (n, 2)."""
    return Path(places[ConvexHull(places).vertices], closed=False)


def _view(eye: FloatArray, points: FloatArray) -> View:
    """Return the view that holds all points."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    view = View(eye, middle, 1.0)
    return View(eye, middle, ROOM * float(np.abs(view.place(points)).max()))


def _near_points(shown: PlanScene) -> FloatArray:
    surfaces = (shown.scene.tumour, *shown.planned, *shown.made)
    return np.concatenate([surface.vertices_lps_mm for surface in surfaces])


def _all_points(shown: PlanScene) -> FloatArray:
    ends = [np.stack(shaft_ends(needle)) for needle in shown.needles]
    livers = [points for kind, points, _ in shown.around if kind == "liver"]
    return np.concatenate([_near_points(shown), *ends, *livers])


def _handles(shown: PlanScene) -> Iterator[Patch | Line2D]:
    words = {"liver": style.LIVER.words, "vessels": style.VESSEL.words, "ducts": style.DUCT.words}
    for kind in dict.fromkeys(kind for kind, _, _ in shown.around):
        yield Patch(facecolor=COLOURS[kind], alpha=OPACITY[kind], edgecolor=style.INK, label=words[kind])
    for stroke in {stroke.words: stroke for _, stroke in shown.zones()}.values():
        yield Patch(facecolor=stroke.colour, alpha=OPACITY["zone"], edgecolor=style.INK, label=stroke.words)
    for dashed in sorted({needle.entry_lps_mm is None for needle in shown.needles}):
        label = "axis of a needle, entry not planned" if dashed else style.NEEDLE.words
        yield Line2D([], [], color=style.NEEDLE.colour, linewidth=2.4, label=label, path_effects=_RIM,
                     linestyle=NOT_PLANNED if dashed else style.NEEDLE.linestyle)  # fmt: skip
