"""Compressed frames, looked at before a decoder is: one of another size than the header says may end the process."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

from pydicom.dataset import FileDataset
from pydicom.encaps import generate_frames
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes, RLELossless

from planner.errors import InputError

FRAGMENTS_PER_FRAME = 1_000
"""A frame in more pieces is taken for malformed; a file may have so many whatever its frames."""

RLE_SLACK = 2
"""Bytes that a packed segment may take for each of its pixels: one that grows when packed takes 129 for 128."""

_ITEM, _UNDEFINED = b"\xfe\xff\x00\xe0", 0xFFFFFFFF
_J2K_START = b"\xff\x4f\xff\x51"
_NO_FRAME_HEADER = (0xC4, 0xC8, 0xCC)
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))
_LOOKED_AT = 2**16

_J2K = frozenset(map(str, JPEG2000TransferSyntaxes))
_JPEG = frozenset(map(str, (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes)))


def require_codestreams(dataset: FileDataset, place: str) -> None:
    """Raise where compressed pixel data are of other pixels than the header says, or in too many pieces.

    Raises
    ------
    InputError
        They are.
    """
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax not in _J2K and syntax not in _JPEG and syntax != str(RLELossless):
        return
    frames = int(dataset.get("NumberOfFrames") or 1)
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    _require_few_fragments(dataset.PixelData, frames, place)
    for frame in _frames(dataset.PixelData, frames):
        if syntax == str(RLELossless):
            _require_short(len(frame), rows * columns, dataset, place)
            continue
        stated = _j2k_size(frame) if syntax in _J2K else _jpeg_size(frame[:_LOOKED_AT])
        if stated is not None and stated != (rows, columns):
            raise InputError(
                f"{place}: the compressed pixels are of {stated[0]} x {stated[1]}, expected {rows} x {columns} as the"
                " header says",
                code="cannot-decode",
            )


def _frames(content: bytes, frames: int) -> Iterator[bytes]:
    """Yield the frames, as far as they can be told apart: a decoder will say what is wrong with the rest."""
    with suppress(ValueError, struct.error, EOFError, IndexError):
        found: Iterable[bytes] = generate_frames(content, number_of_frames=frames)
        yield from found


def _require_few_fragments(content: bytes, frames: int, place: str) -> None:
    most, at, count = FRAGMENTS_PER_FRAME * max(frames, 1), 0, -1  # the first item is the offset table
    while content[at : at + 4] == _ITEM and at + 8 <= len(content):
        length = struct.unpack_from("<I", content, at + 4)[0]
        at += 8 + length
        count += 1
        if length == _UNDEFINED:
            return
        if count > most:
            raise InputError(
                f"{place}: compressed pixels in more than {most} pieces, expected one for each of {frames} frames",
                code="cannot-decode",
            )


def _require_short(held: int, pixels: int, dataset: FileDataset, place: str) -> None:
    """Raise where run-length packed pixels are so long that unpacked they would be many times the image."""
    values = int(dataset.get("SamplesPerPixel") or 1) * max(1, int(dataset.get("BitsAllocated") or 8) // 8)
    most = 64 + RLE_SLACK * values * (pixels + 64)
    if held > most:
        raise InputError(
            f"{place}: {held} bytes of run-length packed pixels, expected at most {most} for {pixels} pixels",
            code="cannot-decode",
        )


def _j2k_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG 2000 codestream states (ISO 15444-1 A.5.1), None where it is none."""
    at = frame[:_LOOKED_AT].find(_J2K_START)
    if at < 0 or len(frame) < at + 24:
        return None
    columns, rows, left, top = struct.unpack_from(">4I", frame, at + 8)
    return rows - top, columns - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG or JPEG-LS frame header states (ISO 10918-1 B.2.2), None if it does not."""
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER) or marker == 0xF7:
            rows, columns = struct.unpack_from(">2H", frame, at + 5)
            return (rows, columns) if rows else None  # 0: stated after the scan
        at += 2 + int(struct.unpack_from(">H", frame, at + 2)[0])
    return None
