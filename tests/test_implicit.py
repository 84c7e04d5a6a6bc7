from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, ball, ball_ml, below, both, box, ellipsoid, lattice, rigid, union, voxelised, without

from planner.surface.bases import Changes, Ellipsoid, HalfSpace, base_of, cut_flat
from planner.surface.implicit import fit
from planner.surface.kernels import Block
from planner.surface.parts import label_voxels

TURNED = rigid((0.3, 0.5, -0.2))[:3, :3]


def test_the_ellipsoid_of_a_mask_has_its_centre_axes_and_volume() -> None:
    grid = lattice(20.0, (1.5, 0.9, 0.9))
    found = Ellipsoid.of(voxelised(ellipsoid((2, 1, -1), (15, 10, 7), TURNED), grid))
    assert found.centre_mm == pytest.approx((2, 1, -1), abs=0.1)
    values, vectors = np.linalg.eigh(found.shape_per_mm2)
    assert 1 / np.sqrt(values) == pytest.approx((15, 10, 7), rel=0.02)
    assert abs(vectors[:, 0] @ TURNED[:, 0]) > 0.999


def test_the_ellipsoid_is_zero_on_its_surface_and_grows_inward_at_unit_rate() -> None:
    solid = Ellipsoid(np.zeros(3), np.diag([1 / 100.0, 1 / 64.0, 1 / 36.0]))
    value, slope = solid.value_and_gradient(
        np.array([(10.0, 0, 0), (0, 8.0, 0), (0, 0, 6.0), (9.9, 0, 0), (0, 0, 6.1)])
    )
    assert value == pytest.approx([0, 0, 0, 0.1, -0.1], abs=0.003)
    assert slope[:3] == pytest.approx(-np.eye(3))


def test_one_voxel_has_the_ellipsoid_of_its_cell() -> None:
    grid = lattice(4.0, (3.0, 1.0, 1.0), shift_mm=(0, 0, 0))
    found = Ellipsoid.of(voxelised(ball((0, 0, 0), 0.3), grid))
    axes = 1 / np.sqrt(np.diag(found.shape_per_mm2))
    assert np.prod(axes) * 4 / 3 * np.pi == pytest.approx(3.0)
    assert axes[2] / axes[0] == pytest.approx(3.0)


def matern(a: Points, b: Points, length: float, amplitude: float) -> Points:
    """Rasmussen and Williams, Gaussian Processes for Machine Learning, equation 4.17, nu = 5/2."""
    apart = np.sqrt(5.0) * np.linalg.norm(a[:, None] - b[None], axis=2) / length
    return np.asarray(amplitude**2 * (1 + apart + apart**2 / 3) * np.exp(-apart))


@pytest.mark.parametrize("away_mm", [0.0, 900.0])
def test_a_kernel_is_matern_and_its_gradient_the_finite_difference_wherever_the_patient_lies(away_mm: float) -> None:
    rng = np.random.default_rng(0)
    at = away_mm + rng.normal(0, 5, (6, 3))
    block = Block(at, 4.0, 1.3)
    weights, points, step = rng.normal(size=6), away_mm + rng.normal(0, 4, (50, 3)), 1e-4
    shifted = [[matern(points + s * d, at, 4.0, 1.3) @ weights for s in (step, -step)] for d in np.eye(3)]
    value, slope = block.value_and_gradient(points, weights)
    assert slope == pytest.approx(np.transpose([(a - b) / (2 * step) for a, b in shifted]), abs=1e-4)
    assert value == pytest.approx(matern(points, at, 4.0, 1.3) @ weights, abs=1e-4)
    assert block.value(points, weights) == pytest.approx(value, abs=1e-5)
    assert block.kernel(points) == pytest.approx(matern(points, at, 4.0, 1.3), abs=1e-4)
    assert block.prior() == pytest.approx(matern(at, at, 4.0, 1.3), abs=1e-6)


def test_the_fit_is_positive_inside_a_ball_negative_outside_and_zero_on_it() -> None:
    grid = lattice(14.0, (3.0, 0.8, 0.8))
    fitted = fit(voxelised(ball((1, 0, 0), 9), grid).cropped(3))
    unit = TURNED[:, [0, 1, 2]].T
    slope = np.linalg.norm(fitted.value_and_gradient((1, 0, 0) + 9.0 * unit)[1], axis=1)
    assert np.abs(fitted.value((1, 0, 0) + 9.0 * unit) / slope).max() < 0.25
    assert (fitted.value((1, 0, 0) + 7.0 * unit) > 1).all()
    assert (fitted.value((1, 0, 0) + 11.0 * unit) < -1).all()
    assert fitted.off_share == 0.0


