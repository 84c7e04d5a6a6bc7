"""Published criteria beside a case's numbers: the few that matter first, then all of them by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import Assessment, LesionAssessment
from planner.facts import MODALITY, PRIMARY
from planner.guideline.judge import NO_METASTASIS, Judged
from planner.guideline.rule import QUESTIONS, TREATMENTS, Question, Rule, Word
from planner.guideline.speaks import asks
from planner.guideline.verdict import Verdict
from planner.guideline.words import READS
from planner.report import words
from planner.report.beside_rules import DisputeRow, ShownRow, disputes_of, shown_row
from planner.report.counts import counted
from planner.report.criterion import (
    CriterionRow,
    criterion_row,
    labelled_words,
    verdicts_of,
)
from planner.report.held_against import unlocking_sentence

SHOWN_WORDS: tuple[Word, ...] = ("fail", "caution", "pass", "info", "not_evaluable", "not_applicable")
"""The verdict words in the order in which a report counts them."""


_PRESSING: tuple[Word, ...] = ("pass", "caution", "fail")
"""Words that may turn out worse or better where a value lies near a line."""

_HOW: dict[Word, str] = {"fail": "outside", "caution": "short of"}


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


def _sentences(here: Sequence[Judged], assessment: Assessment) -> Iterator[str]:
    """Yield what each lesion, then the case, is outside of, and what a reader must know of the rules."""
    judged = [(j.rule, v) for j in here for v in verdicts_of(j)]
    for lesion in sorted(assessment.lesions, key=_margin_first):
        said = "; ".join(
            (_margin_words(lesion), *_held([(r, v) for r, v in judged if v.lesion_id == lesion.lesion_id]))
        )
        yield f"Lesion {lesion.lesion_id}: {said}"
    of_case = list(_held([(rule, verdict) for rule, verdict in judged if verdict.lesion_id is None]))
    if of_case:
        yield f"The case: {'; '.join(of_case)}"
    if assessment.facts.get(PRIMARY.name) == NO_METASTASIS:
        yield (
            "The tumour is entered as hepatocellular carcinoma: these sources speak of metastases only, and none of"
            " them judges it"
        )
    assumed = [rule for rule in (j.rule for j in here) if TREATMENTS[rule.treatment] is not None]
    if assumed and assessment.facts.get(MODALITY.name) is None:
        yield (
            "The ablation modality was not entered: criteria for heat or cold, or for radiofrequency alone, are applied"
            " and may not concern this case"
        )
    own = [j.rule for j in here if j.rule.source.of_site]
    if own:
        replaced = [rule.overrides for rule in own if rule.overrides]
        stand = f", in place of {', '.join(replaced)}" if replaced else ""
        yield f"{counted(len(own), 'rule')} of this site's own policy{stand}: {', '.join(rule.id for rule in own)}"


def _margin_first(lesion: LesionAssessment) -> tuple[bool, float]:
    """Return what sorts lesions: the least margin first, those without one last."""
    least = None if lesion.margin is None else lesion.margin.min_mm
    return least is None, 0.0 if least is None else least


def _margin_words(lesion: LesionAssessment) -> str:
    least = None if lesion.margin is None else lesion.margin.min_mm
    if least is None:
        return "no minimal margin was measured"
    below = " (not covered on these images)" if least < 0 else ""
    return f"minimal margin {words.millimetres(least)} mm{below}"


def _held(judged: Sequence[tuple[Rule, Verdict]]) -> Iterator[str]:
    """Yield what something is outside of, what it is short of, and how much could not be judged."""
    found = [f"{how} {part}" for word, how in _HOW.items() for part in _by_question(judged, word)]
    known = any(verdict.word in ("pass", "info") for _, verdict in judged)
    yield from found or (["outside no criterion and short of none that could be judged"] if known else [])
    unknown = sum(verdict.word == "not_evaluable" for _, verdict in judged)
    if unknown:
        yield f"{counted(unknown, 'criterion', 'criteria')} could not be judged"


def _by_question(judged: Sequence[tuple[Rule, Verdict]], word: Word) -> Iterator[str]:
    """Yield, for each question, the sources of the rules that have a word, with the values that decided."""
    for question, title in QUESTIONS.items():
        found = [(rule, verdict) for rule, verdict in judged if rule.question == question and verdict.word == word]
        # The margin stands before all of them.
        values = dict.fromkeys(v for _, one in found if question != "margin" and (v := labelled_words(one)))
        sources = dict.fromkeys(rule.source.label for rule, _ in found)
        if found:
            shown = f" ({', '.join(values)})" if values else ""
            yield f"{counted(len(found), 'criterion', 'criteria')} on {title.lower()}{shown}: {', '.join(sources)}"


def _counts(here: Sequence[Judged]) -> str:
    found = Counter(verdict.word for judged in here for verdict in verdicts_of(judged))
    borderline = sum(v.borderline and v.word in _PRESSING for judged in here for v in verdicts_of(judged))
    total = counted(sum(found.values()), "verdict")
    said = [counted_words(found[word], word) for word in SHOWN_WORDS if found[word]]
    near = f"; {borderline} of them borderline" if borderline else ""
    return f"{counted(len(here), 'statement')} judged, {total}: {', '.join(said)}{near}"


def counted_words(count: int, word: Word) -> str:
    """Return how many verdicts read which way: "1 meets", "2 meet"."""
    one = {"fail": "outside a source's criterion"}.get(word, READS[word])
    several = {"pass": "meet", "not_applicable": "do not apply"}.get(word, one)
    return f"{count} {one if count == 1 else several}"


def _pressing(judged: Judged) -> CriterionRow:
    """Return a rule with only what is outside its criterion or borderline."""
    near = [v for v in verdicts_of(judged) if v.word == "fail" or (v.borderline and v.word in _PRESSING)]
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
        by_reason.setdefault("; ".join(one.case.reasons), []).append(f"{one.rule.id}, {asks(one.rule)}")
    for reason, named in sorted(by_reason.items()):
        yield f"{reason[:1].upper()}{reason[1:]}", tuple(named)
