"""POST and the registered PRE on one plane, sampled once for all the pictures that judge the registration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.figures import style
from pipelines.figures.scene import LesionScene
from pipelines.figures.sections import FloatArray, Section

HALF_MM = 75.0
ORIENTATIONS = ("axial", "coronal")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both studies on one plane of POST through a lesion.

    Parameters
    ----------
    section
        The plane, in POST.
    places_pre_lps_mm
        The point of PRE that the map takes each sample of the plane to, shape (rows * columns, 3).
    post, pre
        Grey values from 0 to 1, rows from the bottom up; not a number outside a study's image.
    local_mm
        What the deformation adds to the rigid motion at each sample, shape (rows, columns, 3), LPS, mm: from where
        the rigid answer alone would put the tissue of PRE to where the map puts it.
    """

    section: Section
    places_pre_lps_mm: FloatArray
    post: FloatArray
    pre: FloatArray
    local_mm: FloatArray

    @property
    def places_as_shown_lps_mm(self) -> FloatArray:
        """The points of PRE of the samples that pictures show, shape (n, 3)."""
        every = self.section.shown_every
        return self.places_pre_lps_mm.reshape(*self.post.shape, 3)[::every, ::every].reshape(-1, 3)

    @property
    def shared(self) -> style.BoolArray:
        """Where both studies have an image, shape (rows, columns)."""
        return np.isfinite(self.post) & np.isfinite(self.pre)


def pairs_of(scene: LesionScene) -> tuple[Pair, ...]:
    """Return both studies on the axial and the coronal plane through the lesion."""
    return tuple(pair_on(scene, scene.wide(orientation, HALF_MM)) for orientation in ORIENTATIONS)


def pair_on(scene: LesionScene, section: Section) -> Pair:
    """Return both studies on a plane of POST."""
    case, points = scene.case, section.points_lps_mm()
    there = scene.alignment.map.pre_from_post(points)
    post = style.window_of(case.post.image).grey(section.image(case.post.image))
    pre = style.window_of(case.pre.image).grey(section.image(case.pre.image, lambda _: there))
    local = points - scene.alignment.rigid.post_from_pre(there)
    return Pair(section, there, post, pre, local.reshape(*post.shape, 3))


def local_displacement_mm(scene: LesionScene, points_post_lps_mm: FloatArray) -> FloatArray:
    """Return what the deformation adds to the rigid motion at points of POST, shape (n, 3), LPS, mm."""
    alignment = scene.alignment
    return points_post_lps_mm - alignment.rigid.post_from_pre(alignment.map.pre_from_post(points_post_lps_mm))
