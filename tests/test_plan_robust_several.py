"""Chances of a margin that several zones make together: closed forms, plain trials, and what must always hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import analytic
import numpy as np
import pytest
from plan_cases import case_of, scan, setting, stretched_ball
from scipy.stats import norm

from planner.measure.liver import close_liver
from planner.plan.border import Bordered
from planner.plan.make import planned
from planner.plan.needle import needle_without_entry
from planner.plan.plan import PlanSettings
from planner.plan.robust import Spread
from planner.plan.setting import Setting
from planner.plan.several import draws_of, try_several
from planner.plan.zone import PlannedZone, spread_directions
from planner.surface import Surface, surface_of

pytestmark = pytest.mark.slow

PLACE = np.array([-60.0, 25.0, 110.0])
STILL = Spread(tip_sd_mm=0.0, radius_sd_mm=0.0)
LIMITS = (0.0, 5.0, 10.0)
AXIS = np.array([0.36, 0.48, -0.8])
ACROSS = np.linalg.svd(AXIS[None])[2][1:]
TUMOUR = stretched_ball(PLACE, 10.0)


def chances(
    zones: list[PlannedZone],
    spread: Spread,
    tumour: Surface = TUMOUR,
    limits: tuple[float, ...] = LIMITS,
    made: tuple[Surface, ...] = (),
) -> dict[float, float]:
    bordered = Bordered(tumour, None, max(limits), made)
    borders = {limit: bordered.by(limit) for limit in limits}
    return dict(try_several(zones, [spread.radius_sd_mm] * len(zones), borders, {}, {}, spread).p_at_least)


def around(count: int, off_mm: float, half_mm: float) -> list[PlannedZone]:
    """Zones side by side around an axis through the tumour's middle."""
    turns = np.arange(count) * 2.0 * np.pi / count + 0.3
    return [
        PlannedZone(PLACE + off_mm * (np.array([np.cos(t), np.sin(t)]) @ ACROSS), AXIS, 2 * half_mm, 2 * half_mm)
        for t in turns
    ]


@pytest.mark.parametrize("voxels", [False, True])
@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("limit", LIMITS)
def test_balls_hold_a_ball_exactly_up_to_where_they_all_meet(count, limit, voxels):
    """Balls of radius Z around a middle, d off: they hold the ball of radius R exactly if Z squared >= R2 + d2."""
    tumour, reach_mm, within_mm = TUMOUR, 10.0 + limit, 0.05
    if voxels:  # the fitted surface itself is off by 0.04 mm
        within_mm = 0.1
        grid = analytic.lattice(30.0, (1.0, 0.8, 0.8), shift_mm=PLACE)
        tumour = surface_of(analytic.voxelised(analytic.ball(PLACE, 10.0), grid))
        reach_mm = np.linalg.norm(tumour.vertices_lps_mm - PLACE, axis=1).mean() + limit
    for off_mm in (4.0, 8.0):
        meets = np.hypot(reach_mm, off_mm)
        tiny = replace(STILL, tip_sd_mm=0.002, radius_sd_mm=0.002, draws=256)
        assert chances(around(count, off_mm, meets + within_mm), tiny, tumour, (limit,)) == {limit: 1.0}
        assert chances(around(count, off_mm, meets - within_mm), tiny, tumour, (limit,)) == {limit: 0.0}


def capsule(half_mm: float, radius_mm: float) -> Surface:
    """A tumour with parallel sides along an axis, and round ends."""
    ball = analytic.sphere((0.0, 0.0, 0.0), radius_mm, 6000)
    return ball.moved(lambda p: p + np.sign(p @ AXIS)[:, None] * half_mm * AXIS + PLACE)


def slabs(*inward_mm: float) -> list[PlannedZone]:
    """Two zones so wide that only the place along the axis counts, each around one end of the capsule."""
    return [
        PlannedZone(PLACE + side * (14.0 - inward) * AXIS, AXIS, 2 * 15.0, 2 * 3000.0)
        for side, inward in zip((-1.0, 1.0), inward_mm, strict=True)
    ]


