"""Verdicts in a reader's words. A verdict belongs to a source: nothing here says what to do."""

from __future__ import annotations

from planner import facts, findings
from planner.guideline.rule import Rule, Word
from planner.guideline.verdict import Side, Verdict

READS: dict[Word, str] = {
    "pass": "meets",
    "caution": "short of the preferred band",
    "fail": "outside this source's criterion",
    "info": "for information",
    "not_evaluable": "could not be judged",
    "not_applicable": "does not apply",
}
"""The six verdict words as a reader sees them."""

QUANTITIES = {
    findings.LIVER_ML.name: "liver volume",
    findings.MARGIN_MM.name: "minimal margin",
    findings.GEOMETRIC_MARGIN_MM.name: "geometric minimal margin",
    findings.TUMOUR_TO_DUCT_MM.name: "tumour to major bile duct",
    findings.ZONE_TO_DUCT_MM.name: "zone to major bile duct",
    findings.TUMOUR_TO_BOWEL_MM.name: "tumour to stomach or bowel",
    findings.ZONE_TO_BOWEL_MM.name: "zone to stomach or bowel",
    findings.ABLATED_PERCENT.name: "ablated share of the liver",
}
"""The registered quantities as a reader sees them."""

FACTS = {
    facts.PRIMARY.name: "primary tumour",
    facts.MODALITY.name: "ablation modality",
    facts.APPROACH.name: "approach",
    facts.DISPLACEMENT.name: "bowel displacement",
    facts.ONE_SESSION.name: "all zones in one session",
    facts.DAYS_SINCE_ABLATION.name: "days since the ablation",
    facts.ABLATION_DATE.name: "ablation date",
    facts.POST_SCAN_DATE.name: "date of the post-ablation scan",
}
"""The registered facts as a reader sees them."""


def reads(verdict: Verdict) -> str:
    """Return a verdict in words, with how likely each side is where it is borderline."""
    said = READS[verdict.word]
    if not verdict.borderline:
        return said
    return f"{said}; borderline: {'; '.join(side_words(side) for side in verdict.sides)}"


def side_words(side: Side) -> str:
    """Return how likely both sides of an edge are."""
    edge = f"{side.edge:g} {unit_words(side.unit)}{'' if side.from_source else ' (our line, not the source)'}"
    if side.p_below is None or side.p_above is None:
        return f"the interval reaches across {edge}"
    return f"{percent(side.p_below)} below and {percent(side.p_above)} above {edge}"


def why(verdict: Verdict) -> str:
    """Return what is missing and what else explains a verdict; empty where nothing does."""
    entered = (f"not entered: {', '.join(map(fact_words, verdict.missing))}",) if verdict.missing else ()
    return "; ".join((*entered, *(_plain(reason).rstrip(".") for reason in verdict.reasons)))


def _plain(reason: str) -> str:
    """Return a reason with the quantity that it begins with in words."""
    name, colon, rest = reason.partition(": ")
    return f"{quantity_words(name)}{colon}{rest}"


def attribution(rule: Rule) -> str:
    """Return whose a rule is: source, year and strength; an unsigned source is labelled so."""
    year = rule.source.citation.year
    return f"{_standing(rule)}{rule.source.label} ({'undated' if year is None else year}; {rule.strength})"


def cited(rule: Rule) -> str:
    """Return the citation of a rule's source, with the strength of the rule; an unsigned source is labelled so."""
    return f"{_standing(rule)}{rule.source.citation.text} ({rule.strength})"


def _standing(rule: Rule) -> str:
    return "unattributed: " if rule.source.status == "unattributed" else "unsigned: " if rule.source.unsigned else ""


def percent(share: float) -> str:
    """Return a probability in whole percent; never as certainty."""
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if share > 0.99 else f"{100.0 * share:.0f} %"


def quantity_words(name: str) -> str:
    """Return a registered quantity in words; what is none as it is."""
    return QUANTITIES.get(name, name)


def fact_words(name: str) -> str:
    """Return a registered fact in words; what is none as it is."""
    return FACTS.get(name, name)


def unit_words(unit: str) -> str:
    """Return a registered unit as printed."""
    return "%" if unit == "percent" else unit
