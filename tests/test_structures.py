"""Structures around a lesion against closed formulas: distances, calibre, contact, needles, and walls around it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analytic import ball, below, both, box, centres, lattice, moved, rigid, sphere, voxelised, without
from review_fixture import assessed

from planner.assessment import Distance
from planner.case import Case, Study
from planner.errors import EmptyMaskError, InputError
from planner.findings import VESSEL_CALIBRE_MM, VESSEL_CONTACT_MM, ZONE_TO_VESSEL_MM
from planner.grid import Grid
from planner.inventory import lesion_findings, nearest_duct, nearest_vessel
from planner.measure.calibre import calibre_at
from planner.measure.centreline import centreline_of
from planner.measure.contact import contact_along, touch_mm
from planner.measure.distances import Shaft, gap_between
from planner.measure.enclosing import body_of
from planner.measure.structures import Outline, beyond, nearest_part
from planner.register.alignment import Alignment, SpatialMap
from planner.scene import make_scene, zone_surfaces
from planner.surface import Surface, patch_of, surface_of
from planner.surroundings import CAPSULE, Around, tumour_distances, zone_distances
from planner.volume import Mask, Volume

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import bench_structures as bench

OFFSETS = 10
SEED = 61


def rows(name: str, cases: int = OFFSETS) -> dict[str, dict[str, object]]:
    """The bench's own rows of ours, by grid."""
    (family,) = (f for f in bench.FAMILIES if f.name == name)
    ours = bench.Family(family.name, family.asked, family.make, {bench.OURS: family.methods[bench.OURS]},
                        family.grids, family.half_mm)  # fmt: skip
    return {str(row["grid_mm"]): row for grid in family.grids for row in bench.bench(ours, grid, SEED, cases)}


