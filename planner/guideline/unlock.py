"""Which facts that were not entered would let rules be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from planner.errors import InputError
from planner.facts import FACTS, PRIMARY, checked_facts
from planner.guideline.judge import judge
from planner.guideline.measured import Measured
from planner.guideline.rule import FactWord, Rule, Word

JUDGED: frozenset[Word] = frozenset({"pass", "caution", "fail", "info"})
"""Words that judge; a rule that does not apply is not unlocked."""

Values = Mapping[str, Measured]


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
    registered.

    Parameters
    ----------
    rules, lesions, case
        As `judge_case` takes them.
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
    for rule in rules:
        measured = list(lesions.values()) if rule.per == "lesion" else [case]
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
    for given in _assignments(rule, open_names):
        if _word(rule, measured, {**known, **given}) not in JUDGED:
            continue
        for name in open_names:
            rest = {other: value for other, value in given.items() if other != name}
            if _word(rule, measured, {**known, **rest}) not in JUDGED:
                found[name] = found.get(name, False) or _word(rule, measured, {**known, name: given[name]}) in JUDGED
    return found


def _assignments(rule: Rule, names: Sequence[str]) -> Iterator[dict[str, FactWord]]:
    """Yield values for facts; of values that no branch of the rule tells apart the first stands for all."""
    for values in product(*(_told_apart(rule, name) for name in names)):
        yield dict(zip(names, values, strict=True))


def _told_apart(rule: Rule, name: str) -> tuple[FactWord, ...]:
    whens = [branch.when[name] for part in rule.parts for branch in part.branches if name in branch.when]
    first: dict[tuple[bool, ...], FactWord] = {}
    for value in rule.primary if name == PRIMARY.name and rule.primary else FACTS[name].values:
        first.setdefault(tuple(value in when for when in whens), value)
    return tuple(first.values())


def _word(rule: Rule, measured: Values, facts: Mapping[str, object]) -> Word:
    """Return the verdict's word; values that contradict other facts unlock nothing."""
    try:
        return judge(rule, measured, facts).word
    except InputError:
        return "not_evaluable"
