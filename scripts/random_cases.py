"""Random cases for rules: facts and findings present or missing, values at, just below and just above every edge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

import numpy as np

from pipelines.catalogue import packaged_catalogue
from planner.errors import InputError
from planner.facts import FACTS, checked_facts
from planner.findings import QUANTITIES, YES_NO
from planner.guideline.measured import Measured

RULES = packaged_catalogue().rules
LONG_AGO = date(2023, 1, 1)
DAYS = (0, 1, 30, 55, 56, 57, 84, 85, 200)
"""Days after it, of dates: about the edges of what speaks of weeks."""

ChoiceT = TypeVar("ChoiceT")
Lesions = Mapping[str, Mapping[str, Measured]]


class Draw:
    """Random choices of a seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def random(self) -> float:
        """Return a number from 0 to 1."""
        return float(self._rng.random())

    def choice(self, among: Sequence[ChoiceT]) -> ChoiceT:
        """Return one of several."""
        return among[int(self._rng.integers(len(among)))]

    def some(self, among: Sequence[str]) -> list[str]:
        """Return one or more of several."""
        return [among[n] for n in self._rng.permutation(len(among))[: int(self._rng.integers(1, len(among) + 1))]]


def edges_of(name: str) -> list[float]:
    """Return every edge that some rule draws on a quantity or an entered number."""
    return sorted({
        edge.at
        for rule in RULES
        for part in rule.parts
        if name in (part.quantity.name, *part.needs)
        for branch in part.branches
        for edge in branch.scale.edges
    })  # fmt: skip


EDGES = {name: edges_of(name) or [1.0] for name in (*QUANTITIES, *FACTS)}


def about_an_edge(draw: Draw, name: str) -> float:
    """Return a value at, just below, just above or far from an edge of some rule."""
    edge = draw.choice(EDGES[name])
    return draw.choice([edge, math.nextafter(edge, -math.inf), math.nextafter(edge, math.inf), edge + 25.0, edge / 2.0])


def a_measured(draw: Draw, name: str) -> Measured:
    """Return a finding: known, with an interval, bounded, unknown, or not asked of this lesion."""
    unit = QUANTITIES[name].unit
    value = draw.choice([0.0, 1.0]) if unit == YES_NO else about_an_edge(draw, name)
    match draw.choice(range(8)):
        case 0:
            return Measured(None, unit, reason="not measured here")
        case 1:
            return Measured(value, unit, reason="a structure has no mask", bound=draw.choice(["at_most", "at_least"]))
        case 2:
            return Measured(None, unit, reason="no zone", applies=False)
        case 3 | 4:
            return Measured(value, unit, (value - draw.random() * 4.0, value + draw.random() * 4.0))
        case _:
            return Measured(value, unit)


def a_fact(draw: Draw, name: str) -> object:
    """Return a value that a fact may have."""
    fact = FACTS[name]
    match fact.kind:
        case "number":
            value = about_an_edge(draw, name)
            return max(fact.at_least, min(value, math.inf if fact.at_most is None else fact.at_most))
        case "date":
            return LONG_AGO + timedelta(days=draw.choice(DAYS))
        case "several_of":
            return draw.some(fact.choices)
        case _:
            return draw.choice(fact.values)


def consistent(draw: Draw, facts: dict[str, object]) -> dict[str, object]:
    """Return the facts without some, until they do not contradict each other."""
    while True:
        try:
            checked_facts(facts)
        except InputError:
            facts.pop(draw.choice(list(facts)))
        else:
            return facts


def a_case(draw: Draw) -> tuple[dict[str, object], Lesions, Mapping[str, Measured]]:
    """Return the facts, the lesions' findings and the case's of a random case."""
    share = draw.choice([0.0, 0.2, 0.5, 0.8, 1.0])
    facts = {name: a_fact(draw, name) for name in FACTS if draw.random() < share}
    if draw.random() < 0.5:
        facts["primary"] = draw.choice(FACTS["primary"].values)
    known = [name for name in QUANTITIES if draw.random() < draw.choice([0.3, 0.8, 1.0])]
    lesions = {
        str(n + 1): {q: a_measured(draw, q) for q in known if QUANTITIES[q].scope == "lesion"}
        for n in range(draw.choice(range(4)))
    }
    case = {q: a_measured(draw, q) for q in known if QUANTITIES[q].scope != "lesion"}
    return consistent(draw, facts), lesions, case
