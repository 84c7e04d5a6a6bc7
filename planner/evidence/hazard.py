"""A published hazard ratio per length of margin: what it says at a margin, and where it stops saying anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from planner.errors import UsageError
from planner.evidence.citation import Citation
from planner.evidence.population import Population, PopulationMatch, Setting, matched, population_notes
from planner.evidence.ratio import PerStep, RatioInterval
from planner.evidence.size import SizeTerm

NOT_COVERED = "not covered on these images: no relative hazard below a margin of 0 mm"


@dataclass(frozen=True, slots=True)
class RelativeHazard:
    """What a relation says of one lesion: a hazard relative to that at `reference_mm`, never an absolute risk.

    Parameters
    ----------
    model
        Name of the relation.
    relative_hazard
        At the measured margin; None where there is none or it is negative.
    reference_mm
        The margin at which it is 1.
    interval
        At the ends of the margin's interval, low then high. The high end is None where the margin may be negative.
    upper_bounded
        Whether there is a high end; None where the margin has no interval.
    margin_in_range
        Whether the margin lies among those studied; None where there is no margin.
    population
        How far the case resembles those studied.
    notes
        Sentences for the report.
    source, strength
        Where the relation was published, and the kind of study.
    """

    model: str
    relative_hazard: float | None
    reference_mm: float
    interval: tuple[float | None, float | None]
    upper_bounded: bool | None
    margin_in_range: bool | None
    population: PopulationMatch
    notes: tuple[str, ...]
    source: Citation
    strength: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A row of the paper: a class of margins and the share free of progression at 2 years."""

    margin_mm: tuple[float, float]
    free_at_2_years_percent: float


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard that changes by a fixed ratio with each step of margin.

    Parameters
    ----------
    id, name
        Catalogue id, and the name in results.
    title, statement
        In our own words.
    quantity, unit
        The registered quantity it is a function of.
    ratio, step_mm
        Hazard ratio per so many mm of margin.
    reference_mm
        Margin at which the relative hazard is 1.
    valid_mm
        Margins that were studied.
    endpoint, strength
        Of the study.
    population, source, observed
        Whom it was found in, where it stands, and the paper's own rates.
    conflicts
        Ids of the conflicts between sources that it takes part in.
    ci95
        The ratio's own 95 % interval; None where none was available to us.
    size
        What the same regression says of the tumour's size; never part of the relative hazard.
    """

    id: str
    name: str
    title: str
    statement: str
    quantity: str
    unit: str
    ratio: float
    step_mm: float
    reference_mm: float
    valid_mm: tuple[float, float]
    endpoint: str
    strength: str
    population: Population
    source: Citation
    observed: tuple[Observed, ...] = ()
    conflicts: tuple[str, ...] = ()
    note: str = ""
    ci95: RatioInterval | None = None
    size: SizeTerm | None = None

    @property
    def per_step(self) -> PerStep:
        """Return the ratio per step of margin with its own interval."""
        return PerStep(self.ratio, self.step_mm, self.ci95)

    def relative(self, margin_mm: float) -> float | None:
        """Return the hazard relative to that at the reference: None below the range, held at its end above it."""
        low, high = self.valid_mm
        if margin_mm < low:
            return None
        return self.per_step.between(min(margin_mm, high), self.reference_mm)

    def model_interval(self, margin_mm: float | None) -> RatioInterval | None:
        """Return the relative hazard at a margin with both ends of the ratio's own interval; None where there is none.

        It holds the doubt of the published ratio alone, at the margin as measured.
        """
        low, high = self.valid_mm
        if margin_mm is None or margin_mm < low:
            return None
        return self.per_step.interval_between(min(margin_mm, high), self.reference_mm)

    def at(
        self,
        margin_mm: float | None,
        ci95_mm: tuple[float, float] | None,
        setting: Setting,
    ) -> RelativeHazard:
        """Return what the relation says of a lesion.

        Parameters
        ----------
        margin_mm, ci95_mm
            Minimal margin, + covered, and its 95 % interval; None where unknown.
        setting
            What was entered about the case, and how its margin was measured.

        Raises
        ------
        UsageError
            A margin is not finite, or the interval is upside down.
        """
        require_margin(margin_mm, ci95_mm)
        match = matched(self.population, setting)
        hazard = None if margin_mm is None else self.relative(margin_mm)
        interval, bounded = self._interval(margin_mm, ci95_mm)
        in_range = None if margin_mm is None else self.valid_mm[0] <= margin_mm <= self.valid_mm[1]
        notes = (*self._range_notes(margin_mm, ci95_mm), *population_notes(self.population, match, setting))
        return RelativeHazard(
            self.name, hazard, self.reference_mm, interval, bounded, in_range, match, notes, self.source, self.strength
        )

    def _interval(
        self, margin_mm: float | None, ci95_mm: tuple[float, float] | None
    ) -> tuple[tuple[float | None, float | None], bool | None]:
        """Return the ends of the hazard, and whether there is a high one. A thicker margin has the lower hazard."""
        if margin_mm is None or ci95_mm is None:
            return (None, None), None
        if margin_mm < self.valid_mm[0]:
            return (None, None), False
        highest = self.relative(ci95_mm[0])
        return (self.relative(ci95_mm[1]), highest), highest is not None

    def _range_notes(self, margin_mm: float | None, ci95_mm: tuple[float, float] | None) -> Iterable[str]:
        low, high = self.valid_mm
        if margin_mm is None:
            yield "no margin was measured: no relative hazard"
            return
        if margin_mm < low:
            yield NOT_COVERED
            return
        if margin_mm > high:
            yield f"the margin lies beyond those studied ({low:g} to {high:g} mm): held at the value of {high:g} mm"
        if ci95_mm is None:
            yield "the margin has no interval: none for the hazard"
            return
        if ci95_mm[0] < low:
            yield f"upper end not bounded: the margin's interval reaches below {low:g} mm"
        if ci95_mm[1] > high >= margin_mm:
            yield f"lower end held at the value of {high:g} mm: the margin's interval reaches beyond those studied"
        yield "the interval holds the doubt of the margin, not that of the published relation"


def require_margin(margin_mm: float | None, ci95_mm: tuple[float, float] | None) -> None:
    """Raise unless a margin and its interval, mm, are finite and the right way up.

    Raises
    ------
    UsageError
        They are not.
    """
    values = [v for v in (margin_mm, *(ci95_mm or ())) if v is not None]
    if not all(math.isfinite(value) for value in values):
        raise UsageError(f"margin {margin_mm}, interval {ci95_mm}: expected finite numbers", code="not-finite")
    if ci95_mm is not None and ci95_mm[0] > ci95_mm[1]:
        raise UsageError(f"interval {ci95_mm} of the margin: expected its low end first", code="upside-down")
