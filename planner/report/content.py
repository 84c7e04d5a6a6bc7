"""What a report says, before it is a page: the same words for the HTML page and the PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from planner.assessment import Assessment, LesionAssessment
from planner.register.alignment import Check
from planner.report import doubt, words
from planner.report.answer import (
    GATES,
    HEADS,
    AnswerRow,
    Head,
    answer_rows,
    assumed_sentence,
    band,
    gate_of,
    least_first,
    min_mm,
)
from planner.report.checks import check_name, check_result, check_value
from planner.report.criteria import Criteria, criteria
from planner.report.figure import Figure
from planner.report.findings import FindingRow, finding_rows
from planner.report.held_against import fact_rows, other_facts, references, risk_sentences
from planner.report.impression import impression
from planner.report.outcome import outcome_sentences
from planner.report.passages import passage_sentences
from planner.report.progression import Progression, progression
from planner.report.registered import registration_sentences
from planner.report.risk import BesideSection, beside_references, beside_section
from planner.report.sensitivity import SensitivityRow, sensitivity_rows, tissue_sentences
from planner.report.surroundings import DistanceTable, distance_table
from planner.report.table import Column, columns, reason_sentences, rows
from planner.report.timing import date_sentences, timing_sentences
from planner.report.vanished import baseline_sentences

_OF_REGISTRATION = ("checkerboard", "edges", "displacement")
"""Kinds of figures that show the registration, not the margin."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of the registration: of the case or a zone, in words."""

    about: str
    name: str
    value: str
    result: str
    text: str


