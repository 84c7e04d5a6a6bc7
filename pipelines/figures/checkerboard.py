"""Checkerboards of POST and the moved PRE: whether the livers meet where the tumour is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas

from pipelines.figures import planes, style
from pipelines.figures.pair import Pair
from pipelines.figures.scene import LesionScene
from pipelines.figures.sections import FloatArray

TILES = 10


def draw_checkerboard(scene: LesionScene, pairs: Sequence[Pair]) -> Canvas:
    """Return checkerboards through the lesion with the liver outlines of both studies."""
    figure, axes = planes.panels([pair.section for pair in pairs])
    used: dict[str, style.Stroke] = {}
    for ax, pair in zip(axes, pairs, strict=True):
        planes.show(ax, pair.section, tiled(pair))
        planes.outline_pre_liver(ax, scene, pair, used)
        if scene.case.post.liver is not None:
            planes.outline(ax, pair.section.as_shown.outlines(scene.case.post.liver), style.LIVER, used)
        planes.cut_lesion(ax, scene, pair.section, used)
        planes.frame(ax, pair.section, bar_mm=20.0)
    title = f"Lesion {scene.lesion.lesion_id}: registration, tiles of POST and of the moved PRE in turn"
    return planes.finished(figure, title, used)


def tiled(pair: Pair, tiles: int = TILES) -> FloatArray:
    """Return tiles of both studies in turn, POST first at the lower left; not a number outside a study's image."""
    row, column = (np.arange(count) * tiles // count for count in pair.post.shape)
    return np.where(np.add.outer(row, column) % 2 == 0, pair.post, pair.pre)
