"""Zones that hold a tumour with a margin: margins, placements and shortfalls that are known in closed form."""

from __future__ import annotations

import analytic
import numpy as np
import pytest
from plan_cases import stretched_ball
from scipy.spatial.transform import Rotation

from planner.measure.liver import close_liver
from planner.measure.margin import measure_margin
from planner.measure.zone import Zone
from planner.plan.ball import smallest_ball
from planner.plan.place import best_placement, largest_margin
from planner.plan.target import Growing, target_of
from planner.plan.zone import PlannedZone, spread_directions
from planner.surface import surface_of

OBLIQUE = np.array([0.3, 0.8, -0.52])
PLACE = np.array([-60.0, 25.0, 110.0])


def planned_margin_mm(tumour, zone: PlannedZone) -> float:
    return measure_margin(tumour, Zone.of([zone.surface()])).min_mm


@pytest.mark.parametrize(("radius_mm", "half_mm"), [(7.0, 12.0), (10.0, 20.0), (15.0, 22.5)])
def test_concentric_balls_have_the_difference_of_their_radii_as_planned_margin(radius_mm, half_mm):
    zone = PlannedZone(PLACE, OBLIQUE, 2 * half_mm, 2 * half_mm)
    assert planned_margin_mm(stretched_ball(PLACE, radius_mm), zone) == pytest.approx(half_mm - radius_mm, abs=0.05)


@pytest.mark.parametrize("shift", [(3.0, 0.0, 0.0), (0.0, -4.0, 2.0), (6.0, 5.0, -7.0)])
def test_balls_that_are_off_centre_lose_the_shift(shift):
    zone = PlannedZone(PLACE + shift, OBLIQUE, 36.0, 36.0)
    expected = 18.0 - 9.0 - float(np.linalg.norm(shift))
    assert planned_margin_mm(stretched_ball(PLACE, 9.0), zone) == pytest.approx(expected, abs=0.05)


def test_an_ellipsoid_around_a_concentric_ball_has_its_half_width_less_the_radius():
    zone = PlannedZone(PLACE, OBLIQUE, 46.0, 30.0)
    assert planned_margin_mm(stretched_ball(PLACE, 8.0), zone) == pytest.approx(15.0 - 8.0, abs=0.05)


def test_a_ball_off_centre_along_the_needle_of_an_ellipsoid_matches_the_distance_by_minimising():
    zone = PlannedZone((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 46.0, 30.0)
    angles = np.linspace(0.0, np.pi, 200_001)
    rim = np.stack([15.0 * np.sin(angles), 23.0 * np.cos(angles)], axis=1)
    for off in ((0.0, 6.0), (4.0, 3.0)):
        expected = float(np.linalg.norm(rim - np.array(off), axis=1).min()) - 6.0
        tumour = stretched_ball((off[0], 0.0, off[1]), 6.0)
        assert planned_margin_mm(tumour, zone) == pytest.approx(expected, abs=0.05)


def test_an_ellipsoid_tumour_in_a_ball_is_bounded_by_its_longest_half():
    tumour = stretched_ball(PLACE, 10.0, (1.4, 1.0, 0.8))
    assert planned_margin_mm(tumour, PlannedZone(PLACE, OBLIQUE, 44.0, 44.0)) == pytest.approx(22.0 - 14.0, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_ball_holds_all_points_and_no_smaller_one_does(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(200, 3)) * (1.0, 2.0, 3.0)
    centre, radius = smallest_ball(points)
    apart = np.linalg.norm(points - centre, axis=1)
    assert apart.max() <= radius * (1 + 1e-9)
    # A centre is the best one if no direction leads away from all the points on the border at once.
    border = points[apart > radius * (1 - 1e-7)] - centre
    assert all((border @ direction).max() > -1e-9 for direction in spread_directions(5000))
    shifted = [np.linalg.norm(points - centre - step, axis=1).max() for step in 1e-3 * spread_directions(200)]
    assert min(shifted) >= radius * (1 - 1e-9)


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((4, 3)), np.array([[0, 0, 0], [2, 0, 0], [1, 0, 0]])])
def test_the_smallest_ball_of_points_that_span_nothing(points):
    centre, radius = smallest_ball(np.asarray(points, dtype=float))
    assert radius == pytest.approx(np.ptp(points[:, 0]) / 2.0)
    np.testing.assert_allclose(centre, [np.ptp(points[:, 0]) / 2.0, 0.0, 0.0])


