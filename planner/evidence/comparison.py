"""Other published figures on margin and progression: shown side by side, each in its own measure, never combined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.evidence.band import Band
from planner.evidence.citation import Citation
from planner.evidence.population import Flag, Population, PopulationMatch, Setting, flags_of, matched, population_notes
from planner.evidence.ratio import PerStep, RatioInterval

Measure = Literal["hazard_ratio", "subdistribution_hazard_ratio", "odds_ratio", "risk_ratio"]

MEASURES: dict[Measure, str] = {
    "hazard_ratio": "hazard ratio",
    "subdistribution_hazard_ratio": "subdistribution hazard ratio",
    "odds_ratio": "odds ratio",
    "risk_ratio": "risk ratio",
}
"""What kind of ratio a study gives, in words."""

UNLIKE_A_HAZARD: dict[Measure, str] = {
    "subdistribution_hazard_ratio": "a subdistribution hazard ratio, in which death competes, is no hazard ratio",
    "odds_ratio": "an odds ratio is no hazard ratio",
    "risk_ratio": "a risk ratio is no hazard ratio",
}
"""What keeps a kind of ratio from being read beside a hazard ratio."""

NO_MARGIN = "no margin was measured"
NOT_COVERED_HERE = "not covered on these images: no figure below a margin of 0 mm"


@dataclass(frozen=True, slots=True)
class Slope:
    """A ratio per length of margin, and the margins for which we show what it gives.

    `shown_mm` is ours: the text available to us states no range, and beyond it `beyond` says why there is no number.
    """

    per_step: PerStep
    reference_mm: float
    shown_mm: tuple[float, float]
    beyond: str

    @property
    def words(self) -> str:
        """Return per what the ratio is."""
        step = self.per_step.step_mm
        return f"per {'' if step == 1 else f'{step:g} '}mm of margin"

    @property
    def reference(self) -> str:
        """Return against what a value is."""
        return f"a margin of {self.reference_mm:g} mm"

    @property
    def published(self) -> tuple[float, RatioInterval | None]:
        """Return the ratio as published, with its own interval."""
        return self.per_step.ratio, self.per_step.ci95

    def ratio_at(self, margin_mm: float) -> float | None:
        """Return the ratio at a margin against the reference; None outside the margins that are shown."""
        if not self.shown_mm[0] <= margin_mm <= self.shown_mm[1]:
            return None
        return self.per_step.between(margin_mm, self.reference_mm)

    def model_interval_at(self, margin_mm: float) -> RatioInterval | None:
        """Return the same with the ends of the ratio's own interval."""
        if self.ratio_at(margin_mm) is None:
            return None
        return self.per_step.interval_between(margin_mm, self.reference_mm)

    def over(self, ci95_mm: tuple[float, float]) -> tuple[float | None, float | None]:
        """Return the low and high ratio over a margin's interval; None is an end beyond the margins that are shown."""
        return self.ratio_at(ci95_mm[1]), self.ratio_at(ci95_mm[0])

    def why_none(self, margin_mm: float) -> str | None:
        """Return why there is no ratio at a margin."""
        return None if self.ratio_at(margin_mm) is not None else self.beyond


@dataclass(frozen=True, slots=True)
class Contrast:
    """A ratio between two classes of margins: that of the thinner against the thicker, the reference."""

    ratio: float
    ci95: RatioInterval | None
    thinner: Band
    thicker: Band

    @property
    def words(self) -> str:
        """Return per what the ratio is."""
        return f"margins {self.thinner.words} against {self.thicker.words}"

    @property
    def reference(self) -> str:
        """Return against what a value is."""
        return f"margins {self.thicker.words}"

    @property
    def published(self) -> tuple[float, RatioInterval | None]:
        """Return the ratio as published, with its own interval."""
        return self.ratio, self.ci95

    def ratio_at(self, margin_mm: float) -> float | None:
        """Return the ratio of the class that holds a margin against the reference; None where neither holds it."""
        if self.thicker.holds(margin_mm):
            return 1.0
        return self.ratio if self.thinner.holds(margin_mm) else None

    def model_interval_at(self, margin_mm: float) -> RatioInterval | None:
        """Return the ratio's own interval where the margin lies in the thinner class."""
        return self.ci95 if self.thinner.holds(margin_mm) else None

    def over(self, ci95_mm: tuple[float, float]) -> tuple[float | None, float | None]:
        """Return the least and greatest ratio of the classes that a margin's interval touches.

        The high end is None where the interval reaches below 0 mm, the low one where it reaches out of both classes.
        """
        ends = [self.ratio_at(max(end, 0.0)) for end in ci95_mm]
        return ends[1], None if ci95_mm[0] < 0 else ends[0]

    def why_none(self, margin_mm: float) -> str | None:
        """Return why there is no ratio at a margin."""
        if self.ratio_at(margin_mm) is not None:
            return None
        return f"the margin lies in neither class ({self.thinner.words}, {self.thicker.words})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure that stands beside the default relation.

    Parameters
    ----------
    id, name, label
        Catalogue id, name in results, and short name for readers.
    title, statement
        In our own words.
    measure
        What kind of ratio it is.
    form
        A ratio per length of margin, or one between two classes.
    endpoint, strength, note
        Of the study.
    population, source
        Whom it was found in, and where it stands.
    """

    id: str
    name: str
    label: str
    title: str
    statement: str
    measure: Measure
    form: Slope | Contrast
    endpoint: str
    strength: str
    population: Population
    source: Citation
    note: str = ""

    def at(self, margin_mm: float | None, ci95_mm: tuple[float, float] | None, setting: Setting) -> Compared:
        """Return what the figure gives at a margin, + covered, with its 95 % interval, mm; None where unknown."""
        match = matched(self.population, setting)
        why = NO_MARGIN if margin_mm is None else NOT_COVERED_HERE if margin_mm < 0 else self.form.why_none(margin_mm)
        known = margin_mm if why is None else None
        over = (None, None) if known is None or ci95_mm is None else self.form.over(ci95_mm)
        stated = tuple(text for text in (UNLIKE_A_HAZARD.get(self.measure, ""), self.note) if text)
        notes = (*stated, *population_notes(self.population, match, setting))
        return Compared(
            self, None if known is None else self.form.ratio_at(known), over,
            None if known is None else self.form.model_interval_at(known), why, match,
            flags_of(self.population, match, setting), notes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """What a published figure gives at one lesion's margin.

    Parameters
    ----------
    figure
        The figure itself.
    ratio
        At the measured margin against the figure's reference; None with a `reason`.
    over_margin_ratio
        Low and high over the margin's interval; None is an end of which the figure says nothing.
    model_interval
        With the ends of the published ratio's own interval, at the margin as measured.
    reason
        Why there is no ratio.
    population, flags, notes
        How far the case resembles those studied, and what to keep in mind.
    """

    figure: Comparison
    ratio: float | None
    over_margin_ratio: tuple[float | None, float | None]
    model_interval: RatioInterval | None
    reason: str | None
    population: PopulationMatch
    flags: tuple[Flag, ...]
    notes: tuple[str, ...]
