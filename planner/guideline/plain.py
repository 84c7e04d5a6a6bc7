"""Rules and relations as plain values, for JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from planner.evidence.baseline import Baseline
from planner.evidence.comparison import Comparison
from planner.evidence.hazard import Hazard
from planner.facts import Fact, Topic
from planner.guideline.catalogue import Catalogue, Conflict
from planner.guideline.rule import Branch, Edge, Example, Part, Rule, Scale

Plain = Any


def rule_document(rule: Rule, catalogue: Catalogue) -> dict[str, Plain]:
    """Return a rule with its source, bands, examples and the rules that share a conflict with it."""
    return {
        "id": rule.id, "title": rule.title, "statement": rule.statement,
        "source": {"key": rule.source.key, "label": rule.source.label, **asdict(rule.source.citation),
                   "kind": rule.source.kind, "status": rule.source.status,
                   "scheme": rule.source.scheme, "unsigned": rule.source.unsigned},
        "strength": rule.strength, "strength_stated": rule.strength_stated,
        "phase": list(rule.phase), "about": rule.about, "primary": list(rule.primary),
        "treatment": rule.treatment, "per": rule.per, "measured": list(rule.measured), "entered": list(rule.entered),
        "parts": [_part(part) for part in rule.parts],
        "exceptions": rule.exceptions, "note": rule.note,
        "conflicts": [_conflict(catalogue.conflicts[name]) for name in rule.conflicts],
        "see": [other.id for other in catalogue.disputing(rule)],
        "examples": [_example(example) for example in rule.examples],
    }  # fmt: skip


def fact_document(fact: Fact, topic: Topic) -> dict[str, Plain]:
    """Return a fact with its topic."""
    return {
        "name": fact.name, "topic": topic, "kind": fact.kind, "words": fact.words, "expected": fact.expected,
        "choices": list(fact.choices), "unit": fact.unit or None, "definition": fact.definition,
    }  # fmt: skip


def hazard_document(hazard: Hazard) -> dict[str, Plain]:
    """Return a relation."""
    return asdict(hazard)


def comparison_document(comparison: Comparison) -> dict[str, Plain]:
    """Return a figure that stands beside a relation."""
    return asdict(comparison) | {"published": comparison.form.words, "reference": comparison.form.reference}


def baseline_document(baseline: Baseline) -> dict[str, Plain]:
    """Return a baseline cohort."""
    return asdict(baseline)


def _conflict(conflict: Conflict) -> dict[str, Plain]:
    return {"id": conflict.id, "title": conflict.title, "positions": conflict.positions}


def _part(part: Part) -> dict[str, Plain]:
    quantity = part.quantity
    return {
        "kind": part.kind, "facts": list(part.needs),
        "quantity": quantity.name, "unit": quantity.unit, "definition": quantity.definition,
        "branches": [_branch(branch) for branch in part.branches],
    }  # fmt: skip


def _branch(branch: Branch) -> dict[str, Plain]:
    when = {name: sorted(values, key=str) for name, values in branch.when.items()}
    return {"when": when, "bands": _bands(branch.scale), "needs_value": branch.needs_value, "note": branch.note}


def _bands(scale: Scale) -> list[dict[str, Plain]]:
    lows = [None, *scale.edges]
    highs = [*scale.edges, None]
    return [
        {"verdict": verdict, **_low(low), **_high(high)}
        for verdict, low, high in zip(scale.verdicts, lows, highs, strict=True)
    ]


def _low(edge: Edge | None) -> dict[str, Plain]:
    if edge is None:
        return {}
    return {"ge" if edge.belongs == "above" else "gt": edge.at, "low_from_source": edge.from_source}


def _high(edge: Edge | None) -> dict[str, Plain]:
    if edge is None:
        return {}
    return {"le" if edge.belongs == "below" else "lt": edge.at, "high_from_source": edge.from_source}


def _example(example: Example) -> dict[str, Plain]:
    return {
        "measured": {name: m.value for name, m in example.measured.items()},
        "interval": {name: list(m.ci95) for name, m in example.measured.items() if m.ci95 is not None},
        "facts": {n: v.isoformat() if isinstance(v, date) else v for n, v in example.facts.items()},
        "verdict": example.verdict, "borderline": example.borderline, "own": example.own,
        "missing": None if example.missing is None else list(example.missing),
    }  # fmt: skip
