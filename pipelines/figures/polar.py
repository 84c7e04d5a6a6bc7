"""A map of the margin by direction from the tumour's centroid: the whole surface at one glance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke

from pipelines.figures import style
from pipelines.figures.bands import fill_bands
from pipelines.figures.colour_bar import add_colour_bar
from pipelines.figures.samples import FloatArray, rows_for, spread
from planner.measure.margin import Margin
from planner.report import words

CELLS = 60
"""Cells of the map from the middle of a half to its rim."""

RIM = 1.08
"""The map is filled to a little beyond the rim, and cut there."""

_STEP = 0.8 / CELLS
_RING = float(np.sqrt(2.0) * np.sin(np.radians(22.5)))
_PALE = {"boxstyle": "square,pad=0.12", "facecolor": "#ffffffd0", "edgecolor": "none"}
_HALO = [withStroke(linewidth=2.4, foreground="white")]


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """Half of all directions, as seen from outside: `towards` the reader, with `right` and up (to the head).

    The projection is Lambert's azimuthal one: equal areas of the map are equal solid angles.
    """

    title: str
    towards: FloatArray
    right: FloatArray
    letters: tuple[str, str, str]

    def place(self, directions: FloatArray) -> FloatArray:
        """Return the map's coordinates of directions, shape (n, 2): x to the right, y up, the rim at 1."""
        unit = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
        scale = 1.0 / np.sqrt(np.maximum(1.0 + unit @ self.towards, 1e-9))
        return np.asarray(np.stack([unit @ self.right, unit[:, 2]], axis=1) * scale[:, None])


FRONT = Half("Front half, seen from the front", np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]), ("R", "L", "A"))
BACK = Half("Back half, seen from behind", np.array([0.0, 1.0, 0.0]), np.array([-1.0, 0.0, 0.0]), ("L", "R", "P"))


def least_by_direction(margin: Margin, half: Half) -> FloatArray:
    """Return the least margin in each cell of a half, shape (rows, columns), mm; NaN where there is no surface.

    Rows run from the feet up, columns from the picture's left; the rim lies `CELLS` cells from the middle.
    """
    surface, values = margin.map.tumour, margin.map.primary_mm
    away = surface.vertices_lps_mm - surface.centroid_lps_mm
    near_mm = np.linalg.norm(away, axis=1)[surface.triangles].min(axis=1)
    corners = away[surface.triangles]
    sides_mm = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    facing = (away[surface.triangles] @ half.towards).max(axis=1) > -0.3 * near_mm - sides_mm
    rows = rows_for(sides_mm / np.maximum(near_mm, 1e-3), _STEP) * facing
    points = spread(surface, values, rows)
    places = half.place(points.lps_mm - surface.centroid_lps_mm)
    count = 2 * _reach() + 1
    column, row = np.rint(places * CELLS).astype(np.int64).T + _reach()
    within = (column >= 0) & (column < count) & (row >= 0) & (row < count)
    least = np.full(count * count, np.inf)
    np.minimum.at(least, row[within] * count + column[within], points.margin_mm[within])
    least[np.isinf(least)] = np.nan
    return least.reshape(count, count)


def draw_polar(lesion_id: str, margin: Margin) -> Canvas:
    """Return both halves side by side in the bands of the margin, with the thin spot marked."""
    figure = style.canvas(9.6, 5.3)
    for place, half in enumerate((FRONT, BACK)):
        ax = figure.add_axes((0.02 + 0.5 * place, 0.165, 0.46, 0.725))
        ax.set(xlim=(-1.2, 1.2), ylim=(-1.14, 1.14), aspect="equal")
        ax.set_axis_off()
        _draw_half(ax, margin, half)
    figure.suptitle(f"Lesion {lesion_id}: margin by direction from the tumour's centre", fontsize=11,
                    fontweight="bold", y=0.985)  # fmt: skip
    add_colour_bar(figure, 1.8, 0.06, 6.0)
    return figure


def _reach() -> int:
    return int(np.ceil(RIM * CELLS))


def _draw_half(ax: Axes, margin: Margin, half: Half) -> None:
    rim = Circle((0.0, 0.0), 1.0, facecolor=style.NO_MARGIN, edgecolor=style.INK, linewidth=1.2)
    ax.add_patch(rim)
    least = least_by_direction(margin, half)
    axis = np.arange(-_reach(), _reach() + 1) / CELLS
    fill_bands(ax, axis, axis, least, rim)
    ax.add_patch(Circle((0.0, 0.0), _RING, fill=False, edgecolor=style.INK, linewidth=0.5, linestyle=(0, (2, 2))))
    ax.add_patch(Circle((0.0, 0.0), 1.0, fill=False, edgecolor=style.INK, linewidth=1.2))
    left, right, middle = half.letters
    for letter, x, y in ((left, -1.09, 0.0), (right, 1.09, 0.0), ("S", 0.0, 1.07), ("I", 0.0, -1.07)):
        ax.text(x, y, letter, ha="center", va="center", fontsize=11, fontweight="bold", color=style.INK)
    ax.plot(0.0, 0.0, marker="+", markersize=9, color=style.INK, path_effects=_HALO)
    ax.text(0.04, 0.04, middle, fontsize=11, fontweight="bold", color=style.INK, bbox=_PALE)
    ax.text(_RING * 0.71 + 0.02, -_RING * 0.71 - 0.02, "45°", fontsize=7.5, va="top", color=style.INK,
            bbox=_PALE)  # fmt: skip
    ax.set_title(half.title, fontsize=9.5, pad=2)
    _mark_thin_spot(ax, margin, half)


def _mark_thin_spot(ax: Axes, margin: Margin, half: Half) -> None:
    if margin.at_lps_mm is None:
        return
    direction = np.asarray(margin.at_lps_mm) - margin.map.tumour.centroid_lps_mm
    if direction @ half.towards < 0.0:
        return
    ((x, y),) = half.place(direction[None])
    ax.plot(x, y, marker="o", markersize=13, markerfacecolor="none", markeredgecolor=style.THIN_SPOT,
            markeredgewidth=2.2, path_effects=[withStroke(linewidth=4.6, foreground=style.THIN_SPOT_RIM)])  # fmt: skip
    ax.annotate(
        f"{words.millimetres(margin.min_mm)} mm", xy=(x, y), xytext=(0, 12 if y < 0.7 else -12),
        textcoords="offset points", ha="center", va="bottom" if y < 0.7 else "top", fontsize=10, fontweight="bold",
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "black", "linewidth": 0.6},
    )  # fmt: skip
