"""A still 3-D view of the tumour's surface, coloured by margin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from scipy import ndimage
from skimage.measure import find_contours

from pipelines.figures import style
from pipelines.figures.bands import fill_bands, without_holes
from pipelines.figures.colour_bar import add_colour_bar
from pipelines.figures.samples import ENDLESS_MM, FloatArray, longest_sides_mm, rows_for, spread
from planner.measure.margin import Margin, direction_words
from planner.report import words
from planner.surface import Surface

CELLS = 150
"""Cells of the picture across the tumour's greatest extent."""

ROOM = 1.12
"""The picture is this many times as wide as the tumour's greatest extent."""

_AMBIENT = 0.55
_SHADES = 32
_SHADE = ListedColormap([(0.0, 0.0, 0.0, n / (_SHADES - 1)) for n in range(_SHADES)])
_RIM = [withStroke(linewidth=4.6, foreground=style.THIN_SPOT_RIM)]
_AXES = (("L", (1.0, 0.0, 0.0)), ("P", (0.0, 1.0, 0.0)), ("S", (0.0, 0.0, 1.0)))
_ALONG_BODY = 0.9
_SHORT = 0.35
_BARS_MM = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A parallel projection: `eye` points from the tumour to the reader, `right` and `up` span the picture, LPS."""

    eye: FloatArray
    centre_lps_mm: FloatArray
    half_mm: float

    @property
    def right(self) -> FloatArray:
        """Unit vector to the picture's right: the head is up, or the front where it is seen from above or below."""
        upwards = (0.0, 0.0, 1.0) if abs(self.eye[2]) < _ALONG_BODY else (0.0, -1.0, 0.0)
        across = np.cross(upwards, self.eye)
        return np.asarray(across / np.linalg.norm(across))

    @property
    def up(self) -> FloatArray:
        """Unit vector to the picture's top."""
        return np.asarray(np.cross(self.eye, self.right))

    def place(self, points_lps_mm: FloatArray) -> FloatArray:
        """Return picture coordinates, shape (n, 2), mm from the middle."""
        return np.asarray((points_lps_mm - self.centre_lps_mm) @ np.stack([self.right, self.up]).T)


def draw_solid(lesion_id: str, margin: Margin) -> Canvas:
    """Return the tumour's surface in the bands of its margin, seen from the thin spot and from the far side."""
    figure = style.canvas(9.6, 5.0)
    towards = _outward(margin)
    surface = margin.map.tumour
    low, high = surface.vertices_lps_mm.min(axis=0), surface.vertices_lps_mm.max(axis=0)
    half_mm = ROOM * max(float(np.linalg.norm(surface.vertices_lps_mm - (low + high) / 2, axis=1).max()), 1e-3)
    for place, sign in enumerate((1.0, -1.0)):
        view = View(sign * towards, (low + high) / 2, half_mm)
        ax = figure.add_axes((0.5 * place + 0.02, 0.16, 0.46, 0.70))
        ax.set(xlim=(-1.25 * half_mm, 1.25 * half_mm), ylim=(-half_mm, half_mm), aspect="equal")
        ax.set_axis_off()
        draw_surface(ax, margin, view)
        draw_axes(ax, view)
        spotted = sign > 0 and margin.at_lps_mm is not None
        if spotted:
            at = view.place(np.asarray(margin.at_lps_mm)[None])[0]
            ax.plot(*at, marker="o", markersize=13, markerfacecolor="none", markeredgecolor=style.THIN_SPOT,
                    markeredgewidth=2.4, path_effects=_RIM, zorder=10)  # fmt: skip
        side = f"thin spot ringed: {words.millimetres(margin.min_mm)} mm" if spotted else "the other side"
        figure.text(0.25 + 0.5 * place, 0.89, f"Seen from {direction_words(view.eye)} ({side})", fontsize=9.5,
                    ha="center")  # fmt: skip
    add_colour_bar(figure, 1.8, 0.06, 6.0)
    figure.suptitle(f"Lesion {lesion_id}: tumour surface by margin", fontsize=11, fontweight="bold", y=0.985)
    return figure


