from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import Points, ball, lattice, sphere, voxelised, without
from scipy.special import ndtr

from planner.measure.interval import Doubt, Interval, MarginPoints, margin_interval
from planner.measure.margin import measure_margin, slice_sd_mm
from planner.measure.zone import Zone
from planner.surface import Surface

THRESHOLDS = (0.0, 5.0, 10.0)
SOME = Doubt(0.5, 0.5, 5.0, 2.0, 0.1)
NONE = Doubt(0.0, 0.0, 5.0, 0.0, 0.0)


def points_of(tumour: Surface, zone: Surface) -> MarginPoints:
    points = measure_margin(tumour, Zone.of([zone])).points()
    assert points is not None
    return points


def ball_in_ball(tumour_mm: float = 9.0, zone_mm: float = 16.0, apart_mm: float = 2.5) -> MarginPoints:
    return points_of(sphere((apart_mm, 0, 0), tumour_mm, 900), sphere((0, 0, 0), zone_mm, 1500))


def interval(points: MarginPoints, doubt: Doubt, seed: int = 1, thresholds: tuple[float, ...] = THRESHOLDS) -> Interval:
    return margin_interval(points, doubt, seed, thresholds)


def centre_of(found: Interval) -> float:
    return 0.5 * (found.low_mm + found.high_mm)


def width_of(found: Interval) -> float:
    return found.high_mm - found.low_mm


def test_the_same_seed_gives_the_same_interval_and_another_nearly_the_same() -> None:
    one, again, other = (interval(ball_in_ball(), SOME, seed) for seed in (1, 1, 2))
    assert one == again
    assert other != one
    assert other.low_mm == pytest.approx(one.low_mm, abs=0.3)


def test_without_any_doubt_the_interval_is_the_minimum() -> None:
    points = ball_in_ball()
    found = interval(points, NONE)
    assert (found.low_mm, found.high_mm) == pytest.approx((points.margin_mm[0],) * 2)
    assert found.p_at_least == {0.0: 1.0, 5.0: 0.0, 10.0: 0.0}


def test_the_interval_widens_with_the_registration_error() -> None:
    points = ball_in_ball(apart_mm=6.0)
    widths = [width_of(interval(points, replace(SOME, registration_error_mm=e))) for e in (0.0, 1.0, 2.0, 4.0)]
    assert widths == sorted(widths)
    assert widths[3] > widths[0] + 5.0


@pytest.mark.parametrize("part", ["tumour_contour_sd_mm", "zone_contour_sd_mm", "voxel_sd_mm", "slice_sd_mm"])
def test_every_source_of_doubt_widens_the_interval(part: str) -> None:
    points = ball_in_ball()
    narrow, wide = interval(points, SOME), interval(points, replace(SOME, **{part: 1.5}))
    assert width_of(wide) > width_of(narrow) + 0.5


def test_registration_alone_makes_the_normal_width_of_the_error_that_was_stated() -> None:
    """A 3-D normal error of 1 mm along each axis has the mean length sqrt(8 / pi) = 1.596 mm; +-1.96 mm."""
    doubt = Doubt(0.0, 0.0, 5.0, float(np.sqrt(8 / np.pi)), 0.0)
    assert width_of(interval(ball_in_ball(apart_mm=6.0), doubt)) == pytest.approx(2 * 1.96, abs=0.02)


