"""Decoded, rescaled slices of a series in one array."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipelines.dicom.index import READ_FAULTS, quiet_pydicom, safe_text
from planner.errors import InputError, located
from planner.volume import FloatVoxels

THREADS = 2
"""Decoders release the interpreter lock; two threads halve the time of a JPEG 2000 series."""

MOST_VOXELS = 2_000_000_000
"""More than this is taken for a malformed header."""


@dataclass(frozen=True, slots=True)
class SliceSource:
    """Where a slice's pixels are and how stored values become physical ones."""

    path: Path
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Voxels of a series, axes k, j, i, and the SHA-256 of its files in slice order."""

    voxels_kji: FloatVoxels
    sha256: str


def read_pixels(
    slices: Sequence[SliceSource], shape: tuple[int, int], on_slice: Callable[[int], None] = lambda _: None
) -> Pixels:
    """Return the voxels of `slices`, decoded by two threads into one array.

    Raises
    ------
    InputError
        A file is truncated, cannot be decoded, or holds another number of pixels than its header says.
    """
    if len(slices) * shape[0] * shape[1] > MOST_VOXELS:
        raise InputError(f"{len(slices)} slices of {shape[0]} x {shape[1]} pixels are too large", code="too-large")
    voxels = np.empty((len(slices), *shape), dtype=np.float32)

    def fill(k: int) -> bytes:
        with located(safe_text(slices[k].path.name)):
            return _read_slice(slices[k], voxels[k], f"slice {k + 1} of {len(slices)}")

    with quiet_pydicom(), ThreadPoolExecutor(THREADS) as pool:
        digests = []
        for k, digest in enumerate(pool.map(fill, range(len(slices)))):
            on_slice(k)
            digests.append(digest)
    return Pixels(voxels, hashlib.sha256(b"".join(digests)).hexdigest())


def _read_slice(source: SliceSource, out: FloatVoxels, place: str) -> bytes:
    """Fill `out` and return the SHA-256 of the file."""
    try:
        content = source.path.read_bytes()
        dataset = pydicom.dcmread(BytesIO(content), force=True)
    except READ_FAULTS as error:
        raise InputError(f"{place}: the file is truncated or unreadable", code="truncated-file") from error
    state_syntax(dataset)
    if not dataset.get("PixelData"):
        raise InputError(f"{place}: the file is truncated, it holds no complete pixel data", code="truncated-file")
    require_decoder(dataset, place)
    try:
        stored = dataset.pixel_array
    except READ_FAULTS as error:
        raise _decode_error(dataset, place, error) from error
    if stored.shape != out.shape:
        raise InputError(
            f"{place}: pixels of shape {stored.shape}, expected {out.shape}",
            code="cannot-decode",
        )
    np.multiply(stored, source.slope, out=out, casting="unsafe", dtype=np.float64)
    out += np.float32(source.intercept)
    return hashlib.sha256(content).digest()


def state_syntax(dataset: FileDataset) -> None:
    """Fill in the transfer syntax that a file without meta header was read in: decoders want it stated."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def require_decoder(dataset: FileDataset, place: str) -> None:
    """Raise unless the pixel data are uncompressed or a decoder for them is installed."""
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise InputError(f"{place}: unknown transfer syntax {safe_text(syntax)}", code="cannot-decode") from error
    if not decoder.is_available:
        raise InputError(
            f"{place}: no decoder installed for transfer syntax {syntax.name} ({syntax}):"
            f" {safe_text('; '.join(decoder.missing_dependencies), 200)}",
            code="missing-decoder",
        )


def _decode_error(dataset: FileDataset, place: str, error: Exception) -> InputError:
    """Return the error for pixel data that a decoder refused: too short, or malformed."""
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        bits = int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) * int(dataset.get("BitsAllocated", 0))
        bits *= int(dataset.get("NumberOfFrames", 1) or 1)
        if len(dataset.PixelData) * 8 < bits:
            return InputError(
                f"{place}: the file is truncated, {len(dataset.PixelData)} of {bits // 8} bytes of pixel data",
                code="truncated-file",
            )
    return InputError(f"{place}: the pixels cannot be decoded ({type(error).__name__})", code="cannot-decode")
