"""What a zone must hold: the tumour grown by a margin, as far as there is liver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.plan.zone import spread_directions
from planner.surface import Surface

BoolArray = npt.NDArray[np.bool_]

DIRECTIONS = 4000
"""Directions in which the grown tumour's farthest point is looked for."""


@dataclass(frozen=True, eq=False)
class Target:
    """The tumour grown by a margin, within the closed liver; all of the tumour belongs to it.

    A zone that is convex holds the target exactly if it holds `corners`: they are the corners of its convex hull.

    Parameters
    ----------
    margin_mm
        By how much the tumour is grown.
    corners_lps_mm
        Shape (n, 3).
    """

    margin_mm: float
    corners_lps_mm: FloatArray


def target_of(tumour: Surface, margin_mm: float, liver: ClosedLiver | None = None) -> Target:
    """Return what a zone must hold so that the minimal margin is `margin_mm` or more.

    Parameters
    ----------
    tumour
        Its surface in the planning scan.
    margin_mm
        The margin asked for, 0 or more.
    liver
        With it, tissue outside the closed liver is no target: the margin is then the parenchymal one.
    """
    return Growing(tumour, liver, margin_mm).by(margin_mm)


def in_target(points_lps_mm: FloatArray, tumour: Surface, margin_mm: float, liver: ClosedLiver | None) -> BoolArray:
    """Return which points, shape (n, 3), lie in the target of a margin: see `target_of`."""
    return at_depth_in_target(points_lps_mm, tumour.signed_depth_mm(points_lps_mm), margin_mm, liver)


def at_depth_in_target(
    points_lps_mm: FloatArray, depth_mm: FloatArray, margin_mm: float, liver: ClosedLiver | None
) -> BoolArray:
    """Return which points lie in the target of a margin, given how deep each lies in the tumour, shape (n,)."""
    within = np.asarray(depth_mm >= -margin_mm)
    if liver is not None:
        beyond = np.flatnonzero(within & (depth_mm < 0.0))
        within[beyond] = liver.contains(points_lps_mm[beyond])
    return within


class Growing:
    """A tumour that is grown by one margin after another, each looked at once.

    Parameters
    ----------
    tumour, liver
        As in `target_of`.
    most_mm
        No larger margin will be asked for.
    """

    def __init__(self, tumour: Surface, liver: ClosedLiver | None, most_mm: float) -> None:
        self._tumour, self._liver = tumour, liver
        self._found: dict[float, Target] = {}
        self._capsule = np.zeros((0, 3))
        self._capsule_mm = np.zeros(0)
        if liver is not None:
            capsule = np.concatenate([liver.surface.vertices_lps_mm, liver.surface.triangle_centres_lps_mm])
            low, high = tumour.vertices_lps_mm.min(axis=0) - most_mm, tumour.vertices_lps_mm.max(axis=0) + most_mm
            near = capsule[((capsule >= low) & (capsule <= high)).all(axis=1)]
            self._capsule = near
            self._capsule_mm = -tumour.signed_depth_mm(near) if len(near) else np.zeros(0)

    def by(self, margin_mm: float) -> Target:
        """Return what a zone must hold for a margin, mm."""
        if margin_mm not in self._found:
            self._found[margin_mm] = Target(margin_mm, corners_of(self.points(margin_mm)))
        return self._found[margin_mm]

    def points(self, margin_mm: float) -> FloatArray:
        """Return points of the border of the target of a margin, shape (n, 3); some may lie within it."""
        if self._liver is None or margin_mm <= 0.0:
            return _grown_hull(self._tumour, margin_mm)
        offset = _offset(self._tumour, margin_mm)
        # The tumour belongs to the target wherever it lies. An offset point beside a hollow of the tumour may lie
        # nearer to another part of it: then it is inside the target, and harmless.
        return np.concatenate([
            self._tumour.vertices_lps_mm,
            offset[self._liver.contains(offset)],
            self._capsule[self._capsule_mm <= margin_mm],
        ])  # fmt: skip


def _grown_hull(tumour: Surface, margin_mm: float) -> FloatArray:
    """Return points of the border of the hull of the grown tumour: the hull grown is the grown hull."""
    corners = corners_of(tumour.vertices_lps_mm)
    if margin_mm <= 0.0:
        return corners
    directions = spread_directions(DIRECTIONS)
    farthest = np.argmax(directions @ corners.T, axis=1)
    return np.asarray(corners[farthest] + margin_mm * directions)


def _offset(tumour: Surface, margin_mm: float) -> FloatArray:
    """Return points at a distance from the tumour, all around it."""
    return np.concatenate([_grown_hull(tumour, margin_mm), tumour.vertices_lps_mm + margin_mm * tumour.vertex_normals])


def corners_of(points: FloatArray) -> FloatArray:
    """Return those of the points that are corners of their convex hull; all of them where they span no volume."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except (QhullError, ValueError):  # too few points, or on one plane
        return points
