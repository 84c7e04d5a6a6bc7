"""How a map changes volumes: Jacobian determinants at sampled points, and how exactly the map can be undone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.errors import InputError
from planner.grid import FloatArray
from planner.register.alignment import SpatialMap
from planner.surface import PointMap

STEP_MM = 1.0
"""Slopes are differences between points so far to either side."""

TAIL = 0.01
"""The share of points that lies below the low quantile, and above the high one."""


def determinants(to_from: PointMap, points_lps_mm: FloatArray, step_mm: float = STEP_MM) -> FloatArray:
    """Return the determinant of a map's Jacobian at points, by central differences.

    Parameters
    ----------
    to_from
        The map, of points in mm.
    points_lps_mm
        Shape (n, 3), in the frame that the map takes.
    step_mm
        Differences are taken over twice so much along each axis.

    Returns
    -------
    FloatArray
        Shape (n,): the volume of a small piece after the map over that before. 1 keeps it; at most 0 is a fold.
    """
    slopes = np.empty((len(points_lps_mm), 3, 3))
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = step_mm
        slopes[:, :, axis] = (to_from(points_lps_mm + step) - to_from(points_lps_mm - step)) / (2.0 * step_mm)
    return np.asarray(np.linalg.det(slopes))


def volume_change_percent(used: SpatialMap, points_post_lps_mm: FloatArray) -> float | None:
    """Return by how many percent tissue has changed its volume from PRE to POST; None without a point.

    The mean over the tissue, as it was in PRE, of (determinant of the Jacobian of post_from_pre) - 1. Over points that
    are evenly spread in POST that is 1 / (mean determinant of pre_from_post) - 1: the piece's volume in POST over that
    in PRE.

    Parameters
    ----------
    used
        The map.
    points_post_lps_mm
        Shape (n, 3): evenly spread over the piece of tissue in POST.

    Returns
    -------
    float | None
        Negative: the tissue has shrunk since PRE; positive: it has swollen. None also where the map folds so much that
        no volume is left.
    """
    if not len(points_post_lps_mm):
        return None
    mean = float(determinants(used.pre_from_post, points_post_lps_mm).mean())
    return 100.0 * (1.0 / mean - 1.0) if mean > 0.0 else None


@dataclass(frozen=True, slots=True)
class VolumeRatios:
    """Local volumes of tissue in POST over those in PRE: below 1 it has shrunk, above 1 swollen.

    Where the map folds, the ratio is the (negative or zero) determinant of pre_from_post itself.

    Parameters
    ----------
    minimum_ratio
        The smallest.
    low_ratio, high_ratio
        1 % of the points lie below the first, 1 % above the second.
    folded_share
        Share of the points where the map folds.
    """

    minimum_ratio: float
    low_ratio: float
    high_ratio: float
    folded_share: float

    @classmethod
    def of(cls, used: SpatialMap, points_post_lps_mm: FloatArray) -> VolumeRatios | None:
        """Return those of a map at points of POST, shape (n, 3); None without a point."""
        if not len(points_post_lps_mm):
            return None
        found = determinants(used.pre_from_post, points_post_lps_mm)
        folds = found <= 0.0
        ratios = np.where(folds, found, 1.0 / np.where(folds, 1.0, found))
        low, high = np.quantile(ratios, (TAIL, 1.0 - TAIL))
        return cls(float(ratios.min()), float(low), float(high), float(folds.mean()))


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """How far points of POST lie from themselves after a trip to PRE and back, mm (at least 0)."""

    mean_mm: float
    largest_mm: float

    @classmethod
    def of(cls, used: SpatialMap, points_post_lps_mm: FloatArray) -> RoundTrip | None:
        """Return that of a map at points of POST, shape (n, 3); None without a point, or where it has no inverse."""
        if not len(points_post_lps_mm):
            return None
        try:
            back = used.post_from_pre(used.pre_from_post(points_post_lps_mm))
        except InputError:  # it folds
            return None
        apart = np.linalg.norm(back - points_post_lps_mm, axis=1)
        return cls(float(apart.mean()), float(apart.max()))
