from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import ball, below, centres, lattice, rigid, sphere, voxelised
from studies import LIVER, ZONE, post

from planner.errors import EmptyMaskError, RegistrationInputError
from planner.grid import Grid
from planner.register.prepare import Scan, grown, itk_image, metric_region, resampled, resampled_mask, working_scan
from planner.register.settings import RegistrationSettings
from planner.volume import Mask, Volume

SETTINGS = RegistrationSettings(working_mm=4.0)


def linear(points: np.ndarray) -> np.ndarray:
    return points @ np.array([1.0, -2.0, 0.5]) + 20.0


def test_an_image_read_on_another_lattice_keeps_its_values_where_they_were() -> None:
    oblique = lattice(30.0, (2.0, 1.5, 1.5), turned=rigid((0.2, 0.3, -0.1))[:3, :3])
    image = Volume(linear(centres(oblique)).reshape(oblique.shape_kji), oblique)
    target = Grid.axis_aligned((6, 7, 8), (2.0, 2.0, 2.0), (-7, -6, -5))
    assert resampled(image, target, 1.0, -1024.0).ravel() == pytest.approx(linear(centres(target)), abs=1e-2)


def test_outside_the_scan_the_stated_value_is_read() -> None:
    image = Volume(np.ones((5, 5, 5)), Grid.axis_aligned((5, 5, 5), (1.0, 1.0, 1.0)))
    assert (resampled(image, Grid.axis_aligned((2, 2, 2), (1.0,) * 3, (50, 0, 0)), 1.0, -7.0) == -7.0).all()


def test_a_mask_read_on_another_lattice_is_the_same_body_to_a_voxel() -> None:
    mask = voxelised(ball((2, 1, 0), 9), lattice(14.0, (1.0, 0.8, 0.8), turned=rigid((0.2, 0.3, -0.1))[:3, :3]))
    target = lattice(16.0, (2.0, 2.0, 2.0))
    radius = np.linalg.norm(centres(target)[resampled_mask(mask, target).ravel()] - (2, 1, 0), axis=1)
    assert 7.0 < radius.max() < 10.0
    assert resampled_mask(mask, target).sum() * 8 == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.05)


def test_growing_adds_every_voxel_within_the_distance_in_millimetres() -> None:
    grid = lattice(16.0, (2.0, 2.0, 2.0), shift_mm=(0, 0, 0))
    voxels = grown(voxelised(ball((0, 0, 0), 0.5), grid).voxels_kji, 6.0, 2.0)
    assert np.array_equal(voxels.ravel(), np.linalg.norm(centres(grid), axis=1) <= 6.0)
    assert not grown(np.zeros((3, 3, 3), dtype=bool), 5.0, 1.0).any()


def test_the_metric_looks_at_the_liver_and_five_millimetres_but_not_within_five_of_the_zone() -> None:
    working = working_scan(post()[0], SETTINGS)
    region = metric_region(working, SETTINGS)
    points = centres(working.grid)[region.ravel()]
    from_zone = np.linalg.norm(points - (12, -8, 5), axis=1) - 11.0
    assert from_zone.min() > 5.0 - 4.0
    outward = sphere((0, 0, 0), 1.0, 2000).moved(lambda p: p * (40, 35, 30)).signed_depth_mm(points)
    assert outward.min() > -(5.0 + 4.0)
    assert region.sum() * 64 / 1000 > 50.0


def test_without_a_liver_the_metric_looks_everywhere_but_at_the_zone() -> None:
    scan = replace(post()[0], liver=None)
    working = working_scan(scan, SETTINGS)
    region = metric_region(working, SETTINGS)
    assert region.sum() > 0.8 * working.seen.sum()
    assert not (region & working.zone).any()


def test_the_working_scan_holds_what_was_given_in_its_place() -> None:
    working = working_scan(post()[0], SETTINGS)
    assert working.liver is not None
    points = centres(working.grid)
    assert (working.liver.ravel() == LIVER(points)).mean() > 0.97
    assert (working.zone.ravel() == ZONE(points)).mean() > 0.99
    low, high = SETTINGS.window_hu
    assert low <= working.image.min() < working.image.max() <= high


def test_an_image_with_nothing_to_see_is_refused() -> None:
    where = post()[0].image.grid
    with pytest.raises(RegistrationInputError, match="constant"):
        working_scan(Scan(Volume(np.full(where.shape_kji, 40.0), where, "CT"), None, {}), SETTINGS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_with_values_that_are_no_numbers_is_refused(value: float) -> None:
    voxels = np.array(post()[0].image.voxels_kji)
    voxels[3, 3, 3] = value
    with pytest.raises(RegistrationInputError) as caught:
        working_scan(Scan(Volume(voxels, post()[0].image.grid, "CT"), None, {}), SETTINGS)
    assert caught.value.code == "bad-number"


def test_an_empty_liver_mask_is_refused_by_name() -> None:
    where = post()[0].image.grid
    with pytest.raises(EmptyMaskError, match="liver"):
        working_scan(replace(post()[0], liver=Mask(np.zeros(where.shape_kji, dtype=bool), where, "liver")), SETTINGS)


def test_an_itk_image_has_the_lattices_places() -> None:
    grid = Grid.axis_aligned((4, 5, 6), (3.0, 2.0, 1.0), (7, 8, 9))
    image = itk_image(voxelised(below(0, 9.0), grid).voxels_kji.astype(np.uint8), grid)
    assert image.TransformIndexToPhysicalPoint((5, 4, 3)) == pytest.approx(tuple(grid.lps_mm((5, 4, 3))[0]))
    assert image.GetPixel(2, 4, 3) == 1
    assert image.GetPixel(3, 4, 3) == 0


def test_what_is_too_coarse_or_is_no_mr_though_it_says_so_is_refused() -> None:
    here = post()[0].image
    mr = Volume(
        np.where(np.arange(here.voxels_kji.size).reshape(here.voxels_kji.shape) % 2, -900.0, 50.0), here.grid, "MR"
    )
    with pytest.raises(RegistrationInputError, match="POST: states MR, but values go down to -900") as caught:
        working_scan(Scan(mr, None, {}), SETTINGS, "POST")
    assert caught.value.code == "not-mr"
    where = lattice((80, 80, 80), (20.0, 8.0, 8.0))
    coarse = Volume(np.random.default_rng(0).normal(0, 50, where.shape_kji), where, "CT")
    with pytest.raises(RegistrationInputError, match=r"PRE: voxels of 8\.0 x 8\.0 x 20\.0 mm") as caught:
        working_scan(Scan(coarse, None, {}), SETTINGS, "PRE")
    assert caught.value.code == "too-coarse"
