"""A surface with values at its vertices, as a VTK file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from planner.grid import FloatArray
from planner.surface.mesh import Surface


def vtp_bytes(surface: Surface, point_values: Mapping[str, FloatArray], notes: Mapping[str, str]) -> bytes:
    """Return a VTK XML PolyData file of a surface with one named float array per entry of `point_values`.

    `notes` become string field data (the file's own statement of frame, unit and sign).
    """
    data = _polydata(surface)
    for name, values in point_values.items():
        array = numpy_to_vtk(np.ascontiguousarray(values, dtype=np.float64), deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    for name, text in notes.items():
        strings = vtkStringArray()
        strings.SetName(name)
        strings.InsertNextValue(text)
        data.GetFieldData().AddArray(strings)
    writer = vtkXMLPolyDataWriter()
    writer.SetInputData(data)
    writer.WriteToOutputStringOn()
    writer.SetDataModeToBinary()
    writer.Write()
    return str(writer.GetOutputString()).encode("utf-8")


def _polydata(surface: Surface) -> Any:
    points = vtkPoints()
    points.SetDataTypeToDouble()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(surface.vertices_lps_mm), deep=True))
    offsets = np.arange(0, 3 * len(surface.triangles) + 1, 3, dtype=np.int64)
    cells = vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(surface.triangles.ravel()), deep=True),
    )
    data = vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    return data