@dataclass(frozen=True, slots=True)
class LesionContent:
    """What a report says of one lesion, in the order of reading."""

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
    strip: Figure | None
    figures: tuple[Figure, ...]
    registration_figures: tuple[Figure, ...]
    registration_gate: str
    registration_said: tuple[str, ...]
    cells: tuple[str, ...]
    registration_error: str
    findings: tuple[FindingRow, ...]
    planned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a report says of a case, in words: nothing in it is still to be computed or rounded.

    Lesions stand in the order of their margins, the least first, those without one last.

    `identities` are study, name, id and birth date of the patients, only where they are to be shown. `columns` are the
    heads of the margin table, whose cells each lesion holds; `heads` and `answer` the short table that comes first.
    """

    case_id: str
    status: str
    cautions: tuple[str, ...]
    identities: tuple[tuple[str, ...], ...]
    impression: tuple[str, ...]
    assumed: str
    heads: tuple[Head, ...]
    answer: tuple[AnswerRow, ...]
    columns: tuple[Column, ...]
    lesions: tuple[LesionContent, ...]
    reasons: tuple[str, ...]
    scanned: tuple[str, ...]
    timing: tuple[str, ...]
    alignment: str
    liver: str
    checks: tuple[CheckRow, ...]
    figures: tuple[Figure, ...]
    baseline: tuple[str, ...]
    findings: tuple[FindingRow, ...]
    passages: tuple[str, ...]
    criteria: Criteria | None
    progression: Progression | None
    facts: tuple[tuple[str, str], ...]
    other_facts: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    timings: tuple[tuple[str, str], ...]
    total: str


def report_content(
    assessment: Assessment,
    figures: Iterable[Figure],
    provenance: Mapping[str, object],
    timings_s: Mapping[str, float],
    *,
    notes: Sequence[str] = (),
    identities: Mapping[str, Sequence[str]] = MappingProxyType({}),
    scan_dates: Mapping[str, date] = MappingProxyType({}),
) -> Content:
    """Return what a report says.

    Parameters
    ----------
    assessment
        What was found.
    figures
        Pictures of the case and its lesions; a lesion's own go with it.
    provenance, timings_s
        How the result came about, and how long each step took, s.
    notes
        Sentences about the input: what was tolerated, absent or decided while reading.
    identities
        Name, id and birth date of the patient by study, where they are to be shown.
    scan_dates
        When the studies were scanned: the report is the only place that shows it.
    """
    drawn = tuple(figures)
    return Content(
        case_id=assessment.case_id,
        status="" if assessment.status == "assessed" else f" Case status: {words.STATUS[assessment.status]}.",
        cautions=tuple(caution.text for caution in assessment.cautions),
        identities=tuple((study.upper(), *who) for study, who in identities.items()),
        impression=impression(assessment),
        assumed=assumed_sentence(assessment),
        heads=HEADS,
        answer=answer_rows(assessment),
        columns=columns(),
        lesions=tuple(_lesions(assessment, drawn)),
        reasons=tuple(reason_sentences(assessment)),
        scanned=tuple(date_sentences(scan_dates)),
        timing=tuple(timing_sentences(assessment.timing)),
        alignment=words.alignment_sentence(assessment.alignment),
        liver=words.LIVER[assessment.liver_used],
        checks=tuple(_checks(assessment)),
        figures=tuple(figure for figure in drawn if figure.lesion_id is None),
        baseline=tuple(baseline_sentences(assessment.since_baseline)),
        findings=tuple(finding_rows(assessment.findings)),
        passages=tuple(passage_sentences(assessment.passages)),
        criteria=criteria(assessment),
        progression=progression(assessment),
        facts=fact_rows(assessment),
        other_facts=other_facts(assessment),
        references=(*references(assessment), *beside_references(assessment)),
        notes=(*notes, *assessment.notes),
        provenance=tuple(flat(provenance)),
        timings=tuple((step, f"{took:.1f}") for step, took in sorted(timings_s.items(), key=lambda item: -item[1])),
        total=f"{sum(timings_s.values()):.1f}",
    )  # fmt: skip


def _lesions(assessment: Assessment, figures: Sequence[Figure]) -> Iterator[LesionContent]:
    found = zip(assessment.lesions, rows(assessment), strict=True)
    for lesion, cells in sorted(found, key=lambda pair: least_first(pair[0])):
        of_lesion = tuple(figure for figure in figures if figure.lesion_id == lesion.lesion_id)
        yield _lesion(lesion, cells, of_lesion, assessment)


def _lesion(
    lesion: LesionAssessment, cells: tuple[str, ...], figures: tuple[Figure, ...], assessment: Assessment
) -> LesionContent:
    margin = lesion.margin
    return LesionContent(
        lesion_id=lesion.lesion_id,
        status=words.STATUS[lesion.status],
        reading=words.reading(lesion),
        band=band(min_mm(lesion)),
        sentences=(*words.margin_sentences(lesion), *words.coverage_sentences(lesion), *words.size_sentences(lesion)),
        interval=() if margin is None or margin.min_mm is None else doubt.interval_sentences(margin.interval),
        flags=() if margin is None else tuple(words.flag_sentence(flag) for flag in margin.flags),
        risk=risk_sentences(lesion),
        beside=beside_section(lesion),
        tissue=tuple(tissue_sentences(lesion, assessment.days_since_ablation)),
        sensitivity=tuple(sensitivity_rows(lesion)),
        distances=distance_table(lesion.distances),
        strip=next((figure for figure in figures if _kind(figure) == "strip"), None),
        figures=tuple(f for f in figures if _kind(f) not in ("strip", *_OF_REGISTRATION)),
        registration_figures=tuple(f for f in figures if _kind(f) in _OF_REGISTRATION),
        registration_gate=GATES[gate_of(lesion, assessment.alignment)],
        registration_said=registration_sentences(lesion, assessment.alignment),
        cells=cells,
        registration_error=words.millimetres(lesion.registration_error_mm),
        findings=tuple(finding_rows(assessment.findings, lesion.lesion_id)),
        planned=outcome_sentences(lesion),
    )


def _kind(figure: Figure) -> str:
    return figure.name.rpartition("_")[2]


def _checks(assessment: Assessment) -> Iterator[CheckRow]:
    alignment = assessment.alignment
    for check in alignment.checks:
        yield _check_row("case", check)
    for zone, checks in alignment.zone_checks.items():
        for check in checks:
            yield _check_row(f"zone {zone}", check)


def _check_row(about: str, check: Check) -> CheckRow:
    return CheckRow(about, check_name(check), check_value(check), check_result(check), check.text)


def flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested values as (dotted name, text) pairs, in the given order."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            pairs += flat(value, f"{prefix}{name}.") if value else [(f"{prefix}{name}", "none")]
        elif isinstance(value, (list, tuple)):
            pairs.append((f"{prefix}{name}", ", ".join(str(part) for part in value) or "none"))
        else:
            pairs.append((f"{prefix}{name}", "not known" if value is None else str(value)))
    return pairs