@pytest.mark.parametrize("asked_mm", [0.0, 5.0, 10.0])
def test_the_proposed_ball_is_within_one_percent_of_the_smallest_that_covers(asked_mm):
    tumour = stretched_ball(PLACE, 10.0)
    found = best_placement(target_of(tumour, asked_mm), 40.0, 40.0)
    assert found.scale == pytest.approx((10.0 + asked_mm) / 20.0, rel=0.01)
    np.testing.assert_allclose(found.zone.centre_lps_mm, PLACE, atol=0.2)


def test_the_proposed_ellipsoid_is_within_one_percent_of_the_smallest_and_lies_along_the_tumour():
    """A tumour of the zone's own shape, turned: the zone that is as large as it holds it, and no smaller one."""
    turned = Rotation.from_rotvec([0.4, -0.7, 0.2]).as_matrix()
    tumour = stretched_ball((0.0, 0.0, 0.0), 10.0, (1.0, 1.0, 1.5)).moved(lambda p: np.asarray(p) @ turned.T + PLACE)
    found = best_placement(target_of(tumour, 0.0), 45.0, 30.0)
    assert found.scale == pytest.approx(20.0 / 30.0, rel=0.01)
    assert abs(found.zone.axis_lps @ turned[:, 2]) == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize(("q", "covers"), [(0.99, True), (1.01, False)])
def test_one_zone_covers_what_is_a_little_smaller_and_says_what_is_missing_of_a_little_larger(q, covers):
    """Target over zone, q: a ball of radius q times the zone's."""
    radius = 20.0
    tumour, asked_mm = stretched_ball(PLACE, q * radius - 5.0), 5.0
    found = best_placement(target_of(tumour, asked_mm), 2 * radius, 2 * radius)
    assert found.covers is covers
    assert found.scale == pytest.approx(q, abs=0.001)
    largest = largest_margin(Growing(tumour, None, 30.0).by, 2 * radius, 2 * radius, 30.0)
    assert largest is not None
    assert largest[0] == pytest.approx(5.0 + (1.0 - q) * radius, abs=0.05)
    assert planned_margin_mm(tumour, largest[1].zone) == pytest.approx(largest[0], abs=0.05)


def test_the_largest_margin_of_an_ellipsoid_around_a_ball_is_its_half_width_less_the_radius():
    growing = Growing(stretched_ball(PLACE, 8.0), None, 30.0)
    known = best_placement(growing.by(5.0), 46.0, 30.0)
    for start in (None, (5.0, known)):
        margin_mm, placed = largest_margin(growing.by, 46.0, 30.0, 30.0, known=start)
        assert margin_mm == pytest.approx(7.0, abs=0.05)
        assert placed.covers


def test_a_zone_that_does_not_hold_the_tumour_has_no_margin():
    assert largest_margin(Growing(stretched_ball(PLACE, 15.0), None, 30.0).by, 46.0, 29.0, 30.0) is None


def test_no_larger_margin_is_looked_for_than_asked():
    margin_mm, _ = largest_margin(Growing(stretched_ball(PLACE, 5.0), None, 30.0).by, 60.0, 60.0, 12.0)
    assert margin_mm == 12.0


def test_a_given_needle_keeps_its_direction():
    tumour = stretched_ball(PLACE, 8.0, (1.0, 1.0, 1.4))
    growing = Growing(tumour, None, 30.0)
    margin_mm, placed = largest_margin(growing.by, 46.0, 30.0, 30.0, axis_lps=np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(placed.zone.axis_lps, [1.0, 0.0, 0.0])
    assert margin_mm < largest_margin(growing.by, 46.0, 30.0, 30.0)[0] - 1.0


def test_tissue_beyond_the_liver_is_no_target():
    """In a liver like a box the corners of the box are the farthest that a zone has to reach."""
    grid, half = analytic.lattice(24.0, (0.8, 0.8, 0.8)), 9.5
    tumour = surface_of(analytic.voxelised(analytic.ball((0.0, 0.0, 0.0), 8.0), grid, "tumour_1"))
    liver = analytic.voxelised(analytic.box([-half] * 3, [half] * 3), grid, "liver")
    closed = close_liver(liver, [tumour], [tumour])
    free, limited = (best_placement(target_of(tumour, 10.0, one), 60.0, 60.0).scale for one in (None, closed))
    assert free == pytest.approx(18.0 / 30.0, rel=0.01)
    assert limited == pytest.approx(half * np.sqrt(3.0) / 30.0, rel=0.04)  # a fitted box has rounded corners
