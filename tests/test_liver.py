"""Margins to liver that was not ablated, against closed formulas for flat and curved capsules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from analytic import Inside, Points, ball, below, both, lattice, rigid, sphere, voxelised, without

from planner.case import Case, Study
from planner.errors import InputError
from planner.grid import Grid
from planner.measure.liver import close_liver
from planner.measure.margin import Margin, measure_margin
from planner.register.alignment import Alignment
from planner.scene import make_scene, union_of, zone_surfaces
from planner.surface import surface_of
from planner.volume import Mask, Volume

GRID = lattice(25.0, (1.25, 1.1, 1.1))
ZONE_MM = 14.0


@dataclass(frozen=True)
class Capsule:
    """A liver and the circle x = rim_x_mm, of radius sqrt(14^2 - rim_x^2), where its capsule cuts the zone's sphere."""

    liver: Inside
    rim_x_mm: float


FLAT = Capsule(below(0, 9.0), 9.0)
FAR_BALL = -51.0
"""Centre of a liver ball of radius 60 whose capsule passes x = 9."""
CURVED = Capsule(ball((FAR_BALL, 0, 0), 60.0), (ZONE_MM**2 + FAR_BALL**2 - 60.0**2) / (2 * FAR_BALL))


def truth_mm(capsule: Capsule, tumour_at: Points, tumour_mm: float) -> float:
    """Least distance from the tumour's sphere to liver outside a zone ball of 14 mm about the origin."""
    p = np.asarray(tumour_at) + sphere((0, 0, 0), tumour_mm, 40_000).vertices_lps_mm
    length = np.linalg.norm(p, axis=1)
    foot = ZONE_MM * p / length[:, None]
    rim_mm = np.sqrt(ZONE_MM**2 - capsule.rim_x_mm**2)
    to_rim = np.hypot(p[:, 0] - capsule.rim_x_mm, np.hypot(p[:, 1], p[:, 2]) - rim_mm)
    outside = length > ZONE_MM
    return float(np.where(outside | capsule.liver(foot), ZONE_MM - length, to_rim).min())


def margin(tumour: Mask, zone: Mask, liver: Mask, **vessels: Mask) -> Margin:
    """Measure as `assess` does, without coverage and interval."""
    image = Volume(np.zeros(zone.grid.shape_kji), zone.grid)
    post = Study(image, {"ablation_1": zone, "liver": liver, **vessels})
    case = Case("c", "p", Study(Volume(np.zeros(tumour.grid.shape_kji), tumour.grid), {"tumour_1": tumour}), post)
    scene = make_scene(case, Alignment.as_given("aligned"), zone_surfaces(post))
    going_on = union_of([scene.smooth_zones["1"]], [zone], liver)[0]
    as_segmented = union_of([scene.zones["1"]], [zone])[0]
    return measure_margin(scene.tumours["1"], going_on, liver=scene.liver, as_segmented=as_segmented)


def painted(capsule: Capsule, tumour_at: Points, tumour_mm: float, *, clipped: bool) -> tuple[Mask, Mask, Mask]:
    zone = ball((0, 0, 0), ZONE_MM)
    return (
        voxelised(ball(tumour_at, tumour_mm), GRID, "tumour_1"),
        voxelised(both(zone, capsule.liver) if clipped else zone, GRID, "ablation_1"),
        voxelised(capsule.liver, GRID, "liver"),
    )


AT = {"beside the capsule": (2.5, 0.0, 0.0), "oblique": (1.5, 2.0, -1.0), "away from it": (-4.0, 1.0, 0.0)}


@pytest.mark.parametrize(
    ("place", "capsule", "clipped"),
    [
        ("beside the capsule", FLAT, False),
        ("beside the capsule", FLAT, True),
        ("beside the capsule", CURVED, True),
        ("oblique", CURVED, False),
        ("oblique", CURVED, True),
        ("away from it", FLAT, True),
    ],
    ids=lambda value: {True: "clipped", False: "beyond"}.get(value) if isinstance(value, bool) else None,
)
def test_the_margin_is_to_liver_that_was_not_ablated(capsule: Capsule, place: str, clipped: bool) -> None:
    found = margin(*painted(capsule, np.array(AT[place]), 5.5, clipped=clipped))
    assert found.definition == "parenchymal"
    assert found.min_mm == pytest.approx(truth_mm(capsule, np.array(AT[place]), 5.5), abs=0.4)


def test_a_clipped_zone_has_a_small_geometric_but_the_true_parenchymal_margin() -> None:
    at = np.array((2.5, 0.0, 0.0))
    found = margin(*painted(FLAT, at, 5.5, clipped=True))
    assert found.geometric_min_mm == pytest.approx(9.0 - 8.0, abs=0.35)
    assert found.min_mm is not None
    assert found.min_mm > 5.0


def test_the_share_of_surface_that_faces_the_capsule_is_the_cap_whose_feet_lie_beyond() -> None:
    found = margin(*painted(FLAT, np.zeros(3), 6.0, clipped=False))
    assert found.capsule_facing_fraction == pytest.approx((1 - 9.0 / ZONE_MM) / 2, abs=0.03)


