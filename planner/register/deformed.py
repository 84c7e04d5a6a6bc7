"""The deformation that follows a rigid motion, kept only where it brings the images closer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.register.alignment import SpatialMap
from planner.register.compared import Compared, intensities
from planner.register.deformable import LEVELS, LIVER, Prior, displacement_on_post
from planner.register.prepare import Working
from planner.register.quality import likeness, shown_on_post
from planner.volume import BoolVoxels, FloatVoxels


@dataclass(frozen=True, slots=True, eq=False)
class Deformed:
    """A deformation that brings the images closer than the rigid motion before it.

    Parameters
    ----------
    used
        The map to use.
    pre_on_post
        PRE on POST's working lattice by the rigid motion, grey values.
    seen
        Where that shows something.
    """

    used: SpatialMap
    pre_on_post: FloatVoxels
    seen: BoolVoxels

    @classmethod
    def of(
        cls,
        post: Working,
        pre: Working,
        rigid: SpatialMap,
        region: BoolVoxels,
        prior: Prior = LIVER,
        levels: Sequence[tuple[int, int]] = LEVELS,
        compared: Compared = intensities,
    ) -> Deformed | None:
        """Return the deformation after a rigid motion, None where it brings the images no closer.

        Parameters
        ----------
        post, pre
            Both studies on their working lattices.
        rigid
            The motion.
        region
            Where the metric looks, on POST's lattice.
        prior, levels, compared
            As `displacement_on_post` takes them.
        """
        on_post, seen = shown_on_post(post, pre, rigid)
        found = displacement_on_post(post, on_post, seen, region, prior, levels, compared)
        used, where = SpatialMap(rigid.rigid_pre_from_post, found), region & seen
        moved = shown_on_post(post, pre, used)[0]
        if likeness(post.image, moved, where, compared) <= likeness(post.image, on_post, where, compared):
            return None
        return cls(used, on_post, seen)
