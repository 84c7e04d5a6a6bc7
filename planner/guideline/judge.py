"""Hold measured values and entered facts to rules. What is missing never becomes a `pass`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.facts import FACTS, MODALITY, PRIMARY, checked_facts
from planner.findings import (
    AXIAL_DIAMETER_MM,
    DIAMETER_MM,
    GEOMETRIC_MARGIN_MM,
    LARGEST_3D_MM,
    LARGEST_MM,
    MARGIN_MM,
    Quantity,
)
from planner.guideline.measured import Measured
from planner.guideline.phases import Command, judged_by, not_here
from planner.guideline.reading import once, reading_of, said
from planner.guideline.rule import ASIDE, TREATMENTS, WORST_FIRST, Rule, Word
from planner.guideline.verdict import Reading, Verdict

ALL_OF: tuple[Word, ...] = ("not_applicable", *WORST_FIRST[:-1])
"""Which part decides where all must hold: one that does not apply puts the rule out of scope, then the worst."""

ANY_OF: tuple[Word, ...] = ("fail", "caution", "info", "pass", "not_evaluable", "not_applicable")
"""Which part decides where one that speaks is enough."""

NO_METASTASIS = "hepatocellular"
"""A primary liver tumour: every source speaks of metastases, so that a statement on any of them judges none of it."""

OTHERS = {
    MARGIN_MM.name: GEOMETRIC_MARGIN_MM,
    AXIAL_DIAMETER_MM.name: DIAMETER_MM,
    LARGEST_MM.name: LARGEST_3D_MM,
}
"""What is measured in a second way, and is judged by both: a diameter on two sides of an edge makes it borderline."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule held to a case: its worst verdict, and those of the lesions where it speaks of lesions.

    `here`: whether the command judges rules of its phases; one that it does not is listed with the reason.
    """

    rule: Rule
    case: Verdict
    lesions: tuple[Verdict, ...] = ()
    here: bool = True

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The case's verdict, then the lesions'."""
        return (self.case, *self.lesions)


def judge(
    rule: Rule,
    measured: Mapping[str, Measured],
    facts: Mapping[str, object],
    lesion_id: str | None = None,
    *,
    own: bool = False,
) -> Verdict:
    """Return what a rule says of an ablation case.

    A statement about resection or systemic therapy never judges one: it is `info` where the case is such that it
    would speak, else it does not apply.

    Parameters
    ----------
    rule
        The rule.
    measured
        By name of the quantity; one that is left out was not measured.
    facts
        As entered; one that is left out is unknown.
    lesion_id
        The lesion that is judged.
    own
        The case is of the treatment that the statement speaks of, not an ablation: its own word is returned.

    Raises
    ------
    InputError
        A fact is malformed.
    UsageError
        A value has another unit than its quantity.
    """
    return judge_checked(rule, measured, checked_facts(facts), lesion_id, own=own)


def judge_checked(
    rule: Rule,
    measured: Mapping[str, Measured],
    known: Mapping[str, object],
    lesion_id: str | None = None,
    *,
    own: bool = False,
) -> Verdict:
    """Return what `judge` does, of facts that were checked already."""
    verdict = _judge(rule, measured, known, lesion_id)
    return verdict if own or rule.about not in ASIDE else _aside(verdict)


def judge_case(
    rules: Sequence[Rule],
    lesions: Mapping[str, Mapping[str, Measured]],
    case: Mapping[str, Measured],
    facts: Mapping[str, object],
    command: Command = "review",
) -> tuple[Judged, ...]:
    """Return what each rule says of each lesion and, by the worst of them, of the case.

    Parameters
    ----------
    rules
        The rules.
    lesions
        Lesion id -> measured values by name.
    case
        Measured values of the patient and the session.
    facts
        As entered.
    command
        Which judges: a rule of other phases does not apply here, and says which command judges it.
    """
    known = checked_facts(facts)
    return tuple(
        _judged(rule, lesions, case, known) if judged_by(command, rule) else _elsewhere(rule, command) for rule in rules
    )


