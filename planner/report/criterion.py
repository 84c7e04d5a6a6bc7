"""A rule with what it says of each lesion, as a row of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from planner.findings import YES_NO
from planner.guideline.judge import Judged
from planner.guideline.printed import number_words, unit_words
from planner.guideline.rule import WORST_FIRST, Word
from planner.guideline.speaks import asks
from planner.guideline.verdict import Verdict
from planner.guideline.words import attribution, quantity_words, reads, why

_MISSED: tuple[Word, ...] = ("fail", "caution")


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


def verdicts_of(judged: Judged) -> tuple[Verdict, ...]:
    """Return the verdicts that a report shows: the lesions', or the case's where the rule speaks of no lesion."""
    return judged.lesions or (judged.case,)


def criterion_row(judged: Judged, verdicts: Sequence[Verdict] | None = None) -> CriterionRow:
    """Return a rule as a row, with all of its verdicts or some."""
    rule = judged.rule
    stated = verdicts_of(judged) if verdicts is None else verdicts
    later = f"later: {', '.join(rule.superseded_by)}" if rule.superseded_by else ""
    source = f"{attribution(rule)}, in place of {rule.overrides}" if rule.overrides else attribution(rule)
    lines = tuple(_lines(stated, len(judged.lesions)))
    return CriterionRow(rule.id, asks(rule), rule.statement, lines, source, later)


def _lines(verdicts: Iterable[Verdict], lesions: int) -> Iterator[Line]:
    """Yield a line for each verdict; lesions that read alike in every word share one."""
    alike: dict[tuple[str, str, str, Word, bool], list[str]] = {}
    for verdict in verdicts:
        key = (value_words(verdict), reads(verdict), _because(verdict), verdict.word, verdict.borderline)
        alike.setdefault(key, []).append("" if verdict.lesion_id is None else verdict.lesion_id)
    for (value, says, because, word, borderline), ids in alike.items():
        named = [one for one in ids if one]
        whose = "every lesion" if lesions > 1 and len(named) == lesions else ", ".join(named)
        yield Line(whose, value, says, because, word, borderline)


def _because(verdict: Verdict) -> str:
    geometric = "" if verdict.geometric is None else f"by the geometric margin: {reads(verdict.geometric)}"
    return "; ".join(part for part in (why(verdict), _own_line(verdict), geometric) if part)


def _own_line(verdict: Verdict) -> str:
    """Return that the line which a value misses is ours; empty where the source draws it, or none is missed."""
    if verdict.deciding is None or verdict.value is None or verdict.unit == YES_NO or verdict.word not in _MISSED:
        return ""
    quantity = verdict.deciding.quantity
    scales = [b.scale for part in verdict.rule.parts if part.quantity == quantity for b in part.branches]
    for scale in (one for one in scales if one.verdict(verdict.value) == verdict.word):
        at = scale.place(verdict.value)
        for edge, beyond in ((at - 1, at - 1), (at, at + 1)):
            inside = 0 <= edge < len(scale.edges)
            if inside and WORST_FIRST.index(scale.verdicts[beyond]) > WORST_FIRST.index(verdict.word):
                line = scale.edges[edge]
                return "" if line.from_source else f"the line at {line.at:g} {unit_words(verdict.unit)} is ours"
    return ""


def value_words(verdict: Verdict) -> str:
    """Return the value that decided, with what it is where a rule looks at several."""
    return labelled_words(verdict) if len(verdict.rule.measured) > 1 else _number(verdict)


def labelled_words(verdict: Verdict) -> str:
    """Return the value that decided with what it is; empty where entered facts alone decided."""
    number = _number(verdict)
    if not number or verdict.deciding is None:
        return ""
    return f"{quantity_words(verdict.deciding.quantity.name)}: {number}"


def _number(verdict: Verdict) -> str:
    """Return the number that decided; a distance to a structure that is touched or overlapped, in words."""
    if verdict.value is None or verdict.deciding is None:
        return ""
    name = verdict.deciding.quantity.name
    parts = [part for part in verdict.rule.parts if part.quantity.name == name]
    edges = [edge.at for part in parts for branch in part.branches for edge in branch.scale.edges]
    number = number_words(verdict.value, verdict.unit, edges)
    if name.startswith("dist.") and (verdict.value <= 0 or number.startswith("0.0 ")):
        return "overlapping" if verdict.value < 0 else "touching"
    return number


def lesion_words(ids: Sequence[str]) -> str:
    """Return "lesion 1", "lesions 1, 2"."""
    return f"lesion{'s' * (len(ids) > 1)} {', '.join(ids)}"
