"""In which lobes of the liver the tumours lie."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import Inside, ball, below, both, lattice, voxelised, without

from pipelines.formats.names import role_of_name
from pipelines.roles import role_of_segment
from pipelines.segments import Segment
from planner.case import LOBES, SEGMENTS, Case, Study, is_role
from planner.lobes import bilobar, tumours_in_lobes
from planner.surroundings import structures_of
from planner.volume import Mask, Volume

GRID = lattice((62.0, 50.0, 50.0), (2.5, 1.5, 1.5))
LIVER = ball((0, 0, 0), 48.0)


PLANE_MM = 0.88
"""Between two voxel columns: where masks say that the lobes part."""


def right() -> Inside:
    """Where x is below the plane: LPS x grows to the patient's left."""
    return below(0, PLANE_MM)


def study(*tumours: Inside, **parts: Inside) -> Study:
    masks = {f"tumour_{n}": voxelised(body, GRID, f"tumour_{n}") for n, body in enumerate(tumours, start=1)}
    masks |= {role: voxelised(body, GRID, role) for role, body in parts.items()}
    return Study(Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID), masks)


def with_lobes(*tumours: Inside) -> Study:
    """Lobes as an automatic mask has them, which leaves the tumours out."""
    liver = without(LIVER, *tumours)
    return study(*tumours, liver_right=both(liver, right()), liver_left=without(liver, right()))


@pytest.mark.parametrize(
    ("places", "expected"),
    [(((-20, 0, 0), (-10, 20, 10)), 0.0), (((20, 0, 0),), 0.0), (((-20, 0, 0), (18, 5, 0)), 1.0), ((), 0.0)],
    ids=["right", "left", "both", "none"],
)
def test_tumours_in_both_lobes_are_bilobar(places, expected) -> None:
    assert bilobar(with_lobes(*(ball(place, 7.0) for place in places))).value == expected


@pytest.mark.parametrize(("x", "expected"), [(-6.0, 0.0), (-3.0, 0.0), (-1.5, 1.0), (0.0, 1.0), (1.5, 1.0), (4.0, 0.0)])
def test_a_tumour_that_crosses_counts_for_both_lobes_from_a_quarter_of_it_on(x: float, expected: float) -> None:
    """Of a ball of 8 mm h2 (24 - h) / 2048 lie beyond a plane that is h from its far side: a quarter at 5.2 mm."""
    found = bilobar(with_lobes(ball((PLANE_MM + x, 0, 0), 8.0)))
    height = 8.0 - abs(x)
    assert (height**2 * (24.0 - height) / 2048.0 >= 0.25) == bool(expected)
    assert found.value == expected
    assert ("left and right" in str(found.reason)) is bool(expected)


def test_the_shares_are_those_of_the_ball_on_either_side_of_the_plane() -> None:
    (place,) = tumours_in_lobes(with_lobes(ball((PLANE_MM - 3.0, 0, 0), 8.0))).values()
    assert place.left_share == pytest.approx(25.0 * 19.0 / 2048.0, abs=0.02)
    assert place.right_share == pytest.approx(1.0 - 25.0 * 19.0 / 2048.0, abs=0.02)


def test_segments_make_up_the_lobes_and_the_caudate_lobe_belongs_to_neither() -> None:
    caudate = both(LIVER, below(0, 12.0), lambda p: p[:, 0] >= -12.0, lambda p: p[:, 1] >= 20.0)
    parts = {
        "liver_segment_1": caudate,
        "liver_segment_4": both(without(LIVER, right(), caudate), below(0, 15.0)),
        "liver_segment_2": both(LIVER, lambda p: p[:, 0] > 15.0),
        "liver_segment_8": without(both(LIVER, right()), caudate),
    }
    middle, outer = ball((8, -20, 0), 5.0), ball((0, 32, 0), 6.0)
    found = study(middle, outer, ball((-25, 0, 0), 6.0), **parts)
    assert [place.lobes for place in tumours_in_lobes(found).values()] == [("left",), (), ("right",)]
    assert "tumour 2: caudate lobe" in str(bilobar(found).reason)
    assert bilobar(study(outer, ball((-25, 0, 0), 6.0), **parts)).value == 0.0


def test_without_the_masks_of_both_lobes_nothing_is_known() -> None:
    only = study(ball((-20, 0, 0), 7.0), liver_right=both(LIVER, right()))
    found = bilobar(only)
    assert found.value is None
    assert found.reason == "PRE has no mask of the left lobe, nor of its segments"
    assert bilobar(study(ball((-20, 0, 0), 7.0), liver=LIVER)).value is None


def test_a_tumour_far_from_the_masks_makes_it_unknown_unless_others_decide() -> None:
    small = ball((0, 0, 0), 20.0)
    lobes = {"liver_right": both(small, right()), "liver_left": without(small, right())}
    far = ball((-42, 0, 0), 5.0)
    assert bilobar(study(far, ball((-8, 0, 0), 4.0), **lobes)).value is None
    assert bilobar(study(far, ball((-10, 0, 0), 4.0), ball((10, 0, 0), 4.0), **lobes)).value == 1.0


@pytest.mark.parametrize(
    ("name", "role"),
    [("liver_segment_4", "liver_segment_4"), ("Left lobe of liver", "liver_left"), ("liver_right", "liver_right"),
     ("Right hemiliver", "liver_right"), ("Caudate lobe", "liver_segment_1"), ("Liver", "liver")],
)  # fmt: skip
def test_lobes_and_segments_are_known_by_their_names(name: str, role: str) -> None:
    assert role_of_name(name).role == role
    assert is_role(role)


def test_a_segment_coded_as_liver_is_the_part_that_its_label_says() -> None:
    assert role_of_segment("s", Segment(1, "Left lobe of liver", "liver")).role == "liver_left"
    assert role_of_segment("s", Segment(1, "liver_segment_7", "liver")).role == "liver_segment_7"
    assert role_of_segment("s", Segment(1, "whole", "liver")).role == "liver"
    assert role_of_segment("s", Segment(1, "liver segment 9", "liver")).role == "liver"


def test_parts_of_the_liver_are_nothing_to_keep_a_distance_from() -> None:
    mask = {role: Mask(np.ones(GRID.shape_kji, dtype=bool), GRID, role) for role in (*LOBES, *SEGMENTS, "colon")}
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID)
    assert structures_of(Case("a", "a", Study(image, mask), Study(image, {}))) == ("colon",)


def test_masks_of_the_lobes_that_hold_the_same_voxels_tell_nothing() -> None:
    whole = ball((0, 0, 0), 30.0)
    found = bilobar(study(ball((-10, 0, 0), 4.0), liver_left=whole, liver_right=whole))
    assert found.value is None
    assert "overlap" in str(found.reason)