def test_a_tumour_that_the_liver_mask_leaves_out_is_measured_all_the_same() -> None:
    at = np.array((2.5, 0.0, 0.0))
    tumour, zone, _ = painted(FLAT, at, 5.5, clipped=True)
    hollow = voxelised(without(FLAT.liver, ball(at, 5.5)), GRID, "liver")
    assert margin(tumour, zone, hollow).min_mm == pytest.approx(truth_mm(FLAT, at, 5.5), abs=0.4)


def test_a_zone_that_the_liver_mask_leaves_out_is_measured_all_the_same() -> None:
    at = np.array((-4.0, 1.0, 0.0))
    tumour, zone, _ = painted(FLAT, at, 5.5, clipped=False)
    hollow = voxelised(without(FLAT.liver, ball((0, 0, 0), ZONE_MM)), GRID, "liver")
    assert margin(tumour, zone, hollow).min_mm == pytest.approx(truth_mm(FLAT, at, 5.5), abs=0.4)


def test_tumour_left_over_beyond_the_zone_is_negative_though_the_liver_mask_leaves_it_out() -> None:
    at = np.array((-10.0, 0.0, 0.0))
    tumour, zone, _ = painted(FLAT, at, 6.0, clipped=False)
    hollow = voxelised(without(FLAT.liver, ball(at, 6.0)), GRID, "liver")
    assert margin(tumour, zone, hollow).min_mm == pytest.approx(-2.0, abs=0.4)


def test_a_vessel_hole_in_the_liver_mask_beside_left_over_tumour_hides_nothing() -> None:
    at = np.array((-10.0, 0.0, 0.0))
    tumour, zone, _ = painted(FLAT, at, 6.0, clipped=False)
    holed = voxelised(without(FLAT.liver, ball((-16.5, 0, 0), 4.0)), GRID, "liver")
    assert margin(tumour, zone, holed).min_mm == pytest.approx(-2.0, abs=0.4)


def test_a_vessel_hole_beside_the_thin_spot_is_liver_not_capsule() -> None:
    at = np.array((-5.0, 0.0, 0.0))
    tumour, zone, _ = painted(FLAT, at, 6.0, clipped=False)
    holed = voxelised(without(FLAT.liver, ball((-17.0, 0, 0), 4.0)), GRID, "liver")
    assert margin(tumour, zone, holed).min_mm == pytest.approx(3.0, abs=0.35)


def test_where_the_whole_zone_reaches_beyond_the_liver_there_is_no_margin_but_a_reason() -> None:
    small = ball((0, 0, 0), 10.0)
    tumour, zone = (voxelised(ball((1, 0, 0), r), GRID) for r in (5.0, ZONE_MM))
    found = margin(tumour, zone, voxelised(small, GRID, "liver"))
    assert found.min_mm is None
    assert found.reason
    assert found.at_lps_mm is None
    assert found.points() is None
    assert found.capsule_facing_fraction == pytest.approx(1.0)
    assert all(v is None or np.isfinite(v) for v in (found.q05_mm, found.median_mm, found.geometric_min_mm))


def test_the_closed_liver_contains_what_lies_in_it_and_ends_at_its_capsule() -> None:
    _, zone, liver = painted(FLAT, np.zeros(3), 5.0, clipped=True)
    surfaces = [surface_of(zone)]
    closed = close_liver(liver, surfaces, surfaces)
    assert closed.contains(np.array([(0.0, 0, 0), (-22, 5, 5), (7.5, 12, 0), (10.6, 0, 0)])).tolist() == [
        True,
        True,
        True,
        False,
    ]
    feet = np.array([(-14.0, 0, 0), (9.0, 0, 0), (0, 14, 0)])
    assert closed.goes_on_beyond(feet, np.array([(-1.0, 0, 0), (1, 0, 0), (0, 1, 0)])).tolist() == [True, False, True]


def test_the_cut_of_the_liver_around_the_zone_is_no_capsule() -> None:
    """A zone at the border of the scan: liver is taken to go on there, not to end."""
    grid = lattice((25.0, 25.0, 10.0), (1.25, 1.1, 1.1), shift_mm=(0, 0, 0))
    zone = voxelised(ball((0, 0, 0), ZONE_MM), grid, "ablation_1")
    tumour = voxelised(ball((0, 0, 2), 5.0), grid, "tumour_1")
    liver = voxelised(below(0, 99.0), grid, "liver")
    found = margin(tumour, zone, liver)
    assert "truncated" in found.flags
    assert found.min_mm == pytest.approx(found.geometric_min_mm, abs=0.3)


