from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import sphere
from scipy.special import ndtr

from planner.measure.interval import Doubt, Interval, NearMinimum, margin_interval

THRESHOLDS = (0.0, 5.0, 10.0)
SOME = Doubt(0.5, 0.5, 5.0, 2.0, 0.1)
NONE = Doubt(0.0, 0.0, 5.0, 0.0, 0.0)


def ball_in_ball(tumour_mm: float = 9.0, zone_mm: float = 16.0, apart_mm: float = 2.5, count: int = 250) -> NearMinimum:
    """The margins of a ball off the middle of its zone, smallest first."""
    p = np.array((apart_mm, 0, 0)) + tumour_mm * sphere((0, 0, 0), 1.0, count).vertices_lps_mm
    length = np.linalg.norm(p, axis=1)
    order = np.argsort(zone_mm - length)
    p, length = p[order], length[order, None]
    return NearMinimum(zone_mm - length[:, 0], p, zone_mm * p / length, (p - (apart_mm, 0, 0)) / tumour_mm, p / length)


def plane_below_plane(count: int = 15) -> NearMinimum:
    """A tumour face 4 mm below the zone's face."""
    x, y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-12, 12, count)] * 2))
    p = np.stack([x, y, np.zeros_like(x)], axis=1)
    up = np.broadcast_to((0.0, 0, 1), p.shape)
    return NearMinimum(np.full(len(p), 4.0), p, p + 4.0 * up, up, up)


def interval(near: NearMinimum, doubt: Doubt, seed: int = 1) -> Interval:
    return margin_interval(near, doubt, seed, THRESHOLDS)


def test_the_same_seed_gives_the_same_interval_and_another_nearly_the_same() -> None:
    one, again, other = (interval(ball_in_ball(), SOME, seed) for seed in (1, 1, 2))
    assert one == again
    assert other != one
    assert other.low_mm == pytest.approx(one.low_mm, abs=0.2)


def test_without_any_doubt_the_interval_is_the_minimum() -> None:
    near = ball_in_ball()
    found = interval(near, NONE)
    assert (found.low_mm, found.high_mm) == pytest.approx((4.5, 4.5), abs=0.01)
    assert found.p_at_least == {0.0: 1.0, 5.0: 0.0, 10.0: 0.0}


def test_the_interval_widens_with_the_registration_error() -> None:
    widths = [
        found.high_mm - found.low_mm
        for found in (interval(ball_in_ball(), replace(SOME, registration_error_mm=e)) for e in (0.0, 1.0, 2.0, 4.0))
    ]
    assert widths == sorted(widths)
    assert widths[3] > widths[0] + 5.0


@pytest.mark.parametrize("part", ["tumour_contour_sd_mm", "zone_contour_sd_mm", "voxel_sd_mm"])
def test_every_source_of_doubt_widens_the_interval(part: str) -> None:
    narrow, wide = interval(ball_in_ball(), SOME), interval(ball_in_ball(), replace(SOME, **{part: 1.5}))
    assert wide.high_mm - wide.low_mm > narrow.high_mm - narrow.low_mm + 1.0


def test_with_one_source_only_the_width_is_the_normal_one() -> None:
    """Registration alone: mean length 1.6 mm is 1 mm along each axis, so +-1.96 mm."""
    found = interval(plane_below_plane(), Doubt(0.0, 0.0, 5.0, 1.6, 0.0))
    assert found.high_mm - found.low_mm == pytest.approx(2 * 1.96, abs=0.01)
    assert 0.5 * (found.high_mm + found.low_mm) == pytest.approx(4.0, abs=0.1)


def test_the_mean_length_of_a_registration_error_is_the_error_that_was_stated() -> None:
    """A 3-D normal error of 1 mm along each axis has the mean length sqrt(8 / pi) = 1.596 mm."""
    found = interval(plane_below_plane(), Doubt(0.0, 0.0, 5.0, float(np.sqrt(8 / np.pi)), 0.0))
    assert (found.high_mm - found.low_mm) / (2 * 1.96) == pytest.approx(1.0, abs=0.01)


