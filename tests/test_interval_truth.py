"""The interval's two allowances that a formula cannot give, each against a truth that is drawn or known here."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import sphere

from pipelines.sample.phantoms import GRIDS, make_phantom, pair_of_masks
from planner.grid import Grid
from planner.measure.interval import Doubt, Interval, MarginPoints, margin_interval
from planner.measure.margin import measure_margin, slice_sd_mm
from planner.measure.zone import Zone
from planner.volume import Mask

TUMOUR_MM, ZONE_MM = 9.0, 22.0
SEEN_SD = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""How far off a zone looks, in SDs of the registration along an axis: where the interval is asked for."""

TRIALS = 100_000
AIM_SD = 0.8
"""Of the zones' true aims along an axis, over that of the registration: between perfect aims, for which the allowance
is too large, and aims at random, for which it is too small."""


def balls(apart_mm: float) -> MarginPoints:
    zone = Zone.of([sphere((0, 0, 0), ZONE_MM, 1500)])
    points = measure_margin(sphere((apart_mm, 0, 0), TUMOUR_MM, 900), zone).points()
    assert points is not None
    return points


def registered(points: MarginPoints, error_mm: float) -> Interval:
    return margin_interval(points, Doubt(0.0, 0.0, 5.0, error_mm, 0.0), 1, (0.0,))


@pytest.mark.parametrize("error_mm", [1.0, 3.0])
def test_where_a_zone_looks_well_aimed_the_width_is_what_is_true_of_such_zones(error_mm: float) -> None:
    """A ball in a ball: the margin is that of the concentric pair less the length of the aim's error, in closed form.

    The registration moves what is seen of the aim. Of the zones that look aimed to one SD, about one in forty may have
    a margin below its interval, and the interval is about as wide as the middle 95 % of their true margins.
    """
    axis_sd = error_mm / np.sqrt(8.0 / np.pi)  # a 3-D normal error's SD along an axis, from its mean length
    pairs = [balls(share * axis_sd) for share in SEEN_SD]
    perfect_mm = float(pairs[0].margin_mm[0])
    assert perfect_mm == pytest.approx(ZONE_MM - TUMOUR_MM, abs=0.1)

    rng = np.random.default_rng(6)
    aim = AIM_SD * axis_sd * rng.standard_normal((TRIALS, 3))
    seen = np.linalg.norm(aim + axis_sd * rng.standard_normal((TRIALS, 3)), axis=1) / axis_sd
    good = seen < SEEN_SD[-1]
    true_mm = perfect_mm - np.linalg.norm(aim[good], axis=1)

    intervals = [registered(points, error_mm) for points in pairs]
    low_mm, high_mm = (
        np.interp(seen[good], SEEN_SD, [getattr(found, end) for found in intervals]) for end in ("low_mm", "high_mm")
    )
    assert (true_mm < low_mm).mean() < 0.06
    assert (true_mm > high_mm + 0.05).mean() < 0.01
    middle_mm = np.ptp(np.quantile(true_mm, [0.025, 0.975]))
    assert 1.0 < (high_mm - low_mm).mean() / middle_mm < 1.5


def test_on_coarse_voxels_exact_masks_have_intervals_that_hold_the_margin_and_are_not_vague() -> None:
    """Without contour or registration error, voxels of 1.5 x 1.5 x 3 mm alone make the doubt."""
    errors, half_widths = [], []
    for family in ("groove", "two_zones", "irregular", "lobulated"):
        for seed in range(100, 105):
            phantom = make_phantom(family, seed)
            offset = np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
            tumour, zone, affine = pair_of_masks(phantom.tumour, phantom.zone, GRIDS["1.5x1.5x3"], offset)
            grid = Grid(tumour.shape, affine)
            margin = measure_margin(Mask(tumour, grid, "tumour"), [Mask(zone, grid, "ablation")])
            points = margin.points()
            assert points is not None
            doubt = Doubt(0.0, 0.0, 5.0, 0.0, margin.voxel_sd_mm, slice_sd_mm(margin))
            found = margin_interval(points, doubt, seed, (0.0,))
            errors.append(0.5 * (found.low_mm + found.high_mm) - phantom.min_mm)
            half_widths.append(0.5 * (found.high_mm - found.low_mm))
    assert np.mean(np.abs(errors) <= half_widths) >= 0.95
    assert np.median(half_widths) < 2.0 * np.percentile(np.abs(errors), 95)
