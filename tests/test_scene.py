from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, ball, ball_ml, below, box, lattice, lens_ml, rigid, voxelised

from planner.case import Case, Study
from planner.errors import EmptyMaskError
from planner.measure.margin import measure_margin
from planner.register.alignment import Alignment, SpatialMap
from planner.scene import make_scene, union_of, zone_surfaces
from planner.surface import surface_of
from planner.volume import Mask, Volume

GRID = lattice(22.0, (1.4, 1.25, 1.25))


def study(**masks: Mask) -> Study:
    return Study(Volume(np.zeros(GRID.shape_kji), GRID), masks)


def test_zones_that_only_abut_on_one_lattice_leave_no_seam() -> None:
    """One ball in two halves: the margin is that of the ball, deep inside there is no wall."""
    left = voxelised(lambda p: ball((0, 0, 0), 14)(p) & (p[:, 0] < 1.0), GRID)
    right = voxelised(lambda p: ball((0, 0, 0), 14)(p) & (p[:, 0] >= 1.0), GRID)
    zone, ablation_ml = union_of([surface_of(left), surface_of(right)], [left, right])
    found = measure_margin(surface_of(voxelised(ball((1, 0, 0), 6), GRID)), zone)
    assert found.min_mm == pytest.approx(7.0, abs=0.3)
    assert ablation_ml == pytest.approx(ball_ml(14), rel=0.02)
    assert zone.depths(np.array([(1.0, 0, 0)])).signed_mm[0] == pytest.approx(13.0, abs=0.4)


def test_the_volume_of_overlapping_zones_on_one_lattice_counts_the_overlap_once() -> None:
    a, b = (voxelised(ball((x, 0, 0), 10), GRID) for x in (-5, 6))
    assert union_of([surface_of(a), surface_of(b)], [a, b])[1] == pytest.approx(
        2 * ball_ml(10) - lens_ml(10, 10, 11), rel=0.03
    )


def test_the_volume_of_overlapping_zones_on_different_lattices_counts_the_overlap_once() -> None:
    a = voxelised(ball((-5, 0, 0), 10), GRID)
    b = voxelised(ball((6, 0, 0), 10), lattice(18.0, turned=rigid((0.2, 0.1, 0))[:3, :3]))
    assert union_of([surface_of(a), surface_of(b)], [a, b])[1] == pytest.approx(
        2 * ball_ml(10) - lens_ml(10, 10, 11), rel=0.05
    )


def test_an_empty_zone_has_no_surface() -> None:
    with pytest.raises(EmptyMaskError, match="ablation_1"):
        zone_surfaces(study(ablation_1=Mask(np.zeros(GRID.shape_kji, dtype=bool), GRID, "ablation_1")))


def moved_case(with_liver: str) -> tuple[Case, Alignment, Points]:
    """PRE is POST carried 15 mm to the left: capsule at x = 8 in POST, so at x = 23 in PRE."""
    matrix = rigid((0, 0, 0.2), (15.0, -4.0, 3.0))
    there = lattice(26.0, (1.4, 1.25, 1.25), shift_mm=(15, -4, 3))
    liver, back = below(0, 8.0), np.linalg.inv(matrix)
    pre = {"tumour_1": voxelised(lambda p: ball((2, 0, 0), 5)(p @ back[:3, :3].T + back[:3, 3]), there, "tumour_1")}
    post = {"ablation_1": voxelised(ball((0, 0, 0), 12), GRID, "ablation_1")}
    if with_liver == "post":
        post["liver"] = voxelised(liver, GRID, "liver")
    if with_liver == "pre":
        pre["liver"] = voxelised(lambda p: liver(p @ back[:3, :3].T + back[:3, 3]), there, "liver")
    image = Volume(np.zeros(there.shape_kji), there)
    found = SpatialMap(matrix)
    return Case("c", "p", Study(image, pre), study(**post)), Alignment("rigid", found, found), matrix


def truth_mm() -> float:
    """Tumour sphere about (2, 0, 0), zone sphere of 12 about the origin, liver below x = 8: caps and their rim."""
    from analytic import sphere

    p = sphere((2, 0, 0), 5.0, 20_000).vertices_lps_mm
    length = np.linalg.norm(p, axis=1)
    rim = np.hypot(p[:, 0] - 8.0, np.hypot(p[:, 1], p[:, 2]) - np.sqrt(144.0 - 64.0))
    return float(np.where(12.0 * p[:, 0] / length < 8.0, 12.0 - length, rim).min())


@pytest.mark.parametrize("whose", ["post", "pre"])
def test_the_liver_that_is_known_limits_the_margin_that_of_pre_through_the_map(whose: str) -> None:
    case, alignment, _ = moved_case(whose)
    scene = make_scene(case, alignment, zone_surfaces(case.post))
    assert scene.liver_used == whose
    tumour = scene.tumours["1"].moved(alignment.map.post_from_pre)
    zone = union_of([scene.smooth_zones["1"]], [case.post.ablations["1"]], case.post.liver)[0]
    assert measure_margin(tumour, zone, liver=scene.liver).min_mm == pytest.approx(truth_mm(), abs=0.5)


def test_without_any_liver_none_is_used() -> None:
    case, alignment, _ = moved_case("none")
    scene = make_scene(case, alignment, zone_surfaces(case.post))
    assert (scene.liver, scene.liver_used) == (None, "none")
    assert scene.smooth_zones["1"] is scene.zones["1"]


def test_vessels_of_pre_are_carried_to_post_where_post_has_none() -> None:
    case, alignment, matrix = moved_case("none")
    there = case.pre.image.grid
    at = matrix[:3, :3] @ (0.0, 9.0, 0.0) + matrix[:3, 3]
    vein = voxelised(ball(at, 4.0), there, "portal_vein")
    carried = Case("c", "p", Study(case.pre.image, {**case.pre.masks, "portal_vein": vein}), case.post)
    scene = make_scene(carried, alignment, zone_surfaces(case.post))
    assert len(scene.vessels) == 1
    assert scene.vessels[0].centroid_lps_mm == pytest.approx((0, 9, 0), abs=0.4)


def test_vessels_of_post_win_and_other_structures_are_no_vessels() -> None:
    case, alignment, _ = moved_case("none")
    vein, duct = (voxelised(box((-20, y, -3), (20, y + 5, 3)), GRID) for y in (12, -17))
    post = study(**dict(case.post.masks), hepatic_vein=vein, bile_duct=duct)
    scene = make_scene(Case("c", "p", case.pre, post), alignment, zone_surfaces(post))
    assert len(scene.vessels) == 1
    assert scene.vessels[0].vertices_lps_mm[:, 1].min() > 10.0
