from __future__ import annotations

import numpy as np
import pytest
from analytic import ball_ml, below, lattice, lens_ml, sphere, voxelised

from planner.measure.coverage import measure_coverage
from planner.measure.liver import close_liver
from planner.measure.zone import Zone

ORIGIN = (0.0, 0.0, 0.0)


def cap_ml(radius_mm: float, limit_mm: float) -> float:
    """Volume of a ball about the origin below the plane x = limit, ml."""
    height = radius_mm - limit_mm
    return ball_ml(radius_mm) - np.pi * height**2 * (3 * radius_mm - height) / 3 / 1000.0


@pytest.mark.parametrize("apart_mm", [0.0, 8.0, 10.0, 16.0, 24.0])
def test_residual_volume_is_the_ball_less_the_lens_that_the_zone_shares_with_it(apart_mm: float) -> None:
    found = measure_coverage(sphere((apart_mm, 0, 0), 8.0), Zone.of([sphere(ORIGIN, 14.0)]))
    truth = ball_ml(8.0) - lens_ml(8.0, 14.0, apart_mm)
    assert found.residual_ml == pytest.approx(truth, abs=0.02 * ball_ml(8.0))
    assert (found.residual_ml == 0.0) is (apart_mm < 6.0)


@pytest.mark.parametrize("apart_mm", [0.0, 5.0, 12.0])
def test_target_covered_is_the_lens_of_the_grown_ball_and_the_zone(apart_mm: float) -> None:
    found = measure_coverage(sphere((apart_mm, 0, 0), 8.0), Zone.of([sphere(ORIGIN, 14.0)]))
    truth = {g: lens_ml(8 + g, 14.0, apart_mm) / ball_ml(8 + g) for g in (5.0, 10.0)}
    assert found.target_covered == pytest.approx(truth, abs=0.015)


def test_the_target_ends_at_the_capsule() -> None:
    """Tumour of 6, zone of 9 mm about one point, capsule at x = 4: only liver (and tumour) can be asked for."""
    zone, tumour = sphere(ORIGIN, 9.0, 2500), sphere((-2.0, 0, 0), 6.0, 2500)
    liver = close_liver(voxelised(below(0, 4.0), lattice(26.0, (1.3, 1.3, 1.3))), [], [zone])
    found = measure_coverage(sphere(ORIGIN, 4.0), Zone.of([zone]), liver)
    assert found.target_covered[10.0] == pytest.approx(cap_ml(9.0, 4.0) / cap_ml(14.0, 4.0), abs=0.02)
    assert found.target_covered[5.0] == pytest.approx(1.0, abs=0.01)
    assert measure_coverage(tumour, Zone.of([zone]), liver).residual_ml == 0.0


@pytest.mark.parametrize("radius_mm", [0.4, 1.0, 2.0])
def test_a_tiny_tumour_that_the_zone_misses_is_left_over_whole(radius_mm: float) -> None:
    tumour = sphere((40.1, 0.2, 0.3), radius_mm)
    found = measure_coverage(tumour, Zone.of([sphere(ORIGIN, 10.0)]))
    assert found.residual_ml == pytest.approx(tumour.volume_ml, rel=0.05)


def test_a_thin_crescent_of_a_large_tumour_is_not_lost() -> None:
    """A tumour of 35 mm radius that sticks out 0.8 mm: about 1 ml, though the samples are far apart."""
    found = measure_coverage(sphere((10.8, 0, 0), 35.0, 4000), Zone.of([sphere(ORIGIN, 45.0, 4000)]))
    truth = ball_ml(35.0) - lens_ml(35.0, 45.0, 10.8)
    assert found.residual_ml == pytest.approx(truth, rel=0.5)