def test_a_liver_on_another_oblique_lattice_limits_the_margin_just_as_well() -> None:
    at = np.array((2.5, 0.0, 0.0))
    tumour, zone, _ = painted(FLAT, at, 5.5, clipped=False)
    liver = voxelised(FLAT.liver, lattice(32.0, (2.0, 1.3, 1.3), turned=rigid((0.3, -0.2, 0.4))[:3, :3]), "liver")
    assert margin(tumour, zone, liver).min_mm == pytest.approx(truth_mm(FLAT, at, 5.5), abs=0.5)


def test_a_liver_that_lies_elsewhere_is_refused() -> None:
    zone = surface_of(voxelised(ball((0, 0, 0), 8), GRID))
    affine = np.array(GRID.lps_mm_from_ijk)
    affine[0, 3] += 500.0
    away = Mask(np.ones(GRID.shape_kji, dtype=bool), Grid(GRID.shape_kji, affine), "liver")
    with pytest.raises(InputError) as caught:
        close_liver(away, [zone], [zone])
    assert caught.value.code == "no-shared-space"


def test_a_liver_mask_that_shows_only_another_place_on_the_same_lattice_is_refused() -> None:
    grid = lattice(60.0, (2.0, 2.0, 2.0))
    zone = surface_of(voxelised(ball((-30, 0, 0), 8), grid))
    with pytest.raises(InputError, match="does not come near"):
        close_liver(voxelised(ball((45, 0, 0), 5), grid, "liver"), [zone], [zone])


@pytest.mark.parametrize(("beyond_mm", "flagged"), [(0.0, False), (1.4, True), (2.0, True), (5.0, False)])
def test_a_margin_that_hinges_on_a_sliver_of_liver_is_flagged(beyond_mm: float, flagged: bool) -> None:
    """The zone ends at x = 9 along its own reader's capsule; the liver mask's capsule lies a little farther out."""
    zone = voxelised(both(ball((0, 0, 0), ZONE_MM), below(0, 9.0)), GRID)
    found = margin(voxelised(ball((3.0, 0, 0), 5.5), GRID), zone, voxelised(below(0, 9.0 + beyond_mm), GRID, "liver"))
    assert ("liver_sliver" in found.flags) == flagged


@pytest.mark.parametrize("reach_mm", [10.0, 14.0])
def test_a_liver_mask_whose_volume_ends_in_the_zone_is_taken_to_go_on(reach_mm: float) -> None:
    """The end of a cropped liver file is no capsule: the margin stays what it is, and is flagged."""
    tumour, zone = (voxelised(ball(at, r), GRID) for at, r in (((-6.5, 0, 0), 5.5), ((0, 0, 0), ZONE_MM)))
    cropped = voxelised(below(0, 99.0), lattice((25.0, 25.0, reach_mm), (1.25, 1.1, 1.1)), "liver")
    narrow = Mask(cropped.voxels_kji.transpose(2, 1, 0), _turned(cropped.grid), "liver")
    found = margin(tumour, zone, narrow)
    assert found.min_mm == pytest.approx(ZONE_MM - 12.0, abs=0.3)
    assert ("liver_truncated" in found.flags) == (reach_mm < ZONE_MM - 1.0)


def _turned(grid: Grid) -> Grid:
    """The lattice with its slices along x."""
    affine = np.array(grid.lps_mm_from_ijk)[:, [2, 1, 0, 3]][[2, 1, 0, 3]]
    return Grid((grid.shape_kji[2], grid.shape_kji[1], grid.shape_kji[0]), affine)


def vein(p: Points) -> np.ndarray:
    """A vein that runs through the liver beside the zone and leaves it: a hole that is open at both ends."""
    return np.asarray(np.hypot(p[:, 0] + 13.0, p[:, 1]) < 5.0)


@pytest.mark.parametrize(
    "mask",
    [
        "liver with its veins",
        "liver without its veins",
    ],
)
def test_a_zone_that_stops_at_a_vein_has_its_margin_there_whether_or_not_the_liver_mask_has_veins(mask: str) -> None:
    """Automatic liver masks leave out the portal vein and the vena cava: they are no capsule."""
    liver = FLAT.liver if mask == "liver with its veins" else without(FLAT.liver, vein)
    tumour = voxelised(ball((-2, 0, 0), 4.0), GRID, "tumour_1")
    zone = voxelised(without(ball((0, 0, 0), ZONE_MM), vein), GRID, "ablation_1")
    found = margin(tumour, zone, voxelised(liver, GRID, "liver"), portal_vein=voxelised(vein, GRID, "portal_vein"))
    assert found.min_mm == pytest.approx(2.0, abs=0.4)


def test_a_liver_mask_that_leaves_out_the_zone_with_a_rim_does_not_make_the_zone_larger() -> None:
    deep = Capsule(below(0, 22.0), 22.0)
    tumour, zone, _ = painted(deep, np.array((-4.0, 1.0, 0.0)), 5.5, clipped=False)
    hollow = voxelised(without(deep.liver, ball((0, 0, 0), ZONE_MM + 3.0)), GRID, "liver")
    assert margin(tumour, zone, hollow).min_mm == pytest.approx(ZONE_MM - np.hypot(4, 1) - 5.5, abs=0.4)
