"""Relations from text: the format of `evidence/models/*.toml`, and what a malformed one is refused for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.comparison import Comparison
from planner.evidence.comparisons_text import ContrastTable, SlopeTable
from planner.evidence.document import CitationTable, Table, parsed
from planner.evidence.hazard import Hazard, Observed
from planner.evidence.population_text import Pair, PopulationTable, RatioTable, ordered
from planner.evidence.ratio import PerStep
from planner.evidence.size import SizeTerm


class _ObservedTable(Table):
    margin_mm: Pair
    free_at_2_years_percent: float = Field(ge=0, le=100)


class _SizeTable(RatioTable):
    statement: str = Field(min_length=1)
    quantity: Literal["lesion.max_axial_diameter_mm"]
    unit: Literal["mm"]
    step_mm: float = Field(gt=0)
    reference_mm: float = Field(gt=0)
    strength: str = Field(min_length=1)
    note: str = ""

    def term(self, place: str) -> SizeTerm:
        per_step = PerStep(self.ratio, self.step_mm, self.interval(place))
        return SizeTerm(self.statement, self.quantity, self.unit, per_step, self.reference_mm, self.strength, self.note)


class _ModelTable(RatioTable):
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
    population: PopulationTable
    source: CitationTable
    observed: list[_ObservedTable] = Field(default_factory=list)
    size: _SizeTable | None = None


class _Document(Table):
    schema_version: Literal[1]
    model: list[_ModelTable] = Field(default_factory=list)
    slope: list[SlopeTable] = Field(default_factory=list)
    contrast: list[ContrastTable] = Field(default_factory=list)


def load_hazards(text: str, file: str) -> tuple[Hazard, ...]:
    """Return the relations (`[[model]]`) of a TOML text; `file` names it in errors.

    Raises
    ------
    EvidenceError
        The text is no TOML, holds nothing, or an entry is malformed: names file, id and reason.
    """
    return tuple(_hazard(table, file) for table in _document(text, file).model)


def load_comparisons(text: str, file: str) -> tuple[Comparison, ...]:
    """Return the figures that stand beside a relation (`[[slope]]`, `[[contrast]]`); `file` names the text in errors.

    Raises
    ------
    EvidenceError
        The text is no TOML, holds nothing, or an entry is malformed: names file, id and reason.
    """
    document = _document(text, file)
    slopes = (table.comparison(file) for table in document.slope)
    return (*slopes, *(table.comparison(file) for table in document.contrast))


def _document(text: str, file: str) -> _Document:
    document = parsed(text, file, _Document)
    if not (document.model or document.slope or document.contrast):
        raise EvidenceError(f"{file}: the whole: holds no entry, expected model, slope or contrast")
    return document


def _hazard(table: _ModelTable, file: str) -> Hazard:
    place = f"{file}: {table.id}"
    low, high = ordered(table.valid_mm, f"{place}: valid_mm")
    if not low <= table.reference_mm <= high:
        raise EvidenceError(f"{place}: reference_mm {table.reference_mm:g} lies outside {low:g} to {high:g}")
    observed = (Observed((row.margin_mm[0], row.margin_mm[1]), row.free_at_2_years_percent) for row in table.observed)
    return Hazard(
        id=table.id, name=table.name, title=table.title, statement=table.statement, quantity=table.quantity,
        unit=table.unit, ratio=table.ratio, step_mm=table.step_mm, reference_mm=table.reference_mm,
        valid_mm=(low, high), endpoint=table.endpoint, strength=table.strength,
        population=table.population.population(place), source=table.source.citation(), observed=tuple(observed),
        conflicts=tuple(table.conflicts), note=table.note, ci95=table.interval(place),
        size=None if table.size is None else table.size.term(f"{place}, size"),
    )  # fmt: skip
