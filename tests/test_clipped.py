from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import ball, lattice, rigid, sphere, voxelised

from planner.measure.margin import measure_margin
from planner.measure.zone import Zone
from planner.surface import Surface, outside_of, surface_of

ZONE_MM, APART_MM, TUMOUR_MM = 14.0, 6.0, 9.0
CREASE_MM = float(np.sqrt(ZONE_MM**2 - APART_MM**2))


def cap_mm2(radius_mm: float, from_centre_mm: float) -> float:
    """Area of the part of a sphere beyond a plane."""
    return 2.0 * np.pi * radius_mm * (radius_mm - from_centre_mm)


def two_balls(axis: np.ndarray, count: int) -> list[Surface]:
    return [sphere(side * APART_MM * axis, ZONE_MM, count) for side in (1.0, -1.0)]


@pytest.mark.parametrize("seed", range(4))
def test_the_margin_at_the_crease_of_two_balls_is_the_analytic_one(seed: int) -> None:
    axis = np.random.default_rng(seed).normal(size=3)
    zone = Zone.of(two_balls(axis / np.linalg.norm(axis), 6000))
    found = measure_margin(sphere((0, 0, 0), TUMOUR_MM, 6000), zone).min_mm
    assert found == pytest.approx(CREASE_MM - TUMOUR_MM, abs=0.02)


@pytest.mark.parametrize("direction", [(1, 0, 0), (0.3, -0.5, 0.8)])
def test_zones_segmented_apart_on_oblique_lattices_meet_at_the_crease(direction: tuple[float, ...]) -> None:
    axis = np.array(direction) / np.linalg.norm(direction)
    zones = []
    for side, turn in ((1.0, rigid((0.1, 0.2, 0.3))), (-1.0, rigid((0.0, -0.4, 0.2)))):
        centre = side * APART_MM * axis
        grid = lattice(18.0, (1.0, 0.8, 0.8), turn[:3, :3], np.add(centre, (0.13, -0.21, 0.17)))
        zones.append(surface_of(voxelised(ball(centre, ZONE_MM), grid)))
    found = measure_margin(sphere((0, 0, 0), TUMOUR_MM, 6000), Zone.of(zones)).min_mm
    assert found == pytest.approx(CREASE_MM - TUMOUR_MM, abs=0.15)


def test_what_is_left_of_a_ball_has_the_area_of_its_cap_and_ends_at_the_crease() -> None:
    one, other = two_balls(np.array((0.0, 0, 1)), 3000)
    left = outside_of(one, [other])
    area = float(np.linalg.norm(left.triangle_vectors_mm2, axis=1).sum())
    assert area == pytest.approx(cap_mm2(ZONE_MM, -APART_MM), rel=0.004)
    rim = left.vertices_lps_mm[np.unique(left.rim)]
    assert np.abs(rim[:, 2]).max() < 0.02
    assert np.linalg.norm(rim[:, :2], axis=1) == pytest.approx(CREASE_MM, abs=0.05)


def test_triangles_keep_facing_outward_where_they_are_cut() -> None:
    one, other = two_balls(np.array((0.6, 0, 0.8)), 1500)
    left = outside_of(one, [other])
    from_centre = left.triangle_centres_lps_mm - one.centroid_lps_mm
    wide = np.linalg.norm(left.triangle_vectors_mm2, axis=1) > 1e-6
    assert (np.einsum("nk,nk->n", left.triangle_normals, from_centre) > 0.0)[wide].all()


def test_new_vertices_have_the_deviation_of_the_nearer_end() -> None:
    one, other = two_balls(np.array((0.0, 0, 1)), 1500)
    up = one.vertices_lps_mm[:, 0] > 0.0
    left = outside_of(replace(one, sd_of=lambda vertices: np.where(up[vertices], 0.3, 0.1)), [other])
    new = np.arange(len(one.vertices_lps_mm), len(left.vertices_lps_mm))
    x = left.vertices_lps_mm[new, 0]
    assert len(new) > 50
    assert left.sd_mm(new)[x > 1.5] == pytest.approx(0.3)
    assert left.sd_mm(new)[x < -1.5] == pytest.approx(0.1)
    assert np.all(np.isin(left.sd_mm(new), (0.3, 0.1)))


def test_a_ball_in_three_others_keeps_what_none_of_them_holds() -> None:
    one = sphere((0, 0, 0), 10.0, 3000)
    others = [sphere(centre, 8.0, 3000) for centre in ((9, 0, 0), (0, 9, 0), (-9, -9, 0))]
    left = outside_of(one, others)
    for other in others:
        assert other.signed_depth_mm(left.triangle_centres_lps_mm).max() < 0.02
    assert outside_of(one, [sphere((0, 0, 0), 12.0, 3000)]).triangles.shape == (0, 3)
    assert outside_of(one, [sphere((40, 0, 0), 12.0)]).triangles.shape == one.triangles.shape
