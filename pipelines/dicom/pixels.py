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

from pipelines.dicom.codecs import NATIVE, Stored, decoder_of, native_frame, state_syntax, stored_frames
from pipelines.dicom.codestreams import require_codestreams
from pipelines.dicom.frames import Frame
from pipelines.dicom.index import READ_FAULTS, quiet_pydicom, read_instance
from pipelines.dicom.shown import safe_text
from pipelines.limits import changed, content_of, require_bytes, stamp_of, within_limits
from planner.errors import InputError, located
from planner.volume import FloatVoxels

THREADS = 2
"""Decoders release the interpreter lock; two threads halve the time of a JPEG 2000 series."""

FRAMES_AT_ONCE = 16
"""Frames of a multi-frame file that one thread decodes in a go."""

MOST_VOXELS = 2_000_000_000
"""A mask of more than this is taken for a malformed header."""

VOXEL_BYTES = 4
"""Bytes of a voxel in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Voxels of a series, axes k, j, i, and the SHA-256 of its files in slice order."""

    voxels_kji: FloatVoxels
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What is read, into what, and who is told."""

    slices: Sequence[Frame]
    voxels_kji: FloatVoxels
    on_slice: Callable[[int], None]

    def place(self, k: int) -> str:
        return f"slice {k + 1} of {len(self.slices)}"

    def put(self, k: int, stored: Stored) -> None:
        """Take over a slice's stored values."""
        source, out = self.slices[k], self.voxels_kji[k]
        if stored.shape != out.shape:
            raise InputError(
                f"{self.place(k)}: pixels of shape {stored.shape}, expected {out.shape}", code="cannot-decode"
            )
        if source.slope == 1:
            out[...] = stored
        else:
            np.multiply(stored, source.slope, out=out, casting="unsafe", dtype=np.float64)
        if source.intercept:
            out += np.float32(source.intercept)


def read_pixels(
    slices: Sequence[Frame], shape: tuple[int, int], on_slice: Callable[[int], None] = lambda _: None
) -> Pixels:
    """Return the voxels of `slices`, decoded by two threads into one array.

    Raises
    ------
    InputError
        A file is truncated, cannot be decoded, or holds another number of pixels than its header says.
    """
    what = f"{len(slices)} slices of {shape[0]} x {shape[1]} pixels"
    require_bytes(len(slices) * shape[0] * shape[1] * VOXEL_BYTES, "the image", what)
    for k, source in enumerate(slices):
        _require_held(source, f"slice {k + 1} of {len(slices)}")
    reading = _Reading(slices, np.empty((len(slices), *shape), dtype=np.float32), on_slice)
    files: dict[Path, list[int]] = {}
    for k, source in enumerate(slices):
        files.setdefault(source.path, []).append(k)
    with quiet_pydicom(), ThreadPoolExecutor(THREADS) as pool:
        if len(files) == len(slices):
            digests = _read_single(reading, pool)
        else:
            digests = [_read_frames(reading, path, ks, pool) for path, ks in files.items()]
    reading.voxels_kji.setflags(write=False)
    return Pixels(reading.voxels_kji, hashlib.sha256(b"".join(digests)).hexdigest())


def _read_single(reading: _Reading, pool: ThreadPoolExecutor) -> list[bytes]:
    """Read files of which one frame each is wanted, and return the SHA-256 of each."""

    def fill(k: int) -> bytes:
        source, place = reading.slices[k], reading.place(k)
        with located(safe_text(source.path.name)), within_limits(place):
            content = _content(source, place)
            try:
                reading.put(k, _only_frame(content, source, place))
            except InputError:
                raise
            except READ_FAULTS as error:
                raise _decode_error(_opened(content, place), place, error) from error
        return hashlib.sha256(content).digest()

    digests = []
    for k, digest in enumerate(pool.map(fill, range(len(reading.slices)))):
        reading.on_slice(k)
        digests.append(digest)
    return digests


