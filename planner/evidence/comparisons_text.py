"""Figures that stand beside a relation as tables of `evidence/models/*.toml`."""

from __future__ import annotations

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.band import Band
from planner.evidence.comparison import Comparison, Contrast, Measure, Slope
from planner.evidence.document import CitationTable, Table
from planner.evidence.population_text import Pair, PopulationTable, RatioTable, ordered
from planner.evidence.ratio import PerStep


class BandTable(Table):
    """A class of margins: ge or gt for its low end, le or lt for its high one."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def band(self, place: str) -> Band:
        """Return the class; `place` names the entry in errors.

        Raises
        ------
        EvidenceError
            It has two low or two high ends, none at all, or holds nothing.
        """
        if (self.ge is not None and self.gt is not None) or (self.le is not None and self.lt is not None):
            raise EvidenceError(f"{place}: two low or two high ends")
        low, high = (self.gt if self.ge is None else self.ge), (self.lt if self.le is None else self.le)
        if low is None and high is None:
            raise EvidenceError(f"{place}: no end at all, expected ge, gt, le or lt")
        band = Band(low, high, self.gt is None, self.lt is None)
        if low is not None and high is not None and not (low < high or (low == high and band.holds(low))):
            raise EvidenceError(f"{place}: holds nothing between {low:g} and {high:g}")
        return band


class _FigureTable(RatioTable):
    id: str = Field(pattern=r"^[A-Z]{2}-[0-9]{2,}$")
    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    label: str = Field(min_length=1)
    title: str = Field(min_length=1)
    statement: str = Field(min_length=1)
    measure: Measure
    endpoint: str = Field(min_length=1)
    strength: str = Field(min_length=1)
    note: str = ""
    population: PopulationTable
    source: CitationTable

    def _as(self, form: Slope | Contrast, place: str) -> Comparison:
        return Comparison(
            self.id, self.name, self.label, self.title, self.statement, self.measure, form, self.endpoint,
            self.strength, self.population.population(place), self.source.citation(), self.note,
        )  # fmt: skip


class SlopeTable(_FigureTable):
    """A ratio per length of margin."""

    ratio: float = Field(gt=0, lt=1)
    step_mm: float = Field(gt=0)
    reference_mm: float
    shown_mm: Pair
    beyond: str = Field(min_length=1)

    def comparison(self, file: str) -> Comparison:
        """Return the figure; `file` names the text in errors.

        Raises
        ------
        EvidenceError
            It is malformed.
        """
        place = f"{file}: {self.id}"
        low, high = ordered(self.shown_mm, f"{place}: shown_mm")
        if not low <= self.reference_mm <= high:
            raise EvidenceError(f"{place}: reference_mm {self.reference_mm:g} lies outside {low:g} to {high:g}")
        if low < 0:
            raise EvidenceError(f"{place}: shown_mm begins at {low:g}, expected 0 or more")
        per_step = PerStep(self.ratio, self.step_mm, self.interval(place))
        return self._as(Slope(per_step, self.reference_mm, (low, high), self.beyond), place)


class ContrastTable(_FigureTable):
    """A ratio of the thinner class of margins against the thicker."""

    ratio: float = Field(gt=1)
    thinner: BandTable
    thicker: BandTable

    def comparison(self, file: str) -> Comparison:
        """Return the figure; `file` names the text in errors.

        Raises
        ------
        EvidenceError
            It is malformed, or its classes overlap or come in the wrong order.
        """
        place = f"{file}: {self.id}"
        thinner, thicker = self.thinner.band(f"{place}, thinner"), self.thicker.band(f"{place}, thicker")
        if thinner.high_mm is None or thicker.low_mm is None or thinner.high_mm > thicker.low_mm:
            raise EvidenceError(f"{place}: thinner is {thinner.words}, thicker {thicker.words}, expected them in order")
        if thinner.holds(thicker.low_mm) and thicker.holds(thicker.low_mm):
            raise EvidenceError(f"{place}: both classes hold {thicker.low_mm:g} mm")
        return self._as(Contrast(self.ratio, self.interval(place), thinner, thicker), place)
