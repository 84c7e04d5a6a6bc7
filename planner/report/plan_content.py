"""What the report of a plan says, before it is a page: the same words for the HTML page and the PDF."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from planner.assessment import Distance, LesionAssessment
from planner.findings import Finding
from planner.plan.course import Course
from planner.plan.plan import Plan, PlannedLesion
from planner.report import plan_text, words
from planner.report.content import flat
from planner.report.criteria import Criteria, criteria
from planner.report.figure import Figure
from planner.report.findings import FindingRow, finding_rows
from planner.report.held_against import fact_rows, other_facts, references
from planner.report.needle_text import NeedleText, needle_text
from planner.report.passages import passage_sentences
from planner.report.surroundings import DistanceTable, distance_table
from planner.report.timing import date_sentences

SLICE_HEADS = ("Slice", "At", "Target, cm²", "In no zone, cm²", "Covered, %")


@dataclass(frozen=True, slots=True)
class PlannedContent:
    """What a report says of one lesion of a plan; `slices` holds a row of cells for each slice through its target."""

    lesion_id: str
    reading: str
    sentences: tuple[str, ...]
    distances: DistanceTable
    figures: tuple[Figure, ...]
    slices: tuple[tuple[str, ...], ...]
    findings: tuple[FindingRow, ...]


@dataclass(frozen=True, slots=True)
class PlanContent:
    """What a report says of a plan, in words: nothing in it is still to be computed or rounded.

    `identities` are study, name, id and birth date of the patient, only where they are to be shown.
    """

    case_id: str
    cautions: tuple[str, ...]
    identities: tuple[tuple[str, ...], ...]
    scanned: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[plan_text.PlanRow, ...]
    spread: str
    lesions: tuple[PlannedContent, ...]
    needles: tuple[NeedleText, ...]
    criteria: Criteria | None
    facts: tuple[tuple[str, str], ...]
    other_facts: tuple[str, ...]
    baseline: tuple[str, ...]
    findings: tuple[FindingRow, ...]
    passages: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    timings: tuple[tuple[str, str], ...]
    total: str


def plan_content(
    plan: Plan,
    figures: Iterable[Figure],
    provenance: Mapping[str, object],
    timings_s: Mapping[str, float],
    *,
    identities: Mapping[str, Sequence[str]] = MappingProxyType({}),
    scan_dates: Mapping[str, date] = MappingProxyType({}),
) -> PlanContent:
    """Return what the report of a plan says.

    Parameters
    ----------
    plan
        The plan, held against rules.
    figures
        Pictures of its lesions.
    provenance, timings_s
        How it came about, and how long each step took, s.
    identities
        Name, id and birth date of the patient by study, where they are to be shown.
    scan_dates
        When the study was scanned.
    """
    assessment, drawn = plan.assessment, tuple(figures)
    courses = dict(zip((needle.zone_id for needle in plan.needles), plan.courses, strict=True))
    pairs = zip(plan.lesions, assessment.lesions, strict=True)
    return PlanContent(
        case_id=assessment.case_id,
        cautions=tuple(caution.text for caution in assessment.cautions),
        identities=tuple((study.upper(), *who) for study, who in identities.items()),
        scanned=tuple(date_sentences(scan_dates)),
        heads=plan_text.plan_heads(plan),
        rows=plan_text.plan_rows(plan),
        spread=plan_text.spread_sentence(plan.spread),
        lesions=tuple(_lesion(*pair, courses, drawn, assessment.findings) for pair in pairs),
        needles=tuple(needle_text(*pair) for pair in zip(plan.needles, plan.courses, strict=True)),
        criteria=criteria(assessment),
        facts=fact_rows(assessment),
        other_facts=other_facts(assessment),
        baseline=(),
        findings=finding_rows(assessment.findings),
        passages=tuple(passage_sentences(assessment.passages)),
        references=references(assessment),
        notes=assessment.notes,
        provenance=tuple(flat(provenance)),
        timings=tuple((step, f"{took:.1f}") for step, took in sorted(timings_s.items(), key=lambda item: -item[1])),
        total=f"{sum(timings_s.values()):.1f}",
    )


def _lesion(
    lesion: PlannedLesion,
    measured: LesionAssessment,
    courses: Mapping[str, Course],
    figures: Sequence[Figure],
    findings: Sequence[Finding],
) -> PlannedContent:
    shafts = [one for needle in lesion.needles for one in courses[needle.zone_id].distances]
    shafts.sort(key=_farthest_first)  # of several needles the nearest is kept
    return PlannedContent(
        lesion_id=lesion.lesion_id,
        reading=plan_text.planned_reading(lesion, measured),
        sentences=plan_text.lesion_sentences(lesion, measured),
        distances=distance_table((*measured.distances, *shafts)),
        figures=tuple(figure for figure in figures if figure.lesion_id == lesion.lesion_id),
        slices=tuple(_slice_rows(lesion)),
        findings=finding_rows(findings, lesion.lesion_id),
    )


def _slice_rows(lesion: PlannedLesion) -> Iterator[tuple[str, ...]]:
    axis = lesion.slices.axis
    for one in sorted(lesion.slices.all, key=lambda found: -found.at_mm):
        areas = (f"{area / 100.0:.2f}" for area in (one.target_mm2, one.uncovered_mm2))
        yield str(one.index), f"{words.coordinate(one.at_mm, axis)} mm", *areas, words.percent(one.covered_share)


def _farthest_first(distance: Distance) -> float:
    return math.inf if distance.mm is None else -distance.mm
