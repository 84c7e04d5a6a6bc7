from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from planner.grid import Grid
from planner.register.alignment import SpatialMap
from planner.register.prepare import Working
from planner.register.starts import rough_starts

SPACING = 4.0
ROUGH_MM = 6.0
"""Mutual information takes it from there: it finds back from about 15 mm."""


def inside(points: np.ndarray) -> np.ndarray:
    """A liver of two ellipsoids, alike from no two sides."""
    right = ((points - [-20.0, 0.0, 0.0]) / [55.0, 60.0, 75.0]) ** 2
    left = ((points - [45.0, -25.0, 30.0]) / [50.0, 30.0, 25.0]) ** 2
    return (right.sum(axis=1) < 1.0) | (left.sum(axis=1) < 1.0)


def scan(pre_from_scan: np.ndarray, kept: tuple[float, float], *, with_liver: bool = True) -> Working:
    """The liver as a scan shows it that ends at two shares of the liver's height."""
    scan_from_pre = np.linalg.inv(pre_from_scan)
    box = np.array([[x, y, z] for x in (-90, 110) for y in (-80, 80) for z in (-90, 90)], dtype=float)
    corners = SpatialMap(scan_from_pre).pre_from_post(box)
    low, high = corners.min(axis=0), corners.max(axis=0)
    height = high[2] - low[2]
    low[2], high[2] = low[2] + kept[0] * height, low[2] + kept[1] * height
    shape = np.ceil((high - low) / SPACING).astype(int)[::-1] + 1
    grid = Grid.axis_aligned((int(shape[0]), int(shape[1]), int(shape[2])), (SPACING,) * 3, low)
    points = grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T)
    liver = inside(SpatialMap(pre_from_scan).pre_from_post(points)).reshape(grid.shape_kji)
    image = np.where(liver, 100.0, -50.0).astype(np.float32)
    image = ndimage.gaussian_filter(image, 1.0)
    return Working(image, np.ones_like(liver), liver if with_liver else None, np.zeros_like(liver), grid)


@cache
def motion(away_mm: float, turned_deg: float) -> np.ndarray:
    """pre_from_post: a turn about an oblique axis and a shift, mostly along the body."""
    matrix = np.eye(4)
    axis = np.array([0.5, -0.3, 0.8])
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(turned_deg) * axis / np.linalg.norm(axis)).as_matrix()
    matrix[:3, 3] = away_mm * np.array([0.3, -0.4, 0.866])
    return matrix


def off_mm(start: np.ndarray, pre_from_post: np.ndarray) -> float:
    points = np.random.default_rng(3).uniform([-60, -50, -60], [80, 40, 60], (300, 3))
    in_post = SpatialMap(np.linalg.inv(pre_from_post)).pre_from_post(points)
    return float(np.linalg.norm(SpatialMap(start).pre_from_post(in_post) - points, axis=1).mean())


@pytest.mark.parametrize("kept", [(0.0, 1.0), (0.0, 0.62), (0.38, 1.0)], ids=["whole", "no top", "no bottom"])
@pytest.mark.parametrize("which", ["POST", "PRE"])
def test_a_liver_far_away_turned_and_cut_is_laid_over_the_other(kept: tuple[float, float], which: str) -> None:
    whole = (0.0, 1.0)
    pre_from_post = motion(84.0, 25.0)
    post = scan(pre_from_post, kept if which == "POST" else whole)
    pre = scan(np.eye(4), kept if which == "PRE" else whole)
    assert off_mm(rough_starts(post, pre)[0], pre_from_post) < ROUGH_MM


def test_without_livers_the_intensities_do() -> None:
    pre_from_post = motion(60.0, 15.0)
    post, pre = (scan(m, (0.0, 1.0), with_liver=False) for m in (pre_from_post, np.eye(4)))
    assert off_mm(rough_starts(post, pre)[0], pre_from_post) < ROUGH_MM


def test_starts_are_given_best_first_and_lie_apart() -> None:
    post, pre = scan(motion(84.0, 25.0), (0.0, 0.62)), scan(np.eye(4), (0.0, 1.0))
    starts = rough_starts(post, pre)
    errors = [off_mm(start, motion(84.0, 25.0)) for start in starts]
    assert errors[0] == min(errors)
    assert all(np.linalg.norm(a - b) > 0.1 for n, a in enumerate(starts) for b in starts[:n])


def test_the_same_scans_start_the_same() -> None:
    post, pre = scan(motion(40.0, 10.0), (0.0, 1.0)), scan(np.eye(4), (0.0, 1.0))
    assert all(np.array_equal(a, b) for a, b in zip(rough_starts(post, pre), rough_starts(post, pre), strict=True))
