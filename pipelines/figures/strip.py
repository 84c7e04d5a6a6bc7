"""A small checkerboard of the three planes at the thin spot, to stand right beside the margin."""

from __future__ import annotations

from matplotlib.figure import Figure as Canvas

from pipelines.figures import planes, style
from pipelines.figures.checkerboard import tiled
from pipelines.figures.pair import pair_on
from pipelines.figures.scene import LesionScene
from pipelines.figures.sections import ORIENTATIONS

HALF_MM = 42.0
TILES = 6
WIDTH_IN, HEIGHT_IN = 4.8, 1.6
"""Small, so that its letters can be read where a page shows it at 390 pixels."""


def draw_strip(scene: LesionScene) -> Canvas:
    """Return tiles of POST and of the moved PRE in turn, axial, coronal and sagittal, with liver, zone and tumour."""
    figure = style.canvas(WIDTH_IN, HEIGHT_IN)
    used: dict[str, style.Stroke] = {}
    for place, orientation in enumerate(ORIENTATIONS):
        ax = figure.add_axes((place / 3.0 + 0.002, 0.005, 1.0 / 3.0 - 0.004, 0.99))
        pair = pair_on(scene, scene.close(orientation, HALF_MM))
        planes.show(ax, pair.section, tiled(pair, TILES))
        planes.outline_pre_liver(ax, scene, pair, used)
        if scene.case.post.liver is not None:
            planes.outline(ax, pair.section.as_shown.outlines(scene.case.post.liver), style.LIVER, used)
        planes.ringed_lesion(ax, scene, pair.section, used)
        planes.frame(ax, pair.section, bar_mm=20.0)
        ax.text(0.02, 0.98, orientation, transform=ax.transAxes, fontsize=8, color="white", ha="left", va="top",
                bbox=planes.SHADOW)  # fmt: skip
    return figure
