from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from analytic import ball_ml, lattice, rigid, sphere, voxelised

from planner.surface import Surface, join, nets_surface, vtp_bytes

SPHERE = sphere((10.0, -20.0, 30.0), 12.0, 4000)
ELLIPSOID = sphere((0, 0, 0), 1.0, 4000).moved(lambda p: p * (12.0, 8.0, 6.0))


def carried(matrix: np.ndarray) -> Surface:
    return SPHERE.moved(lambda p: p @ matrix[:3, :3].T + matrix[:3, 3])


def test_depth_is_positive_inside_negative_outside_and_in_millimetres() -> None:
    depths = [9.0, 4.0, 1.0, -1.0, -4.0, -40.0]
    points = [(10.0, -20.0 + 12.0 - depth, 30.0) for depth in depths]
    assert SPHERE.signed_depth_mm(points) == pytest.approx(depths, abs=0.03)


def test_the_foot_is_the_nearest_point_of_the_surface_at_that_distance() -> None:
    rng = np.random.default_rng(1)
    points = SPHERE.centroid_lps_mm + rng.normal(0, 9, (50, 3))
    found = SPHERE.depths(points)
    radial = points - (10.0, -20.0, 30.0)
    length = np.linalg.norm(radial, axis=1, keepdims=True)
    near = np.abs(12.0 - length[:, 0]) < 8.0
    assert np.allclose(found.foot_lps_mm[near], ((10.0, -20.0, 30.0) + 12.0 * radial / length)[near], atol=0.8)
    assert np.allclose(np.linalg.norm(found.foot_lps_mm - points, axis=1), np.abs(found.signed_mm))
    assert np.allclose(found.signed_mm, SPHERE.signed_depth_mm(points))


def test_area_volume_and_centroid_are_those_of_the_sphere() -> None:
    assert SPHERE.vertex_area_mm2.sum() == pytest.approx(4 * np.pi * 144, rel=0.003)
    assert SPHERE.volume_ml == pytest.approx(ball_ml(12), rel=0.003)
    assert SPHERE.centroid_lps_mm == pytest.approx((10, -20, 30), abs=0.02)


def test_normals_are_outward_unit_vectors() -> None:
    radial = (SPHERE.vertices_lps_mm - (10.0, -20.0, 30.0)) / 12.0
    assert (np.einsum("ij,ij->i", SPHERE.vertex_normals, radial) > 0.999).all()
    assert np.allclose(np.linalg.norm(SPHERE.vertex_normals, axis=1), 1.0)


def test_a_surface_moved_by_a_mirror_still_points_outward() -> None:
    mirrored = carried(np.diag([-1.0, 1, 1, 1]))
    assert mirrored.volume_ml == pytest.approx(SPHERE.volume_ml)
    assert mirrored.signed_depth_mm([(-10.0, -20.0, 30.0)])[0] == pytest.approx(12.0, abs=0.05)


def test_moving_a_surface_moves_its_depths_with_it() -> None:
    matrix = rigid((0.3, -0.8, 0.5), (5, 6, -7))
    points = np.array([(10.0, -12.0, 33.0), (25.0, -20.0, 30.0)])
    there = points @ matrix[:3, :3].T + matrix[:3, 3]
    assert carried(matrix).signed_depth_mm(there) == pytest.approx(SPHERE.signed_depth_mm(points), abs=1e-6)


def test_an_ellipsoid_carried_by_a_map_has_its_closed_volume() -> None:
    assert ELLIPSOID.volume_ml == pytest.approx(4 / 3 * np.pi * 12 * 8 * 6 / 1000, rel=0.003)


def test_flipping_a_surface_turns_its_volume_and_depth_over() -> None:
    flipped = SPHERE.flipped()
    assert flipped.volume_ml == pytest.approx(-SPHERE.volume_ml)


@dataclass(frozen=True)
class Constant:
    sd_mm: float

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        return np.full(len(vertices), self.sd_mm)


def test_surfaces_side_by_side_keep_their_volumes_flags_and_doubts() -> None:
    a = Surface(SPHERE.vertices_lps_mm, SPHERE.triangles, (3.0, 1.0, 1.0), Constant(0.1), frozenset({"truncated"}))
    b = Surface(ELLIPSOID.vertices_lps_mm, ELLIPSOID.triangles, (3.0, 1.0, 1.0), Constant(0.2), frozenset({"fallback"}))
    both = join([a, b])
    assert both.volume_ml == pytest.approx(a.volume_ml + b.volume_ml)
    assert both.flags == {"truncated", "fallback"}
    assert both.truncated
    assert both.sd_mm([0, 3999, 4000, 7999]) == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert both.signed_depth_mm([(10, -20, 30), (0, 0, 0), (30, 30, 30)])[2] < 0
    assert (both.signed_depth_mm([(10, -20, 30), (0, 0, 0)]) > 5).all()


def test_where_the_doubt_was_not_estimated_a_share_of_the_coarsest_spacing_stands_in() -> None:
    coarse = Surface(SPHERE.vertices_lps_mm, SPHERE.triangles, (5.0, 0.8, 0.8))
    assert coarse.sd_mm([0, 17]).shape == (2,)
    assert 0.8 < coarse.sd_mm(5)[0] < 5.0


def test_the_arrays_of_a_surface_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        SPHERE.vertices_lps_mm[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        SPHERE.triangles[0, 0] = 1


def test_the_vtk_file_holds_points_values_and_notes_as_vtk_reads_them_back() -> None:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    values = np.linspace(-3.0, 9.0, len(SPHERE.vertices_lps_mm))
    content = vtp_bytes(SPHERE, {"margin_mm": values}, {"frame": "LPS, mm"})
    reader = vtkXMLPolyDataReader()
    reader.ReadFromInputStringOn()
    reader.SetInputString(content.decode())
    reader.Update()
    data = reader.GetOutput()
    assert np.allclose(vtk_to_numpy(data.GetPoints().GetData()), SPHERE.vertices_lps_mm)
    assert np.allclose(vtk_to_numpy(data.GetPointData().GetArray("margin_mm")), values)
    assert data.GetFieldData().GetAbstractArray("frame").GetValue(0) == "LPS, mm"
    assert data.GetNumberOfPolys() == len(SPHERE.triangles)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_the_side_of_far_points_agrees_with_the_signed_depth(angle):
    # A slab with sharp edges (as a cut liver has) and a hollow: the nearest vertex is often one on an edge.
    grid = lattice((30.0, 30.0, 30.0), (2.0, 1.2, 1.2))
    turn = rigid((angle, 0.0, angle), (0.0, 0.0, 0.0))[:3, :3]
    slab = voxelised(
        lambda p: (np.abs(p @ turn) < [14.0, 9.0, 6.0]).all(axis=1) & (np.linalg.norm(p, axis=1) > 4), grid
    )
    surface = nets_surface(slab)
    points = np.random.default_rng(5).uniform(-28, 28, (6000, 3))
    depth = surface.signed_depth_mm(points)
    sure = np.abs(depth) > 1e-9
    assert (surface.contains(points)[sure] == (depth[sure] > 0)).all()
    assert 0.01 < surface.contains(points).mean() < 0.2
