"""DICOM files as bytes: elements that say anything, however wrong, which a library would refuse to write."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA, TRANSFER_SYNTAX = 0x7FE00010, 0x00020010


@dataclass
class Element:
    """An element: `length` is what it states of its length, None where that is true."""

    tag: int
    vr: bytes
    value: bytes
    length: int | None = None

    def coded(self) -> bytes:
        """Return its bytes, explicit VR little endian."""
        length = len(self.value) if self.length is None else self.length
        head = struct.pack("<HH", self.tag >> 16, self.tag & 0xFFFF) + self.vr
        head += struct.pack("<HI", 0, length) if self.vr in LONG else struct.pack("<H", length)
        return head + self.value


def padded(value: bytes, fill: bytes = b" ") -> bytes:
    """Return a value of even length."""
    return value + fill[: len(value) % 2]


def item(content: bytes, length: int | None = None) -> bytes:
    """Return a sequence's item."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


def delimiter(tag: int) -> bytes:
    """Return an end of an item or a sequence."""
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, 0)


def encapsulated(fragments: Sequence[bytes]) -> bytes:
    """Return compressed pixel data: an empty offset table, fragments, the end."""
    return item(b"") + b"".join(item(padded(f, b"\0")) for f in fragments) + delimiter(SEQUENCE_END)


@dataclass
class File:
    """A DICOM file, explicit VR little endian, as a list of elements."""

    meta: list[Element] = field(default_factory=list)
    body: list[Element] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> File:
        """Return a sound file's elements; sequences stay bytes."""
        content, at, found = path.read_bytes(), 132, cls()
        while at < len(content):
            group, number = struct.unpack_from("<HH", content, at)
            vr, tag = content[at + 4 : at + 6], group << 16 | number
            long = vr in LONG
            length = struct.unpack_from("<I" if long else "<H", content, at + (8 if long else 6))[0]
            at += 12 if long else 8
            if length == UNDEFINED:
                found.body.append(Element(tag, vr, content[at:], UNDEFINED))  # our encapsulated pixels are last
                break
            (found.meta if group == 2 else found.body).append(Element(tag, vr, content[at : at + length]))
            at += length
        return found

    def put(self, tag: int, vr: bytes, value: bytes, length: int | None = None) -> File:
        """Set an element, in the order of tags."""
        part = self.meta if tag >> 16 == 2 else self.body
        part[:] = sorted([e for e in part if e.tag != tag] + [Element(tag, vr, padded(value, b"\0" if vr in (b"UI", b"OB", b"OW", b"UN") else b" "), length)], key=lambda e: e.tag)  # fmt: skip  # noqa: E501
        return self

    def drop(self, *tags: int) -> File:
        """Leave out elements."""
        self.body = [e for e in self.body if e.tag not in tags]
        return self

    def value(self, tag: int) -> bytes:
        """Return an element's bytes."""
        return next(e.value for e in (*self.meta, *self.body) if e.tag == tag)

    def compress(self, syntax: str, fragments: Sequence[bytes]) -> File:
        """Take another transfer syntax, and its fragments for pixel data."""
        self.put(TRANSFER_SYNTAX, b"UI", syntax.encode())
        self.body = [e for e in self.body if e.tag != PIXEL_DATA]
        self.body.append(Element(PIXEL_DATA, b"OB", encapsulated(fragments), UNDEFINED))
        return self

    def coded_meta(self) -> bytes:
        """Return the file meta header."""
        rest = b"".join(e.coded() for e in self.meta if e.tag != 0x00020000)
        return Element(0x00020000, b"UL", struct.pack("<I", len(rest))).coded() + rest

    def coded_body(self) -> bytes:
        """Return the data set."""
        return b"".join(e.coded() for e in self.body)

    def write(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" * 128 + b"DICM" + self.coded_meta() + self.coded_body())
