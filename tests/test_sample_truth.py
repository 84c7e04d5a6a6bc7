"""The sample's margin and distance routines against formulas for balls and planes."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from pipelines.sample.apart import StructureSurface, apart
from pipelines.sample.closest import surface_samples
from pipelines.sample.lesions import fibonacci
from pipelines.sample.margins import Body, bounds, margins
from pipelines.sample.shapes import Blend, Column, Ellipsoid, HalfSpace, Star, Tube
from pipelines.sample.truth import enclosed_ml, outward_faces, vertex_areas, weighted_quantile

DIRECTIONS = fibonacci(3000)


def ball(centre: tuple[float, float, float], radius: float) -> Ellipsoid:
    return Ellipsoid(np.array(centre), np.full(3, radius))


def everywhere(points: np.ndarray) -> np.ndarray:
    return np.full(points.shape[:-1], -50.0)


def sphere_points(centre: tuple[float, float, float], radius: float) -> np.ndarray:
    return np.array(centre) + radius * DIRECTIONS


@pytest.mark.parametrize(("offset", "tumour", "zone"), [(0.0, 10, 17), (3.0, 8, 20), (6.0, 10, 12), (9.0, 7, 13)])
def test_margin_of_offset_balls_is_the_difference_of_radii_less_the_offset(offset, tumour, zone):
    body = ball((0, 0, 0), zone)
    found = margins(sphere_points((offset, 0, 0), tumour), bounds(Body(body, body.box_mm), everywhere))
    assert found.parenchymal_mm.min() == pytest.approx(zone - tumour - offset, abs=0.02)
    assert found.geometric_mm == pytest.approx(found.parenchymal_mm)
    assert not found.capsule_facing.any()


def test_every_point_of_an_offset_ball_has_its_own_margin():
    body = ball((0, 0, 0), 18)
    points = sphere_points((4, 0, 0), 9)
    found = margins(points, bounds(Body(body, body.box_mm), everywhere))
    np.testing.assert_allclose(found.parenchymal_mm, 18 - np.linalg.norm(points, axis=1), atol=1e-3)


def test_beside_a_flat_capsule_only_liver_counts_for_the_parenchymal_margin():
    # Liver is x < 5. Zone: ball of 20 about the origin. Tumour: ball of 4 about the origin, 1 mm below the capsule.
    body, liver = ball((0, 0, 0), 20), HalfSpace(np.array([1.0, 0, 0]), 5.0)
    points = sphere_points((0, 0, 0), 4)
    found = margins(points, bounds(Body(body, body.box_mm), liver))
    assert found.geometric_mm.min() == pytest.approx(5 - 4, abs=0.01)
    # Liver that was not ablated begins at the sphere or, for the points that face the capsule, at the rim where it
    # meets the plane: x = 5, distance from the axis sqrt(20^2 - 5^2).
    rim = np.sqrt(400 - 25)
    axis = np.hypot(points[:, 1], points[:, 2])
    faces_rim = points[:, 0] / 4 > 5 / 20
    expected = np.where(faces_rim, np.hypot(5 - points[:, 0], rim - axis), 16.0)
    np.testing.assert_allclose(found.parenchymal_mm, expected, atol=0.02)
    nearer_capsule = 5 - points[:, 0] < expected
    assert (found.capsule_facing == nearer_capsule).mean() > 0.98


def test_outside_the_zone_the_margin_is_minus_the_distance_to_what_the_capsule_leaves_of_it():
    # The zone's ball reaches furthest at x = 10, but the liver ends at x = 6: a point on the x axis is nearest the cut.
    body, liver = ball((0, 0, 0), 10), HalfSpace(np.array([1.0, 0, 0]), 6.0)
    ends = bounds(Body(body, body.box_mm), liver)
    found = margins(np.array([[0.0, 0.0, 14.0], [0.0, 12.5, 0.0]]), ends)
    np.testing.assert_allclose(found.parenchymal_mm, [-4.0, -2.5], atol=1e-3)
    np.testing.assert_allclose(found.geometric_mm, [-4.0, -2.5], atol=1e-3)
    assert ends.reaches_capsule


@pytest.mark.parametrize("gap", [0.7, 4.0, 30.0])
def test_gap_between_a_ball_and_a_tube_is_exact(gap):
    tube = Tube.along([(-60, 0, 0), (0, 0, 0), (60, 0, 0)], 5.0)
    body = ball((3.3, 0, 5 + gap + 8), 8)
    samples = np.concatenate([surface_samples(part, part.box_mm, 1.0) for part in tube.parts()])
    found = apart(sphere_points((3.3, 0, 5 + gap + 8), 8), body, StructureSurface("tube", tube, samples))
    assert found["mm"] == pytest.approx(gap, abs=0.02)
    assert not found["overlap"]


def test_bodies_that_share_a_point_have_no_gap():
    other = ball((10, 0, 0), 5)
    samples = surface_samples(other, other.box_mm, 0.5)
    found = apart(sphere_points((0, 0, 0), 8), ball((0, 0, 0), 8), StructureSurface("ball", other, samples))
    assert (found["mm"], found["overlap"]) == (0.0, True)


def test_volume_area_and_quantiles_of_a_ball_follow_the_formulas():
    faces = outward_faces(DIRECTIONS)
    points = sphere_points((50, -20, 7), 12)
    assert enclosed_ml(points, faces) == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=3e-3)
    areas = vertex_areas(points, faces)
    assert areas.sum() == pytest.approx(4 * np.pi * 144, rel=3e-3)
    # By Archimedes the height on a sphere is uniform over its area.
    assert weighted_quantile(points[:, 2] - 7, areas, 0.05) == pytest.approx(-12 + 0.05 * 24, abs=0.05)


@pytest.mark.parametrize(
    "shape",
    [
        Ellipsoid(np.array([1.0, 2, 3]), np.array([10.0, 20, 30])),
        Column(np.array([0.0, 5]), np.array([12.0, 8]), 2.5, -10, 10),
        Tube.along([(0, 0, 0), (10, 0, 0), (10, 10, 5)], (4, 2)),
        Star(np.zeros(3), (ball((0, 0, 0), 9), ball((4, 0, 0), 9)), np.eye(3), np.array([0.1, -0.1, 0]), np.ones(3)),
        Blend((ball((0, 0, 0), 10), ball((8, 0, 0), 8)), cuts=((ball((4, 9, 0), 5), 0.0),), width_mm=4),
    ],
)  # fmt: skip
def test_shapes_stay_within_their_box_and_are_the_union_of_their_parts(shape):
    points = np.random.default_rng(3).uniform(-45, 45, (20_000, 3))
    inside = shape(points) < 0
    assert inside.any()
    low, high = shape.box_mm
    assert np.all((points[inside] >= low) & (points[inside] <= high))
    parts = np.min([part(points) for part in shape.parts()], axis=0)
    assert np.array_equal(parts < 0, inside)


def test_the_sample_shares_no_code_with_the_planner():
    folder = Path(__file__).parent.parent / "pipelines" / "sample"
    imported = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    ours = {name for name in imported if name.split(".")[0] in ("planner", "pipelines")}
    assert all(name.startswith("pipelines.sample") or name == "pipelines.codes" for name in ours), ours
