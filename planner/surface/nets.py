"""Surface nets: a mask's boundary cells, relaxed; for large structures and where the implicit fit fails."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals, vtkSurfaceNets3D

from planner.surface.joined import join
from planner.surface.mesh import Surface
from planner.surface.parts import FACES, filled_holes
from planner.volume import BoolVoxels, Mask

ITERATIONS = 16
RELAXATION = 0.5
"""Of the smoothing: enough to take the steps off; a vertex stays within its box however often it is moved."""


def nets_surface(box: Mask, *, smooth: bool = True) -> Surface:
    """Return the surface of a padded mask by surface nets, each vertex kept within a box of one voxel.

    Holes have walls of their own, turned inside out: which side of a mesh is outward is only known of solid bodies.
    """
    iterations = ITERATIONS if smooth else 0
    filled = filled_holes(box.voxels_kji, FACES)
    holes = filled & ~box.voxels_kji
    outer = _net(filled, box, iterations)
    return join([outer, _net(holes, box, iterations).flipped()]) if holes.any() else outer


def _net(solid: BoolVoxels, box: Mask, iterations: int) -> Surface:
    spacing_ijk = np.asarray(box.grid.spacing_kji_mm[::-1])
    image = vtkImageData()
    image.SetDimensions(*box.grid.shape_kji[::-1])
    image.SetSpacing(*spacing_ijk)
    image.GetPointData().SetScalars(numpy_to_vtk(solid.astype(np.int16).ravel(), deep=True))
    nets = vtkSurfaceNets3D()
    nets.SetInputData(image)
    nets.SetLabel(0, 1)
    nets.SetOutputMeshTypeToTriangles()
    nets.AutomaticSmoothingConstraintsOff()
    smoother = nets.GetSmoother()
    smoother.SetConstraintStrategyToConstraintBox()
    smoother.SetConstraintBox(*spacing_ijk)
    smoother.SetNumberOfIterations(iterations)
    smoother.SetRelaxationFactor(RELAXATION)
    nets.Update()
    normals = vtkPolyDataNormals()
    normals.SetInputData(nets.GetOutput())
    normals.SplittingOff()
    normals.ConsistencyOn()
    normals.AutoOrientNormalsOn()
    normals.Update()
    mesh = normals.GetOutput()
    vertices = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64)
    triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
    surface = Surface(box.grid.lps_mm(vertices / spacing_ijk), triangles, box.grid.spacing_kji_mm)
    return surface if surface.volume_ml >= 0 else surface.flipped()
