"""The longest distance within a part of a tumour that zones left out, on balls of which it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import ball, box, lattice, rigid, sphere, voxelised
from test_assess import case, whole

from planner.inventory import _of_patient
from planner.measure.residual import residual_diameter_mm
from planner.measure.zone import Zone
from planner.surface import surface_of

TUMOUR = sphere((0, 0, 0), 10.0, 3000)


def zone(*balls: tuple[tuple[float, float, float], float]) -> Zone:
    return Zone.of([sphere(centre, radius, 4000) for centre, radius in balls])


def cap_mm(radius: float, other: float, apart: float) -> float:
    """Of a ball that another (radius `other`, `apart` away) overlaps, the width of what is left over.

    The spheres meet in a circle on a cone about the line of centres: what is left is the cap on the far side, as wide
    as that circle where it is less than half of the ball, else as the ball.
    """
    cosine = (radius**2 + apart**2 - other**2) / (2 * radius * apart)
    return 2 * radius if cosine >= 0 else 2 * radius * float(np.sqrt(1 - cosine**2))


@pytest.mark.parametrize("apart", [4.5, 5.0, 6.0, 8.0, 10.0, 13.0, 18.0, 23.0, 30.0])
def test_a_ball_that_a_zone_covers_in_part_is_left_over_as_wide_as_its_cap(apart: float) -> None:
    truth = cap_mm(10.0, 14.0, apart) if apart < 24.0 else 20.0
    turned = np.array([2.0, -1.0, 2.0]) / 3.0
    found = residual_diameter_mm(TUMOUR, zone((tuple(apart * turned), 14.0)))
    assert found == pytest.approx(truth, abs=0.5)


def test_a_covered_ball_leaves_nothing_and_one_in_its_own_zone_neither() -> None:
    assert residual_diameter_mm(TUMOUR, zone(((1.0, 0, 0), 12.0))) == 0.0
    assert residual_diameter_mm(TUMOUR, Zone.of([TUMOUR])) == 0.0
    mask = voxelised(ball((0, 0, 0), 9.0), lattice(14.0))
    assert residual_diameter_mm(surface_of(mask), Zone.of([surface_of(mask)])) == 0.0


def test_two_parts_are_measured_each_for_itself() -> None:
    """A slab through the middle, its walls half-way between voxels, leaves two caps."""
    for half in (4.4, 8.4):
        slab = voxelised(box((-half, -12, -12), (half, 12, 12)), lattice(14.0, (0.8, 0.8, 0.8), shift_mm=(0, 0, 0)))
        truth = 2.0 * np.sqrt(100.0 - half**2)
        assert residual_diameter_mm(TUMOUR, Zone.of([surface_of(slab)])) == pytest.approx(truth, abs=0.5)


def test_a_shell_around_a_zone_inside_the_tumour_is_as_wide_as_the_tumour() -> None:
    assert residual_diameter_mm(TUMOUR, zone(((0.5, 0, 0), 6.0))) == pytest.approx(20.0, abs=0.05)


def test_two_zones_leave_a_ring_between_them_as_one_part() -> None:
    """Balls of 11 mm at x = -6 and 6 meet in a circle of sqrt(85) mm about the middle: a ring is left around it."""
    found = residual_diameter_mm(TUMOUR, zone(((-6.0, 0, 0), 11.0), ((6.0, 0, 0), 11.0)))
    assert found == pytest.approx(20.0, abs=0.1)


def test_moving_both_keeps_it() -> None:
    turn = rigid((0.4, -0.3, 0.7), (30.0, -12.0, 5.0))
    centre = turn[:3, :3] @ (8.0, 3.0, 0.0) + turn[:3, 3]
    moved = TUMOUR.moved(lambda p: p @ turn[:3, :3].T + turn[:3, 3])
    here = residual_diameter_mm(TUMOUR, zone(((8.0, 3.0, 0.0), 13.0)))
    assert residual_diameter_mm(moved, zone((tuple(centre), 13.0))) == pytest.approx(here, abs=0.2)


def test_a_larger_zone_never_leaves_a_wider_part() -> None:
    radii = (9.0, 11.0, 13.0, 15.0, 16.5, 17.5)
    found = [residual_diameter_mm(TUMOUR, zone(((7.0, 0, 0), radius))) for radius in radii]
    assert found == sorted(found, reverse=True)
    assert found[-1] == 0.0


def of_patient(lesions):
    findings = {f.quantity.name: f for f in _of_patient(case(), lesions)}
    return findings["residual.max_diameter_mm"]


def test_of_a_patient_the_widest_part_counts_an_untreated_tumour_whole() -> None:
    lesions = whole().lesions
    untreated = next(lesion for lesion in lesions if lesion.status == "not_treated")
    assert of_patient(lesions).value == pytest.approx(untreated.max_diameter_mm)
    assert of_patient(lesions).bound == "exact"
    treated = [lesion for lesion in lesions if lesion.status == "assessed"]
    assert of_patient(treated).value == max(lesion.coverage.residual_mm for lesion in treated)


def test_a_lesion_that_could_not_be_assessed_makes_it_a_bound_or_unknown() -> None:
    lesions = whole().lesions
    gone = replace(lesions[0], status="not_assessable", coverage=None)
    bounded = of_patient([gone, *lesions[1:]])
    assert bounded.bound == "at_least"
    assert bounded.reason == f"1 of {len(lesions)} tumours could not be assessed"
    assert of_patient([gone]).value is None
