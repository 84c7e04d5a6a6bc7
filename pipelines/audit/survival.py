"""Survival free of local tumour progression (LTP), by margin band: Kaplan-Meier as lifelines computes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.audit.bands import BANDS, Band
from pipelines.audit.cohort import Cohort
from pipelines.audit.lesions import Lesion, LesionTable
from pipelines.audit.outcomes import Outcome, Outcomes
from planner.report.counts import counted

EVENTS_TO_CONFIRM = 100
MOST_TICKS = 8
_TICK_STEPS_DAYS = (7, 30, 91, 182, 365, 730, 1826, 3652)

DEFINITION = (
    "Survival free of local tumour progression, per lesion. Event: local tumour progression (LTP) or death from any"
    " cause, whichever came first. Death is counted as an event, not censored: the curve is the share of lesions whose"
    " patient is alive without LTP at that lesion, and lies lower than that of papers which censor death. A lesion with"
    " event 'none' is censored at its days. Time counts in days from the ablation."
)
CAUTION = (
    "Lesions of one patient are not independent (a death ends all of them at once), so that these intervals are too"
    " narrow; nothing is adjusted for size, place or patient."
)


@dataclass(frozen=True, slots=True)
class Curve:
    """A band's Kaplan-Meier curve.

    Parameters
    ----------
    lesions, ltp, deaths
        How many lesions it rests on, and their events.
    days, survival, low, high
        The steps, with the pointwise 95 % interval (exponential Greenwood, log-log).
    at_risk
        Lesions still followed and free of an event just before each tick.
    censored_days
        When follow-up ended without an event, one entry per lesion.
    """

    band: Band
    lesions: int
    ltp: int
    deaths: int
    days: tuple[float, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]
    censored_days: tuple[float, ...]

    def at(self, tick: int, ticks_days: Sequence[float]) -> tuple[float, float, float] | None:
        """Return survival and its interval at a tick; None where no lesion is followed that long.

        Once it has reached 0 it stays there: nobody is left to be followed.
        """
        place = self._step(ticks_days[tick])
        if not self.at_risk[tick] and self.survival[place] > 0.0:
            return None
        return self.survival[place], self.low[place], self.high[place]

    def survival_at(self, days: float) -> float:
        """Return the curve's height at a day."""
        return self.survival[self._step(days)]

    def _step(self, days: float) -> int:
        return max(n for n, day in enumerate(self.days) if day <= days)


@dataclass(frozen=True, slots=True)
class FlowStep:
    """A step from all cases to the lesions analysed: how many were left out and why, or how many are left."""

    words: str
    count: int
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Survival:
    """The curves of all bands that have lesions, and how the cohort came down to them."""

    curves: tuple[Curve, ...]
    ticks_days: tuple[float, ...]
    flow: tuple[FlowStep, ...]
    ltp: int
    deaths: int

    @property
    def caution(self) -> str | None:
        """Return what too few events mean; None where they are enough."""
        if self.ltp >= EVENTS_TO_CONFIRM:
            return None
        return (
            f"{counted(self.ltp, 'LTP event')}, fewer than about {EVENTS_TO_CONFIRM}: this cohort cannot confirm (or"
            " refute) the published relation of margin and LTP (Wang 2013)."
        )


def survival(cohort: Cohort, table: LesionTable, outcomes: Outcomes) -> Survival:
    """Return the curves by band with their numbers at risk."""
    chosen: dict[str, list[Outcome]] = {}
    for lesion in table.lesions:
        if lesion.band is not None and excluded(lesion, outcomes) is None:
            chosen.setdefault(lesion.band.name, []).append(outcomes.by_lesion[lesion.case_id, lesion.lesion_id])
    everyone = [outcome for group in chosen.values() for outcome in group]
    ticks = _ticks(max((outcome.days for outcome in everyone), default=0.0))
    curves = tuple(_curve(band, chosen[band.name], ticks) for band in BANDS if band.name in chosen)
    events = Counter(outcome.event for outcome in everyone)
    return Survival(curves, ticks, tuple(_flow(cohort, table, outcomes)), events["ltp"], events["death"])


def excluded(lesion: Lesion, outcomes: Outcomes) -> str | None:
    """Return why a lesion is not analysed; None where it is."""
    if lesion.status != "assessed":
        return lesion.status
    if lesion.min_mm is None:
        return "no_margin"
    return None if (lesion.case_id, lesion.lesion_id) in outcomes.by_lesion else "no_outcome"


_EXCLUDED = {
    "not_assessable": "lesions not assessable",
    "not_treated": "lesions that no zone touches (not treated)",
    "no_margin": "lesions assessed without a margin",
    "no_outcome": "lesions without a row in the outcomes file",
}


def _flow(cohort: Cohort, table: LesionTable, outcomes: Outcomes) -> Iterable[FlowStep]:
    yield FlowStep("cases found", cohort.cases["found"])
    for code, count in cohort.failures.items():
        words = "cases begun and never finished" if code == "unfinished" else f"cases failed: {code}"
        yield FlowStep(words, count, excluded=True)
    yield FlowStep("cases with a result", cohort.cases["assessed"] + cohort.cases["not_assessable"])
    yield FlowStep("lesions in them", len(table.lesions))
    reasons = Counter(excluded(lesion, outcomes) for lesion in table.lesions)
    for reason, words in _EXCLUDED.items():
        if reasons[reason]:
            yield FlowStep(words, reasons[reason], excluded=True)
    yield FlowStep("lesions analysed", reasons[None])


def _ticks(longest_days: float) -> tuple[float, ...]:
    step = next((s for s in _TICK_STEPS_DAYS if longest_days / s < MOST_TICKS), _TICK_STEPS_DAYS[-1])
    return tuple(float(n * step) for n in range(math.floor(longest_days / step) + 1))


def _curve(band: Band, outcomes: Sequence[Outcome], ticks_days: Sequence[float]) -> Curve:
    from lifelines import KaplanMeierFitter

    fit = KaplanMeierFitter().fit(
        [outcome.days for outcome in outcomes], [outcome.event != "none" for outcome in outcomes]
    )
    events = Counter(outcome.event for outcome in outcomes)
    interval = fit.confidence_interval_survival_function_.to_numpy()
    at_risk = dict(zip(fit.event_table.index.tolist(), fit.event_table["at_risk"].tolist(), strict=True))
    return Curve(
        band, len(outcomes), events["ltp"], events["death"],
        tuple(map(float, fit.survival_function_.index)),
        tuple(map(float, fit.survival_function_.iloc[:, 0])),
        tuple(map(float, interval[:, 0])), tuple(map(float, interval[:, 1])),
        tuple(_at_risk(at_risk, tick) for tick in ticks_days),
        tuple(sorted(outcome.days for outcome in outcomes if outcome.event == "none")),
    )  # fmt: skip


def _at_risk(at_risk: Mapping[float, int], tick_days: float) -> int:
    """Return those at risk at the first time not before the tick: between times their number does not change."""
    later = [day for day in at_risk if day >= tick_days]
    return int(at_risk[min(later)]) if later else 0
