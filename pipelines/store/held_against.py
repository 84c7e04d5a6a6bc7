"""What relations and rules say of a case, as `result.json` holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.store.beside import beside_document, beside_reasons
from pipelines.store.numbers import number
from planner.assessment import Reason
from planner.evidence.beside import Beside
from planner.evidence.hazard import RelativeHazard
from planner.guideline.judge import Judged
from planner.guideline.unlock import Unlocking
from planner.guideline.verdict import Verdict

Json = Any

MOST_UNLOCKING = 3
"""Facts that are listed as those that would unlock most rules."""

NOT_ASKED = "no published relation was asked for"
NO_ENDS = "the margin has no interval"


def risk_document(risk: RelativeHazard, around: Beside | None) -> dict[str, Json]:
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
        **beside_document(around),
    }


def judged_documents(judged: Sequence[Judged], unlocking: Sequence[Unlocking]) -> dict[str, Json]:
    """Return what each rule says, which are not judged by this command, and the facts that would let most be judged."""
    return {
        "guidelines": [verdict_document(verdict) for one in judged if one.here for verdict in one.verdicts],
        "guidelines_elsewhere": [
            {"rule": one.rule.id, "reasons": list(one.case.reasons)} for one in judged if not one.here
        ],
        "unlocking_facts": [
            {"fact": one.fact, "rules": list(one.rules), "alone": list(one.alone)} for one in unlocking[:MOST_UNLOCKING]
        ],
    }


def risk_reasons(risk: RelativeHazard | None, around: Beside | None) -> Iterable[Reason]:
    """Yield why something of `ltp` is null."""
    if risk is None:
        yield Reason("ltp", "not-computed", NOT_ASKED)
        return
    if risk.relative_hazard is None:
        yield Reason("ltp", "not-computed", "; ".join(risk.notes))
    elif None in risk.interval:
        text = "its high end is not bounded: the margin may be negative" if risk.upper_bounded is False else NO_ENDS
        yield Reason("ltp.interval", "no-interval" if risk.upper_bounded is None else "not-bounded", text)
        if risk.upper_bounded is None:
            yield Reason("ltp.upper_bounded", "no-interval", NO_ENDS)
    yield from beside_reasons(around)


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
        "edges": [
            {
                "at": side.edge,
                "below": side.below,
                "above": side.above,
                "p_below": number(side.p_below),
                "p_above": number(side.p_above),
                "from_source": side.from_source,
            }
            for side in verdict.sides
        ],
        "source": rule.source.label,
        "year": rule.source.citation.year,
        "strength": rule.strength,
        "question": rule.question,
        "about": rule.about,
        "site_policy": rule.source.of_site,
        "overrides": rule.overrides or None,
        "superseded_by": list(rule.superseded_by),
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
        "notes": [NOT_ASKED],
        "source": None, "strength": None, **beside_document(None),
    }  # fmt: skip
