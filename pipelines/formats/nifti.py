"""NIfTI-1 and NIfTI-2 files, RAS turned into LPS."""

from __future__ import annotations

import gzip
import logging
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.filebasedimages import ImageFileError
from nibabel.imageglobals import logger as nibabel_log
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from pipelines.formats.totalsegmentator import label_table
from pipelines.formats.voxel_file import NIFTI_SUFFIXES, VoxelFile, file_sha256, require_size, suffix_of
from planner.errors import InputError
from planner.grid import SAME_PLACE_MM, FloatArray, Grid

READ_FAULTS = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    OverflowError,
    zlib.error,
    gzip.BadGzipFile,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)
GZIP_START = b"\x1f\x8b"
SCALED_BYTES = 8
"""Bytes of a voxel whose stored value is scaled by the header."""

NIFTI1_SIZE, NIFTI2_SIZE = 348, 540
"""Sizes of the headers, bytes, with which a file begins."""

SPACE_UNIT_BITS, UNIT_UNSTATED, UNIT_MM = 7, 0, 2
OTHER_UNITS = {1: "meter", 3: "micron"}
"""Of xyzt_units: which bits are the unit of space, and what they mean (the others are of time, which no mask has)."""

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

nibabel_log.setLevel(logging.CRITICAL)
"""What nibabel remarks on a bad header would precede our one line about the file."""


def read_nifti(path: Path, name: str) -> VoxelFile:
    """Return what a NIfTI file holds, on a lattice in LPS mm; messages call it `name`.

    Raises
    ------
    InputError
        The file is truncated, not three-dimensional, not in mm, or its transforms are missing, not finite, or disagree.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = nibabel.Nifti1Image if _is_nifti1(path) else nibabel.Nifti2Image
            image = kind.from_filename(path, mmap=False)  # a mapped file that is cut meanwhile ends the process
            header = image.header
            affine, shape = _ras_from_ijk(header, name), _shape(header)
            require_size(shape, name, _bytes_each(header))
            _require_held(path, header, shape, name)
            values = np.asanyarray(image.dataobj).reshape(shape)
    except (InputError, PermissionError):
        raise
    except READ_FAULTS as error:
        raise _unreadable(path, name, error) from error
    if values.dtype.kind not in "iufb":
        raise InputError(f"{name}: values of type {values.dtype}, expected numbers", code="bad-image")
    grid = Grid((shape[2], shape[1], shape[0]), LPS_FROM_RAS @ affine)
    return VoxelFile(name, values.transpose(2, 1, 0), grid, file_sha256(path), label_table(_extensions(header)))


def _bytes_each(header: nibabel.Nifti1Header) -> int:
    """Return the bytes of a voxel, as many as a scaled one takes where the header scales them."""
    slope, intercept = header.get_slope_inter()
    scaled = slope is not None and (slope, intercept) != (1.0, 0.0)
    stored = int(header.get_data_dtype().itemsize)
    return stored + SCALED_BYTES if scaled else stored


def _require_held(path: Path, header: nibabel.Nifti1Header, shape: tuple[int, ...], name: str) -> None:
    """Raise where an unpacked file is shorter than its voxels, before memory is taken for them.

    Raises
    ------
    InputError
        It is.
    """
    stated = int(np.prod(shape, dtype=object)) * int(header.get_data_dtype().itemsize)
    held = path.stat().st_size
    if not _is_packed(path) and stated > held:
        raise InputError(
            f"{name}: the file is truncated, its header states {stated} bytes of voxels, it holds {held} in all",
            code="truncated-file",
        )


def has_label_table(path: Path) -> bool:
    """Return whether a NIfTI file's header holds TotalSegmentator's label table; no file that cannot be read does."""
    if suffix_of(path) not in NIFTI_SUFFIXES:
        return False
    with suppress(*READ_FAULTS), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = nibabel.Nifti1Image if _is_nifti1(path) else nibabel.Nifti2Image
        return bool(label_table(_extensions(kind.from_filename(path).header)))
    return False


def _extensions(header: nibabel.Nifti1Header) -> bytes:
    return b"".join(bytes(e.get_content()) for e in header.extensions if isinstance(e.get_content(), bytes))


def _is_nifti1(path: Path) -> bool:
    head = _head(path)
    return NIFTI2_SIZE not in (int.from_bytes(head, "little"), int.from_bytes(head, "big"))


def _head(path: Path) -> bytes:
    """Return the first four bytes, unpacked: the size of the header in a NIfTI file."""
    opener = gzip.open if _is_packed(path) else open
    with opener(path, "rb") as stream:
        return bytes(stream.read(4))


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _unreadable(path: Path, name: str, error: BaseException) -> InputError:
    """Return what to say of a file that could not be read: of another kind by its first bytes, else cut short."""
    with suppress(*READ_FAULTS):
        with path.open("rb") as stream:
            start = stream.read(2)
        if _is_packed(path) and len(start) == 2 and start != GZIP_START:
            return InputError(f"{name}: is not a gzip file, expected a NIfTI file packed by gzip", code="not-nifti")
        head = _head(path)
        sizes = (int.from_bytes(head, "little"), int.from_bytes(head, "big"))
        if len(head) == 4 and not {NIFTI1_SIZE, NIFTI2_SIZE} & set(sizes):
            return InputError(f"{name}: is not a NIfTI file", code="not-nifti")
    return InputError(
        f"{name}: cannot be read as NIfTI ({type(error).__name__}); is the file truncated?", code="truncated-file"
    )


def _shape(header: nibabel.Nifti1Header) -> tuple[int, ...]:
    """Return the sizes without trailing dimensions of size 1 beyond the third."""
    shape = tuple(int(n) for n in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _ras_from_ijk(header: nibabel.Nifti1Header, name: str) -> FloatArray:
    """Return the map of voxel indices to RAS mm; where sform and qform are both coded, they must agree."""
    unit = int(header["xyzt_units"]) & SPACE_UNIT_BITS
    if unit not in (UNIT_UNSTATED, UNIT_MM):
        raise InputError(f"{name}: in {OTHER_UNITS.get(unit, 'an unknown unit')}, expected mm", code="bad-units")
    found = [header.get_sform(coded=True)[0], _qform(header)]
    coded = [a for a in found if a is not None]
    if not coded:
        raise InputError(f"{name}: neither sform nor qform says where the voxels lie", code="no-geometry")
    if not all(np.isfinite(a).all() for a in coded):
        raise InputError(f"{name}: the affine is not finite", code="bad-affine")
    if len(coded) == 2:
        far_mm = _apart_mm(coded[0], coded[1], header.get_data_shape())
        if far_mm > SAME_PLACE_MM:
            raise InputError(f"{name}: sform and qform differ by up to {far_mm:.4g} mm", code="bad-affine")
    return np.asarray(coded[0], dtype=np.float64)


def _qform(header: nibabel.Nifti1Header) -> npt.NDArray[np.float64] | None:
    affine = header.get_qform(coded=True)[0]
    return None if affine is None else np.asarray(affine)


def _apart_mm(one: FloatArray, other: FloatArray, shape: tuple[int, ...]) -> float:
    """Return the largest distance between the corners that two affines give."""
    ends = [(0, n - 1) for n in shape[:3]]
    corners = np.asarray([(i, j, k, 1) for i in ends[0] for j in ends[1] for k in ends[2]], dtype=np.float64)
    return float(np.linalg.norm(corners @ (one - other).T, axis=1).max())
