"""Which zone treats which tumour: by overlap, shared where it meets two, and as entered where it was."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, lattice, voxelised
from scipy.optimize import brentq

from planner.surface import surface_of
from planner.treated import Treatment, treatments

GRID = lattice((40.0, 24.0, 24.0), (1.0, 1.0, 1.0))


def at(x: float, radius: float):
    return surface_of(voxelised(ball((x, 0.0, 0.0), radius), GRID))


ZONES = {"1": at(-12.0, 9.0), "2": at(14.0, 7.0)}


def paired(entered=None, **tumours: tuple[float, float]) -> dict[str, Treatment]:
    surfaces = {name.removeprefix("t"): at(*place) for name, place in tumours.items()}
    return treatments(surfaces, ZONES, entered or {})


def test_a_zone_that_overlaps_a_tumour_treats_it_and_nothing_needs_saying() -> None:
    found = paired(t1=(-12.0, 5.0))["1"]
    assert (found.zones, found.how, found.sentences()) == (("1",), "overlap", ())


def test_a_zone_in_contact_with_two_tumours_is_shared_by_both() -> None:
    found = paired(t1=(-16.0, 4.0), t2=(-6.0, 4.0))
    assert [found[x].zones for x in "12"] == [("1",), ("1",)]
    assert found["1"].sentences() == ("zone 1 is shared with lesion 2",)
    assert found["2"].shared == {"1": ("1",)}


def test_two_zones_that_meet_a_tumour_both_count_and_are_listed() -> None:
    found = paired(t1=(1.5, 8.0))["1"]
    assert found.zones == ("1", "2")
    assert "zones 1, 2 count together for this tumour" in found.sentences()


def test_a_tumour_that_no_zone_touches_has_none() -> None:
    found = paired(t1=(30.0, 4.0))["1"]
    assert (found.zones, found.how, found.sentences()) == ((), "none", ())


@pytest.mark.parametrize(("gap_mm", "how"), [(-0.3, "overlap"), (0.3, "none")])
def test_contact_ends_where_the_surfaces_part(gap_mm: float, how: str) -> None:
    assert paired(t1=(14.0 + 7.0 + 5.0 + gap_mm, 5.0))["1"].how == how


def test_surfaces_that_only_touch_are_said_to() -> None:
    zone = at(14.0, 7.0)

    def beside(x_mm: float):
        return zone.moved(lambda points: points + np.array([x_mm, 0.0, 0.0]))

    def depth_mm(x_mm: float) -> float:
        other = beside(x_mm)
        return float(
            max(zone.signed_depth_mm(other.vertices_lps_mm).max(), other.signed_depth_mm(zone.vertices_lps_mm).max())
        )

    found = treatments({"1": beside(brentq(depth_mm, 12.0, 16.0))}, {"2": zone}, {})["1"]
    assert (found.zones, found.how) == (("2",), "contact")
    assert found.sentences() == ("zone 2 only touches this tumour",)


def test_what_was_entered_counts_and_differs_aloud() -> None:
    found = paired({"1": ("2",)}, t1=(-12.0, 5.0))["1"]
    assert (found.zones, found.how, found.met) == (("2",), "entered", ("1",))
    assert found.sentences() == ("zone 2 entered for this tumour; on these images it meets zone 1",)


def test_a_tumour_entered_as_treated_by_none_is_so() -> None:
    found = paired({"1": ()}, t1=(-12.0, 5.0))["1"]
    assert (found.zones, found.how) == ((), "entered")
    assert found.sentences() == ("no ablation zone entered for this tumour; on these images it meets zone 1",)
