"""What relations and rules say of a case, as `result.json` holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.store.numbers import number
from planner.evidence.hazard import RelativeHazard
from planner.guideline.judge import Judged
from planner.guideline.unlock import Unlocking
from planner.guideline.verdict import Verdict

Json = Any

MOST_UNLOCKING = 3
"""Facts that are listed as those that would unlock most rules."""


def risk_document(risk: RelativeHazard) -> dict[str, Json]:
    """Return the `ltp` of a lesion."""
    population = risk.population
    return {
        "model": risk.model,
        "relative_hazard": number(risk.relative_hazard),
        "reference_mm": risk.reference_mm,
        "interval": [number(end) for end in risk.interval],
        "upper_bounded": risk.upper_bounded,
        "margin_in_range": risk.margin_in_range,
        "population": {
            "primary": population.primary,
            "modality": population.modality,
            "scan_days": population.scan_days,
            "method": population.method,
        },
        "notes": list(risk.notes),
        "source": risk.source.text,
        "strength": risk.strength,
    }


def judged_documents(judged: Sequence[Judged], unlocking: Sequence[Unlocking]) -> dict[str, Json]:
    """Return `guidelines` and `unlocking_facts`: what each rule says, and the facts that would let most be judged."""
    return {
        "guidelines": [verdict_document(verdict) for one in judged for verdict in one.verdicts],
        "unlocking_facts": [
            {"fact": one.fact, "rules": list(one.rules), "alone": list(one.alone)} for one in unlocking[:MOST_UNLOCKING]
        ],
    }


def verdict_document(verdict: Verdict) -> dict[str, Json]:
    """Return an entry of `guidelines`."""
    rule = verdict.rule
    return {
        "rule": rule.id,
        "lesion_id": verdict.lesion_id,
        "verdict": verdict.word,
        "borderline": verdict.borderline,
        "value": number(verdict.value),
        "unit": verdict.unit,
        "source": rule.source.label,
        "year": rule.source.citation.year,
        "strength": rule.strength,
        "missing": list(verdict.missing),
        "reasons": list(verdict.reasons),
        "geometric_verdict": None if verdict.geometric is None else verdict.geometric.word,
        "in_3d_verdict": None if verdict.in_3d is None else verdict.in_3d.word,
    }


def no_risk_document() -> dict[str, Json]:
    """Return the `ltp` of a lesion that was held against no relation."""
    return {
        "model": None, "relative_hazard": None, "reference_mm": None, "interval": [None, None], "upper_bounded": None,
        "margin_in_range": None,
        "population": {"primary": None, "modality": None, "scan_days": None, "method": None},
        "notes": ["no published relation was asked for"],
        "source": None, "strength": None,
    }  # fmt: skip
