"""Distances between structures, against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, lattice, voxelised

from planner.measure.distances import gap_between, gap_interval_mm
from planner.measure.structures import nearest_part
from planner.surface import surface_of

GRIDS = [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8)]


@pytest.mark.parametrize("spacing", GRIDS)
def test_two_balls_are_as_far_apart_as_their_centres_less_their_radii(spacing: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(4):
        away = rng.normal(size=3)
        away *= rng.uniform(24, 30) / np.linalg.norm(away)
        grid = lattice((42.0, 42.0, 42.0), spacing, shift_mm=rng.uniform(-0.5, 0.5, 3))
        tumour = surface_of(voxelised(ball((0, 0, 0), 9.0), grid))
        organ = voxelised(ball(tuple(away), 9.5), grid, "gallbladder")
        gap = gap_between(tumour, nearest_part(organ, tumour.vertices_lps_mm, np.asarray))
        errors.append(gap.mm - (np.linalg.norm(away) - 18.5))
        assert np.linalg.norm(gap.at_first_lps_mm - gap.at_second_lps_mm) == pytest.approx(gap.mm, abs=1e-6)
    assert np.mean(np.abs(errors)) < 0.5


@pytest.mark.parametrize("spacing", GRIDS)
def test_a_ball_above_a_slanted_plane_is_as_far_as_its_centre_less_its_radius(
    spacing: tuple[float, float, float],
) -> None:
    rng = np.random.default_rng(4)
    normal = np.array([0.48, 0.6, 0.64])
    errors = []
    for _ in range(4):
        grid = lattice((34.0, 34.0, 34.0), spacing, shift_mm=rng.uniform(-0.5, 0.5, 3))
        tumour = surface_of(voxelised(ball((0, 0, 0), 8.0), grid))
        depth = rng.uniform(11, 20)
        organ = voxelised(lambda p, d=depth: p @ normal <= -d, grid, "stomach")
        errors.append(gap_between(tumour, nearest_part(organ, tumour.vertices_lps_mm, np.asarray)).mm - (depth - 8.0))
    assert np.mean(np.abs(errors)) < 0.5


@pytest.mark.parametrize("spacing", GRIDS)
@pytest.mark.parametrize("normal", [(0.8, 0.0, 0.6), (0.3, -0.35, 0.887), (0.0, 0.28, -0.96)])
def test_a_wall_cut_out_of_a_large_organ_stays_flat(
    spacing: tuple[float, float, float], normal: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(5)
    inward = np.asarray(normal) / np.linalg.norm(normal)
    for depth in (10.3, 13.1):
        grid = lattice((34.0, 34.0, 34.0), spacing, shift_mm=rng.uniform(-0.5, 0.5, 3))
        tumour = surface_of(voxelised(ball((0, 0, 0), 8.0), grid))
        organ = voxelised(lambda p, d=depth: p @ inward >= d, grid, "stomach")
        found = gap_between(tumour, nearest_part(organ, tumour.vertices_lps_mm, np.asarray))
        assert found.mm == pytest.approx(depth - 8.0, abs=0.5)


def test_overlapping_bodies_have_a_negative_distance() -> None:
    grid = lattice((24.0, 24.0, 24.0), (1.0, 1.0, 1.0))
    first = surface_of(voxelised(ball((0, 0, 0), 9.0), grid))
    second = nearest_part(voxelised(ball((12, 0, 0), 6.0), grid), first.vertices_lps_mm, np.asarray)
    assert gap_between(first, second).mm == pytest.approx(-3.0, abs=0.4)


def test_the_interval_grows_with_the_registration_error_and_holds_the_distance() -> None:
    grid = lattice((24.0, 24.0, 24.0), (1.0, 1.0, 1.0))
    first = surface_of(voxelised(ball((0, 0, 0), 6.0), grid))
    gap = gap_between(first, surface_of(voxelised(ball((16, 0, 0), 5.0), grid)))
    low, high = gap_interval_mm(gap, 0.2, 0.5, 0.0)
    wider = gap_interval_mm(gap, 0.2, 0.5, 2.0)
    assert wider[0] < low < gap.mm < high < wider[1]
    # two contours of 0.5 mm and 0.2 mm of sampling, no registration: sqrt(2 x 0.25 + 0.04)
    assert high - gap.mm == pytest.approx(1.959964 * np.sqrt(0.54))