def test_the_centre_lies_above_the_measured_minimum_of_a_rough_contour() -> None:
    found = interval(ball_in_ball(apart_mm=0.5), replace(SOME, registration_error_mm=0.0))
    assert 0.5 * (found.low_mm + found.high_mm) > 6.5 + 0.3


def test_variance_shares_sum_to_one_and_name_the_largest_source() -> None:
    found = interval(ball_in_ball(), replace(SOME, registration_error_mm=6.0))
    assert sum(found.variance_share.values()) == pytest.approx(1.0)
    assert set(found.variance_share) == {"contours", "registration", "voxels"}
    assert max(found.variance_share, key=lambda name: found.variance_share[name]) == "registration"
    assert found.assumed.registration_error_mm == 6.0


def test_probabilities_are_those_of_the_interval_and_fall_with_the_threshold() -> None:
    found = interval(ball_in_ball(), SOME)
    centre, sd = 0.5 * (found.low_mm + found.high_mm), (found.high_mm - found.low_mm) / (2 * 1.96)
    assert found.p_at_least == pytest.approx({t: ndtr((centre - t) / sd) for t in THRESHOLDS}, abs=1e-3)
    assert found.p_at_least[0.0] >= found.p_at_least[5.0] >= found.p_at_least[10.0]


def test_parallel_errors_of_both_contours_do_not_cancel() -> None:
    """Tumour and zone contours err independently: 0.6 and 0.8 mm make 1.0 mm."""
    found = interval(plane_below_plane(2), Doubt(0.6, 0.8, 1000.0, 0.0, 0.0))
    assert found.high_mm - found.low_mm == pytest.approx(2 * 1.96, abs=0.01)


def test_a_single_point_has_an_interval() -> None:
    near = ball_in_ball()
    one = NearMinimum(
        *(getattr(near, n)[:1] for n in ("margin_mm", "tumour_lps_mm", "zone_lps_mm", "tumour_normal", "zone_normal"))
    )
    found = interval(one, SOME)
    assert found.low_mm < one.margin_mm[0] < found.high_mm


def smooth_noise(points: np.ndarray, sd: float, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field by random Fourier features: another construction than the one under test."""
    waves = rng.normal(0, 1 / correlation, (200, 3))
    return np.asarray(sd * np.sqrt(2 / 200) * np.cos(points @ waves.T + rng.uniform(0, 2 * np.pi, 200)).sum(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize(
    "near", [plane_below_plane(11), ball_in_ball(apart_mm=3.0, count=150)], ids=["planes", "balls"]
)
def test_the_interval_holds_the_known_truth_nineteen_times_in_twenty(near: NearMinimum) -> None:
    """Perturb known surfaces and a known alignment, measure the perturbed minimum, ask where the truth lies."""
    doubt = Doubt(0.5, 0.5, 5.0, 1.6, 0.0)
    truth = float(near.margin_mm.min())
    rng = np.random.default_rng(20)
    held = below = 0
    trials = 100
    for seed in range(trials):
        observed = near.margin_mm + smooth_noise(near.zone_lps_mm, 0.5, 5.0, rng)
        observed -= smooth_noise(near.tumour_lps_mm, 0.5, 5.0, rng) + near.zone_normal @ rng.normal(0, 1.0, 3)
        order = np.argsort(observed)
        drawn = NearMinimum(
            observed[order],
            near.tumour_lps_mm[order],
            near.zone_lps_mm[order],
            near.tumour_normal[order],
            near.zone_normal[order],
        )
        found = interval(drawn, doubt, seed)
        held += found.low_mm <= truth <= found.high_mm
        below += truth < found.low_mm
    assert held >= 0.88 * trials
    assert below <= 0.03 * trials
