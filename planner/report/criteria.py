"""Published criteria beside a case's numbers: the few that matter first, then all of them by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import Assessment
from planner.facts import PRIMARY
from planner.guideline.catalogue import Conflict
from planner.guideline.entry import Entry, Figure, Reference, Shown
from planner.guideline.judge import Judged
from planner.guideline.rule import QUESTIONS, Question, Rule, Word
from planner.guideline.verdict import Verdict
from planner.guideline.words import READS, attribution, reads, unit_words, why
from planner.report import words
from planner.report.counts import counted
from planner.report.held_against import unlocking_sentence

SHOWN_WORDS: tuple[Word, ...] = ("fail", "caution", "pass", "info", "not_evaluable", "not_applicable")
"""The verdict words in the order in which a report counts them."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule says of one lesion, of several that read alike, or of the case (`lesions` is empty then)."""

    lesions: str
    value: str
    says: str
    why: str
    word: Word
    borderline: bool


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """A rule with what it says; `later` names statements that came after it."""

    rule: str
    title: str
    statement: str
    lines: tuple[Line, ...]
    source: str
    later: str


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


@dataclass(frozen=True, slots=True)
class Group:
    """Everything that belongs to one question."""

    title: str
    summary: str
    rows: tuple[CriterionRow, ...]
    unknown: tuple[CriterionRow, ...]
    disputes: tuple[DisputeRow, ...]
    shown: tuple[ShownRow, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """The guideline part of a report.

    Parameters
    ----------
    counts
        How many verdicts read which way, in words.
    first
        What is outside a criterion or borderline, the worst first.
    groups
        Every rule that was judged and what stands beside it, by question.
    not_applicable, elsewhere
        Rules that do not apply, and those of phases that another command judges, each with the reason.
    unlocking
        Which facts would let most rules be judged; empty where none would.
    """

    counts: str
    first: tuple[CriterionRow, ...]
    groups: tuple[Group, ...]
    not_applicable: tuple[CriterionRow, ...]
    elsewhere: tuple[tuple[str, tuple[str, ...]], ...]
    unlocking: str


def criteria(assessment: Assessment) -> Criteria | None:
    """Return the guideline part of a report; None where no rule was held against the case."""
    if not assessment.judged:
        return None
    here = [judged for judged in assessment.judged if judged.here]
    return Criteria(
        _counts(here),
        tuple(row for row in map(_pressing, sorted(here, key=_pressing_first)) if row.lines),
        tuple(group for question in QUESTIONS if (group := _group(question, here, assessment)) is not None),
        tuple(_row(judged) for judged in here if judged.case.word == "not_applicable"),
        tuple(_elsewhere([judged for judged in assessment.judged if not judged.here])),
        unlocking_sentence(assessment),
    )


def primary_sentence(assessment: Assessment) -> str:
    """Return that no source speaks of hepatocellular carcinoma, where that is the tumour; else empty."""
    if assessment.facts.get(PRIMARY.name) != "hepatocellular":
        return ""
    return (
        "The tumour is entered as hepatocellular carcinoma: these sources speak of metastases only, and none of them"
        " judges it."
    )


def _verdicts(judged: Judged) -> tuple[Verdict, ...]:
    return judged.lesions or (judged.case,)


def _counts(here: Sequence[Judged]) -> str:
    found = Counter(verdict.word for judged in here for verdict in _verdicts(judged))
    borderline = sum(verdict.borderline for judged in here for verdict in _verdicts(judged))
    total = counted(sum(found.values()), "verdict")
    said = [counted_words(found[word], word) for word in SHOWN_WORDS if found[word]]
    near = f"; {borderline} of them borderline" if borderline else ""
    return f"{counted(len(here), 'statement')} that a review judges, {total}: {', '.join(said)}{near}"


def counted_words(count: int, word: Word) -> str:
    """Return how many verdicts read which way: "1 meets", "2 meet"."""
    several = {"pass": "meet", "not_applicable": "do not apply"}.get(word, READS[word])
    return f"{count} {READS[word] if count == 1 else several}"


def _pressing(judged: Judged) -> CriterionRow:
    """Return a rule with only what is outside its criterion or borderline."""
    near = [v for v in _verdicts(judged) if v.word == "fail" or (v.borderline and v.word != "not_applicable")]
    return _row(judged, near)


def _pressing_first(judged: Judged) -> tuple[bool, bool]:
    """Return what sorts the pressing ones: signed sources first, among them what is outside a criterion."""
    return judged.rule.source.unsigned, not any(verdict.word == "fail" for verdict in _verdicts(judged))


def _group(question: Question, here: Sequence[Judged], assessment: Assessment) -> Group | None:
    asked = [j for j in here if j.rule.question == question and j.case.word != "not_applicable"]
    known = [j for j in asked if any(v.word not in ("not_evaluable", "not_applicable") for v in _verdicts(j))]
    shown = [one for one in assessment.shown if one.entry.question == question]
    if not asked and not shown:
        return None
    disputes = tuple(_disputes(asked, shown, assessment))
    found = Counter(v.word for j in asked for v in _verdicts(j))
    summary = ", ".join(counted_words(found[word], word) for word in SHOWN_WORDS[:-1] if found[word])
    return Group(
        QUESTIONS[question],
        summary or "nothing to judge",
        tuple(map(_row, known)),
        tuple(_row(judged) for judged in asked if judged not in known),
        disputes,
        tuple(map(_shown, shown)),
    )


def _row(judged: Judged, verdicts: Sequence[Verdict] | None = None) -> CriterionRow:
    rule = judged.rule
    stated = _verdicts(judged) if verdicts is None else verdicts
    later = f"later: {', '.join(rule.superseded_by)}" if rule.superseded_by else ""
    return CriterionRow(
        rule.id, _asks(rule), rule.statement, tuple(_lines(stated, len(judged.lesions))), attribution(rule), later
    )


def _asks(rule: Rule) -> str:
    said = rule.title.removeprefix(f"{rule.source.label}: ")
    return f"{said[:1].upper()}{said[1:]}"


def _lines(verdicts: Iterable[Verdict], lesions: int) -> Iterator[Line]:
    """Yield a line for each verdict; lesions that read alike in every word share one."""
    alike: dict[tuple[str, str, str, Word, bool], list[str]] = {}
    for verdict in verdicts:
        key = (_value(verdict), reads(verdict), _because(verdict), verdict.word, verdict.borderline)
        alike.setdefault(key, []).append("" if verdict.lesion_id is None else verdict.lesion_id)
    for (value, says, because, word, borderline), ids in alike.items():
        named = [one for one in ids if one]
        whose = "every lesion" if lesions > 1 and len(named) == lesions else ", ".join(named)
        yield Line(whose, value, says, because, word, borderline)


def _because(verdict: Verdict) -> str:
    geometric = "" if verdict.geometric is None else f"by the geometric margin: {reads(verdict.geometric)}"
    return "; ".join(part for part in (why(verdict), geometric) if part)


def _value(verdict: Verdict) -> str:
    """Return the value that decided; a distance to a structure that is touched or overlapped, in words."""
    if verdict.value is None or verdict.deciding is None:
        return ""
    apart = words.millimetres(verdict.value) if verdict.unit == "mm" else f"{verdict.value:.1f}"
    if verdict.deciding.quantity.name.startswith("dist."):
        if verdict.value < 0:
            return "overlapping"
        if apart == "0.0":
            return "touching"
    return f"{apart} {unit_words(verdict.unit)}"


def _disputes(asked: Sequence[Judged], shown: Sequence[Shown], assessment: Assessment) -> Iterator[DisputeRow]:
    """Yield the conflicts in which at least two statements of a question take part."""
    stated: list[tuple[Rule | Entry, str]] = [(j.rule, _worst(j)) for j in asked]
    stated += [(one.entry, "") for one in shown]
    named = dict.fromkeys(name for one, _ in stated for name in one.conflicts)
    for conflict in (assessment.conflicts[name] for name in named if name in assessment.conflicts):
        sides = [_side(one, reads_) for one, reads_ in stated if conflict.id in one.conflicts]
        if len(sides) > 1:
            yield _dispute(conflict, sides)


def _worst(judged: Judged) -> str:
    return f"{'worst lesion ' if len(judged.lesions) > 1 else ''}{READS[judged.case.word]}"


def _side(stated: Rule | Entry, reads_: str) -> str:
    said = f": {reads_}" if reads_ else ""
    return f"{stated.id}, {attribution(stated)}{said}"


def _dispute(conflict: Conflict, sides: Sequence[str]) -> DisputeRow:
    return DisputeRow(conflict.id, conflict.title, conflict.positions, tuple(sides))


def _shown(one: Shown) -> ShownRow:
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


def _elsewhere(judged: Sequence[Judged]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each reason why rules are not judged here, with those rules."""
    by_reason: dict[str, list[str]] = {}
    for one in judged:
        by_reason.setdefault("; ".join(one.case.reasons), []).append(f"{one.rule.id}, {_asks(one.rule)}")
    for reason, named in sorted(by_reason.items()):
        yield f"{reason[:1].upper()}{reason[1:]}", tuple(named)
