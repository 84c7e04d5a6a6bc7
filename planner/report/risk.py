"""What stands beside a relative hazard, in words: for whom it holds, its own doubt, other figures, a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.assessment import Assessment, LesionAssessment
from planner.evidence.baseline import Absolute, MarginClass, Rate
from planner.evidence.beside import Beside
from planner.evidence.comparison import MEASURES, Compared, Contrast
from planner.evidence.ratio import NO_INTERVAL, ORIGINS, RatioInterval
from planner.report.held_against import risk_sentences

HEADS = (
    "Published figure", "As published", "At this margin", "Over the margin's interval", "By the figure's own interval",
    "To keep in mind, and this case beside those studied", "Why there is no number",
)  # fmt: skip
CAPTION = (
    "Other published figures at this margin. Each has its own measure, patients and reference: they are not combined,"
    " and none replaces the relation above"
)
NONE = "none"
SAID_ALONE = ("modality_unknown", "cryoablation_zone", "electroporation_zone")
"""Flags of a sentence of their own; the others stand in the notes of the relation."""


@dataclass(frozen=True, slots=True)
class BesideSection:
    """What a lesion's section of the report prints beside its relative hazard."""

    validity: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    heads: tuple[str, ...] = HEADS
    caption: str = CAPTION
    rows: tuple[tuple[str, ...], ...] = ()


def beside_section(lesion: LesionAssessment) -> BesideSection:
    """Return what is printed beside the relative hazard of a lesion; empty where none was asked."""
    around = lesion.beside
    if around is None:
        return BesideSection()
    return BesideSection(
        validity=tuple(_sentence(flag.text) for flag in around.flags if flag.code in SAID_ALONE),
        apart=(*_own_doubt(around), *_size(around)),
        observed=() if around.absolute is None else tuple(_observed(around.absolute)),
        rows=tuple(_row(compared) for compared in around.others),
    )


def risk_lines(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return what a table of text says of a lesion: the relation, for whom it holds, and what stands beside it."""
    section = beside_section(lesion)
    return (*risk_sentences(lesion), *section.validity, *section.apart, *section.observed, *_others_line(lesion))


def beside_references(assessment: Assessment) -> tuple[tuple[str, str, str], ...]:
    """Return label, citation and strength of each figure and cohort that stands beside some lesion's hazard."""
    found: dict[str, tuple[str, str, str]] = {}
    for around in (lesion.beside for lesion in assessment.lesions if lesion.beside is not None):
        for figure in (compared.figure for compared in around.others):
            strength = f"{figure.strength}; {MEASURES[figure.measure]}"
            found.setdefault(figure.name, (f"{figure.label} ({figure.id})", figure.source.text, strength))
        if around.absolute is not None:
            cohort = around.absolute.cohort
            found.setdefault(f"cohort {cohort.name}", (f"Cohort {cohort.label}", cohort.source.text, cohort.strength))
    return tuple(found.values())


def _own_doubt(around: Beside) -> Iterable[str]:
    found, per_step = around.model_interval, around.per_step
    if found is None or per_step.ci95 is None:
        return
    yield (
        f"By the relation's own 95 % interval ({_ends(per_step.ci95)} per {per_step.step_mm:g} mm;"
        f" {ORIGINS[found.origin]}) the hazard is {_ends(found)} times that at the reference, at the margin as"
        " measured; it is not combined with the margin's interval."
    )


def _size(around: Beside) -> Iterable[str]:
    size = around.size
    if size is None:
        return
    doubt = "" if size.interval is None else f" ({_ends(size.interval)}; {ORIGINS[size.interval.origin]})"
    step = size.per_step
    yield (
        f"Tumour size, apart: at the same margin {size.ratio:.2f} times the hazard{doubt} of a tumour of"
        f" {size.reference_mm:g} mm (our reference), by {step.ratio:.2f} per {step.step_mm:g} mm ({size.strength}) and"
        f" the longest axial diameter of {size.diameter_mm:.1f} mm. {_joined(size.notes)}"
    )


def _observed(absolute: Absolute) -> Iterable[str]:
    label = f"Cohort {absolute.cohort.label}, named by the user"
    if absolute.own is not None:
        yield f"{label}: local tumour progression in {_class(absolute.own)}, the class of this margin."
    else:
        yield f"{label}: no rate for this margin: {absolute.reason}."
    if absolute.touched:
        yield f"Touched by the margin's interval too: {'; '.join(_class(one) for one in absolute.touched)}."
    if absolute.all_margins:
        yield f"Whole cohort, whatever the margin: {_rates(absolute.all_margins)}."
    yield _joined(absolute.notes)


def _class(one: MarginClass) -> str:
    return f"{_rates(one.rates)} (margins {one.band.words})"


def _rates(rates: Iterable[Rate]) -> str:
    return ", ".join(_rate(rate) for rate in rates)


def _rate(rate: Rate) -> str:
    ends = rate.ci95_percent
    doubt = "" if ends is None else f" ({ends[0]:g} to {ends[1]:g} %)"
    return f"{rate.percent:g} %{doubt} at {rate.years} year{'s' * (rate.years != 1)}"


def _row(compared: Compared) -> tuple[str, ...]:
    figure = compared.figure
    low, high = compared.over_margin_ratio
    return (
        f"{figure.label} ({figure.id})",
        _published(compared),
        _at_margin(compared) or NONE,
        NONE if low is None and high is None else f"{_end(low)} to {_end(high)}",
        NONE if compared.model_interval is None else _ends(compared.model_interval),
        _joined(compared.notes) or "Like those studied.",
        compared.reason or "",
    )


def _others_line(lesion: LesionAssessment) -> Iterable[str]:
    """Yield one line of the figures that give a number at this margin."""
    others = () if lesion.beside is None else lesion.beside.others
    parts = [f"{c.figure.label}, {MEASURES[c.figure.measure]} {_at_margin(c)}" for c in others if c.ratio is not None]
    if parts:
        yield f"Other published figures at this margin, not combined: {'; '.join(parts)}."


def _at_margin(compared: Compared) -> str:
    """Return a figure's ratio at the margin against its reference; empty where there is none."""
    form = compared.figure.form
    if compared.ratio is None:
        return ""
    if isinstance(form, Contrast) and compared.ratio == 1.0:
        return f"1 (the reference: {form.reference})"
    return f"{compared.ratio:.2f} against {form.reference}"


def _published(compared: Compared) -> str:
    figure = compared.figure
    ratio, ci95 = figure.form.published
    doubt = NO_INTERVAL if ci95 is None else f"95 % interval {_ends(ci95)}, {ORIGINS[ci95.origin]}"
    return f"{MEASURES[figure.measure]} {ratio:.2f} {figure.form.words}; {doubt}"


def _ends(interval: RatioInterval) -> str:
    return f"{interval.low_ratio:.2f} to {interval.high_ratio:.2f}"


def _end(end: float | None) -> str:
    return "not known" if end is None else f"{end:.2f}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _joined(texts: Iterable[str]) -> str:
    return " ".join(_sentence(text) for text in texts)
