"""A small checkerboard of the three planes at the thin spot, to stand right beside the margin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Canvas

from pipelines.figures import planes, style
from pipelines.figures.checkerboard import tiled
from pipelines.figures.pair import pair_on
from pipelines.figures.scene import LesionScene
from pipelines.figures.sections import ORIENTATIONS, FloatArray, Section

HALF_MM = 40.0
TILES = 5
"""Few, so that a tile is large enough to be seen where a strip is 400 pixels or 120 mm wide."""

CROSS_MM = 1.6
WIDTH_IN, HEIGHT_IN = 4.8, 1.6
"""Small, so that its letters can be read where a page shows it at 390 pixels."""

_TUMOUR = replace(style.TUMOUR, width=0.8)
_ZONE = replace(style.ZONE, width=0.9)
_LETTER_PT = 7.0


def draw_strip(scene: LesionScene) -> Canvas:
    """Return tiles of POST and of the moved PRE in turn, axial, coronal and sagittal, with zone and tumour.

    Corners of tiles are marked, and no outline is drawn but those of the lesion: borders of liver and vessels should be
    seen to run on from tile to tile in the images themselves.
    """
    figure = style.canvas(WIDTH_IN, HEIGHT_IN)
    for place, orientation in enumerate(ORIENTATIONS):
        ax = figure.add_axes((place / 3.0 + 0.002, 0.005, 1.0 / 3.0 - 0.004, 0.99))
        pair = pair_on(scene, scene.close(orientation, HALF_MM))
        planes.show(ax, pair.section, tiled(pair, TILES))
        ax.add_collection(LineCollection(list(corners(pair.section)), colors="white", linewidths=0.6), autolim=False)
        for zone in scene.zones:
            planes.outline(ax, pair.section.cut(zone), _ZONE, {})
        planes.outline(ax, pair.section.cut(scene.tumour), _TUMOUR, {})
        planes.ring(ax, scene, pair.section, 6.5)
        _letters(ax, pair.section)
    planes.scale_bar(ax, pair.section, 20.0)
    return figure


def corners(section: Section) -> FloatArray:
    """Return small crosses where four tiles meet, shape (n, 2, 2): ends of lines in picture coordinates, mm."""
    left, right, bottom, top = section.extent_mm
    inner = np.arange(1, TILES) / TILES
    x, y = np.meshgrid(left + (right - left) * inner, bottom + (top - bottom) * inner)
    at = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    arms = CROSS_MM * np.array([[[-1.0, 0.0], [1.0, 0.0]], [[0.0, -1.0], [0.0, 1.0]]])
    return np.concatenate([at + arm for arm in arms])


def _letters(ax: Axes, section: Section) -> None:
    """Name the plane, and what lies at its left and top."""
    for text, x, y, ha, va in ((section.letters[0], 0.02, 0.5, "left", "center"),
                               (section.letters[2], 0.5, 0.98, "center", "top"),
                               (section.orientation, 0.02, 0.02, "left", "bottom")):  # fmt: skip
        ax.text(x, y, text, transform=ax.transAxes, fontsize=_LETTER_PT, color="white", ha=ha, va=va,
                bbox=planes.SHADOW)  # fmt: skip
