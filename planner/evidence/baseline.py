"""Rates of local tumour progression that a named cohort observed: by class of margin, at its years, never extended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.evidence.band import Band
from planner.evidence.citation import Citation
from planner.evidence.comparison import NO_MARGIN
from planner.evidence.population import Flag, Population, PopulationMatch, Setting, flags_of, matched, population_notes

NO_RATE_BELOW_0 = "not covered on these images: no rate below a margin of 0 mm"
NO_CLASSES = "this cohort's rates were not available to us by margin"
OBSERVED = "observed in that cohort: no forecast for this lesion"


@dataclass(frozen=True, slots=True)
class Rate:
    """Percent of lesions with local tumour progression at so many years; its interval is None where not known to us."""

    years: int
    percent: float
    ci95_percent: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class MarginClass:
    """A class of margins as the cohort printed it, with what was observed in it."""

    band: Band
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A cohort whose observed rates may stand beside a margin, if a user names it.

    Parameters
    ----------
    name, label
        As a user types it, and what readers see; the label holds the cohort's years.
    title
        In our own words.
    endpoint, strength, note
        Of the study.
    population, source
        Whom it observed, and where that stands.
    classes
        By margin; may leave gaps, in which there is no rate.
    all_margins
        Of the whole cohort, whatever the margin.
    """

    name: str
    label: str
    title: str
    endpoint: str
    strength: str
    population: Population
    source: Citation
    classes: tuple[MarginClass, ...]
    all_margins: tuple[Rate, ...]
    note: str = ""

    def at(self, margin_mm: float | None, ci95_mm: tuple[float, float] | None, setting: Setting) -> Absolute:
        """Return what the cohort observed in the class of a margin, + covered, with its 95 % interval, mm."""
        match = matched(self.population, setting)
        covered = margin_mm is not None and margin_mm >= 0
        notes = (OBSERVED, *((self.note,) if self.note else ()), *self._doubts(margin_mm, ci95_mm),
                 *population_notes(self.population, match, setting))  # fmt: skip
        return Absolute(
            self, self._class_of(margin_mm), self._touched(margin_mm, ci95_mm) if covered else (),
            self.all_margins if covered else (), self._why_none(margin_mm), match,
            flags_of(self.population, match, setting), notes,
        )  # fmt: skip

    def _class_of(self, margin_mm: float | None) -> MarginClass | None:
        if margin_mm is None or margin_mm < 0:
            return None
        return next((one for one in self.classes if one.band.holds(margin_mm)), None)

    def _touched(self, margin_mm: float | None, ci95_mm: tuple[float, float] | None) -> tuple[MarginClass, ...]:
        """Return the other classes that the margin's interval touches."""
        if ci95_mm is None or ci95_mm[1] < 0:
            return ()
        covered, own = (max(ci95_mm[0], 0.0), ci95_mm[1]), self._class_of(margin_mm)
        return tuple(one for one in self.classes if one.band.touches(covered) and one != own)

    def _doubts(self, margin_mm: float | None, ci95_mm: tuple[float, float] | None) -> Iterable[str]:
        if margin_mm is None or margin_mm < 0 or ci95_mm is None or not self.classes:
            return
        if ci95_mm[0] < 0:
            yield "the margin's interval reaches below 0 mm, where there is no rate"

    def _why_none(self, margin_mm: float | None) -> str | None:
        if margin_mm is None:
            return NO_MARGIN
        if margin_mm < 0:
            return NO_RATE_BELOW_0
        if not self.classes:
            return NO_CLASSES
        if self._class_of(margin_mm) is not None:
            return None
        printed = ", ".join(one.band.words for one in self.classes)
        return f"the margin lies in none of the cohort's classes ({printed})"


@dataclass(frozen=True, slots=True)
class Absolute:
    """What a named cohort observed, seen from one lesion's margin.

    Parameters
    ----------
    cohort
        The cohort.
    own, touched
        The class in which the margin lies (None with a `reason`), and further ones that its interval touches.
    all_margins
        Rates of the whole cohort; none for a tumour that is not covered.
    reason
        Why there is no class.
    population, flags, notes
        How far the case resembles the cohort, and what to keep in mind.
    """

    cohort: Baseline
    own: MarginClass | None
    touched: tuple[MarginClass, ...]
    all_margins: tuple[Rate, ...]
    reason: str | None
    population: PopulationMatch
    flags: tuple[Flag, ...]
    notes: tuple[str, ...]
