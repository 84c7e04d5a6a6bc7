"""The library's deformation: it finds a known motion, alone in its own right, and always the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from studies import bent_pre, bent_pre_from_post, in_liver, post

from planner.register.alignment import Displacement, SpatialMap
from planner.register.deformable import faded
from planner.register.prepare import metric_region, working_scan
from planner.register.quality import moved_onto
from planner.register.rigid import rigid_pre_from_post
from planner.register.second import bspline_vectors_mm
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings(working_mm=3.0)


@pytest.fixture(scope="module")
def pair():
    fixed, moving = working_scan(post()[0], SETTINGS), working_scan(bent_pre(), SETTINGS)
    region = metric_region(fixed, SETTINGS)
    rigid = SpatialMap(rigid_pre_from_post(fixed, moving, region, SETTINGS, same_frame=True))
    moved = moved_onto(moving.image, moving.grid, fixed.grid, rigid, 1).astype(np.float32)
    return fixed, moved, region, rigid


def errors_mm(found: SpatialMap) -> float:
    return float(np.linalg.norm(found.pre_from_post(in_liver()) - bent_pre_from_post(in_liver()), axis=1).mean())


def test_a_known_deformation_is_followed(pair) -> None:
    fixed, moved, region, rigid = pair
    vectors = bspline_vectors_mm(fixed, moved, region, 1, 0.2)
    assert vectors.shape == (*fixed.grid.shape_kji, 3)
    found = replace(rigid, displacement=faded(Displacement(vectors, fixed.grid)))
    assert errors_mm(found) < 0.7 * errors_mm(rigid)


def test_the_answer_is_the_same_whatever_the_number_of_threads(pair) -> None:
    fixed, moved, region, _ = pair
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    answers = []
    for threads in (1, 3):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        try:
            answers.append(bspline_vectors_mm(fixed, moved, region, 1, 0.2).tobytes())
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
        finally:
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert answers[0] == answers[1]