@pytest.mark.parametrize(
    "cases", [pytest.param(OFFSETS, id="some"), pytest.param(25, id="all", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["ball-ball", "ball-plane", "ball-cylinder"])
def test_distances_are_unbiased_and_never_overstated_by_half_a_slice(name: str, cases: int) -> None:
    """Of ten cases on 5 mm slices, whose errors have an SD of some tenths, a bias cannot be told."""
    for row in rows(name, cases).values():
        assert row["max_over_mm"] <= row["half_slice_mm"]
        if cases > OFFSETS or row["half_slice_mm"] < 2.0:
            assert abs(row["bias_mm"]) <= 0.2


def test_calibres_are_within_half_a_millimetre_on_fine_grids() -> None:
    for row in rows("tube").values():
        assert row["known"] == OFFSETS
        assert row["max_abs_mm"] <= 0.5


def test_lengths_of_contact_are_those_of_the_chord() -> None:
    found = rows("ball on tube", 8)
    assert found["1x1x1"]["max_abs_mm"] <= 0.5
    assert found["0.8x0.8x2.5"]["max_abs_mm"] <= 1.25
    assert found["0.8x0.8x5"]["known"] == 0


GRID = lattice((30.0, 30.0, 30.0), (1.5, 1.2, 1.2))
EVEN = lattice((24.0, 24.0, 24.0), (1.0, 1.0, 1.0))


def tube(direction: tuple[float, float, float], wide_mm: float, centre=(0.0, 0.0, 0.0)):
    along = np.asarray(direction) / np.linalg.norm(direction)

    def inside(points):
        offset = points - np.asarray(centre)
        return np.linalg.norm(offset - np.outer(offset @ along, along), axis=1) <= wide_mm / 2

    return inside


def test_a_calibre_on_a_coarse_grid_is_none_with_the_reason() -> None:
    coarse = lattice((20.0, 20.0, 20.0), (2.0, 0.8, 0.8))
    found = calibre_at(voxelised(tube((1, 0.4, 0.2), 6.0), coarse), np.array([0.0, 0.0, 3.0]))
    assert found.mm is None
    assert found.reason == "the mask's grid is too coarse for a calibre (2.0 mm, at most 1.5 mm)"


def test_a_calibre_beside_a_branch_is_that_of_the_trunk() -> None:
    trunk, branch = tube((1, 0.2, 0.1), 7.0), both(tube((0.1, 1, 0.3), 4.0, (6, 0, 0)), below(1, 0.0))
    mask = voxelised(lambda p: trunk(p) | branch(p), EVEN)
    assert calibre_at(mask, np.array([0.0, 3.5, 0.0])).mm == pytest.approx(7.0, abs=0.5)


def test_a_calibre_is_that_of_the_wide_vein_too() -> None:
    wide = voxelised(tube((0.1, 0.15, 1), 22.0), lattice((34.0, 26.0, 26.0), (1.5, 1.0, 1.0)))
    assert calibre_at(wide, np.array([11.0, 0.0, 0.0])).mm == pytest.approx(22.0, abs=0.5)


@pytest.mark.parametrize("wide_mm", [3.5, 7.0, 10.0])
def test_a_calibre_near_a_vessels_end_is_that_of_its_wall_not_of_its_cap_or_is_not_told(wide_mm: float) -> None:
    turned = rigid((0.0, 0.4, 0.3))
    ended = moved(both(tube((1, 0, 0), wide_mm), below(0, 0.3)), turned)
    mask = voxelised(ended, EVEN)
    told = 0
    for back_mm in (0.0, 1.5, 3.0, 6.0, 9.0):
        at = turned[:3, :3] @ np.array([0.3 - back_mm, 0.5 * wide_mm, 0.0])
        found = calibre_at(mask, at)
        told += found.mm is not None
        assert found.mm == pytest.approx(wide_mm, abs=0.4) if found.mm is not None else found.reason
    assert told >= 2


def test_a_tumour_within_a_vessel_sized_ball_has_no_axis() -> None:
    found = calibre_at(voxelised(both(tube((1, 0, 0), 6.0), below(0, 0.0)), EVEN), np.array([0.0, 0.0, 0.0]))
    assert found.mm is None or found.mm == pytest.approx(6.0, abs=1.0)


def test_the_centreline_of_a_branching_vessel_has_its_ends_and_length() -> None:
    trunk, branch = (
        both(tube((1, 0, 0), 5.0), box((-20, -9, -9), (20, 9, 9))),
        both(tube((0, 1, 0), 4.0), box((-9, 0, -9), (9, 18, 9))),
    )
    line = centreline_of(voxelised(lambda p: trunk(p) | branch(p), EVEN))
    assert line is not None
    assert len(line.ends) == 3
    assert len(np.unique(line.parts)) == 1
    assert line.length_where_mm(np.ones(len(line.points_lps_mm))) == pytest.approx(40 + 18 - 3.0, abs=3.0)
    assert np.median(line.radius_mm[line.points_lps_mm[:, 0] < -6]) == pytest.approx(2.5, abs=0.15)


def test_a_zone_that_holds_a_vessel_is_in_contact_along_its_own_width() -> None:
    line = centreline_of(voxelised(tube((1, 0.3, -0.2), 5.0), EVEN))
    assert line is not None
    zone = sphere((0, 0, 0), 10.0)
    assert contact_along(line, [zone], 0.5, 1.0).mm == pytest.approx(21.0, abs=0.5)
    assert contact_along(line, [sphere((0, 0, 20), 8.0)], 0.5, 1.0).mm == 0.0
    twice = contact_along(line, [zone, sphere((0, 0, 0), 4.0)], 0.5, 1.0).mm
    assert twice == pytest.approx(21.0, abs=0.5)
    assert touch_mm((5.0, 0.8, 0.8), (1.0, 1.0, 1.0)) == 2.5
    assert touch_mm((0.7, 0.7, 0.7)) == 0.5


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.8, 0.8)])
def test_a_needle_is_as_far_from_a_ball_as_its_axis_less_both_radii(spacing: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(8)
    for _ in range(6):
        along, radius, beside = rng.normal(size=3), rng.uniform(6, 9), rng.uniform(12, 18)
        along /= np.linalg.norm(along)
        away = np.cross(along, rng.normal(size=3))
        away *= beside / np.linalg.norm(away)
        shaft = Shaft(np.array([away - 40 * along, away, away + 12 * along]), 0.8)
        organ = voxelised(ball((0, 0, 0), radius), lattice(14.0, spacing, shift_mm=rng.uniform(-0.5, 0.5, 3)))
        part = nearest_part(organ, shaft.vertices_lps_mm, np.asarray, shaft.signed_depth_mm)
        gap = gap_between(shaft, part)
        assert gap.mm == pytest.approx(beside - radius - 0.8, abs=0.35)
        assert np.linalg.norm(gap.at_first_lps_mm - gap.at_second_lps_mm) == pytest.approx(gap.mm, abs=0.1)


def test_a_needle_through_a_vessel_overlaps_it_by_its_own_radius_more_than_its_axis() -> None:
    vessel = voxelised(tube((1, 0, 0.1), 8.0), EVEN)
    shaft = Shaft(np.array([(0, 0, 20.0), (0, 0, -20.0)]), 1.0)
    gap = gap_between(shaft, nearest_part(vessel, shaft.vertices_lps_mm, np.asarray, shaft.signed_depth_mm))
    assert gap.mm == pytest.approx(-5.0, abs=0.3)


def test_a_needle_has_two_ends_at_least() -> None:
    with pytest.raises(InputError, match="two corners"):
        Shaft(np.zeros((1, 3)), 1.0)


def test_of_an_overlap_the_deepest_part_counts() -> None:
    """A long plate enters a tumour: its nearest voxels lie all along the ring where the surfaces cross."""
    tumour = surface_of(voxelised(ball((0, 0, 0), 12.0), GRID))
    plate = voxelised(box((5, -25, -25), (11, 25, 25)), GRID, "colon")
    found = gap_between(tumour, nearest_part(plate, tumour.vertices_lps_mm, np.asarray, tumour.signed_depth_mm))
    assert found.mm == pytest.approx(-7.0, abs=0.6)


def test_the_nearest_part_is_found_however_a_structure_winds() -> None:
    """A slab far and wide, and one small knob that is nearer by a voxel."""
    knob = np.array([20.0, 14.0, -17.0])
    grid = lattice((34.0, 34.0, 34.0), (1.0, 1.0, 1.0))
    organ = voxelised(lambda p: (p[:, 2] > 27.0) | ball(knob, 2.5)(p), grid)
    tumour = surface_of(voxelised(ball((0, 0, 0), 6.0), grid))
    found = gap_between(tumour, nearest_part(organ, tumour.vertices_lps_mm, np.asarray))
    true = min(27.0 - 6.0, float(np.linalg.norm(knob)) - 2.5 - 6.0)
    assert found.mm == pytest.approx(true, abs=0.4)


def test_a_mask_that_fills_its_lattice_has_no_border() -> None:
    grid = lattice(2.0, (1.0, 1.0, 1.0))
    full = Mask(np.ones(grid.shape_kji, dtype=bool), grid)
    assert Outline(full).is_empty
    with pytest.raises(EmptyMaskError):
        nearest_part(full, np.zeros((1, 3)), np.asarray)


BODY = both(ball((0, 0, 0), 27.0), box((-40, -40, -40), (40, 40, 40)))
SKIN_MM = 2.6


def body_case(skin, *, diaphragm=None) -> Case:
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID)
    pre = {"tumour_1": voxelised(ball((10, 0, 0), 5.0), GRID), "skin": voxelised(skin, GRID, "skin")}
    if diaphragm is not None:
        pre["diaphragm"] = voxelised(diaphragm, GRID, "diaphragm")
    post = {"ablation_1": voxelised(ball((10, 0, 0), 8.0), GRID)}
    return Case("a", "a", Study(image, pre), Study(image, post))


