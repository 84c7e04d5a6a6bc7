"""Hold an assessment's numbers against published relations and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from planner.assessment import Assessment, LesionAssessment
from planner.evidence.baseline import Baseline
from planner.evidence.beside import beside
from planner.evidence.comparison import Comparison
from planner.evidence.hazard import Hazard
from planner.evidence.population import Setting
from planner.evidence.standard_volume import StandardVolume
from planner.facts import (
    ABLATION_DATE,
    DAYS_SINCE_ABLATION,
    FACTS,
    POST_SCAN_DATE,
    checked_facts,
    scan_days,
    setting_of,
)
from planner.findings import MARGIN_MM, REMNANT_ML, REMNANT_OF_STANDARD_PERCENT, Finding
from planner.guideline.catalogue import Conflict
from planner.guideline.entry import Advisory, Reference, shown_beside
from planner.guideline.judge import judge_case
from planner.guideline.measured import Measured
from planner.guideline.phases import Command
from planner.guideline.rule import Rule
from planner.guideline.unlock import unlocking_facts
from planner.inventory import lesion_findings
from planner.remnant import beside_resection, remnant_of_standard
from planner.timing import with_days


@dataclass(frozen=True, slots=True)
class Evidence:
    """What numbers are held against: relations (the first is the default), rules, and what stands beside a relation.

    `shown` are published numbers and advice, of which the relevant ones are shown; `conflicts` tells by id where
    sources disagree. `baseline` is the cohort that the user named; without one there is no absolute rate.
    `standard_volume` is the formula that takes a body surface area.
    """

    hazards: tuple[Hazard, ...] = ()
    rules: tuple[Rule, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    baseline: Baseline | None = None
    standard_volume: StandardVolume | None = None
    shown: tuple[Reference | Advisory, ...] = ()
    conflicts: Mapping[str, Conflict] = field(default_factory=dict)


NO_CHANCES: Mapping[str, Mapping[float, float]] = MappingProxyType({})
"""No plan was tried."""

_SCAN_DATES = (ABLATION_DATE.name, POST_SCAN_DATE.name)

DATE_ALONE = "entered, without the other date"
"""Stands for a date that gives no days: dates themselves are not kept."""

NO_ABLATION_DATE = "entered, without the date of the ablation"
"""Stands for any other date where nothing tells how far it lies from the ablation."""


def consulted(
    assessment: Assessment,
    facts: Mapping[str, object],
    evidence: Evidence,
    command: Command = "review",
    chances: Mapping[str, Mapping[float, float]] = NO_CHANCES,
) -> Assessment:
    """Return the assessment with each lesion's relative hazard, each rule's verdicts, and the facts they rest on.

    Parameters
    ----------
    assessment
        What was measured.
    facts
        As entered; one that is left out is unknown. Days since the ablation that were not entered are those of the
        assessment's timing.
    evidence
        Relations and rules.
    command
        Which judges: a review, or a plan.
    chances
        Of a plan, by lesion: how likely the margin is at least the key, mm, when the plan is carried out; they take the
        place of those that the contours alone give.

    Raises
    ------
    InputError
        A fact is malformed.
    """
    known = with_days(facts, assessment.timing)
    setting = setting_of(known)
    lesions = tuple(_with_risk(lesion, evidence, setting) for lesion in assessment.lesions)
    measured = {lesion.lesion_id: _of_lesion(lesion, chances.get(lesion.lesion_id)) for lesion in lesions}
    findings = _with_standard(beside_resection(assessment.findings, known), known, evidence.standard_volume)
    case = {f.quantity.name: _of_finding(f) for f in findings if f.lesion_id is None}
    judged = judge_case(evidence.rules, measured, case, known, command)
    unlocking = unlocking_facts([one.rule for one in judged if one.here], measured, case, known)
    shown = shown_beside(evidence.shown, measured, case, known, command)
    return replace(
        assessment, lesions=lesions, findings=findings, judged=judged, facts=facts_kept(facts), unlocking=unlocking,
        shown=shown, conflicts=evidence.conflicts,
    )  # fmt: skip


def facts_kept(facts: Mapping[str, object]) -> Mapping[str, object]:
    """Return every registered fact as entered, None where it was not, without dates.

    The ablation's and the POST scan's are kept as the days between them; any other that was entered as how many days
    it lies from the ablation, in words.

    Raises
    ------
    InputError
        A fact is malformed, or the days contradict the dates.
    """
    known = checked_facts(facts)
    days = scan_days(known)
    kept: dict[str, object] = {name: known.get(name) for name in FACTS if name not in _SCAN_DATES}
    kept[DAYS_SINCE_ABLATION.name] = days
    if days is None:
        kept |= {name: DATE_ALONE for name in _SCAN_DATES if name in known}
    ablated_on = known.get(ABLATION_DATE.name)
    kept |= {name: _from_ablation(day, ablated_on) for name, day in kept.items() if isinstance(day, date)}
    return MappingProxyType(kept)


def _from_ablation(day: date, ablated_on: object) -> str:
    """Return where a day lies from the ablation, in words without a date."""
    if not isinstance(ablated_on, date):
        return NO_ABLATION_DATE
    days = (day - ablated_on).days
    if days == 0:
        return "on the day of the ablation"
    return f"{abs(days)} day{'s' * (abs(days) != 1)} {'before' if days < 0 else 'after'} the ablation"


def _with_standard(
    findings: tuple[Finding, ...], facts: Mapping[str, object], formula: StandardVolume | None
) -> tuple[Finding, ...]:
    """Return the findings with the remnant's share of the standard volume, which rests on facts."""
    remnant = next((f for f in findings if f.quantity is REMNANT_ML), None)
    if remnant is None:
        return findings
    of_standard = remnant_of_standard(remnant, facts, formula)
    return tuple(of_standard if f.quantity is REMNANT_OF_STANDARD_PERCENT else f for f in findings)


def _with_risk(lesion: LesionAssessment, evidence: Evidence, setting: Setting) -> LesionAssessment:
    if not evidence.hazards:
        return lesion
    hazard = evidence.hazards[0]
    margin = lesion.margin
    interval = None if margin is None or margin.interval is None else margin.interval
    ends = None if interval is None else (interval.low_mm, interval.high_mm)
    least = None if margin is None else margin.min_mm
    risk = hazard.at(least, ends, setting)
    around = beside(
        hazard, risk, evidence.comparisons, evidence.baseline, setting,
        margin_mm=least, ci95_mm=ends, diameter_mm=lesion.max_axial_diameter_mm,
    )  # fmt: skip
    return replace(lesion, risk=risk, beside=around)


def _of_lesion(lesion: LesionAssessment, chances: Mapping[float, float] | None) -> dict[str, Measured]:
    """Return a lesion's findings as rules take them."""
    found = {finding.quantity.name: _of_finding(finding) for finding in lesion_findings(lesion)}
    interval = None if lesion.margin is None else lesion.margin.interval
    known = found[MARGIN_MM.name]
    if known.value is not None and chances is not None:
        return found | {MARGIN_MM.name: Measured(known.value, known.unit, known.ci95, chances, tried=True)}
    if known.value is None or interval is None:
        return found
    return found | {MARGIN_MM.name: Measured(known.value, known.unit, known.ci95, interval.p_at_least)}


def _of_finding(finding: Finding) -> Measured:
    return Measured(
        finding.value, finding.quantity.unit, finding.ci95, {}, finding.reason, finding.bound, finding.applies
    )
