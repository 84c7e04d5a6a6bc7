from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from studies import bent_pre, post, pre, stranger

from planner.register import align
from planner.register.align import register
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.register.blocks import LOST_MM
from planner.register.gate import FEW_BLOCKS, RATIO90, WORST_BLOCKS_MM, Predicted, Seen, gate_checks
from planner.register.panel import Panel
from planner.register.prepare import metric_region, resampled_mask, working_scan
from planner.register.rigid import FIRST_STARTS, OTHER_STARTS
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings(working_mm=3.0)
GOOD = Seen(0.5, 0.5, 0.4, 0.6, 60)


@cache
def right() -> Alignment:
    here, zones = post()
    return register(pre(), here, zones, replace(SETTINGS, kind="rigid"))


def seen_with(used: SpatialMap) -> Seen:
    """Return what is seen at the zone of PRE and POST, which differ by a rigid motion, under some map."""
    here, zones = post()
    fixed, moving = working_scan(here, SETTINGS), working_scan(pre(), SETTINGS)
    panel = Panel.of(fixed, moving, used, metric_region(fixed, SETTINGS))
    return Seen.of(panel, used, zones["1"], resampled_mask(here.lesions["1"], fixed.grid), fixed)


def off_by(mm: float) -> SpatialMap:
    matrix = np.array(right().map.rigid_pre_from_post)
    matrix[:3, 3] += mm * np.array([0.6, 0.0, 0.8])
    return SpatialMap(matrix)


def test_the_right_map_is_seen_to_be_right() -> None:
    seen = seen_with(right().map)
    assert max(seen.stiffer_mm, seen.back_mm, seen.again_mm, seen.blocks_mm) < 1.0
    assert seen.matched >= FEW_BLOCKS
    assert Predicted.of(seen).error_mm < 1.5


@pytest.mark.parametrize("mm", [4.0, 8.0])
def test_a_map_that_is_off_is_seen_to_be_off_by_about_so_much(mm: float) -> None:
    seen = seen_with(off_by(mm))
    predicted = Predicted.of(seen)
    assert predicted.low_mm < mm < predicted.high_mm
    assert predicted.error_mm == pytest.approx(mm, rel=0.5)


def test_a_map_that_is_off_by_a_quarter_of_the_liver_fails() -> None:
    seen = seen_with(off_by(40.0))
    assert any(check.passed is False for check in gate_checks(seen, Predicted.of(seen), SETTINGS))


@pytest.mark.parametrize("name", ["stiffer_mm", "back_mm", "again_mm"])
def test_every_answer_that_lies_farther_away_raises_the_error(name: str) -> None:
    errors = [Predicted.of(replace(GOOD, **{name: mm})).error_mm for mm in (0.0, 0.5, 2.0, 8.0, 14.0)]
    assert errors == sorted(errors)
    assert errors[0] > 0.3
    assert errors[-1] > 2.0 * errors[0]


def test_where_few_blocks_match_the_upper_end_counts() -> None:
    many, few = Predicted.of(GOOD), Predicted.of(replace(GOOD, matched=FEW_BLOCKS - 1))
    assert few.error_mm == few.high_mm == many.high_mm
    assert many.low_mm == pytest.approx(RATIO90[0] * many.error_mm)


@pytest.mark.parametrize(
    ("error_mm", "passed", "warned"), [(1.0, True, False), (2.9, True, True), (4.3, True, True), (4.5, False, False)]
)
def test_the_predicted_error_passes_warns_or_fails(error_mm: float, passed: bool, warned: bool) -> None:
    check, *_ = gate_checks(GOOD, Predicted(error_mm, 0.5, 9.0), SETTINGS)
    assert (check.name, check.passed, check.warned) == ("predicted_error", passed, warned)
    assert "90 % interval 0.5 to 9.0 mm" in check.text


@pytest.mark.parametrize(("blocks_mm", "passed"), [(WORST_BLOCKS_MM, True), (WORST_BLOCKS_MM + 0.1, False)])
def test_blocks_that_lie_elsewhere_fail_whatever_else_agrees(blocks_mm: float, passed: bool) -> None:
    seen = replace(GOOD, blocks_mm=blocks_mm)
    (check,) = [c for c in gate_checks(seen, Predicted.of(seen), SETTINGS) if c.name == "block_residual"]
    assert check.passed is passed


def test_what_is_seen_and_predicted_stands_in_the_alignment() -> None:
    here, zones = post()
    found = register(bent_pre(), here, zones, SETTINGS)
    low, high = found.error_interval90_mm["1"]
    assert low < found.error_at_zone_mm["1"] <= high
    assert {"predicted_error", "block_residual", "spread", "shared_field_of_view"} <= {
        check.name for check in found.zone_checks["1"]
    }
    assert found.verdict("1") in {"pass", "warn"}


def test_another_patient_fails() -> None:
    here, zones = post()
    assert register(stranger(), here, zones, SETTINGS).verdict("1") == "fail"


@pytest.mark.parametrize(
    ("case", "zone", "verdict"),
    [
        (True, (True, False), "pass"),
        (True, (True, True), "warn"),
        (None, (None, False), "pass"),
        (False, (True, False), "fail"),
        (True, (False, False), "fail"),
    ],
)
def test_the_verdict_is_the_worst_of_case_and_zone(case, zone, verdict) -> None:
    of_case, of_zone = Check("a", 1.0, "mm", case, "a"), Check("b", 1.0, "mm", zone[0], "b", zone[1])
    found = Alignment("rigid", SpatialMap.identity(), SpatialMap.identity(), (of_case,), zone_checks={"1": (of_zone,)})
    assert found.verdict("1") == verdict


def test_no_block_at_all_counts_as_lost() -> None:
    here, zones = post()
    fixed, moving = working_scan(here, SETTINGS), working_scan(pre(), SETTINGS)
    panel = Panel.of(fixed, moving, right().map, metric_region(fixed, SETTINGS))
    blind = replace(panel, where=np.zeros_like(panel.where))
    seen = Seen.of(blind, right().map, zones["1"], fixed.zone, fixed)
    assert (seen.blocks_mm, seen.matched) == (LOST_MM, 0)


def test_where_every_zone_fails_other_starts_are_tried_and_a_better_one_is_used(monkeypatch) -> None:
    """The first answer is 30 mm off, the second right: as where the rough starts were misled."""
    here, zones = post()
    off, true = off_by(30.0).rigid_pre_from_post, right().map.rigid_pre_from_post

    def rigid(*_: object, same_frame: bool, starts: slice = FIRST_STARTS, **__: object) -> np.ndarray:
        return true if starts == OTHER_STARTS else off

    monkeypatch.setattr(align, "rigid_pre_from_post", rigid)
    better = register(pre(), here, zones, replace(SETTINGS, kind="rigid"))
    assert better.verdict("1") in {"pass", "warn"}
    assert better.map.rigid_pre_from_post == pytest.approx(true)
    assert "a better one is in use" in next(check.text for check in better.checks if check.name == "other_starts")


def test_where_no_start_is_better_the_first_answer_stays_failed_and_that_is_said() -> None:
    here, zones = post()
    found = register(stranger(), here, zones, SETTINGS)
    assert found.verdict("1") == "fail"
    (note,) = [check for check in found.checks if check.name == "other_starts"]
    assert note.text.endswith(("none was better", "there were none"))
    assert note.passed is None
