from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, ball, below, ellipsoid, lattice, margin_of, moved, on, rigid, sphere, union, voxelised
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.sample.phantoms import FAMILIES, make_phantom
from pipelines.sample.phantoms import voxelised as phantom_voxels
from planner.grid import Grid
from planner.measure.margin import Margin, direction_words, measure_margin
from planner.measure.zone import Zone
from planner.surface import surface_of
from planner.volume import Mask

TUMOUR_AT, TUMOUR_MM, ZONE_MM = np.array((-2.4, 1.8, 0.0)), 6.0, 13.0
TUMOUR, ZONE = ball(TUMOUR_AT, TUMOUR_MM), ball((0, 0, 0), ZONE_MM)
TRUTH_MM = ZONE_MM - 3.0 - TUMOUR_MM
THIN_AT = TUMOUR_AT * (1 + TUMOUR_MM / 3.0)

LATTICES = {
    "straight": np.eye(3),
    "oblique": rigid((0.4, -0.3, 0.6))[:3, :3],
    "sheared": np.array([[1.0, 0.25, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]]),
    "mirrored": np.diag([1.0, -1.0, -1.0]),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
}


def measured(grid: Grid) -> Margin:
    return margin_of(voxelised(TUMOUR, grid), voxelised(ZONE, grid))


@pytest.mark.parametrize("name", LATTICES)
def test_ball_in_ball_has_its_margin_place_foot_and_direction_on_every_lattice(name: str) -> None:
    found = measured(lattice(16.0, (2.0, 0.9, 0.9), turned=LATTICES[name]))
    assert found.definition == "geometric"
    assert found.min_mm == pytest.approx(TRUTH_MM, abs=0.3)
    assert found.geometric_min_mm == found.min_mm
    assert found.at_lps_mm == pytest.approx(THIN_AT, abs=2.0)
    assert found.foot_lps_mm == pytest.approx(TUMOUR_AT * ZONE_MM / 3.0, abs=2.5)
    assert found.direction == "posterior-right"
    assert found.min_mm == pytest.approx(
        float(np.linalg.norm(np.subtract(found.foot_lps_mm, found.at_lps_mm))), abs=1e-6
    )


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"c_shape"}))
def test_phantoms_are_met_to_a_millimetre(family: str) -> None:
    seed = 7001
    phantom = make_phantom(family, seed)
    shift = np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
    made = [phantom_voxels(b, 30.0, (3.0, 0.8, 0.8), shift) for b in (phantom.tumour.inside, phantom.zone.inside)]
    tumour, zone = (Mask(voxels, Grid(voxels.shape, affine)) for voxels, affine in made)
    assert margin_of(tumour, zone).min_mm == pytest.approx(phantom.min_mm, abs=1.0)


