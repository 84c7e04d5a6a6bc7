"""A proposal on disk: the manifest that a batch takes, a case file for each pair, and the list of what is undecided."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.formats.csv_cells import POSTS_APART, csv_text, guarded
from pipelines.pairing.case_files import case_toml, described, paths_of, writable
from pipelines.pairing.proposal import Course, Proposal, Undecided
from pipelines.pairing.scores import candidates
from planner.errors import InputError, OutputError

MANIFEST = "manifest.csv"
AMBIGUOUS = "ambiguous.csv"
CASES = "cases"
TREE = "tree.txt"
"""Holds a hash of the path of the tree that a proposal is of."""

MANIFEST_COLUMNS = ("case_id", "patient", "pre", "post", "case")
AMBIGUOUS_COLUMNS = ("patient", "code", "reason", "study", "points", "series_uid", "folder", "series", "why")


def require_absent(out: Path, root: Path) -> None:
    """Raise where a proposal lies already, perhaps edited, or where `out` lies in the tree.

    Raises
    ------
    InputError
        The folder lies in the tree.
    OutputError
        It holds a manifest or case files.
    """
    if out.resolve().is_relative_to(root.resolve()):
        raise InputError("PAIRS is DICOM_ROOT or lies in it, expected a folder outside", code="output-in-input")
    for name in (MANIFEST, CASES, AMBIGUOUS, TREE):
        if os.path.lexists(out / name):
            raise OutputError(
                f"PAIRS: {out}: holds {name}, which may have been edited and is not overwritten; give another folder,"
                " or remove it",
                code="exists",
            )


def writable_only(proposal: Proposal, root: Path) -> Proposal:
    """Return the proposal; pairs whose paths no text file can hold are undecided."""
    kept, left = [], []
    for pair in proposal.pairs:
        if all(writable(f"{root}{os.sep}{path}") for path in paths_of(pair)):
            kept.append(pair)
            continue
        said = "its files' names hold characters that a manifest cannot: rename the folder or the file"
        left.append(Undecided(pair.pre.head.patient, "unwritable-path", said, candidates((pair.pre, pair.post))))
    return replace(proposal, pairs=tuple(kept), undecided=(*proposal.undecided, *left))


def write(out: Path, proposal: Proposal, root: Path) -> None:
    """Write a proposal; the manifest comes last, and nothing that is there is overwritten.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    cases = _manageable(proposal.courses, root)
    ids = case_ids(cases)
    try:
        (out / CASES).mkdir(parents=True)
        for case_id, course in zip(ids, cases, strict=True):
            _new(out / CASES / f"{case_id}.toml", case_toml(case_id, course, root).encode("utf-8"))
        _new(out / AMBIGUOUS, csv_text(AMBIGUOUS_COLUMNS, _undecided(proposal.undecided, root)))
        _new(out / TREE, f"{hashlib.sha256(os.fsencode(root)).hexdigest()}\n".encode("ascii"))
        _new(out / MANIFEST, csv_text(MANIFEST_COLUMNS, _rows(ids, cases, root)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"PAIRS: {out}: cannot be written: {reason}") from error


def case_ids(cases: Sequence[Course]) -> list[str]:
    """Return an id for each case, by our own counter: nothing of a file stands in it."""
    digits = max(4, len(str(len(cases))))
    return [f"case-{n:0{digits}d}" for n in range(1, len(cases) + 1)]


def _manageable(courses: Sequence[Course], root: Path) -> list[Course]:
    """Return the cases; one whose several POSTs no cell of a manifest can list is one case for each."""
    found: list[Course] = []
    for course in courses:
        split = len(course.pairs) > 1 and any(POSTS_APART in _cell(root, p.post.folder) for p in course.pairs)
        found += [Course((pair,)) for pair in course.pairs] if split else [course]
    return found


def _new(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)


def _rows(ids: Sequence[str], cases: Sequence[Course], root: Path) -> Iterator[tuple[str, ...]]:
    for case_id, course in zip(ids, cases, strict=True):
        pre, *posts = (_cell(root, series.folder) for _, series in course.series)
        yield case_id, course.pre.head.patient, pre, POSTS_APART.join(posts), f"{CASES}/{case_id}.toml"


def _cell(root: Path, folder: str) -> str:
    """Return an absolute path as a cell: blanks at its ends, which a reader would strip, are kept from them."""
    path = str(root / folder)
    return path if path == path.strip() else f"{path}{os.sep}."


def _undecided(undecided: Sequence[Undecided], root: Path) -> Iterator[tuple[str, ...]]:
    for entry in undecided:
        said = (entry.patient, entry.code, entry.reason)
        if not entry.candidates:
            yield (*said, *[""] * (len(AMBIGUOUS_COLUMNS) - len(said)))
        for one in entry.candidates:
            folder = str(root / one.series.folder)
            shown = guarded(folder) if writable(folder) else "(a name that cannot be written)"
            why = guarded("; ".join(one.why))
            yield (*said, one.study, str(one.points), one.series.mark, shown, described(one.series), why)
