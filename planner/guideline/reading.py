"""Hold one part of a rule to a case: the branch that entered facts choose, then the band that holds the value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import product

from planner.errors import UsageError
from planner.facts import FACTS
from planner.findings import Quantity
from planner.guideline.measured import Measured
from planner.guideline.printed import number_words
from planner.guideline.rule import Branch, Part, Scale, Word
from planner.guideline.verdict import Reading, Side

Facts = Mapping[str, object]


def reading_of(part: Part, measured: Mapping[str, Measured], known: Facts, if_missing: Word) -> Reading:
    """Return what a part says.

    Parameters
    ----------
    part
        What is judged.
    measured
        By name of the quantity; one that is left out was not measured.
    known
        Entered facts, checked.
    if_missing
        The word where the value is not known.

    Raises
    ------
    UsageError
        A value has another unit than its quantity.
    """
    value = _value(part, measured, known)
    found = {n: _says(part.branches[n], part, value, known, if_missing) for n in _possible(part, known)}
    may_be = frozenset(word for n, reading in found.items() for word in _possible_words(reading, part.branches[n]))
    if len({reading.word for reading in found.values()}) > 1:
        return replace(_undecided(part, value, known, found), may_be=may_be)
    # Facts that are open but change nothing do not block; the reading that is nearest to an edge stands for all.
    chosen = max(found.values(), key=lambda reading: len(reading.sides))
    missing = once(name for reading in found.values() for name in reading.missing)
    bounded = value is not None and value.value is not None and value.bound != "exact"
    if chosen.word == "not_evaluable" and len(found) > 1 and not bounded:
        missing = once(
            (*_deciding(part, known, lambda n: (part.branches[n].scale, part.branches[n].needs_value)), *missing)
        )
    notes = tuple(part.branches[n].note for n in found if len(found) == 1 and part.branches[n].note)
    # A branch's note explains a word; where the value is not known, the reason of that says all.
    told = () if chosen.word == "not_evaluable" and chosen.reasons else notes
    reasons = once((*chosen.reasons, *told)) or _out_of_reach(chosen, part, known)
    return replace(chosen, missing=missing, reasons=reasons, may_be=may_be)


def once(values: Iterable[str]) -> tuple[str, ...]:
    """Return each value once, in order."""
    return tuple(dict.fromkeys(values))


def _possible_words(reading: Reading, branch: Branch) -> tuple[Word, ...]:
    """Return the words that a branch may turn out to have."""
    return branch.scale.verdicts if reading.word == "not_evaluable" else (reading.word,)


def _out_of_reach(chosen: Reading, part: Part, known: Facts) -> tuple[str, ...]:
    """Return why a part does not apply, where no note says so."""
    if chosen.word != "not_applicable":
        return ()
    if chosen.value is not None:
        edges = [edge.at for branch in part.branches for edge in branch.scale.edges]
        number = number_words(chosen.value, part.quantity.unit, edges)
        return (f"{part.quantity.name}: {number}, of which it does not speak",)
    entered = ", ".join(f"{FACTS[name].words}: {said(known[name])}" for name in part.asked if name in known)
    return (f"does not speak of what was entered ({entered})",)


def said(value: object) -> str:
    """Return an entered value in words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value).replace("_", " ")


def _undecided(part: Part, value: Measured | None, known: Facts, found: Mapping[int, Reading]) -> Reading:
    """Return that facts which were not entered decide."""
    deciding = _deciding(part, known, lambda n: found[n].word)
    missing = once((*deciding, *(name for reading in found.values() for name in reading.missing)))
    reasons = once(reason for reading in found.values() for reason in reading.reasons)
    shown, ci95 = (None, None) if value is None else (value.value, value.ci95)
    return Reading(part.quantity, "not_evaluable", shown, ci95, (), missing, reasons)