def seen(surface: Surface, margin_mm: FloatArray, view: View) -> tuple[FloatArray, FloatArray]:
    """Return the margin (mm) and the brightness (0 to 1) of what is seen, shape (rows, columns) each, rows upwards.

    A cell holds the least margin of what is in front there, so that a thin spot is never lost; not a number where the
    tumour is not.
    """
    cell_mm = 2.0 * view.half_mm / CELLS
    facing = surface.triangle_normals @ view.eye > -0.05
    points = spread(surface, margin_mm, rows_for(longest_sides_mm(surface), 0.8 * cell_mm) * facing)
    column, row = np.clip(np.rint(view.place(points.lps_mm) / cell_mm) + CELLS // 2, 0, CELLS).astype(np.int64).T
    cell = row * (CELLS + 1) + column
    depth = points.lps_mm @ view.eye
    front = np.full((CELLS + 1) ** 2, -np.inf)
    np.maximum.at(front, cell, depth)
    kept = depth >= front[cell] - 2.0 * cell_mm
    least = np.full(front.shape, np.inf)
    np.minimum.at(least, cell[kept], points.margin_mm[kept])
    light = view.eye + 0.5 * view.up - 0.3 * view.right
    lit = np.clip(points.normals @ (light / np.linalg.norm(light)), 0.0, 1.0)
    bright = np.zeros(front.shape)
    np.maximum.at(bright, cell[kept], lit[kept])
    nothing = np.isinf(least)
    least[nothing], bright[nothing] = np.nan, np.nan
    shape = (CELLS + 1, CELLS + 1)
    return least.reshape(shape), _AMBIENT + (1.0 - _AMBIENT) * bright.reshape(shape)


def covered(least_mm: FloatArray) -> style.BoolArray:
    """Return which cells the tumour covers: those that hold a margin, and single ones between them."""
    return np.asarray(ndimage.binary_closing(np.isfinite(least_mm)))


def draw_surface(ax: Axes, margin: Margin, view: View) -> None:
    """Draw a tumour's surface in the bands of its margin."""
    least, bright = seen(margin.map.tumour, margin.map.primary_mm, view)
    axis = np.linspace(-view.half_mm, view.half_mm, CELLS + 1)
    cell_mm = float(axis[1] - axis[0])
    inside = covered(least)
    silhouette = outline_of(inside, axis)
    if np.nanmax(least) >= ENDLESS_MM / 2:
        ax.add_patch(PathPatch(silhouette, facecolor=style.NO_MARGIN, edgecolor="none"))
    border = PathPatch(silhouette, facecolor="none", edgecolor=style.INK, linewidth=1.0, zorder=3)
    ax.add_patch(border)
    fill_bands(ax, axis, axis, without_holes(least, 4.0), border)
    edges = (axis[0] - cell_mm / 2, axis[-1] + cell_mm / 2) * 2
    shown = ax.imshow(1.0 - without_holes(bright, 4.0), cmap=_SHADE, vmin=0.0, vmax=1.0, origin="lower", extent=edges,
                      interpolation="none", zorder=2)  # fmt: skip
    shown.set_clip_path(border)


def outline_of(inside: style.BoolArray, axis: FloatArray) -> Path:
    """Return the outline of what is seen, smoothed over a cell."""
    soft = ndimage.gaussian_filter(inside.astype(np.float64), 2.0)
    step = axis[1] - axis[0]
    lines = [Path(axis[0] + step * line[:, ::-1], closed=True) for line in find_contours(soft, 0.5) if len(line) > 2]
    return Path.make_compound_path(*lines) if lines else Path(np.zeros((1, 2)))


def draw_axes(ax: Axes, view: View) -> None:
    """Draw where the patient's left, back and head lie, and a scale bar."""
    origin = np.array([-1.02 * view.half_mm, -0.78 * view.half_mm])
    for letter, axis in _AXES:
        step = np.array([axis @ view.right, axis @ view.up])
        if float(np.linalg.norm(step)) < _SHORT:
            continue
        x, y = origin + 0.2 * view.half_mm * step
        ax.annotate("", xy=(x, y), xytext=(origin[0], origin[1]), arrowprops={
            "arrowstyle": "-|>", "color": style.INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0,
        })  # fmt: skip
        beyond = 0.07 * view.half_mm * step / np.linalg.norm(step)
        ax.text(x + beyond[0], y + beyond[1], letter, fontsize=10, fontweight="bold", ha="center", va="center",
                color=style.INK)  # fmt: skip
    bar_mm = next((bar for bar in _BARS_MM if bar <= 0.5 * view.half_mm), _BARS_MM[-1])
    end, low = 1.2 * view.half_mm, -0.95 * view.half_mm
    ax.plot([end - bar_mm, end], [low, low], color=style.INK, linewidth=2.5, solid_capstyle="butt")
    ax.text(end - bar_mm / 2, low + 0.03 * view.half_mm, f"{bar_mm:g} mm", fontsize=8.5, ha="center", va="bottom")


def _outward(margin: Margin) -> FloatArray:
    """Return the unit direction from the tumour's centroid to the thin spot; from anterior-left without one."""
    centre = margin.map.tumour.centroid_lps_mm
    vector = np.array([0.6, -0.7, 0.4]) if margin.at_lps_mm is None else np.asarray(margin.at_lps_mm) - centre
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length) if length > 1e-6 else np.array([0.0, -1.0, 0.0])
