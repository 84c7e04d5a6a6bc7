"""The deformation after a rigid motion, and that it is dropped where it brings nothing."""

from __future__ import annotations

import numpy as np
from studies import bent_pre, bent_pre_from_post, in_liver, post, pre_from_post

from planner.register.alignment import SpatialMap
from planner.register.deformed import Deformed
from planner.register.prepare import metric_region, working_scan
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings(working_mm=3.0)


def motion() -> SpatialMap:
    """Return the rigid part of the known motion, read off four points."""
    to = pre_from_post(np.vstack([np.zeros(3), np.eye(3)]))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = (to[1:] - to[0]).T, to[0]
    return SpatialMap(matrix)


def off_mm(used: SpatialMap) -> float:
    return float(np.linalg.norm(used.pre_from_post(in_liver()) - bent_pre_from_post(in_liver()), axis=1).mean())


def test_a_known_deformation_is_found_after_the_rigid_motion() -> None:
    fixed, moving = working_scan(post()[0], SETTINGS), working_scan(bent_pre(), SETTINGS)
    found = Deformed.of(fixed, moving, motion(), metric_region(fixed, SETTINGS))
    assert found is not None
    assert off_mm(found.used) < 0.8
    assert off_mm(motion()) > 2.0


def test_a_study_and_itself_are_brought_no_closer_by_a_deformation() -> None:
    fixed = working_scan(post()[0], SETTINGS)
    assert Deformed.of(fixed, fixed, SpatialMap.identity(), metric_region(fixed, SETTINGS)) is None
