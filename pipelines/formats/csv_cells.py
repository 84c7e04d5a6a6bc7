"""Tables that spreadsheets open: no cell is run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

POSTS_APART = ";"
"""Stands between the paths of several posts in a manifest's cell."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula; what is a plain number stays."""
    start = text.lstrip(" \n")
    if start[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_text(head: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """Return a table as CSV (UTF-8, RFC 4180); its cells are written as they are."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(head)
    writer.writerows(lines)
    return stream.getvalue().encode("utf-8")
