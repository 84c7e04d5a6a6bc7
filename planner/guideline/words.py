"""Verdicts in a reader's words. A verdict belongs to a source: nothing here says what to do."""

from __future__ import annotations

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
    entered = (f"not entered: {', '.join(verdict.missing)}",) if verdict.missing else ()
    return "; ".join((*entered, *(reason.rstrip(".") for reason in verdict.reasons)))


def attribution(rule: Rule) -> str:
    """Return whose a rule is: source, year and strength; an unsigned source is labelled so."""
    label = "unattributed: " if rule.source.status == "unattributed" else "unsigned: " if rule.source.unsigned else ""
    year = rule.source.citation.year
    return f"{label}{rule.source.label} ({'undated' if year is None else year}; {rule.strength})"


def percent(share: float) -> str:
    """Return a probability in whole percent; never as certainty."""
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if share > 0.99 else f"{100.0 * share:.0f} %"


def unit_words(unit: str) -> str:
    """Return a registered unit as printed."""
    return "%" if unit == "percent" else unit
