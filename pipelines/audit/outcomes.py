"""What became of the lesions: the outcomes file, refused as a whole with all its faults.

::

    case_id,lesion_id,event,days
    c-001,1,none,730
    c-002,1,ltp,181

`event` is `none` (free of both when last seen), `ltp` or `death`, whichever came first; `days` count from the ablation.
Nothing goes on after a patient's death: a later row of the same patient is a fault.
More columns are allowed; where one is called `synthetic` and holds "yes", the audit says that outcomes are made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.audit.cases import Found
from pipelines.audit.deaths import Stated, cautions, contradictions
from pipelines.audit.lesions import LesionTable
from pipelines.formats.csv_table import CsvRow, read_csv
from pipelines.formats.voxel_file import safe_name
from planner.errors import InputError
from planner.report.counts import counted

COLUMNS = ("case_id", "lesion_id", "event", "days")
EVENTS = ("none", "ltp", "death")
MOST_DAYS = 36525.0
"""A hundred years: more is a date, not a count of days."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_YES = ("yes", "true", "1")

Key = tuple[str, str]
"""Case id and lesion id."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a lesion, and after how many days."""

    event: str
    days: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All outcomes by lesion, how many belong to cases without a result, what to keep in mind, and the file's hash."""

    by_lesion: Mapping[Key, Outcome]
    of_failed_cases: int
    synthetic: bool
    sha256: str
    cautions: tuple[str, ...] = ()


def read_outcomes(path: Path, found: Found, table: LesionTable) -> Outcomes:
    """Return the outcomes in a file.

    Raises
    ------
    InputError
        A row names no lesion of the cohort, is there twice, states no possible event and time, or goes on after the
        patient's death; the one message lists all such rows.
    """
    read = read_csv(path, "outcomes file", COLUMNS, ("synthetic",), more_columns=True)
    known = {(lesion.case_id, lesion.lesion_id) for lesion in table.lesions}
    failed = {case.case_id for case in found.failed}
    faults = [*read.faults]
    lines: dict[Key, int] = {}
    stated: list[Stated] = []
    for row in read.rows:
        key = (row.cells["case_id"], row.cells["lesion_id"])
        row_faults = [*_faults(row), *_identity_faults(key, known, failed, found)]
        if key in lines:
            row_faults.append(f"the same lesion as line {lines[key]}")
        lines.setdefault(key, row.line)
        faults += [f"line {row.line}: {fault}" for fault in row_faults]
        if not row_faults:
            stated.append(_stated(row, found))
    faults += [f"line {line}: {fault}" for line, fault in contradictions(stated)]
    if not read.rows and not faults:
        faults.append("no rows")
    if faults:
        listed = "".join(f"\n  {fault}" for fault in sorted(faults, key=_line))
        count = counted(len(faults), "fault")
        said = f"outcomes file: {count}, nothing was analysed:{listed}"
        raise InputError(said, code="outcomes", where=safe_name(path))
    by_lesion = {
        (row.cells["case_id"], row.cells["lesion_id"]): Outcome(row.cells["event"].casefold(), float(row.cells["days"]))
        for row in read.rows
    }
    synthetic = any(row.cells["synthetic"].casefold() in _YES for row in read.rows)
    within = {key: outcome for key, outcome in by_lesion.items() if key in known}
    return Outcomes(within, len(by_lesion) - len(within), synthetic, read.sha256, cautions(stated))


def _line(fault: str) -> int:
    return int(next(iter(re.findall("[0-9]+", fault)), 0))


def _stated(row: CsvRow, found: Found) -> Stated:
    case_id = row.cells["case_id"]
    patient = str(found.documents.get(case_id, {}).get("patient_key", ""))
    return Stated(row.line, case_id, patient, row.cells["event"].casefold(), float(row.cells["days"]))


def _identity_faults(key: Key, known: set[Key], failed: set[str], found: Found) -> Iterator[str]:
    if key in known or key[0] in failed:
        return
    yield "no such lesion in that case" if key[0] in found.documents else "no such case among the results"


def _faults(row: CsvRow) -> Iterator[str]:
    """Yield what is wrong with event and days, without quoting them: a shifted cell may hold anything."""
    event, days = row.cells["event"].casefold(), row.cells["days"]
    if event not in EVENTS:
        yield f"event is not one of {', '.join(EVENTS)}"
    if not _NUMBER.fullmatch(days):
        yield "days is empty" if not days else "days is not a plain number of days (such as 365 or 90.5)"
        return
    number = float(days)
    if event == "ltp" and number <= 0:
        yield "progression on or before the day of ablation (days must be above 0)"
    elif number < 0:
        yield "days is negative: before the ablation"
    elif number > MOST_DAYS:
        yield "days is more than a hundred years: is it a date?"
