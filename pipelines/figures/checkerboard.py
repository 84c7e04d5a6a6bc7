"""Checkerboards of POST and the moved PRE: whether the livers meet where the tumour is."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as Canvas
from skimage.util import compare_images

from pipelines.figures import planes, style
from pipelines.figures.scene import LesionScene

HALF_MM = 75.0
TILES = 10


def draw_checkerboard(scene: LesionScene) -> Canvas:
    """Return axial and coronal checkerboards through the lesion with the liver outlines of both studies."""
    figure = style.canvas(9.6, 5.35)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.095, top=0.9, wspace=0.02)
    used: dict[str, style.Stroke] = {}
    case, moved = scene.case, scene.alignment.map.pre_from_post
    for ax, orientation in zip(figure.subplots(1, 2), ("axial", "coronal"), strict=True):
        section = scene.wide(orientation, HALF_MM)
        post = style.window_of(case.post.image).grey(section.image(case.post.image))
        pre = style.window_of(case.pre.image).grey(section.image(case.pre.image, moved))
        planes.show(ax, section, np.asarray(compare_images(post, pre, method="checkerboard", n_tiles=(TILES, TILES))))
        if case.pre.liver is not None:
            planes.outline(ax, section.outlines(case.pre.liver, moved), style.LIVER_PRE, used)
        if case.post.liver is not None:
            planes.outline(ax, section.outlines(case.post.liver), style.LIVER, used)
        planes.outline(ax, section.cut(scene.tumour), style.TUMOUR, used)
        planes.frame(ax, section, bar_mm=20.0)
        ax.set_title(orientation.capitalize(), fontsize=9.5, pad=3)
    figure.suptitle(f"Lesion {scene.lesion.lesion_id}: registration, tiles of POST and of the moved PRE in turn",
                    fontsize=11, fontweight="bold", y=0.985)  # fmt: skip
    planes.add_legend(figure, used)
    return figure