def test_the_doubt_of_the_surface_grows_with_the_spacing() -> None:
    sds = []
    for spacing in ((1.0, 0.7, 0.7), (5.0, 0.75, 0.75)):
        fitted = fit(voxelised(ball((0, 0, 0), 11), lattice(16.0, spacing)).cropped(3))
        sds.append(float(np.mean(fitted.sd_mm(11.0 * np.eye(3)))))
    assert 0.0 < sds[0] < sds[1] < 1.0


def test_voxels_that_say_nothing_let_the_ball_go_on_behind_a_cut() -> None:
    """A ball cut by a capsule at x = 7: with the outside silent, the fitted surface bulges on as the ball does."""
    grid = lattice(18.0, (1.0, 0.9, 0.9))
    cut = voxelised(lambda p: ball((0, 0, 0), 12)(p) & (p[:, 0] < 7), grid).cropped(3)
    silent = (cut.grid.lps_mm(np.argwhere(np.ones(cut.grid.shape_kji))[:, ::-1])[:, 0] >= 7).reshape(cut.grid.shape_kji)
    on = np.array([(9.0, 0, 0)])
    assert fit(cut, silent).value(on)[0] > 0
    assert fit(cut).value(on)[0] < 0


def test_parts_that_touch_at_a_corner_are_one_and_parts_apart_are_two() -> None:
    grid = lattice(12.0, (1.0, 1.0, 1.0), shift_mm=(0, 0, 0))
    corner = union(box((-5, -5, -5), (-0.5, -0.5, -0.5)), box((-0.5, -0.5, -0.5), (4.6, 4.6, 4.6)))
    assert label_voxels(voxelised(corner, grid))[1] == 1
    assert label_voxels(voxelised(union(ball((-6, 0, 0), 3), ball((6, 0, 0), 3)), grid))[1] == 2
    assert ball_ml(3) > 0


def test_a_cut_wall_starts_from_its_half_space_and_a_whole_body_from_its_ellipsoid() -> None:
    grid = lattice((16.0, 16.0, 16.0), (2.0, 1.0, 1.0))
    wall = voxelised(lambda p: p @ np.array([0.0, 0.6, 0.8]) >= 2.0, grid)
    kji = np.argwhere(wall.voxels_kji[:, 1:] != wall.voxels_kji[:, :-1])
    midpoints = wall.grid.lps_mm(kji[:, ::-1] + [0.0, 0.5, 0.0])
    changes = Changes(midpoints, np.broadcast_to([0.0, 1.0, 0.0], midpoints.shape))
    found, excess_mm = base_of(wall, changes, cut=True)
    assert isinstance(found, HalfSpace)
    assert found.inward @ np.array([0.0, 0.6, 0.8]) > 0.999
    assert excess_mm < 0.1
    assert isinstance(base_of(wall, changes, cut=False)[0], Ellipsoid)


@pytest.mark.parametrize(("limit_mm", "cut"), [(5.0, True), (2.0, True), (30.0, False)])
def test_a_body_that_ends_along_a_slice_is_known_as_cut(limit_mm: float, cut: bool) -> None:
    grid = lattice(14.0, (1.5, 0.8, 0.8))
    body = both(ellipsoid((0, 0, 0), (11, 9, 12), TURNED), below(2, limit_mm))
    assert cut_flat(voxelised(body, grid)) is cut


def test_few_thick_slices_are_not_taken_as_cut() -> None:
    assert not cut_flat(voxelised(ball((0, 0, 0), 9.0), lattice(12.0, (5.0, 0.8, 0.8))))


def test_a_shape_unlike_any_ellipsoid_is_left_to_smoothness() -> None:
    grid = lattice(14.0, (1.5, 0.9, 0.9))
    ring = without(both(ball((0, 0, 0), 12.0), below(2, 4.0), lambda p: p[:, 2] >= -4.0), ball((4, 0, 0), 8.0))
    lengths = [fit(voxelised(body, grid).cropped(3)).blocks[0].length_mm for body in (ball((0, 0, 0), 12.0), ring)]
    assert lengths[0] == pytest.approx(1.25 * 12.0, rel=0.02)
    assert lengths[1] > 1.25 * 12.0
