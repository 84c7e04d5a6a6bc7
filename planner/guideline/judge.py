"""Hold measured values and entered facts to rules. What is missing never becomes a `pass`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from planner.errors import UsageError
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
from planner.guideline.rule import TREATMENTS, WORST_FIRST, Branch, Part, Rule, Scale, Word
from planner.guideline.verdict import Reading, Side, Verdict

OTHERS = {
    MARGIN_MM.name: GEOMETRIC_MARGIN_MM,
    AXIAL_DIAMETER_MM.name: DIAMETER_MM,
    LARGEST_MM.name: LARGEST_3D_MM,
}
"""What is measured in a second way, and is judged by both: a diameter on two sides of an edge makes it borderline."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule held to a case: its worst verdict, and those of the lesions where it speaks of lesions."""

    rule: Rule
    case: Verdict
    lesions: tuple[Verdict, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The case's verdict, then the lesions'."""
        return (self.case, *self.lesions)


def judge(
    rule: Rule, measured: Mapping[str, Measured], facts: Mapping[str, object], lesion_id: str | None = None
) -> Verdict:
    """Return what a rule says.

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

    Raises
    ------
    InputError
        A fact is malformed.
    UsageError
        A value has another unit than its quantity.
    """
    return _judge(rule, measured, checked_facts(facts), lesion_id)


def judge_case(
    rules: Sequence[Rule],
    lesions: Mapping[str, Mapping[str, Measured]],
    case: Mapping[str, Measured],
    facts: Mapping[str, object],
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
    """
    known = checked_facts(facts)
    return tuple(_judged(rule, lesions, case, known) for rule in rules)


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
    found = tuple(_with_others(rule, values, known, lesion_id) for lesion_id, values in lesions.items())
    return Judged(rule, replace(worst_of(found), lesion_id=None), found)


def _with_others(
    rule: Rule, measured: Mapping[str, Measured], known: Mapping[str, object], lesion_id: str | None
) -> Verdict:
    """Return the verdict with what the geometric margin and the diameter in 3D would say where they differ."""
    verdict = _judge(rule, measured, known, lesion_id)
    for name, other in OTHERS.items():
        value = measured.get(other.name)
        if name not in rule.measured or value is None or value.value is None:
            continue
        found = _judge(rule, {**measured, name: value}, known, lesion_id)
        if found.word == verdict.word:
            continue
        verdict = replace(verdict, geometric=found) if name == MARGIN_MM.name else replace(verdict, in_3d=found)
    return verdict


def _judge(rule: Rule, measured: Mapping[str, Measured], known: Mapping[str, object], lesion_id: str | None) -> Verdict:
    outside = _out_of_scope(rule, known)
    if outside:
        return Verdict(rule, "not_applicable", lesion_id, None, reasons=(outside,))
    asked = [(part, measured.get(part.quantity.name)) for part in rule.parts]
    readings = tuple(_reading(part, value, known) for part, value in asked if value is None or value.applies)
    if not readings:
        why = _once(value.reason or "" for _, value in asked if value is not None)
        return Verdict(rule, "not_applicable", lesion_id, None, reasons=why)
    deciding = min(readings, key=lambda reading: _rank(rule, reading))
    scope = (PRIMARY.name,) if rule.primary and PRIMARY.name not in known else ()
    word: Word = "not_evaluable" if scope else deciding.word
    # A part that fails decides by itself; only a rule that cannot be judged waits for what its other parts lack.
    waiting = readings if word == "not_evaluable" else (deciding,)
    missing = (*scope, *_once(fact for reading in waiting for fact in reading.missing))
    reasons = _once(reason for reading in waiting for reason in reading.reasons)
    return Verdict(rule, word, lesion_id, deciding, readings, missing, reasons)


def _rank(rule: Rule, reading: Reading) -> tuple[int, bool, float]:
    """Return what sorts the parts of a rule: the worst word first, then borderline ones, then the worst value."""
    value = -math.inf if reading.value is None else reading.value
    worse_value = -value if reading.value is not None and _high_is_worse(rule, reading.quantity) else value
    return WORST_FIRST.index(reading.word), not reading.sides, worse_value


def _out_of_scope(rule: Rule, known: Mapping[str, object]) -> str:
    """Return why a rule does not apply: an entered fact differs from what it speaks of. Empty where none does."""
    primary, modality = known.get(PRIMARY.name), known.get(MODALITY.name)
    if rule.primary and primary is not None and primary not in rule.primary:
        return f"speaks of {_or(rule.primary)} primary tumours, entered: {primary}"
    covered = TREATMENTS[rule.treatment]
    if covered is not None and modality is not None and modality not in covered:
        entered = str(modality).replace("_", " ")
        return f"speaks of {rule.treatment.replace('_', ' ')}, entered ablation modality: {entered}"
    return ""


def _reading(part: Part, measured: Measured | None, known: Mapping[str, object]) -> Reading:
    quantity = part.quantity
    if measured is not None and measured.unit != quantity.unit:
        raise UsageError(f"{quantity.name}: unit {measured.unit}, expected {quantity.unit}", code="unit")
    branches = [branch for branch in part.branches if branch.may_hold(known)]
    if measured is None or measured.value is None:
        reason = f"{quantity.name}: {'not measured' if measured is None else measured.reason}"
        missing = _deciding_facts([(branch, branch.scale) for branch in branches], known)
        return Reading(quantity, "not_evaluable", None, None, (), missing, (reason,))
    found = [_on_scale(branch.scale, quantity, measured) for branch in branches]
    if len({reading.word for reading in found}) > 1:
        missing = _deciding_facts([(branch, f.word) for branch, f in zip(branches, found, strict=True)], known)
        reasons = _once(reason for reading in found for reason in reading.reasons)
        return Reading(quantity, "not_evaluable", measured.value, measured.ci95, (), missing, reasons)
    # Facts that are open but change nothing do not block; the reading that is nearest to an edge stands for all.
    chosen = max(found, key=lambda reading: len(reading.sides))
    notes = tuple(note for note in (branches[0].note,) if note and len(branches) == 1)
    return replace(chosen, reasons=(*chosen.reasons, *notes))


def _on_scale(scale: Scale, quantity: Quantity, measured: Measured) -> Reading:
    """Return what a scale says of a known value: one word only if all values that it may stand for share it."""
    value = 0.0 if measured.value is None else measured.value
    last = len(scale.verdicts) - 1
    at, low, high = scale.place(value), *(scale.place(end) for end in measured.span)
    first_possible = 0 if measured.bound == "at_most" else at
    last_possible = last if measured.bound == "at_least" else at
    words = set(scale.verdicts[first_possible : last_possible + 1])
    if len(words) > 1:
        reason = f"{quantity.name}: {value:.1f} {quantity.unit} {measured.bound.replace('_', ' ')} ({measured.reason})"
        return Reading(quantity, "not_evaluable", measured.value, measured.ci95, (), (), (reason,))
    sides = tuple(
        _side(scale, index, quantity, measured)
        for index in range(min(low, first_possible), max(high, last_possible))
        if scale.verdicts[index] != scale.verdicts[index + 1]
    )
    return Reading(quantity, scale.verdicts[at], measured.value, measured.ci95, sides)


def _side(scale: Scale, index: int, quantity: Quantity, measured: Measured) -> Side:
    edge = scale.edges[index]
    above = measured.probability_at_least(edge.at)
    return Side(
        edge.at, quantity.unit, scale.verdicts[index], scale.verdicts[index + 1],
        None if above is None else 1.0 - above, above, edge.from_source,
    )  # fmt: skip


def _deciding_facts(outcomes: Sequence[tuple[Branch, Hashable]], known: Mapping[str, object]) -> tuple[str, ...]:
    """Return the facts that were not entered and on which the outcome depends."""
    names = _once(name for branch, _ in outcomes for name in branch.when if name not in known)
    found = []
    for name in names:
        rest = [other for other in names if other != name]
        for values in product(*(FACTS[other].values for other in rest)):
            given = {**known, **dict(zip(rest, values, strict=True))}
            if len({_outcome(outcomes, {**given, name: value}) for value in FACTS[name].values}) > 1:
                found.append(name)
                break
    return tuple(found)


def _outcome(outcomes: Sequence[tuple[Branch, Hashable]], facts: Mapping[str, object]) -> Hashable:
    return next(outcome for branch, outcome in outcomes if branch.may_hold(facts))


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _or(words: Sequence[str]) -> str:
    return " or ".join(words)
