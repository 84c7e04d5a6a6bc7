"""How a DICOM header is built, walked element by element: refused where a reader would be lost in it.

A walk needs no memory and little time, whatever lengths and depths are stated. It judges what it understands: a
header that is coded in some other way is left to pydicom.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from planner.errors import InputError

MOST_ELEMENTS = 20_000
"""Elements beside each other in a header: scanners write some hundreds, a private dictionary some thousands."""

MOST_NESTED = 1_000_000
"""Elements in sequences that do not state their length: a segmentation of 100 structures on 300 slices has so many."""

MOST_ITEMS = 100_000
"""Items of one sequence: frames of a multi-frame file, contours of a region."""

DEEPEST = 40
"""Sequences within sequences: a structured report has some ten."""

_LONG = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"))
_SHORT = frozenset((b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH",
                    b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"))  # fmt: skip
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END, _PIXELS = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x7FE00000
_WINDOW = 2**14
_META_LENGTH = b"\x02\x00\x00\x00"
_NOT_WALKED = (b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2")


@dataclass
class _Walk:
    """Where a walk through a header is."""

    stream: BinaryIO
    size: int
    name: str
    at: int
    explicit: bool = True
    window: bytes = b""
    window_at: int = 0
    beside: int = 0
    nested: int = 0
    items: list[int] = field(default_factory=list)

    def head(self) -> bytes:
        """Return twelve bytes from here on, fewer at the file's end."""
        begins = self.at - self.window_at
        if begins < 0 or begins + 12 > len(self.window):
            self.stream.seek(self.at)
            self.window, self.window_at, begins = self.stream.read(_WINDOW), self.at, 0
        return self.window[begins : begins + 12]

    def count(self, tag: int) -> None:
        """Count an element or an item.

        Raises
        ------
        InputError
            They are too many.
        """
        if tag == _ITEM and self.items:
            self.items[-1] += 1
            self._bound(self.items[-1], MOST_ITEMS, "items in a sequence")
        if self.items:
            self.nested += 1
            self._bound(self.nested, MOST_NESTED, "elements in sequences")
        else:
            self.beside += 1
            self._bound(self.beside, MOST_ELEMENTS, "elements")

    def enter(self) -> None:
        """Go into a sequence.

        Raises
        ------
        InputError
            It lies too deep.
        """
        self.items.append(0)
        if len(self.items) > DEEPEST:
            raise InputError(
                f"{self.name}: the header nests sequences more than {DEEPEST} deep, expected a few", code="too-deep"
            )

    def _bound(self, count: int, most: int, what: str) -> None:
        if count > most:
            raise InputError(f"{self.name}: the header holds more than {most} {what}", code="too-large")


def require_readable(stream: BinaryIO, head: bytes, name: str) -> None:
    """Raise where the header of a file that begins with the bytes `head` cannot be read in reasonable time.

    Deflated and big-endian ones are not judged.

    Raises
    ------
    InputError
        An element ends after the file does, or there are too many, or sequences too deep.
    """
    if any(other in head for other in _NOT_WALKED):
        return
    at = 132 if head[128:132] == b"DICM" else 0
    if head[at : at + 4] == _META_LENGTH and len(head) >= at + 12:
        at += 12 + int(struct.unpack_from("<I", head, at + 8)[0])
    walk = _Walk(stream, stream.seek(0, os.SEEK_END), name, at)
    first = walk.head()
    walk.explicit = first[4:6] in _SHORT or first[4:6] in _LONG
    while _step(walk):
        pass


def _step(walk: _Walk) -> bool:
    """Go on by one element; return whether there is more to be judged."""
    head = walk.head()
    if len(head) < 8:
        return False
    group, number = struct.unpack_from("<HH", head)
    tag = group << 16 | number
    size, length, is_sequence = _form(walk, head, tag)
    if size == 0 or (tag >= _PIXELS and tag >> 16 != 0xFFFE and not walk.items):
        return False
    if tag in (_ITEM_END, _SEQUENCE_END):
        if tag == _SEQUENCE_END and walk.items:
            walk.items.pop()
        walk.at += size
        return True
    walk.count(tag)
    walk.at += size
    if length == _UNDEFINED:
        if is_sequence:
            walk.enter()
        return is_sequence or tag == _ITEM
    if walk.at + length > walk.size:
        raise InputError(
            f"{walk.name}: an element of the header ({group:04x},{number:04x}) states {length} bytes, and the file ends"
            f" after {walk.size - walk.at}; is the file truncated?",
            code="truncated-file",
        )
    walk.at += 0 if tag == _ITEM and walk.items else length
    return True


def _form(walk: _Walk, head: bytes, tag: int) -> tuple[int, int, bool]:
    """Return the bytes before an element's value, its stated length, and whether it is a sequence; 0 if unclear."""
    vr = head[4:6]
    if tag >> 16 == 0xFFFE or not walk.explicit:
        return 8, struct.unpack_from("<I", head, 4)[0], tag >> 16 != 0xFFFE
    if vr in _LONG and len(head) == 12:
        return 12, struct.unpack_from("<I", head, 8)[0], vr in (b"SQ", b"UN")
    if vr in _SHORT:
        return 8, struct.unpack_from("<H", head, 6)[0], False
    return 0, 0, False
