"""The planes through the minimal margin: what the reader looks at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, IdentityTransform

from pipelines.figures import style
from pipelines.figures.encode import POINTS_AN_INCH
from pipelines.figures.pair import Pair
from pipelines.figures.scene import OUT_OF_PLANE_MM, LesionScene, ducts
from pipelines.figures.sections import ORIENTATIONS, FloatArray, Section
from planner.case import Study
from planner.report import words

OUTSIDE = "#4f5f70"
CLOSE_MM = 14.0
FEW_STROKES = 7
"""A legend of more is set closer, so that it stays within its figure."""

UNSEEN_PT = 0.08
"""A vertex nearer than this to the line without it is left out."""

_GREY = colormaps["gray"].with_extremes(bad=OUTSIDE)
_TINT = ListedColormap([OUTSIDE])
_THIN_RIM = [withStroke(linewidth=3.2, foreground=style.THIN_SPOT_RIM)]
BOX = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "black", "linewidth": 0.6}
_RIM = [withStroke(linewidth=4.2, foreground=style.THIN_SPOT_RIM)]
SHADOW = {"boxstyle": "square,pad=0.12", "facecolor": "#000000b0", "edgecolor": "none"}
"""What white words stand on in a scan."""

_HALO = [withStroke(linewidth=2.2, foreground="black")]


def draw_planes(scene: LesionScene) -> Canvas:
    """Return three planes through the thin spot: POST, close up, and PRE as the registration moved it."""
    rows = [_draw_post, _draw_close, _draw_pre] if scene.foot_lps_mm is not None else [_draw_post, _draw_pre]
    figure = style.canvas(9.6, 0.75 + 3.12 * len(rows))
    height_in = figure.get_figheight()
    figure.subplots_adjust(left=0.035, right=0.995, bottom=0.5 / height_in, top=1 - 0.62 / height_in, wspace=0.03,
                           hspace=0.03)  # fmt: skip
    axes = figure.subplots(len(rows), 3, squeeze=False)
    used: dict[str, style.Stroke] = {}
    for line, draw in zip(axes, rows, strict=True):
        for ax, orientation in zip(line, ORIENTATIONS, strict=True):
            draw(ax, scene, orientation, used)
    for ax, orientation in zip(axes[0], ORIENTATIONS, strict=True):
        ax.set_title(orientation.capitalize(), fontsize=10, pad=3)
    for ax, draw in zip(axes[:, 0], rows, strict=True):
        ax.text(-0.015, 0.5, _ROW_WORDS[draw.__name__], transform=ax.transAxes, fontsize=9, rotation=90.0, ha="right",
                va="center")  # fmt: skip
    figure.suptitle(_title(scene), fontsize=12, fontweight="bold", y=1 - 0.12 / height_in, va="top")
    add_legend(figure, used)
    return figure


_ROW_WORDS = {
    "_draw_post": "POST",
    "_draw_close": "POST, close up at the thin spot",
    "_draw_pre": "PRE, moved into POST",
}


def _title(scene: LesionScene) -> str:
    margin = scene.lesion.margin
    name = f"Lesion {scene.lesion.lesion_id}"
    if margin is None or margin.min_mm is None:
        return f"{name}: {words.reading(scene.lesion)}"
    covered = ", not covered on these images" if margin.min_mm < 0 else ""
    return f"{name}: minimal margin {words.millimetres(margin.min_mm)} mm, {margin.direction}{covered}"


def _draw_post(ax: Axes, scene: LesionScene, orientation: str, used: dict[str, style.Stroke]) -> None:
    section = scene.overview(orientation)
    _post_with_outlines(ax, scene, section, used)
    frame(ax, section, bar_mm=10.0)
    if scene.foot_lps_mm is not None:
        callout(ax, scene, section)


def _draw_close(ax: Axes, scene: LesionScene, orientation: str, used: dict[str, style.Stroke]) -> None:
    section = scene.close(orientation, max(CLOSE_MM, 2.2 * abs(scene.min_mm or 0.0)))
    _post_with_outlines(ax, scene, section, used)
    frame(ax, section, bar_mm=5.0)
    arrow(ax, scene, section)


def _draw_pre(ax: Axes, scene: LesionScene, orientation: str, used: dict[str, style.Stroke]) -> None:
    section, case = scene.overview(orientation), scene.case
    there = scene.alignment.map.pre_from_post(section.points_lps_mm())

    def moved(_: FloatArray) -> FloatArray:
        return there

    show(ax, section, style.window_of(case.pre.image).grey(section.image(case.pre.image, moved)))
    outline(ax, section.cut(scene.tumour), style.TUMOUR, used)
    for masks, stroke in ((case.pre.vessels, style.VESSEL), (ducts(case.pre), style.DUCT)):
        for mask in masks.values():
            outline(ax, section.outlines(mask, moved), stroke, used)
    if case.pre.liver is not None:
        outline(ax, section.outlines(case.pre.liver, moved), style.LIVER_PRE, used)
    frame(ax, section, bar_mm=10.0)


def _post_with_outlines(ax: Axes, scene: LesionScene, section: Section, used: dict[str, style.Stroke]) -> None:
    show_study(ax, scene.case.post, section, used)
    cut_lesion(ax, scene, section, used)


def show_study(ax: Axes, study: Study, section: Section, used: dict[str, style.Stroke]) -> None:
    """Show a study on a plane, with the outlines of liver, vessels and bile ducts."""
    show(ax, section, style.window_of(study.image).grey(section.image(study.image)))
    if study.liver is not None:
        outline(ax, section.outlines(study.liver), style.LIVER, used)
    for masks, stroke in ((study.vessels, style.VESSEL), (ducts(study), style.DUCT)):
        for mask in masks.values():
            outline(ax, section.outlines(mask), stroke, used)


def show(ax: Axes, section: Section, grey: FloatArray) -> None:
    """Show grey values from 0 to 1 on a plane; not a number is drawn blue-grey."""
    left, right, bottom, top = section.extent_mm
    shown, edges = section.thinned(grey)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_visible(False)  # no ticks are made that nobody would see
    ax.imshow(shown, cmap=_GREY, vmin=0.0, vmax=1.0, origin="lower", extent=edges, interpolation="none")
    ax.set(xlim=(left, right), ylim=(bottom, top))


def outline(ax: Axes, lines: Sequence[FloatArray], stroke: style.Stroke, used: dict[str, style.Stroke]) -> None:
    """Draw lines with a dark rim, so that they show on bright and dark, and note the stroke for the legend."""
    if not lines:
        return
    used[stroke.words] = stroke
    widths, colours = [stroke.width], [to_rgba(stroke.colour)]
    dashes = [stroke.linestyle]
    if stroke.rim > 0.0:
        widths, colours = [stroke.width + 1.2, *widths], [to_rgba("black", stroke.rim), *colours]
        dashes = ["-", *dashes]
    # One path, drawn twice: the rim below the line.
    drawn = PathCollection(
        [joined(ax, lines)], facecolors="none", edgecolors=colours, linewidths=widths, linestyles=dashes,
        offsets=np.zeros((len(widths), 2)), offset_transform=IdentityTransform(),
    )  # fmt: skip
    drawn.set_transform(ax.transData)
    ax.add_collection(drawn, autolim=False)


def joined(ax: Axes, lines: Sequence[FloatArray]) -> Path:
    """Return lines as one path, without the vertices that nobody could see to be missing."""
    path = Path.make_compound_path(*(Path(line) for line in lines))
    path.should_simplify, path.simplify_threshold = True, UNSEEN_PT
    left, right = ax.get_xlim()
    width_pt = ax.bbox.width * POINTS_AN_INCH / ax.figure.dpi
    larger = Affine2D().scale(width_pt / abs(right - left))
    simple = path.cleaned(larger, simplify=True)
    vertices, codes = np.asarray(simple.vertices), np.asarray(simple.codes)
    kept = codes != Path.STOP
    return larger.inverted().transform_path(Path(vertices[kept], codes[kept]))


def outline_pre_liver(ax: Axes, scene: LesionScene, pair: Pair, used: dict[str, style.Stroke]) -> None:
    """Draw the outline of PRE's liver mask, as moved by the registration, where there is one."""
    liver = scene.case.pre.liver
    if liver is not None:
        places = pair.places_as_shown_lps_mm
        outline(ax, pair.section.as_shown.outlines(liver, lambda _: places), style.LIVER_PRE, used)