def test_a_tumour_in_a_slab_has_the_distance_to_its_face() -> None:
    grid = lattice((18.0, 18.0, 12.0), (1.25, 1.25, 1.25))
    slab = voxelised(lambda p: below(2, 7.5)(p) & ~below(2, -7.0)(p) & (np.abs(p[:, :2]) < 15).all(axis=1), grid)
    assert margin_of(voxelised(ball((0, 0, 1), 4.0), grid), slab).min_mm == pytest.approx(2.5, abs=0.5)


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.tuples(*[st.floats(-1.5, 1.5)] * 3), st.tuples(*[st.floats(-40, 40)] * 3))
def test_moving_the_lattices_of_both_masks_rigidly_moves_the_answer_with_them(
    rotvec: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    grid, matrix = lattice(15.0, (2.0, 1.25, 1.25)), rigid(rotvec, shift)
    tumour, zone = voxelised(TUMOUR, grid), voxelised(ZONE, grid)
    here = margin_of(tumour, zone)
    there = margin_of(*(Mask(m.voxels_kji, on(grid, matrix)) for m in (tumour, zone)))
    assert there.min_mm == pytest.approx(here.min_mm, abs=0.1)
    carried = matrix[:3, :3] @ np.asarray(here.at_lps_mm) + matrix[:3, 3]
    assert there.at_lps_mm == pytest.approx(carried, abs=2.5)


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.tuples(*[st.floats(-1.5, 1.5)] * 3), st.tuples(*[st.floats(-2, 2)] * 3))
def test_moving_both_bodies_rigidly_and_painting_them_anew_keeps_the_margin(
    rotvec: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    grid, matrix = lattice(19.0, (2.0, 1.0, 1.0)), rigid(rotvec, shift)
    body = ellipsoid((1.0, 0, 0), (8, 6, 5))
    found = margin_of(voxelised(moved(body, matrix), grid), voxelised(moved(ball((0, 0, 0), 13.0), matrix), grid))
    assert found.min_mm == pytest.approx(4.0, abs=0.4)


def mirrored(mask: Mask) -> Mask:
    return Mask(mask.voxels_kji, on(mask.grid, np.diag([-1.0, 1, 1, 1])))


def test_mirroring_left_and_right_mirrors_the_words_and_keeps_the_margin() -> None:
    grid = lattice(15.0, (2.0, 1.0, 1.0))
    tumour, zone = voxelised(TUMOUR, grid), voxelised(ZONE, grid)
    here, there = margin_of(tumour, zone), margin_of(mirrored(tumour), mirrored(zone))
    assert (here.direction, there.direction) == ("posterior-right", "posterior-left")
    assert there.min_mm == pytest.approx(here.min_mm, abs=0.05)


@pytest.mark.parametrize("growth_mm", [0.4, 1.0, 3.0])
def test_growing_the_zone_raises_the_margin_by_as_much(growth_mm: float) -> None:
    grid = lattice(17.0, (2.0, 1.0, 1.0))
    small, large = (
        margin_of(voxelised(TUMOUR, grid), voxelised(ball((0, 0, 0), ZONE_MM + g), grid)) for g in (0, growth_mm)
    )
    assert small.min_mm is not None
    assert large.min_mm == pytest.approx(small.min_mm + growth_mm, abs=0.35)


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.tuples(*[st.floats(-8, 8)] * 3), st.floats(4, 9))
def test_adding_to_the_zone_never_lowers_the_margin_beyond_a_third_of_a_millimetre(
    at: tuple[float, float, float], radius: float
) -> None:
    grid = lattice(18.0, (2.0, 1.0, 1.0))
    tumour = voxelised(TUMOUR, grid)
    before = margin_of(tumour, voxelised(ZONE, grid)).min_mm
    after = margin_of(tumour, voxelised(union(ZONE, ball(at, radius)), grid)).min_mm
    assert before is not None
    assert after is not None
    assert after >= before - 0.33


@pytest.mark.parametrize("spacing", [(1.0, 0.8, 0.8), (3.0, 0.8, 0.8), (5.0, 0.8, 0.8)])
def test_tumour_and_zone_of_one_shape_have_a_margin_of_nothing(spacing: tuple[float, float, float]) -> None:
    mask = voxelised(ball((0.2, 0, 0.1), 10.0), lattice(13.0, spacing))
    assert margin_of(mask, mask).min_mm == pytest.approx(0.0, abs=0.05)


def test_a_tumour_partly_outside_is_negative_by_as_much_as_it_sticks_out() -> None:
    grid = lattice(20.0, (2.0, 0.9, 0.9))
    found = margin_of(voxelised(ball((9, 0, 0), 6.0), grid), voxelised(ball((0, 0, 0), 12.0), grid))
    assert found.min_mm == pytest.approx(-3.0, abs=0.3)
    assert found.direction == "left"
    assert found.without_vessel_facing_mm is None


def test_tumour_and_zone_keep_their_own_lattices() -> None:
    tumour = voxelised(TUMOUR, lattice(12.0, (1.0, 0.7, 0.7), turned=LATTICES["oblique"], shift_mm=TUMOUR_AT))
    zone = voxelised(ZONE, lattice(16.0, (2.5, 1.1, 1.1), turned=LATTICES["mirrored"]))
    assert margin_of(tumour, zone).min_mm == pytest.approx(TRUTH_MM, abs=0.35)


