"""Holes, islands, plates and lines: what is not one solid body."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, ball_ml, centres, lattice, margin_of, union, voxelised, without
from scipy.spatial import cKDTree

from planner.grid import Grid
from planner.measure.margin import measure_margin
from planner.surface import nets_surface, surface_of
from planner.surface.parts import parts_of
from planner.volume import Mask

SPACINGS = [(1.0, 1.0, 1.0), (1.0, 0.7, 0.7), (3.0, 0.8, 0.8), (5.0, 0.75, 0.75)]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(("zone_mm", "cavity_mm"), [(14.0, 10.0), (18.0, 11.0), (18.0, 9.0)])
def test_a_tumour_in_a_cavity_of_its_zone_is_not_covered(
    spacing: tuple[float, float, float], zone_mm: float, cavity_mm: float
) -> None:
    grid = lattice(24.0, spacing)
    shell = voxelised(without(ball((0, 0, 0), zone_mm), ball((0, 0, 0), cavity_mm)), grid)
    found = margin_of(voxelised(ball((0, 0, 0), 5.0), grid), shell)
    assert found.min_mm == pytest.approx(-cavity_mm, abs=0.1 * max(spacing) + 5.0)
    assert found.min_mm is not None
    assert found.min_mm < 5.0 - cavity_mm + 0.8
    assert found.surface_fraction_below[0.0] == 1.0


@pytest.mark.parametrize("spacing", SPACINGS)
def test_walls_of_a_cavity_point_into_it_whatever_made_the_surface(spacing: tuple[float, float, float]) -> None:
    grid = lattice(22.0, spacing)
    mask = voxelised(without(ball((0, 0, 0), 17), ball((1, 0, 0), 8)), grid)
    for surface in (surface_of(mask), nets_surface(mask.cropped(2))):
        assert surface.volume_ml == pytest.approx(ball_ml(17) - ball_ml(8), rel=0.08)
        assert list(surface.contains([(1, 0, 0), (12.5, 0, 0), (20, 0, 0)])) == [False, True, False]
    assert "holes" in surface_of(mask).flags


@pytest.mark.parametrize("voxels", [1, 2, 3, 4, 6, 8, 12, 27])
def test_no_hole_is_too_small_to_count(voxels: int) -> None:
    """However few centres were not ablated, the margin does not go beyond them."""
    grid = lattice(18.0, (1.25, 0.8, 0.8))
    tumour, zone = voxelised(ball((0, 0, 0), 7), grid), voxelised(ball((0, 0, 0), 16), grid)
    points, rng = centres(grid), np.random.default_rng(voxels)
    for _ in range(3):
        towards = rng.normal(size=3)
        middle = towards / np.linalg.norm(towards) * rng.uniform(9, 12)
        left = zone.voxels_kji.ravel().copy()
        left[np.argsort(np.linalg.norm(points - middle, axis=1))[:voxels]] = False
        found = measure_margin(tumour, [Mask(left.reshape(grid.shape_kji), grid)])
        bound = cKDTree(points[~left]).query(tumour.centres_lps_mm())[0].min()
        assert found.min_mm is not None
        assert found.min_mm <= bound + 0.1
        assert "zone_holes" in found.flags


def test_a_part_in_a_hole_of_another_is_inside_again() -> None:
    grid = lattice(20.0, (1.5, 1.0, 1.0))
    mask = voxelised(union(without(ball((0, 0, 0), 16), ball((0, 0, 0), 10)), ball((0, 0, 0), 5)), grid)
    assert [part.is_hole for part in parts_of(mask)].count(True) == 1
    assert list(surface_of(mask).contains([(0, 0, 0), (7.5, 0, 0), (13, 0, 0)])) == [True, False, True]


@pytest.mark.parametrize("spacing", [(1.0, 0.7, 0.7), (3.0, 0.8, 0.8), (5.0, 0.8, 0.8)])
@pytest.mark.parametrize("size_kji", [(1, 11, 11), (11, 1, 11), (1, 1, 12), (9, 1, 1), (1, 1, 1), (2, 2, 9)])
def test_plates_and_lines_have_a_margin_and_keep_half_their_volume(
    spacing: tuple[float, float, float], size_kji: tuple[int, int, int]
) -> None:
    grid = Grid.axis_aligned((40, 110, 110), spacing)
    voxels = np.zeros(grid.shape_kji, dtype=bool)
    first = [n // 2 - size // 2 for n, size in zip(grid.shape_kji, size_kji, strict=True)]
    voxels[tuple(slice(start, start + size) for start, size in zip(first, size_kji, strict=True))] = True
    tumour = Mask(voxels, grid, "tumour")
    middle = tumour.centres_lps_mm().mean(axis=0)
    reach = float(np.linalg.norm(tumour.centres_lps_mm() - middle, axis=1).max())
    zone = Mask((np.linalg.norm(centres(grid) - middle, axis=1) <= reach + 6.0).reshape(grid.shape_kji), grid, "zone")
    found = measure_margin(tumour, [zone])
    assert found.min_mm is not None
    # Each surface lies within half a voxel's diagonal of the outermost centres.
    assert abs(found.min_mm - 6.0) < float(np.linalg.norm(spacing))
    assert "truncated" not in found.flags
    assert surface_of(tumour).volume_ml >= 0.5 * tumour.volume_ml


def test_diagonal_chains_and_scattered_voxels_have_surfaces() -> None:
    grid = Grid.axis_aligned((20, 20, 20), (1.0, 1.0, 1.0))
    chain = np.zeros(grid.shape_kji, dtype=bool)
    chain[range(4, 14), range(4, 14), range(4, 14)] = True
    scattered = np.random.default_rng(1).uniform(size=grid.shape_kji) < 0.02
    for voxels in (chain, scattered):
        mask = Mask(voxels, grid)
        surface = surface_of(mask)
        assert surface.contains(mask.centres_lps_mm()).mean() > 0.9
