"""The truth of the phantoms against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.sample.phantoms import (
    FAMILIES,
    GRIDS,
    Arc,
    Cut,
    Union,
    ball,
    ellipsoid,
    make_phantom,
    pair_of_masks,
    truth_of,
    voxelised,
)

ORIGIN = np.zeros(3)
SKEW = np.array([2.0, -1.0, 2.0]) / 3.0
TURNED = np.linalg.qr(np.array([[2.0, 1, 0], [-1, 2, 1], [0, 1, 3]]))[0]


@pytest.mark.parametrize("offset_mm", [0.0, 2.0, 6.0, 10.0])
def test_two_balls_are_apart_by_radii_and_offset(offset_mm):
    truth = truth_of(ball(ORIGIN, 8.0), ball(offset_mm * SKEW, 13.0))
    assert truth.min_mm == pytest.approx(13.0 - 8.0 - offset_mm, abs=0.02)
    if offset_mm:
        assert truth.at_mm == pytest.approx(-8.0 * SKEW, abs=0.7)


def test_the_share_below_a_margin_is_that_of_the_cap():
    # Ball of 6 in a ball of 14, centres 3 apart: |p| = 14 - m where the margin is m.
    truth = truth_of(ball(3.0 * SKEW, 6.0), ball(ORIGIN, 14.0))
    for margin_mm in (6.0, 8.0, 10.0):
        cosine = ((14.0 - margin_mm) ** 2 - 9.0 - 36.0) / 36.0
        assert truth.fraction_below(margin_mm) == pytest.approx(0.5 * (1.0 - cosine), abs=0.005)


@pytest.mark.parametrize(("radius_mm", "half_mm"), [(12.0, 4.0), (11.0, 6.0), (9.0, 5.0)])
def test_two_equal_zones_are_thinnest_at_their_crease(radius_mm, half_mm):
    zones = Union((ball(half_mm * SKEW, radius_mm), ball(-half_mm * SKEW, radius_mm)))
    to_crease_mm = np.sqrt(radius_mm**2 - half_mm**2) - 8.0
    # Seen from outside the crease is a valley: its flanks are nearer than its bottom.
    to_flanks_mm = radius_mm - np.hypot(half_mm, 8.0)
    true = to_crease_mm if to_crease_mm > 0 else to_flanks_mm
    assert truth_of(ball(ORIGIN, 8.0), zones).min_mm == pytest.approx(true, abs=0.05)


def test_a_zone_inside_another_changes_nothing():
    zones = Union((ball(SKEW, 13.0), ball(SKEW, 6.0)))
    assert truth_of(ball(ORIGIN, 8.0), zones).min_mm == pytest.approx(4.0, abs=0.02)


def test_a_ball_in_an_ellipsoid_is_nearest_at_its_short_axis():
    truth = truth_of(ball(ORIGIN, 6.0), ellipsoid(ORIGIN, (10.0, 13.0, 17.0), TURNED))
    assert truth.min_mm == pytest.approx(4.0, abs=0.02)
    assert abs(truth.at_mm @ TURNED[:, 0]) == pytest.approx(6.0, abs=0.05)


ARC = Arc(np.array([1.0, 2, 3]), np.linalg.qr(TURNED + np.eye(3))[0].T, 15.0, 5.0, 1.2)


def test_a_thinner_arc_inside_an_arc_is_covered_by_the_difference():
    inner = Arc(ARC.centre_mm, ARC.frame, 15.0, 2.5, 0.9)
    assert truth_of(inner, ARC).min_mm == pytest.approx(2.5, abs=0.02)


def test_an_arc_has_the_area_of_its_tube_and_its_two_half_balls():
    area = ARC.samples(20_000).area_mm2.sum()
    assert area == pytest.approx(2 * np.pi * 5.0 * 2 * 1.2 * 15.0 + 4 * np.pi * 25.0, rel=0.01)


def test_a_groove_is_as_near_as_its_bottom():
    tool = Arc(np.array([75.0, 0, 0]), np.array([[-1.0, 0, 0], [0, 1, 0], [0, 0, -1]]), 63.0, 2.0, 0.6)
    truth = truth_of(ball(ORIGIN, 8.0), Cut(ball(ORIGIN, 13.0), tool))
    assert truth.min_mm == pytest.approx(2.0, abs=0.02)
    assert truth.at_mm == pytest.approx((8.0, 0.0, 0.0), abs=0.4)


@pytest.mark.parametrize("seed", range(4))
def test_the_two_zones_family_states_the_distance_to_the_crease(seed):
    phantom = make_phantom("two_zones", seed)
    a, b = phantom.zone.bodies
    radius_a, radius_b, radius = (float(body.shape_per_mm2[0, 0] ** -0.5) for body in (a, b, phantom.tumour))
    apart = np.linalg.norm(b.centre_mm - a.centre_mm)
    along = (apart**2 + radius_a**2 - radius_b**2) / (2 * apart)
    to_crease_mm = np.hypot(along - apart / 2, np.sqrt(radius_a**2 - along**2))
    assert phantom.min_mm == pytest.approx(to_crease_mm - radius, abs=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_the_partly_uncovered_family_is_not_covered(seed):
    assert make_phantom("partly_uncovered", seed).min_mm < -0.5


@pytest.mark.parametrize("seed", range(4))
def test_the_groove_family_leaves_half_to_four_millimetres(seed):
    assert 0.45 < make_phantom("groove", seed).min_mm < 4.05


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_seed_gives_one_phantom_and_another_seed_another(family):
    first, again, other = make_phantom(family, 3), make_phantom(family, 3), make_phantom(family, 4)
    assert first.min_mm == again.min_mm != other.min_mm


@pytest.mark.parametrize("family", ["lobulated", "irregular", "groove", "c_shape", "two_zones"])
def test_samples_lie_on_their_body_with_normals_outwards(family):
    zone = make_phantom(family, 2).zone
    found = zone.samples(4000)
    assert np.linalg.norm(found.normals, axis=1) == pytest.approx(np.ones(len(found.normals)))
    inner = zone.inside(found.points_mm - 1e-3 * found.normals)
    outer = zone.inside(found.points_mm + 1e-3 * found.normals)
    # At the very edge of a crease or groove a step along one wall's normal may cross the other.
    assert inner.mean() > 0.998
    assert outer.mean() < 0.002


def test_voxels_lie_where_the_lattice_says():
    body = ball((1.3, -0.7, 2.1), 9.0)
    voxels, lps_from_ijk = voxelised(body.inside, 14.0, (1.0, 0.7, 0.8), np.array([0.3, -0.2, 0.45]))
    kji = np.argwhere(voxels)
    points = kji[:, ::-1] @ lps_from_ijk[:3, :3].T + lps_from_ijk[:3, 3]
    np.testing.assert_allclose(points.mean(axis=0), [1.3, -0.7, 2.1], atol=0.05)
    assert len(kji) * 1.0 * 0.7 * 0.8 == pytest.approx(4 / 3 * np.pi * 9.0**3, rel=0.01)
    assert np.linalg.norm(points - body.centre_mm, axis=1).max() <= 9.0


@pytest.mark.parametrize("grid", sorted(GRIDS))
def test_masks_hold_the_whole_body_on_every_lattice(grid):
    tumour, zone = ball((1.3, -0.7, 2.1), 14.0), ball(ORIGIN, 21.0)
    masks = pair_of_masks(tumour, zone, GRIDS[grid], np.array([0.3, -0.2, 0.45]))
    affine = masks[2]
    for voxels, radius, centre in zip(masks[:2], (14.0, 21.0), ((1.3, -0.7, 2.1), (0, 0, 0)), strict=True):
        kji = np.argwhere(voxels)
        points = kji[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
        assert points.mean(axis=0) == pytest.approx(centre, abs=0.2)
        assert len(kji) * abs(np.linalg.det(affine[:3, :3])) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.03)
        assert kji.min() >= 2
        assert (np.asarray(voxels.shape) - 1 - kji.max(axis=0)).min() >= 2
