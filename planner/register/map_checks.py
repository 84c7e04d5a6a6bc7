"""What a deformable map looks like as a map: local volumes, folds and its inverse. Only a fold near a zone decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from planner.grid import FloatArray, Grid
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.register.jacobian import RoundTrip, VolumeRatios
from planner.register.prepare import Working
from planner.surface import Surface
from planner.volume import BoolVoxels

MOST_POINTS = 4_000
NEAR_ZONE_MM = 20.0
SAYS_NOTHING = "shown, decides nothing: it says nothing of accuracy"


def with_map_checks(alignment: Alignment, zones: Mapping[str, Surface], post: Working, region: BoolVoxels) -> Alignment:
    """Return an alignment with what its deformation looks like as a map; a map without one keeps every volume.

    Parameters
    ----------
    alignment
        Kind, map and what was looked at so far.
    zones
        Surfaces of the ablation zones in POST, by id.
    post
        POST on its working lattice.
    region
        Where the metric looked, on that lattice.
    """
    if alignment.map.displacement is None:
        return alignment
    of_case = _volume_checks(alignment.map, _spread(region, post.grid))
    of_zones = {
        zone_id: (*alignment.zone_checks.get(zone_id, ()), *_near_zone(alignment.map, _points_near(zone, post)))
        for zone_id, zone in zones.items()
    }
    return replace(alignment, checks=(*alignment.checks, *of_case), zone_checks={**alignment.zone_checks, **of_zones})


def _volume_checks(used: SpatialMap, points: FloatArray) -> tuple[Check, ...]:
    found = VolumeRatios.of(used, points)
    if found is None:
        return ()
    what = "local volume of tissue in POST over that in PRE (below 1 it has shrunk) where the two were compared"
    return (
        Check("jacobian_minimum", round(found.minimum_ratio, 4), "times", None, f"smallest {what}; {SAYS_NOTHING}"),
        Check("jacobian_q01", round(found.low_ratio, 4), "times", None, f"1 % quantile of the {what}; {SAYS_NOTHING}"),
        Check("jacobian_q99", round(found.high_ratio, 4), "times", None,
              f"99 % quantile of the {what}; {SAYS_NOTHING}"),
        Check("folded_share", round(found.folded_share, 4), "fraction", None,
              f"share of the region compared where the map folds; {SAYS_NOTHING}"),
    )  # fmt: skip


def _near_zone(used: SpatialMap, points: FloatArray) -> tuple[Check, ...]:
    ratios = VolumeRatios.of(used, points)
    if ratios is None:
        return ()
    share, trip = ratios.folded_share, RoundTrip.of(used, points)
    folded = (
        f"the map folds at {share:.1%} of the points of liver and zone within {NEAR_ZONE_MM:.0f} mm of the zone"
        " (none allowed: tissue cannot)"
    )
    exact = "from POST to PRE and back, near the zone: how exactly the map can be undone"
    text = f"{exact}; {SAYS_NOTHING}" if trip else f"{exact}; the map has no inverse there"
    return (
        Check("folded_near_zone", round(share, 4), "fraction", share == 0.0, folded),
        Check("inverse_mean", round(trip.mean_mm, 4) if trip else None, "mm", None, f"mean distance {text}"),
        Check("inverse_largest", round(trip.largest_mm, 4) if trip else None, "mm", None, f"largest distance {text}"),
    )


def _spread(where: BoolVoxels, grid: Grid) -> FloatArray:
    """Return the centres of at most 4 000 voxels of a region, evenly picked in their order, shape (n, 3)."""
    inside = np.flatnonzero(where)
    if len(inside) > MOST_POINTS:
        inside = inside[np.linspace(0, len(inside) - 1, MOST_POINTS).round().astype(np.int64)]
    kji = np.stack(np.unravel_index(inside, where.shape), axis=1)
    return grid.lps_mm(kji[:, ::-1]) if len(kji) else np.empty((0, 3))


def _points_near(zone: Surface, post: Working) -> FloatArray:
    """Return points of the zone, and of liver and scan within 20 mm of it, on a lattice of at most 4 000, (n, 3)."""
    points = box_points(zone.vertices_lps_mm, NEAR_ZONE_MM, MOST_POINTS)
    depth = zone.signed_depth_mm(points)
    tissue = post.seen if post.liver is None else post.seen & post.liver
    return points[(depth >= 0.0) | ((depth >= -NEAR_ZONE_MM) & _read(tissue, post.grid, points))]


def _read(voxels: BoolVoxels, grid: Grid, points: FloatArray) -> BoolVoxels:
    """Return which points lie in a voxel of a mask, shape (n,)."""
    held = grid.contains(points)
    last_ijk = np.asarray(grid.shape_kji[::-1]) - 1
    i, j, k = np.clip(np.rint(grid.ijk(points)).astype(np.int64), 0, last_ijk).T
    return np.asarray(held & voxels[k, j, i])


def box_points(around_lps_mm: FloatArray, room_mm: float, most: int) -> FloatArray:
    """Return a regular lattice of about `most` points over the box of some points with room around, shape (n, 3)."""
    low, high = around_lps_mm.min(axis=0) - room_mm, around_lps_mm.max(axis=0) + room_mm
    step = float((np.prod(high - low) / most) ** (1.0 / 3.0))
    axes = [np.arange(a + 0.5 * step, b, step) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
