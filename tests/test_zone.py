from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import ball, lattice, rigid, sphere, voxelised

from planner.measure.zone import Patches, Zone
from planner.surface import surface_of

A, B = (np.array((-4.0, 0, 0)), 10.0), (np.array((5.0, 0, 0)), 8.0)
PAIR = Zone.of([sphere(*A, 3000), sphere(*B, 3000)])
RIM_X = (100.0 - 64.0 - 16.0 + 25.0) / (2 * 9.0)
RIM_RADIUS = float(np.sqrt(100.0 - (RIM_X + 4.0) ** 2))


def union_depth_mm(points: np.ndarray) -> np.ndarray:
    """Signed depth below the surface of the union of both balls: nearest free cap, else the rim where they meet."""
    inside = np.zeros(len(points), dtype=bool)
    best = np.hypot(points[:, 0] - RIM_X, np.hypot(points[:, 1], points[:, 2]) - RIM_RADIUS)
    for (centre, radius), (other, its) in ((A, B), (B, A)):
        offset = points - centre
        length = np.linalg.norm(offset, axis=1)
        inside |= length < radius
        foot = centre + radius * offset / length[:, None]
        free = np.linalg.norm(foot - other, axis=1) >= its
        best = np.where(free, np.minimum(best, np.abs(radius - length)), best)
    return np.where(inside, best, -best)


def test_the_union_of_two_balls_has_the_depths_of_the_union_not_of_either() -> None:
    points = np.random.default_rng(2).uniform(-14, 14, (300, 3))
    assert PAIR.depths(points).signed_mm == pytest.approx(union_depth_mm(points), abs=0.02)


def test_a_point_between_two_overlapping_zones_is_deep_inside_not_on_a_wall() -> None:
    middle = np.array([(RIM_X, 0.0, 0.0)])
    assert PAIR.depths(middle).signed_mm[0] == pytest.approx(RIM_RADIUS, abs=0.02)


def test_contains_is_in_either() -> None:
    assert PAIR.contains(np.array([(-13, 0, 0), (12, 0, 0), (0, 0, 0), (0, 9.9, 0.0)])).tolist() == [
        True,
        True,
        True,
        False,
    ]


def test_a_zone_within_another_changes_nothing() -> None:
    outer = sphere((0, 0, 0), 12.0, 3000)
    points = np.random.default_rng(3).uniform(-14, 14, (100, 3))
    both = Zone.of([outer, sphere((2, 0, 0), 5.0)])
    assert both.depths(points).signed_mm == pytest.approx(Zone.of([outer]).depths(points).signed_mm, abs=1e-9)


@pytest.mark.parametrize("moved_mm", [0.0, 1e-6])
def test_the_same_zone_twice_is_that_zone(moved_mm: float) -> None:
    one = sphere((0, 0, 0), 12.0, 3000)
    points = np.random.default_rng(3).uniform(-14, 14, (100, 3))
    twice = Zone.of([one, one.moved(lambda p: p + moved_mm)])
    assert twice.depths(points).signed_mm == pytest.approx(Zone.of([one]).depths(points).signed_mm, abs=0.15)


def test_zones_apart_count_each_by_itself() -> None:
    apart = Zone.of([sphere((-20, 0, 0), 8.0), sphere((20, 0, 0), 6.0)])
    assert apart.depths(np.array([(-20.0, 0, 1), (20, 0, 1), (0, 0, 0)])).signed_mm == pytest.approx(
        (7, 5, -12), abs=0.1
    )


def test_normals_at_feet_point_out_of_the_union() -> None:
    feet = np.array([(-14.0, 0, 0), (13, 0, 0), (-4, 10, 0)])
    assert PAIR.normals_at(feet) == pytest.approx(np.array([(-1, 0, 0), (1, 0, 0), (0, 1, 0)]), abs=0.1)


def test_no_patch_at_all_is_infinitely_far() -> None:
    assert np.isposinf(Patches(None).distances(np.zeros((2, 3))).signed_mm).all()
    assert PAIR.only(lambda c, n: np.zeros(len(c), dtype=bool)).surface is None


def test_only_the_wanted_part_is_measured_to() -> None:
    left = PAIR.only(lambda centres, _: centres[:, 0] < -4.0)
    assert left.distances(np.array([(13.0, 0, 0)])).signed_mm[0] == pytest.approx(np.hypot(17, 10), abs=0.6)


def test_the_doubt_at_a_foot_is_that_of_the_zone_there() -> None:
    one = sphere((0, 0, 0), 12.0)
    left = one.vertices_lps_mm[:, 0] > 0
    zone = Zone.of([replace(one, sd_of=lambda vertices: np.where(left[vertices], 0.3, 0.1))])
    assert (zone.sd_mm_at(np.array((12.0, 0, 0))), zone.sd_mm_at(np.array((-12.0, 0, 0)))) == (0.3, 0.1)


def test_a_union_is_as_coarse_and_as_truncated_as_its_worst_zone() -> None:
    fine = surface_of(voxelised(ball((0, 0, 0), 6), lattice(9.0)))
    coarse = surface_of(voxelised(ball((0, 0, 0), 8), lattice(6.0, (5.0, 1.0, 1.0), turned=rigid((0.2, 0, 0))[:3, :3])))
    zone = Zone.of([fine, coarse])
    assert zone.voxel_kji_mm[0] == pytest.approx(5.0)
    assert zone.truncated
    assert not Zone.of([fine]).truncated
