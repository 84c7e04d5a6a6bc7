"""Counts in words, with the noun in its right form."""

from __future__ import annotations


def counted(count: int, one: str, several: str = "") -> str:
    """Return "1 lesion", "2 lesions"; `several` is the plural where it is not `one` with an s."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"
