from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import SimpleITK as sitk
from analytic import Points, centres, lattice, rigid
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InputError
from planner.grid import Grid
from planner.register.alignment import Alignment, Check, Displacement, SpatialMap

MATRIX = rigid((0.1, -0.2, 0.35), (12.0, -7.0, 31.0))
GRID = lattice((40.0, 36.0, 30.0), (6.0, 5.0, 4.0), turned=rigid((0.05, 0.1, -0.08))[:3, :3])


def waves(points: Points) -> Points:
    x, y, z = points.T / 20.0
    fade = np.prod(np.clip(1.2 - np.abs(points) / 22.0, 0.0, 1.0), axis=1)[:, None]
    return fade * np.stack([4 * np.sin(x + 0.3), 3 * np.cos(y - 0.5 * z), -5 * np.sin(z + 0.4 * x)], axis=1)


def displacement(grid: Grid = GRID, factor: float = 1.0) -> Displacement:
    return Displacement(factor * waves(centres(grid)).reshape(*grid.shape_kji, 3), grid)


MAP = SpatialMap(MATRIX, displacement())


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.tuples(*[st.floats(-60, 60)] * 3))
def test_the_inverse_undoes_the_map(point: tuple[float, float, float]) -> None:
    assert MAP.post_from_pre(MAP.pre_from_post(point)) == pytest.approx(np.array([point]), abs=5e-4)
    assert MAP.pre_from_post(MAP.post_from_pre(point)) == pytest.approx(np.array([point]), abs=5e-4)


def test_a_rigid_map_carries_points_of_post_to_pre_by_its_matrix() -> None:
    quarter = rigid((0, 0, np.pi / 2), (10, 0, 0))
    found = SpatialMap(quarter)
    assert found.pre_from_post((1.0, 0, 5)) == pytest.approx(np.array([(10.0, 1, 5)]))
    assert found.post_from_pre((10.0, 1, 5)) == pytest.approx(np.array([(1.0, 0, 5)]))


def test_the_displacement_comes_before_the_rigid_motion() -> None:
    grid = lattice(20.0, (5.0, 5.0, 5.0), shift_mm=(0, 0, 0))
    push = Displacement(np.broadcast_to((3.0, 0, 0), (*grid.shape_kji, 3)), grid)
    assert SpatialMap(rigid((0, 0, np.pi / 2)), push).pre_from_post((1.0, 0, 0)) == pytest.approx(
        np.array([(0.0, 4, 0)])
    )


def test_the_map_is_the_one_that_simpleitk_makes_of_the_same_parameters() -> None:
    vectors = sitk.GetImageFromArray(np.asarray(displacement().vectors_mm, dtype=np.float64), isVector=True)
    vectors.SetOrigin(GRID.lps_mm_from_ijk[:3, 3].tolist())
    vectors.SetSpacing(GRID.spacing_kji_mm[::-1])
    vectors.SetDirection((GRID.lps_mm_from_ijk[:3, :3] / GRID.spacing_kji_mm[::-1]).ravel().tolist())
    linear = sitk.AffineTransform(3)
    linear.SetMatrix(MATRIX[:3, :3].ravel().tolist())
    linear.SetTranslation(MATRIX[:3, 3].tolist())
    whole = sitk.CompositeTransform([linear, sitk.DisplacementFieldTransform(vectors)])
    points = np.random.default_rng(0).uniform(-34, 34, (200, 3))
    points = np.concatenate([points[GRID.contains(points * 1.2)], [(90.0, 80, -70)]])
    theirs = np.array([whole.TransformPoint(p.tolist()) for p in points])
    assert MAP.pre_from_post(points) == pytest.approx(theirs, abs=1e-4)