def _value(part: Part, measured: Mapping[str, Measured], known: Facts) -> Measured | None:
    """Return the number that a part judges; None where it is not known."""
    quantity = part.quantity
    match part.kind:
        case "measured":
            found = measured.get(quantity.name)
            if found is not None and found.unit != quantity.unit:
                raise UsageError(f"{quantity.name}: unit {found.unit}, expected {quantity.unit}", code="unit")
            return found
        case "number":
            stated = known.get(part.needs[0])
            return Measured(float(stated), quantity.unit) if isinstance(stated, int | float) else None
        case "days":
            start, end = (known.get(name) for name in part.needs)
            if isinstance(start, date) and isinstance(end, date):
                return Measured(float((end - start).days), quantity.unit)
            return None
        case "facts":
            return None


def _says(branch: Branch, part: Part, value: Measured | None, known: Facts, if_missing: Word) -> Reading:
    quantity, scale = part.quantity, branch.scale
    if not branch.needs_value:
        shown, ci95 = (None, None) if value is None else (value.value, value.ci95)
        return Reading(quantity, scale.verdicts[0], shown, ci95)
    if value is None or value.value is None:
        missing = tuple(name for name in part.needs if name not in known)
        why = f"{quantity.name}: {'not measured' if value is None else value.reason}"
        return Reading(quantity, if_missing, None, None, (), missing, () if part.needs else (why,))
    return _on_scale(scale, quantity, value, value.value)


def _on_scale(scale: Scale, quantity: Quantity, measured: Measured, value: float) -> Reading:
    """Return what a scale says of a known value: one word only if all values that it may stand for share it."""
    last = len(scale.verdicts) - 1
    at, low, high = scale.place(value), *(scale.place(end) for end in measured.span)
    first_possible = 0 if measured.bound == "at_most" else at
    last_possible = last if measured.bound == "at_least" else at
    words = set(scale.verdicts[first_possible : last_possible + 1])
    if len(words) > 1:
        number = number_words(value, quantity.unit, [edge.at for edge in scale.edges])
        reason = f"{quantity.name}: {number} {measured.bound.replace('_', ' ')} ({measured.reason})"
        return Reading(quantity, "not_evaluable", measured.value, measured.ci95, (), (), (reason,))
    crossed = range(min(low, first_possible), max(high, last_possible))
    sides = tuple(
        _side(scale, index, quantity, measured)
        for index, edge in enumerate(scale.edges)
        if (index in crossed or measured.unsure_at(edge.at)) and scale.verdicts[index] != scale.verdicts[index + 1]
    )
    return Reading(quantity, scale.verdicts[at], measured.value, measured.ci95, sides)


def _side(scale: Scale, index: int, quantity: Quantity, measured: Measured) -> Side:
    edge = scale.edges[index]
    above = measured.probability_at_least(edge.at)
    return Side(
        edge.at, quantity.unit, scale.verdicts[index], scale.verdicts[index + 1],
        None if above is None else 1.0 - above, above, edge.from_source,
    )  # fmt: skip


def _possible(part: Part, known: Facts) -> tuple[int, ...]:
    """Return the indices of the branches that hold for some value of what was not entered."""
    if len(part.branches) == 1:
        return (0,)
    return tuple(dict.fromkeys(n for _, n in _chosen(part, known)))


def _chosen(part: Part, known: Facts) -> Iterator[tuple[Facts, int]]:
    """Yield every assignment of the facts that were not entered, with the index of the branch that it chooses."""
    names = [name for name in part.asked if name not in known]
    for values in product(*(FACTS[name].values for name in names)):
        given = dict(zip(names, values, strict=True))
        yield given, part.branch({**known, **given})


def _deciding(part: Part, known: Facts, outcome: Callable[[int], Hashable]) -> tuple[str, ...]:
    """Return the facts that were not entered and on which the outcome depends."""
    found = [(given, outcome(n)) for given, n in _chosen(part, known)]
    names = [name for name in part.asked if name not in known]
    return tuple(name for name in names if _decides(name, found))


def _decides(name: str, found: Sequence[tuple[Facts, Hashable]]) -> bool:
    """Return whether, with all others held, the outcome differs with this fact."""
    by_rest: dict[Hashable, set[Hashable]] = {}
    for given, outcome in found:
        rest = tuple(value for other, value in given.items() if other != name)
        by_rest.setdefault(rest, set()).add(outcome)
    return any(len(outcomes) > 1 for outcomes in by_rest.values())
