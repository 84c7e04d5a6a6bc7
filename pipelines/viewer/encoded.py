"""Volumes and surfaces as the viewer takes them: NIfTI and packed meshes, in RAS mm; the same bytes each time."""

from __future__ import annotations

import base64
import gzip
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.viewer.region import Stored
from planner.grid import FloatArray, Grid
from planner.surface import Surface

_RAS_FROM_LPS = (-1.0, -1.0, 1.0)
_INT16 = 4
_MILLIMETRES = 2
_SCANNER = 1
LEVEL = 4
STEPS = 32000
"""A packed vertex lies on a lattice of this many steps to each side of the middle."""


def ras(points_lps_mm: npt.ArrayLike) -> FloatArray:
    """Return points in NiiVue's axes (right, anterior, superior), mm: the one place where the viewer's axes turn."""
    return np.multiply(np.asarray(points_lps_mm, dtype=np.float64), _RAS_FROM_LPS)


def nifti(image: Stored, region: Grid) -> str:
    """Return an image on an axis-aligned region as a gzipped NIfTI-1 file in base64, columns from right to left."""
    k, j, i = region.shape_kji
    step_k, step_j, step_i = region.spacing_kji_mm
    origin = ras(region.lps_mm([(0, 0, 0)])[0])
    header = struct.pack(
        "<i10s18sihcB8h3f4h8f3fhcB4f2i80s24s2h6f4f4f4f16s4s",
        348, b"", b"", 0, 0, b"r", 0, 3, i, j, k, 1, 1, 1, 1, 0.0, 0.0, 0.0, 0, _INT16, 16, 0,
        1.0, step_i, step_j, step_k, 0.0, 0.0, 0.0, 0.0, 352.0, image.slope, image.offset, 0, b"\0", _MILLIMETRES,
        0.0, 0.0, 0.0, 0.0, 0, 0, b"", b"", 0, _SCANNER, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        -step_i, 0.0, 0.0, origin[0], 0.0, -step_j, 0.0, origin[1], 0.0, 0.0, step_k, origin[2], b"", b"n+1\0",
    )  # fmt: skip
    return _packed(header + b"\0\0\0\0" + image.numbers_kji.astype("<i2").tobytes())


@dataclass(frozen=True, slots=True)
class Mesh:
    """A surface as the page's JSON holds it: vertex = `middle_mm` + `step_mm` * three 16-bit numbers, RAS mm."""

    middle_mm: tuple[float, ...]
    step_mm: float
    vertices: str
    triangles: str
    bands: str


def mesh(surface: Surface, bands: npt.NDArray[np.intp] | None) -> Mesh:
    """Return a surface packed: its vertices to a 64 000th of its size, its triangles by differences."""
    points = ras(surface.vertices_lps_mm)
    low, high = points.min(axis=0), points.max(axis=0)
    middle = np.round((low + high) / 2.0, 3)
    step = float(max(np.abs(points - middle).max() / STEPS, 1e-6))
    numbers = np.rint((points - middle) / step).astype("<i2")
    # Both axes that turn leave which side is outward as it was: two mirrors are a rotation.
    order = np.diff(surface.triangles.ravel(), prepend=0).astype("<i4")
    return Mesh(
        tuple(float(x) for x in middle), step, _packed(numbers.tobytes()), _packed(order.tobytes()),
        "" if bands is None else _packed(bands.astype(np.uint8).tobytes()),
    )  # fmt: skip


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, compresslevel=LEVEL, mtime=0)).decode("ascii")
