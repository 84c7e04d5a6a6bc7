"""Two studies in, an alignment out: rigid, then deformable where wanted, then how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from planner.errors import RegistrationInputError
from planner.grid import Grid
from planner.register.alignment import Alignment, Check, Displacement, Kind, SpatialMap
from planner.register.compared import Compared, compared_by
from planner.register.deformable import ANYTHING, LEVELS, LIVER, QUICK, faded
from planner.register.deformed import Deformed
from planner.register.gate import DECIDING
from planner.register.judged import judged_at
from planner.register.map_checks import with_map_checks
from planner.register.mirrored import require_not_mirrored
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
from planner.register.proof import contrast_note, proven
from planner.register.quality import (
    Answers,
    case_checks,
    moved_onto,
    second_opinion,
    shared_view_check,
)
from planner.register.rigid import FIRST_STARTS, OTHER_STARTS, rigid_pre_from_post
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


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What is to be aligned: the studies, as scanned and on working lattices, the zones, and what is compared."""

    pre: Scan
    post: Scan
    fixed: Working
    moving: Working
    region: BoolVoxels
    zones: Mapping[str, Surface]
    settings: RegistrationSettings

    @property
    def both_ct(self) -> bool:
        return is_ct(self.pre.image) and is_ct(self.post.image)

    @property
    def compared(self) -> Compared:
        return compared_by(both_ct=self.both_ct)

    def rigid(self, *, same_frame: bool, starts: slice = FIRST_STARTS) -> SpatialMap:
        """Return the rigid answer from some of the starts."""
        return SpatialMap(
            rigid_pre_from_post(
                self.fixed, self.moving, self.region, self.settings, same_frame=same_frame, starts=starts,
                compared=self.compared,
            )
        )  # fmt: skip


def _registered(
    pre: Scan, post: Scan, zones: Mapping[str, Surface], settings: RegistrationSettings, observe: Observe
) -> Alignment:
    observe("registration: working images", 0.0)
    require_two_images(pre.image, post.image)
    fixed, moving = working_scan(post, settings, "POST"), working_scan(pre, settings, "PRE")
    region = metric_region(fixed, settings)
    _require_region(region, fixed.grid)
    observe("registration: rigid", 0.2)
    require_not_mirrored(fixed, moving)
    same = _same_frame(pre.image.grid, post.image.grid)
    task = _Task(pre, post, fixed, moving, region, zones, settings)
    found = _aligned(task, task.rigid(same_frame=same), observe)
    if zones and all(_failed(found, zone) for zone in zones):
        found = _from_other_starts(task, found, observe)
    return replace(found, checks=(*found.checks, *_frame_note(same=same), *contrast_note(both_ct=task.both_ct)))


def _from_other_starts(task: _Task, first: Alignment, observe: Observe) -> Alignment:
    """Return the alignment from other starts if it fails at fewer zones, else the first; and that they were tried."""
    observe("registration: other starts", 0.5)
    what = "the alignment failed at every zone, so other starts were tried"
    try:
        rigid = task.rigid(same_frame=False, starts=OTHER_STARTS)
    except RegistrationInputError:
        note = Check("other_starts", None, "", None, f"{what}: there were none")
        return replace(first, checks=(*first.checks, note))
    other = _aligned(task, rigid, observe)
    before, after = (sum(_failed(found, zone) for zone in task.zones) for found in (first, other))
    found, outcome = (other, "a better one is in use") if after < before else (first, "none was better")
    return replace(found, checks=(*found.checks, Check("other_starts", None, "", None, f"{what}: {outcome}")))


def _failed(found: Alignment, zone_id: str) -> bool:
    return any(check.passed is False for check in found.zone_checks[zone_id] if check.name in DECIDING)


def _aligned(task: _Task, rigid: SpatialMap, observe: Observe) -> Alignment:
    """Return what follows from a rigid motion, and what is seen of it."""
    plain = Answers(rigid, rigid)
    if task.settings.kind == "rigid":
        return _judged(task, "rigid", plain, (_rigid_note("as asked"),), observe)
    answers, notes = _deformed(task, rigid, observe)
    if answers is None:
        return _judged(task, "rigid", plain, notes, observe)
    deformed = _judged(task, "deformable", answers, notes, observe)
    if task.both_ct:
        return deformed
    return proven(_judged(task, "rigid", plain, (), observe), deformed)


def _judged(task: _Task, kind: Kind, answers: Answers, notes: tuple[Check, ...], observe: Observe) -> Alignment:
    """Return a map with what is seen of it."""
    observe("registration: quality", 0.9)
    panel = Panel.of(task.fixed, task.moving, answers.used, task.region, task.compared)
    errors, intervals, per_zone = {}, {}, {}
    for zone_id, surface in task.zones.items():
        zone = resampled_mask(task.post.lesions[zone_id], task.fixed.grid)
        predicted, checks = judged_at(
            panel, answers.used, surface, zone, task.fixed, (task.post, task.pre), task.settings, sure=task.both_ct
        )
        errors[zone_id], intervals[zone_id] = predicted.error_mm, (predicted.low_mm, predicted.high_mm)
        per_zone[zone_id] = (
            shared_view_check(zone, task.fixed, task.pre.image.grid, answers.used, task.settings),
            *checks,
            *second_opinion(answers, surface),
        )
    found = Alignment(kind, answers.used, answers.rigid, (*_shown(task, answers), *notes), errors, per_zone, intervals)
    return with_map_checks(found, task.zones, task.fixed, task.region)


def _shown(task: _Task, answers: Answers) -> tuple[Check, ...]:
    fixed, moving = task.fixed, task.moving
    images = [
        moved_onto(moving.image, moving.grid, fixed.grid, found, 1).astype(np.float32)
        for found in (answers.rigid, answers.used)
    ]
    liver = None if moving.liver is None else moved_onto(moving.liver, moving.grid, fixed.grid, answers.used, 0) > 0.5
    return case_checks(fixed, images[0], images[1], liver, task.region, both_ct=task.both_ct)


def _deformed(task: _Task, rigid: SpatialMap, observe: Observe) -> tuple[Answers | None, tuple[Check, ...]]:
    """Return the deformed answer with a library's beside it, None where it brings the images no closer; and notes."""
    post, pre = task.fixed, task.moving
    prior = ANYTHING if post.liver is None else LIVER
    levels = LEVELS if task.both_ct else QUICK
    observe("registration: deformable", 0.4)
    found = Deformed.of(post, pre, rigid, task.region, prior, levels, task.compared)
    if found is None:
        return None, (_rigid_note("the deformation brought the images no closer"),)
    observe("registration: a library's opinion", 0.8)
    try:
        where = task.region & found.seen
        vectors = bspline_vectors_mm(post, found.pre_on_post, where, task.settings.seed, LIBRARY_SAMPLED)
    except RuntimeError:
        note = Check("second_opinion", None, "", None, "SimpleITK's B-spline, the second opinion, gave no answer")
        return Answers(found.used, rigid), (note,)
    library = SpatialMap(rigid.rigid_pre_from_post, faded(Displacement(vectors, post.grid)))
    return Answers(found.used, rigid, library), ()


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
