from __future__ import annotations

import numpy as np
import pytest
from analytic import lattice, rigid, sphere
from studies import post

from planner.register.alignment import SpatialMap
from planner.register.prepare import working_scan
from planner.register.quality import (
    Answers,
    case_checks,
    correlation,
    moved_onto,
    second_opinion,
    shared_view_check,
)
from planner.register.settings import RegistrationSettings

SETTINGS = RegistrationSettings(working_mm=4.0)
SELF = SpatialMap.identity()
ZONE = sphere((0, 0, 0), 12.0)


def shifted(mm: float) -> SpatialMap:
    return SpatialMap(rigid(shift_mm=(0, mm, 0)))


def test_a_second_opinion_says_how_far_the_two_answers_lie_apart_and_decides_nothing() -> None:
    assert second_opinion(Answers(SELF, SELF), ZONE) == ()
    (check,) = second_opinion(Answers(shifted(3.0), shifted(1.0), shifted(-0.5)), ZONE)
    assert (check.value, check.unit, check.passed) == (pytest.approx(3.5), "mm", None)
    assert "3.5 mm from the map in use" in check.text
    assert "1.5 mm, the map in use 2.0 mm" in check.text


def test_correlation_is_that_of_the_region_and_nothing_for_a_constant() -> None:
    a = np.random.default_rng(0).normal(size=(6, 6, 6)).astype(np.float32)
    where = np.zeros(a.shape, dtype=bool)
    where[:3] = True
    b = np.where(where, -2 * a + 1, a).astype(np.float32)
    assert correlation(a, b, where) == pytest.approx(-1.0)
    assert correlation(a, b, ~where) == pytest.approx(1.0)
    assert correlation(a, np.zeros_like(a), where) == 0.0
    assert correlation(a, a, np.zeros_like(where)) == 0.0


def test_voxels_of_pre_are_read_where_the_map_says() -> None:
    source = lattice(20.0, (2.0, 2.0, 2.0), shift_mm=(0, 0, 0))
    x = source.lps_mm(np.argwhere(np.ones(source.shape_kji))[:, ::-1])[:, 1].reshape(source.shape_kji)
    target = lattice(8.0, (2.0, 2.0, 2.0), shift_mm=(0, 0, 0))
    there = target.lps_mm(np.argwhere(np.ones(target.shape_kji))[:, ::-1])[:, 1].reshape(target.shape_kji)
    assert moved_onto(x, source, target, shifted(3.0), 1) == pytest.approx(there + 3.0, abs=1e-4)


@pytest.mark.parametrize(("shift_mm", "passes"), [(0.0, True), (200.0, False)])
def test_a_zone_whose_surroundings_lie_outside_the_other_scan_fails(shift_mm: float, passes: bool) -> None:
    working = working_scan(post()[0], SETTINGS)
    view = shared_view_check(working.zone, working, post()[0].image.grid, shifted(shift_mm), SETTINGS)
    assert view.passed is passes
    assert view.value == pytest.approx(1.0 if passes else 0.0, abs=0.01)


def test_identical_livers_overlap_wholly_and_what_is_shown_decides_nothing() -> None:
    working = working_scan(post()[0], SETTINGS)
    checks = {
        c.name: c for c in case_checks(working, working.image, working.image, working.liver, working.seen, both_ct=True)
    }
    assert checks["liver_dice"].value == pytest.approx(1.0)
    assert checks["correlation"].value == pytest.approx(1.0)
    assert all(check.passed is not False for check in checks.values())
