"""The truth of the phantoms against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.sample.phantoms import FAMILIES, NO_BUMPS, Star, make_phantom, true_margin_mm, voxelised

ORIGIN = np.zeros(3)
SKEW = np.array([2.0, -1.0, 2.0]) / 3.0


def sphere(radius_mm: float, centre_mm=ORIGIN) -> Star:
    return Star(np.asarray(centre_mm, float), radius_mm, NO_BUMPS)


@pytest.mark.parametrize("offset_mm", [0.0, 2.0, 6.0, 10.0])
def test_two_balls_are_apart_by_radii_and_offset(offset_mm):
    true = 13.0 - 8.0 - offset_mm
    assert true_margin_mm(sphere(8.0), (sphere(13.0, offset_mm * SKEW),)) == pytest.approx(true, abs=0.02)


@pytest.mark.parametrize(("radius_mm", "half_mm"), [(12.0, 4.0), (11.0, 6.0), (9.0, 5.0)])
def test_two_equal_zones_are_thinnest_at_their_crease(radius_mm, half_mm):
    zones = (sphere(radius_mm, half_mm * SKEW), sphere(radius_mm, -half_mm * SKEW))
    to_crease_mm = np.sqrt(radius_mm**2 - half_mm**2) - 8.0
    # Seen from outside the crease is a valley: its flanks are nearer than its bottom.
    to_flanks_mm = radius_mm - np.hypot(half_mm, 8.0)
    true = to_crease_mm if to_crease_mm > 0 else to_flanks_mm
    assert true_margin_mm(sphere(8.0), zones) == pytest.approx(true, abs=0.05)


def test_a_zone_inside_another_changes_nothing():
    zones = (sphere(13.0, SKEW), sphere(6.0, SKEW))
    assert true_margin_mm(sphere(8.0), zones) == pytest.approx(4.0, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_the_balls_family_states_the_closed_formula(seed):
    phantom = make_phantom("balls", seed)
    (zone,) = phantom.zones
    offset = np.linalg.norm(zone.centre_mm - phantom.tumour.centre_mm)
    assert phantom.min_mm == pytest.approx(zone.radius_mm - phantom.tumour.radius_mm - offset, abs=0.03)
    assert phantom.min_mm > 0


@pytest.mark.parametrize("seed", range(4))
def test_the_two_zones_family_states_the_distance_to_the_crease(seed):
    phantom = make_phantom("two_zones", seed)
    a, b = phantom.zones
    apart = np.linalg.norm(b.centre_mm - a.centre_mm)
    along = (apart**2 + a.radius_mm**2 - b.radius_mm**2) / (2 * apart)
    ring_mm = np.sqrt(a.radius_mm**2 - along**2)
    to_crease_mm = np.hypot(along - apart / 2, ring_mm)
    assert phantom.min_mm == pytest.approx(to_crease_mm - phantom.tumour.radius_mm, abs=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_the_partly_uncovered_family_is_not_covered(seed):
    assert make_phantom("partly_uncovered", seed).min_mm < -0.5


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_seed_gives_one_phantom_and_another_seed_another(family):
    first, again, other = make_phantom(family, 3), make_phantom(family, 3), make_phantom(family, 4)
    assert first.min_mm == again.min_mm != other.min_mm


def test_a_lobulated_surface_lies_on_its_body_with_normals_outwards():
    star = make_phantom("lobulated", 2).tumour
    points, normals = star.surface(500)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-9)
    assert star.inside(points - 1e-3 * normals).all()
    assert not star.inside(points + 1e-3 * normals).any()


def test_voxels_lie_where_the_lattice_says():
    body = sphere(9.0, (1.3, -0.7, 2.1))
    voxels, lps_from_ijk = voxelised(body.inside, 14.0, (1.0, 0.7, 0.8), np.array([0.3, -0.2, 0.45]))
    kji = np.argwhere(voxels)
    points = kji[:, ::-1] @ lps_from_ijk[:3, :3].T + lps_from_ijk[:3, 3]
    np.testing.assert_allclose(points.mean(axis=0), [1.3, -0.7, 2.1], atol=0.05)
    assert len(kji) * 1.0 * 0.7 * 0.8 == pytest.approx(4 / 3 * np.pi * 9.0**3, rel=0.01)
    assert np.linalg.norm(points - body.centre_mm, axis=1).max() <= 9.0