def test_several_parts_of_a_tumour_are_all_measured_and_the_worst_counts() -> None:
    grid = lattice(18.0, (2.0, 1.0, 1.0))
    parts = union(ball((-3, 0, 0), 3.0), ball((8, 0, 0), 3.0))
    found = margin_of(voxelised(parts, grid), voxelised(ball((0, 0, 0), 14.0), grid))
    assert found.min_mm == pytest.approx(3.0, abs=0.4)
    assert found.at_lps_mm == pytest.approx((11, 0, 0), abs=2.0)


def test_a_single_voxel_tumour_has_the_margin_of_its_place() -> None:
    grid = lattice(15.0, (1.0, 0.8, 0.8), shift_mm=(0, 0, 0))
    voxels = np.zeros(grid.shape_kji, dtype=bool)
    place = np.rint(grid.ijk((-4.0, 0, 0))[0]).astype(int)
    voxels[tuple(place[::-1])] = True
    found = margin_of(Mask(voxels, grid), voxelised(ball((0, 0, 0), 12.0), grid))
    assert found.min_mm == pytest.approx(8.0 - 0.4, abs=0.3)
    assert "few_voxels_across" in found.flags


def test_a_c_shaped_zone_leaves_a_tumour_in_its_hole_uncovered() -> None:
    def ring(p: Points) -> np.ndarray:
        inside = np.hypot(np.hypot(p[:, 0], p[:, 1]) - 12, p[:, 2]) < 5
        return np.asarray(inside & (np.abs(np.arctan2(p[:, 1], p[:, 0])) > 0.5))

    grid = lattice((20, 20, 9), (1.0, 1.0, 1.0))
    found = margin_of(voxelised(ball((0, 0, 0), 3.0), grid), voxelised(ring, grid))
    assert found.min_mm == pytest.approx(-np.hypot(12, 3) + 5, abs=0.9)
    assert found.surface_fraction_below[0.0] == 1.0


@pytest.mark.parametrize(
    ("spacing", "thick"), [((3.0, 0.8, 0.8), False), ((3.5, 0.8, 0.8), True), ((5.0, 0.8, 0.8), True)]
)
def test_thick_slices_are_flagged(spacing: tuple[float, float, float], thick: bool) -> None:
    assert ("thick_slices" in measured(lattice(16.0, spacing)).flags) is thick


def test_a_truncated_zone_is_flagged() -> None:
    grid = lattice((10.0, 16.0, 16.0), (2.0, 1.0, 1.0), shift_mm=(0, 0, 0))
    assert "truncated" in measured(grid).flags
    assert "truncated" not in measured(lattice(16.0, (2.0, 1.0, 1.0))).flags


@pytest.mark.parametrize(
    "name",
    [
        "straight",
        "sagittal",
    ],
)
def test_few_voxels_across_are_flagged_whichever_way_the_slices_run(name: str) -> None:
    axes = LATTICES[name]
    grid = lattice(17.0, (3.0, 0.8, 0.8), turned=axes)
    flat = voxelised(ellipsoid((0, 0, 0), (8, 8, 5), axes), grid)
    assert "few_voxels_across" in margin_of(flat, voxelised(ball((0, 0, 0), 13.0), grid)).flags


def test_shares_and_quantiles_are_those_of_the_distribution_over_the_surface() -> None:
    """Ball in ball, centres 3 apart: the surface below a margin is a cap whose area has a closed formula."""
    tumour, zone = sphere((3, 0, 0), 6.0, 6000), Zone.of([sphere((0, 0, 0), 14.0, 6000)])
    found = measure_margin(tumour, zone)

    def below_share(margin_mm: float) -> float:
        cosine = ((14.0 - margin_mm) ** 2 - 9.0 - 36.0) / (2 * 3.0 * 6.0)
        return float(np.clip((1 - cosine) / 2, 0, 1))

    assert found.surface_fraction_below == pytest.approx({t: below_share(t) for t in (0.0, 5.0, 10.0)}, abs=0.01)
    assert found.map.short_of(7.0) == pytest.approx(below_share(7.0), abs=0.01)
    assert below_share(found.q05_mm or 0.0) == pytest.approx(0.05, abs=0.01)
    assert below_share(found.median_mm or 0.0) == pytest.approx(0.5, abs=0.01)
    assert found.capsule_facing_fraction is None


