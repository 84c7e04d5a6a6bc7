"""A given map is used as it is, held against the images, and its error is never called measured."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from studies import MATRIX, bent_pre, bent_pre_from_post, grid, in_liver, post, pre, pre_from_post, stranger

from planner.assess import AssessSettings, assess
from planner.case import Case, Study
from planner.errors import InputError
from planner.register.alignment import Alignment, Check, Displacement, SpatialMap
from planner.register.given import ASSUMED_ERROR_MM, Given, alignment_as_given, box_to_align
from planner.register.prepare import Scan
from planner.register.settings import RegistrationSettings
from planner.report.words import alignment_sentence
from planner.volume import Mask

SETTINGS = RegistrationSettings(kind="file", working_mm=3.0)
RIGHT = SpatialMap(MATRIX)
TURNED_ROUND = SpatialMap(np.linalg.inv(MATRIX))


def aligned(given: Given, moving: Scan | None = None) -> Alignment:
    fixed, zones = post()
    return alignment_as_given(given, moving or pre(), fixed, zones, SETTINGS)


@cache
def right() -> Alignment:
    return aligned(Given(RIGHT))


def check(found: Alignment, name: str) -> Check:
    (one,) = [c for c in (*found.checks, *found.zone_checks["1"]) if c.name == name]
    return one


def test_the_map_is_used_as_it_was_given() -> None:
    assert right().kind == "file"
    assert right().map is RIGHT
    assert right().map.pre_from_post(in_liver()) == pytest.approx(pre_from_post(in_liver()))
    assert right().passed


def test_the_images_are_held_against_it() -> None:
    assert check(right(), "correlation").value > 0.8
    assert check(right(), "liver_dice").value > 0.9
    assert check(right(), "shared_field_of_view").passed
    assert check(right(), "predicted_error").passed
    assert check(right(), "block_residual").value < 1.0
    assert "correlation_rigid" not in {c.name for c in right().checks}


@pytest.mark.parametrize("mm", [6.0, 12.0])
def test_a_map_that_is_off_by_more_than_is_assumed_of_it_does_not_pass_as_if_it_were_not(mm: float) -> None:
    off = np.array(MATRIX)
    off[:3, 3] += mm * np.array([0.6, 0.0, 0.8])
    found = aligned(Given(SpatialMap(off)))
    assert found.error_at_zone_mm["1"] > 0.8 * mm
    assert found.verdict("1") == "fail"


def test_a_map_that_is_all_in_its_field_is_judged_as_if_it_were_not() -> None:
    where = grid(spacing=3.0)
    points = where.lps_mm(np.argwhere(np.ones(where.shape_kji))[:, ::-1])
    vectors = (pre_from_post(points) - points).reshape(*where.shape_kji, 3)
    found = aligned(Given(SpatialMap(np.eye(4), Displacement(vectors, where))))
    assert found.error_at_zone_mm["1"] == pytest.approx(right().error_at_zone_mm["1"], abs=0.3)
    assert found.verdict("1") == "pass"


def test_one_image_as_pre_and_post_is_refused() -> None:
    fixed, zones = post()
    with pytest.raises(InputError, match="both hold the same image") as caught:
        alignment_as_given(Given(RIGHT), fixed, fixed, zones, SETTINGS)
    assert caught.value.code == "same-image"


def test_an_error_of_which_nothing_is_said_is_assumed_and_called_so() -> None:
    found = check(right(), "given_error")
    assert right().error_at_zone_mm["1"] == found.value == ASSUMED_ERROR_MM == 2.0
    assert found.passed is None
    assert "assumed" in found.text
    assert "nothing measured" in found.text
    assert "assumed to be 2.0 mm" in alignment_sentence(right())


@pytest.mark.parametrize(("error_mm", "passed"), [(0.7, True), (6.0, False)])
def test_a_stated_error_is_taken_and_called_stated(error_mm: float, passed: bool) -> None:
    found = aligned(Given(RIGHT, error_mm=error_mm))
    predicted = check(found, "predicted_error").value
    assert predicted < 1.5
    assert found.error_at_zone_mm["1"] == pytest.approx(max(error_mm, predicted), abs=1e-4)
    assert check(found, "given_error").passed is passed
    assert found.passed is passed
    assert "as stated by the user, not measured" in check(found, "given_error").text


def test_a_map_that_is_turned_round_is_said_to_be_and_fails() -> None:
    found = aligned(Given(TURNED_ROUND))
    assert check(right(), "direction").passed
    assert check(found, "direction").passed is False
    assert "points of POST to points of PRE" in check(found, "direction").text
    assert not found.passed


def test_of_images_that_are_no_two_cts_the_direction_is_shown_alone() -> None:
    mri = replace(pre(), image=replace(pre().image, modality="MR"))
    assert check(aligned(Given(TURNED_ROUND), mri), "direction").passed is None


def test_another_body_fails_under_any_map() -> None:
    assert check(aligned(Given(RIGHT), stranger()), "correlation").passed is False


def bent() -> SpatialMap:
    where = grid()
    nodes = where.lps_mm(np.indices(where.shape_kji)[::-1].reshape(3, -1).T)
    beyond = (bent_pre_from_post(nodes) - MATRIX[:3, 3]) @ MATRIX[:3, :3] - nodes
    return SpatialMap(MATRIX, Displacement(beyond.reshape(*where.shape_kji, 3), where))


def test_a_deformation_keeps_its_linear_part_beside_it_and_says_how_it_was_read() -> None:
    found = aligned(Given(bent(), 0.03), bent_pre())
    assert found.rigid.displacement is None
    assert found.rigid.rigid_pre_from_post == pytest.approx(MATRIX)
    assert check(found, "correlation").value > 0.8
    assert "at most 0.03 mm from the given transform (" in check(found, "file_read").text
    rough = check(aligned(Given(bent(), 0.4), bent_pre()), "file_read")
    assert "more than the 0.1 mm aimed at" in rough.text
    assert all(c.name != "file_read" for c in right().checks)


def test_a_map_under_which_the_zone_lies_outside_pre_fails_its_field_of_view() -> None:
    away = np.array(MATRIX)
    away[2, 3] += 75.0
    assert check(aligned(Given(SpatialMap(away))), "shared_field_of_view").passed is False


def test_where_a_zone_fills_the_region_nothing_is_compared_and_that_is_said() -> None:
    fixed, zones = post()
    found = alignment_as_given(Given(RIGHT), pre(), replace(fixed, lesions={"1": fixed.liver}), zones, SETTINGS)
    assert [(c.passed, "too little" in c.text) for c in found.checks if c.name == "correlation"] == [(None, True)]


def case_of(moving: Scan) -> Case:
    fixed, _ = post()
    tumour = fixed.lesions["1"]
    places = grid().lps_mm(np.indices(grid().shape_kji)[::-1].reshape(3, -1).T)
    centre = pre_from_post(np.array([[12.0, -8.0, 5.0]]))[0]
    ball = np.linalg.norm(places - centre, axis=1).reshape(grid().shape_kji) <= 7.0
    before = Study(moving.image, {"tumour_1": Mask(ball, grid(), "tumour_1")})
    return Case("c", "c", before, Study(fixed.image, {"ablation_1": replace(tumour, name="ablation_1")}))


def test_the_margin_and_its_interval_rest_on_the_given_map_and_its_error() -> None:
    found = assess(case_of(pre()), right(), post()[1], AssessSettings())
    (lesion,) = found.lesions
    # A ball of radius 7 in one of 11 about the same centre.
    assert lesion.margin.min_mm == pytest.approx(4.0, abs=0.5)
    assert lesion.registration_error_mm == lesion.margin.interval.assumed.registration_error_mm == ASSUMED_ERROR_MM


def test_a_given_map_that_folds_at_the_tumour_is_refused() -> None:
    where = grid()
    vectors = np.zeros((*where.shape_kji, 3))
    nodes = where.lps_mm(np.indices(where.shape_kji)[::-1].reshape(3, -1).T)
    vectors[..., 0] = (9.0 * np.sin(nodes[:, 0] / 2.0)).reshape(where.shape_kji)
    folded = aligned(Given(SpatialMap(MATRIX, Displacement(vectors, where)), error_mm=1.0))
    with pytest.raises(InputError) as caught:
        assess(case_of(pre()), folded, post()[1], AssessSettings())
    assert caught.value.code == "folding"


def test_the_box_that_must_be_exact_holds_liver_and_zones_within_the_image() -> None:
    fixed, zones = post()
    low, high = box_to_align(fixed)
    corners = fixed.image.grid.corners_lps_mm()
    assert (low >= corners.min(axis=0)).all()
    assert (high <= corners.max(axis=0)).all()
    for points in (in_liver(), zones["1"].vertices_lps_mm):
        assert ((points > low + 5.0) & (points < high - 5.0)).all()
    bare = Scan(fixed.image, None, {})
    assert box_to_align(bare) == pytest.approx(np.stack([corners.min(axis=0), corners.max(axis=0)]))
