from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from analytic import lattice
from studies import field, in_liver, post, texture

from planner.register.alignment import Displacement, SpatialMap
from planner.register.deformable import Lattice, displacement_on_post, faded
from planner.register.energy import bending_energy, volume_change
from planner.register.prepare import metric_region, working_scan
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings(working_mm=3.0)
LATTICE = Lattice.over((20, 24, 28), 3.0, 16.0)
PLACES = np.random.default_rng(0).uniform(0, 1, (100, 3)) * (np.array((20, 24, 28)) - 1) * 3.0


def control_of(values: np.ndarray) -> np.ndarray:
    return np.stack([values] * 3, axis=-1)


def test_equal_control_values_give_that_value_everywhere() -> None:
    assert LATTICE.matrix(PLACES) @ np.full(int(np.prod(LATTICE.counts)), 2.5) == pytest.approx(np.full(100, 2.5))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_control_values_that_rise_evenly_give_a_straight_line(axis: int) -> None:
    """A uniform cubic B-spline reproduces straight lines; its first control point lies one spacing before the image."""
    places = (np.indices(LATTICE.counts)[axis] - 1.0) * 16.0
    assert LATTICE.matrix(PLACES) @ places.ravel() == pytest.approx(PLACES[:, axis])


def test_the_field_at_every_voxel_is_the_field_at_its_place() -> None:
    control = np.random.default_rng(1).normal(size=(*LATTICE.counts, 3))
    dense = LATTICE.dense(control, (20, 24, 28), 3.0)
    kji = np.argwhere(np.ones((20, 24, 28), dtype=bool))[::137]
    assert dense[tuple(kji.T)] == pytest.approx(LATTICE.matrix(kji * 3.0) @ control.reshape(-1, 3))


@pytest.fixture(scope="module")
def found() -> tuple[np.ndarray, np.ndarray]:
    working = working_scan(post()[0], SETTINGS)
    points = working.grid.lps_mm(np.argwhere(np.ones(working.grid.shape_kji))[:, ::-1])
    there = points.copy()
    for _ in range(25):
        there = points - field(there)
    low, high = SETTINGS.window_hu
    moved = np.clip(texture(there), low, high).reshape(working.grid.shape_kji).astype(np.float32)
    result = displacement_on_post(working, moved, working.seen, metric_region(working, SETTINGS))
    return result.at(in_liver()), np.asarray(result.vectors_mm)


def test_a_known_smooth_deformation_is_found_to_half_a_millimetre_on_average(
    found: tuple[np.ndarray, np.ndarray],
) -> None:
    truth = field(in_liver())
    error = np.linalg.norm(found[0] - truth, axis=1)
    assert np.linalg.norm(truth, axis=1).mean() > 3.0
    assert error.mean() < 0.6
    assert np.percentile(error, 95) < 1.5


def test_the_displacement_ends_at_zero_at_the_rim_of_its_lattice(found: tuple[np.ndarray, np.ndarray]) -> None:
    inner = np.zeros(found[1].shape[:3], dtype=bool)
    inner[1:-1, 1:-1, 1:-1] = True
    assert (found[1][~inner] == 0.0).all()


def test_images_that_agree_are_hardly_bent() -> None:
    working = working_scan(post()[0], SETTINGS)
    result = displacement_on_post(working, working.image, working.seen, metric_region(working, SETTINGS))
    assert np.abs(result.at(in_liver())).max() < 0.1


def test_points_far_beyond_the_lattice_can_be_moved_back() -> None:
    """Structures far from the liver are moved too: a displacement that ends suddenly has no inverse at its rim."""
    grid = lattice((30.0, 30.0, 30.0), (3.0, 3.0, 3.0))
    pushed = np.broadcast_to(np.array((9.0, -8.0, 10.0)), (*grid.shape_kji, 3))
    there = SpatialMap(np.eye(4), faded(Displacement(pushed, grid)))
    points = np.random.default_rng(1).uniform(-90, 90, (4000, 3))
    assert there.pre_from_post(there.post_from_pre(points)) == pytest.approx(points, abs=1e-3)


def points_of_control(spacing_mm: float) -> np.ndarray:
    return np.stack(np.indices((6, 7, 5)), axis=-1) * spacing_mm


@pytest.mark.parametrize("energy", [bending_energy, volume_change])
def test_the_gradient_of_an_energy_is_its_slope(energy: Callable[..., tuple[float, np.ndarray]]) -> None:
    rng = np.random.default_rng(3)
    control, step = rng.normal(size=(6, 7, 5, 3)), rng.normal(size=(6, 7, 5, 3))
    slope = (energy(control + 1e-5 * step, 16.0)[0] - energy(control - 1e-5 * step, 16.0)[0]) / 2e-5
    assert (energy(control, 16.0)[1] * step).sum() == pytest.approx(slope, rel=1e-5)


def test_a_shear_and_a_rotation_keep_volume_and_a_swelling_does_not() -> None:
    """J = 1 for the first two; (1 + s)^3 for a swelling by s."""
    points = points_of_control(16.0)
    shear = np.zeros_like(points)
    shear[..., 0] = 0.3 * points[..., 2]
    turn = points @ (np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]) - np.eye(3)).T
    assert volume_change(shear, 16.0)[0] == pytest.approx(0.0, abs=1e-20)
    assert volume_change(turn, 16.0)[0] == pytest.approx(0.0, abs=1e-20)
    assert volume_change(0.1 * points, 16.0)[0] == pytest.approx((1.1**3 - 1.0) ** 2)
    assert bending_energy(0.1 * points, 16.0)[0] == pytest.approx(0.0, abs=1e-20)
