"""Two studies in, an alignment out: rigid, then deformable where wanted, then how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.errors import RegistrationInputError
from planner.grid import Grid
from planner.register.alignment import Alignment, Check, Displacement, Kind, SpatialMap
from planner.register.deformable import ANYTHING, LIVER, displacement_on_post, faded
from planner.register.gate import Predicted, Seen, gate_checks
from planner.register.map_checks import with_map_checks
from planner.register.panel import Panel
from planner.register.prepare import (
    Observe,
    Scan,
    Working,
    is_ct,
    metric_region,
    resampled_mask,
    working_scan,
)
from planner.register.quality import (
    Answers,
    case_checks,
    correlation,
    moved_onto,
    second_opinion,
    shared_view_check,
)
from planner.register.rigid import rigid_pre_from_post
from planner.register.second import bspline_vectors_mm
from planner.register.settings import RegistrationSettings
from planner.register.threads import one_thread
from planner.surface import Surface
from planner.volume import BoolVoxels

LEAST_REGION_ML = 20.0
"""A smaller region than this cannot carry a registration."""


def register(
    pre: Scan,
    post: Scan,
    zones: Mapping[str, Surface],
    settings: RegistrationSettings,
    observe: Observe = lambda *_: None,
) -> Alignment:
    """Align PRE with POST and say how far the answer can be trusted at each zone.

    Parameters
    ----------
    pre, post
        Both scans. Liver masks guide the start and the region; without them the intensities do.
    zones
        Surfaces of the ablation zones in POST, by the ids of `post.lesions`.
    settings
        How; `kind` is the richest map to try.
    observe
        Told what is being done.

    Raises
    ------
    RegistrationInputError
        The scans hold nothing by which they could be aligned.
    FrameMismatchError
        They are to be taken as aligned, but state different frames of reference.
    """
    if settings.kind == "identity":
        post.image.grid.require_same_frame(pre.image.grid, "PRE and POST, to be taken as aligned")
        text = "identity: PRE and POST were taken as aligned, as asked; their own error is unknown and in no interval"
        return Alignment(
            "identity", SpatialMap.identity(), SpatialMap.identity(), (Check("alignment", None, "", None, text),)
        )
    with one_thread():
        return _registered(pre, post, zones, settings, observe)


def _registered(
    pre: Scan, post: Scan, zones: Mapping[str, Surface], settings: RegistrationSettings, observe: Observe
) -> Alignment:
    observe("registration: working images", 0.0)
    fixed, moving = working_scan(post, settings, "POST"), working_scan(pre, settings, "PRE")
    region = metric_region(fixed, settings)
    _require_region(region, fixed.grid)
    observe("registration: rigid", 0.2)
    same = _same_frame(pre.image.grid, post.image.grid)
    rigid = SpatialMap(rigid_pre_from_post(fixed, moving, region, settings, same_frame=same))
    kind, answers, notes = _deformed(fixed, moving, rigid, region, settings, observe)
    observe("registration: quality", 0.9)
    panel = Panel.of(fixed, moving, answers.used, region)
    errors, intervals, per_zone = {}, {}, {}
    for zone_id, surface in zones.items():
        zone = resampled_mask(post.lesions[zone_id], fixed.grid)
        seen = Seen.of(panel, answers.used, surface, zone, fixed)
        predicted = Predicted.of(seen)
        errors[zone_id], intervals[zone_id] = predicted.error_mm, (predicted.low_mm, predicted.high_mm)
        per_zone[zone_id] = (
            shared_view_check(zone, fixed, pre.image.grid, answers.used, settings),
            *gate_checks(seen, predicted, settings),
            *second_opinion(answers, surface),
        )
    shown = _shown(fixed, moving, answers, region, both_ct=is_ct(pre.image) and is_ct(post.image))
    found = Alignment(kind, answers.used, rigid, (*shown, *notes, *_frame_note(same=same)), errors, per_zone, intervals)
    return with_map_checks(found, zones, fixed, region)


def _shown(
    fixed: Working, moving: Working, answers: Answers, region: BoolVoxels, *, both_ct: bool
) -> tuple[Check, ...]:
    images = [
        moved_onto(moving.image, moving.grid, fixed.grid, found, 1).astype(np.float32)
        for found in (answers.rigid, answers.used)
    ]
    liver = None if moving.liver is None else moved_onto(moving.liver, moving.grid, fixed.grid, answers.used, 0) > 0.5
    return case_checks(fixed, images[0], images[1], liver, region, both_ct=both_ct)


def _deformed(
    post: Working, pre: Working, rigid: SpatialMap, region: BoolVoxels, settings: RegistrationSettings, observe: Observe
) -> tuple[Kind, Answers, tuple[Check, ...]]:
    if settings.kind == "rigid":
        return "rigid", Answers(rigid, rigid), (_rigid_note("as asked"),)
    pre_on_post = moved_onto(pre.image, pre.grid, post.grid, rigid, 1).astype(np.float32)
    seen = moved_onto(pre.seen, pre.grid, post.grid, rigid, 0) > 0.5
    prior = ANYTHING if post.liver is None else LIVER
    observe("registration: deformable", 0.4)
    found = SpatialMap(rigid.rigid_pre_from_post, displacement_on_post(post, pre_on_post, seen, region, prior))
    where = region & seen
    after = correlation(post.image, moved_onto(pre.image, pre.grid, post.grid, found, 1).astype(np.float32), where)
    if after <= correlation(post.image, pre_on_post, where):
        return "rigid", Answers(rigid, rigid), (_rigid_note("the deformation brought the images no closer"),)
    observe("registration: a library's opinion", 0.8)
    try:
        vectors = bspline_vectors_mm(post, pre_on_post, where, settings.seed, LIBRARY_SAMPLED)
    except RuntimeError:
        note = Check("second_opinion", None, "", None, "SimpleITK's B-spline, the second opinion, gave no answer")
        return "deformable", Answers(found, rigid), (note,)
    library = SpatialMap(rigid.rigid_pre_from_post, faded(Displacement(vectors, post.grid)))
    return "deformable", Answers(found, rigid, library), ()


LIBRARY_SAMPLED = 0.05
"""Share of the region that the library's B-spline looks at."""


def _rigid_note(why: str) -> Check:
    return Check("rigid_only", None, "", None, f"rigid map in use: {why}")


def _require_region(region: BoolVoxels, grid: Grid) -> None:
    volume_ml = float(region.sum()) * grid.voxel_mm3 / 1000.0
    if volume_ml < LEAST_REGION_ML:
        raise RegistrationInputError(
            f"POST: {volume_ml:.0f} ml of liver outside the zones to align by, at least {LEAST_REGION_ML:.0f} ml needed"
        )


def _same_frame(pre: Grid, post: Grid) -> bool:
    return bool(pre.frame_uid) and pre.frame_uid == post.frame_uid


def _frame_note(*, same: bool) -> tuple[Check, ...]:
    if not same:
        return ()
    text = "one frame of reference for PRE and POST does not prove alignment (breathing), so they were registered"
    return (Check("same_frame_of_reference", None, "", None, text),)
