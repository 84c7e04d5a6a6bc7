"""Parts of a rule from its tables; proves that bands partition the number line and cases the entered facts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import NamedTuple

from planner.errors import EvidenceError
from planner.facts import FACTS, nearest
from planner.findings import QUANTITIES, Quantity
from planner.guideline.rule import Branch, Edge, FactWord, Part, Scale, Word
from planner.guideline.tables import BandTable, CaseTable, PartTable, RuleTable


class _End(NamedTuple):
    """An end of a band: where it is, and whether the band holds it."""

    at: float
    closed: bool


class _Band(NamedTuple):
    word: Word
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
    names = [part.quantity.name for part in parts]
    if len(set(names)) != len(names):
        raise EvidenceError(f"{place}: a quantity is named twice")
    edges = {edge.at for part in parts for branch in part.branches for edge in branch.scale.edges}
    if strange := set(table.edges_from_source) - edges:
        raise EvidenceError(f"{place}: edges_from_source holds {min(strange):g}, which is no edge of a band")
    return parts


def _stated_parts(table: RuleTable, place: str) -> Sequence[PartTable]:
    if table.all_of is not None:
        if any(value is not None for value in (table.quantity, table.unit, table.bands, table.case)):
            raise EvidenceError(f"{place}: all_of stands instead of quantity, unit, bands and case, not beside them")
        return table.all_of
    if table.quantity is None or table.unit is None:
        raise EvidenceError(f"{place}: quantity and unit are missing, or all_of")
    names = [table.quantity] if isinstance(table.quantity, str) else table.quantity
    return [PartTable(quantity=name, unit=table.unit, bands=table.bands, case=table.case) for name in names]


def _part(table: PartTable, from_source: Sequence[float], place: str) -> Part:
    quantity = _quantity(table, place)
    if (table.bands is None) == (table.case is None):
        raise EvidenceError(f"{place}: {quantity.name}: expected either bands or cases")
    if table.bands is not None:
        return Part(quantity, (Branch({}, _scale(table.bands, from_source, place)),))
    branches = tuple(_branch(case, from_source, place) for case in table.case or ())
    _require_exclusive(branches, place)
    return Part(quantity, branches)


def _quantity(table: PartTable, place: str) -> Quantity:
    if table.quantity not in QUANTITIES:
        raise EvidenceError(f"{place}: quantity '{table.quantity}' is not known{nearest(table.quantity, QUANTITIES)}")
    quantity = QUANTITIES[table.quantity]
    if table.unit != quantity.unit:
        raise EvidenceError(f"{place}: unit {table.unit} of {quantity.name}, expected {quantity.unit}")
    return quantity


def _branch(case: CaseTable, from_source: Sequence[float], place: str) -> Branch:
    when = {name: _values(name, stated, place) for name, stated in case.when.items()}
    return Branch(when, _scale(case.bands, from_source, place), case.note)


def _values(name: str, stated: bool | str | list[str], place: str) -> frozenset[FactWord]:
    if name not in FACTS:
        raise EvidenceError(f"{place}: fact '{name}' is not known{nearest(name, FACTS)}")
    values: frozenset[FactWord] = frozenset(stated) if isinstance(stated, list) else frozenset((stated,))
    if strange := values - set(FACTS[name].values):
        shown = ", ".join(str(value) for value in FACTS[name].values) or "nothing that can be listed"
        raise EvidenceError(f"{place}: fact '{name}' cannot be {min(map(str, strange))!r}, expected {shown}")
    return values


def _require_exclusive(branches: Sequence[Branch], place: str) -> None:
    """Raise unless exactly one branch holds for every combination of the facts they ask for."""
    names = sorted({name for branch in branches for name in branch.when})
    for values in product(*(FACTS[name].values for name in names)):
        facts = dict(zip(names, values, strict=True))
        holding = sum(branch.may_hold(facts) for branch in branches)
        if holding != 1:
            shown = ", ".join(f"{name} = {value}" for name, value in facts.items())
            raise EvidenceError(f"{place}: {holding} cases hold for {shown}, expected one")


def _scale(tables: Sequence[BandTable], from_source: Sequence[float], place: str) -> Scale:
    """Return bands as a scale.

    Raises
    ------
    EvidenceError
        They do not partition the number line.
    """
    bands = sorted(
        (_band(table, place) for table in tables), key=lambda b: (b.low is not None, b.low or _End(0, False))
    )
    if bands[0].low is not None:
        raise EvidenceError(f"{place}: nothing is said of values below {bands[0].low.at:g}")
    edges = tuple(_edge(below, above, from_source, place) for below, above in pairwise(bands))
    if bands[-1].high is not None:
        raise EvidenceError(f"{place}: nothing is said of values above {bands[-1].high.at:g}")
    return Scale(tuple(band.word for band in bands), edges)


def _band(table: BandTable, place: str) -> _Band:
    if (table.gt is not None and table.ge is not None) or (table.lt is not None and table.le is not None):
        raise EvidenceError(f"{place}: a band has two lower or two upper ends")
    low = _End(table.gt, False) if table.gt is not None else _End(table.ge, True) if table.ge is not None else None
    high = _End(table.lt, False) if table.lt is not None else _End(table.le, True) if table.le is not None else None
    if low is not None and high is not None and not low.at < high.at:
        raise EvidenceError(f"{place}: a band from {low.at:g} to {high.at:g} holds nothing")
    return _Band(table.verdict, low, high)


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
