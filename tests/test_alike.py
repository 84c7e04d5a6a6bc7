"""Calibres that one mask fits alike: tubes along the grid, with the circles that have the same voxels."""

from __future__ import annotations

import numpy as np
import pytest

from planner.grid import Grid
from planner.measure.alike import fitting_radii_mm
from planner.measure.calibre import calibre_at
from planner.volume import Mask

SPACING = (1.5, 1.5, 1.5)
SHAPE = (24, 24, 24)
GRID = Grid.axis_aligned(SHAPE, SPACING, (0.0, 0.0, 0.0))
MIDDLE = np.array([17.3, 16.9, 17.1])


def tube(radius_mm, along=2, centre=MIDDLE, tilt=0.0):
    """Return a round tube along an axis (0 for x), its voxels those whose centres it holds, and a place on its wall."""
    points = GRID.lps_mm(np.argwhere(np.ones(SHAPE))[:, ::-1]) - centre
    direction = np.eye(3)[along] + tilt * np.eye(3)[(along + 1) % 3]
    direction /= np.linalg.norm(direction)
    away = np.linalg.norm(points - np.outer(points @ direction, direction), axis=1)
    mask = Mask((away <= radius_mm).reshape(SHAPE), GRID)
    return mask, centre + radius_mm * np.eye(3)[(along + 2) % 3], direction


@pytest.mark.parametrize("along", [0, 1, 2])
@pytest.mark.parametrize("radius_mm", [2.0, 3.3, 4.6])
def test_the_true_radius_is_among_those_that_fit(along, radius_mm):
    mask, _, direction = tube(radius_mm, along)
    low, high = fitting_radii_mm(mask, MIDDLE, direction, radius_mm, 5.0)
    assert low <= radius_mm <= high


def test_the_ends_have_the_same_voxels_for_some_centre_and_what_lies_beyond_has_not():
    mask, _, direction = tube(3.1)
    low, high = fitting_radii_mm(mask, MIDDLE, direction, 3.1, 5.0)
    shifts = [np.array([x, y, 0.0]) for x in np.arange(-1.5, 1.5, 0.05) for y in np.arange(-1.5, 1.5, 0.05)]

    def same(radius_mm):
        return any((tube(radius_mm, centre=MIDDLE + s)[0].voxels_kji == mask.voxels_kji).all() for s in shifts)

    assert same(low + 0.02)
    assert same(high - 0.02)
    assert not same(low - 0.1)
    assert not same(high + 0.1)


def test_a_tube_across_the_grid_or_of_differing_slices_has_none():
    mask, _, direction = tube(3.0, tilt=0.4)
    assert fitting_radii_mm(mask, MIDDLE, direction, 3.0, 5.0) is None
    mask, _, direction = tube(3.0, tilt=0.1)
    assert fitting_radii_mm(mask, MIDDLE, direction, 3.0, 5.0) is None


def test_a_calibre_is_told_within_half_a_millimetre_or_not_at_all():
    told = 0
    rng = np.random.default_rng(5)
    for radius_mm in rng.uniform(1.5, 5.0, 20):
        centre = MIDDLE + rng.uniform(-0.75, 0.75, 3)
        mask, wall, _ = tube(float(radius_mm), centre=centre)
        found = calibre_at(mask, wall)
        if found.mm is None:
            assert found.reason
            continue
        told += 1
        assert found.mm == pytest.approx(2.0 * radius_mm, abs=0.5)
    assert 3 < told < 20
