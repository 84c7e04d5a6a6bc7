"""Verdicts in a reader's words. A verdict belongs to a source: nothing here says what to do."""

from __future__ import annotations

from planner import facts, findings
from planner.guideline.entry import Entry
from planner.guideline.printed import unit_words
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
    findings.AXIAL_DIAMETER_MM.name: "longest axial diameter",
    findings.DIAMETER_MM.name: "longest diameter in 3D",
    findings.LESION_ML.name: "tumour volume",
    findings.ZONE_ML.name: "ablation zone volume",
    findings.TREATED.name: "treated",
    findings.COVERED.name: "tumour covered",
    findings.MARGIN_MM.name: "minimal margin",
    findings.GEOMETRIC_MARGIN_MM.name: "geometric minimal margin",
    findings.TUMOUR_TO_DUCT_MM.name: "tumour to major bile duct",
    findings.ZONE_TO_DUCT_MM.name: "zone to major bile duct",
    findings.TUMOUR_TO_BOWEL_MM.name: "tumour to stomach or bowel",
    findings.ZONE_TO_BOWEL_MM.name: "zone to stomach or bowel",
    findings.TUMOUR_TO_VULNERABLE_MM.name: "tumour to vulnerable organ",
    findings.ZONE_TO_VULNERABLE_MM.name: "zone to vulnerable organ",
    findings.TUMOUR_TO_VESSEL_MM.name: "tumour to vessel",
    findings.ZONE_TO_VESSEL_MM.name: "zone to vessel",
    findings.VESSEL_CALIBRE_MM.name: "calibre of the nearest vessel",
    findings.VESSEL_CONTACT_MM.name: "vessel in contact with the zone",
    findings.N_LESIONS.name: "tumours",
    findings.LARGEST_MM.name: "axial diameter of the largest tumour",
    findings.LARGEST_3D_MM.name: "longest diameter of all tumours in 3D",
    findings.SMALLEST_MM.name: "axial diameter of the smallest tumour",
    findings.N_TREATED.name: "tumours treated",
    findings.N_COVERED.name: "tumours covered",
    findings.N_VANISHED.name: "tumours vanished since the baseline",
    findings.BILOBAR.name: "tumours in both lobes",
    findings.RESIDUAL_MM.name: "largest uncovered part of a tumour",
    findings.LIVER_ML.name: "liver volume",
    findings.FUNCTIONING_ML.name: "functioning liver volume",
    findings.REMNANT_ML.name: "liver remnant",
    findings.REMNANT_PERCENT.name: "remnant, share of functioning liver",
    findings.REMNANT_OF_STANDARD_PERCENT.name: "remnant, share of standard volume",
    findings.VEINS_PRESERVED.name: "hepatic veins preserved",
    findings.INFLOW_PRESERVED.name: "inflows preserved",
    findings.PRE_AGE_DAYS.name: "PRE scan before the ablation",
    findings.POST_AGE_DAYS.name: "POST scan after the ablation",
    findings.PRE_IS_MR.name: "PRE is MR",
    findings.ABLATED_ML.name: "ablated volume",
    findings.ABLATED_PERCENT.name: "ablated share of the liver",
}
"""The registered quantities as a reader sees them."""

FACTS = {fact.name: fact.words for fact in facts.FACTS.values()}
"""The registered facts as a reader sees them."""


def reads(verdict: Verdict) -> str:
    """Return a verdict in words, with how likely each side is where it is borderline."""
    name = "" if verdict.deciding is None else verdict.deciding.quantity.name
    doubts = [side_words(side, name) for side in verdict.sides]
    if verdict.in_3d is not None and verdict.in_3d.value is not None:
        longest = f"by the longest diameter in 3D, {verdict.in_3d.value:.1f} {unit_words(verdict.in_3d.unit)}"
        doubts.append(f"{longest}: {READS[verdict.in_3d.word]}")
    return f"{READS[verdict.word]}; borderline: {'; '.join(doubts)}" if doubts else READS[verdict.word]


def side_words(side: Side, quantity: str = "") -> str:
    """Return how likely both sides of an edge are; of a distance's contact, in words."""
    edge = f"{side.edge:g} {unit_words(side.unit)}{'' if side.from_source else ' (our line, not the source)'}"
    if side.p_below is None or side.p_above is None:
        return f"the interval reaches across {edge}"
    if quantity.startswith("dist.") and side.edge == 0.0:
        ours = "" if side.from_source else "; that contact decides is our line, not the source"
        return f"{percent(side.p_below)} that they overlap, {_rest(side.p_below)} that they lie apart{ours}"
    return f"{percent(side.p_below)} below and {_rest(side.p_below)} above {edge}"


def why(verdict: Verdict) -> str:
    """Return what is missing and what else explains a verdict; empty where nothing does."""
    entered = (f"not entered: {', '.join(map(fact_words, verdict.missing))}",) if verdict.missing else ()
    return "; ".join((*entered, *(_plain(reason).rstrip(".") for reason in verdict.reasons)))


def _plain(reason: str) -> str:
    """Return a reason with the quantity that it begins with in words."""
    name, colon, rest = reason.partition(": ")
    return f"{quantity_words(name)}{colon}{rest}"


def attribution(rule: Rule | Entry) -> str:
    """Return whose a rule is: source, year and strength; an unsigned source is labelled so."""
    year = rule.source.citation.year
    return f"{_standing(rule)}{rule.source.label} ({'undated' if year is None else year}; {rule.strength})"


def cited(rule: Rule | Entry) -> str:
    """Return the citation of a rule's source, with the strength of the rule; an unsigned source is labelled so."""
    return f"{_standing(rule)}{rule.source.citation.text} ({rule.strength})"


def _standing(rule: Rule | Entry) -> str:
    if rule.source.of_site:
        return "site policy: "
    return "unattributed: " if rule.source.status == "unattributed" else "unsigned: " if rule.source.unsigned else ""


def _rest(share: float) -> str:
    """Return the probability of the other side, so that both printed ones make a hundred."""
    if share < 0.01 or share > 0.99:
        return percent(1.0 - share)
    return f"{100 - round(100.0 * share)} %"


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
