"""A still 3-D view of the tumour's surface, coloured by margin."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, NullLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from pipelines.figures import style
from planner.measure.margin import Margin, direction_words
from planner.report import words
from planner.surface import Surface

MOST_TRIANGLES = 8000
_AMBIENT = 0.6
_END_ON = 0.95
_RIM = [withStroke(linewidth=4.5, foreground="white")]


def draw_solid(lesion_id: str, margin: Margin) -> Canvas:
    """Return the tumour's surface in the colours of its margin, seen from the thin spot and from the far side."""
    surface, margins = thinned(margin.map.tumour, margin.map.primary_mm)
    figure = style.canvas(9.6, 4.5)
    towards = _outward(margin)
    for place, sign in enumerate((1.0, -1.0)):
        # Drawn in the given order: the thin spot's mark must not vanish into the surface that it lies on.
        ax: Any = figure.add_axes((0.5 * place + 0.02, 0.09, 0.46, 0.76), projection="3d", computed_zorder=False)
        eye = sign * towards
        ax.view_init(elev=float(np.degrees(np.arcsin(np.clip(eye[2], -1, 1)))),
                     azim=float(np.degrees(np.arctan2(eye[1], eye[0]))))  # fmt: skip
        _add_surface(ax, surface, margins, eye)
        if sign > 0 and margin.at_lps_mm is not None:
            ax.plot(*([value] for value in margin.at_lps_mm), marker="o", markersize=13, markerfacecolor="none",
                    markeredgecolor="black", markeredgewidth=2.4, path_effects=_RIM, zorder=10)  # fmt: skip
        _frame(ax, surface, eye)
        spot = f"thin spot ringed: {words.millimetres(margin.min_mm)} mm"
        side = spot if sign > 0 and margin.at_lps_mm is not None else "the other side"
        figure.text(0.25 + 0.5 * place, 0.885, f"Seen from {direction_words(eye)} ({side})", fontsize=9.5, ha="center")
    handles = [Patch(facecolor=band.colour, edgecolor="#333333", label=band.words) for band in style.BANDS]
    figure.legend(handles=handles, loc="lower center", ncols=4, fontsize=8.5, frameon=False)
    figure.suptitle(f"Lesion {lesion_id}: tumour surface by margin", fontsize=11, fontweight="bold", y=0.985)
    return figure


def thinned(surface: Surface, margin_mm: style.FloatArray) -> tuple[Surface, style.FloatArray]:
    """Return the surface with its margins, vertices put together until it has few enough triangles to draw.

    Vertices of one box become their mean and take their least margin, so that a thin spot is never lost.
    """
    side = 1.0
    thin, margins = surface, margin_mm
    while len(thin.triangles) > MOST_TRIANGLES:
        thin, margins = _clustered(surface, margin_mm, side)
        side *= 1.25
    return thin, margins


def _clustered(surface: Surface, margin_mm: style.FloatArray, side_mm: float) -> tuple[Surface, style.FloatArray]:
    boxes = np.floor(surface.vertices_lps_mm / side_mm).astype(np.int64)
    _, member, count = np.unique(boxes, axis=0, return_inverse=True, return_counts=True)
    member = member.reshape(-1)
    means = np.stack(
        [np.bincount(member, weights=surface.vertices_lps_mm[:, axis]) / count for axis in range(3)], axis=1
    )
    least = np.full(len(count), np.inf)
    np.minimum.at(least, member, margin_mm)
    triangles = member[surface.triangles]
    a, b, c = triangles.T
    kept = triangles[(a != b) & (b != c) & (c != a)]
    return Surface(means, kept, surface.voxel_kji_mm), least


def _outward(margin: Margin) -> style.FloatArray:
    """Return the unit direction from the tumour's centroid to the thin spot; from anterior-left without one."""
    centre = margin.map.tumour.centroid_lps_mm
    vector = np.array([0.6, -0.7, 0.4]) if margin.at_lps_mm is None else np.asarray(margin.at_lps_mm) - centre
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length) if length > 1e-6 else np.array([0.0, -1.0, 0.0])


def _add_surface(ax: Any, surface: Surface, margins: style.FloatArray, eye: style.FloatArray) -> None:
    corners = surface.vertices_lps_mm[surface.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    facing = normals @ eye > -0.2
    light = eye + np.array([0.25, 0.0, 0.45])
    brightness = _AMBIENT + (1 - _AMBIENT) * np.clip(normals @ (light / np.linalg.norm(light)), 0.0, 1.0)
    palette = np.array([to_rgb(band.colour) for band in style.BANDS])
    colours = palette[style.band_of(margins[surface.triangles].min(axis=1))] * brightness[:, None]
    ax.add_collection3d(
        Poly3DCollection(corners[facing], facecolors=colours[facing], edgecolors=colours[facing], linewidths=0.3)
    )


def _frame(ax: Any, surface: Surface, eye: style.FloatArray) -> None:
    """Give all axes one scale and name each tick by its patient direction: a title would collide with them.

    An axis that is seen almost from its end has no ticks: they would lie upon each other.
    """
    low, high = surface.vertices_lps_mm.min(axis=0), surface.vertices_lps_mm.max(axis=0)
    middle, half = (low + high) / 2, float((high - low).max()) / 2 * 1.05
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half),
           zlim=(middle[2] - half, middle[2] + half))  # fmt: skip
    ax.set_box_aspect((1, 1, 1), zoom=0.88)
    ax.tick_params(labelsize=7.5, pad=2.5)
    for n, axis in enumerate((ax.xaxis, ax.yaxis, ax.zaxis)):
        axis.set_major_locator(MaxNLocator(4) if abs(eye[n]) < _END_ON else NullLocator())
        axis.set_major_formatter(partial(_tick, n))


def _tick(axis: int, value_mm: float, _place: int) -> str:
    return words.coordinate(value_mm, axis, 0)