def test_ends_that_are_each_at_the_mercy_of_one_zone_multiply():
    """The overlap in the middle, 12 mm and more, is never used up: each end has its own reserve."""
    tumour, limits = capsule(14.0, 5.0), (0.0, 3.0, 5.0)
    off = chances(slabs(4.0, 6.0), replace(STILL, tip_sd_mm=2.0), tumour, limits)
    large = chances(slabs(4.0, 6.0), replace(STILL, radius_sd_mm=2.0), tumour, limits)
    for limit in limits:
        expected = np.prod([norm.cdf((15.0 - inward - 5.0 - limit) / 2.0) for inward in (4.0, 6.0)])
        assert off[limit] == pytest.approx(expected, abs=0.005)
        assert large[limit] == pytest.approx(expected, abs=0.005)


def test_a_scan_that_is_off_and_a_liver_that_breathes_move_all_zones_together():
    """One end gains what the other loses, so that both are held while the shift is between the two reserves."""
    tumour, limits = capsule(14.0, 5.0), (0.0, 3.0, 5.0)
    scan_off = chances(slabs(4.0, 6.0), replace(STILL, registration_sd_mm=3.0), tumour, limits)
    breathing = chances(slabs(4.0, 6.0), replace(STILL, breathing_sd_mm=3.0 / abs(AXIS[2])), tumour, limits)
    for limit in limits:
        first, second = ((15.0 - inward - 5.0 - limit) / 3.0 for inward in (4.0, 6.0))
        expected = max(0.0, float(norm.cdf(first) - norm.cdf(-second)))
        assert scan_off[limit] == pytest.approx(expected, abs=0.005)
        assert breathing[limit] == pytest.approx(expected, abs=0.005)


def test_zones_of_the_same_reach_at_one_end_take_the_better_of_the_two():
    """Two slabs around the same middle: an end is held if either reaches it, so the chance of a miss multiplies."""
    tumour = stretched_ball(PLACE, 10.0)
    zones = [PlannedZone(PLACE, AXIS, 2 * 18.0, 2 * 3000.0)] * 2
    found = chances(zones, replace(STILL, radius_sd_mm=3.0), tumour)
    for limit in LIMITS:
        assert found[limit] == pytest.approx(1.0 - norm.cdf(-(8.0 - limit) / 3.0) ** 2, abs=0.005)


def dense(stretch: np.ndarray, radius_mm: float, margin_mm: float, count: int = 40_000) -> np.ndarray:
    """Points of the border of a grown ellipsoid, from its equation."""
    on_ball = spread_directions(count)
    normal = on_ball / stretch
    return PLACE + radius_mm * stretch * on_ball + margin_mm * normal / np.linalg.norm(normal, axis=1, keepdims=True)


