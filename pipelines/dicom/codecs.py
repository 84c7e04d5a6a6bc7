"""Stored pixel values by pydicom, each compressed transfer syntax by the one decoder that was found exact for it."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLETransferSyntaxes,
)

from pipelines.dicom.shown import safe_text
from pipelines.quiet import libraries_silenced
from planner.errors import InputError

Stored = npt.NDArray[np.integer]

PLUGINS = {
    **dict.fromkeys(map(str, JPEGTransferSyntaxes), "gdcm"),
    **dict.fromkeys(map(str, JPEGLSTransferSyntaxes), "pyjpegls"),
    **dict.fromkeys(map(str, JPEG2000TransferSyntaxes), "pylibjpeg"),
    **dict.fromkeys(map(str, RLETransferSyntaxes), "pydicom"),
}
"""Transfer syntax -> pydicom's name of the decoder. Without it pydicom tries whatever happens to be installed."""

NATIVE = (str(ImplicitVRLittleEndian), str(ExplicitVRLittleEndian))
"""Uncompressed little-endian transfer syntaxes."""

_AS_STORED: dict[str, Any] = {"correct_unused_bits": False}
_ONE_AT_A_TIME = Lock()
_PIXEL_DATA = b"\xe0\x7f\x10\x00"

logging.getLogger("pydicom").setLevel(logging.CRITICAL)
"""What pydicom's decoders remark on a bad file would precede our one line about it."""


def state_syntax(dataset: FileDataset) -> None:
    """Fill in the transfer syntax that a file without meta header was read in: decoders want it stated."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def decoder_of(dataset: FileDataset, place: str) -> Decoder:
    """Return the decoder of a file's pixel data.

    Raises
    ------
    InputError
        The transfer syntax is unknown, or the decoder for it is not installed.
    """
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise InputError(f"{place}: unknown transfer syntax {safe_text(syntax)}", code="cannot-decode") from error
    plugin = PLUGINS.get(str(syntax), "")
    if plugin and plugin not in decoder.available_plugins:
        raise InputError(
            f"{place}: no decoder installed for transfer syntax {syntax.name} ({syntax}):"
            f" {safe_text('; '.join(decoder.missing_dependencies) or plugin, 200)}",
            code="missing-decoder",
        )
    return decoder


def stored_frames(dataset: FileDataset, frames: Sequence[int], place: str) -> Iterator[Stored]:
    """Yield the stored values of frames, rows x columns.

    Raises
    ------
    InputError
        There is no decoder.
    Exception
        Whatever pydicom raises on pixel data that it cannot decode.
    """
    decoder = decoder_of(dataset, place)
    plugin = PLUGINS.get(str(dataset.file_meta.TransferSyntaxUID), "")
    if plugin == "gdcm":
        yield from _by_gdcm(decoder, dataset, frames)
    elif int(dataset.get("NumberOfFrames") or 1) > 1:
        found = decoder.iter_array(dataset, indices=list(frames), raw=True, decoding_plugin=plugin)
        yield from (values for values, _ in found)
    else:
        for _ in frames:
            yield decoder.as_array(dataset, raw=True, decoding_plugin=plugin)[0]


def _by_gdcm(decoder: Decoder, dataset: FileDataset, frames: Sequence[int]) -> Iterator[Stored]:
    """Yield frames by GDCM, which writes what it dislikes of a file to the process's stderr."""
    for frame in frames:
        with _ONE_AT_A_TIME, libraries_silenced():
            values, _ = decoder.as_array(dataset, index=frame, raw=True, decoding_plugin="gdcm")
        yield values


def native_frame(content: bytes, header: Dataset, syntax: str, at: int) -> Stored | None:
    """Return the stored values of an uncompressed single-frame file of which the header was read before.

    None where the pixel data element does not begin at byte `at`, or is not of the size that the header says: then the
    file is to be read whole.
    """
    if content[at : at + 4] != _PIXEL_DATA:
        return None
    explicit = syntax == NATIVE[1]
    begins = at + (12 if explicit else 8)
    length = struct.unpack("<I", content[begins - 4 : begins])[0] if len(content) >= begins else 0
    rows, columns, bits = (int(header.get(key) or 0) for key in ("Rows", "Columns", "BitsAllocated"))
    if length != (size := rows * columns * bits // 8) + size % 2 or begins + length > len(content):
        return None
    options: dict[str, Any] = as_pixel_options(header, pixel_keyword="PixelData", pixel_vr="OW")
    options |= {"number_of_frames": 1, "view_only": True, "raw": True}
    decoder, values = get_decoder(UID(syntax)), memoryview(content)[begins : begins + length]
    stored: Stored = decoder.as_array(values, **options, **_AS_STORED)[0]
    # pydicom clears the bits beyond BitsStored in two passes; a look at the extremes shows that there are none.
    return stored if _within(stored, int(header.BitsStored)) else decoder.as_array(values, **options)[0]


def _within(stored: Stored, bits: int) -> bool:
    """Return whether no value needs more than so many bits."""
    signed = stored.dtype.kind == "i"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return int(stored.min()) >= low and int(stored.max()) <= high
