"""The report page: one self-contained HTML document that opens offline, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from planner.assessment import Assessment, LesionAssessment
from planner.register.alignment import Check
from planner.report import doubt, words
from planner.report.checks import check_name, check_result, check_value
from planner.report.criteria import criteria
from planner.report.figure import Figure
from planner.report.findings import finding_rows
from planner.report.held_against import (
    fact_rows,
    other_facts,
    references,
    risk_sentences,
)
from planner.report.page import Picture, environment, picture, style_of
from planner.report.passages import passage_sentences
from planner.report.risk import BesideSection, beside_references, beside_section
from planner.report.sensitivity import SensitivityRow, sensitivity_rows, tissue_sentences
from planner.report.surroundings import DistanceTable, distance_table
from planner.report.table import Column, columns, reason_sentences, rows
from planner.report.timing import date_sentences, timing_sentences
from planner.report.vanished import baseline_sentences

_BANDS = ((0.0, "below-0"), (5.0, "below-5"), (10.0, "below-10"))


@dataclass(frozen=True, slots=True)
class _CheckRow:
    about: str
    name: str
    value: str
    result: str
    text: str


@dataclass(frozen=True, slots=True)
class _LesionSection:
    lesion_id: str
    status: str
    reading: str
    band: str
    sentences: tuple[str, ...]
    interval: tuple[str, ...]
    flags: tuple[str, ...]
    tissue: tuple[str, ...]
    sensitivity: tuple[SensitivityRow, ...]
    distances: DistanceTable
    risk: tuple[str, ...]
    beside: BesideSection
    pictures: tuple[Picture, ...]
    cells: tuple[str, ...]
    registration_error: str
    margin_here: str
    margin_rigid: str


def render_html(
    assessment: Assessment,
    figures: Iterable[Figure],
    provenance: Mapping[str, object],
    timings_s: Mapping[str, float],
    *,
    template: str,
    css: str,
    notes: Sequence[str] = (),
    identities: Mapping[str, Sequence[str]] = MappingProxyType({}),
    scan_dates: Mapping[str, date] = MappingProxyType({}),
) -> str:
    """Return the report as one HTML document without scripts or outside references.

    Parameters
    ----------
    assessment
        What was found.
    figures
        Pictures of the case and its lesions; a lesion's own are printed in its section.
    provenance, timings_s
        How the result came about, and how long each step took, s.
    template, css
        Jinja template of the page and its style sheet.
    notes
        Sentences about the input: what was tolerated, absent or decided while reading.
    identities
        Name, id and birth date of the patient by study, where they are to be shown.
    scan_dates
        When the studies were scanned: the page is the only place that shows it.
    """
    pictures = [(figure.lesion_id, picture(figure)) for figure in figures]
    heads, days = columns(), assessment.days_since_ablation
    style = style_of(css)
    return environment().from_string(template).render(
        assessment=assessment,
        words=words,
        identities=[(study.upper(), *who) for study, who in identities.items()],
        css=style.css,
        style_hash=style.sha256,
        columns=heads,
        head_groups=_head_groups(heads),
        lesions=[_lesion_section(lesion, cells, pictures, days) for lesion, cells in _with_cells(assessment)],
        case_pictures=[picture for lesion_id, picture in pictures if lesion_id is None],
        reasons=reason_sentences(assessment),
        baseline=baseline_sentences(assessment.since_baseline),
        timing=(*timing_sentences(assessment.timing), *date_sentences(scan_dates)),
        checks=_checks(assessment),
        findings=finding_rows(assessment.findings),
        passages=passage_sentences(assessment.passages),
        lesion_findings=[(x.lesion_id, finding_rows(assessment.findings, x.lesion_id)) for x in assessment.lesions],
        criteria=criteria(assessment),
        facts=fact_rows(assessment),
        other_facts=other_facts(assessment),
        references=(*references(assessment), *beside_references(assessment)),
        notes=(*notes, *assessment.notes),
        provenance=_flat(provenance),
        timings=sorted(timings_s.items(), key=lambda item: -item[1]),
        total_s=sum(timings_s.values()),
    )  # fmt: skip


def _with_cells(assessment: Assessment) -> Iterable[tuple[LesionAssessment, tuple[str, ...]]]:
    return zip(assessment.lesions, rows(assessment), strict=True)


def _head_groups(heads: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    """Return each heading with the number of columns that follow each other under it."""
    groups: list[tuple[str, int]] = []
    for head in heads:
        if groups and groups[-1][0] == head.heading:
            groups[-1] = (head.heading, groups[-1][1] + 1)
        else:
            groups.append((head.heading, 1))
    return tuple(groups)


def _lesion_section(
    lesion: LesionAssessment,
    cells: tuple[str, ...],
    pictures: Sequence[tuple[str | None, Picture]],
    days: float | None,
) -> _LesionSection:
    margin = lesion.margin
    return _LesionSection(
        lesion_id=lesion.lesion_id,
        status=words.STATUS[lesion.status],
        reading=words.reading(lesion),
        band=band(None if margin is None else margin.min_mm),
        sentences=(*words.margin_sentences(lesion), *words.coverage_sentences(lesion), *words.size_sentences(lesion)),
        interval=() if margin is None or margin.min_mm is None else doubt.interval_sentences(margin.interval),
        flags=() if margin is None else tuple(words.flag_sentence(flag) for flag in margin.flags),
        risk=risk_sentences(lesion),
        beside=beside_section(lesion),
        tissue=tissue_sentences(lesion, days),
        sensitivity=sensitivity_rows(lesion),
        distances=distance_table(lesion.distances),
        pictures=tuple(picture for lesion_id, picture in pictures if lesion_id == lesion.lesion_id),
        cells=cells,
        registration_error=words.millimetres(lesion.registration_error_mm),
        margin_here=words.millimetres(None if margin is None else margin.min_mm),
        margin_rigid=words.millimetres(lesion.rigid_min_mm),
    )


def band(margin_mm: float | None) -> str:
    """Return the name of the band (below 0, 5, 10 mm, or beyond) that a margin falls in; "unknown" without one."""
    if margin_mm is None:
        return "unknown"
    return next((name for limit, name in _BANDS if margin_mm < limit), "from-10")


def _checks(assessment: Assessment) -> list[_CheckRow]:
    alignment = assessment.alignment
    found = [_check_row("case", check) for check in alignment.checks]
    for zone, checks in alignment.zone_checks.items():
        found += [_check_row(f"zone {zone}", check) for check in checks]
    return found


def _check_row(about: str, check: Check) -> _CheckRow:
    return _CheckRow(about, check_name(check), check_value(check), check_result(check), check.text)


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested values as (dotted name, text) pairs, in the given order."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{prefix}{name}.") if value else [(f"{prefix}{name}", "none")]
        elif isinstance(value, (list, tuple)):
            pairs.append((f"{prefix}{name}", ", ".join(str(part) for part in value) or "none"))
        else:
            pairs.append((f"{prefix}{name}", "not known" if value is None else str(value)))
    return pairs
