from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, lattice, on, rigid
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import FrameMismatchError, InputError
from planner.grid import Grid, as_points

SHEARED = np.array([[0.8, 0.1, 0.0, 5.0], [0.0, 0.9, 1.1, -7.0], [0.0, 0.0, 2.9, 11.0], [0, 0, 0, 1]])


def test_the_voxel_whose_index_is_zero_has_its_centre_at_the_origin() -> None:
    grid = Grid.axis_aligned((4, 5, 6), (3.0, 0.7, 0.8), (10.0, -20.0, 30.0))
    assert np.allclose(grid.lps_mm((0, 0, 0)), [[10.0, -20.0, 30.0]])


def test_columns_run_along_left_rows_along_posterior_and_slices_along_superior() -> None:
    grid = Grid.axis_aligned((4, 5, 6), (3.0, 0.7, 0.8))
    assert np.allclose(grid.lps_mm([(1, 0, 0), (0, 1, 0), (0, 0, 1)]), np.diag([0.8, 0.7, 3.0]))


def test_spacing_and_voxel_volume_of_a_sheared_lattice_are_those_of_its_edges() -> None:
    grid = Grid((3, 4, 5), SHEARED)
    assert grid.spacing_kji_mm == pytest.approx((np.hypot(1.1, 2.9), np.hypot(0.1, 0.9), 0.8))
    assert grid.voxel_mm3 == pytest.approx(0.8 * 0.9 * 2.9)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.floats(-300, 300), min_size=3, max_size=3))
def test_indices_and_points_are_each_others_inverse_on_a_sheared_lattice(point: list[float]) -> None:
    grid = Grid((3, 4, 5), SHEARED)
    assert np.allclose(grid.lps_mm(grid.ijk(point)), [point], atol=1e-9)


def test_a_lattice_contains_its_voxels_whole_and_nothing_beyond() -> None:
    grid = Grid.axis_aligned((2, 3, 4), (3.0, 2.0, 1.0))
    inside = [(-0.5, -1.0, -1.5), (3.5, 5.0, 4.5), (1.0, 1.0, 1.0)]
    outside = [(-0.51, 0, 0), (0, -1.01, 0), (0, 0, -1.51), (3.51, 0, 0), (0, 5.01, 0), (0, 0, 4.51)]
    assert grid.contains(inside).all()
    assert not grid.contains(outside).any()


def test_a_cropped_lattice_keeps_its_voxels_in_place() -> None:
    grid = Grid((6, 7, 8), SHEARED, "1.2.3")
    part = grid.cropped((1, -2, 3), (2, 9, 4))
    assert np.allclose(part.lps_mm((0, 0, 0)), grid.lps_mm((3, -2, 1)))
    assert np.allclose(part.lps_mm((2, 5, 1)), grid.lps_mm((5, 3, 2)))
    assert (part.shape_kji, part.frame_uid) == ((2, 9, 4), "1.2.3")


def test_corners_are_the_centres_of_the_eight_corner_voxels() -> None:
    corners = Grid.axis_aligned((2, 3, 4), (3.0, 2.0, 1.0), (1, 1, 1)).corners_lps_mm()
    assert {tuple(c) for c in corners} == {(x, y, z) for x in (1, 4) for y in (1, 5) for z in (1, 4)}


SWAPPED = np.array([[0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (np.eye(4), True),
        (rigid(shift_mm=(0.0005, 0, 0)), True),
        (rigid(shift_mm=(0.002, 0, 0)), False),
        (SWAPPED, False),
        (np.diag([-1.0, 1, 1, 1]), False),
        (rigid((0, 0, 1e-3)), False),
    ],
    ids=["itself", "half a micrometre", "two micrometres", "swapped axes", "mirrored", "turned a little"],
)
def test_lattices_are_the_same_only_if_every_corner_is(change: Points, same: bool) -> None:
    grid = lattice(10.0, (1.0, 1.0, 1.0), shift_mm=(0, 0, 0))
    assert grid.same_lattice(on(grid, change)) is same


def test_equal_corners_with_other_counts_are_not_the_same_lattice() -> None:
    assert not lattice(10.0, (1.0, 1.0, 1.0)).same_lattice(lattice(10.0, (2.0, 1.0, 1.0)))


def test_stated_frames_that_differ_are_refused_by_the_name_of_the_thing() -> None:
    a, b = lattice(5.0, frame_uid="1.2.3"), lattice(5.0, frame_uid="1.2.4")
    with pytest.raises(FrameMismatchError, match="tumour and liver"):
        a.require_same_frame(b, "tumour and liver")
    with pytest.raises(FrameMismatchError):
        a.require_same(b)


def test_an_unstated_frame_fits_any() -> None:
    lattice(5.0, frame_uid="1.2.3").require_same(lattice(5.0))


def test_another_lattice_is_refused_where_the_same_one_is_needed() -> None:
    with pytest.raises(InputError, match="image and mask") as caught:
        lattice(5.0).require_same(lattice(6.0), "image and mask")
    assert caught.value.code == "grid-mismatch"


@pytest.mark.parametrize(
    ("shape", "affine", "code"),
    [
        ((0, 2, 2), np.eye(4), "bad-shape"),
        ((2, 2), np.eye(4), "bad-shape"),
        ((2, 2, 2), np.eye(3), "bad-affine"),
        ((2, 2, 2), np.full((4, 4), np.nan), "bad-affine"),
        ((2, 2, 2), np.diag([1.0, 1, 0, 1]), "bad-affine"),
        ((2, 2, 2), np.diag([1.0, 1, 1, 2]), "bad-affine"),
    ],
)
def test_lattices_that_are_none_are_refused(shape: tuple[int, int, int], affine: Points, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Grid(shape, affine)
    assert caught.value.code == code


def test_a_grid_keeps_its_own_read_only_affine() -> None:
    affine = np.eye(4)
    grid = Grid((2, 2, 2), affine)
    affine[0, 3] = 99.0
    assert grid.lps_mm_from_ijk[0, 3] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        grid.lps_mm_from_ijk[0, 3] = 1.0


def test_points_of_another_shape_are_refused() -> None:
    assert as_points((1, 2, 3)).shape == (1, 3)
    with pytest.raises(InputError) as caught:
        as_points(np.zeros((3, 2)))
    assert caught.value.code == "bad-points"