def share_held(zones: list[PlannedZone], points: np.ndarray, spread: Spread, draws: int, seed: int) -> float:
    """Plain trials: random numbers, every point, one draw after another."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(draws):
        together = spread.registration_sd_mm * rng.normal(size=3)
        together[2] += spread.breathing_sd_mm * rng.normal()
        left = points
        for zone in zones:
            shift, growth = together + spread.tip_sd_mm * rng.normal(size=3), spread.radius_sd_mm * rng.normal()
            sizes = (max(length + 2.0 * growth, 1e-6) for length in (zone.length_mm, zone.width_mm))
            moved = PlannedZone(zone.centre_lps_mm + shift, zone.axis_lps, *sizes)
            left = left[~moved.contains(left)]
        held += not len(left)
    return held / draws


OBLIQUE = Spread(tip_sd_mm=1.5, radius_sd_mm=2.0, registration_sd_mm=1.0, breathing_sd_mm=1.5)


@pytest.mark.parametrize(("count", "half_mm"), [(2, 17.0), (3, 15.0), (4, 14.5)])
def test_plain_trials_find_the_same_chance(count, half_mm):
    stretch = np.array([1.3, 0.9, 1.0])
    zones = [
        PlannedZone(zone.centre_lps_mm, AXIS + 0.3 * n * ACROSS[0], 2 * half_mm + 4.0, 2 * half_mm)
        for n, zone in enumerate(around(count, 7.0, half_mm))
    ]
    draws = 2000
    expected = share_held(zones, dense(stretch, 10.0, 2.0), OBLIQUE, draws, count)
    found = chances(zones, OBLIQUE, stretched_ball(PLACE, 10.0, stretch), (2.0,))[2.0]
    assert 0.2 < found < 0.85
    assert found == pytest.approx(expected, abs=3.0 * np.sqrt(found * (1.0 - found) / draws))


def test_a_larger_margin_is_never_likelier_and_another_zone_never_lowers_a_chance():
    limits = (0.0, 1.0, 2.5, 5.0, 7.5, 10.0)
    last = dict.fromkeys(limits, 0.0)
    for count in (2, 3, 4):
        found = chances(around(5, 7.0, 16.0)[:count], OBLIQUE, TUMOUR, limits)
        assert all(found[a] >= found[b] for a, b in pairwise(limits))
        assert all(found[limit] >= last[limit] - 0.004 for limit in limits)
        last = found


def test_a_zone_inside_another_changes_nothing():
    zones = around(2, 7.0, 17.0)
    inside = PlannedZone(zones[0].centre_lps_mm, AXIS, 4.0, 4.0)
    spread = replace(OBLIQUE, radius_sd_mm=1.0)
    assert chances([*zones, inside], spread) == pytest.approx(chances(zones, spread), abs=0.004)


def test_the_order_of_the_needles_changes_nothing_and_another_seed_hardly_anything():
    zones = around(3, 7.0, 16.0)
    found = chances(zones, OBLIQUE)
    assert chances(zones[::-1], OBLIQUE) == found
    assert chances(zones, replace(OBLIQUE, seed=7)) == pytest.approx(found, abs=0.006)
    sds = (1.0, 2.0, 3.0)
    draws, turned = draws_of(zones, sds, OBLIQUE), draws_of(zones[::-1], sds[::-1], OBLIQUE)
    np.testing.assert_array_equal(draws.shifts_mm, turned.shifts_mm[::-1])
    np.testing.assert_array_equal(draws.growths_mm, turned.growths_mm[::-1])
    assert draws.growths_mm.std(axis=1) == pytest.approx(sds, rel=0.01)
    assert np.corrcoef(draws.growths_mm) == pytest.approx(np.eye(3), abs=0.02)


def test_four_zones_that_enclose_a_cavity_do_not_hold_it():
    """Long zones through the faces of a tetrahedron's ball hold its border; the middle is held by none of them."""
    corners = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(3.0)
    tumour = stretched_ball((0.0, 0.0, 0.0), 10.0)
    zones = [PlannedZone(22.0 * corner, corner, 40.0, 60.0) for corner in corners]
    border = {0.0: Bordered(tumour, None, 0.0).by(0.0)}
    middle = {0.0: np.zeros((1, 3))}
    assert try_several(zones, [0.0] * 4, border, {}, {}, replace(STILL, draws=8)).p_at_least == {0.0: 1.0}
    assert try_several(zones, [0.0] * 4, border, middle, {}, replace(STILL, draws=8)).p_at_least == {0.0: 0.0}


def test_a_hollow_of_the_tumour_need_not_be_held():
    """Two balls side by side, apart: the hull between them is none of the target."""
    apart = [stretched_ball(PLACE + side * 20.0 * AXIS, 6.0) for side in (-1.0, 1.0)]
    tumour = replace(
        apart[0],
        vertices_lps_mm=np.concatenate([one.vertices_lps_mm for one in apart]),
        triangles=np.concatenate([apart[0].triangles, apart[1].triangles + len(apart[0].vertices_lps_mm)]),
    )
    zones = [PlannedZone(PLACE + side * 20.0 * AXIS, AXIS, 2 * 14.0, 2 * 14.0) for side in (-1.0, 1.0)]
    assert chances(zones, replace(STILL, draws=8), tumour) == {0.0: 1.0, 5.0: 1.0, 10.0: 0.0}
    found = chances(zones, replace(STILL, radius_sd_mm=3.0), tumour)
    assert found[5.0] == pytest.approx(norm.cdf(3.0 / 3.0) ** 2, abs=0.005)