def shade(ax: Axes, section: Section, where: style.BoolArray) -> None:
    """Tint the samples of a plane that are true blue-grey, so that what lies below still shows."""
    shown, edges = section.thinned(where)
    if where.any():
        ax.imshow(np.where(shown, 1.0, np.nan), cmap=_TINT, vmin=0.0, vmax=1.0, origin="lower", alpha=0.6,
                  extent=edges, interpolation="none")  # fmt: skip


def ringed_lesion(ax: Axes, scene: LesionScene, section: Section, used: dict[str, style.Stroke]) -> None:
    """Draw where the plane cuts zones and tumour, and ring the thin spot."""
    cut_lesion(ax, scene, section, used)
    ring(ax, scene, section, 9.0)


def ring(ax: Axes, scene: LesionScene, section: Section, size_pt: float) -> None:
    """Ring the thin spot, where one is known."""
    if scene.foot_lps_mm is not None:
        at = section.project(scene.at_lps_mm)[0]
        ax.plot(*at, marker="o", markersize=size_pt, markerfacecolor="none", markeredgewidth=1.6,
                markeredgecolor=style.THIN_SPOT, path_effects=_THIN_RIM)  # fmt: skip


def cut_lesion(ax: Axes, scene: LesionScene, section: Section, used: dict[str, style.Stroke]) -> None:
    """Draw where the plane cuts zones and tumour."""
    for zone in scene.zones:
        outline(ax, section.cut(zone), style.ZONE, used)
    outline(ax, section.cut(scene.tumour), style.TUMOUR, used)


