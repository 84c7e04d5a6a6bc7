"""What contour errors do to surfaces, against brute force and against shapes whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import sphere

from planner.measure.contours import roughness, smooth_fields, true_shape
from planner.surface import Surface

BALL = sphere((3.0, -2.0, 1.0), 12.0, 1200)
AT = BALL.vertices_lps_mm[::40]


def shape_of(surface: Surface, sd_mm: float, correlation_mm: float = 4.0):
    at = surface.vertices_lps_mm[::40]
    rng = np.random.default_rng(3)
    return true_shape(surface, at, np.ones(len(at)), sd_mm, correlation_mm, 600, rng)


def lobed(height_mm: float, waves: float) -> Surface:
    middle = BALL.centroid_lps_mm

    def move(p: np.ndarray) -> np.ndarray:
        u = (p - middle) / np.linalg.norm(p - middle, axis=1, keepdims=True)
        return p + (height_mm * np.cos(waves * u[:, :1]) * np.cos(waves * u[:, 1:2])) * u

    return BALL.moved(move)


def test_fields_have_the_standard_deviation_one_and_the_correlation_that_was_asked_for() -> None:
    points = np.array([(0.0, 0, 0), (3.0, 0, 0), (40.0, 0, 0)])
    fields = smooth_fields(points, 3.0, 20_000, np.random.default_rng(0))
    assert fields.std(axis=0) == pytest.approx([1, 1, 1], abs=0.03)
    correlation = np.corrcoef(fields.T)
    assert correlation[0, 1] == pytest.approx(np.exp(-0.5), abs=0.03)
    assert correlation[0, 2] == pytest.approx(0.0, abs=0.03)


def test_an_exact_ball_is_left_where_it_was_drawn_with_little_doubt() -> None:
    found = shape_of(BALL, 0.6)
    assert np.abs(found.change_mm.mean(axis=0)).max() < 0.15
    assert found.change_mm.std(axis=0).mean() < 0.35
    assert 0.1 < found.shift_sd_mm < 0.4


def test_lobes_far_larger_than_the_error_are_kept_with_the_whole_doubt() -> None:
    found = shape_of(lobed(3.0, 5.0), 0.4)
    assert np.abs(found.change_mm.mean(axis=0)).mean() < 0.2
    assert found.change_mm.std(axis=0).mean() == pytest.approx(0.4, abs=0.12)


def test_a_roughness_as_large_as_the_error_is_taken_off() -> None:
    rng = np.random.default_rng(9)
    error = 0.7 * smooth_fields(BALL.vertices_lps_mm, 4.0, 1, rng)[0]
    rough = Surface(BALL.vertices_lps_mm + error[:, None] * BALL.vertex_normals, BALL.triangles, BALL.voxel_kji_mm)
    found = shape_of(rough, 0.7)
    left = error[::40] + found.change_mm.mean(axis=0)
    assert left.std() < 0.6 * error[::40].std()


def test_without_an_error_nothing_moves() -> None:
    found = shape_of(lobed(2.0, 4.0), 0.0)
    assert not found.change_mm.any()
    assert found.shift_sd_mm == 0.0


@pytest.mark.parametrize(("margin_mm", "radius_mm"), [(8.0, 16.0), (3.0, 15.0), (-5.0, 14.0)])
def test_distances_to_a_rough_ball_end_in_its_dents(margin_mm: float, radius_mm: float) -> None:
    """Against the nearest point of many drawn spheres, found by search."""
    rng = np.random.default_rng(1)
    ball = sphere((0, 0, 0), radius_mm, 8000).vertices_lps_mm
    inside_mm = radius_mm - margin_mm
    p = np.array([inside_mm, 0.0, 0.0])
    near = ball[np.linalg.norm(ball - p, axis=1) < abs(margin_mm) + 9.0]
    near = near[:: max(1, len(near) // 900)]
    foot = int(np.argmin(np.linalg.norm(near - p, axis=1)))
    sd, correlation = 0.7, 4.0
    error = sd * smooth_fields(near, correlation, 1500, rng)
    drawn = near[None] * (1.0 + error / radius_mm)[:, :, None]
    nearest = np.linalg.norm(drawn - p, axis=2).min(axis=1)
    along = abs(margin_mm) + np.sign(margin_mm) * error[:, foot]
    found = roughness(np.array([margin_mm]), radius_mm, sd, correlation)
    assert (along - nearest).mean() == pytest.approx(found.lowering_mm[0], abs=0.12)
    assert nearest.std() == pytest.approx(sd * found.scatter_share[0], abs=0.1)
