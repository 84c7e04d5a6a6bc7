"""Sequences of bounded length: counted in the bytes of a file before anything is made of them."""

from __future__ import annotations

import struct

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from planner.errors import InputError

_ITEM = b"\xfe\xff\x00\xe0"
_UNDEFINED = 0xFFFFFFFF


def items_of(dataset: Dataset, keyword: str, most: int, what: str) -> list[Dataset]:
    """Return the items of a sequence, none where it is absent; `what` says in messages whose and what they are.

    Raises
    ------
    InputError
        They are more than `most`.
    """
    tag = Tag(keyword)
    if tag not in dataset:
        return []
    raw = dataset.get_item(tag)
    value = raw.value if isinstance(raw, RawDataElement) else None
    if isinstance(value, bytes) and _count(value) > most:
        raise _too_many(_count(value), most, what)
    items = list(dataset.get(keyword) or [])
    if len(items) > most:
        raise _too_many(len(items), most, what)
    return items


def _count(value: bytes) -> int:
    """Return how many items a sequence holds, up to the first of them whose length is not stated."""
    at = count = 0
    while value[at : at + 4] == _ITEM and at + 8 <= len(value):
        length = struct.unpack_from("<I", value, at + 4)[0]
        count += 1
        if length == _UNDEFINED:
            break
        at += 8 + length
    return count


def _too_many(count: int, most: int, what: str) -> InputError:
    return InputError(f"{what}: {count}, expected at most {most}", code="too-large")
