"""The page of a batch, `index.html`: a list of what lies in OUT, whoever put it there."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines.batch import kept_studies
from pipelines.batch.case_folder import KnownResult
from pipelines.batch.kept_studies import Entry, Seen
from pipelines.bundled import templates, text
from pipelines.provenance import DISTRIBUTION, software_version
from pipelines.store.atomic import write_atomically
from planner.errors import OutputError
from planner.report.worklist import Study
from planner.report.worklist_page import render_worklist

PAGE = "index.html"
KEPT = ".worklist.json"
"""What was read of each case, so that the next run need not read it again; may be removed at any time."""

READING = 1
"""To be raised whenever a study is read otherwise than before: what was kept then counts no more."""


def write_worklist(out: Path, asked: Iterable[str] = ()) -> None:
    """Write the page of the cases in OUT and of those that were asked for, whole or not at all.

    Parameters
    ----------
    out
        The folder of a batch.
    asked
        Ids of cases that were to be run: those that have no folder are listed as not run yet.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    try:
        _write(out, asked)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"OUT: {out}: {PAGE} cannot be written: {reason}") from error


def known_results(out: Path) -> dict[str, KnownResult]:
    """Return what the results in OUT are known to say, by case: those that are still the ones that were read."""
    try:
        folders = kept_studies.case_folders(out)
    except OSError:
        return {}
    kept, _ = kept_studies.load(out / KEPT, _form())
    found = {name: kept_studies.known_of(kept.get(name), seen) for name, seen in folders.items()}
    return {name: known for name, known in found.items() if known is not None}


def _write(out: Path, asked: Iterable[str]) -> None:
    now_ns = time.time_ns()
    folders = kept_studies.case_folders(out)
    waiting = sorted(set(asked) - set(folders))
    form = _form()
    kept, page = kept_studies.load(out / KEPT, form)
    if page == _page(out, waiting) and _is_all(kept, folders):
        return
    entries = {name: _entry(out / name, seen, kept.get(name)) for name, seen in folders.items()}
    studies = [study for entry in entries.values() for study in entry.studies]
    studies += [Study(case_id, "not_begun") for case_id in waiting]
    write_atomically(out / PAGE, _rendered(studies).encode("utf-8"))
    settled = {name: entry for name, entry in entries.items() if kept_studies.is_settled(entry.seen, now_ns)}
    write_atomically(out / KEPT, kept_studies.document(form, settled, _page(out, waiting)))


def _entry(folder: Path, seen: Seen, kept: object) -> Entry:
    return kept_studies.entry_of(kept, seen) or kept_studies.read(folder, seen)


def _is_all(kept: dict[str, Any], folders: dict[str, Seen]) -> bool:
    """Return whether every case was kept as it is, and none besides."""
    return kept.keys() == folders.keys() and all(kept[name].get("seen") == seen for name, seen in folders.items())


def _page(out: Path, waiting: list[str]) -> dict[str, Any]:
    """Return what tells the page from any other."""
    try:
        seen = (out / PAGE).stat()
    except OSError:
        return {}
    return {"waiting": waiting, "seen": [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]}


def _rendered(studies: list[Study]) -> str:
    return render_worklist(
        studies, templates=templates(), css=text("worklist.css"), script=text("worklist.js"),
        software=f"{DISTRIBUTION} {software_version()}",
    )  # fmt: skip


def _form() -> str:
    """Return what tells this program's way to read and show a case from any other's."""
    parts = [software_version(), str(READING), text("worklist.html.jinja"), text("worklist.css"), text("worklist.js")]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