def _read_frames(reading: _Reading, path: Path, ks: Sequence[int], pool: ThreadPoolExecutor) -> bytes:
    """Read the frames of one file that are the slices `ks`, and return its SHA-256."""
    place = reading.place(ks[0])
    with located(safe_text(path.name)), within_limits(place):
        content = _content(reading.slices[ks[0]], place)
        dataset = _opened(content, place)
        decoder_of(dataset, place)
        require_codestreams(dataset, place)
        ordered = sorted(ks, key=lambda k: reading.slices[k].number)
        count = int(dataset.get("NumberOfFrames") or 1)
        _require_length(dataset, count, place)
        if reading.slices[ordered[-1]].number >= count:
            raise InputError(f"{reading.place(ordered[-1])}: the file holds {count} frames", code="cannot-decode")

        def fill(some: Sequence[int]) -> None:
            frames = [reading.slices[k].number for k in some]
            try:
                for k, stored in zip(some, stored_frames(dataset, frames, reading.place(some[0])), strict=True):
                    reading.put(k, stored)
            except InputError:
                raise
            except READ_FAULTS as error:
                raise _decode_error(dataset, reading.place(some[0]), error) from error

        batches = [ordered[n : n + FRAMES_AT_ONCE] for n in range(0, len(ordered), FRAMES_AT_ONCE)]
        for some, _ in zip(batches, pool.map(fill, batches), strict=True):
            for k in some:
                reading.on_slice(k)
    return hashlib.sha256(content).digest()


def _require_length(dataset: FileDataset, frames: int, place: str) -> None:
    """Raise where uncompressed pixel data are longer than the frames that are stated."""
    rows, columns, bits = (int(dataset.get(keyword) or 0) for keyword in ("Rows", "Columns", "BitsAllocated"))
    expected, held = frames * rows * columns * bits // 8, len(dataset.PixelData)
    if not dataset.file_meta.TransferSyntaxUID.is_compressed and held > expected + 1:
        raise InputError(f"{place}: {held} bytes of pixel data, expected {expected}", code="cannot-decode")


def _require_held(source: Frame, place: str) -> None:
    """Raise where a file is shorter than its uncompressed pixels would be, before memory is taken for them.

    Raises
    ------
    InputError
        It is.
    """
    instance = source.instance
    if instance.syntax not in NATIVE or instance.enhanced or instance.stamp is None:
        return
    stated = source.plane.shape[0] * source.plane.shape[1] * int(instance.header.get("BitsAllocated") or 0) // 8
    if stated > instance.stamp.size:
        raise InputError(
            f"{place}: the file is truncated, its header states {stated} bytes of pixel data, it holds"
            f" {instance.stamp.size} in all",
            code="truncated-file",
            where=safe_text(source.path.name),
        )


def _content(source: Frame, place: str) -> bytes:
    """Return a file's bytes; one that was replaced since its header was read must have the same header still."""
    known = source.instance
    try:
        stamp = stamp_of(source.path)
        content = content_of(source.path, place, stamp)
    except OSError as error:
        raise InputError(f"{place}: the file is unreadable", code="truncated-file") from error
    if known.stamp not in (None, stamp):
        now = read_instance(source.path, place)
        same = now is not None and (now.stamp, now.header, now.patient) == (stamp, known.header, known.patient)
        if known.enhanced or not same:
            raise changed(place)
    return content


def _only_frame(content: bytes, source: Frame, place: str) -> Stored:
    """Return the stored values of a frame whose file holds no other that is wanted."""
    instance = source.instance
    if instance.syntax in NATIVE and not instance.enhanced:
        stored = native_frame(content, instance.header, instance.syntax, instance.pixels_at)
        if stored is not None:
            return stored
    dataset = _opened(content, place)
    decoder_of(dataset, place)
    require_codestreams(dataset, place)
    return next(stored_frames(dataset, [source.number], place))


def _opened(content: bytes, place: str) -> FileDataset:
    """Return a file that holds pixel data."""
    try:
        dataset = pydicom.dcmread(BytesIO(content), force=True)
        held = dataset.get("PixelData")
    except READ_FAULTS as error:
        raise InputError(f"{place}: the file is truncated or unreadable", code="truncated-file") from error
    state_syntax(dataset)
    if not held:
        raise InputError(f"{place}: the file is truncated, it holds no complete pixel data", code="truncated-file")
    return dataset


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