def test_surface_near_a_vessel_is_left_out_of_the_second_minimum() -> None:
    """The thin spot at x = 9 lies 2 mm from a vessel ball; without it the rest begins 5 mm from that ball."""
    tumour, zone = sphere((3, 0, 0), 6.0, 6000), Zone.of([sphere((0, 0, 0), 14.0, 6000)])
    vessel_at, vessel_mm = np.array((14.0, 0, 0)), 3.0
    found = measure_margin(tumour, zone, vessels=[sphere(vessel_at, vessel_mm, 3000)])
    cosine = (11.0**2 + 6.0**2 - (vessel_mm + 5.0) ** 2) / (2 * 11.0 * 6.0)
    edge = np.array((3.0 + 6 * cosine, 6 * np.sqrt(1 - cosine**2), 0))
    assert found.min_mm == pytest.approx(5.0, abs=0.1)
    assert found.without_vessel_facing_mm == pytest.approx(14.0 - np.linalg.norm(edge), abs=0.15)
    assert found.map.vessel_facing is not None
    assert found.map.fraction(found.map.vessel_facing) == pytest.approx((1 - cosine) / 2, abs=0.01)


def test_a_vessel_far_away_faces_nothing_and_one_around_everything_leaves_nothing() -> None:
    tumour, zone = sphere((3, 0, 0), 6.0), Zone.of([sphere((0, 0, 0), 14.0)])
    far = measure_margin(tumour, zone, vessels=[sphere((60, 0, 0), 3.0)])
    assert far.without_vessel_facing_mm == far.min_mm
    around = measure_margin(tumour, zone, vessels=[sphere((3, 0, 0), 9.0)])
    assert around.without_vessel_facing_mm is None


def test_the_points_of_a_margin_start_with_its_minimum_and_are_thinned() -> None:
    found = measure_margin(sphere((3, 0, 0), 6.0, 6000), Zone.of([sphere((0, 0, 0), 14.0)]))
    near = found.points()
    assert near is not None
    assert near.margin_mm[0] == found.min_mm
    assert len(near.margin_mm) <= 450
    assert near.tumour_normal[0] == pytest.approx((1, 0, 0), abs=0.1)
    assert near.zone_normal[0] == pytest.approx((1, 0, 0), abs=0.1)


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ((1, 0, 0), "left"),
        ((-1, 0, 0), "right"),
        ((0, 1, 0), "posterior"),
        ((0, -1, 0), "anterior"),
        ((0, 0, 1), "superior"),
        ((0, 0, -1), "inferior"),
        ((1, -1, 0), "anterior-left"),
        ((-3, 3, 3), "posterior-right-superior"),
        ((10, 1, 1), "left"),
        ((0, 0, 0), "centre"),
    ],
)
def test_directions_are_patient_directions_in_words(vector: tuple[float, float, float], words: str) -> None:
    assert direction_words(vector) == words


def test_overlapping_zones_on_different_lattices_have_the_margin_of_their_union() -> None:
    tumour = voxelised(ball((0, 0, 0), 6.0), lattice(9.0, (1.0, 0.8, 0.8)))
    a = voxelised(ball((-4, 0, 0), 11.0), lattice(14.0, (1.5, 0.9, 0.9), shift_mm=(-4, 0, 0)))
    oblique = lattice(14.0, (1.2, 1.0, 1.0), turned=LATTICES["oblique"], shift_mm=(4, 0.3, 0))
    b = voxelised(ball((4, 0, 0), 11.0), oblique)
    p = sphere((0, 0, 0), 6.0, 20_000).vertices_lps_mm
    side = np.where(p[:, :1] < 0, (-4.0, 0, 0), (4.0, 0, 0))
    cap = 11.0 - np.linalg.norm(p - side, axis=1)
    foot = side + 11.0 * (p - side) / np.linalg.norm(p - side, axis=1, keepdims=True)
    rim = np.hypot(p[:, 0], np.hypot(p[:, 1], p[:, 2]) - np.sqrt(121.0 - 16.0))
    truth = np.where(foot[:, 0] * np.sign(p[:, 0]) >= 0, cap, rim).min()
    assert margin_of(tumour, a, b).min_mm == pytest.approx(truth, abs=0.4)
    assert surface_of(tumour).volume_ml > 0
