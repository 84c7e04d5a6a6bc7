"""Published relations, figures and baseline cohorts as text: as lines of a table, and explained one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from planner.evidence.baseline import Baseline, Rate
from planner.evidence.comparison import MEASURES, UNLIKE_A_HAZARD, Comparison, Slope
from planner.evidence.hazard import Hazard
from planner.evidence.population import Population, studied_words
from planner.evidence.ratio import ORIGINS, RatioInterval
from planner.facts import SETTING_FACTS
from planner.guideline.columns import columns, wrapped
from planner.guideline.explain_entry import entered_words
from planner.guideline.words import quantity_words


def comparisons_table(comparisons: Sequence[Comparison]) -> str:
    """Return the figures that stand beside a relation as a table of text, one line each."""
    head = ("Id", "Source", "Primary", "Published figure")
    body = [(c.id, c.label, ", ".join(c.population.primary), _published(c)) for c in comparisons]
    return _table("Shown beside a relation, each in its own measure, never combined", head, body)


def baselines_table(baselines: Sequence[Baseline]) -> str:
    """Return the baseline cohorts as a table of text, one line each."""
    head = ("Name", "Cohort", "Rates")
    body = [(b.name, b.label, "; ".join(_all_rates(b))) for b in baselines]
    title = "Baseline cohorts: observed local tumour progression, shown if --baseline NAME asks for it"
    return _table(title, head, body)


def explained_hazard(hazard: Hazard) -> str:
    """Return everything known of a published relation."""
    lines = [f"{hazard.id}  {hazard.title}", *wrapped(hazard.statement), ""]
    lines += wrapped(f"Source: {hazard.source.text} ({hazard.strength})")
    lines += wrapped(
        f"Form: {hazard.ratio:g} ** ((margin - {hazard.reference_mm:g} mm) / {hazard.step_mm:g} mm), for margins from"
        f" {hazard.valid_mm[0]:g} to {hazard.valid_mm[1]:g} mm: no number below, held at the end above."
        " Relative to the reference, never an absolute risk; it gives no verdict."
    )
    lines += wrapped(studied(hazard.population))
    lines += wrapped(f"Interval of {hazard.ratio:g}: {ci95_words(hazard.ci95)}.") if hazard.ci95 else []
    if size := hazard.size:
        step = size.per_step
        lines += wrapped(
            f"Tumour size, apart and never multiplied in: {size.statement} {step.ratio:g} per {step.step_mm:g} mm of"
            f" {quantity_words(size.quantity)} ({ci95_words(step.ci95)}; {size.strength}), relative to"
            f" {size.reference_mm:g} mm (our reference); {size.note}."
        )
    lines += wrapped(f"Facts it may need: {entered_words(fact.name for fact in SETTING_FACTS)}.")
    lines += wrapped(f"Note: {hazard.note}") if hazard.note else []
    lines += ["", "Minimal margin, mm   relative hazard"]
    lines += [f"  {margin:>16g}   {hazard.relative(margin) or 0.0:.2f}" for margin in _steps(hazard)]
    return "\n".join(lines).rstrip() + "\n"


def studied(population: Population) -> str:
    """Return whom a figure was found in, in a sentence."""
    said = studied_words(population)
    counted = ((population.patients, "patients"), (population.lesions, "lesions"))
    counts = [f"{count} {what}" for count, what in counted if count]
    number = ", ".join(counts) or "how many is not known to us"
    parts = "; ".join(f"{name} {words}" for name, words in said.items())
    return f"Studied: {number}; {parts}. {population.note}".rstrip()


def ci95_words(interval: RatioInterval | None) -> str:
    """Return a ratio's own interval with its origin."""
    if interval is None:
        return "95 % interval not available to us"
    return f"95 % interval {interval.low_ratio:g} to {interval.high_ratio:g}, {ORIGINS[interval.origin]}"


def _steps(hazard: Hazard) -> Iterator[float]:
    margin = hazard.valid_mm[0]
    while margin <= hazard.valid_mm[1]:
        yield margin
        margin += hazard.step_mm


def explained_comparison(comparison: Comparison) -> str:
    """Return everything known of a figure that stands beside a relation."""
    form = comparison.form
    lines = [f"{comparison.id}  {comparison.title}", *wrapped(comparison.statement), ""]
    lines += wrapped(f"Source: {comparison.source.text} ({comparison.strength})")
    lines += wrapped(f"Published: {_published(comparison)}; {ci95_words(form.published[1])}.")
    if isinstance(form, Slope):
        low, high = form.shown_mm
        lines += wrapped(f"Shown against {form.reference}, for margins from {low:g} to {high:g} mm: {form.beyond}.")
    lines += wrapped(f"Endpoint: {comparison.endpoint}.")
    lines += wrapped(studied(comparison.population))
    lines += wrapped(f"Facts it may need: {entered_words(fact.name for fact in SETTING_FACTS)}.")
    notes = (UNLIKE_A_HAZARD.get(comparison.measure, ""), comparison.note)
    lines += wrapped(f"Note: {'; '.join(note for note in notes if note)}.") if any(notes) else []
    return "\n".join(lines) + "\n"


def explained_baseline(baseline: Baseline) -> str:
    """Return everything known of a baseline cohort."""
    lines = [f"{baseline.name}  {baseline.label}", *wrapped(baseline.title), ""]
    lines += wrapped(f"Source: {baseline.source.text} ({baseline.strength})")
    lines += wrapped(studied(baseline.population))
    lines += wrapped(f"Endpoint: {baseline.endpoint}. Rates as observed in the cohort: no forecast for a lesion.")
    lines += wrapped(f"Note: {baseline.note}.") if baseline.note else []
    lines += ["", *(f"  {rates}" for rates in _all_rates(baseline))]
    return "\n".join(lines) + "\n"


def _published(comparison: Comparison) -> str:
    ratio = comparison.form.published[0]
    return f"{MEASURES[comparison.measure]} {ratio:.2f} {comparison.form.words}"


def _all_rates(baseline: Baseline) -> Iterator[str]:
    yield from (f"{one.band.words}: {_rates(one.rates)}" for one in baseline.classes)
    if baseline.all_margins:
        yield f"all margins: {_rates(baseline.all_margins)}"


def _rates(rates: Iterable[Rate]) -> str:
    return ", ".join(_rate(rate) for rate in rates)


def _rate(rate: Rate) -> str:
    ends = "" if rate.ci95_percent is None else f" ({rate.ci95_percent[0]:g} to {rate.ci95_percent[1]:g})"
    return f"{rate.percent:g} %{ends} at {rate.years} y"


def _table(title: str, head: tuple[str, ...], body: Sequence[tuple[str, ...]]) -> str:
    return "\n".join([title, "", *columns(head, body)]) + "\n"
