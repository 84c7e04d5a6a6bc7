"""An audit from folders to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.audit import columns
from pipelines.audit.bands import BANDS
from pipelines.audit.cases import Found, find_cases
from pipelines.audit.cohort import Cohort, cohort
from pipelines.audit.columns import Cell, Column
from pipelines.audit.document import audit_document
from pipelines.audit.lesions import LesionTable, lesion_table
from pipelines.audit.outcomes import Outcomes, read_outcomes
from pipelines.audit.page import render_page
from pipelines.audit.survival import Survival, excluded, survival
from pipelines.audit.writing import csv_bytes, dictionary_bytes, parquet_bytes
from pipelines.store.atomic import write_atomically
from pipelines.store.result import result_bytes
from planner.errors import OutputError
from planner.report.counts import counted

DOCUMENT = "audit.json"


@dataclass(frozen=True, slots=True)
class Audit:
    """All that an audit knows."""

    found: Found
    table: LesionTable
    cohort: Cohort
    outcomes: Outcomes | None
    survival: Survival | None


def audit(folders: Sequence[Path], outcomes_file: Path | None) -> Audit:
    """Return the audit of the cases in folders.

    Raises
    ------
    planner.errors.InputError
        A result or the outcomes file cannot be used.
    """
    found = find_cases(folders)
    table = lesion_table(found)
    all_cases = cohort(found, table)
    if outcomes_file is None:
        return Audit(found, table, all_cases, None, None)
    outcomes = read_outcomes(outcomes_file, found, table)
    return Audit(found, table, all_cases, outcomes, survival(all_cases, table, outcomes))


def write(finished: Audit, out: Path) -> None:
    """Write the audit's files, `audit.json` last: a folder without it holds no whole audit.

    Raises
    ------
    OutputError
        They cannot be written.
    """
    heads, rows = _table(finished)
    document = audit_document(finished.found, finished.cohort, finished.outcomes, finished.survival)
    page = render_page(
        finished.cohort, finished.found.failed, finished.outcomes, finished.survival, document["provenance"]
    )
    files = {
        "lesions.csv": csv_bytes(heads, rows),
        "lesions.parquet": parquet_bytes(heads, rows),
        "data_dictionary.csv": dictionary_bytes(heads),
        "audit.html": page.encode("utf-8"),
        DOCUMENT: result_bytes(document),
    }
    for name, content in files.items():
        try:
            write_atomically(out / name, content)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OutputError(f"AUDIT: {out}: cannot be written: {reason}") from error


def prepare(out: Path) -> None:
    """Make the folder and take back an earlier audit: before the work, and only when the input is known to be good.

    Raises
    ------
    OutputError
        It cannot be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / DOCUMENT, b"{}\n")
        (out / DOCUMENT).unlink()
    except OSError as error:
        raise OutputError(f"AUDIT: {out}: cannot be written: {error.strerror or type(error).__name__}") from error


def _table(finished: Audit) -> tuple[tuple[Column, ...], list[Mapping[str, Cell]]]:
    lesions, later = finished.table.lesions, finished.table.later
    if finished.outcomes is None:
        return finished.table.columns, [lesion.cells for lesion in (*lesions, *later)]
    rows: list[Mapping[str, Cell]] = []
    for lesion in lesions:
        outcome = finished.outcomes.by_lesion.get((lesion.case_id, lesion.lesion_id))
        rows.append({
            **lesion.cells,
            "outcome_event": None if outcome is None else outcome.event,
            "outcome_days": None if outcome is None else outcome.days,
            "outcome_excluded": excluded(lesion, finished.outcomes),
        })  # fmt: skip
    unheld = {"outcome_event": None, "outcome_days": None, "outcome_excluded": "later_post"}
    rows += [{**lesion.cells, **unheld} for lesion in later]
    return (*finished.table.columns, *columns.OUTCOME), rows


def summary(finished: Audit) -> str:
    """Return the audit in a few lines."""
    all_cases, table = finished.cohort, finished.table
    cases = ", ".join(
        f"{count} {status.replace('_', ' ')}" for status, count in all_cases.cases.items() if status != "found"
    )
    lesions = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in all_cases.lesions.items())
    bands = ", ".join(f"{band.words}: {sum(all_cases.bands[band.name].values())}" for band in BANDS)
    lines = [
        f"{counted(all_cases.cases['found'], 'case')}: {cases}",
        f"{counted(len(table.lesions), 'lesion')} of {counted(len(all_cases.patients), 'patient')}: {lesions}",
        f"minimal margin: {bands}; none: {all_cases.without_margin}",
        *all_cases.notes,
    ]
    if finished.survival is not None and finished.outcomes is not None:
        analysed = sum(curve.lesions for curve in finished.survival.curves)
        made_up = "synthetic outcomes; " if finished.outcomes.synthetic else ""
        events = f"{finished.survival.ltp} LTP, {counted(finished.survival.deaths, 'death')}"
        lines.append(f"survival: {made_up}{counted(analysed, 'lesion')} analysed, {events}")
        if finished.survival.caution:
            lines.append(finished.survival.caution)
        lines += finished.outcomes.cautions
    return "\n".join(lines)
