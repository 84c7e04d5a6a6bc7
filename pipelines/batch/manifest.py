"""The manifest of a batch: which cases there are, checked as a whole before anything runs.

::

    case_id,patient,pre,post,case
    c-001,p-17,c-001/pre,c-001/post,c-001/case.toml

Paths are relative to the manifest. `patient` (a pseudonym that cases of one patient share) and `case` may be left out.
`post` may hold several paths, separated by `;`: studies after one ablation. A path that exists as a whole is one path.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.formats.csv_cells import POSTS_APART
from pipelines.formats.csv_table import CsvRow, read_csv
from pipelines.formats.folder_name import LONGEST_ID, id_fault
from pipelines.formats.voxel_file import safe_name
from planner.errors import InputError, located
from planner.report.counts import counted

REQUIRED = ("case_id", "pre", "post")
OPTIONAL = ("patient", "case")
FAULTS_SHOWN = 5
NOT_A_CASE = ("index.html",)
"""Names in OUT that are no folder of a case."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case of a manifest.

    Parameters
    ----------
    case_id, patient
        The case's id, also the name of its folder, and the patient's pseudonym ("" where none is given).
    pre, post, case
        The studies and the case file (or None), as absolute paths.
    written
        The cells as they stand in the manifest.
    more_posts
        Further studies after the ablation, as absolute paths.
    """

    case_id: str
    patient: str
    pre: Path
    post: Path
    case: Path | None
    written: tuple[tuple[str, str], ...]
    more_posts: tuple[Path, ...] = ()

    @property
    def posts(self) -> tuple[Path, ...]:
        """Every study after the ablation, in the order of the manifest."""
        return (self.post, *self.more_posts)


def read_manifest(path: Path) -> tuple[Row, ...]:
    """Return the cases of a manifest.

    Raises
    ------
    InputError
        A column, path or case id is not as it must be; the one message lists what is wrong.
    """
    table = read_csv(path, "manifest", REQUIRED, OPTIONAL, more_columns=False)
    gone = {fault: name for row in table.rows for fault, name in _gone(row, path.parent)}
    faults = [*table.faults, *_repeated(table.rows), *(f for row in table.rows for f in _faults(row)), *gone]
    faults.sort(key=_line)
    names = ", ".join(gone[fault] for fault in faults[:FAULTS_SHOWN] if fault in gone)
    with located(f"{safe_name(path)}: {names}" if names else safe_name(path)):
        if faults:
            raise InputError(f"manifest: {_listed(faults)}", code="manifest")
        if not table.rows:
            raise InputError("manifest: no case, expected a row for each", code="manifest")
    return tuple(_row(row, path.parent.resolve()) for row in table.rows)


def _line(fault: str) -> int:
    """Return the first line that a fault names."""
    return int(next(iter(re.findall("[0-9]+", fault)), 0))


def _listed(faults: Sequence[str]) -> str:
    more = len(faults) - FAULTS_SHOWN
    return "; ".join(faults[:FAULTS_SHOWN]) + (f"; and {counted(more, 'more fault')}" if more > 0 else "")


def _row(row: CsvRow, folder: Path) -> Row:
    cells = row.cells
    case = folder / cells["case"] if cells["case"] else None
    written = tuple(sorted(cells.items()))
    post, *more = (folder / name for name in _posts(cells["post"], folder))
    return Row(cells["case_id"], cells["patient"], folder / cells["pre"], post, case, written, tuple(more))


def _posts(cell: str, folder: Path) -> list[str]:
    """Return the paths in the cell of `post`: the whole cell where that leads somewhere, else its parts."""
    if POSTS_APART not in cell or _is_there(folder / cell, a_file=False):
        return [cell]
    return _split(cell)


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(POSTS_APART)]


def _repeated(rows: Sequence[CsvRow]) -> Iterator[str]:
    """Yield a fault for ids that are one: also those that a file system may not tell apart."""
    count = Counter(_folded(row.cells["case_id"]) for row in rows)
    for folded in (one for one, times in count.items() if times > 1 and one):
        same = [row for row in rows if _folded(row.cells["case_id"]) == folded]
        lines = ", ".join(str(row.line) for row in same)
        ids = ", ".join(dict.fromkeys(_shown(row.cells["case_id"]) for row in same))
        yield f"lines {lines}: one and the same case_id ({ids}), expected each once"


def _shown(case_id: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in case_id)[:LONGEST_ID]


def _folded(case_id: str) -> str:
    return unicodedata.normalize("NFKC", case_id).casefold()


def _faults(row: CsvRow) -> Iterator[str]:
    fault = id_fault(row.cells["case_id"])
    if fault:
        yield f"line {row.line}: case_id {fault}"
    elif _folded(row.cells["case_id"]) in NOT_A_CASE:
        yield f"line {row.line}: case_id is the name of a file of the batch itself ({', '.join(NOT_A_CASE)})"
    if not row.cells["patient"].isprintable():
        yield f"line {row.line}: patient holds a control character"
    for column in ("pre", "post"):
        if not row.cells[column]:
            yield f"line {row.line}: {column} is empty, expected a path"
        elif column == "post" and POSTS_APART in row.cells[column] and "" in _split(row.cells[column]):
            yield f"line {row.line}: post holds an empty path beside a '{POSTS_APART}'"


def _gone(row: CsvRow, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield a fault for each path that leads nowhere, and its last name: that may be a patient's."""
    paths = [("pre", row.cells["pre"]), ("case", row.cells["case"])]
    paths[1:1] = [("post", name) for name in _posts(row.cells["post"], folder)]
    for column, cell in paths:
        if cell and not _is_there(folder / cell, a_file=column == "case"):
            kind = "file" if column == "case" else "file or folder"
            yield f"line {row.line}: {column}: no such {kind}", f"line {row.line} .../{safe_name(Path(cell))}"


def _is_there(path: Path, *, a_file: bool) -> bool:
    try:
        return path.is_file() if a_file else path.exists()
    except (OSError, ValueError):  # too long a name, or a zero byte in it
        return False
