"""What stands beside a relative hazard, as the further keys of a lesion's `ltp` in `result.json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pipelines.store.numbers import number
from planner.assessment import Reason
from planner.evidence.baseline import Absolute, MarginClass, Rate
from planner.evidence.beside import NO_BASELINE, NO_RATIO, NO_SIZE, Beside
from planner.evidence.comparison import Compared, Slope
from planner.evidence.population import Flag, PopulationMatch
from planner.evidence.ratio import NO_INTERVAL, ORIGINS, RatioInterval
from planner.evidence.size import SizeFactor

Json = Any

NOTHING_BESIDE: dict[str, Json] = {
    "model_interval": None, "size_factor": None, "other_models": [], "absolute": None, "flags": [],
}  # fmt: skip
"""The keys of a lesion that was held against no relation."""


def beside_document(around: Beside | None) -> dict[str, Json]:
    """Return the keys of `ltp` that stand beside the relative hazard."""
    if around is None:
        return dict(NOTHING_BESIDE)
    return {
        "model_interval": _model_interval(around),
        "size_factor": None if around.size is None else _size(around.size),
        "other_models": [_other(compared) for compared in around.others],
        "absolute": None if around.absolute is None else _absolute(around.absolute),
        "flags": _flags(around.flags),
    }


def beside_reasons(around: Beside | None) -> Iterable[Reason]:
    """Yield why something beside the relative hazard is null."""
    if around is None:
        return
    if around.model_interval is None:
        text = NO_INTERVAL if around.per_step.ci95 is None else NO_RATIO
        yield Reason("ltp.model_interval", "not-computed", text)
    if around.size is None:
        yield Reason("ltp.size_factor", "not-computed", NO_SIZE if around.model_interval is not None else NO_RATIO)
    if around.others:
        text = "what is null in a row was not published, was not available to us, or has the row's own reason"
        yield Reason("ltp.other_models", "not-known", text)
    if around.absolute is None:
        yield Reason("ltp.absolute", "no-baseline", NO_BASELINE)
        return
    cohort = around.absolute.reason or "intervals that are null were not available to us"
    yield Reason("ltp.absolute", "not-known" if around.absolute.reason is None else "no-rate", cohort)


def _model_interval(around: Beside) -> Json:
    found, per_step = around.model_interval, around.per_step
    if found is None or per_step.ci95 is None:
        return None
    return {
        "interval": _ends(found), "ratio_ci95": _ends(per_step.ci95), "per_mm": number(per_step.step_mm),
        "origin": found.origin, "text": ORIGINS[found.origin],
    }  # fmt: skip


def _size(size: SizeFactor) -> Json:
    return {
        "ratio": number(size.ratio), "diameter_mm": number(size.diameter_mm),
        "diameter": "max_axial_diameter_mm", "reference_mm": number(size.reference_mm),
        "step_ratio": number(size.per_step.ratio), "step_mm": number(size.per_step.step_mm),
        "interval": [None, None] if size.interval is None else _ends(size.interval),
        "interval_origin": None if size.interval is None else size.interval.origin,
        "multiplied_in": False, "strength": size.strength, "notes": list(size.notes),
    }  # fmt: skip


def _other(compared: Compared) -> Json:
    figure, form = compared.figure, compared.figure.form
    ratio, ci95 = form.published
    return {
        "id": figure.id, "model": figure.name, "label": figure.label, "measure": figure.measure,
        "published_ratio": number(ratio), "published": form.words,
        "step_mm": number(form.per_step.step_mm) if isinstance(form, Slope) else None,
        "ci95": [None, None] if ci95 is None else _ends(ci95), "ci95_origin": None if ci95 is None else ci95.origin,
        "ratio": number(compared.ratio), "reference": form.reference,
        "over_margin_interval": [number(end) for end in compared.over_margin_ratio],
        "model_interval": [None, None] if compared.model_interval is None else _ends(compared.model_interval),
        "reason": compared.reason, "population": _match(compared.population), "flags": _flags(compared.flags),
        "notes": list(compared.notes), "endpoint": figure.endpoint, "strength": figure.strength,
        "source": figure.source.text,
    }  # fmt: skip


def _absolute(absolute: Absolute) -> Json:
    cohort = absolute.cohort
    return {
        "cohort": cohort.name, "label": cohort.label, "unit": "percent", "endpoint": cohort.endpoint,
        "class": None if absolute.own is None else _class(absolute.own),
        "touched": [_class(one) for one in absolute.touched],
        "all_margins": [_rate(rate) for rate in absolute.all_margins],
        "reason": absolute.reason, "population": _match(absolute.population), "flags": _flags(absolute.flags),
        "notes": list(absolute.notes), "strength": cohort.strength, "source": cohort.source.text,
    }  # fmt: skip


def _class(one: MarginClass) -> Json:
    return {"margin": one.band.words, "rates": [_rate(rate) for rate in one.rates]}


def _rate(rate: Rate) -> Json:
    ends = rate.ci95_percent
    return {
        "years": rate.years, "percent": number(rate.percent),
        "ci95_percent": [None, None] if ends is None else [number(end) for end in ends],
    }  # fmt: skip


def _match(match: PopulationMatch) -> Json:
    return asdict(match)


def _flags(flags: Iterable[Flag]) -> list[Json]:
    return [asdict(flag) for flag in flags]


def _ends(interval: RatioInterval) -> list[float | None]:
    return [number(interval.low_ratio), number(interval.high_ratio)]
