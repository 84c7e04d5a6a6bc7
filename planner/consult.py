"""Hold an assessment's numbers against published relations and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from planner.assessment import Assessment, LesionAssessment
from planner.evidence.hazard import Hazard, Setting
from planner.facts import DAYS_SINCE_ABLATION, FACTS, checked_facts, scan_days, setting_of
from planner.findings import (
    ABLATED_PERCENT,
    GEOMETRIC_MARGIN_MM,
    MARGIN_MM,
    TUMOUR_TO_BOWEL_MM,
    TUMOUR_TO_DUCT_MM,
    ZONE_TO_BOWEL_MM,
    ZONE_TO_DUCT_MM,
    Quantity,
)
from planner.guideline.judge import judge_case
from planner.guideline.measured import Measured
from planner.guideline.rule import Rule
from planner.surroundings import duct_and_bowel
from planner.timing import with_days


@dataclass(frozen=True, slots=True)
class Evidence:
    """What numbers are held against: relations (the first is the default) and rules."""

    hazards: tuple[Hazard, ...] = ()
    rules: tuple[Rule, ...] = ()


DATE_ALONE = "entered, without the other date"
"""Stands for a date that gives no days: dates themselves are not kept."""


def consulted(assessment: Assessment, facts: Mapping[str, object], evidence: Evidence) -> Assessment:
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

    Raises
    ------
    InputError
        A fact is malformed.
    """
    known = with_days(facts, assessment.timing)
    setting = setting_of(known)
    lesions = tuple(_with_risk(lesion, evidence.hazards, setting) for lesion in assessment.lesions)
    measured = {lesion.lesion_id: _of_lesion(lesion) for lesion in lesions}
    judged = judge_case(evidence.rules, measured, _of_case(assessment), known)
    return replace(assessment, lesions=lesions, judged=judged, facts=facts_kept(facts))


def facts_kept(facts: Mapping[str, object]) -> Mapping[str, object]:
    """Return every registered fact as entered, None where it was not; two dates are kept as the days between them.

    Raises
    ------
    InputError
        A fact is malformed, or the days contradict the dates.
    """
    known = checked_facts(facts)
    days = scan_days(known)
    kept: dict[str, object] = {name: known.get(name) for name, fact in FACTS.items() if fact.kind != "date"}
    kept[DAYS_SINCE_ABLATION.name] = days
    if days is None:
        kept |= {name: DATE_ALONE for name in known if FACTS[name].kind == "date"}
    return MappingProxyType(kept)


def _with_risk(lesion: LesionAssessment, hazards: Sequence[Hazard], setting: Setting) -> LesionAssessment:
    if not hazards:
        return lesion
    margin = lesion.margin
    interval = None if margin is None or margin.interval is None else margin.interval
    ends = None if interval is None else (interval.low_mm, interval.high_mm)
    return replace(lesion, risk=hazards[0].at(None if margin is None else margin.min_mm, ends, setting))


def _of_lesion(lesion: LesionAssessment) -> dict[str, Measured]:
    to_duct, to_bowel = duct_and_bowel(lesion.distances, "tumour")
    zone_to_duct, zone_to_bowel = duct_and_bowel(lesion.distances, "ablation")
    return {
        MARGIN_MM.name: _margin(lesion),
        GEOMETRIC_MARGIN_MM.name: _geometric(lesion),
        TUMOUR_TO_DUCT_MM.name: to_duct,
        TUMOUR_TO_BOWEL_MM.name: to_bowel,
        ZONE_TO_DUCT_MM.name: zone_to_duct,
        ZONE_TO_BOWEL_MM.name: zone_to_bowel,
    }


def _margin(lesion: LesionAssessment) -> Measured:
    margin = lesion.margin
    if margin is None or margin.min_mm is None:
        return Measured(None, MARGIN_MM.unit, reason=_why(lesion))
    interval = margin.interval
    if interval is None:
        return Measured(margin.min_mm, MARGIN_MM.unit)
    return Measured(margin.min_mm, MARGIN_MM.unit, (interval.low_mm, interval.high_mm), interval.p_at_least)


def _geometric(lesion: LesionAssessment) -> Measured:
    if lesion.margin is None:
        return Measured(None, GEOMETRIC_MARGIN_MM.unit, reason=_why(lesion))
    return Measured(lesion.margin.geometric_min_mm, GEOMETRIC_MARGIN_MM.unit)


def _why(lesion: LesionAssessment) -> str:
    if lesion.margin is not None and lesion.margin.reason:
        return lesion.margin.reason
    texts = [reason.text for reason in lesion.reasons if reason.field in (None, "margin")]
    return "; ".join(texts) or "the margin was not measured"


def _of_case(assessment: Assessment) -> dict[str, Measured]:
    found = {finding.quantity: finding for finding in assessment.findings}
    return {quantity.name: _of_finding(quantity, assessment) for quantity in (ABLATED_PERCENT,) if quantity in found}


def _of_finding(quantity: Quantity, assessment: Assessment) -> Measured:
    finding = next(f for f in assessment.findings if f.quantity == quantity)
    return Measured(finding.value, quantity.unit, finding.ci95, reason=finding.reason)
