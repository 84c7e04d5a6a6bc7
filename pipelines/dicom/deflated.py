"""Deflated files: refused before they are read where they would inflate beyond what memory can hold."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from planner.errors import InputError

DEFLATED = b"1.2.840.10008.1.2.1.99"
"""Deflated Explicit VR Little Endian: all but the file meta header is one deflate stream."""

MOST_INFLATED = 2**29
"""Bytes; a thousand slices of 512 x 512. A file of 1.5 MB can inflate to 1.5 GB, even where only its header is read."""

STEP = 2**20
_LENGTH_AT, _META_AT = 140, 144
"""Where the length of the file meta header stands, and where the header goes on."""


def require_bounded(path: Path, head: bytes, name: str) -> None:
    """Raise where a file, which begins with the bytes `head`, is deflated and too large inflated.

    Raises
    ------
    InputError
        It is, or its meta header does not say where the deflate stream begins.
    """
    if DEFLATED not in head:
        return
    if len(head) < _META_AT or head[132:136] != b"\x02\x00\x00\x00":
        raise InputError(f"{name}: deflated, and its meta header states no length", code="truncated-file")
    size = 0
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with path.open("rb") as stream:
        stream.seek(_META_AT + struct.unpack("<I", head[_LENGTH_AT:_META_AT])[0])
        while not inflater.eof and (packed := inflater.unconsumed_tail or stream.read(STEP)):
            size += len(inflater.decompress(packed, STEP))
            if size > MOST_INFLATED:
                raise InputError(f"{name}: deflated, more than {MOST_INFLATED // 10**6} MB inflated", code="too-large")
