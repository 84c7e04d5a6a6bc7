from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import lattice, moved, rigid, sphere, voxelised

from planner.register.alignment import SpatialMap
from planner.register.gate import RATIO90, Predicted
from planner.register.prepare import Scan
from planner.register.vessels import vessel_check, vessel_residual_mm
from planner.volume import Volume

GRID = lattice((60, 60, 60), (1.5, 1.2, 1.2))
ZONE = sphere((0, 0, 0), 10.0)
SELF = SpatialMap.identity()
BORDER_MM = 3.4
"""The centres of the outermost voxels of a tube of radius 4 mm lie about half a voxel within its border."""


def portal(points: np.ndarray) -> np.ndarray:
    """A tube of radius 4 mm along x, 20 mm behind the zone's middle."""
    return (np.abs(points[:, 0]) < 40.0) & (np.hypot(points[:, 1] - 20.0, points[:, 2]) < 4.0)


def scan(body=portal, role="portal_vein") -> Scan:
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID, "CT")
    return Scan(image, None, {}, {role: voxelised(body, GRID, role)})


@pytest.mark.parametrize("mm", [0.0, 2.0, 3.5])
def test_a_vessel_that_lies_beside_itself_says_how_far(mm: float) -> None:
    """Seen along the tube: the median distance of a circle's points from the same circle moved by d."""
    angle = np.linspace(0, 2 * np.pi, 1001)
    expected = np.median(np.abs(np.abs(BORDER_MM * np.exp(1j * angle) - mm) - BORDER_MM))
    found = vessel_residual_mm(scan(), scan(moved(portal, rigid(shift_mm=(0, mm, 0)))), SELF, ZONE)
    assert found is not None
    assert found[0] == pytest.approx(expected, abs=0.4)


def test_the_map_in_use_is_applied_before() -> None:
    there = scan(moved(portal, rigid(shift_mm=(0, 6, 0))))
    used = SpatialMap(rigid(shift_mm=(0, 6, 0)))
    right, wrong = (vessel_residual_mm(scan(), there, m, ZONE) for m in (used, SELF))
    assert right[0] < 0.5
    assert wrong[0] > 2.0


def test_a_tube_that_slides_along_itself_is_not_seen() -> None:
    found = vessel_residual_mm(scan(), scan(moved(portal, rigid(shift_mm=(8, 0, 0)))), SELF, ZONE)
    assert found[0] < 0.5


def test_without_the_same_vessel_in_both_or_near_the_zone_nothing_is_said() -> None:
    assert vessel_residual_mm(scan(), scan(role="ivc"), SELF, ZONE) is None
    assert vessel_residual_mm(scan(), replace(scan(), vessels={}), SELF, ZONE) is None
    assert vessel_residual_mm(scan(), scan(), SELF, sphere((300, 0, 0), 10.0)) is None
    assert vessel_check(None, 2.0) == ()


@pytest.mark.parametrize(("apart_mm", "counts"), [(1.5, False), (3.5, True)])
def test_vessels_count_only_where_they_lie_farther_apart_than_is_allowed_for(apart_mm: float, counts: bool) -> None:
    predicted = Predicted(1.5, 0.9, 2.9)
    (check,) = vessel_check((apart_mm, 500), predicted.high_mm)
    assert check.passed is None
    assert ("so it counts" in check.text) is counts
    held = predicted.at_least(apart_mm)
    assert held == (Predicted(3.5, 0.9, RATIO90[1] * 3.5) if counts else predicted)