def _elsewhere(rule: Rule, command: Command) -> Judged:
    return Judged(rule, Verdict(rule, "not_applicable", None, None, reasons=(not_here(command, rule),)), here=False)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of several verdicts of one rule.

    Among equals it is a borderline one (but a `fail` that is none: it decides), then the one of the worst value; an
    unknown value may be the worst.
    """
    return min(verdicts, key=_badness)


def _badness(verdict: Verdict) -> tuple[int, bool, float]:
    borderline_first = verdict.borderline != (verdict.word != WORST_FIRST[0])
    if verdict.value is None:
        return WORST_FIRST.index(verdict.word), borderline_first, -math.inf
    high_is_worse = verdict.deciding is not None and _high_is_worse(verdict.rule, verdict.deciding.quantity)
    value = -verdict.value if high_is_worse else verdict.value
    return WORST_FIRST.index(verdict.word), borderline_first, value


def _high_is_worse(rule: Rule, quantity: Quantity) -> bool:
    """Return whether the bands of a quantity get worse towards high values."""
    scales = [branch.scale for part in rule.parts if part.quantity == quantity for branch in part.branches]
    ends = [(WORST_FIRST.index(scale.verdicts[0]), WORST_FIRST.index(scale.verdicts[-1])) for scale in scales]
    return any(high < low for low, high in ends)


def _judged(
    rule: Rule,
    lesions: Mapping[str, Mapping[str, Measured]],
    case: Mapping[str, Measured],
    known: Mapping[str, object],
) -> Judged:
    if rule.per != "lesion":
        return Judged(rule, _with_others(rule, case, known, None))
    if not lesions:
        none = Verdict(rule, "not_evaluable", None, None, reasons=("there is no lesion to judge",))
        return Judged(rule, none)
    found = tuple(_with_others(rule, {**case, **values}, known, lesion_id) for lesion_id, values in lesions.items())
    return Judged(rule, replace(worst_of(found), lesion_id=None), found)


def _with_others(
    rule: Rule, measured: Mapping[str, Measured], known: Mapping[str, object], lesion_id: str | None
) -> Verdict:
    """Return the verdict with what the geometric margin and the diameter in 3D would say where they differ."""
    verdict = judge_checked(rule, measured, known, lesion_id)
    for name, other in OTHERS.items():
        value = measured.get(other.name)
        if name not in rule.measured or value is None or value.value is None:
            continue
        found = judge_checked(rule, {**measured, name: value}, known, lesion_id)
        if found.word == verdict.word:
            continue
        verdict = replace(verdict, geometric=found) if name == MARGIN_MM.name else replace(verdict, in_3d=found)
    return verdict


def _judge(rule: Rule, measured: Mapping[str, Measured], known: Mapping[str, object], lesion_id: str | None) -> Verdict:
    outside = _out_of_scope(rule, known)
    if outside:
        return Verdict(rule, "not_applicable", lesion_id, None, reasons=(outside,))
    asked = [(part, measured.get(part.quantity.name) if part.kind == "measured" else None) for part in rule.parts]
    readings = tuple(
        reading_of(part, measured, known, rule.if_missing) for part, value in asked if value is None or value.applies
    )
    if not readings:
        why = once(value.reason or "" for _, value in asked if value is not None)
        return Verdict(rule, "not_applicable", lesion_id, None, reasons=why)
    deciding = _deciding(rule, readings)
    if deciding.word == "not_applicable":
        return Verdict(rule, "not_applicable", lesion_id, deciding, readings, (), deciding.reasons)
    scope = tuple(name for name in _scope(rule) if name not in known)
    word: Word = "not_evaluable" if scope else deciding.word
    # A part that fails decides by itself; only a rule that cannot be judged waits for what its other parts lack.
    waiting = readings if word == "not_evaluable" else (deciding,)
    missing = once((*scope, *(fact for reading in waiting for fact in reading.missing)))
    reasons = once(reason for reading in waiting for reason in reading.reasons)
    return Verdict(rule, word, lesion_id, deciding, readings, missing, reasons)


def _rank(rule: Rule, reading: Reading) -> tuple[int, bool, float]:
    """Return what sorts the parts of a rule: the word that decides first, then borderline ones, then the worst value.

    Of parts that must all hold, one that does not apply decides, then the worst; where one is enough, the worst of
    those that were judged.
    """
    value = -math.inf if reading.value is None else reading.value
    worse_value = -value if reading.value is not None and _high_is_worse(rule, reading.quantity) else value
    order = ALL_OF if rule.combine == "all" else ANY_OF
    return order.index(reading.word), not reading.sides, worse_value


def _deciding(rule: Rule, readings: Sequence[Reading]) -> Reading:
    """Return the reading that decides, by how the rule combines its parts."""
    if rule.combine == "first":
        spoken = (reading for reading in readings if reading.word not in ("not_evaluable", "not_applicable"))
        unknown = (reading for reading in readings if reading.word == "not_evaluable")
        return next(spoken, None) or next(unknown, readings[0])
    worst = min(readings, key=lambda reading: _rank(rule, reading))
    if rule.combine == "any":
        return next((reading for reading in readings if _may_be_worse(reading, worst.word)), worst)
    return worst


def _may_be_worse(reading: Reading, word: Word) -> bool:
    """Return whether a part that could not be judged may turn out to have a word that comes before another."""
    return reading.word == "not_evaluable" and any(ANY_OF.index(w) < ANY_OF.index(word) for w in reading.may_be)


def _scope(rule: Rule) -> tuple[str, ...]:
    """Return the facts that tell whether a rule applies, apart from the modality: that is taken to fit."""
    return (*((PRIMARY.name,) if rule.primary else ()), *rule.where)


def _out_of_scope(rule: Rule, known: Mapping[str, object]) -> str:
    """Return why a rule does not apply: an entered fact differs from what it speaks of. Empty where none does."""
    primary, modality = known.get(PRIMARY.name), known.get(MODALITY.name)
    if rule.primary and primary is not None and primary not in rule.primary:
        return f"speaks of {_or(rule.primary)} primary tumours, entered: {primary}"
    if primary == NO_METASTASIS and PRIMARY.name not in rule.entered and not rule.source.of_site:
        return f"speaks of metastases, entered: {primary} carcinoma"
    covered = TREATMENTS[rule.treatment]
    if covered is not None and modality is not None and modality not in covered:
        entered = str(modality).replace("_", " ")
        return f"speaks of {rule.treatment.replace('_', ' ')}, entered ablation modality: {entered}"
    for name, values in rule.where.items():
        if name in known and known[name] not in values:
            spoken = _or(sorted(map(said, values)))
            return f"speaks of {FACTS[name].words}: {spoken}; entered: {said(known[name])}"
    return ""


def _aside(verdict: Verdict) -> Verdict:
    """Return a verdict of a statement about another treatment as it stands beside an ablation: it judges nothing."""
    rule = verdict.rule
    spoken = ASIDE[rule.about]
    if verdict.word == "not_applicable":
        return verdict
    if PRIMARY.name in verdict.missing:
        return replace(verdict, missing=(PRIMARY.name,), reasons=())
    if verdict.word == "not_evaluable":
        return Verdict(rule, "not_applicable", verdict.lesion_id, None, reasons=(spoken,))
    return Verdict(rule, "info", verdict.lesion_id, None, reasons=(f"{spoken}, not about ablation",))


def _or(words: Sequence[str]) -> str:
    return " or ".join(words)
