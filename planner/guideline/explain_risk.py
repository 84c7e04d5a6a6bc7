"""Published figures and baseline cohorts as text: as lines of a table, and explained one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from planner.evidence.baseline import Baseline, Rate
from planner.evidence.comparison import MEASURES, UNLIKE_A_HAZARD, Comparison, Slope
from planner.facts import SETTING_FACTS
from planner.guideline.explain import ci95_words, entered_words, studied, wrapped


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
    rows = [head, *body]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *body]
    text = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in lines]
    return "\n".join([title, "", *text]) + "\n"
