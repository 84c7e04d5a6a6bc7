from __future__ import annotations

import numpy as np
import pytest
from analytic import (
    FINE,
    Points,
    ball,
    ball_ml,
    box,
    ellipsoid,
    lattice,
    rigid,
    union,
    voxelised,
    without,
)

from planner.errors import EmptyMaskError
from planner.surface import surface_of
from planner.volume import Mask

SHEARED = np.array([[1.0, 0.25, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
LATTICES = {
    "straight": np.eye(3),
    "oblique": rigid((0.4, -0.3, 0.6))[:3, :3],
    "sheared": SHEARED,
    "mirrored": np.diag([1.0, 1.0, -1.0]),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
}


@pytest.mark.parametrize("name", LATTICES)
def test_a_ball_lies_where_it_was_painted_whatever_the_lattice(name: str) -> None:
    grid = lattice(16.0, (3.0, 0.8, 0.8), turned=LATTICES[name])
    surface = surface_of(voxelised(ball((2, -1, 1), 10), grid))
    radius = np.linalg.norm(surface.vertices_lps_mm - (2, -1, 1), axis=1)
    assert np.abs(radius - 10).max() < 0.5
    assert surface.centroid_lps_mm == pytest.approx((2, -1, 1), abs=0.2)
    assert surface.volume_ml == pytest.approx(ball_ml(10), rel=0.03)
    assert not surface.flags


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8), (3.0, 1.5, 1.5), (5.0, 0.75, 0.75)])
def test_the_volume_of_balls_over_four_slices_is_right_on_average_and_never_far_off(
    spacing: tuple[float, float, float],
) -> None:
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(12):
        radius = max(5.0, 2.0 * max(spacing)) + rng.uniform(0.5, 3.0)
        grid = lattice(radius + 2, spacing, shift_mm=rng.uniform(-0.5, 0.5, 3) * spacing[::-1])
        ratios.append(surface_of(voxelised(ball((0, 0, 0), radius), grid)).volume_ml / ball_ml(radius))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.02)
    # Where the outermost slices fall is chance, and no surface can know it: single balls are allowed more.
    assert max(abs(ratio - 1.0) for ratio in ratios) < 0.08


def test_an_oblique_ellipsoid_is_met_to_a_third_of_a_millimetre() -> None:
    axes = rigid((0.3, 0.5, -0.2))[:3, :3]
    surface = surface_of(voxelised(ellipsoid((0, 0, 0), (15, 10, 7), axes), lattice(18.0, (2.0, 0.8, 0.8))))
    level = (((surface.vertices_lps_mm @ axes) / (15, 10, 7)) ** 2).sum(axis=1)
    steep = 2 * np.linalg.norm((surface.vertices_lps_mm @ axes) / np.square((15, 10, 7)), axis=1)
    assert np.percentile(np.abs(level - 1) / steep, 99) < 0.35


