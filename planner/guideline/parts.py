"""Parts of a rule from its tables: proves that bands partition the number line and cases the entered facts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

from planner.errors import EvidenceError
from planner.facts import FACTS, nearest
from planner.findings import QUANTITIES, Quantity
from planner.guideline.rule import ENTERED_ALONE, Branch, Edge, FactWord, Part, PartKind, Scale, Word
from planner.guideline.tables import BandTable, CaseTable, PartTable, RuleTable, SpanTable

MOST_COMBINATIONS = 20_000
"""Of the facts that the cases of one part ask for: each is proved when a file is read."""


class _End(NamedTuple):
    """An end of a band: where it is, and whether the band holds it."""

    at: float
    closed: bool


class _Band(NamedTuple):
    label: str
    low: _End | None
    high: _End | None


def parts_of(table: RuleTable, place: str) -> tuple[Part, ...]:
    """Return the parts of a rule.

    Raises
    ------
    EvidenceError
        A quantity or fact is not registered, a unit does not fit, bands leave a gap or overlap, or cases do.
    """
    stated = _stated_parts(table, place)
    parts = tuple(_part(part, table.edges_from_source, place) for part in stated)
    names = [part.quantity.name for part in parts if part.kind != "facts"]
    if len(set(names)) != len(names):
        raise EvidenceError(f"{place}: a quantity is named twice")
    edges = {edge.at for part in parts for branch in part.branches for edge in branch.scale.edges}
    if strange := set(table.edges_from_source) - edges:
        raise EvidenceError(f"{place}: edges_from_source holds {min(strange):g}, which is no edge of a band")
    return parts


def values_of(name: str, stated: bool | str | Sequence[str], place: str) -> frozenset[FactWord]:
    """Return the values of a fact that a condition names.

    Raises
    ------
    EvidenceError
        The fact is not registered, or cannot have such a value.
    """
    if name not in FACTS:
        raise EvidenceError(f"{place}: fact '{name}' is not known{nearest(name, FACTS)}")
    values: frozenset[FactWord] = frozenset((stated,)) if isinstance(stated, bool | str) else frozenset(stated)
    if strange := values - set(FACTS[name].values):
        shown = ", ".join(str(value) for value in FACTS[name].values) or "nothing that can be listed"
        raise EvidenceError(f"{place}: fact '{name}' cannot be {min(map(str, strange))!r}, expected {shown}")
    return values


def _stated_parts(table: RuleTable, place: str) -> Sequence[PartTable]:
    single = (table.quantity, table.fact, table.days, table.unit, table.bands, table.case)
    several = [parts for parts in (table.all_of, table.any_of, table.first_of) if parts is not None]
    if several:
        if any(value is not None for value in single) or len(several) > 1:
            raise EvidenceError(f"{place}: all_of, any_of or first_of stands alone, without quantity, bands or case")
        return several[0]
    names = table.quantity if isinstance(table.quantity, list) else [table.quantity]
    return [
        PartTable(quantity=n, fact=table.fact, days=table.days, unit=table.unit, bands=table.bands, case=table.case)
        for n in names
    ]


def _part(table: PartTable, from_source: Sequence[float], place: str) -> Part:
    kind, quantity, needs = _subject(table, place)
    if (table.bands is None) == (table.case is None):
        raise EvidenceError(f"{place}: {quantity.name}: expected either bands or cases")
    cases = table.case if table.case is not None else [CaseTable(bands=table.bands)]
    branches = tuple(_branch(case, from_source, f"{place}: {quantity.name}") for case in cases)
    part = Part(quantity, branches, kind, needs)
    if kind == "facts" and any(branch.needs_value for branch in branches):
        raise EvidenceError(f"{place}: bands without a quantity, a fact or days that they cut")
    _require_one_each(part, place)
    return part


def _subject(table: PartTable, place: str) -> tuple[PartKind, Quantity, tuple[str, ...]]:
    """Return what a part judges: its kind, its quantity, and the facts that give the number."""
    if sum(subject is not None for subject in (table.quantity, table.fact, table.days)) > 1:
        raise EvidenceError(f"{place}: a part judges one of quantity, fact and days")
    found: tuple[PartKind, Quantity, tuple[str, ...]]
    if table.quantity is not None:
        found = "measured", registered(table.quantity, place), ()
    elif table.fact is not None:
        found = "number", _number(table.fact, place), (table.fact,)
    elif table.days is not None:
        found = "days", _days(table.days, place), tuple(table.days)
    elif table.unit is not None:
        raise EvidenceError(f"{place}: quantity is missing, or fact or days: a unit stands beside it")
    else:
        return "facts", ENTERED_ALONE, ()
    if table.unit != found[1].unit:
        raise EvidenceError(f"{place}: unit {table.unit} of {found[1].name}, expected {found[1].unit}")
    return found


def registered(name: str, place: str) -> Quantity:
    """Return a quantity by its name.

    Raises
    ------
    EvidenceError
        It is not registered; the nearest name is given.
    """
    if name not in QUANTITIES:
        raise EvidenceError(f"{place}: quantity '{name}' is not known{nearest(name, QUANTITIES)}")
    return QUANTITIES[name]


def _number(name: str, place: str) -> Quantity:
    numbers = {fact.name: fact for fact in FACTS.values() if fact.kind == "number"}
    if name not in numbers:
        raise EvidenceError(f"{place}: fact '{name}' is no number that may be entered{nearest(name, numbers)}")
    return Quantity(name, numbers[name].unit, "patient", numbers[name].definition)


def _days(names: Sequence[str], place: str) -> Quantity:
    dates = {fact.name: fact for fact in FACTS.values() if fact.kind == "date"}
    for name in names:
        if name not in dates:
            raise EvidenceError(f"{place}: fact '{name}' is no date that may be entered{nearest(name, dates)}")
    start, end = names
    definition = f"Days from {dates[start].words} to {dates[end].words}; negative where the second lies before."
    return Quantity(f"{start}_to_{end}", "days", "patient", definition)


def _branch(case: CaseTable, from_source: Sequence[float], place: str) -> Branch:
    when = {name: values_of(name, stated, place) for name, stated in case.when.items()}
    if (case.bands is None) == (case.verdict is None):
        raise EvidenceError(f"{place}: a case has either bands or a verdict")
    scale = Scale((case.verdict,), ()) if case.verdict is not None else _scale(case.bands or (), from_source, place)
    return Branch(when, scale, case.note, needs_value=case.verdict is None)


def _require_one_each(part: Part, place: str) -> None:
    """Raise unless exactly one branch holds for every combination of the facts they ask for."""
    others = [branch for branch in part.branches if not branch.when]
    if len(others) > 1 or (others and part.branches[-1] is not others[0]):
        raise EvidenceError(f"{place}: a case without `when` takes what the others leave: there is one, the last")
    stated = [branch for branch in part.branches if branch.when]
    names = part.asked
    if prod(len(FACTS[name].values) for name in names) > MOST_COMBINATIONS:
        raise EvidenceError(f"{place}: the cases ask for too many facts at once to be proved")
    for values in product(*(FACTS[name].values for name in names)):
        facts = dict(zip(names, values, strict=True))
        holding = sum(branch.holds(facts) for branch in stated)
        if holding > 1 or (holding == 0 and not others):
            shown = ", ".join(f"{name} = {value}" for name, value in facts.items())
            raise EvidenceError(f"{place}: {holding} cases hold for {shown}, expected one")


def _scale(tables: Sequence[BandTable], from_source: Sequence[float], place: str) -> Scale:
    words: dict[str, Word] = {table.verdict: table.verdict for table in tables}
    labels, edges = cut([(table.verdict, table) for table in tables], from_source, place)
    return Scale(tuple(words[label] for label in labels), edges)


def cut(
    stated: Sequence[tuple[str, SpanTable]], from_source: Sequence[float], place: str
) -> tuple[tuple[str, ...], tuple[Edge, ...]]:
    """Return the labels of bands from low to high, and the edges between them.

    Raises
    ------
    EvidenceError
        They do not partition the number line.
    """
    bands = sorted(
        (_band(label, table, place) for label, table in stated),
        key=lambda b: (b.low is not None, b.low and b.low.at, b.low is not None and not b.low.closed),
    )
    if bands[0].low is not None:
        raise EvidenceError(f"{place}: nothing is said of values below {bands[0].low.at:g}")
    edges = tuple(_edge(below, above, from_source, place) for below, above in pairwise(bands))
    if bands[-1].high is not None:
        raise EvidenceError(f"{place}: nothing is said of values above {bands[-1].high.at:g}")
    return tuple(band.label for band in bands), edges


def _band(label: str, table: SpanTable, place: str) -> _Band:
    if (table.gt is not None and table.ge is not None) or (table.lt is not None and table.le is not None):
        raise EvidenceError(f"{place}: a band has two lower or two upper ends")
    low = _End(table.gt, False) if table.gt is not None else _End(table.ge, True) if table.ge is not None else None
    high = _End(table.lt, False) if table.lt is not None else _End(table.le, True) if table.le is not None else None
    if low is not None and high is not None:
        point = low.at == high.at and low.closed and high.closed
        if not (low.at < high.at or point):
            raise EvidenceError(f"{place}: a band from {low.at:g} to {high.at:g} holds nothing")
    return _Band(label, low, high)


def _edge(below: _Band, above: _Band, from_source: Sequence[float], place: str) -> Edge:
    if below.high is None or above.low is None or above.low.at < below.high.at:
        at = above.low or below.high
        raise EvidenceError(f"{place}: bands overlap{'' if at is None else f' at {at.at:g}'}")
    if above.low.at > below.high.at:
        raise EvidenceError(f"{place}: gap between {below.high.at:g} and {above.low.at:g}")
    if below.high.closed and above.low.closed:
        raise EvidenceError(f"{place}: two bands hold {above.low.at:g}: they overlap")
    if not below.high.closed and not above.low.closed:
        raise EvidenceError(f"{place}: gap: no band holds {above.low.at:g}")
    return Edge(above.low.at, "below" if below.high.closed else "above", above.low.at in from_source)
