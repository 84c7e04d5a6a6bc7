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
from pipelines.limits import content_of
from planner.errors import InputError, located, quoted


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


def read_csv(
    path: Path, what: str, required: Sequence[str], optional: Sequence[str], *, more_columns: bool
) -> CsvTable:
    """Return the rows of a CSV file (UTF-8, with or without byte order mark, separated by commas).

    Parameters
    ----------
    path, what
        The file, and what messages call it: its own name, like one that stands in it, may be a patient's.
    required, optional
        Names of columns; an optional one that is absent reads as "".
    more_columns
        Whether columns of other names are tolerated.

    Raises
    ------
    InputError
        The file cannot be read, or its columns are not those.
    """
    with located(safe_name(path)):
        return _read(path, what, required, optional, more_columns=more_columns)


def _read(path: Path, what: str, required: Sequence[str], optional: Sequence[str], *, more_columns: bool) -> CsvTable:
    content = _content(path, what)
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [cell.strip() for cell in next(lines, [])]
        _require_columns(path, what, header, required, optional, more_columns=more_columns)
        rows, faults = _rows(header, ((lines.line_num, row) for row in lines), optional)
    except UnicodeDecodeError as error:
        raise InputError(f"{what}: not UTF-8 text; save it as CSV UTF-8", code="unknown-format") from error
    except csv.Error as error:
        raise InputError(f"{what}: not a CSV file: {error}", code="unknown-format") from error
    return CsvTable(tuple(rows), tuple(faults), hashlib.sha256(content).hexdigest())


def _content(path: Path, what: str) -> bytes:
    try:
        return content_of(path, what)
    except OSError as error:
        code = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        raise InputError(f"{what}: {error.strerror or type(error).__name__}", code=code) from error


def _require_columns(
    path: Path,
    what: str,
    header: Sequence[str],
    required: Sequence[str],
    optional: Sequence[str],
    *,
    more_columns: bool,
) -> None:
    known = (*required, *optional)
    strange = {n: column for n, column in enumerate(header, start=1) if column not in known}
    twice = [column for column in dict.fromkeys(header) if header.count(column) > 1]
    faults = [f"column '{column}' is missing" for column in required if column not in header]
    faults += [f"column '{column}' is there twice" for column in twice if column in known]
    faults += [f"{_places(strange, column)} have one and the same name" for column in twice if column not in known]
    named = {n: column for n, column in strange.items() if not more_columns or column in twice}
    if not more_columns:
        faults += [f"column {n} is unknown{_nearest(column, known)}" for n, column in strange.items()]
    if not faults:
        return
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        faults, named = ["its cells are separated by semicolons or tabs, expected commas"], {}
    names = ", ".join(f"column {n} {quoted(column)}" for n, column in named.items())
    where = f"{safe_name(path)}: {names}" if names else safe_name(path)
    raise InputError(f"{what}: {'; '.join(faults)}; expected {','.join(known)}", code="columns", where=where)


def _places(columns: Mapping[int, str], name: str) -> str:
    return f"columns {', '.join(str(n) for n, column in columns.items() if column == name)}"


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