def test_the_liver_ends_what_must_be_held_and_the_edge_where_it_does_counts():
    """A tumour below a flat capsule: what must be held ends in an edge, a circle whose distance is known."""
    grid = analytic.lattice(50.0, (1.0, 1.0, 1.0), shift_mm=(0.2, 0.0, 0.0))
    liver = analytic.voxelised(analytic.below(0, 12.0), grid)
    tumour = stretched_ball((0.0, 0.0, 0.0), 9.0)
    closed = close_liver(liver, [tumour], [tumour])
    capsule_at = float(
        closed.surface.vertices_lps_mm[np.abs(closed.surface.vertices_lps_mm).max(axis=1) < 25.0][:, 0].max()
    )
    border = Bordered(tumour, closed, 10.0).by(10.0)
    reach = np.linalg.norm(border.points_lps_mm, axis=1)
    assert border.points_lps_mm[:, 0].max() == pytest.approx(capsule_at, abs=0.1)
    assert reach.max() == pytest.approx(19.0, abs=0.02)
    rim = np.sqrt(19.0**2 - capsule_at**2)
    on_capsule = border.points_lps_mm[border.points_lps_mm[:, 0] > capsule_at - 0.05]
    assert np.linalg.norm(on_capsule[:, 1:], axis=1).max() == pytest.approx(rim, abs=0.05)
    zones = [PlannedZone((-60.0, side, 0.0), (1, 0, 0), 200.0, 400.0) for side in (-1.0, 1.0)]
    assert try_several(zones, [0, 0], {10.0: border}, {}, {}, replace(STILL, draws=8)).p_at_least == {10.0: 1.0}


def test_what_was_made_before_counts_and_its_border_with_the_target_is_found():
    """A kept ball leaves of the target a cap; two zones around its rim hold it exactly up to the rim's radius."""
    kept = PlannedZone(PLACE + 6.0 * AXIS, AXIS, 36.0, 36.0).surface()
    border = Bordered(TUMOUR, None, 5.0, [kept]).by(5.0)
    cut = (15.0**2 - 18.0**2 + 6.0**2) / 12.0
    rim = np.hypot(np.sqrt(15.0**2 - cut**2), 3.0)
    for reserve, held in ((0.05, 1.0), (-0.05, 0.0)):
        middle = PLACE + cut * AXIS
        zones = [
            PlannedZone(middle + side * 3.0 * ACROSS[0], AXIS, 3000.0, 2 * (rim + reserve)) for side in (-1.0, 1.0)
        ]
        found = try_several(zones, [0.0, 0.0], {5.0: border}, {}, {}, replace(STILL, draws=8)).p_at_least
        assert found == {5.0: held}
    whole = PlannedZone(PLACE, AXIS, 40.0, 40.0).surface()
    assert Bordered(TUMOUR, None, 5.0, [whole]).by(5.0).is_empty


def lesion_of(needles: list[tuple[PlannedZone, Setting]], **asked: float):
    grid = analytic.lattice(45.0, (2.0, 1.5, 1.5), shift_mm=PLACE)
    bodies = {"liver": analytic.ball(PLACE, 40.0), "tumour_1": analytic.ball(PLACE, 10.0)}
    made = [needle_without_entry(str(n + 1), "1", how, zone) for n, (zone, how) in enumerate(needles)]
    return planned(case_of(scan(grid, bodies)), made, PlanSettings(**asked)).lesions[0]


def test_a_plan_of_several_zones_tells_its_chances_each_with_its_own_spread():
    zones = around(2, 6.0, 19.0)
    sure = setting(38.0, 38.0, sd_mm=0.02)
    unsure = setting(38.0, 38.0)
    lesion = lesion_of([(zones[0], sure), (zones[1], unsure)], asked_mm=2.0)
    assert lesion.robustness is not None
    assert lesion.robustness.radius_sds_mm == (0.01, 3.0)
    assert list(lesion.robustness.p_at_least) == [0.0, 2.0, 5.0, 10.0]
    values = list(lesion.robustness.p_at_least.values())
    assert values == sorted(values, reverse=True)
    assert 0.5 < lesion.robustness.expected_covered[2.0] < 1.0
    more = lesion_of([(zones[0], sure), (zones[1], unsure), *((zone, sure) for zone in around(4, 5.0, 19.0)[1:3])])
    assert more.robustness.radius_sds_mm == (0.01, 3.0, 0.01, 0.01)
    assert more.robustness.p_at_least[5.0] > lesion.robustness.p_at_least[5.0] + 0.01