def test_the_surface_is_closed_every_edge_has_two_triangles() -> None:
    triangles = surface_of(voxelised(ball((0, 0, 0), 8), lattice(12.0, (2.0, 1.0, 1.0)))).triangles
    edges = np.sort(np.concatenate([triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


@pytest.mark.parametrize("spacing", [(1.0, 0.7, 0.7), (5.0, 0.75, 0.75), (0.5, 0.5, 0.5), (0.4, 0.3, 0.3)])
def test_a_single_voxel_is_a_body_of_about_its_size(spacing: tuple[float, float, float]) -> None:
    grid = lattice(6.0, spacing)
    voxels = np.zeros(grid.shape_kji, dtype=bool)
    middle = tuple(n // 2 for n in grid.shape_kji)
    voxels[middle] = True
    surface = surface_of(Mask(voxels, grid))
    assert surface.volume_ml * 1000 == pytest.approx(np.prod(spacing), rel=0.5)
    assert surface.centroid_lps_mm == pytest.approx(grid.lps_mm(middle[::-1])[0], abs=0.3 * max(spacing))


@pytest.mark.parametrize(
    "thickness_mm",
    [1.0, 3.0, 5.0],
)
def test_a_tumour_on_one_slice_is_as_wide_as_painted_and_about_as_thick_as_the_slice(thickness_mm: float) -> None:
    grid = lattice(14.0, (thickness_mm, 0.8, 0.8), shift_mm=(0, 0, 0))
    disc = voxelised(lambda p: (np.hypot(p[:, 0], p[:, 1]) < 6) & (np.abs(p[:, 2]) < 0.1), grid)
    surface = surface_of(disc)
    extent = np.ptp(surface.vertices_lps_mm, axis=0)
    assert extent[:2] == pytest.approx((12, 12), abs=1.6)
    assert 0.4 * thickness_mm < extent[2] < 2.0 * thickness_mm


def test_several_components_are_each_closed_and_none_is_lost() -> None:
    grid = lattice(22.0, (2.0, 1.0, 1.0))
    surface = surface_of(voxelised(union(ball((-11, 0, 0), 6), ball((10, 4, 2), 7), ball((0, -15, 8), 3)), grid))
    assert surface.volume_ml == pytest.approx(ball_ml(6) + ball_ml(7) + ball_ml(3), rel=0.04)
    depth = surface.signed_depth_mm([(-11, 0, 0), (10, 4, 2), (0, -15, 8), (0, 0, 0)])
    assert depth == pytest.approx((6, 7, 3, -4.14), abs=0.5)


def ring(p: Points) -> np.ndarray:
    """A ring with a gap: a letter C."""
    inside = np.hypot(np.hypot(p[:, 0], p[:, 1]) - 12, p[:, 2]) < 5
    return np.asarray(inside & (np.abs(np.arctan2(p[:, 1], p[:, 0])) > 0.5))


@pytest.mark.parametrize(
    "spacing",
    [
        (1.0, 1.0, 1.0),
        (2.0, 1.0, 1.0),
        (1.25, 1.25, 1.25),
    ],
)
def test_a_c_shape_keeps_its_volume_its_hole_and_its_gap(spacing: tuple[float, float, float]) -> None:
    mask = voxelised(ring, lattice(19.0, spacing))
    surface = surface_of(mask)
    assert surface.volume_ml == pytest.approx(mask.volume_ml, rel=0.1)
    depth = surface.signed_depth_mm([(-12, 0, 0), (0, 12, 0), (0, 0, 0), (12, 0, 0)])
    assert (depth[:2] > 3.5).all()
    assert (depth[2:] < -3.5).all()


def test_a_mask_with_a_hole_keeps_the_hole() -> None:
    body = without(ball((0, 0, 0), 12), ball((3, 0, 0), 4))
    surface = surface_of(voxelised(body, lattice(15.0, FINE)))
    assert surface.signed_depth_mm([(3, 0, 0), (-7, 0, 0)]) == pytest.approx((-4, 5), abs=0.5)
    assert surface.volume_ml == pytest.approx(ball_ml(12) - ball_ml(4), rel=0.03)


def test_a_mask_that_reaches_the_border_is_closed_there_and_flagged() -> None:
    grid = lattice((8.0, 14.0, 14.0), (1.0, 1.0, 1.0), shift_mm=(0, 0, 0))
    surface = surface_of(voxelised(ball((0, 0, 0), 11), grid))
    assert surface.truncated
    assert np.abs(surface.vertices_lps_mm[:, 0]).max() < 10.0
    assert not surface_of(voxelised(ball((0, 0, 0), 6), grid)).truncated


def test_a_mask_that_fills_its_lattice_still_has_a_surface() -> None:
    grid = lattice(5.0, (1.0, 1.0, 1.0), shift_mm=(0, 0, 0))
    surface = surface_of(voxelised(box((-99,) * 3, (99,) * 3), grid))
    assert surface.truncated
    assert surface.volume_ml == pytest.approx(11**3 / 1000, rel=0.12)


def test_cropping_the_lattice_does_not_move_the_surface() -> None:
    mask = voxelised(ball((1, 2, 0), 8), lattice(16.0, (2.0, 1.0, 1.0)))
    points = np.random.default_rng(0).normal(0, 8, (40, 3))
    assert surface_of(mask.cropped(1)).signed_depth_mm(points) == pytest.approx(
        surface_of(mask).signed_depth_mm(points), abs=1e-6
    )


def test_the_same_mask_gives_the_same_surface_to_the_last_bit() -> None:
    mask = voxelised(ball((1, 2, 0), 7), lattice(12.0, (3.0, 1.0, 1.0)))
    assert np.array_equal(surface_of(mask).vertices_lps_mm, surface_of(mask).vertices_lps_mm)


def test_an_empty_mask_has_no_surface() -> None:
    with pytest.raises(EmptyMaskError, match="tumour_1"):
        surface_of(voxelised(ball((99, 0, 0), 1), lattice(5.0), "tumour_1"))
