"""Published criteria beside a case's numbers: the few that matter first, then all of them by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import Assessment
from planner.facts import MODALITY, PRIMARY
from planner.guideline.judge import Judged
from planner.guideline.rule import QUESTIONS, TREATMENTS, Question, Rule, Word
from planner.guideline.verdict import Verdict
from planner.guideline.words import READS
from planner.report.beside_rules import DisputeRow, ShownRow, disputes_of, shown_row
from planner.report.counts import counted
from planner.report.criterion import (
    CriterionRow,
    asked_words,
    criterion_row,
    lesion_words,
    value_words,
    verdicts_of,
)
from planner.report.held_against import unlocking_sentence

SHOWN_WORDS: tuple[Word, ...] = ("fail", "caution", "pass", "info", "not_evaluable", "not_applicable")
"""The verdict words in the order in which a report counts them."""


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
    sentences
        What each lesion, and the case, is outside of, and whose rules are a site's own or assume a kind of ablation.
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

    sentences: tuple[str, ...]
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
        tuple(_sentences(here, assessment)),
        _counts(here),
        tuple(row for row in map(_pressing, sorted(here, key=_pressing_first)) if row.lines),
        tuple(group for question in QUESTIONS if (group := _group(question, here, assessment)) is not None),
        tuple(criterion_row(judged) for judged in here if judged.case.word == "not_applicable"),
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


def _sentences(here: Sequence[Judged], assessment: Assessment) -> Iterator[str]:
    """Yield what each lesion, then the case, is outside of, and what a reader must know of the rules."""
    outside = [(j.rule, v) for j in here for v in verdicts_of(j) if v.word == "fail"]
    for lesion_id in (*(lesion.lesion_id for lesion in assessment.lesions), None):
        of_this = [(rule, verdict) for rule, verdict in outside if verdict.lesion_id == lesion_id]
        if of_this:
            name = "The case" if lesion_id is None else f"Lesion {lesion_id}"
            yield f"{name} is outside {'; '.join(_by_question(of_this))}"
    inside = [x.lesion_id for x in assessment.lesions if x.lesion_id not in {v.lesion_id for _, v in outside}]
    if inside:
        yield f"{lesion_words(inside).capitalize()}: outside no criterion that could be judged"
    if primary := primary_sentence(assessment):
        yield primary.rstrip(".")
    assumed = [rule for rule in (j.rule for j in here) if TREATMENTS[rule.treatment] is not None]
    if assumed and assessment.facts.get(MODALITY.name) is None:
        yield (
            "The ablation modality was not entered: what speaks of heat or cold, or of radiofrequency alone, is judged"
            " as if it fitted"
        )
    own = [j.rule for j in here if j.rule.source.of_site]
    if own:
        replaced = [rule.overrides for rule in own if rule.overrides]
        stand = f", in place of {', '.join(replaced)}" if replaced else ""
        yield f"{counted(len(own), 'rule')} of this site's own policy{stand}: {', '.join(rule.id for rule in own)}"


def _by_question(outside: Sequence[tuple[Rule, Verdict]]) -> Iterator[str]:
    """Yield, for each question, which sources something is outside of, with the value that decided."""
    for question, title in QUESTIONS.items():
        found = [(rule, verdict) for rule, verdict in outside if rule.question == question]
        values = dict.fromkeys(value for _, verdict in found if (value := value_words(verdict)))
        sources = dict.fromkeys(rule.source.label for rule, _ in found)
        if found:
            shown = f" ({', '.join(values)})" if values else ""
            yield f"{counted(len(found), 'criterion', 'criteria')} on {title.lower()}{shown}: {', '.join(sources)}"


def _counts(here: Sequence[Judged]) -> str:
    found = Counter(verdict.word for judged in here for verdict in verdicts_of(judged))
    borderline = sum(v.borderline and v.word != "not_applicable" for judged in here for v in verdicts_of(judged))
    total = counted(sum(found.values()), "verdict")
    said = [counted_words(found[word], word) for word in SHOWN_WORDS if found[word]]
    near = f"; {borderline} of them borderline" if borderline else ""
    return f"{counted(len(here), 'statement')} that a review judges, {total}: {', '.join(said)}{near}"


def counted_words(count: int, word: Word) -> str:
    """Return how many verdicts read which way: "1 meets", "2 meet"."""
    one = {"fail": "outside a source's criterion"}.get(word, READS[word])
    several = {"pass": "meet", "not_applicable": "do not apply"}.get(word, one)
    return f"{count} {one if count == 1 else several}"


def _pressing(judged: Judged) -> CriterionRow:
    """Return a rule with only what is outside its criterion or borderline."""
    near = [v for v in verdicts_of(judged) if v.word == "fail" or (v.borderline and v.word in ("pass", "caution"))]
    return criterion_row(judged, near)


def _pressing_first(judged: Judged) -> tuple[bool, bool]:
    """Return what sorts the pressing ones: signed sources first, among them what is outside a criterion."""
    return judged.rule.source.unsigned, not any(verdict.word == "fail" for verdict in verdicts_of(judged))


def _group(question: Question, here: Sequence[Judged], assessment: Assessment) -> Group | None:
    asked = [j for j in here if j.rule.question == question and j.case.word != "not_applicable"]
    known = [j for j in asked if any(v.word not in ("not_evaluable", "not_applicable") for v in verdicts_of(j))]
    shown = [one for one in assessment.shown if one.entry.question == question]
    if not asked and not shown:
        return None
    disputes = tuple(disputes_of(asked, shown, assessment))
    found = Counter(v.word for j in asked for v in verdicts_of(j))
    summary = ", ".join(counted_words(found[word], word) for word in SHOWN_WORDS[:-1] if found[word])
    return Group(
        QUESTIONS[question],
        summary or "nothing to judge",
        tuple(map(criterion_row, known)),
        tuple(criterion_row(judged) for judged in asked if judged not in known),
        disputes,
        tuple(map(shown_row, shown)),
    )


def _elsewhere(judged: Sequence[Judged]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each reason why rules are not judged here, with those rules."""
    by_reason: dict[str, list[str]] = {}
    for one in judged:
        by_reason.setdefault("; ".join(one.case.reasons), []).append(f"{one.rule.id}, {asked_words(one.rule)}")
    for reason, named in sorted(by_reason.items()):
        yield f"{reason[:1].upper()}{reason[1:]}", tuple(named)
