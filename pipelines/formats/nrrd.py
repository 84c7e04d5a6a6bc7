"""NRRD files with attached data, their geometry from the header text, turned into LPS."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pipelines.formats.voxel_file import VoxelFile, file_sha256, require_size
from planner.errors import InputError
from planner.grid import FloatArray, Grid

LONGEST_HEADER = 1_000_000
"""Bytes within which the empty line that ends the header must come."""

SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
"""Signs that turn a point of each space into LPS."""

_SPATIAL_KINDS = ("domain", "space", "???", "none")
_VECTOR = re.compile(r"\(([^()]*)\)")


def read_nrrd(path: Path, name: str) -> VoxelFile:
    """Return what an NRRD file holds, on a lattice in LPS mm; messages call it `name`.

    Raises
    ------
    InputError
        The data are detached or truncated, or the header states no usable geometry.
    """
    fields = _header(path, name)
    sizes, grid = _sizes(fields, name), _grid(fields, name)
    try:
        import SimpleITK

        image = SimpleITK.ReadImage(str(path), imageIO="NrrdImageIO")
        values = SimpleITK.GetArrayFromImage(image)
    except RuntimeError as error:
        raise InputError(f"{name}: cannot be read as NRRD; is the file truncated?", code="truncated-file") from error
    if values.shape != sizes[::-1] or values.dtype.kind not in "iufb":
        raise InputError(f"{name}: voxels of shape {values.shape}, expected {sizes[::-1]}", code="bad-shape")
    return VoxelFile(name, values, grid, file_sha256(path))


def _header(path: Path, name: str) -> dict[str, str]:
    """Return the fields of the header, names in lower case."""
    with path.open("rb") as stream:
        head = stream.read(LONGEST_HEADER)
    end = re.search(rb"\r?\n\r?\n", head)
    if not head.startswith(b"NRRD000"):
        raise InputError(f"{name}: not an NRRD file", code="truncated-file")
    fields: dict[str, str] = {}
    for line in head[: end.start() if end else len(head)].decode("latin-1").splitlines()[1:]:
        key, separator, value = line.partition(":")
        if separator and not line.startswith("#") and not value.startswith("="):
            fields[key.strip().lower()] = value.strip()
    if "data file" in fields or "datafile" in fields:
        raise InputError(f"{name}: its data are in another file, only attached data are read", code="detached-data")
    if end is None:
        raise InputError(f"{name}: the header does not end, the file is truncated", code="truncated-file")
    return fields


def _sizes(fields: dict[str, str], name: str) -> tuple[int, ...]:
    kinds = fields.get("kinds", "").lower().split()
    try:
        sizes = tuple(int(n) for n in fields.get("sizes", "").split())
    except ValueError as error:
        raise InputError(f"{name}: sizes are not numbers", code="bad-number") from error
    require_size(sizes, name)
    if any(kind not in _SPATIAL_KINDS for kind in kinds):
        raise InputError(f"{name}: an axis of kind {', '.join(kinds)[:60]}, expected three in space", code="not-3d")
    return sizes


def _grid(fields: dict[str, str], name: str) -> Grid:
    signs = SPACES.get(fields.get("space", "").lower())
    if signs is None:
        found = fields.get("space", "none")[:40]
        raise InputError(f"{name}: space is {found}, expected one of {', '.join(SPACES)}", code="bad-affine")
    steps = _vectors(fields, "space directions", 3, name)
    origin = _vectors(fields, "space origin", 1, name)
    affine = np.eye(4)
    affine[:3] = np.asarray(signs)[:, None] * np.concatenate([steps, origin]).T
    sizes = _sizes(fields, name)
    return Grid((sizes[2], sizes[1], sizes[0]), affine)


def _vectors(fields: dict[str, str], key: str, count: int, name: str) -> FloatArray:
    """Return the vectors of a field as rows."""
    found = _VECTOR.findall(fields.get(key, ""))
    try:
        vectors = np.asarray([[float(n) for n in v.split(",")] for v in found], dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{name}: {key} is malformed", code="bad-affine") from error
    if vectors.shape != (count, 3) or not np.isfinite(vectors).all():
        raise InputError(f"{name}: {key} holds {len(found)} vectors, expected {count} of 3 numbers", code="bad-affine")
    return vectors
