"""Baseline cohorts from text: the format of `evidence/baselines/*.toml`, and what a malformed one is refused for."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.baseline import Baseline, MarginClass, Rate
from planner.evidence.comparisons_text import BandTable
from planner.evidence.document import CitationTable, Table, parsed
from planner.evidence.population_text import Pair, PopulationTable, ordered


class _RateTable(Table):
    years: int = Field(gt=0)
    percent: float = Field(ge=0, le=100)
    ci95: Pair | None = None

    def rate(self, place: str) -> Rate:
        ends = None if self.ci95 is None else ordered(self.ci95, f"{place}: ci95 at {self.years} years")
        if ends is not None and not ends[0] <= self.percent <= ends[1]:
            raise EvidenceError(f"{place}: ci95 at {self.years} years does not hold {self.percent:g}")
        return Rate(self.years, self.percent, ends)


class _ClassTable(Table):
    margin_mm: BandTable
    rates: list[_RateTable] = Field(min_length=1)


class _BaselineTable(Table):
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    label: str = Field(pattern=r"[0-9]{4}")
    title: str = Field(min_length=1)
    endpoint: str = Field(min_length=1)
    strength: str = Field(min_length=1)
    note: str = ""
    population: PopulationTable
    source: CitationTable
    margin_class: list[_ClassTable] = Field(default_factory=list)
    all_margins: list[_RateTable] = Field(default_factory=list)


class _Document(Table):
    schema_version: Literal[1]
    baseline: list[_BaselineTable] = Field(min_length=1)


def load_baselines(text: str, file: str) -> tuple[Baseline, ...]:
    """Return the cohorts of a TOML text; `file` names it in errors.

    Raises
    ------
    EvidenceError
        The text is no TOML, or a cohort is malformed: names file, id and reason.
    """
    return tuple(_baseline(table, file) for table in parsed(text, file, _Document).baseline)


def _baseline(table: _BaselineTable, file: str) -> Baseline:
    place = f"{file}: {table.id}"
    if not (table.margin_class or table.all_margins):
        raise EvidenceError(f"{place}: no rate at all, expected margin_class or all_margins")
    classes = tuple(_class(one, place) for one in table.margin_class)
    for one, other in combinations(classes, 2):
        _require_apart(one, other, place)
    everyone = _rates(table.all_margins, place)
    return Baseline(
        table.id, table.label, table.title, table.endpoint, table.strength, table.population.population(place),
        table.source.citation(), classes, everyone, table.note,
    )  # fmt: skip


def _class(table: _ClassTable, place: str) -> MarginClass:
    band = table.margin_mm.band(f"{place}, margin_mm")
    return MarginClass(band, _rates(table.rates, f"{place}, {band.words}"))


def _rates(tables: list[_RateTable], place: str) -> tuple[Rate, ...]:
    found = tuple(table.rate(place) for table in tables)
    years = [rate.years for rate in found]
    if years != sorted(set(years)):
        raise EvidenceError(f"{place}: years are {years}, expected each once, in order")
    return found


def _require_apart(one: MarginClass, other: MarginClass, place: str) -> None:
    ends = [end for band in (one.band, other.band) for end in (band.low_mm, band.high_mm) if end is not None]
    tried = [*ends, min(ends) - 1.0, max(ends) + 1.0, *((a + b) / 2 for a, b in combinations(ends, 2))]
    if both := [margin for margin in tried if one.band.holds(margin) and other.band.holds(margin)]:
        raise EvidenceError(f"{place}: classes {one.band.words} and {other.band.words} both hold {both[0]:g} mm")
