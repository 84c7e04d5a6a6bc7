from __future__ import annotations

from dataclasses import replace

import pytest
from review_fixture import an_assessment

from planner.register.alignment import Alignment, Check
from planner.report.registered import registration_sentences

LESION = next(lesion for lesion in an_assessment().lesions if lesion.lesion_id == "1")


def with_checks(*checks: Check) -> Alignment:
    return replace(an_assessment().alignment, checks=checks, zone_checks={})


def test_checks_that_can_fail_are_counted_and_values_that_cannot_are_not() -> None:
    held = Check("shared_field_of_view", 0.9, "fraction", True, "")
    near = Check("predicted_error", 3.0, "mm", True, "", warned=True)
    lost = Check("block_residual", 10.0, "mm", False, "")
    shown = Check("liver_dice", 0.9, "fraction", None, "")
    said = registration_sentences(LESION, with_checks(held, near, lost, shown))
    assert said[0] == "2 of 3 checks that can fail passed, 1 with a warning."
    assert not registration_sentences(LESION, with_checks(shown))[0].startswith("0 of")


def test_vessels_drawn_in_both_studies_are_told() -> None:
    said = registration_sentences(LESION, with_checks(Check("vessels", 0.84, "mm", None, "")))
    assert said[0] == "Borders of vessels drawn in both studies lie 0.8 mm apart around the zone (median)."


@pytest.mark.parametrize(
    ("rigid_mm", "said"),
    [
        (2.0, "2.0 mm (same band)."),
        (1.0, "1.0 mm (same band, outside the interval: the answer depends on how the liver was deformed)."),
        (-1.0, "-1.0 mm (another band, outside the interval: the answer depends on how the liver was deformed)."),
    ],
)
def test_the_rigid_margin_is_told_with_its_band_and_whether_the_interval_holds_it(rigid_mm: float, said: str) -> None:
    found = registration_sentences(replace(LESION, rigid_min_mm=rigid_mm), with_checks())
    assert found[-1] == f"By the rigid step alone the minimal margin would be {said}"


def test_nothing_is_said_of_a_rigid_step_where_it_is_the_answer() -> None:
    rigid = replace(with_checks(), kind="rigid")
    assert registration_sentences(LESION, rigid) == ()
