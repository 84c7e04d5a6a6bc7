"""Tables that people write by hand or in a spreadsheet: CSV with a header, read strictly."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.formats.voxel_file import safe_name
from planner.errors import InputError


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row: the line it ends on, and its cells by column, without the blanks around them."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table as read: its rows, what is wrong with others, and the SHA-256 of the file."""

    rows: tuple[CsvRow, ...]
    faults: tuple[str, ...]
    sha256: str


def read_csv(path: Path, required: Sequence[str], optional: Sequence[str], *, more_columns: bool) -> CsvTable:
    """Return the rows of a CSV file (UTF-8, with or without byte order mark, separated by commas).

    Parameters
    ----------
    path
        The file.
    required, optional
        Names of columns; an optional one that is absent reads as "".
    more_columns
        Whether columns of other names are tolerated.

    Raises
    ------
    InputError
        The file cannot be read, or its columns are not those.
    """
    content = _content(path)
    name = safe_name(path)
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [cell.strip() for cell in next(lines, [])]
        _require_columns(name, header, required, optional, more_columns=more_columns)
        rows, faults = _rows(header, ((lines.line_num, row) for row in lines), optional)
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text; save it as CSV UTF-8", code="unknown-format") from error
    except csv.Error as error:
        raise InputError(f"{name}: not a CSV file: {error}", code="unknown-format") from error
    return CsvTable(tuple(rows), tuple(faults), hashlib.sha256(content).hexdigest())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        code = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        raise InputError(f"{safe_name(path)}: {error.strerror or type(error).__name__}", code=code) from error


def _require_columns(
    name: str, header: Sequence[str], required: Sequence[str], optional: Sequence[str], *, more_columns: bool
) -> None:
    known = (*required, *optional)
    faults = [f"column '{column}' is missing" for column in required if column not in header]
    faults += [f"column '{column}' is there twice" for column in dict.fromkeys(header) if header.count(column) > 1]
    if not more_columns:
        faults += [f"unknown column '{_short(c)}'{_nearest(c, known)}" for c in header if c not in known]
    if not faults:
        return
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        faults = ["its cells are separated by semicolons or tabs, expected commas"]
    raise InputError(f"{name}: {'; '.join(faults)}; expected {','.join(known)}", code="columns")


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:40]


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def _rows(
    header: Sequence[str], lines: Iterable[tuple[int, list[str]]], optional: Sequence[str]
) -> tuple[list[CsvRow], list[str]]:
    rows, faults = [], []
    for number, row in lines:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != len(header):
            faults.append(f"line {number}: {len(cells)} cells, expected {len(header)}")
            continue
        rows.append(CsvRow(number, {**dict.fromkeys(optional, ""), **dict(zip(header, cells, strict=True))}))
    return rows, faults
