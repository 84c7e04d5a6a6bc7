"""The margin of masks as a program calls it: several lattices, several zones, another frame, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import ball, both, box, lattice, on, rigid, union, voxelised

from planner.errors import EmptyMaskError, FrameMismatchError, InputError
from planner.grid import Grid
from planner.measure.margin import measure_margin
from planner.volume import Mask

GRID = lattice(20.0, (2.0, 0.9, 0.9))
TUMOUR = voxelised(ball((2, 0, 0), 5.0), GRID, "tumour")
ZONE = voxelised(ball((0, 0, 0), 12.0), GRID, "ablation")


def framed(mask: Mask, uid: str) -> Mask:
    return Mask(mask.voxels_kji, replace(mask.grid, frame_uid=uid), mask.name)


def test_masks_go_in_and_the_margin_comes_out_with_both_places_in_words() -> None:
    found = measure_margin(TUMOUR, [ZONE])
    assert found.min_mm == pytest.approx(5.0, abs=0.3)
    assert (found.direction, found.foot_direction) == ("left", "left")
    assert set(found.off_side_lps_mm) == {"tumour", "ablation"}
    for points in found.off_side_lps_mm.values():
        assert points.shape[1] == 3
        assert len(points) < 100


def test_two_zones_of_one_lattice_are_one_body_without_a_seam() -> None:
    whole = ball((0, 0, 0), 9.0)
    left, right = (voxelised(both(whole, box((a, -9, -9), (b, 9, 9))), GRID) for a, b in ((-9.0, 0.2), (0.2, 9.0)))
    tumour = voxelised(ball((0, 0, 0), 4.0), GRID)
    apart = measure_margin(tumour, [left, right])
    joined = measure_margin(tumour, [Mask(left.voxels_kji | right.voxels_kji, GRID)])
    assert apart.min_mm == pytest.approx(joined.min_mm)
    assert apart.min_mm == pytest.approx(5.0, abs=0.3)


def test_one_zone_may_cover_several_tumours_each_with_its_own_margin() -> None:
    zone = voxelised(union(ball((-6, 0, 0), 11.0), ball((6, 0, 0), 11.0)), lattice(24.0, (2.0, 0.9, 0.9)))
    margins = [measure_margin(voxelised(ball((x, 0, 0), 4.0), GRID), [zone]).min_mm for x in (-6.0, 6.0)]
    assert margins == pytest.approx([7.0, 7.0], abs=0.4)


def test_a_tumour_of_another_frame_needs_a_map_and_is_moved_by_it() -> None:
    matrix = rigid((0.2, -0.3, 0.1), (30.0, -12.0, 5.0))
    there = Mask(TUMOUR.voxels_kji, on(GRID, matrix), "tumour")
    back = np.linalg.inv(matrix)
    found = measure_margin(
        framed(there, "1.2.3"), [framed(ZONE, "1.2.4")], post_from_pre=lambda p: p @ back[:3, :3].T + back[:3, 3]
    )
    here = measure_margin(TUMOUR, [ZONE])
    assert found.min_mm == pytest.approx(here.min_mm, abs=0.1)
    assert found.at_lps_mm == pytest.approx(here.at_lps_mm, abs=1.0)
    with pytest.raises(FrameMismatchError, match="tumour and ablation"):
        measure_margin(framed(there, "1.2.3"), [framed(ZONE, "1.2.4")])


def test_a_zone_that_does_not_touch_the_tumour_has_the_margin_of_how_far_it_is_outside() -> None:
    far = voxelised(ball((-40, 0, 0), 8.0), lattice(12.0, (2.0, 0.9, 0.9), shift_mm=(-40, 0, 0)))
    found = measure_margin(TUMOUR, [far])
    assert found.min_mm == pytest.approx(-(42.0 + 5.0 - 8.0), abs=0.4)
    assert found.surface_fraction_below[0.0] == 1.0


def test_what_cannot_be_measured_is_one_clear_error() -> None:
    empty = Mask(np.zeros(GRID.shape_kji, dtype=bool), GRID, "tumour")
    with pytest.raises(EmptyMaskError, match="tumour: the mask is empty"):
        measure_margin(empty, [ZONE])
    with pytest.raises(EmptyMaskError, match="ablation: the mask is empty"):
        measure_margin(TUMOUR, [ZONE, Mask(empty.voxels_kji, GRID, "ablation")])
    with pytest.raises(InputError, match="at least one ablation zone"):
        measure_margin(TUMOUR, [])
    grey = np.where(ZONE.voxels_kji, 1.0, 0.0)
    for value, words in ((np.nan, "NaN"), (0.5, "two values")):
        bad = grey.copy()
        bad[0, 0, 0] = value
        with pytest.raises(InputError, match=words):
            Mask(bad, GRID, "ablation")


@pytest.mark.parametrize("thick_mm", [1.0, 3.0, 5.0])
def test_one_voxel_and_one_slice_have_a_defined_margin_and_a_flag(thick_mm: float) -> None:
    grid = lattice(20.0, (thick_mm, 0.8, 0.8), shift_mm=(0, 0, 0))
    zone = voxelised(ball((0, 0, 0), 14.0), grid)
    voxel = voxelised(ball((0, 0, 0), 0.3), grid)
    disc = voxelised(lambda p: (np.hypot(p[:, 0], p[:, 1]) < 5) & (np.abs(p[:, 2]) < 0.1), grid)
    for tumour, truth in ((voxel, 14.0 - 0.5 * thick_mm), (disc, 9.0)):
        found = measure_margin(tumour, [zone])
        assert found.min_mm == pytest.approx(truth, abs=0.3 + 0.3 * thick_mm)
        assert "few_voxels_across" in found.flags


def test_a_margin_is_the_same_to_the_last_bit_when_measured_twice() -> None:
    first, second = (measure_margin(TUMOUR, [ZONE]) for _ in range(2))
    assert first.min_mm == second.min_mm
    assert np.array_equal(first.map.primary_mm, second.map.primary_mm)


def test_a_sheared_and_an_oblique_lattice_read_the_same_bodies_alike() -> None:
    sheared = np.array([[1.0, 0.2, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
    oblique = rigid((0.4, -0.3, 0.6))[:3, :3]
    for turned in (sheared, oblique):
        grid: Grid = lattice(20.0, (2.0, 0.9, 0.9), turned=turned)
        found = measure_margin(voxelised(ball((2, 0, 0), 5.0), grid), [ZONE])
        assert found.min_mm == pytest.approx(5.0, abs=0.3)
