"""What a reader must know of a case before any of its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader must know of a case before any of its numbers: a code and a sentence without patient data."""

    code: str
    text: str
