"""A map between the studies that somebody else found: used as it is, and held against the images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from planner.grid import FloatArray, Grid
from planner.register.alignment import Alignment, Check, Displacement, SpatialMap
from planner.register.compared import compared_by
from planner.register.deformable import faded
from planner.register.judged import judged_at
from planner.register.panel import Panel
from planner.register.prepare import (
    Observe,
    Scan,
    Working,
    is_ct,
    metric_region,
    require_two_images,
    resampled_mask,
    working_scan,
)
from planner.register.quality import case_checks, correlation, moved_onto, shared_view_check
from planner.register.settings import RegistrationSettings
from planner.register.threads import one_thread
from planner.surface import Surface
from planner.volume import BoolVoxels

ASSUMED_ERROR_MM = 2.0
"""Mean 3-D error of a given map of which nothing is stated: what a rigid motion typically misses in a liver."""

TURNED_ROUND = 0.1
"""Two CTs that resemble each other by this much more under the inverse show that the map is turned round."""

READ_WITHIN_MM = 0.1
AROUND_MM = 20.0
LEAST_VOXELS = 1000
"""Fewer working voxels outside the zones than this are not compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A map as it was given.

    Parameters
    ----------
    map
        The map.
    off_mm
        How far it lies at most from what was given, around liver and zones: by sampling.
    error_mm
        What is stated of its mean 3-D error at the zones; None where nothing is.
    """

    map: SpatialMap
    off_mm: float = 0.0
    error_mm: float | None = None


def alignment_as_given(
    given: Given,
    pre: Scan,
    post: Scan,
    zones: Mapping[str, Surface],
    settings: RegistrationSettings,
    observe: Observe = lambda *_: None,
) -> Alignment:
    """Return the alignment by a given map, with what the images say of it.

    Its error is the stated one, else `ASSUMED_ERROR_MM` (a check says which), or what the gate predicts if more.

    Parameters
    ----------
    given
        The map.
    pre, post, zones, settings, observe
        As `register` takes them.

    Raises
    ------
    RegistrationInputError
        An image is constant or holds values that are not finite; a liver mask lies outside its image.
    """
    observe("registration: as given", 0.0)
    require_two_images(pre.image, post.image)
    fixed, moving = working_scan(post, settings, "POST"), working_scan(pre, settings, "PRE")
    linear = SpatialMap(given.map.rigid_pre_from_post)
    error_mm = ASSUMED_ERROR_MM if given.error_mm is None else given.error_mm
    observe("registration: quality", 0.5)
    both_ct = is_ct(pre.image) and is_ct(post.image)
    region = metric_region(fixed, settings)
    seen = _compared(fixed, moving, given.map, region, both_ct=both_ct)
    around: dict[str, tuple[Check, ...]] = {
        zone_id: (shared_view_check(_on(fixed, post, zone_id), fixed, pre.image.grid, given.map, settings),)
        for zone_id in zones
    }
    errors = dict.fromkeys(zones, error_mm)
    if np.count_nonzero(region) >= LEAST_VOXELS:
        refitted = _refitted(given.map, fixed.grid, region)
        with one_thread():
            panel = Panel.of(fixed, moving, refitted, region, compared_by(both_ct=both_ct))
        for zone_id, surface in zones.items():
            zone = _on(fixed, post, zone_id)
            predicted, checks = judged_at(panel, refitted, surface, zone, fixed, (post, pre), settings, sure=both_ct)
            errors[zone_id] = max(error_mm, predicted.error_mm)
            around[zone_id] += checks
    checks = (_error_check(given, settings), *_read_check(given), *seen)
    return Alignment("file", given.map, linear, checks, errors, around)


def _on(fixed: Working, post: Scan, zone_id: str) -> BoolVoxels:
    return resampled_mask(post.lesions[zone_id], fixed.grid)


def _refitted(given: SpatialMap, grid: Grid, region: BoolVoxels) -> SpatialMap:
    """Return a map, on POST's lattice, as the rigid motion nearest to it over the region and a displacement before.

    For the panel, whose other answers start from the rigid motion: that of a given map may be none (all of it in its
    field) or affine.
    """
    points = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1])
    there = given.pre_from_post(points)
    inside = region.ravel()
    middle, target = points[inside].mean(axis=0), there[inside].mean(axis=0)
    turn = Rotation.align_vectors(there[inside] - target, points[inside] - middle)[0].as_matrix()
    rigid = np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = turn, target - turn @ middle
    vectors = (there - rigid[:3, 3]) @ turn - points
    return SpatialMap(rigid, faded(Displacement(vectors.reshape(*grid.shape_kji, 3).astype(np.float32), grid)))


def box_to_align(post: Scan) -> FloatArray:
    """Return the box of liver and ablation zones with 20 mm around, within POST's image; without any, the image's.

    Two opposite corners, shape (2, 3), LPS mm: where a given map must be read exactly.
    """
    corners = post.image.grid.corners_lps_mm()
    image = np.stack([corners.min(axis=0), corners.max(axis=0)])
    masks = [mask for mask in (post.liver, *post.lesions.values()) if mask is not None and not mask.is_empty]
    if not masks:
        return image
    points = np.concatenate([mask.box_corners_lps_mm() for mask in masks])
    box = np.stack([points.min(axis=0) - AROUND_MM, points.max(axis=0) + AROUND_MM])
    inside = np.clip(box, image[0], image[1])
    return inside if (inside[1] > inside[0]).all() else image


def _error_check(given: Given, settings: RegistrationSettings) -> Check:
    if given.error_mm is None:
        text = (
            f"registration error of the given transform assumed to be {ASSUMED_ERROR_MM:.1f} mm: nothing was stated"
            " of it, and nothing measured"
        )
        return Check("given_error", ASSUMED_ERROR_MM, "mm", None, text)
    text = (
        f"registration error of the given transform {given.error_mm:.1f} mm as stated by the user, not measured"
        f" (at most {settings.worst_error_mm:.0f} mm accepted)"
    )
    return Check("given_error", given.error_mm, "mm", given.error_mm <= settings.worst_error_mm, text)


def _read_check(given: Given) -> tuple[Check, ...]:
    if given.map.displacement is None:
        return ()
    spacing = " x ".join(f"{s:.3g}" for s in given.map.displacement.grid.spacing_kji_mm[::-1])
    more = "" if given.off_mm <= READ_WITHIN_MM else f", more than the {READ_WITHIN_MM} mm aimed at"
    text = (
        f"the deformation is read by linear interpolation on {spacing} mm: around liver and zones at most"
        f" {given.off_mm:.2f} mm from the given transform{more} (shown, decides nothing)"
    )
    return (Check("file_read", round(given.off_mm, 4), "mm", None, text),)


def _compared(post: Working, pre: Working, used: SpatialMap, region: BoolVoxels, *, both_ct: bool) -> tuple[Check, ...]:
    if np.count_nonzero(region) < LEAST_VOXELS:
        text = "too little of POST lies outside the zones to hold the images against each other"
        return (Check("correlation", None, "", None, text),)
    moved = moved_onto(pre.image, pre.grid, post.grid, used, 1).astype(np.float32)
    liver = None if pre.liver is None else moved_onto(pre.liver, pre.grid, post.grid, used, 0) > 0.5
    checks = case_checks(post, None, moved, liver, region, both_ct=both_ct)
    back = SpatialMap(np.asarray(np.linalg.inv(used.rigid_pre_from_post)))
    forth_similarity = correlation(post.image, moved, region)
    turned = moved_onto(pre.image, pre.grid, post.grid, back, 1).astype(np.float32)
    return (*checks, _direction_check(forth_similarity, correlation(post.image, turned, region), both_ct=both_ct))


def _direction_check(forth: float, back: float, *, both_ct: bool) -> Check:
    text = (
        f"similarity with the inverse of the given transform {back:.2f}, with itself {forth:.2f}"
        " (it must take points of POST to points of PRE)"
    )
    return Check("direction", round(back, 4), "ratio", back <= forth + TURNED_ROUND if both_ct else None, text)
