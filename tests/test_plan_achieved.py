"""A planned zone beside the one that was achieved: what was moved, turned and scaled by known amounts comes back."""

from __future__ import annotations

import analytic
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from planner.measure.achieved import achieved_beside, shape_of
from planner.plan.zone import PlannedZone
from planner.surface import surface_of

PLACE, NEEDLE = np.array([-60.0, 25.0, 110.0]), np.array([0.3, 0.8, -0.52])
PLANNED = PlannedZone(PLACE, NEEDLE, 46.0, 30.0)


def across(axis) -> np.ndarray:
    side = np.cross(axis, [0.0, 0.0, 1.0])
    return side / np.linalg.norm(side)


@pytest.mark.parametrize(
    ("along_mm", "across_mm", "degrees", "longer", "wider"),
    [(0.0, 0.0, 0.0, 1.0, 1.0), (5.0, 3.0, 10.0, 0.9, 1.1), (-7.0, 2.0, 25.0, 1.2, 0.85), (0.0, 12.0, 60.0, 1.0, 1.0)],
)
def test_shift_turn_and_scale_come_back(along_mm, across_mm, degrees, longer, wider):
    side = across(PLANNED.axis_lps)
    turned = Rotation.from_rotvec(np.radians(degrees) * side).apply(np.array(PLANNED.axis_lps))
    centre = PLACE + along_mm * PLANNED.axis_lps + across_mm * side
    zone = PlannedZone(centre, turned, 46.0 * longer, 30.0 * wider)
    found = achieved_beside(PLANNED.surface(), zone.surface(), PLANNED.axis_lps)
    assert found.along_needle_mm == pytest.approx(along_mm, abs=0.1)
    assert found.across_needle_mm == pytest.approx(across_mm, abs=0.1)
    assert found.centre_off_mm == pytest.approx(float(np.hypot(along_mm, across_mm)), abs=0.1)
    assert found.axis_off_degrees == pytest.approx(degrees, abs=0.5)
    assert found.length_ratio == pytest.approx(longer, rel=0.01)
    assert found.width_ratio == pytest.approx(wider, rel=0.01)
    assert found.volume_ratio == pytest.approx(longer * wider**2, rel=0.01)
    assert found.length_mm == pytest.approx(46.0 * longer, rel=0.01)
    assert found.width_mm == pytest.approx(30.0 * wider, rel=0.01)


def test_a_voxelised_zone_comes_back_within_the_same_bounds():
    centre = PLACE + 4.0 * PLANNED.axis_lps
    turned = Rotation.from_rotvec(np.radians(15.0) * across(PLANNED.axis_lps)).apply(np.array(PLANNED.axis_lps))
    other = PlannedZone(centre, turned, 44.0, 33.0)
    mask = analytic.voxelised(other.contains, analytic.lattice(34.0, (1.0, 0.8, 0.8), shift_mm=centre), "ablation_1")
    found = achieved_beside(PLANNED.surface(), surface_of(mask), PLANNED.axis_lps)
    assert found.along_needle_mm == pytest.approx(4.0, abs=0.1)
    assert found.across_needle_mm == pytest.approx(0.0, abs=0.1)
    assert found.axis_off_degrees == pytest.approx(15.0, abs=0.5)
    assert (found.length_ratio, found.width_ratio) == pytest.approx((44.0 / 46.0, 33.0 / 30.0), rel=0.01)


def test_equal_zones_overlap_wholly_and_lie_nowhere_apart():
    found = achieved_beside(PLANNED.surface(), PLANNED.surface(), PLANNED.axis_lps)
    assert found.dice == 1.0
    assert found.most_apart_mm == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("apart_mm", [4.0, 15.0, 50.0])
def test_two_balls_overlap_as_their_lens(apart_mm):
    a, b = (PlannedZone(PLACE + np.array([0, 0, z]), (0, 0, 1), 30.0, 30.0).surface() for z in (0.0, apart_mm))
    expected = analytic.lens_ml(15.0, 15.0, apart_mm) / analytic.ball_ml(15.0)
    found = achieved_beside(a, b, np.array([0.0, 0.0, 1.0]))
    assert found.dice == pytest.approx(expected, abs=0.01)
    assert found.axis_off_degrees is None
    assert found.most_apart_mm == pytest.approx(apart_mm, abs=0.05)


def test_concentric_balls_lie_apart_by_the_difference_of_their_radii():
    small, large = (PlannedZone(PLACE, NEEDLE, 2 * r, 2 * r).surface() for r in (12.0, 15.0))
    found = achieved_beside(large, small, NEEDLE)
    assert found.mean_apart_mm == pytest.approx(3.0, abs=0.05)
    assert found.p95_apart_mm == pytest.approx(3.0, abs=0.05)


def test_the_shape_of_an_ellipsoid_is_its_own():
    shape = shape_of(PLANNED.surface())
    np.testing.assert_allclose(shape.centre_lps_mm, PLACE, atol=0.01)
    np.testing.assert_allclose(shape.extents_mm, [46.0, 30.0, 30.0], rtol=0.002)
    assert abs(shape.axes_lps[0] @ PLANNED.axis_lps) == pytest.approx(1.0, abs=1e-5)
    assert shape.volume_ml == pytest.approx(PLANNED.volume_ml, rel=0.003)
