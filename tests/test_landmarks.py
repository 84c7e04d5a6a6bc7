from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from studies import post, pre, pre_from_post

from planner.errors import InputError
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.register.landmarks import ENOUGH, NEAR_MM, Landmarks, with_landmarks
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings()
ZONE = post()[1]["1"]
MIDDLE = ZONE.vertices_lps_mm.mean(axis=0)
SHIFT = np.eye(4)
SHIFT[:3, 3] = (12.0, -30.0, 45.0)


def around(count: int, radius_mm: float = 25.0) -> np.ndarray:
    """Return points about the zone's middle, no three on a line."""
    rng = np.random.default_rng(5)
    ways = rng.normal(size=(count, 3))
    return MIDDLE + radius_mm * ways / np.linalg.norm(ways, axis=1, keepdims=True)


def pairs(at: np.ndarray, off_mm: float = 0.0, *, fitted: bool = False, matrix: np.ndarray = SHIFT) -> Landmarks:
    """Return pairs that a map by `matrix` misses by so much, each in a direction of its own."""
    before = at @ matrix[:3, :3].T + matrix[:3, 3]
    ways = np.random.default_rng(6).normal(size=at.shape)
    before = before + off_mm * ways / np.linalg.norm(ways, axis=1, keepdims=True)
    return Landmarks(before, at, np.full(len(at), fitted))


def alignment(predicted_mm: float = 1.5, *, passed: bool = True) -> Alignment:
    check = Check("predicted_error", predicted_mm, "mm", passed, "predicted")
    used = SpatialMap(SHIFT)
    return Alignment("rigid", used, used, (), {"1": predicted_mm}, {"1": (check,)}, {"1": (0.5, 3.0)})


def held(landmarks: Landmarks, how: Alignment | None = None) -> Alignment:
    return with_landmarks(how or alignment(), landmarks, {"1": ZONE}, SETTINGS)


def named(found: Alignment) -> dict[str, Check]:
    return {check.name: check for check in found.zone_checks["1"]}


@pytest.mark.parametrize("off_mm", [0.7, 2.5, 4.9])
def test_enough_pairs_near_the_zone_replace_the_predicted_error(off_mm: float) -> None:
    found = held(pairs(around(6), off_mm))
    assert found.error_at_zone_mm["1"] == pytest.approx(off_mm)
    low, high = found.error_interval90_mm["1"]
    assert low < off_mm < high
    assert named(found)["landmarks"].passed is True
    assert named(found)["predicted_error"].passed is None


def test_a_measured_error_saves_a_zone_whose_predicted_error_was_too_large() -> None:
    found = held(pairs(around(5), 1.0), alignment(9.0, passed=False))
    assert all(check.passed is not False for check in found.zone_checks["1"])
    assert found.error_at_zone_mm["1"] == pytest.approx(1.0)


def test_a_measured_error_that_is_too_large_fails_the_zone() -> None:
    check = named(held(pairs(around(6), 7.0)))["landmarks"]
    assert check.passed is False
    assert "mean 7.0" in check.text


@pytest.mark.parametrize(("off_mm", "counts_mm"), [(0.3, 1.5), (2.5, 2.5)])
@pytest.mark.parametrize("how", ["few", "fitted", "far"])
def test_without_enough_independent_pairs_near_the_zone_the_larger_error_counts(how, off_mm, counts_mm) -> None:
    if how == "few":
        landmarks = pairs(around(ENOUGH - 1), off_mm)
    elif how == "fitted":
        landmarks = pairs(around(8), off_mm, fitted=True)
    else:
        far = np.concatenate([around(ENOUGH - 1), around(6, NEAR_MM + 60.0)])
        landmarks = pairs(far, off_mm)
    found = held(landmarks)
    assert found.error_at_zone_mm["1"] == pytest.approx(counts_mm)
    assert named(found)["predicted_error"].passed is True


def test_pairs_far_from_the_zone_say_nothing() -> None:
    found = held(pairs(around(6, 150.0), 3.0))
    assert found.error_at_zone_mm["1"] == 1.5
    assert named(found)["landmarks"].passed is None


def test_a_few_pairs_that_are_far_off_fail_the_zone() -> None:
    assert named(held(pairs(around(2), 8.0)))["landmarks"].passed is False


@pytest.mark.parametrize("how", ["PRE and POST", "taken for RAS", "axes in the order"])
def test_pairs_that_fit_far_better_when_read_otherwise_are_refused(how: str) -> None:
    right = pairs(around(6), 0.5)
    before, after = right.pre_lps_mm, right.post_lps_mm
    wrong = {
        "PRE and POST": (after, before),
        "taken for RAS": (before * [-1, -1, 1], after * [-1, -1, 1]),
        "axes in the order": (before[:, [1, 0, 2]], after[:, [1, 0, 2]]),
    }[how]
    with pytest.raises(InputError, match=how) as caught:
        held(Landmarks(*wrong, right.fitted))
    assert caught.value.code == "landmarks-swapped"


def test_points_outside_their_scan_are_refused() -> None:
    fixed, moving = post()[0].image.grid, pre().image.grid
    at = around(4)
    good = Landmarks(pre_from_post(at), at, np.zeros(4, dtype=bool))
    good.require_inside(moving, fixed)
    with pytest.raises(InputError, match="4 of 4 points of POST lie outside") as caught:
        replace(good, post_lps_mm=at + 1000.0).require_inside(moving, fixed)
    assert caught.value.code == "landmarks-outside"


def test_unequal_or_infinite_points_are_refused() -> None:
    at = around(3)
    with pytest.raises(InputError, match="expected pairs"):
        Landmarks(at, at[:2], np.zeros(3, dtype=bool))
    with pytest.raises(InputError, match="not finite"):
        Landmarks(at, np.where(np.eye(3) > 0, np.nan, at), np.zeros(3, dtype=bool))


def test_the_interval_of_a_mean_length_holds_it_in_nine_of_ten_draws() -> None:
    rng = np.random.default_rng(11)
    held_count, true = 0, 1.6 * 2.0 * np.sqrt(8 / np.pi) / 1.6
    at = around(5)
    for _ in range(400):
        before = at @ SHIFT[:3, :3].T + SHIFT[:3, 3] + rng.normal(0.0, 2.0, at.shape)
        landmarks = Landmarks(before, at, np.zeros(len(at), dtype=bool))
        low, high = held(landmarks).error_interval90_mm["1"]
        held_count += low <= true <= high
    assert 0.85 <= held_count / 400 <= 0.96


def test_one_pair_written_eight_times_is_one() -> None:
    one = pairs(np.repeat(around(1), 8, axis=0))
    found = held(one)
    assert len(one.distinct().fitted) == 1
    assert found.error_at_zone_mm["1"] == 1.5
    assert "fewer than" in named(found)["landmarks"].text
