from __future__ import annotations

import numpy as np
import pytest
from analytic import ball, ball_ml, box, lattice, rigid, voxelised

from planner.errors import EmptyMaskError, InputError
from planner.grid import Grid
from planner.volume import Mask, Volume

GRID = Grid.axis_aligned((6, 7, 8), (3.0, 2.0, 1.0), (10.0, 20.0, 30.0))


def some(*kji: tuple[int, int, int]) -> Mask:
    voxels = np.zeros(GRID.shape_kji, dtype=bool)
    for place in kji:
        voxels[place] = True
    return Mask(voxels, GRID, "tumour")


def test_an_image_is_a_read_only_copy_in_float32() -> None:
    source = np.zeros(GRID.shape_kji)
    image = Volume(source, GRID)
    source[0, 0, 0] = 5.0
    assert image.voxels_kji[0, 0, 0] == 0.0
    assert image.voxels_kji.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        image.voxels_kji[0, 0, 0] = 1.0


def test_a_mask_is_a_read_only_copy() -> None:
    source = np.zeros(GRID.shape_kji, dtype=bool)
    mask = Mask(source, GRID)
    source[0, 0, 0] = True
    assert mask.is_empty
    with pytest.raises(ValueError, match="read-only"):
        mask.voxels_kji[0, 0, 0] = True


@pytest.mark.parametrize("kind", [Volume, Mask])
def test_voxels_in_another_axis_order_are_refused(kind: type[Volume] | type[Mask]) -> None:
    with pytest.raises(InputError) as caught:
        kind(np.zeros((8, 7, 6), dtype=np.float32), GRID)
    assert caught.value.code == "bad-shape"


@pytest.mark.parametrize("value", [1, 255, -1, 0.5])
def test_zero_and_one_other_value_are_a_mask(value: float) -> None:
    voxels = np.zeros(GRID.shape_kji)
    voxels[1, 2, 3] = value
    assert Mask(voxels, GRID).voxels_kji.sum() == 1


@pytest.mark.parametrize(
    ("values", "code"), [((1, 2), "not-binary"), ((1, np.nan), "bad-mask"), ((1, np.inf), "bad-mask")]
)
def test_a_label_map_or_a_map_with_holes_is_no_mask(values: tuple[float, float], code: str) -> None:
    voxels = np.zeros(GRID.shape_kji)
    voxels[0, 0, :2] = values
    with pytest.raises(InputError) as caught:
        Mask(voxels, GRID, "tumour_1")
    assert caught.value.code == code
    assert "tumour_1" in str(caught.value)


def test_volume_counts_whole_voxels() -> None:
    assert some((1, 2, 3), (4, 5, 6)).volume_ml == pytest.approx(2 * 6.0 / 1000)


def test_the_voxel_count_of_a_ball_is_its_volume_to_three_per_cent_on_an_oblique_lattice() -> None:
    grid = lattice(14.0, (2.0, 0.9, 0.9), turned=rigid((0.3, 0.2, -0.4))[:3, :3])
    assert voxelised(ball((1, 0, -1), 10), grid).volume_ml == pytest.approx(ball_ml(10), rel=0.03)


def test_the_box_is_the_first_and_last_set_voxel() -> None:
    assert some((1, 2, 3), (4, 5, 3)).box_kji() == ((1, 2, 3), (4, 5, 3))


def test_an_empty_mask_has_no_box_and_says_its_name() -> None:
    with pytest.raises(EmptyMaskError, match="tumour"):
        some().box_kji()
    with pytest.raises(EmptyMaskError, match="tumour"):
        some().require_some()
    assert some().centres_lps_mm().shape == (0, 3)


@pytest.mark.parametrize("place", [(0, 3, 3), (5, 3, 3), (3, 0, 3), (3, 6, 3), (3, 3, 0), (3, 3, 7)])
def test_a_voxel_on_any_face_touches_the_edge(place: tuple[int, int, int]) -> None:
    assert some(place).touches_edge()


def test_inner_voxels_and_empty_masks_do_not_touch_the_edge() -> None:
    assert not some((1, 1, 1), (4, 5, 6)).touches_edge()
    assert not some().touches_edge()


@pytest.mark.parametrize("pad", [0, 2, 9])
def test_cropping_keeps_every_set_voxel_where_it_was_even_beyond_the_lattice(pad: int) -> None:
    mask = some((0, 2, 3), (4, 5, 7))
    part = mask.cropped(pad)
    assert part.grid.shape_kji == (5 + 2 * pad, 4 + 2 * pad, 5 + 2 * pad)
    assert np.allclose(part.centres_lps_mm(), mask.centres_lps_mm())


def test_centres_of_set_voxels_lie_in_the_body_that_was_painted() -> None:
    grid = lattice(10.0, (1.5, 1.0, 1.0))
    centres = voxelised(box((-4, -3, -2), (5, 6, 7)), grid).centres_lps_mm()
    assert (centres.min(axis=0) >= (-4, -3, -2)).all()
    assert (centres.max(axis=0) <= (5, 6, 7)).all()
