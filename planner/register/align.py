"""Two studies in, an alignment out: rigid, then deformable where wanted, then how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.case import Case
from planner.errors import RegistrationInputError
from planner.grid import FloatArray, Grid
from planner.register.alignment import Alignment, Check, Kind, SpatialMap
from planner.register.deformable import displacement_on_post
from planner.register.prepare import (
    Observe,
    Working,
    metric_region,
    resampled_mask,
    working_study,
)
from planner.register.quality import Answers, case_checks, correlation, moved_onto, predicted_error_mm, zone_checks
from planner.register.rigid import rigid_pre_from_post
from planner.register.settings import RegistrationSettings
from planner.surface import Surface
from planner.volume import BoolVoxels

LEAST_REGION_ML = 20.0
"""A smaller region than this cannot carry a registration."""


def register(
    case: Case, zones: Mapping[str, Surface], settings: RegistrationSettings, observe: Observe = lambda *_: None
) -> Alignment:
    """Align PRE with POST and say how far the answer can be trusted at each zone.

    Parameters
    ----------
    case
        Both studies. Liver masks guide the start and the region; without them the intensities do.
    zones
        Surfaces of the ablation zones in POST, by zone id.
    settings
        How; `kind` is the richest map to try.
    observe
        Told what is being done.

    Raises
    ------
    RegistrationInputError
        The scans hold nothing by which they could be aligned.
    """
    if settings.kind == "identity":
        text = "identity: PRE and POST were taken as aligned, as asked; their own error is unknown"
        return Alignment("identity", SpatialMap.identity(), SpatialMap.identity(), (Check("alignment", None, "", None, text),))
    observe("registration: working images", 0.0)
    post = working_study(case.post, list(case.post.ablations.values()), settings)
    pre = working_study(case.pre, list(case.pre.tumours.values()), settings)
    region = metric_region(post, settings)
    _require_region(region, post.grid)
    observe("registration: rigid", 0.2)
    rigid = SpatialMap(rigid_pre_from_post(post, pre, region, settings, same_frame=_same_frame(case)))
    kind, answers, notes = _deformed(post, pre, rigid, region, settings, observe)
    observe("registration: quality", 0.9)
    errors = {zone_id: predicted_error_mm(answers, surface) for zone_id, surface in zones.items()}
    scan = case.pre.image.grid
    per_zone = {
        zone_id: zone_checks(
            error, resampled_mask(case.post.ablations[zone_id], post.grid), post, scan, answers.used, settings
        )
        for zone_id, error in errors.items()
    }
    moved = [moved_onto(pre.image, pre.grid, post.grid, found, 1) for found in (answers.rigid, answers.used)]
    liver = None if pre.liver is None else moved_onto(pre.liver, pre.grid, post.grid, answers.used, 0) > 0.5
    shown = case_checks(post, moved[0].astype(np.float32), moved[1].astype(np.float32), liver, region)
    return Alignment(kind, answers.used, rigid, (*shown, *notes, *_frame_note(case)), errors, per_zone)


def _deformed(
    post: Working, pre: Working, rigid: SpatialMap, region: BoolVoxels, settings: RegistrationSettings, observe: Observe
) -> tuple[Kind, Answers, tuple[Check, ...]]:
    if settings.kind == "rigid":
        return "rigid", Answers(rigid, SpatialMap(_nudged(rigid)), rigid), (_rigid_note("as asked"),)
    pre_on_post = moved_onto(pre.image, pre.grid, post.grid, rigid, 1).astype(np.float32)
    seen = moved_onto(pre.seen, pre.grid, post.grid, rigid, 0) > 0.5
    observe("registration: deformable", 0.4)
    found = SpatialMap(rigid.rigid_pre_from_post, displacement_on_post(post, pre_on_post, seen, region))
    observe("registration: second opinion", 0.7)
    coarse = displacement_on_post(post, pre_on_post, seen, region, STIFFER)
    second = SpatialMap(rigid.rigid_pre_from_post, coarse)
    where = region & seen
    after = correlation(post.image, moved_onto(pre.image, pre.grid, post.grid, found, 1).astype(np.float32), where)
    if after <= correlation(post.image, pre_on_post, where):
        return "rigid", Answers(rigid, second, rigid), (_rigid_note("the deformation brought the images no closer"),)
    return "deformable", Answers(found, second, rigid), ()


def _nudged(rigid: SpatialMap) -> FloatArray:
    """Return the rigid map moved by what a rigid motion typically misses: its second opinion is not free."""
    matrix = np.array(rigid.rigid_pre_from_post)
    matrix[2, 3] += RIGID_DOUBT_MM
    return matrix


STIFFER = 3.0
"""The second opinion's factor on the bending energy."""

RIGID_DOUBT_MM = 2.0
"""Without a deformable answer, the disagreement that is assumed at each zone."""


def _rigid_note(why: str) -> Check:
    return Check("rigid_only", None, "", None, f"rigid map in use: {why}")


def _require_region(region: BoolVoxels, grid: Grid) -> None:
    volume_ml = float(region.sum()) * grid.voxel_mm3 / 1000.0
    if volume_ml < LEAST_REGION_ML:
        raise RegistrationInputError(
            f"POST: {volume_ml:.0f} ml of liver outside the zones to align by, expected at least {LEAST_REGION_ML:.0f} ml"
        )


def _same_frame(case: Case) -> bool:
    pre, post = case.pre.image.grid.frame_uid, case.post.image.grid.frame_uid
    return bool(pre) and pre == post


def _frame_note(case: Case) -> tuple[Check, ...]:
    if not _same_frame(case):
        return ()
    text = "PRE and POST share a frame of reference; that does not prove alignment (breathing), so they were registered"
    return (Check("same_frame_of_reference", None, "", None, text),)
