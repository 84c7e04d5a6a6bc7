"""A published hazard ratio per length of margin: what it says at a margin, and where it stops saying anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from planner.errors import UsageError
from planner.evidence.citation import Citation

Match = Literal["match", "mismatch", "unknown"]
Method = Literal["2d_manual", "3d_segmentation"]

NOT_COVERED = "not covered on these images: no relative hazard below a margin of 0 mm"
METHODS = {"2d_manual": "read by hand in 2D", "3d_segmentation": "measured in 3D from segmentations"}


@dataclass(frozen=True, slots=True)
class Population:
    """Whom a relation was found in, and how margins were measured there."""

    primary: tuple[str, ...]
    modality: tuple[str, ...]
    scan_days: tuple[float, float]
    method: Method
    patients: int
    lesions: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a case that tells whether a relation speaks of it; None where it was not entered."""

    primary: str | None = None
    modality: str | None = None
    scan_days: float | None = None
    method: Method = "3d_segmentation"


@dataclass(frozen=True, slots=True)
class PopulationMatch:
    """Whether a case resembles those studied; unknown where the fact was not entered."""

    primary: Match
    modality: Match
    scan_days: Match
    method: Match

    def those(self, match: Match) -> tuple[str, ...]:
        """Return the names of the points that are `match`, as words."""
        named = {
            "primary": self.primary, "ablation modality": self.modality, "scan date": self.scan_days,
            "method": self.method,
        }  # fmt: skip
        return tuple(name for name, found in named.items() if found == match)


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

    def relative(self, margin_mm: float) -> float | None:
        """Return the hazard relative to that at the reference: None below the range, held at its end above it."""
        low, high = self.valid_mm
        if margin_mm < low:
            return None
        return float(self.ratio ** ((min(margin_mm, high) - self.reference_mm) / self.step_mm))

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
        _require_finite(margin_mm, ci95_mm)
        match = self._match(setting)
        hazard = None if margin_mm is None else self.relative(margin_mm)
        interval, bounded = self._interval(margin_mm, ci95_mm)
        in_range = None if margin_mm is None else self.valid_mm[0] <= margin_mm <= self.valid_mm[1]
        notes = (*self._range_notes(margin_mm, ci95_mm), *self._population_notes(match, setting.method))
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

    def _match(self, setting: Setting) -> PopulationMatch:
        days, (first, last) = setting.scan_days, self.population.scan_days
        return PopulationMatch(
            _among(setting.primary, self.population.primary),
            _among(setting.modality, self.population.modality),
            "unknown" if days is None else "match" if first <= days <= last else "mismatch",
            "match" if setting.method == self.population.method else "mismatch",
        )

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

    def _population_notes(self, match: PopulationMatch, method: Method) -> Iterable[str]:
        if unknown := match.those("unknown"):
            yield f"population match unknown: {', '.join(unknown)} not entered"
        first, last = self.population.scan_days
        studied = {
            "primary": f"primary (studied: {', '.join(self.population.primary)})",
            "ablation modality": f"ablation modality (studied: {', '.join(self.population.modality)})",
            "scan date": f"scan date (studied: {first:g} to {last:g} days after the ablation)",
            "method": f"method (studied: margins {METHODS[self.population.method]}; here: {METHODS[method]})",
        }
        if differing := match.those("mismatch"):
            yield f"differs from those studied in {', '.join(studied[name] for name in differing)}"


def _among(value: str | None, studied: tuple[str, ...]) -> Match:
    if value is None:
        return "unknown"
    return "match" if value in studied else "mismatch"


def _require_finite(margin_mm: float | None, ci95_mm: tuple[float, float] | None) -> None:
    values = [v for v in (margin_mm, *(ci95_mm or ())) if v is not None]
    if not all(math.isfinite(value) for value in values):
        raise UsageError(f"margin {margin_mm}, interval {ci95_mm}: expected finite numbers", code="not-finite")
    if ci95_mm is not None and ci95_mm[0] > ci95_mm[1]:
        raise UsageError(f"interval {ci95_mm} of the margin: expected its low end first", code="upside-down")
