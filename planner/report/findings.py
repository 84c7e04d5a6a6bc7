"""The tables of findings: each quantity with its value, its doubt and what it means, or why it is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.findings import YES_NO, Finding
from planner.guideline.printed import unit_words
from planner.guideline.words import quantity_words
from planner.report import words

BOUNDS = {"exact": "", "at_most": "at most ", "at_least": "at least "}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as printed."""

    name: str
    value: str
    text: str


def finding_rows(findings: Sequence[Finding], lesion_id: str | None = None) -> tuple[FindingRow, ...]:
    """Return the findings of a lesion, or with None those of patient and session."""
    return tuple(_row(finding) for finding in findings if finding.lesion_id == lesion_id)


def _row(finding: Finding) -> FindingRow:
    quantity = finding.quantity
    name = quantity_words(quantity.name)
    if finding.lesion_id is None:
        name = f"{name} ({quantity.scope})"
    if finding.value is None:
        return FindingRow(
            name, words.UNKNOWN, f"{quantity.definition} Not known: {finding.reason or 'no reason given'}"
        )
    bound = BOUNDS[finding.bound].strip().capitalize()
    why = "" if finding.reason is None else f" {bound}: {finding.reason}" if bound else f" Here {finding.reason}."
    return FindingRow(name, _value(finding), f"{quantity.definition}{why}")


def _value(finding: Finding) -> str:
    value, quantity = finding.value, finding.quantity
    if quantity.unit == YES_NO:
        return "yes" if value else "no"
    interval = "" if finding.ci95 is None else f" ({finding.ci95[0]:.3g} to {finding.ci95[1]:.3g})"
    unit = "" if quantity.unit in ("lesions", "count") else unit_words(quantity.unit)
    return f"{BOUNDS[finding.bound]}{value:.4g}{interval} {unit}".strip()
