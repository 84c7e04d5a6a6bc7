"""What stands beside rules: published numbers, advice, and where sources differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import Assessment
from planner.guideline.catalogue import Conflict
from planner.guideline.entry import Entry, Figure, Reference, Shown
from planner.guideline.judge import Judged
from planner.guideline.rule import Rule, Word
from planner.guideline.words import READS, attribution
from planner.report.criterion import lesion_words


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A published number or a piece of advice; `here` tells which row of its table this case falls into."""

    id: str
    title: str
    statement: str
    figures: tuple[str, ...]
    here: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """Where sources differ: what each says, and the statements with year, strength and what they say of this case."""

    id: str
    title: str
    positions: str
    statements: tuple[str, ...]


def disputes_of(asked: Sequence[Judged], shown: Sequence[Shown], assessment: Assessment) -> Iterator[DisputeRow]:
    """Yield the conflicts in which at least two statements of a question take part."""
    stated: list[tuple[Rule | Entry, str]] = [(j.rule, _said_of(j)) for j in asked]
    stated += [(one.entry, "") for one in shown]
    named = dict.fromkeys(name for one, _ in stated for name in one.conflicts)
    for conflict in (assessment.conflicts[name] for name in named if name in assessment.conflicts):
        sides = [_side(one, reads_) for one, reads_ in stated if conflict.id in one.conflicts]
        if len(sides) > 1:
            yield _dispute(conflict, sides)


def _said_of(judged: Judged) -> str:
    """Return what a rule says, lesion by lesion; those that read alike together."""
    if not judged.lesions:
        return READS[judged.case.word]
    by_word: dict[Word, list[str]] = {}
    for verdict in judged.lesions:
        by_word.setdefault(verdict.word, []).append(str(verdict.lesion_id))
    if len(by_word) == 1:
        return READS[judged.case.word]
    return "; ".join(f"{lesion_words(ids)} {READS[word]}" for word, ids in by_word.items())


def _side(stated: Rule | Entry, reads_: str) -> str:
    said = f": {reads_}" if reads_ else ""
    return f"{stated.id}, {attribution(stated)}{said}"


def _dispute(conflict: Conflict, sides: Sequence[str]) -> DisputeRow:
    return DisputeRow(conflict.id, conflict.title, conflict.positions, tuple(sides))


def shown_row(one: Shown) -> ShownRow:
    """Return a published number or a piece of advice as a row."""
    entry = one.entry
    title = f"{entry.title[:1].upper()}{entry.title[1:]}"
    if not isinstance(entry, Reference):
        return ShownRow(entry.id, title, entry.statement, (), "", entry.note, attribution(entry))
    here = "; ".join(f"{'this case' if lesion is None else f'lesion {lesion}'}: {label}" for lesion, label in one.rows)
    disputed = "the source contradicts itself here" if entry.disputed else ""
    note = ". ".join(part for part in (disputed, entry.note) if part)
    said = f"{entry.statement} Of whom: {entry.population}. What: {entry.endpoint}."
    return ShownRow(entry.id, title, said, tuple(map(figure_words, entry.figures)), here, note, attribution(entry))


def figure_words(figure: Figure) -> str:
    """Return a published number in words, with its interval, count and p."""
    one = figure.value == 1.0 and figure.ends is None and figure.unit.endswith("s")
    unit = f" {figure.unit[:-1] if one else figure.unit}" if figure.unit else ""
    number = "" if figure.value is None else f"{figure.value:g}{unit}"
    if figure.ends is not None:
        between = f"{figure.ends[0]:g} to {figure.ends[1]:g}{unit}"
        number = f"{number} ({between})" if number else between
    said = "; ".join(part for part in (number, figure.text) if part)
    more = []
    if figure.ci95 is not None:
        more.append(f"95 % interval {figure.ci95[0]:g} to {figure.ci95[1]:g}")
    more += [f"n = {figure.n}"] if figure.n is not None else []
    more += [f"p {figure.p}"] if figure.p else []
    return f"{figure.what}: {said}" + (f" ({', '.join(more)})" if more else "")