@pytest.mark.parametrize("error_mm", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("apart_mm", [0.0, 1.0, 3.0])
def test_no_displacement_makes_a_margin_larger_than_a_perfect_aim_would(error_mm: float, apart_mm: float) -> None:
    """A ball of 9 mm in one of 16 mm is covered by 7 mm at most, whatever the registration error."""
    perfect = ball_in_ball(apart_mm=0.0).margin_mm[0]
    found = interval(ball_in_ball(apart_mm=apart_mm), Doubt(0.0, 0.0, 5.0, error_mm, 0.0), thresholds=(perfect + 0.3,))
    assert found.high_mm <= perfect + 0.3
    assert found.p_at_least[perfect + 0.3] == 0.0
    assert found.low_mm < ball_in_ball(apart_mm=apart_mm).margin_mm[0]


@pytest.mark.parametrize("apart_mm", [0.0, 2.5, 6.0])
def test_exact_smooth_contours_are_not_taken_for_rough_ones(apart_mm: float) -> None:
    """What errors of the assumed size would roughen is not there to be taken off: the centre stays at the minimum."""
    points = ball_in_ball(apart_mm=apart_mm)
    found = interval(points, replace(SOME, registration_error_mm=0.0))
    assert centre_of(found) == pytest.approx(points.margin_mm[0], abs=0.5)


def smooth_noise(points: np.ndarray, sd: float, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field by random Fourier features: another construction than the one under test."""
    waves = rng.normal(0, 1 / correlation, (300, 3))
    return np.asarray(sd * np.sqrt(2 / 300) * np.cos(points @ waves.T + rng.uniform(0, 2 * np.pi, 300)).sum(axis=1))


def drawn(surface: Surface, sd: float, correlation: float, rng: np.random.Generator) -> Surface:
    """A surface as a reader draws it."""
    error = smooth_noise(surface.vertices_lps_mm, sd, correlation, rng)
    return replace(surface, vertices_lps_mm=surface.vertices_lps_mm + error[:, None] * surface.vertex_normals)


def test_the_centre_makes_up_for_what_rough_contours_lower() -> None:
    rng = np.random.default_rng(4)
    raw, centres = [], []
    for seed in range(12):
        tumour, zone = sphere((2.0, 0, 0), 9.0, 900), sphere((0, 0, 0), 16.0, 1500)
        points = points_of(drawn(tumour, 0.5, 4.5, rng), drawn(zone, 0.7, 4.5, rng))
        found = interval(points, Doubt(0.5, 0.7, 4.5, 0.0, 0.0), seed)
        raw.append(points.margin_mm[0] - 5.0)
        centres.append(centre_of(found) - 5.0)
    assert np.mean(raw) < -0.7
    assert abs(np.mean(centres)) < 0.4


def test_variance_shares_sum_to_one_and_name_the_largest_source() -> None:
    found = interval(ball_in_ball(), replace(SOME, registration_error_mm=6.0))
    assert sum(found.variance_share.values()) == pytest.approx(1.0)
    assert set(found.variance_share) == {"contours", "registration", "voxels"}
    assert max(found.variance_share, key=lambda name: found.variance_share[name]) == "registration"
    assert found.assumed.registration_error_mm == 6.0


def test_masks_that_came_aligned_have_no_share_of_registration() -> None:
    assert interval(ball_in_ball(), replace(SOME, registration_error_mm=0.0)).variance_share["registration"] == 0.0


def test_probabilities_are_those_of_the_interval_and_fall_with_the_threshold() -> None:
    found = interval(ball_in_ball(apart_mm=6.0), SOME)
    centre, sd = centre_of(found), width_of(found) / (2 * 1.96)
    assert found.p_at_least == pytest.approx({t: ndtr((centre - t) / sd) for t in THRESHOLDS}, abs=1e-3)
    assert found.p_at_least[0.0] >= found.p_at_least[5.0] >= found.p_at_least[10.0]


def test_a_single_point_has_an_interval() -> None:
    points = ball_in_ball()
    names = ("margin_mm", "tumour_lps_mm", "zone_lps_mm", "tumour_normal", "zone_normal")
    found = interval(replace(points, **{name: getattr(points, name)[:1] for name in names}), SOME)
    assert found.low_mm < points.margin_mm[0] < found.high_mm


def test_a_tumour_outside_its_zone_and_one_that_touches_it_have_intervals() -> None:
    for apart in (7.0, 30.0):
        points = ball_in_ball(apart_mm=apart)
        found = interval(points, SOME)
        assert found.low_mm < points.margin_mm[0] + 1.0
        assert found.high_mm > points.margin_mm[0] - 0.5


@pytest.mark.parametrize("thick_mm", [3.0, 5.0])
def test_thick_slices_are_allowed_for(thick_mm: float) -> None:
    grid = lattice(20.0, (thick_mm, 0.8, 0.8))
    margin = measure_margin(voxelised(ball((1, 0, 0), 10.0), grid), [voxelised(ball((0, 0, 0), 16.0), grid)])
    assert slice_sd_mm(margin) == (0.0 if thick_mm == 3.0 else pytest.approx(0.04 * thick_mm))


@pytest.mark.slow
@pytest.mark.parametrize("apart_mm", [1.0, 4.0])
def test_the_interval_holds_the_known_truth_nineteen_times_in_twenty(apart_mm: float) -> None:
    """Draw known surfaces with errors, displace one, measure, ask where the truth lies."""
    tumour, zone = sphere((apart_mm, 0, 0), 8.0, 700), sphere((0, 0, 0), 15.0, 1200)
    truth = 7.0 - apart_mm
    rng = np.random.default_rng(20)
    doubt, trials = Doubt(0.5, 0.5, 5.0, 1.6, 0.0), 80
    held = below = 0
    for seed in range(trials):
        shift = rng.normal(0, 1.0, 3)
        moved = drawn(tumour, 0.5, 5.0, rng).moved(lambda p, by=shift: p + by)
        found = interval(points_of(moved, drawn(zone, 0.5, 5.0, rng)), doubt, seed)
        held += found.low_mm <= truth <= found.high_mm
        below += truth < found.low_mm
    assert held >= 0.9 * trials
    assert below <= 0.05 * trials


@pytest.mark.parametrize("sd_mm", [0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("defect", ["hole", "groove"])
def test_a_thin_spot_on_a_round_zone_is_not_taken_for_an_error_of_the_contour(defect: str, sd_mm: float) -> None:
    """Exact masks: a small hole, or a vessel's groove, 1 to 1.4 mm beside the tumour."""
    grid = lattice(20.0, (1.0, 1.0, 1.0), shift_mm=(0.3, 0.2, 0.4))
    gone = ball((9.0, 0, 0), 1.6) if defect == "hole" else tube((10.0, 0, 0), 3.0)
    zone = voxelised(without(ball((0, 0, 0), 16.0), gone), grid)
    margin = measure_margin(voxelised(ball((0, 0, 0), 6.0), grid), [zone])
    points = margin.points()
    assert points is not None
    found = interval(points, Doubt(sd_mm, sd_mm, 5.0, 0.0, margin.voxel_sd_mm))
    assert found.low_mm < (1.4 if defect == "hole" else 1.0) < found.high_mm
    assert found.p_at_least[5.0] < 0.05


def tube(on_axis: Points, radius_mm: float):
    """A cylinder along z."""
    return lambda points: np.hypot(points[:, 0] - on_axis[0], points[:, 1] - on_axis[1]) <= radius_mm


def test_the_livers_own_error_counts_where_the_rim_of_the_capsule_limits() -> None:
    """A foot on the rim is not reached along the zone's normal; one inside the liver is."""
    points = ball_in_ball(apart_mm=6.0)
    slanted = replace(points, zone_normal=np.tile((0.0, 0.0, 1.0), (len(points.margin_mm), 1)))
    for given, wider in ((points, False), (slanted, True)):
        narrow, wide = (interval(given, replace(SOME, liver_contour_sd_mm=sd)) for sd in (0.0, 2.0))
        assert (width_of(wide) > width_of(narrow) + 0.5) == wider
