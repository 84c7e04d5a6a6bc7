"""Planned zones for other programs: label maps on the planning scan's lattice, and surfaces as binary STL."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from planner.grid import Grid
from planner.plan.zone import PlannedZone
from planner.surface import Surface

HEADER = b"ablation-planner planned zone, mm; SPACE=LPS"
"""What 3D Slicer reads the frame from."""

_HEADER_BYTES = 80


def zone_labels(zone: PlannedZone, grid: Grid) -> npt.NDArray[np.uint8]:
    """Return a zone on a lattice, axes k, j, i: 1 where a voxel's centre lies in it; what lies beyond is cut."""
    labels = np.zeros(grid.shape_kji, dtype=np.uint8)
    kji = grid.ijk(zone.surface().vertices_lps_mm)[:, ::-1]
    low = np.clip(np.floor(kji.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1, grid.shape_kji)
    if (high <= low).any():
        return labels
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    indices = np.argwhere(np.ones(high - low, dtype=bool)) + low
    labels[box] = zone.contains(grid.lps_mm(indices[:, ::-1])).reshape(high - low)
    return labels


def stl_bytes(surface: Surface) -> bytes:
    """Return a surface as binary STL, LPS mm, its triangles facing outward."""
    corners = surface.vertices_lps_mm[surface.triangles].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(lengths > 0, lengths, 1.0)
    rows = np.zeros(len(corners), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["normal"], rows["corners"] = normals, corners
    return HEADER.ljust(_HEADER_BYTES) + struct.pack("<I", len(rows)) + rows.tobytes()
