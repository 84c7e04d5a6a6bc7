"""The studies with a known motion that the registration is measured on: they are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic import Points, sphere
from ball_source import LIVER_MM, made, script, source
from scipy import ndimage

from pipelines.sample.phantoms import ball
from planner.surface import Surface, surface_of

SEEDS = (1, 2, 3)
FAR = {"away_mm": 150.0, "turned_deg": 25.0}


@pytest.fixture(scope="module")
def near_cases():
    return [made(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def far_case():
    return made(4, **FAR)


def still(motion):
    """The motion without its waves: rigid, breathing and contraction are left."""
    field = motion.field
    return replace(motion, field=replace(field, amplitudes_mm=np.zeros_like(field.amplitudes_mm)))


def places(case, count: int = 3000) -> Points:
    """Points of POST, in the liver and around it."""
    corners = case.post.image.grid.corners_lps_mm()
    return np.random.default_rng(0).uniform(corners.min(axis=0), corners.max(axis=0), (count, 3))


def test_either_map_is_the_inverse_of_the_other(near_cases, far_case) -> None:
    for case in (*near_cases, far_case):
        post = places(case)
        pre = case.motion.pre_from_post(post)
        assert np.abs(pre - post).max() > 5.0
        assert np.abs(case.motion.post_from_pre(pre) - post).max() < 1e-4
        assert np.abs(case.motion.pre_from_post(case.motion.post_from_pre(pre)) - pre).max() < 1e-4


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(near_cases) -> None:
    first, again = near_cases[0], made(SEEDS[0])
    for one, other in ((first.pre, again.pre), (first.post, again.post)):
        assert one.image.voxels_kji.tobytes() == other.image.voxels_kji.tobytes()
        assert one.image.grid.same_lattice(other.image.grid)
        assert one.liver.voxels_kji.tobytes() == other.liver.voxels_kji.tobytes()
        assert one.lesions["1"].voxels_kji.tobytes() == other.lesions["1"].voxels_kji.tobytes()
    assert first.motion.breath_mm == again.motion.breath_mm
    assert first.contraction == again.contraction
    assert near_cases[1].motion.breath_mm != first.motion.breath_mm
    assert near_cases[1].post.image.voxels_kji.tobytes() != first.post.image.voxels_kji.tobytes()


def volume_share(motion, about: Points) -> float:
    """The volume in POST of a small ball of tissue, over its volume in PRE."""
    small = sphere(about, 2.0, 400)
    return small.moved(motion.post_from_pre).volume_ml / small.volume_ml


def test_tissue_at_the_zone_shrinks_by_the_contraction_that_is_stated(near_cases, far_case) -> None:
    for case in (*near_cases, far_case):
        site = np.asarray(case.tumour.centre_mm)
        assert 0.0 < case.contraction <= 0.14
        assert volume_share(still(case.motion), site) == pytest.approx(1.0 - case.contraction, abs=1e-3)
        loose = replace(case.motion.field, contraction_fractions=np.zeros(1))
        with_waves = volume_share(case.motion, site) / volume_share(replace(case.motion, field=loose), site)
        assert with_waves == pytest.approx(1.0 - case.contraction, abs=0.03)


def test_the_contraction_ends_beyond_the_zone(near_cases, far_case) -> None:
    for case in (*near_cases, far_case):
        motion = still(case.motion)
        loose = replace(motion, field=replace(motion.field, contraction_fractions=np.zeros(1)))
        post = places(case)
        off = np.linalg.norm(motion.pre_from_post(post) - loose.pre_from_post(post), axis=1)
        away = np.linalg.norm(motion.near(post) - case.zone.centre_mm, axis=1)
        assert off[away > 60.0].max() < 0.05
        assert off.max() < 2.0


def slide(case, pre: Points) -> Points:
    """What the breathing does to points of PRE: the motion less its smooth part."""
    motion = case.motion
    near = motion.near(motion.post_from_pre(pre))
    return motion.pre_from_post(motion.post_from_near(near)) - motion.field.pre_from_post(near)


def test_the_breathing_slides_beside_the_livers_outline_and_nowhere_else(near_cases) -> None:
    """The outline is that of the ball seen along the body; half of the slide is left 3 mm beyond it."""
    for case in near_cases:
        breath = case.motion.breath_mm
        assert 4.0 <= abs(breath) <= 12.0
        for angle in np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False):
            beyond = np.array([-LIVER_MM, -30.0, -10.0, -4.0, 3.0, 10.0, 25.0])
            outline_mm = (case.liver_mm @ [np.cos(angle), np.sin(angle), 0.0]).max()
            assert outline_mm == pytest.approx(LIVER_MM, abs=4.0)  # the mask's voxels
            away = (outline_mm + beyond)[:, None]
            pre = np.hstack([away * np.cos(angle), away * np.sin(angle), np.full_like(away, 7.0)])
            moved = slide(case, pre)
            assert np.abs(moved[:, :2]).max() < 1e-6
            share = moved[:, 2] / breath
            assert share[:3] == pytest.approx(1.0, abs=0.01)
            assert share[3] > 0.95
            assert share[4] == pytest.approx(0.5, abs=0.01)
            assert np.abs(share[5:]).max() < 0.05


@pytest.mark.parametrize("missing", [0.3, -0.3])
def test_a_cut_field_of_view_lacks_that_share_of_the_livers_height(missing: float) -> None:
    case = made(5, missing)
    height = case.motion.post_from_pre(case.liver_mm)[:, 2]
    ends = case.post.image.grid.corners_lps_mm()[:, 2]
    lacks = (height.max() - ends.max() if missing > 0 else ends.min() - height.min()) / np.ptp(height)
    assert lacks == pytest.approx(0.3, abs=0.04)
    assert ends.min() < height.min() if missing > 0 else ends.max() > height.max()
    left_ml, whole_ml = (scan.liver.volume_ml for scan in (case.post, case.pre))
    assert left_ml / whole_ml == pytest.approx(1.0 - 0.3**2 * (3.0 - 2.0 * 0.3), abs=0.06)  # a ball without a cap
    zone = case.motion.post_from_near(case.zone.samples(500).points_mm)
    beside_cut = ends.max() - zone[:, 2].max() if missing > 0 else zone[:, 2].min() - ends.min()
    assert beside_cut > 10.0  # 20 mm before the motion
    assert case.post.image.grid.contains(zone).all()


def test_nothing_is_missing_where_nothing_was_to_be(near_cases, far_case) -> None:
    for case in (*near_cases, far_case):
        for scan in (case.pre, case.post):
            assert scan.liver.volume_ml == pytest.approx(4.0 / 3.0 * np.pi * LIVER_MM**3 / 1000.0, rel=0.1)


def test_the_zone_lies_around_the_tumour_where_the_motion_takes_it_and_is_dark(near_cases, far_case) -> None:
    for case in (*near_cases, far_case):
        drawn, zone = case.pre.lesions["1"], case.post.lesions["1"]
        moved = surface_of(drawn).moved(case.motion.post_from_pre)
        off = np.linalg.norm(moved.centroid_lps_mm - surface_of(zone).centroid_lps_mm)
        assert off < 8.0  # aimed with 2 mm along each axis
        assert zone.volume_ml > drawn.volume_ml
        core = ndimage.binary_erosion(zone.voxels_kji)
        rest = ndimage.binary_erosion(
            case.post.liver.voxels_kji & ~ndimage.binary_dilation(zone.voxels_kji, iterations=3)
        )
        hu = case.post.image.voxels_kji
        assert hu[core].mean() < hu[rest].mean() - 20.0
        before = case.pre.image.voxels_kji
        assert before[drawn.voxels_kji].mean() < before[ndimage.binary_erosion(case.pre.liver.voxels_kji)].mean() - 15.0


@pytest.mark.parametrize(("apart_mm", "tumour_mm", "zone_mm"), [(0.0, 8.0, 14.0), (3.0, 9.0, 15.0), (6.0, 10.0, 12.0)])
def test_the_margin_of_balls_is_that_of_the_closed_form(far_case, apart_mm, tumour_mm, zone_mm) -> None:
    """In a frame that lies 150 mm away and is turned: nothing of that is left in a margin."""
    middle = np.asarray(far_case.zone.centre_mm)
    case = replace(far_case, zone=ball(middle, zone_mm))
    points = sphere(middle + np.array([0.0, apart_mm, 0.0]), tumour_mm, 4000).vertices_lps_mm
    margin = case.margin_mm(case.motion.post_from_near(points))
    assert margin == pytest.approx(zone_mm - tumour_mm - apart_mm, abs=0.1)


def mesh(star) -> Surface:
    """A star-shaped body as a triangulated surface."""
    unit = sphere((0, 0, 0), 1.0, 3000)
    radius = star.radius_at(unit.vertices_lps_mm)
    return replace(unit, vertices_lps_mm=star.centre_mm + radius[:, None] * unit.vertices_lps_mm)


def test_the_margin_of_the_true_map_is_that_between_the_two_meshes(near_cases, far_case) -> None:
    """By signed distance to triangles in POST, where `margin_mm` asks points near PRE."""
    for case in (*near_cases, far_case):
        moved = mesh(case.tumour).moved(case.motion.post_from_pre)
        zone = mesh(case.zone).moved(case.motion.post_from_near)
        expected = float(zone.signed_depth_mm(moved.vertices_lps_mm).min())
        assert case.margin_mm(moved.vertices_lps_mm) == pytest.approx(expected, abs=0.25)


def test_a_source_without_room_for_a_lesion_is_refused() -> None:
    module = script("known_motion")
    spacing = (4.0, 4.0, 4.0)
    with pytest.raises(module.NoSiteError, match="no room"):
        module.make_after(source((100.0, 100.0, 20.0)), 1, module.Wanted(spacing, spacing))


def test_a_motion_without_contraction_differs_only_at_the_zone(near_cases) -> None:
    for case in near_cases:
        other, post = case.motion.uncontracted(), places(case)
        apart = np.linalg.norm(other.pre_from_post(post) - case.motion.pre_from_post(post), axis=1)
        beyond = np.linalg.norm(case.motion.near(post) - case.zone.centre_mm, axis=1) > 60.0
        assert apart[beyond].max() < 1e-3
        tumour = case.tumour.samples(300).points_mm
        spread = [float(np.std(motion.post_from_pre(tumour), axis=0).sum()) for motion in (case.motion, other)]
        assert (spread[0] < spread[1]) == (case.contraction > 0.0)
