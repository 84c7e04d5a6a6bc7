"""Other answers than the map in use: where they lie apart from it, nobody knows which is right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.register.alignment import Displacement, SpatialMap
from planner.register.compared import Compared, intensities
from planner.register.deformable import ANYTHING, LIVER, QUICK, displacement_on_post
from planner.register.prepare import Working
from planner.register.quality import shown_on_post
from planner.volume import BoolVoxels, FloatVoxels

STIFFER = 10.0
"""The stiffer answer's factor on the bending energy."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Three other answers, and PRE as the map in use shows it.

    Parameters
    ----------
    stiffer
        A map from the same rigid motion with ten times the bending energy.
    back
        From PRE to POST, found on its own: a displacement on the rigidly moved PRE. After the map in use it should
        lead back to where one was (inverse consistency).
    again
        What a fresh deformation still adds to the map in use, POST.
    moved
        PRE on POST's lattice by the map in use.
    where
        Where the two were compared.
    compared
        What of them was.
    """

    stiffer: SpatialMap
    back: Displacement
    again: Displacement
    moved: FloatVoxels
    where: BoolVoxels
    compared: Compared

    @classmethod
    def of(
        cls, post: Working, pre: Working, used: SpatialMap, region: BoolVoxels, compared: Compared = intensities
    ) -> Panel:
        """Return the other answers to a map.

        Parameters
        ----------
        post, pre
            Both studies on their working lattices.
        used
            The map in use.
        region
            Where the metric looks, on POST's lattice.
        compared
            What of the images is compared.
        """
        rigid = SpatialMap(used.rigid_pre_from_post)
        prior = ANYTHING if post.liver is None else LIVER
        stiff = replace(prior, bending=STIFFER * prior.bending)
        on_post, seen = shown_on_post(post, pre, rigid)
        stiffer = displacement_on_post(post, on_post, seen, region, stiff, QUICK, compared)
        turned = replace(post, image=on_post)
        back = displacement_on_post(turned, post.image, post.seen, region & seen, prior, QUICK, compared)
        moved, seen = shown_on_post(post, pre, used)
        again = displacement_on_post(post, moved, seen, region, prior, QUICK, compared)
        return cls(SpatialMap(used.rigid_pre_from_post, stiffer), back, again, moved, region & seen, compared)
