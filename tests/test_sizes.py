"""How sure diameters and volume are, against brute force on balls and against what a phantom truly is."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, ball_ml, ellipsoid, lattice, sphere, voxelised

from planner.measure.contours import smooth_fields
from planner.measure.sizes import size_intervals
from planner.measure.volumes import max_diameter_mm
from planner.surface import Surface, surface_of

GRID = lattice((26.0, 26.0, 26.0), (1.0, 0.8, 0.8))


def width(pair: tuple[float, float]) -> float:
    return pair[1] - pair[0]


def test_an_exact_contour_leaves_what_the_voxels_leave_open() -> None:
    found = size_intervals(surface_of(voxelised(ball((0.2, -0.3, 0.1), 11.0), GRID)), 0.0, 5.0, 1)
    for pair in (found.axial_mm, found.longest_mm):
        assert pair[0] <= 22.0 <= pair[1]
        assert 0.0 < width(pair) < 1.0


def test_the_interval_grows_with_the_contours_error() -> None:
    surface = surface_of(voxelised(ellipsoid((0, 0, 0), (14.0, 9.0, 8.0)), GRID))
    widths = [width(size_intervals(surface, sd_mm, 5.0, 1).axial_mm) for sd_mm in (0.0, 0.5, 1.0)]
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] == pytest.approx(2.0 * 1.96 * np.sqrt(2.0) * 1.0, rel=0.5)


def test_a_volume_is_as_unsure_as_a_contour_of_that_error_makes_it() -> None:
    surface = sphere((0, 0, 0), 12.0, 1500)
    found = size_intervals(surface, 0.5, 4.0, 1).volume_ml
    rng = np.random.default_rng(5)
    fields = 0.5 * smooth_fields(surface.vertices_lps_mm, 4.0, 300, rng)
    brute_ml = (fields * surface.vertex_area_mm2).sum(axis=1).std() / 1000.0
    assert found[0] <= ball_ml(12.0) <= found[1]
    assert width(found) == pytest.approx(2.0 * 1.96 * brute_ml, rel=0.25)


def test_the_longest_of_many_equal_diameters_reads_long_on_a_rough_contour_and_the_interval_says_so() -> None:
    smooth = sphere((0, 0, 0), 12.0, 1500)
    rng = np.random.default_rng(9)
    held, above = 0, 0
    for seed in range(12):
        error = 0.5 * smooth_fields(smooth.vertices_lps_mm, 4.0, 1, rng)[0]
        rough = Surface(
            smooth.vertices_lps_mm + error[:, None] * smooth.vertex_normals, smooth.triangles, smooth.voxel_kji_mm
        )
        found = size_intervals(rough, 0.5, 4.0, seed)
        held += found.longest_mm[0] <= 24.0 <= found.longest_mm[1]
        above += max_diameter_mm(rough) > 24.0
    assert above == 12
    assert held >= 10


def test_the_same_seed_gives_the_same_interval() -> None:
    surface = surface_of(voxelised(ball((0, 0, 0), 6.0), GRID))
    assert size_intervals(surface, 0.5, 5.0, 3) == size_intervals(surface, 0.5, 5.0, 3)


def test_a_tumour_of_one_voxel_has_an_interval_too() -> None:
    found = size_intervals(surface_of(voxelised(ball((0, 0, 0), 0.5), GRID)), 0.5, 5.0, 1)
    assert 0.0 <= found.axial_mm[0] < found.axial_mm[1]
