from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, below, both, lattice, sphere, voxelised

from planner.measure.liver import close_liver
from planner.measure.margin import measure_margin
from planner.measure.sensitivity import NOT_MEASURED, Sensitivity, margins_if_zone_changed
from planner.measure.zone import Zone
from planner.surface import Surface

SHRUNK, SWOLLEN = 0.9 ** (1 / 3), 1.1 ** (1 / 3)
CENTRE = np.array([3.0, -5.0, 2.0])


def rows(tumour: Surface, *zones: Surface) -> tuple[Sensitivity, ...]:
    zone = Zone.of(zones)
    return margins_if_zone_changed(measure_margin(tumour, zone), zone)


@pytest.mark.parametrize(("zone_mm", "tumour_mm"), [(15.0, 8.0), (22.0, 9.0), (12.0, 11.9)])
def test_concentric_balls_have_the_margin_of_the_zone_as_it_was_before(zone_mm: float, tumour_mm: float) -> None:
    """Before, the zone had the radius R / f, and the tumour its own."""
    shrunk, swollen = rows(sphere(CENTRE, tumour_mm), sphere(CENTRE, zone_mm, 4000))
    assert shrunk.assumption == "zone_shrunk_by_10_percent"
    assert swollen.assumption == "zone_swollen_by_10_percent"
    assert shrunk.min_mm == pytest.approx(zone_mm / SHRUNK - tumour_mm, abs=0.03)
    assert swollen.min_mm == pytest.approx(zone_mm / SWOLLEN - tumour_mm, abs=0.03)


def test_unseen_shrinkage_hides_margin_and_unseen_swelling_feigns_it() -> None:
    measured = 15.0 - 8.0
    shrunk, swollen = rows(sphere(CENTRE, 8.0), sphere(CENTRE, 15.0, 4000))
    assert swollen.min_mm is not None
    assert shrunk.min_mm is not None
    assert swollen.min_mm < measured - 0.4 < measured + 0.4 < shrunk.min_mm


def test_a_tumour_off_the_centre_is_held_against_the_larger_ball_where_that_is_thin() -> None:
    off = np.array([2.0, 3.0, -1.0])
    shrunk, swollen = rows(sphere(CENTRE + off, 6.0), sphere(CENTRE, 15.0, 4000))
    for row, factor in ((shrunk, SHRUNK), (swollen, SWOLLEN)):
        assert row.min_mm == pytest.approx(15.0 / factor - 6.0 - np.linalg.norm(off), abs=0.03)


def test_a_thin_spot_that_moves_is_found_where_it_is() -> None:
    """An ellipsoid of semi-axes 24, 12, 12 and a ball of 9 off along the long axis: the sides, then the same scaled."""
    shape = sphere((0, 0, 0), 1.0, 4000)
    zone = Surface(shape.vertices_lps_mm * (24.0, 12.0, 12.0), shape.triangles, shape.voxel_kji_mm)
    tumour = sphere((10.0, 0, 0), 4.0, 3000)
    shrunk, swollen = rows(tumour, zone)
    for row, factor in ((shrunk, SHRUNK), (swollen, SWOLLEN)):
        before = Surface(zone.vertices_lps_mm / factor, zone.triangles, zone.voxel_kji_mm)
        assert row.min_mm == pytest.approx(measure_margin(tumour, Zone.of([before])).min_mm, abs=0.02)


def test_beside_a_capsule_the_liver_that_was_not_ablated_still_limits() -> None:
    """The liver ends at x = 6, the zone of 14 mm at its capsule: only the side away from it counts."""
    liver_mask = voxelised(both(ball((-10.0, 0, 0), 40.0), below(0, 6.0)), lattice(30.0, (1.5, 1.2, 1.2)), "liver")
    tumour, zone = sphere((-2.0, 0, 0), 6.0), Zone.of([sphere((0, 0, 0), 14.0, 4000)])
    liver = close_liver(liver_mask, [tumour], list(zone.surfaces))
    measured = measure_margin(tumour, zone, liver=liver)
    assert measured.min_mm == pytest.approx(14.0 - 8.0, abs=0.1)
    shrunk, swollen = margins_if_zone_changed(measured, zone, liver=liver)
    assert shrunk.min_mm == pytest.approx(14.0 / SHRUNK - 8.0, abs=0.1)
    assert swollen.min_mm == pytest.approx(14.0 / SWOLLEN - 8.0, abs=0.1)


def test_a_tumour_partly_outside_has_no_such_margin_and_says_why() -> None:
    for row in rows(sphere(CENTRE + np.array((6.0, 0, 0)), 8.0), sphere(CENTRE, 12.0)):
        assert row.min_mm is None
        assert "outside the zone" in (row.reason or "")


def test_a_tumour_that_swelling_alone_covers_comes_out_negative() -> None:
    swollen = rows(sphere(CENTRE, 14.8), sphere(CENTRE, 15.0, 4000))[1]
    assert swollen.min_mm == pytest.approx(15.0 / SWOLLEN - 14.8, abs=0.03)
    assert swollen.min_mm is not None
    assert swollen.min_mm < 0


def test_zones_that_meet_are_one_body_and_zones_apart_are_not() -> None:
    tumour = sphere((0, 0, 0), 4.0)
    meeting = rows(tumour, sphere((-5.0, 0, 0), 14.0), sphere((9.0, 0, 0), 12.0))
    assert all(row.min_mm is not None for row in meeting)
    apart = rows(tumour, sphere((0.0, 0, 0), 10.0), sphere((40.0, 0, 0), 10.0))
    assert all(row.min_mm is None and "one body" in (row.reason or "") for row in apart)


def test_a_margin_that_does_not_exist_stays_so_with_its_reason() -> None:
    tumour, zone = sphere((0, 0, 0), 5.0), Zone.of([sphere((0, 0, 0), 12.0)])
    small = voxelised(ball((0, 0, 0), 10.0), lattice(30.0, (1.5, 1.5, 1.5)), "liver")
    liver = close_liver(small, [tumour], list(zone.surfaces))
    measured = measure_margin(tumour, zone, liver=liver)
    assert measured.min_mm is None
    for row in margins_if_zone_changed(measured, zone, liver=liver):
        assert row.min_mm is None
        assert row.reason == measured.reason


def test_what_was_not_measured_has_a_reason() -> None:
    assert [row.volume_change_percent for row in NOT_MEASURED] == [-10.0, 10.0]
    assert all(row.min_mm is None and row.reason for row in NOT_MEASURED)