def panels(sections: Sequence[Section], room_right: float = 0.0) -> tuple[Canvas, list[Axes]]:
    """Return an empty figure with a titled panel a plane, side by side; `room_right` is left free, in its widths."""
    figure = style.canvas(9.6, 5.35)
    figure.subplots_adjust(left=0.01, right=0.99 - room_right, bottom=0.095, top=0.9, wspace=0.02)
    axes = list(figure.subplots(1, len(sections), squeeze=False)[0])
    for ax, section in zip(axes, sections, strict=True):
        ax.set_title(section.orientation.capitalize(), fontsize=9.5, pad=3)
    return figure, axes


def finished(figure: Canvas, title: str, used: Mapping[str, style.Stroke]) -> Canvas:
    """Return the figure of panels with its title and the legend of the strokes in it."""
    figure.suptitle(title, fontsize=11, fontweight="bold", y=0.985)
    add_legend(figure, used)
    return figure


def frame(ax: Axes, section: Section, bar_mm: float) -> None:
    """Add orientation letters and a scale bar."""
    places = ((0.02, 0.5, "left", "center"), (0.98, 0.5, "right", "center"),
              (0.5, 0.98, "center", "top"), (0.5, 0.02, "center", "bottom"))  # fmt: skip
    for letter, (x, y, ha, va) in zip(section.letters, places, strict=True):
        ax.text(x, y, letter, transform=ax.transAxes, ha=ha, va=va, color="white", fontsize=10, fontweight="bold",
                bbox=SHADOW)  # fmt: skip
    scale_bar(ax, section, bar_mm)


