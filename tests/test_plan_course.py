"""A needle's angles in CT-table terms, and what its shaft passes: known directions and distances, left never right."""

from __future__ import annotations

import analytic
import numpy as np
import pytest
from plan_cases import case_of, scan, setting

from planner.measure.distances import SHAFT_STEP_MM
from planner.plan.course import NO_ENTRY, bearing_of, course_of
from planner.plan.needle import needle_along, needle_of
from planner.report.needle_text import bearing_words
from planner.surroundings import Around

S30, C30 = 0.5, float(np.sqrt(0.75))


@pytest.mark.parametrize(
    ("axis", "turn", "side", "tilt", "end"),
    [
        ((0, 1, 0), 0.0, "neither", 0.0, "neither"),
        ((1, 0, 0), 90.0, "left", 0.0, "neither"),
        ((-1, 0, 0), 90.0, "right", 0.0, "neither"),
        ((S30, C30, 0), 30.0, "left", 0.0, "neither"),
        ((-S30, C30, 0), 30.0, "right", 0.0, "neither"),
        ((-S30, -C30, 0), 150.0, "right", 0.0, "neither"),
        ((0, -1, 0), 180.0, "neither", 0.0, "neither"),
        ((0, C30, S30), 0.0, "neither", 30.0, "head"),
        ((0, C30, -S30), 0.0, "neither", -30.0, "feet"),
        ((-3.0, 4.0, 5.0), 36.8699, "right", 45.0, "head"),
        ((-30.0, 40.0, -50.0), 36.8699, "right", -45.0, "feet"),
    ],
)
def test_the_bearing_of_a_needle(axis, turn, side, tilt, end):
    found = bearing_of(np.array(axis, dtype=float))
    assert found.from_vertical_degrees == pytest.approx(turn, abs=1e-3)
    assert (found.tip_side, found.tip_end) == (side, end)
    assert found.tilt_degrees == pytest.approx(tilt, abs=1e-3)


def test_a_needle_along_the_patient_has_no_angle_in_the_axial_plane():
    found = bearing_of(np.array([0.0, 0.0, -2.0]))
    assert found.from_vertical_degrees is None
    assert (found.tilt_degrees, found.tip_end) == (pytest.approx(-90.0), "feet")


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        ((0, 1, 0), "straight from the front; in the axial plane"),
        ((0, -1, 0), "straight from behind; in the axial plane"),
        (
            (-3.0, 4.0, 5.0),
            "36.9 degrees from vertical, from the front, tip towards the patient's right; 45.0 degrees out of the axial"
            " plane, tip towards the head",
        ),
        (
            (S30, -C30, 0),
            "30.0 degrees from vertical, from behind, tip towards the patient's left; in the axial plane",
        ),
        ((0, 0, 1), "along the patient, tip towards the head"),
    ],
)
def test_the_bearing_in_words(axis, said):
    assert bearing_words(bearing_of(np.array(axis, dtype=float))) == said


GRID = analytic.lattice(40.0, (1.0, 1.0, 1.0))
BODIES = {
    "tumour_1": analytic.ball((0, 0, 0), 6.0),
    "colon": analytic.ball((14.0, -20.0, 0.0), 5.0),  # to the left of the shaft, in front
    "kidney_right": analytic.ball((-18.0, 8.0, 0.0), 4.0),
    "rib_left_7": analytic.ball((0.0, -30.0, 9.0), 3.0),
}
STUDY = scan(GRID, BODIES)
AROUND = Around.of(case_of(STUDY))


def course(entry, target=(0.0, 0.0, 0.0)):
    return course_of(needle_of("1", "1", setting(40.0, 30.0), np.array(entry), np.array(target)), STUDY, AROUND, 0.5)


def test_the_shaft_keeps_its_distance_from_what_it_passes():
    found = {d.structure: d for d in course((0.0, -35.0, 0.0)).distances}
    assert found["colon"].mm == pytest.approx(14.0 - 5.0, abs=0.25)
    assert found["kidney_right"].mm == pytest.approx(np.hypot(18.0, 8.0) - 4.0, abs=0.25)
    assert found["rib_left_7"].mm == pytest.approx(9.0 - 3.0, abs=0.3)
    (x, y, _), (there_x, _, _) = found["colon"].points_lps_mm
    assert (x, y) == (pytest.approx(0.0, abs=1e-6), pytest.approx(-20.0, abs=1.0 + SHAFT_STEP_MM))
    assert there_x == pytest.approx(9.0, abs=0.3)
    assert all(d.from_ == "shaft" for d in found.values())


def test_a_shaft_through_a_structure_is_told_with_a_negative_distance():
    found = {d.structure: d.mm for d in course((24.0, -34.0, 0.0)).distances}
    assert found["colon"] == pytest.approx(-4.9, abs=0.3)
    assert found["kidney_right"] > 10.0


def test_the_skin_and_the_capsule_are_no_obstacle():
    study = scan(GRID, {**BODIES, "liver": analytic.ball((0, 0, 0), 25.0), "skin": analytic.ball((0, 0, 0), 38.0)})
    needle = needle_of("1", "1", setting(40.0, 30.0), np.array([0.0, -35.0, 0.0]), np.zeros(3))
    names = {d.structure for d in course_of(needle, study, Around.of(case_of(study)), 0.5).distances}
    assert names == {"colon", "kidney_right", "rib_left_7"}


def test_what_has_no_mask_is_unknown_and_what_the_scan_does_not_show_is_counted():
    found = course((0.0, -60.0, 0.0))
    assert {"stomach", "heart", "lung", "portal_vein", "gallbladder"} <= set(found.unknown)
    assert not {"colon", "kidney_right", "rib"} & set(found.unknown)
    assert found.outside_scan_mm == pytest.approx(60.0 - 40.7, abs=0.5)  # the lattice ends half a voxel beyond 40.21
    assert course((0.0, -35.0, 0.0)).outside_scan_mm == 0.0


def test_without_an_entry_what_the_shaft_passes_is_unknown():
    needle = needle_along("1", "1", setting(40.0, 30.0), np.array([0.0, 1.0, 0.0]), np.zeros(3))
    found = course_of(needle, STUDY, AROUND, 0.5)
    assert (found.distances, found.outside_scan_mm, found.why_unknown) == ((), None, NO_ENTRY)
    assert needle.depth_mm is None


def test_the_zone_lies_behind_the_tip_as_far_as_the_setting_says():
    needle = needle_of(
        "1", "1", setting(40.0, 30.0, tip_mm=6.0), np.array([0.0, -50.0, 0.0]), np.array([0.0, 4.0, 0.0])
    )
    np.testing.assert_allclose(needle.zone.centre_lps_mm, [0.0, -2.0, 0.0])
    assert needle.depth_mm == pytest.approx(54.0)
    along = needle_along(
        "1", "1", setting(40.0, 30.0, tip_mm=6.0), np.array([0.0, 3.0, 0.0]), np.array([0.0, 4.0, 0.0])
    )
    np.testing.assert_allclose(along.zone.centre_lps_mm, [0.0, -2.0, 0.0])
