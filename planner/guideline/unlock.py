"""Which facts that were not entered would let rules be judged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise, product

from planner.errors import InputError
from planner.facts import FACTS, PRIMARY, checked_facts
from planner.guideline.judge import judge
from planner.guideline.measured import Measured
from planner.guideline.rule import ASIDE, FactWord, Part, Rule, Word

JUDGED: frozenset[Word] = frozenset({"pass", "caution", "fail", "info"})
"""Words that judge; a rule that does not apply is not unlocked."""

Values = Mapping[str, Measured]

_SOME_DAY = date(2000, 1, 1)
"""Stands for the first of two days that were not entered."""


@dataclass(frozen=True, slots=True)
class Unlocking:
    """A fact that was not entered, and the rules it would unlock.

    Parameters
    ----------
    fact
        Its registered name.
    rules
        Ids of the rules that it would let be judged, alone or together with other facts.
    alone
        Ids of those among them that wait for nothing else.
    """

    fact: str
    rules: tuple[str, ...]
    alone: tuple[str, ...]


def unlocking_facts(
    rules: Sequence[Rule], lesions: Mapping[str, Values], case: Values, facts: Mapping[str, object]
) -> tuple[Unlocking, ...]:
    """Return the facts that would unlock rules, those that unlock most first.

    A verdict of a rule (of a lesion, or of the case where the rule speaks of that) is locked where it cannot be judged
    now. A fact that was not entered unlocks it where, with values for it and for others that were not entered, the rule
    is judged (pass, caution, fail or info), and with those of the others only, it is not. It does so alone where some
    value of it suffices. A fact unlocks a rule where it unlocks at least one of its verdicts; what waits for a
    measurement is unlocked by no fact. Facts that unlock as many rules come in the order: more alone, then as
    registered. Statements about another treatment than ablation judge nothing here: no fact unlocks them.

    Parameters
    ----------
    rules, lesions, case
        As `judge_case` takes them; `rules` those that the command judges.
    facts
        As entered.

    Raises
    ------
    InputError
        An entered fact is malformed.
    """
    known = checked_facts(facts)
    together: dict[str, list[str]] = {}
    alone: dict[str, list[str]] = {}
    for rule in (rule for rule in rules if rule.about not in ASIDE):
        measured = [{**case, **values} for values in lesions.values()] if rule.per == "lesion" else [case]
        held = [_keys(rule, values, known) for values in measured]
        for name in dict.fromkeys(name for keys in held for name in keys):
            together.setdefault(name, []).append(rule.id)
            if any(keys.get(name) for keys in held):
                alone.setdefault(name, []).append(rule.id)
    order = list(FACTS)
    found = (Unlocking(name, tuple(ids), tuple(alone.get(name, ()))) for name, ids in together.items())
    return tuple(sorted(found, key=lambda u: (-len(u.rules), -len(u.alone), order.index(u.fact))))


def _keys(rule: Rule, measured: Values, known: Mapping[str, object]) -> dict[str, bool]:
    """Return the facts that unlock a verdict, each with whether it does so alone; none where it is not locked."""
    if _word(rule, measured, known) != "not_evaluable":
        return {}
    open_names = [name for name in rule.entered if name not in known]
    found: dict[str, bool] = {}
    for given in _assignments(rule, known):
        if _word(rule, measured, {**known, **given}) not in JUDGED:
            continue
        for name in open_names:
            rest = {other: value for other, value in given.items() if other != name}
            if _word(rule, measured, {**known, **rest}) not in JUDGED:
                found[name] = found.get(name, False) or _word(rule, measured, {**known, name: given[name]}) in JUDGED
    return found


def _assignments(rule: Rule, known: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield values for the facts that were not entered; of values that nothing tells apart the first stands for all."""
    numbers = [part for part in rule.parts if part.needs]
    given_by_numbers = {name for part in numbers for name in part.needs}
    choices: list[list[dict[str, object]]] = [
        [{name: value} for value in _told_apart(rule, name)]
        for name in rule.entered
        if name not in known and name not in given_by_numbers
    ]
    choices += [found for part in numbers if (found := list(_numbers(part, known)))]
    for chosen in product(*choices):
        yield {name: value for one in chosen for name, value in one.items()}


def _told_apart(rule: Rule, name: str) -> tuple[FactWord, ...]:
    whens = [branch.when[name] for part in rule.parts for branch in part.branches if name in branch.when]
    whens += [rule.where[name]] if name in rule.where else []
    first: dict[tuple[bool, ...], FactWord] = {}
    for value in rule.primary if name == PRIMARY.name and rule.primary else FACTS[name].values:
        first.setdefault(tuple(value in when for when in whens), value)
    return tuple(first.values())


def _numbers(part: Part, known: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield an assignment of the facts that give a part's number for each band; none where they were entered."""
    if all(name in known for name in part.needs):
        return
    for value in _representatives(part):
        if part.kind == "number":
            yield {part.needs[0]: value}
            continue
        start, end = part.needs
        if isinstance(last := known.get(end), date):
            yield {start: last - timedelta(days=value)}
        elif isinstance(first := known.get(start), date):
            yield {end: first + timedelta(days=value)}
        else:
            yield {start: _SOME_DAY, end: _SOME_DAY + timedelta(days=value)}


def _representatives(part: Part) -> tuple[float, ...]:
    """Return a number within each band of each scale, and every edge."""
    edges = sorted({edge.at for branch in part.branches for edge in branch.scale.edges}) or [0.0]
    between = [(low + high) / 2.0 for low, high in pairwise(edges)]
    every = (edges[0] - 1.0, *edges, *between, edges[-1] + 1.0)
    if part.kind == "days":
        return every
    fact = FACTS[part.needs[0]]
    most = math.inf if fact.at_most is None else fact.at_most
    return tuple(value for value in every if fact.at_least <= value <= most)


def _word(rule: Rule, measured: Values, facts: Mapping[str, object]) -> Word:
    """Return the verdict's word; values that contradict other facts unlock nothing."""
    try:
        return judge(rule, measured, facts).word
    except InputError:
        return "not_evaluable"
