"""The nearest point of a mesh and the side of it, on spiky bodies, against VTK and against the bodies' own equation."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import Points, sphere
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

from planner.surface import Surface


def spiky(seed: int, height: float, count: int = 600) -> Surface:
    """A sphere of 10 mm whose vertices were moved in or out at random: star-shaped, full of notches."""
    rng = np.random.default_rng(seed)
    ball = sphere((0, 0, 0), 10.0, count)
    return ball.moved(lambda p: p * (1 + height * rng.uniform(-1, 1, (len(p), 1))))


def inside_star(surface: Surface, points: Points) -> np.ndarray:
    """By which triangle the ray from the centre passes and how far out it lies: no distances, no normals."""
    corners = surface.vertices_lps_mm[surface.triangles]
    shares = np.einsum("mij,nj->nmi", np.linalg.inv(corners.transpose(0, 2, 1)), points)
    hit = np.argmax(shares.min(axis=2), axis=1)
    return np.asarray(shares[np.arange(len(points)), hit].sum(axis=1) < 1.0)


def vtk_distance_mm(surface: Surface, points: Points) -> Points:
    at, cells = vtkPoints(), vtkCellArray()
    at.SetDataTypeToDouble()
    at.SetData(numpy_to_vtk(np.ascontiguousarray(surface.vertices_lps_mm), deep=True))
    for triangle in surface.triangles:
        cells.InsertNextCell(3, triangle.tolist())
    data = vtkPolyData()
    data.SetPoints(at)
    data.SetPolys(cells)
    distance = vtkImplicitPolyDataDistance()
    distance.SetInput(data)
    return np.array([abs(distance.EvaluateFunction(point)) for point in points.tolist()])


@pytest.mark.parametrize("height", [0.05, 0.15, 0.3])
def test_the_side_of_a_point_is_right_beside_spikes_and_notches(height: float) -> None:
    surface = spiky(3, height)
    points = np.random.default_rng(1).uniform(-14, 14, (3000, 3))
    depth = surface.signed_depth_mm(points)
    sure = np.abs(depth) > 1e-6
    assert ((depth > 0) == inside_star(surface, points))[sure].all()


@pytest.mark.parametrize("height", [0.0, 0.1, 0.3])
def test_the_distance_is_that_of_another_program(height: float) -> None:
    surface = spiky(4, height)
    points = np.random.default_rng(2).uniform(-16, 16, (800, 3))
    apart = np.abs(surface.signed_depth_mm(points)) - vtk_distance_mm(surface, points)
    assert apart.min() > -1e-6
    assert np.percentile(apart, 99) < 0.01
    assert apart.max() < 0.3
