from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from analytic import ball, below, both, centres, lattice, rigid, sphere, voxelised

from planner.measure.liver import ClosedLiver, close_liver
from planner.measure.tissue import NOT_LOOKED_AT, tissue_change
from planner.measure.zone import Zone
from planner.register.alignment import Alignment, Displacement, Kind, SpatialMap

CENTRE, RADIUS = np.array([4.0, -3.0, 2.0]), 12.0
ZONE = sphere(CENTRE, RADIUS)
ROOM = lattice(50.0, (2.5, 2.5, 2.5))
IDENTITY = SpatialMap.identity()


@cache
def liver(x_below_mm: float = 60.0) -> ClosedLiver:
    mask = voxelised(both(ball((0, 0, 0), 46.0), below(0, x_below_mm)), ROOM, "liver")
    return close_liver(mask, [ZONE], [ZONE])


def carried(field) -> Alignment:
    grid = lattice(60.0, (2.0, 2.0, 2.0))
    matrix = rigid((0.1, 0.2, -0.1), (5.0, 6.0, -9.0))
    used = SpatialMap(matrix, Displacement(field(centres(grid)).reshape(*grid.shape_kji, 3), grid))
    return Alignment("deformable", used, SpatialMap(matrix))


def evenly(percent: float):
    """Everything has changed its volume by so much, towards or from the zone's centre."""
    return lambda p: (p - CENTRE) * ((1 + percent / 100) ** (-1 / 3) - 1.0)


def contraction(loss: float):
    """The zone has lost a share of its volume, and what is around has moved in without a change of volume."""

    def field(points: np.ndarray) -> np.ndarray:
        offset = points - CENTRE
        s = np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), 1e-9)
        before = np.where(s <= RADIUS, s / (1 - loss) ** (1 / 3), np.cbrt(s**3 + RADIUS**3 * (1 / (1 - loss) - 1)))
        return offset * (before / s - 1.0)

    return field


@pytest.mark.parametrize("percent", [-8.0, 12.0])
def test_an_even_change_is_read_around_and_inside_with_its_sign(percent: float) -> None:
    found = tissue_change(carried(evenly(percent)), Zone.of([ZONE]), [ZONE], liver())
    assert found.surroundings_percent == pytest.approx(percent, abs=0.02)
    assert found.zone_percent == pytest.approx(percent, abs=0.02)
    assert found.reason is None


def test_a_zone_that_shrinks_while_the_liver_moves_in_shows_nothing_around_it() -> None:
    found = tissue_change(carried(contraction(0.14)), Zone.of([ZONE]), [ZONE], liver())
    assert found.surroundings_percent == pytest.approx(0.0, abs=0.1)
    assert found.zone_percent == pytest.approx(-14.0, abs=2.0)  # the field's kink at the rim is read on 2 mm


def test_surroundings_are_liver_between_5_and_20_mm_and_as_far_from_other_zones() -> None:
    """Everything changed by -8 %, but by far more where nothing may be read: each such place in its turn."""

    def spoilt(where):
        def field(points: np.ndarray) -> np.ndarray:
            factor = np.where(where(points)[:, None], -1.5, 1.0)
            return evenly(-8.0)(points) * factor

        return carried(field)

    def depth(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - CENTRE, axis=1) - RADIUS

    # 3 mm of room: the field is interpolated on 2 mm, and slopes reach 1 mm to either side.
    other = sphere(CENTRE + np.array((0, 0, 24.0)), 6.0)
    forbidden = {
        "near": lambda p: depth(p) < 2.0,
        "far": lambda p: depth(p) > 23.0,
        "other zone": lambda p: np.linalg.norm(p - CENTRE - (0, 0, 24.0), axis=1) < 8.0,
        "no liver": lambda p: p[:, 0] > 18.0,
    }
    for name, where in forbidden.items():
        zones = [ZONE, other] if name == "other zone" else [ZONE]
        within = liver(15.0) if name == "no liver" else liver()
        found = tissue_change(spoilt(where), Zone.of([ZONE]), zones, within).surroundings_percent
        assert found == pytest.approx(-8.0, abs=0.05), name
    spoilt_all = tissue_change(spoilt(forbidden["no liver"]), Zone.of([ZONE]), [ZONE], liver()).surroundings_percent
    assert spoilt_all != pytest.approx(-8.0, abs=1.0)


@pytest.mark.parametrize("kind", ["identity", "rigid"])
def test_an_alignment_that_keeps_every_volume_shows_no_change_and_says_why(kind: Kind) -> None:
    found = tissue_change(Alignment(kind, IDENTITY, IDENTITY), Zone.of([ZONE]), [ZONE], liver())
    assert (found.surroundings_percent, found.zone_percent) == (None, None)
    assert found.reason == f"the alignment is {kind}: it keeps every volume and shows no change"


def test_without_a_liver_nobody_knows_what_the_surroundings_are() -> None:
    found = tissue_change(carried(evenly(-8.0)), Zone.of([ZONE]), [ZONE], None)
    assert found.surroundings_percent is None
    assert "no liver mask" in (found.reason or "")


def test_a_zone_with_hardly_any_liver_around_has_no_change_of_it() -> None:
    small = voxelised(ball(CENTRE, RADIUS + 3.0), ROOM, "liver")
    found = tissue_change(carried(evenly(-8.0)), Zone.of([ZONE]), [ZONE], close_liver(small, [ZONE], [ZONE]))
    assert found.surroundings_percent is None
    assert found.zone_percent == pytest.approx(-8.0, abs=0.02)
    assert found.reason == "hardly any liver lies 5 to 20 mm from the zone"


def test_a_map_that_folds_all_around_has_no_change() -> None:
    mirrored = carried(lambda p: np.stack([-2.0 * p[:, 0], 0 * p[:, 0], 0 * p[:, 0]], axis=1))
    found = tissue_change(mirrored, Zone.of([ZONE]), [ZONE], liver())
    assert found.surroundings_percent is None
    assert found.reason == "the map folds around the zone"


def test_what_was_not_looked_at_has_a_reason() -> None:
    assert NOT_LOOKED_AT.surroundings_percent is None
    assert NOT_LOOKED_AT.reason