def test_a_displacement_is_read_by_linear_interpolation_and_is_zero_far_outside() -> None:
    grid = lattice(20.0, (4.0, 5.0, 3.0), turned=rigid((0.2, 0.1, 0))[:3, :3])
    linear = np.array([[0.02, 0.01, 0], [0, -0.03, 0.01], [0.01, 0, 0.02]])
    found = Displacement((centres(grid) @ linear).reshape(*grid.shape_kji, 3), grid)
    points = np.random.default_rng(0).uniform(-10, 10, (50, 3))
    assert found.at(points) == pytest.approx(points @ linear, abs=1e-4)
    assert (found.at([(99.0, 0, 0)]) == 0.0).all()


def test_a_folding_deformation_has_no_inverse_and_says_so() -> None:
    grid = lattice(24.0, (3.0, 3.0, 3.0))
    vectors = np.zeros((*grid.shape_kji, 3))
    vectors[..., 0] = 8.0 * np.sin(centres(grid)[:, 0] / 2.0).reshape(grid.shape_kji)
    folded = SpatialMap(np.eye(4), Displacement(vectors, grid))
    with pytest.raises(InputError) as caught:
        folded.post_from_pre(np.random.default_rng(0).uniform(-15, 15, (50, 3)))
    assert caught.value.code == "folding"


def test_the_hash_is_of_the_parameters_and_changes_with_each_of_them() -> None:
    turned = np.array(MATRIX)
    turned[0, 3] += 1e-9
    vectors = np.array(displacement().vectors_mm)
    vectors[3, 2, 1, 0] += 1e-4
    shifted = Grid(GRID.shape_kji, rigid(shift_mm=(0, 0, 1e-6)) @ GRID.lps_mm_from_ijk)
    maps = [
        MAP,
        SpatialMap(MATRIX),
        SpatialMap(turned, displacement()),
        SpatialMap(MATRIX, Displacement(vectors, GRID)),
        SpatialMap(MATRIX, Displacement(displacement().vectors_mm, shifted)),
    ]
    assert len({m.parameters_sha256 for m in maps}) == len(maps)
    assert SpatialMap(np.array(MATRIX), displacement()).parameters_sha256 == MAP.parameters_sha256
    assert len(MAP.parameters_sha256) == 64


@pytest.mark.parametrize("matrix", [np.eye(3), np.full((4, 4), np.nan), np.diag([1.0, 1, 0, 1])])
def test_a_matrix_that_cannot_be_inverted_is_refused(matrix: Points) -> None:
    with pytest.raises(InputError):
        SpatialMap(matrix)


def test_vectors_of_another_shape_than_their_lattice_are_refused() -> None:
    with pytest.raises(InputError):
        Displacement(np.zeros((3, *GRID.shape_kji)), GRID)


def test_maps_and_alignments_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        MAP.rigid_pre_from_post[0, 0] = 2.0
    with pytest.raises(ValueError, match="read-only"):
        displacement().vectors_mm[0, 0, 0, 0] = 2.0
    errors = {"1": 2.0}
    found = Alignment("rigid", MAP, MAP, error_at_zone_mm=errors)
    errors["1"] = 0.0
    assert found.error_at_zone_mm["1"] == 2.0
    with pytest.raises(TypeError):
        found.error_at_zone_mm["1"] = 0.0  # type: ignore[index]  # what must not be possible
    with pytest.raises(FrozenInstanceError):
        found.kind = "identity"  # type: ignore[misc]  # what must not be possible


def test_an_alignment_passes_unless_a_check_of_the_case_failed() -> None:
    shown, good, bad = (Check("c", 1.0, "mm", passed, "") for passed in (None, True, False))
    assert Alignment("rigid", MAP, MAP, (shown, good), zone_checks={"1": (bad,)}).passed
    assert not Alignment("rigid", MAP, MAP, (good, bad)).passed


def test_masks_that_came_aligned_have_the_identity_and_no_error() -> None:
    found = Alignment.as_given("aligned")
    assert found.kind == "identity"
    assert found.map.pre_from_post((1.0, 2, 3)) == pytest.approx(np.array([(1.0, 2, 3)]))
    assert dict(found.error_at_zone_mm) == {}
    assert found.passed