def scale_bar(ax: Axes, section: Section, bar_mm: float) -> None:
    """Draw a bar of a known length into the lower right corner."""
    left, right, bottom, top = section.extent_mm
    end = right - 0.05 * (right - left)
    height = bottom + 0.05 * (top - bottom)
    ax.plot([end - bar_mm, end], [height, height], color="white", linewidth=2.5, path_effects=_HALO,
            solid_capstyle="butt")  # fmt: skip
    ax.text(end - bar_mm / 2, height + 0.015 * (top - bottom), f"{bar_mm:g} mm", ha="center", va="bottom",
            color="white", fontsize=8, bbox=SHADOW)  # fmt: skip


def callout(ax: Axes, scene: LesionScene, section: Section) -> None:
    """Ring the thin spot and print its margin outside the zone, with a line between them."""
    at, centre = section.project(np.stack([scene.at_lps_mm, scene.tumour.centroid_lps_mm]))
    outward = _unit(at - centre)
    half = section.half_mm[0]
    place = np.clip(at + outward * 0.42 * half, -0.78 * half, 0.78 * half)
    ax.plot(*at, marker="o", markersize=17, markerfacecolor="none", markeredgewidth=2.2,
            markeredgecolor=style.THIN_SPOT, path_effects=_RIM)  # fmt: skip
    ax.annotate(
        f"{words.millimetres(scene.min_mm)} mm", xy=(at[0], at[1]), xytext=(place[0], place[1]), fontsize=10,
        fontweight="bold", ha="center", va="center", color="black",
        bbox=BOX,
        arrowprops={"arrowstyle": "-", "color": "white", "linewidth": 1.6, "shrinkB": 10, "path_effects": _THIN_RIM},
    )  # fmt: skip


def arrow(ax: Axes, scene: LesionScene, section: Section) -> None:
    """Draw the way from the tumour's thin spot to the point that the margin was measured to."""
    if scene.foot_lps_mm is None:
        return
    at, foot = section.project(np.stack([scene.at_lps_mm, scene.foot_lps_mm]))
    depth = scene.out_of_plane_mm(section.orientation)
    half = section.half_mm[0]
    if float(np.linalg.norm(foot - at)) > 0.04 * half:
        ax.annotate("", xy=(foot[0], foot[1]), xytext=(at[0], at[1]), arrowprops={
            "arrowstyle": "-|>,head_width=0.25,head_length=0.45", "color": style.THIN_SPOT, "linewidth": 2.2,
            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13, "path_effects": _RIM,
        })  # fmt: skip
    ax.plot(*at, marker="o", markersize=6, color=style.THIN_SPOT, markeredgecolor=style.THIN_SPOT_RIM)
    ax.text(0.03, 0.96, f"{words.millimetres(scene.min_mm)} mm", transform=ax.transAxes, ha="left", va="top",
            fontsize=10, fontweight="bold", bbox=BOX)  # fmt: skip
    if depth > OUT_OF_PLANE_MM:
        ax.text(0.03, 0.03, f"arrow leaves\nthis plane by {depth:.1f} mm", transform=ax.transAxes, ha="left",
                va="bottom", fontsize=7.5, color="white", bbox=SHADOW)  # fmt: skip


def add_legend(figure: Canvas, used: Mapping[str, style.Stroke], order: Sequence[style.Stroke] = style.STROKES) -> None:
    """Add a legend of the strokes below the panels, in an order, on the grey that images have."""
    handles = [
        Line2D([], [], color=stroke.colour, linewidth=2.2, linestyle=stroke.linestyle, label=stroke.words)
        for stroke in order
        if stroke.words in used
    ]
    if handles:
        many = len(handles) > FEW_STROKES
        figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=8.0 if many else 8.5,
                      frameon=True, facecolor="#3a3a3a", edgecolor="none", labelcolor="white",
                      handlelength=2.4 if many else 3.4, columnspacing=1.2 if many else 2.0,
                      bbox_to_anchor=(0.5, 0.04 / figure.get_figheight()))  # fmt: skip


def _unit(vector: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length) if length > 1e-6 else np.array([0.0, 1.0])
