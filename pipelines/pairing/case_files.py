"""The case file of a pair: what a review needs to know, with comments on why it says so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.pairing.masks import outside
from pipelines.pairing.proposal import Course, Pair
from pipelines.pairing.series import Series


def writable(text: str) -> bool:
    """Return whether a path can stand in a text file: UTF-8, on one line, without control characters."""
    return text.isprintable() or all(c.isprintable() or c == "\u00a0" for c in text)


def toml_string(text: str) -> str:
    """Return a TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def case_toml(case_id: str, course: Course, root: Path) -> str:
    """Return the case file of a case; its paths are absolute."""
    return "\n".join((*_lines(case_id, course, root), ""))


def _lines(case_id: str, course: Course, root: Path) -> Iterator[str]:
    yield "# Proposed by `ablation pair`. Edit it as you see fit: what stands here wins over what the files suggest."
    for rule in dict.fromkeys(rule for pair in course.pairs for rule in pair.rules):
        yield f"# rule: {rule}"
    several = len(course.pairs) > 1
    if several:
        yield f"# PRE has {len(course.pairs)} POST studies, here in the order of time"
    yield ""
    yield "[case]"
    yield f"id = {toml_string(case_id)}"
    yield ""
    yield from _study("[pre]", course.pre)
    for pair in course.pairs:
        yield ""
        yield from _study("[[post]]" if several else "[post]", pair.post)
        if several:
            yield from _days(pair)
    for study, series in course.series:
        yield from _masks(study, series, root)
    yield ""
    yield "[facts]"
    if not several:
        yield from _days(course.pairs[0])
    energies = dict.fromkeys(pair.energy for pair in course.pairs if pair.energy)
    if len(energies) == 1:
        yield f"modality = {toml_string(next(iter(energies)))}  # by the word in a description"


def _days(pair: Pair) -> Iterator[str]:
    if pair.days_since_ablation is not None:
        yield f"days_since_ablation = {pair.days_since_ablation}  # by the study whose description names an ablation"


def described(series: Series) -> str:
    """Return what a person needs to tell a series from others, without any free text."""
    phase, rule = series.phase
    parts = [
        series.head.modality,
        f"{series.slices} slices" + (f" {series.slice_mm:g} mm apart" if series.slice_mm else ""),
        f"date {series.day.isoformat()}" if series.day else "no date",
        f"phase {phase} (by {rule})" if phase else "phase unknown",
        *series.unfit(),
    ]
    return ", ".join(parts)


def _study(heading: str, series: Series) -> Iterator[str]:
    yield heading
    yield f"# {described(series)}"
    for drawn in series.masks:
        what = ", ".join(dict.fromkeys(part.role for part in drawn.parts if part.role)) or "nothing with a role"
        yield f"# {drawn.file.head.kind.upper()} with {what}: it belongs to the series by {drawn.rule}"
    yield f"series_uid = {toml_string(series.mark)}"


def _masks(study: str, series: Series, root: Path) -> Iterator[str]:
    for role in outside(series):
        yield ""
        yield "[[mask]]"
        yield f'study = "{study}"'
        yield f"role = {toml_string(role.role)}"
        yield f"file = {toml_string(str(root / role.drawn.file.path))}"
        yield f"segment = {role.part.segment}"


def paths_of(pair: Pair) -> Sequence[str]:
    """Return every path, relative to the root, that a manifest and a case file name."""
    masks = [role.drawn.file.path for series in (pair.pre, pair.post) for role in outside(series)]
    return [pair.pre.folder, pair.post.folder, *(os.fspath(path) for path in masks)]
