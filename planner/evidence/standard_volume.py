"""The standard liver volume of a body of some surface area, by a published formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from planner.evidence.citation import Citation
from planner.evidence.document import CitationTable, Table, parsed


@dataclass(frozen=True, slots=True)
class StandardVolume:
    """A published formula: volume = ml_per_m2 x body surface area + offset_ml.

    Parameters
    ----------
    name
        As an author and a year.
    ml_per_m2, offset_ml
        Its coefficients.
    standing
        How this project knows it, as printed beside what it gives.
    population
        Of whom it was found.
    source
        Where it was published.
    """

    name: str
    ml_per_m2: float
    offset_ml: float
    standing: str
    population: str
    source: Citation

    def volume_ml(self, area_m2: float) -> float:
        """Return the standard volume of a body of some surface area, ml."""
        return self.ml_per_m2 * area_m2 + self.offset_ml

    def statement(self, area_m2: float) -> str:
        """Return how a standard volume came about, as the end of a sentence."""
        return (
            f"of {self.volume_ml(area_m2):.4g} ml, the standard volume of {area_m2:.4g} m2 by {self.name}"
            f" ({self.ml_per_m2:g} x area {'+' if self.offset_ml >= 0 else '-'} {abs(self.offset_ml):g};"
            f" {self.population}; {self.standing})"
        )


class _FormulaTable(Table):
    id: str = Field(pattern=r"^[A-Z]{2}-[0-9]{2,}$")
    name: str = Field(min_length=1)
    form: Literal["ml_per_m2 * body_surface_area_m2 + offset_ml"]
    ml_per_m2: float = Field(gt=0)
    offset_ml: float
    standing: str = Field(min_length=1)
    population: str = Field(min_length=1)
    source: CitationTable


class _Document(Table):
    schema_version: Literal[1]
    formula: _FormulaTable


def load_standard_volume(text: str, file: str) -> StandardVolume:
    """Return the formula of a TOML text; `file` names it in errors.

    Raises
    ------
    EvidenceError
        The text is no TOML, or the formula is malformed.
    """
    found = parsed(text, file, _Document).formula
    return StandardVolume(
        found.name, found.ml_per_m2, found.offset_ml, found.standing, found.population, found.source.citation()
    )
