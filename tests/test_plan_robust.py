"""Chances of a planned margin: closed forms, and what each assumption does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_cases import stretched_ball
from scipy.stats import chi, norm

from planner.plan.robust import Spread, try_plan
from planner.plan.shortfall import filled_target, shortfall_of
from planner.plan.target import Growing
from planner.plan.zone import PlannedZone

PLACE = np.array([-60.0, 25.0, 110.0])
STILL = Spread(tip_sd_mm=0.0, radius_sd_mm=0.0)
LIMITS = (0.0, 5.0, 10.0)


def chances(radius_mm: float, half_mm: float, spread: Spread, length_mm: float | None = None) -> dict[float, float]:
    growing = Growing(stretched_ball(PLACE, radius_mm), None, 10.0)
    zone = PlannedZone(PLACE, (0.2, 0.9, 0.1), length_mm or 2 * half_mm, 2 * half_mm)
    return dict(try_plan(zone, [growing.by(limit) for limit in LIMITS], {}, spread).p_at_least)


@pytest.mark.parametrize(("radius_mm", "half_mm", "sd_mm"), [(10.0, 18.5, 2.0), (10.0, 22.5, 3.5), (8.0, 15.0, 1.0)])
def test_concentric_balls_that_are_missed_follow_the_chi_distribution(radius_mm, half_mm, sd_mm):
    """The margin is the difference of the radii less the shift, and the shift's length is chi with 3 degrees."""
    found = chances(radius_mm, half_mm, replace(STILL, tip_sd_mm=sd_mm))
    for limit in LIMITS:
        expected = float(chi.cdf(max(0.0, half_mm - radius_mm - limit) / sd_mm, 3))
        assert found[limit] == pytest.approx(expected, abs=0.005)


def test_a_zone_of_unsure_size_follows_the_normal_distribution():
    found = chances(10.0, 18.5, replace(STILL, radius_sd_mm=3.0))
    for limit in LIMITS:
        assert found[limit] == pytest.approx(float(norm.cdf((8.5 - limit) / 3.0)), abs=0.005)


def test_place_and_size_together_follow_their_convolution():
    """P(chi3 tip + limit <= reserve + normal radius), integrated over the radius."""
    found = chances(10.0, 18.5, replace(STILL, tip_sd_mm=2.0, radius_sd_mm=3.0))
    growth = np.linspace(-24.0, 24.0, 20_001)
    weight = norm.pdf(growth, scale=3.0) * (growth[1] - growth[0])
    for limit in LIMITS:
        expected = float((weight * chi.cdf(np.maximum(8.5 + growth - limit, 0.0) / 2.0, 3)).sum())
        assert found[limit] == pytest.approx(expected, abs=0.005)


def test_registration_adds_to_the_needle_as_independent_errors_do():
    both = chances(10.0, 18.5, replace(STILL, tip_sd_mm=1.2, registration_sd_mm=1.6))
    assert both == pytest.approx(chances(10.0, 18.5, replace(STILL, tip_sd_mm=2.0)), abs=1e-9)


def test_breathing_moves_from_head_to_feet_alone():
    found = chances(10.0, 18.5, replace(STILL, breathing_sd_mm=4.0))
    for limit in LIMITS:
        reserve = max(0.0, 8.5 - limit)
        assert found[limit] == pytest.approx(2.0 * float(norm.cdf(reserve / 4.0)) - 1.0, abs=0.005)


def test_nothing_unsure_gives_certainty_on_both_sides_of_the_margin():
    assert chances(10.0, 18.5, STILL) == {0.0: 1.0, 5.0: 1.0, 10.0: 0.0}


def test_a_longer_zone_never_lowers_a_chance():
    spread = Spread(tip_sd_mm=2.0, radius_sd_mm=3.0, breathing_sd_mm=2.0)
    short, long = (chances(10.0, 18.5, spread, length) for length in (37.0, 50.0))
    assert all(long[limit] >= short[limit] - 1e-9 for limit in LIMITS)
    assert long[5.0] > short[5.0] + 0.01


def test_the_same_seed_gives_the_same_chances_and_another_seed_nearly_the_same():
    first, again, other = (chances(10.0, 18.5, Spread(seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first == pytest.approx(other, abs=0.005)


def test_the_expected_share_is_that_of_the_draws():
    """Two balls, one missed by a known law: the mean share of the target is the mean of the lens over it."""
    tumour = stretched_ball(PLACE, 10.0)
    filled, size_ml = filled_target(tumour, 5.0, None)
    assert size_ml == pytest.approx(4.0 / 3.0 * np.pi * 15.0**3 / 1000.0, rel=0.02)
    found = try_plan(PlannedZone(PLACE, (0, 1, 0), 30.0, 30.0), [], {5.0: filled}, replace(STILL, tip_sd_mm=4.0))
    shift = np.linspace(1e-6, 30.0, 20_001)
    lens = np.clip(1.0 - 3.0 * shift / (4.0 * 15.0) + shift**3 / (16.0 * 15.0**3), 0.0, 1.0)
    expected = float((chi.pdf(shift / 4.0, 3) / 4.0 * lens).sum() * (shift[1] - shift[0]))
    assert found.expected_covered[5.0] == pytest.approx(expected, abs=0.01)


def test_the_shortfall_is_the_part_of_the_target_outside_the_zones_with_its_direction():
    tumour = stretched_ball(PLACE, 10.0)
    filled, size_ml = filled_target(tumour, 0.0, None)
    half = PlannedZone(PLACE + np.array([0.0, 0.0, -1000.0]), (0, 0, 1), 2000.0, 2000.0)
    found = shortfall_of(tumour, filled, size_ml, [half])
    assert found.uncovered_share == pytest.approx(0.5, abs=0.02)
    assert found.uncovered_ml == pytest.approx(size_ml / 2.0, rel=0.04)
    assert found.where == "superior"
    other = PlannedZone(PLACE + np.array([0.0, 0.0, 1000.0]), (0, 0, 1), 2000.0, 2000.0)
    assert shortfall_of(tumour, filled, size_ml, [half, other]).where is None
    assert shortfall_of(tumour, filled, size_ml, []).uncovered_share == 1.0
