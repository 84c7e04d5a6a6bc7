"""Text in columns, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest

WIDTH = 110
"""Characters of a line of running text."""


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return a text in lines that fit a terminal."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
    )  # fmt: skip


def columns(head: Sequence[str], body: Sequence[Sequence[str]], widest: Sequence[int] = ()) -> list[str]:
    """Return rows under their heads, each column as wide as it must be.

    Parameters
    ----------
    head, body
        The cells.
    widest
        How wide a column may become before its cells are wrapped; 0, or left out, for any width.
    """
    limits = [*widest, *[0] * (len(head) - len(widest))]
    rows = [[_lines(cell, limit) for cell, limit in zip(row, limits, strict=True)] for row in (head, *body)]
    widths = [max(len(line) for row in rows for line in row[place]) for place in range(len(head))]
    ruled = [rows[0], [["-" * width] for width in widths], *rows[1:]]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for row in ruled
        for line in zip_longest(*row, fillvalue="")
    ]


def _lines(cell: str, limit: int) -> list[str]:
    return (textwrap.wrap(cell, limit, break_long_words=False) if limit else [cell]) or [""]
