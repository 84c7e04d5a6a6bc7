from __future__ import annotations

import numpy as np
import pytest
from analytic import lattice, rigid, sphere

from planner.grid import Grid
from planner.measure.liver import close_liver
from planner.plan.slices import Slices, slices_of
from planner.plan.zone import PlannedZone
from planner.volume import Mask

TUMOUR_MM, MARGIN_MM = 9.0, 5.0
GROWN_MM = TUMOUR_MM + MARGIN_MM
AT = np.array((3.0, -2.0, 4.0))
COARSE = (2.5, 0.8, 0.8)
CORONAL = np.array(((1.0, 0, 0), (0, 0, 1.0), (0, -1.0, 0)))
SAGITTAL = np.array(((0.0, 0, 1.0), (1.0, 0, 0), (0, 1.0, 0)))


def disc_mm2(radius_mm: float, height_mm: float) -> float:
    return float(np.pi * max(0.0, radius_mm**2 - height_mm**2))


def lens_mm2(a: float, b: float, apart: float) -> float:
    """Area that two discs share."""
    if apart >= a + b or min(a, b) <= 0.0:
        return 0.0
    if apart <= abs(a - b):
        return float(np.pi * min(a, b) ** 2)
    x = (apart**2 + a**2 - b**2) / (2.0 * apart)
    y = apart - x
    return float(
        a**2 * np.arccos(x / a) - x * np.sqrt(a**2 - x**2) + b**2 * np.arccos(y / b) - y * np.sqrt(b**2 - y**2)
    )


def ball_zone(centre: np.ndarray, radius_mm: float) -> PlannedZone:
    return PlannedZone(centre, np.array((0.0, 1.0, 0.3)), 2.0 * radius_mm, 2.0 * radius_mm)


def found_in(grid: Grid, *zones: PlannedZone) -> Slices:
    return slices_of(grid, sphere(AT, TUMOUR_MM, 6000), MARGIN_MM, None, zones)


@pytest.mark.parametrize(("turned", "axis"), [(None, 2), (CORONAL, 1), (SAGITTAL, 0)])
def test_each_slice_has_the_analytic_areas_of_target_and_zone(turned: np.ndarray | None, axis: int) -> None:
    offset, radius = np.array((4.0, 2.0, -3.0)), 12.0
    found = found_in(lattice(30.0, COARSE, turned), ball_zone(AT + offset, radius))
    assert found.axis == axis
    assert len(found.all) in {11, 12}
    across = np.delete(offset, axis)
    for one in found.all:
        above = one.at_mm - AT[axis]
        target, inner = (
            np.sqrt(disc_mm2(r, h) / np.pi) for r, h in ((GROWN_MM, above), (radius, above - offset[axis]))
        )
        shared = lens_mm2(target, inner, float(np.linalg.norm(across)))
        assert one.target_mm2 == pytest.approx(disc_mm2(GROWN_MM, above), abs=4.0)
        assert one.uncovered_mm2 == pytest.approx(disc_mm2(GROWN_MM, above) - shared, abs=4.0)


def test_slices_are_the_scans_own() -> None:
    grid = lattice(30.0, COARSE)
    for one in found_in(grid).all:
        assert grid.lps_mm([(0, 0, one.index)])[0, 2] == pytest.approx(one.at_mm)


def test_of_an_oblique_scan_slices_are_counted_through_the_tumours_middle() -> None:
    grid = lattice(30.0, COARSE, rigid((0.3, 0.1, 0.2))[:3, :3])
    for one in found_in(grid).all:
        assert grid.ijk(np.array([[AT[0], AT[1], one.at_mm]]))[0, 2] == pytest.approx(one.index, abs=0.02)


def test_areas_times_spacing_are_the_targets_volume() -> None:
    found = found_in(lattice(30.0, (1.0, 0.8, 0.8)), ball_zone(AT, 10.0))
    target = sum(one.target_mm2 for one in found.all) / 1000.0
    uncovered = sum(one.uncovered_mm2 for one in found.all) / 1000.0
    assert target == pytest.approx(4.0 / 3.0 * np.pi * GROWN_MM**3 / 1000.0, rel=0.01)
    assert uncovered == pytest.approx(4.0 / 3.0 * np.pi * (GROWN_MM**3 - 10.0**3) / 1000.0, rel=0.01)


def test_the_slice_that_lacks_most_is_named_and_none_where_all_is_held() -> None:
    grid = lattice(30.0, COARSE)
    low = found_in(grid, ball_zone(AT - (0.0, 0.0, 4.0), GROWN_MM))
    assert low.least is not None
    assert low.least.at_mm > AT[2]
    assert low.least.uncovered_mm2 == max(one.uncovered_mm2 for one in low.all)
    assert found_in(grid, ball_zone(AT, GROWN_MM + 0.5)).least is None
    assert {one.covered_share for one in found_in(grid, ball_zone(AT, GROWN_MM + 0.5)).all} == {1.0}


def test_without_a_zone_nothing_is_covered() -> None:
    assert {one.covered_share for one in found_in(lattice(30.0, COARSE)).all} == {0.0}


def test_two_zones_count_together() -> None:
    grid, left, right = lattice(30.0, COARSE), ball_zone(AT - (8, 0, 0), 13.0), ball_zone(AT - (-8, 0, 0), 13.0)
    both, one = found_in(grid, left, right), found_in(grid, left)
    for two, alone in zip(both.all, one.all, strict=True):
        assert two.uncovered_mm2 <= alone.uncovered_mm2
    assert sum(s.uncovered_mm2 for s in both.all) < 0.5 * sum(s.uncovered_mm2 for s in one.all)


def test_beyond_the_liver_is_no_target_but_all_of_the_tumour_is() -> None:
    grid = lattice(30.0, (1.0, 1.0, 1.0), shift_mm=AT)
    x = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1])[:, 0].reshape(grid.shape_kji)
    tumour = sphere(AT, TUMOUR_MM, 6000)
    liver = close_liver(Mask(x < AT[0], grid, "liver"), [tumour], [tumour])
    found = slices_of(grid, tumour, MARGIN_MM, liver, [])
    middle = min(found.all, key=lambda one: abs(one.at_mm - AT[2]))
    half = np.pi / 2.0 * (TUMOUR_MM**2 + GROWN_MM**2)
    assert middle.target_mm2 == pytest.approx(half, rel=0.08)
    assert middle.target_mm2 < 0.9 * np.pi * GROWN_MM**2
