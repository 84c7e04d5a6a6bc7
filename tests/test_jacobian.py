from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, centres, lattice, rigid
from scipy.spatial.transform import Rotation

from planner.register.alignment import Displacement, SpatialMap
from planner.register.jacobian import RoundTrip, VolumeRatios, determinants, volume_change_percent

POINTS = np.random.default_rng(5).uniform(-20, 20, (200, 3))
TURN = Rotation.from_rotvec((0.4, -0.7, 1.1)).as_matrix()


def linear(matrix: Points):
    return lambda points: points @ np.asarray(matrix, dtype=float).T + (3.0, -40.0, 11.0)


@pytest.mark.parametrize(
    ("matrix", "truth"),
    [
        (np.diag((1.1, 0.9, 1.3)), 1.1 * 0.9 * 1.3),
        (TURN, 1.0),
        (((1, 0.6, 0), (0, 1, 0), (0, -0.3, 1)), 1.0),
        (TURN @ np.diag((0.5, 0.5, 0.5)), 0.125),
        (np.diag((1.0, 1.0, -1.0)), -1.0),
    ],
    ids=["scaling", "rotation", "shear", "turned and shrunk", "mirror"],
)
def test_a_linear_map_has_its_matrix_determinant_everywhere(matrix: Points, truth: float) -> None:
    assert determinants(linear(matrix), POINTS) == pytest.approx(np.full(len(POINTS), truth), abs=1e-9)


def test_a_radial_map_has_its_known_determinant() -> None:
    """x -> x (1 + |x|^2 / 4000): stretched by 1 + 3 q along the radius and by 1 + q across, q = |x|^2 / 4000."""
    q = (POINTS**2).sum(axis=1) / 4000.0
    found = determinants(lambda p: p * (1.0 + (p**2).sum(axis=1, keepdims=True) / 4000.0), POINTS)
    assert found == pytest.approx((1 + 3 * q) * (1 + q) ** 2, rel=1e-3)
    assert np.ptp(found) > 1.0


def on_lattice(field, factor: float = 1.0, matrix: Points | None = None) -> SpatialMap:
    """The map x -> rigid(x + field(x)) on a lattice of 2 mm."""
    grid = lattice(30.0, (2.0, 2.0, 2.0))
    vectors = factor * field(centres(grid)).reshape(*grid.shape_kji, 3)
    return SpatialMap(np.eye(4) if matrix is None else matrix, Displacement(vectors, grid))


MATRIX = rigid((0.3, 0.2, -0.4), (12.0, -7.0, 31.0))


def test_tissue_shrunk_evenly_by_a_tenth_reads_minus_ten_percent_whatever_the_rigid_motion() -> None:
    """POST is PRE times 0.9^(1/3), so a point of POST comes from one 0.9^(-1/3) as far out."""
    found = on_lattice(lambda p: p * (0.9 ** (-1 / 3) - 1.0), matrix=MATRIX)
    assert volume_change_percent(found, POINTS) == pytest.approx(-10.0, abs=0.01)
    ratios = VolumeRatios.of(found, POINTS)
    assert ratios is not None
    assert (ratios.minimum_ratio, ratios.low_ratio, ratios.high_ratio) == pytest.approx((0.9,) * 3, abs=1e-4)
    assert ratios.folded_share == 0.0


def test_tissue_swollen_evenly_reads_positive() -> None:
    found = on_lattice(lambda p: p * (1.2 ** (-1 / 3) - 1.0))
    assert volume_change_percent(found, POINTS) == pytest.approx(20.0, abs=0.02)


def test_the_change_of_a_piece_is_that_of_its_whole_volume_where_it_differs_from_place_to_place() -> None:
    """A slab of POST, x from 0 to 20, comes from x + x^2 / 100, so from 0 to 24: it has lost 1 - 20 / 24."""
    x = (np.arange(200) + 0.5) / 10.0
    slab = np.stack([x, np.zeros(200), np.zeros(200)], axis=1)
    found = on_lattice(lambda p: np.stack([np.abs(p[:, 0]) * p[:, 0] / 100.0, 0 * p[:, 0], 0 * p[:, 0]], axis=1))
    assert volume_change_percent(found, slab) == pytest.approx(100.0 * (20.0 / 24.0 - 1.0), abs=0.2)


def test_a_fold_is_found_with_its_share() -> None:
    """x -> x - 1.5 x where x is positive: half of the points are turned inside out, with determinant -0.5."""
    found = on_lattice(lambda p: np.stack([-1.5 * np.maximum(p[:, 0], 0), 0 * p[:, 0], 0 * p[:, 0]], axis=1))
    points = POINTS[np.abs(POINTS[:, 0]) > 3.5]
    ratios = VolumeRatios.of(found, points)
    assert ratios is not None
    assert ratios.folded_share == pytest.approx((points[:, 0] > 0).mean())
    assert ratios.minimum_ratio == pytest.approx(-0.5, abs=1e-6)
    assert ratios.high_ratio == pytest.approx(1.0, abs=1e-6)
    assert volume_change_percent(found, points[points[:, 0] > 0]) is None
    trip = RoundTrip.of(found, points)
    assert trip is not None
    assert trip.largest_mm > 3.0  # back to another point that lies at the same place in PRE


def test_a_map_without_an_inverse_has_no_trip_back() -> None:
    assert RoundTrip.of(on_lattice(lambda p: 1.5 * p), POINTS) is None


def test_a_smooth_map_comes_back_to_where_it_started() -> None:
    found = on_lattice(lambda p: 3.0 * np.sin(p / 15.0), matrix=MATRIX)
    trip = RoundTrip.of(found, POINTS)
    assert trip is not None
    assert 0.0 <= trip.mean_mm <= trip.largest_mm < 1e-3


def test_a_map_that_does_not_come_back_says_how_far_off_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shift = np.zeros((len(POINTS), 3))
    shift[7] = (0.0, 3.0, 4.0)
    monkeypatch.setattr(SpatialMap, "post_from_pre", lambda self, points: points + shift)
    trip = RoundTrip.of(SpatialMap.identity(), POINTS)
    assert trip is not None
    assert (trip.mean_mm, trip.largest_mm) == pytest.approx((5.0 / len(POINTS), 5.0))


def test_without_points_nothing_is_known() -> None:
    none = np.empty((0, 3))
    assert volume_change_percent(SpatialMap.identity(), none) is None
    assert VolumeRatios.of(SpatialMap.identity(), none) is None
    assert RoundTrip.of(SpatialMap.identity(), none) is None
