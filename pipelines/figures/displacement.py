"""What the deformation adds to the rigid motion, as colour and arrows over POST."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb
from matplotlib.figure import Figure as Canvas

from pipelines.figures import planes, style
from pipelines.figures.pair import Pair, local_displacement_mm
from pipelines.figures.scene import LesionScene
from pipelines.figures.sections import FloatArray

NOTHING_MM = 0.05
"""Less than this is not drawn."""

ARROWS_MM = 12.5
"""Distance between arrows."""

COARSE = 6
"""Lines between bands are drawn through every so many of the samples: a deformation is smooth at that size."""

MOST_BANDS = 6
LEAST_ARROW_MM = 1.5
"""An arrow that would be drawn shorter than this is left out: only its head would show."""

_STEPS_MM = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_FACTORS = (10.0, 5.0, 2.0, 1.0, 0.5, 0.2)
_HUE = to_rgb("#7A2CF0")
_OPAQUE = 0.75


def linear_words(scene: LesionScene) -> str:
    """Return what the displacement is held against; a file's linear part need not be rigid."""
    return "the linear part of the given transform" if scene.alignment.kind == "file" else "the rigid motion"


def lengths_mm(pair: Pair) -> FloatArray:
    """Return the length of the local displacement, shape (rows, columns), mm; NaN where a study has no image."""
    lengths = np.linalg.norm(pair.local_mm, axis=2)
    lengths[~pair.shared] = np.nan
    return np.asarray(lengths, dtype=np.float64)


def largest_mm(pairs: Sequence[Pair]) -> float:
    """Return the largest local displacement on the planes, mm; 0 where the studies share nothing there."""
    return max((float(lengths_mm(pair)[pair.shared].max(initial=0.0)) for pair in pairs), default=0.0)


def largest_in_liver_mm(scene: LesionScene, pairs: Sequence[Pair]) -> float | None:
    """Return the largest local displacement in the liver mask of POST on the planes, mm; None without any there."""
    liver = scene.case.post.liver
    if liver is None:
        return None
    found = [lengths_mm(pair)[pair.shared & pair.section.inside(liver)] for pair in pairs]
    return max((float(lengths.max()) for lengths in found if lengths.size), default=None)


def at_lesion_mm(scene: LesionScene) -> tuple[float, float, float]:
    """Return the local displacement at the point that the planes go through, and the range on the tumour, mm."""
    here = float(np.linalg.norm(local_displacement_mm(scene, scene.at_lps_mm[None]), axis=1)[0])
    tumour = np.linalg.norm(local_displacement_mm(scene, scene.tumour.vertices_lps_mm), axis=1)
    return here, float(tumour.min()), float(tumour.max())


def band_edges_mm(largest: float) -> FloatArray:
    """Return the edges of at most six equal bands of round width, from 0 to beyond the largest value, mm."""
    width = next((step for step in _STEPS_MM if largest <= MOST_BANDS * step), largest / MOST_BANDS)
    return np.asarray(width * np.arange(max(int(np.ceil(largest / width)), 1) + 1), dtype=np.float64)


