from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, centres, lattice, sphere, voxelised

from planner.register.alignment import Alignment, Check, Displacement, SpatialMap
from planner.register.map_checks import MOST_POINTS, box_points, with_map_checks
from planner.register.prepare import Working

GRID = lattice(45.0, (3.0, 3.0, 3.0))
ZONES = {"1": sphere((-10.0, 0, 0), 10.0), "2": sphere((20.0, 0, 0), 8.0)}


def working(*, liver: bool = True) -> Working:
    every = np.ones(GRID.shape_kji, dtype=bool)
    inside = voxelised(ball((0, 0, 0), 35.0), GRID).voxels_kji
    return Working(every.astype(np.float32), every, inside if liver else None, ~every, GRID)


def moved(field) -> Alignment:
    vectors = field(centres(GRID)).reshape(*GRID.shape_kji, 3)
    used = SpatialMap(np.eye(4), Displacement(vectors, GRID))
    before = Check("correlation", 0.9, "ratio", True, "")
    return Alignment("deformable", used, SpatialMap.identity(), (before,), {}, {"1": (before,)})


def checked(how: Alignment, *, liver: bool = True) -> Alignment:
    post = working(liver=liver)
    region = post.seen if post.liver is None else post.liver
    return with_map_checks(how, ZONES, post, region)


def named(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def shrunk(points: np.ndarray) -> np.ndarray:
    return points * (0.9 ** (-1 / 3) - 1.0)


def folding_at(low_mm: float, high_mm: float):
    """Turned inside out along x between two planes, left as it is elsewhere."""
    return lambda p: np.stack([-2.0 * np.clip(p[:, 0] - low_mm, 0, high_mm - low_mm), *(0 * p.T[1:])], axis=1)


def test_what_was_looked_at_before_comes_first_and_nothing_but_a_fold_near_a_zone_decides() -> None:
    found = checked(moved(shrunk))
    assert found.checks[0].name == found.zone_checks["1"][0].name == "correlation"
    assert {c.name for c in found.checks[1:]} == {"jacobian_minimum", "jacobian_q01", "jacobian_q99", "folded_share"}
    assert all(check.passed is None for check in found.checks[1:])
    for zone in ZONES:
        decided = {name: c.passed for name, c in named(found.zone_checks[zone]).items() if name != "correlation"}
        assert decided == {"folded_near_zone": True, "inverse_mean": None, "inverse_largest": None}


def test_the_local_volumes_are_those_of_the_map() -> None:
    found = named(checked(moved(shrunk)).checks)
    for name in ("jacobian_minimum", "jacobian_q01", "jacobian_q99"):
        assert found[name].value == pytest.approx(0.9, abs=1e-3)
        assert found[name].unit == "times"
    assert found["folded_share"].value == 0.0


def test_a_fold_fails_the_zone_that_it_is_near_to_and_no_other() -> None:
    found = checked(moved(folding_at(-26.0, -20.0)))  # zone 1 ends at -20, zone 2 begins at 12
    near, far = named(found.zone_checks["1"]), named(found.zone_checks["2"])
    assert near["folded_near_zone"].passed is False
    assert (near["folded_near_zone"].value or 0.0) > 0.0
    assert "folds" in near["folded_near_zone"].text
    assert (near["inverse_largest"].value or 0.0) > (near["inverse_mean"].value or 0.0) > 0.1
    assert (far["inverse_largest"].value or 0.0) < 1e-3
    assert far["folded_near_zone"].passed is True
    assert found.passed  # the case as a whole: only shown
    assert (named(found.checks)["folded_share"].value or 0.0) > 0.0
    assert (named(found.checks)["jacobian_minimum"].value or 0.0) < 0.0


def test_a_map_without_an_inverse_near_a_zone_says_so() -> None:
    found = named(checked(moved(lambda p: 1.5 * p)).zone_checks["1"])
    for name in ("inverse_mean", "inverse_largest"):
        assert found[name].value is None
        assert "no inverse" in found[name].text


@pytest.mark.parametrize(("liver", "passed"), [(True, True), (False, False)])
def test_a_fold_outside_the_liver_counts_only_where_no_liver_is_known(*, liver: bool, passed: bool) -> None:
    """The scan beside the liver (x beyond 35) lies within 20 mm of zone 2, which ends at 28."""
    found = checked(moved(folding_at(37.5, 43.0)), liver=liver)
    assert named(found.zone_checks["2"])["folded_near_zone"].passed is passed


def test_a_rigid_map_has_no_such_checks() -> None:
    rigid = Alignment("rigid", SpatialMap.identity(), SpatialMap.identity())
    assert checked(rigid) is rigid


def test_the_same_points_are_looked_at_every_time_and_not_too_many() -> None:
    around = ZONES["1"].vertices_lps_mm
    points = box_points(around, 20.0, MOST_POINTS)
    assert np.array_equal(points, box_points(around, 20.0, MOST_POINTS))
    assert 0.7 * MOST_POINTS < len(points) <= 1.1 * MOST_POINTS
    assert points.min(axis=0) == pytest.approx(around.min(axis=0) - 20.0, abs=3.0)


def test_a_region_without_voxels_is_not_judged() -> None:
    post = working()
    found = with_map_checks(moved(shrunk), {}, post, np.zeros_like(post.seen))
    assert [check.name for check in found.checks] == ["correlation"]


def test_a_speck_far_from_any_liver_is_not_judged() -> None:
    speck = {"3": sphere((0.3, 0.2, 0.1), 0.05)}
    empty = working()
    nowhere = Working(empty.image, empty.seen, np.zeros_like(empty.seen), empty.zone, GRID)
    assert with_map_checks(moved(shrunk), speck, nowhere, empty.seen).zone_checks["3"] == ()
