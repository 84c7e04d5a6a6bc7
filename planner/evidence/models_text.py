"""Relations from text: the format of `evidence/models/*.toml`, and what a malformed one is refused for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.document import CitationTable, Table, parsed
from planner.evidence.hazard import Hazard, Method, Observed, Population

Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


class _PopulationTable(Table):
    primary: list[str] = Field(min_length=1)
    modality: list[str] = Field(min_length=1)
    scan_days: Pair
    method: Method
    patients: int = Field(gt=0)
    lesions: int = Field(gt=0)
    note: str = ""


class _ObservedTable(Table):
    margin_mm: Pair
    free_at_2_years_percent: float = Field(ge=0, le=100)


class _ModelTable(Table):
    id: str = Field(pattern=r"^[A-Z]{2}-[0-9]{2,}$")
    name: str = Field(pattern=r"^[a-z0-9]+$")
    title: str = Field(min_length=1)
    statement: str = Field(min_length=1)
    form: Literal["ratio ** ((margin_mm - reference_mm) / step_mm)"]
    quantity: Literal["margin.min_mm"]
    unit: Literal["mm"]
    ratio: float = Field(gt=0, lt=1)
    step_mm: float = Field(gt=0)
    reference_mm: float
    valid_mm: Pair
    endpoint: str = Field(min_length=1)
    strength: str = Field(min_length=1)
    conflicts: list[str] = Field(default_factory=list)
    note: str = ""
    population: _PopulationTable
    source: CitationTable
    observed: list[_ObservedTable] = Field(default_factory=list)


class _Document(Table):
    schema_version: Literal[1]
    model: list[_ModelTable] = Field(min_length=1)


def load_hazards(text: str, file: str) -> tuple[Hazard, ...]:
    """Return the relations of a TOML text; `file` names it in errors.

    Raises
    ------
    EvidenceError
        The text is no TOML, or a relation is malformed: names file, id and reason.
    """
    return tuple(_hazard(table, file) for table in parsed(text, file, _Document).model)


def _hazard(table: _ModelTable, file: str) -> Hazard:
    people, place = table.population, f"{file}: {table.id}"
    low, high = _pair(table.valid_mm, f"{place}: valid_mm")
    if not low <= table.reference_mm <= high:
        raise EvidenceError(f"{place}: reference_mm {table.reference_mm:g} lies outside {low:g} to {high:g}")
    population = Population(
        tuple(people.primary), tuple(people.modality), _pair(people.scan_days, f"{place}: scan_days"), people.method,
        people.patients, people.lesions, people.note,
    )  # fmt: skip
    observed = (Observed((row.margin_mm[0], row.margin_mm[1]), row.free_at_2_years_percent) for row in table.observed)
    return Hazard(
        id=table.id, name=table.name, title=table.title, statement=table.statement, quantity=table.quantity,
        unit=table.unit, ratio=table.ratio, step_mm=table.step_mm, reference_mm=table.reference_mm,
        valid_mm=(low, high), endpoint=table.endpoint, strength=table.strength, population=population,
        source=table.source.citation(), observed=tuple(observed), conflicts=tuple(table.conflicts), note=table.note,
    )  # fmt: skip


def _pair(values: list[float], place: str) -> tuple[float, float]:
    low, high = values
    if not low < high:
        raise EvidenceError(f"{place} is {low:g}, {high:g}, expected the low end first")
    return low, high
