"""Vessels that both studies have masks of: how far their borders lie apart around a zone."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from planner.errors import InputError
from planner.grid import FloatArray
from planner.register.alignment import Check, SpatialMap
from planner.register.prepare import Scan
from planner.surface import Surface
from planner.volume import Mask

AROUND_MM = (5.0, 50.0)
"""Borders are compared between these distances from a zone: nearer ones may have been ablated."""

ENOUGH_POINTS = 100
MOST_POINTS = 20_000


def vessel_residual_mm(post: Scan, pre: Scan, used: SpatialMap, zone: Surface) -> tuple[float, int] | None:
    """Return the median distance of vessels' borders from the same vessel's in the other study, and of how many points.

    Tubes may slide along themselves unseen, so an alignment is rather worse than this. None where no vessel was drawn
    in both studies, or hardly any of one lies near the zone.
    """
    off_mm: list[FloatArray] = []
    for role in post.vessels.keys() & pre.vessels.keys():
        here, there = _border_mm(post.vessels[role]), _border_mm(pre.vessels[role])
        try:
            moved = used.post_from_pre(there)
        except InputError:
            return None
        here, moved = (points[_near(points, zone)] for points in (here, moved))
        if len(here) and len(moved):
            off_mm += [cKDTree(moved).query(here)[0], cKDTree(here).query(moved)[0]]
    count = sum(map(len, off_mm))
    return (float(np.median(np.concatenate(off_mm))), count) if count >= ENOUGH_POINTS else None


def vessel_check(found: tuple[float, int] | None, allowed_mm: float) -> tuple[Check, ...]:
    """Return what vessels say of a zone's alignment, of whose error so much is allowed for; nothing without any."""
    if found is None:
        return ()
    apart_mm, count = found
    counts = f"more than the {allowed_mm:.1f} mm that were allowed for, so it counts"
    text = (
        f"borders of vessels drawn in both studies lie {apart_mm:.1f} mm apart {AROUND_MM[0]:.0f} to"
        f" {AROUND_MM[1]:.0f} mm around the zone (median of {count} points; "
        f"{counts if apart_mm > allowed_mm else f'shown: {allowed_mm:.1f} mm are allowed for'})"
    )
    return (Check("vessels", round(apart_mm, 4), "mm", None, text),)


def _border_mm(mask: Mask) -> FloatArray:
    """Return the centres of a mask's border voxels, thinned evenly, shape (n, 3)."""
    cropped = mask.cropped(1)
    border = cropped.voxels_kji & ~ndimage.binary_erosion(cropped.voxels_kji)
    kji = np.argwhere(border)
    kji = kji[:: max(1, len(kji) // MOST_POINTS)]
    return cropped.grid.lps_mm(kji[:, ::-1])


def _near(points: FloatArray, zone: Surface) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    gap = -zone.signed_depth_mm(points) if len(points) else np.empty(0)
    return np.asarray((gap >= AROUND_MM[0]) & (gap <= AROUND_MM[1]))
