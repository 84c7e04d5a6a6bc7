"""The figures of a finished review as files of their own, with a table of their captions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.figures.export import Format, exported
from pipelines.figures.kept import figures_in
from pipelines.formats.csv_cells import csv_text, guarded
from pipelines.store.atomic import write_atomically
from pipelines.store.folder import RESULT
from pipelines.store.post_folders import holds_one_of_several, post_folders
from pipelines.store.posts import REPORT
from planner.errors import InputError, OutputError, UsageError, printable
from planner.report.figure import Figure

CAPTIONS = "captions.csv"
COLUMNS = ("file", "figure", "lesion_id", "kind", "caption", "alt")

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A figure with the name of its file, without an ending."""

    stem: str
    figure: Figure


def figures_of(out: Path, lesion_id: str | None = None) -> tuple[Named, ...]:
    """Return the figures in the report of a case, and in those of each of its posts where it has several.

    Parameters
    ----------
    out
        The folder of a finished review.
    lesion_id
        Only those of this lesion.

    Raises
    ------
    planner.errors.InputError
        The folder holds no finished review, its report cannot be read, or there is no figure in it.
    planner.errors.UsageError
        There are figures, but none of that lesion.
    """
    _require_finished(out)
    found = list(_named(_held(out), ""))
    for folder in post_folders(out):
        if holds_one_of_several(folder, RESULT):
            found += _named(_held(folder), f"{folder.name}_")
    if not found:
        raise InputError(f"OUT: {REPORT} holds no figure, expected those that a review draws", code="no-figures")
    wanted = [named for named in found if lesion_id in (None, named.figure.lesion_id)]
    if not wanted:
        known = sorted({named.figure.lesion_id for named in found if named.figure.lesion_id is not None})
        raise UsageError(f"--lesion: there is no figure of it, expected one of: {', '.join(known) or 'none'}")
    return _apart(wanted)


def write_figures(named: Sequence[Named], folder: Path, form: Format, dots_an_inch: int) -> tuple[Path, ...]:
    """Write each figure into a folder, which is made where it is absent, and their captions beside them.

    Raises
    ------
    planner.errors.OutputError
        The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{one.stem}.{form}" for one in named]
        for one, path in zip(named, paths, strict=True):
            write_atomically(path, exported(one.figure, form, dots_an_inch))
        write_atomically(folder / CAPTIONS, csv_text(COLUMNS, _lines(named, form)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"FIGURES: {folder}: cannot be written: {reason}") from error
    return (*paths, folder / CAPTIONS)


def _lines(named: Sequence[Named], form: Format) -> Iterator[list[str]]:
    for one in named:
        figure = one.figure
        cells = (f"{one.stem}.{form}", figure.name, figure.lesion_id or "", figure.kind, figure.caption, figure.alt)
        yield [guarded(printable(cell)) for cell in cells]


def _require_finished(out: Path) -> None:
    if not out.is_dir():
        raise InputError("OUT: is no folder, expected that of a finished review", where=str(out), code="no-result")
    if not (out / RESULT).is_file():
        raise InputError(
            f"OUT: holds no {RESULT}, expected the folder of one finished case (of a batch, name a case's folder)",
            where=str(out), code="no-result",
        )  # fmt: skip


def _held(folder: Path) -> tuple[Figure, ...]:
    try:
        return figures_in((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no page of ours"
        raise InputError(f"OUT: {REPORT}: cannot be read: {reason}", where=str(folder), code="no-report") from error


def _named(figures: Sequence[Figure], before: str) -> Iterator[Named]:
    for figure in figures:
        yield Named(before + _UNSAFE.sub("_", figure.name)[:_LONGEST_NAME], figure)


def _apart(named: Sequence[Named]) -> tuple[Named, ...]:
    """Return figures whose files have names of their own, also where letters are not told from capitals."""
    taken: set[str] = set()
    apart = []
    for one in named:
        stem, number = one.stem, 2
        while stem.lower() in taken:
            stem, number = f"{one.stem}-{number}", number + 1
        taken.add(stem.lower())
        apart.append(Named(stem, one.figure))
    return tuple(apart)
