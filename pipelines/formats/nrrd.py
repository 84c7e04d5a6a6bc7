"""NRRD files with attached data, their geometry from the header text, turned into LPS."""

from __future__ import annotations

import bz2
import re
import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import nrrd
import numpy as np
import numpy.typing as npt

from pipelines.formats.voxel_file import VoxelFile, file_sha256, require_size
from pipelines.limits import require_bytes
from planner.errors import InputError
from planner.grid import FloatArray, Grid

READ_FAULTS = (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
               zlib.error, nrrd.NRRDError)  # fmt: skip
"""What pynrrd raises on files it cannot read."""

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

LISTS = ("list", "vector")
"""Kinds of a first axis that counts volumes: overlapping segments of 3D Slicer lie in layers."""

STEP = 2**20
MOST_SKIPPED = 2**20
"""Bytes that a header may have skipped before its voxels (`byte skip`)."""

_PACKED: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "gz": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "bzip2": bz2.BZ2Decompressor,
    "bz2": bz2.BZ2Decompressor,
}
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t", "ushort",
                     "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t", "float"),
                    "u4"),
}  # fmt: skip
"""NRRD's names of types by a type of the same size; eight bytes for all others."""

MOST_LAYERS = 1000
"""More are taken for a malformed header."""

_SPATIAL_KINDS = ("domain", "space", "???", "none")
_VECTOR = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header (names in lower case), and the key/value pairs that programs add."""

    fields: Mapping[str, str]
    values: Mapping[str, str]


def read_nrrd(path: Path, name: str) -> VoxelFile:
    """Return what an NRRD file holds, on a lattice in LPS mm; messages call it `name`.

    Raises
    ------
    InputError
        The data are detached or truncated, or the header states no usable geometry.
    """
    header = read_header(path, name)
    if _kinds(header)[:1] and _kinds(header)[0] in LISTS:
        raise InputError(
            f"{name}: a list of {header.fields.get('sizes', '').split(' ')[0][:12]} volumes, expected three axes in"
            " space (of a segmentation of 3D Slicer, name a segment)",
            code="not-3d",
        )
    grid = grid_of(header, name)
    return VoxelFile(name, read_layers(path, header, name)[0], grid, file_sha256(path))


def read_layers(path: Path, header: Header, name: str) -> npt.NDArray[Any]:
    """Return the voxels, axes layer, k, j, i: one layer, or as many as the first axis of a list has.

    Raises
    ------
    InputError
        The data are truncated.
    """
    sizes = _sizes(header, name)
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")
            fields = nrrd.read_header(stream)
            _require_held(path, fields, stream, name)
            values = nrrd.read_data(fields, stream, str(path), index_order="C")
    except (InputError, PermissionError):
        raise
    except READ_FAULTS as error:
        raise InputError(
            f"{name}: cannot be read as NRRD ({type(error).__name__}); is the file truncated?", code="truncated-file"
        ) from error
    values = np.asarray(values, dtype=values.dtype.newbyteorder("="))
    layers: npt.NDArray[Any] = np.moveaxis(values, -1, 0) if len(sizes) == 4 and values.ndim == 4 else values[None]
    expected = (sizes[0] if len(sizes) == 4 else 1, *sizes[:-4:-1])
    if layers.shape != expected or values.dtype.kind not in "iufb":
        raise InputError(f"{name}: voxels of shape {values.shape}, expected {sizes[::-1]}", code="bad-shape")
    return layers


def _require_held(path: Path, fields: Mapping[str, Any], stream: BinaryIO, name: str) -> None:
    """Raise where a file holds fewer or many more bytes than its voxels, before memory is taken for them.

    Raises
    ------
    InputError
        It does.
    """
    item_bytes = np.dtype(_TYPES.get(str(fields["type"]).lower(), "f8")).itemsize
    stated = int(np.prod(fields["sizes"], dtype=object)) * item_bytes
    require_bytes(stated, name, "voxels")
    at = stream.tell()
    kind = fields["encoding"].lower()
    if kind == "raw" and stated > path.stat().st_size - at:
        raise InputError(
            f"{name}: the file is truncated, its header states {stated} bytes of voxels, it holds"
            f" {path.stat().st_size - at} after it",
            code="truncated-file",
        )
    if kind in _PACKED and _inflates_beyond(stream, _PACKED[kind](), stated + MOST_SKIPPED):
        raise InputError(f"{name}: unpacks to more than its header states ({stated} bytes of voxels)", code="too-large")
    stream.seek(at)


def _inflates_beyond(stream: BinaryIO, unpacker: Any, most: int) -> bool:
    """Return whether what is packed is longer than `most` bytes, unpacking no more than a step at a time."""
    size = 0
    while not unpacker.eof and (packed := stream.read(STEP)):
        while True:
            part = unpacker.decompress(packed, STEP)
            size += len(part)
            if size > most:
                return True
            packed = getattr(unpacker, "unconsumed_tail", b"")
            if not packed and (unpacker.eof or len(part) < STEP or getattr(unpacker, "needs_input", True)):
                break
    return False


def read_header(path: Path, name: str) -> Header:
    """Return the header of an NRRD file with attached data.

    Raises
    ------
    InputError
        It is no NRRD file, its data are in another file, or the header does not end.
    """
    with path.open("rb") as stream:
        head = stream.read(LONGEST_HEADER)
    end = re.search(rb"\r?\n\r?\n", head)
    if not head.startswith(b"NRRD000"):
        raise InputError(f"{name}: not an NRRD file", code="truncated-file")
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    for line in head[: end.start() if end else len(head)].decode("utf-8", "replace").splitlines()[1:]:
        key, separator, value = line.partition(":")
        if not separator or line.startswith("#"):
            continue
        if value.startswith("="):
            values[key.strip()] = value[1:].strip()
        else:
            fields[key.strip().lower()] = value.strip()
    if "data file" in fields or "datafile" in fields:
        raise InputError(f"{name}: its data are in another file, only attached data are read", code="detached-data")
    if end is None:
        raise InputError(f"{name}: the header does not end, the file is truncated", code="truncated-file")
    return Header(fields, values)


def _kinds(header: Header) -> list[str]:
    return header.fields.get("kinds", "").lower().split()


def _sizes(header: Header, name: str) -> tuple[int, ...]:
    """Return the sizes, three in space and before them that of a list, if any."""
    kinds = _kinds(header)
    try:
        sizes = tuple(int(n) for n in header.fields.get("sizes", "").split())
    except ValueError as error:
        raise InputError(f"{name}: sizes are not numbers", code="bad-number") from error
    listed = len(sizes) == 4 and kinds[:1] and kinds[0] in LISTS
    require_size(sizes[1:] if listed else sizes, name, 1)
    if listed and not 0 < sizes[0] <= MOST_LAYERS:
        raise InputError(f"{name}: {sizes[0]} layers, expected 1 to {MOST_LAYERS}", code="too-large")
    if any(kind not in _SPATIAL_KINDS for kind in (kinds[1:] if listed else kinds)):
        raise InputError(f"{name}: an axis of kind {', '.join(kinds)[:60]}, expected three in space", code="not-3d")
    return sizes


def grid_of(header: Header, name: str) -> Grid:
    """Return the lattice of the voxels.

    Raises
    ------
    InputError
        The header states none that can be used.
    """
    signs = SPACES.get(header.fields.get("space", "").lower())
    if signs is None:
        found = header.fields.get("space", "none")[:40]
        raise InputError(f"{name}: space is {found}, expected one of {', '.join(SPACES)}", code="bad-affine")
    units = set(re.findall(r'"([^"]*)"', header.fields.get("space units", ""))) - {""}
    if units - {"mm", "millimeter", "millimeters"}:
        raise InputError(f"{name}: space units {', '.join(sorted(units))[:40]}, expected mm", code="bad-units")
    steps = _vectors(header, "space directions", 3, name)
    origin = _vectors(header, "space origin", 1, name)
    affine = np.eye(4)
    affine[:3] = np.asarray(signs)[:, None] * np.concatenate([steps, origin]).T
    i, j, k = _sizes(header, name)[-3:]
    return Grid((k, j, i), affine)


def _vectors(header: Header, key: str, count: int, name: str) -> FloatArray:
    """Return the vectors of a field as rows."""
    found = _VECTOR.findall(header.fields.get(key, ""))
    try:
        vectors = np.asarray([[float(n) for n in v.split(",")] for v in found], dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{name}: {key} is malformed", code="bad-affine") from error
    if vectors.shape != (count, 3) or not np.isfinite(vectors).all():
        raise InputError(f"{name}: {key} holds {len(found)} vectors, expected {count} of 3 numbers", code="bad-affine")
    return vectors