CYLINDER_MM = 26.0


def cylinder(points):
    """A body that the scan cuts above and below."""
    return np.hypot(points[:, 0], points[:, 1]) <= CYLINDER_MM


def shell(points):
    radius = np.hypot(points[:, 0], points[:, 1])
    return (radius <= CYLINDER_MM) & (radius >= CYLINDER_MM - SKIN_MM)


def with_gas(points):
    return cylinder(points) & ~ball((-8, -4, 0), 4.0)(points)


@pytest.mark.parametrize("skin", [cylinder, shell, with_gas], ids=["body", "thin skin", "body without bowel gas"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_tumour_in_the_body_is_as_far_from_the_skin_as_from_its_outside(skin, turned: bool) -> None:
    case = body_case(skin)
    how = Alignment.as_given("aligned")
    if turned:
        pre = SpatialMap(np.linalg.inv(rigid((0.1, 0.2, 0.3), (3, 2, -4))))
        how = Alignment("rigid", pre, pre, error_at_zone_mm={"1": 1.0})
    tumour = surface_of(case.pre.tumours["1"]).moved(how.map.post_from_pre)
    (found,) = tumour_distances(tumour, Around.of(case), how, 1.0, 0.5)
    assert (found.structure, found.mm) == ("skin", pytest.approx(CYLINDER_MM - 15.0, abs=0.5))


def test_a_patch_of_skin_that_closes_around_nothing_is_measured_as_drawn() -> None:
    case = body_case(lambda p: shell(p) & (p[:, 0] > 0))
    tumour = surface_of(case.pre.tumours["1"])
    (found,) = tumour_distances(tumour, Around.of(case), Alignment.as_given("aligned"), 0.0, 0.5)
    assert found.mm == pytest.approx(CYLINDER_MM - SKIN_MM - 15.0, abs=0.5)


def test_a_body_that_fills_the_scan_leaves_the_skin_unknown_with_a_reason() -> None:
    case = body_case(lambda p: np.ones(len(p), dtype=bool))
    tumour = surface_of(case.pre.tumours["1"])
    (found,) = tumour_distances(tumour, Around.of(case), Alignment.as_given("aligned"), 0.0, 0.5)
    assert found.mm is None
    assert found.reason == "the mask fills its lattice: where the structure ends is not known"


@pytest.mark.parametrize(
    "diaphragm",
    [lambda p: (p[:, 2] >= 14.0) & (p[:, 2] <= 17.0), lambda p: p[:, 2] >= 14.0, lambda p: p[:, 2] <= 14.0],
    ids=["a sheet", "all above it", "all below it"],
)
def test_a_diaphragm_is_where_it_ends_whatever_it_was_drawn_as(diaphragm) -> None:
    case = body_case(cylinder, diaphragm=diaphragm)
    tumour = surface_of(case.pre.tumours["1"])
    found = {d.structure: d for d in tumour_distances(tumour, Around.of(case), Alignment.as_given("a"), 0.0, 0.5)}
    assert found["diaphragm"].mm == pytest.approx(9.0, abs=0.75)


def test_the_body_is_filled_across_the_patients_long_axis_however_it_is_stored() -> None:
    """Sagittal storage: the first axis runs from right to left, the slices to fill lie across the last but one."""
    affine = np.array([[0, 0, 2.0, -30], [1.0, 0, 0, -30], [0, 1.0, 0, -20], [0, 0, 0, 1.0]])
    grid = Grid((31, 41, 61), affine)
    skin = Mask(shell(centres(grid)).reshape(grid.shape_kji), grid, "skin")
    assert body_of(skin).holds(np.array([(0.0, 0.0, 0.0), (3.0, 2.0, 1.0)]))
    assert not body_of(skin).holds(np.array([(0.0, 29.0, 0.0)]))


def liver_case(*, post_liver: bool) -> Case:
    """A liver of a slab, a tumour that the liver mask leaves out, and the same liver in POST or not."""
    image = Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID)
    slab = box((-40, -40, -40), (20, 40, 40))
    tumour = voxelised(ball((10, 0, 0), 6.0), GRID)
    pre = {"tumour_1": tumour, "liver": voxelised(without(slab, ball((10, 0, 0), 6.0)), GRID, "liver")}
    post = {"ablation_1": voxelised(ball((9, 0, 0), 8.0), GRID)}
    if post_liver:
        post["liver"] = voxelised(slab, GRID, "liver")
    return Case("a", "a", Study(image, pre), Study(image, post))


@pytest.mark.parametrize("post_liver", [True, False])
def test_the_capsule_is_the_end_of_the_closed_liver_and_not_where_the_scan_cuts_it(post_liver: bool) -> None:
    case, how = liver_case(post_liver=post_liver), Alignment.as_given("aligned")
    scene = make_scene(case, how, zone_surfaces(case.post))
    around = Around.of(case, scene)
    tumour, zone = scene.tumours["1"], scene.zones["1"]
    (near,) = tumour_distances(tumour, around, how, 0.0, 0.5)
    (far,) = zone_distances([zone], around, how, 0.0, 0.5)
    assert (near.structure, near.mm) == (CAPSULE, pytest.approx(4.0, abs=0.6))
    assert far.mm == pytest.approx(3.0, abs=0.6)


def test_a_distance_tells_both_parts_of_its_doubt() -> None:
    case = body_case(cylinder)
    pre = SpatialMap.identity()
    how = Alignment("rigid", pre, pre, error_at_zone_mm={"1": 1.6})
    (found,) = zone_distances([surface_of(case.post.ablations["1"])], Around.of(case), how, 1.6, 0.5)
    assert found.voxel_sd_mm == pytest.approx(0.25 * 1.5)
    assert found.registration_sd_mm == pytest.approx(1.0, abs=0.01)
    low, high = found.ci95_mm
    spread = np.sqrt(2 * 0.25 + found.voxel_sd_mm**2 + found.registration_sd_mm**2)
    assert high - low == pytest.approx(2 * 1.959964 * spread)


def vessel_case() -> Case:
    image = Volume(np.zeros(EVEN.shape_kji, dtype=np.float32), EVEN)
    vein = voxelised(tube((1, 0.1, 0.2), 6.0, (0, 12, 0)), EVEN, "portal_vein")
    return Case(
        "a", "a", Study(image, {"tumour_1": voxelised(ball((0, 0, 0), 5.0), EVEN), "portal_vein": vein}),
        Study(image, {"ablation_1": voxelised(ball((0, 0, 0), 10.0), EVEN)}),
    )  # fmt: skip


def test_vessels_carry_their_calibre_and_the_zones_contact() -> None:
    case, same = vessel_case(), SpatialMap.identity()
    how = Alignment("rigid", same, same, error_at_zone_mm={"1": 1.0})
    around = Around.of(case)
    (near,) = tumour_distances(surface_of(case.pre.tumours["1"]), around, how, 1.0, 0.5)
    (held,) = zone_distances([surface_of(case.post.ablations["1"])], around, how, 1.0, 0.5)
    assert (near.calibre_mm, held.calibre_mm) == (pytest.approx(6.0, abs=0.3), pytest.approx(6.0, abs=0.3))
    assert near.contact_mm is None
    assert held.contact_mm == pytest.approx(2 * np.sqrt(10.5**2 - 9.0**2), abs=1.0)


def vessel(role: str, mm: float, start: str = "ablation", **more: object) -> Distance:
    return Distance(role, start, mm, None, (mm - 1, mm + 1), **more)


def test_the_nearest_vessel_is_a_bound_without_portal_vein_cava_or_hepatic_veins() -> None:
    all_veins = [vessel(f"hepatic_vein_{side}", 9.0) for side in ("left", "middle", "right")]
    two = [vessel("portal_vein", 5.0), vessel("ivc", 40.0)]
    assert nearest_vessel([*two, *all_veins], "ablation").bound == "exact"
    assert nearest_vessel([*two, vessel("hepatic_vein", 7.0)], "ablation").bound == "exact"
    assert nearest_vessel([*two, *all_veins, vessel("hepatic_artery", 2.0)], "ablation").value == 2.0
    some = nearest_vessel([*two, *all_veins[:2]], "ablation")
    assert (some.value, some.bound, some.reason) == (5.0, "at_most", "hepatic vein right: no mask")


def test_one_mask_of_all_bile_ducts_says_how_near_a_major_one_can_be_at_most() -> None:
    named = [vessel(role, mm) for role, mm in
             (("common_bile_duct", 20.0), ("left_hepatic_duct", 12.0), ("right_hepatic_duct", 30.0))]  # fmt: skip
    joint = vessel("bile_duct", 8.0)
    alone = nearest_duct([joint], "ablation")
    assert (alone.value, alone.bound) == (8.0, "at_least")
    assert alone.reason == "bile duct: one mask of all bile ducts, a major one may lie farther away"
    assert nearest_duct([*named, joint], "ablation").value == 12.0
    assert nearest_duct([*named, joint], "ablation").bound == "exact"
    nearer = nearest_duct([named[0], joint], "ablation")
    assert (nearer.value, nearer.bound) == (8.0, "at_least")
    farther = nearest_duct([named[1], vessel("bile_duct", 15.0)], "ablation")
    assert (farther.value, farther.bound) == (12.0, "at_most")
    assert nearest_duct([], "ablation").value is None


def lesion_finding(distances: tuple[Distance, ...], name: str):
    found = lesion_findings(replace(assessed("1"), distances=distances))
    return next(f for f in found if f.quantity.name == name)


def test_findings_of_vessels_are_those_of_the_nearest_and_of_the_longest_contact() -> None:
    veins = [vessel(f"hepatic_vein_{side}", 9.0, contact_mm=0.0) for side in ("left", "middle", "right")]
    drawn = (
        vessel("portal_vein", 3.0, "tumour", calibre_mm=7.5), vessel("ivc", 30.0, "tumour", calibre_mm=25.0),
        vessel("portal_vein", -1.0, contact_mm=12.0), vessel("ivc", 20.0, contact_mm=0.0), *veins,
    )  # fmt: skip
    assert lesion_finding(drawn, VESSEL_CALIBRE_MM.name).value == 7.5
    assert lesion_finding(drawn, ZONE_TO_VESSEL_MM.name).value == -1.0
    contact = lesion_finding(drawn, VESSEL_CONTACT_MM.name)
    assert (contact.value, contact.bound) == (12.0, "exact")
    unknown = (vessel("portal_vein", -1.0, contact_reason="too thin"), *drawn[3:])
    none = lesion_finding(unknown, VESSEL_CONTACT_MM.name)
    assert (none.value, none.reason) == (None, "portal vein: too thin")
    longer = lesion_finding((*unknown, vessel("hepatic_artery", -2.0, contact_mm=4.0)), VESSEL_CONTACT_MM.name)
    assert (longer.value, longer.bound) == (4.0, "at_least")
    assert lesion_finding((), VESSEL_CONTACT_MM.name).value is None
    assert "portal vein: no mask" in lesion_finding((), VESSEL_CALIBRE_MM.name).reason


def test_a_calibre_that_is_not_told_has_its_reason_in_the_finding() -> None:
    coarse = (vessel("portal_vein", 3.0, "tumour", calibre_reason="too coarse"),)
    found = lesion_finding(coarse, VESSEL_CALIBRE_MM.name)
    assert (found.value, found.reason) == (None, "too coarse")


def test_an_open_patch_keeps_its_sides_and_is_carried_without_turning_over() -> None:
    """A wall cut out of a half space: no volume tells its inside from its outside."""
    part = voxelised(lambda p: p @ np.array([0.6, 0.0, 0.8]) <= 0.0, lattice(9.0, (1.0, 1.0, 1.0)))
    patch = patch_of(part, Mask(np.zeros(part.grid.shape_kji, dtype=bool), part.grid))
    assert isinstance(patch, Surface)
    assert not patch.is_closed
    assert surface_of(voxelised(ball((0, 0, 0), 6.0), EVEN)).is_closed
    inside, outside = np.array([(-1.8, 0, -2.4)]), np.array([(1.8, 0, 2.4)])
    assert patch.signed_depth_mm(inside)[0] == pytest.approx(3.0, abs=0.1)
    assert patch.signed_depth_mm(outside)[0] == pytest.approx(-3.0, abs=0.1)
    mirror = np.array([-1.0, 1.0, 1.0])
    for move in (lambda p: p + 7.0, lambda p: p * mirror):
        moved = patch.moved(move)
        assert moved.signed_depth_mm(move(inside))[0] == pytest.approx(3.0, abs=0.1)
        assert moved.signed_depth_mm(move(outside))[0] == pytest.approx(-3.0, abs=0.1)


def test_the_outside_of_a_body_is_a_structure_of_its_own() -> None:
    body = voxelised(ball((0, 0, 0), 20.0), EVEN)
    assert beyond(body).mask.voxels_kji.any()
    assert not (beyond(body).mask.voxels_kji & _cropped_like(body, beyond(body).mask)).any()


def _cropped_like(mask: Mask, like: Mask) -> np.ndarray:
    kji = np.rint(mask.grid.ijk(like.grid.lps_mm((0, 0, 0)))[0][::-1]).astype(int)
    return mask.voxels_kji[tuple(slice(a, a + n) for a, n in zip(kji, like.grid.shape_kji, strict=True))]


def test_a_ball_has_no_dent_where_its_nodes_lie_just_off_its_voxels() -> None:
    """This one had: a point 18 mm away counted as 15 mm inside it."""
    grid = Grid.axis_aligned((71, 71, 71), (1.0, 1.0, 1.0), np.array([0.20849361, 0.40902054, 0.48586534]) - 35.0)
    surface = surface_of(voxelised(ball((0, 0, 0), 6.279125228157929), grid))
    outward = np.einsum("ij,ij->i", surface.triangle_normals, surface.triangle_centres_lps_mm)
    assert outward.min() > 0.5 * 6.279
    assert surface.signed_depth_mm([(-12.898, -11.127, -12.328)])[0] < -10.0
