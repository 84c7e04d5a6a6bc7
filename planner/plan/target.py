"""What a zone must hold: the tumour grown by a margin, as far as there is liver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.plan.zone import spread_directions
from planner.surface import Surface

DIRECTIONS = 4000
"""Directions in which the grown tumour's farthest point is looked for."""

FROM_LIVER_MM = 0.05
"""Points so near to the capsule count as in the liver, so that its own points do."""


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
    if liver is None:
        return Target(margin_mm, _corners(_grown_hull(tumour, margin_mm)))
    parts = [tumour.vertices_lps_mm]
    if margin_mm > 0.0:
        parts += [_offset_in_liver(tumour, margin_mm, liver), _capsule_within(tumour, margin_mm, liver)]
    return Target(margin_mm, _corners(np.concatenate(parts)))


def _grown_hull(tumour: Surface, margin_mm: float) -> FloatArray:
    """Return points of the border of the hull of the grown tumour: the hull grown is the grown hull."""
    corners = _corners(tumour.vertices_lps_mm)
    if margin_mm <= 0.0:
        return corners
    directions = spread_directions(DIRECTIONS)
    farthest = np.argmax(directions @ corners.T, axis=1)
    return np.asarray(corners[farthest] + margin_mm * directions)


def _offset_in_liver(tumour: Surface, margin_mm: float, liver: ClosedLiver) -> FloatArray:
    """Return points at the margin's distance from the tumour that lie in the liver."""
    directions = spread_directions(DIRECTIONS)
    corners = _corners(tumour.vertices_lps_mm)
    by_direction = corners[np.argmax(directions @ corners.T, axis=1)] + margin_mm * directions
    outward = tumour.vertices_lps_mm + margin_mm * tumour.vertex_normals
    points = np.concatenate([by_direction, outward])
    points = points[liver.contains(points)]
    # A point beside a hollow may lie nearer to another part of the tumour: then it is inside the target, and harmless.
    return np.asarray(points)


def _capsule_within(tumour: Surface, margin_mm: float, liver: ClosedLiver) -> FloatArray:
    """Return points of the capsule no farther from the tumour than the margin: where the target ends at it."""
    capsule = np.concatenate([liver.surface.vertices_lps_mm, liver.surface.triangle_centres_lps_mm])
    near = capsule[-tumour.signed_depth_mm(capsule) <= margin_mm]
    return np.asarray(near)


def _corners(points: FloatArray) -> FloatArray:
    """Return those of the points that are corners of their convex hull; all of them where they span no volume."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:
        return points