def arrows_mm(pair: Pair) -> tuple[FloatArray, FloatArray]:
    """Return heads and in-plane vectors of the arrows, picture coordinates, shape (n, 2) each, mm, to scale."""
    x, y = pair.section.axes_mm
    every = max(round(ARROWS_MM / pair.section.step_mm), 1)
    rows, columns = (np.arange((len(axis) - 1) % every // 2, len(axis), every) for axis in (y, x))
    chosen = np.ix_(rows, columns)
    shared = pair.shared[chosen].ravel()
    vectors = pair.local_mm[chosen].reshape(-1, 3)
    heads = np.stack(np.meshgrid(x[columns], y[rows]), axis=-1).reshape(-1, 2)
    in_plane = np.stack([vectors @ pair.section.right, vectors @ pair.section.up], axis=1)
    return heads[shared], in_plane[shared]


def draw_displacement(scene: LesionScene, pairs: Sequence[Pair]) -> Canvas:
    """Return POST through the lesion, coloured by the length of the local displacement, with its arrows."""
    figure, axes = planes.panels([pair.section for pair in pairs], room_right=0.075)
    used: dict[str, style.Stroke] = {}
    edges_mm = band_edges_mm(largest_mm(pairs))
    scale = _scale(edges_mm)
    factor = _factor(pairs)
    for ax, pair in zip(axes, pairs, strict=True):
        planes.show(ax, pair.section, pair.post)
        lengths = lengths_mm(pair)
        planes.shade(ax, pair.section, ~pair.shared)
        shown, outer_mm = pair.section.thinned(lengths)
        colours = scale.to_rgba(np.ma.masked_invalid(shown))
        ax.imshow(colours, origin="lower", extent=outer_mm, interpolation="none")
        x, y = (axis[::COARSE] for axis in pair.section.axes_mm)
        ax.contour(x, y, lengths[::COARSE, ::COARSE], levels=edges_mm[1:-1], colors="#e9dcff", linewidths=0.5)
        _arrows(ax, pair, factor)
        if scene.case.post.liver is not None:
            planes.outline(ax, pair.section.as_shown.outlines(scene.case.post.liver), style.LIVER, used)
        planes.ringed_lesion(ax, scene, pair.section, used)
        planes.frame(ax, pair.section, bar_mm=20.0)
    _say_at_lesion(axes[0], scene)
    bar = figure.colorbar(scale, cax=figure.add_axes((0.937, 0.16, 0.014, 0.68), facecolor="#a0a0a0"))
    bar.ax.tick_params(labelsize=8.5)
    bar.set_label("local displacement, mm", fontsize=8.5)
    times = "true to scale" if factor == 1.0 else f"{factor:g} times their length"
    title = f"Lesion {scene.lesion.lesion_id}: deformation beyond {linear_words(scene)} (arrows {times})"
    return planes.finished(figure, title, used)


def _scale(edges_mm: FloatArray) -> ScalarMappable:
    """Return one hue in bands, the more opaque the longer: what is hardly displaced shows as it is."""
    opacity = _OPAQUE * np.arange(len(edges_mm) - 1) / max(len(edges_mm) - 2, 1)
    return ScalarMappable(BoundaryNorm(edges_mm, len(opacity)), ListedColormap([(*_HUE, alpha) for alpha in opacity]))


def _say_at_lesion(ax: Axes, scene: LesionScene) -> None:
    here_mm, least_mm, most_mm = at_lesion_mm(scene)
    place = "thin spot" if scene.foot_lps_mm is not None else "tumour's centre"
    ax.text(0.02, 0.98, f"{place} {here_mm:.1f} mm\ntumour surface {least_mm:.1f} to {most_mm:.1f} mm", fontsize=8.5,
            transform=ax.transAxes, ha="left", va="top", bbox=planes.BOX)  # fmt: skip


def _factor(pairs: Sequence[Pair]) -> float:
    """Return how many times its length each arrow is drawn, so that the longest just spans their distance."""
    longest = max(float(np.linalg.norm(arrows_mm(pair)[1], axis=1).max(initial=0.0)) for pair in pairs)
    return next((factor for factor in _FACTORS if factor * longest <= ARROWS_MM), _FACTORS[-1])


def _arrows(ax: Axes, pair: Pair, factor: float) -> None:
    heads, vectors = arrows_mm(pair)
    long = factor * np.linalg.norm(vectors, axis=1) >= LEAST_ARROW_MM
    ax.quiver(*heads[long].T, *(factor * vectors[long].T), pivot="tip", angles="xy", scale_units="xy", scale=1.0,
              color="white", edgecolor="black", linewidth=0.4, width=0.0055, headwidth=3.6, headlength=4.2,
              headaxislength=3.8, minlength=0.0)  # fmt: skip
