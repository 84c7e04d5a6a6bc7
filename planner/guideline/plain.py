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
from planner.guideline.entry import Advisory, Entry, Figure, Omitted, Reference, Strata
from planner.guideline.rule import Branch, Edge, Example, Part, Rule, Scale, Source
from planner.guideline.speaks import asks, commands_of
from planner.guideline.systems import System

Plain = Any


def rule_document(rule: Rule, catalogue: Catalogue) -> dict[str, Plain]:
    """Return a rule with its source, bands, examples and the rules that share a conflict with it."""
    return {
        **_statement(rule, catalogue),
        "treatment": rule.treatment, "where": {name: sorted(v, key=str) for name, v in rule.where.items()},
        "per": rule.per, "combine": rule.combine, "if_missing": rule.if_missing,
        "parts": [_part(part) for part in rule.parts],
        "superseded_by": list(rule.superseded_by), "overrides": rule.overrides or None,
        "examples": [_example(example) for example in rule.examples],
    }  # fmt: skip


def reference_document(reference: Reference, catalogue: Catalogue) -> dict[str, Plain]:
    """Return published numbers with their source."""
    return {
        **_statement(reference, catalogue),
        "population": reference.population, "endpoint": reference.endpoint, "disputed": reference.disputed,
        "figures": [_figure(figure) for figure in reference.figures],
        "strata": None if reference.strata is None else _strata(reference.strata),
    }  # fmt: skip


def advisory_document(advisory: Advisory, catalogue: Catalogue) -> dict[str, Plain]:
    """Return advice with its source."""
    return _statement(advisory, catalogue)


def conflict_document(conflict: Conflict, catalogue: Catalogue) -> dict[str, Plain]:
    """Return where sources disagree, with the ids of the statements that take part."""
    parties = [stated.id for stated in catalogue.statements if conflict.id in stated.conflicts]
    return {**_conflict(conflict), "statements": parties}


def omitted_document(omitted: Omitted) -> dict[str, Plain]:
    """Return what is left out and why."""
    return asdict(omitted)


def system_document(system: System) -> dict[str, Plain]:
    """Return a named guideline, trial, treatment or method."""
    return asdict(system)


def _statement(stated: Rule | Entry, catalogue: Catalogue) -> dict[str, Plain]:
    return {
        "id": stated.id, "title": asks(stated), "statement": stated.statement, "source": _source(stated.source),
        "strength": stated.strength, "strength_stated": stated.strength_stated,
        "question": stated.question, "phase": list(stated.phase), "commands": list(commands_of(stated)),
        "about": stated.about, "primary": list(stated.primary),
        "measured": list(stated.measured), "entered": list(stated.entered),
        "exceptions": stated.exceptions, "note": stated.note,
        "conflicts": [_conflict(catalogue.conflicts[name]) for name in stated.conflicts],
        "see": [other.id for other in catalogue.disputing(stated)],
    }  # fmt: skip


def _source(source: Source) -> dict[str, Plain]:
    return {
        "key": source.key, "label": source.label, **asdict(source.citation), "kind": source.kind,
        "status": source.status, "scheme": source.scheme, "unsigned": source.unsigned,
    }  # fmt: skip


def _figure(figure: Figure) -> dict[str, Plain]:
    named = {"ends": "range"}
    return {named.get(name, name): value for name, value in asdict(figure).items()}


def _strata(strata: Strata) -> dict[str, Plain]:
    lows, highs = (None, *strata.edges), (*strata.edges, None)
    bands = [{"label": label} | _ends(low, high) for label, low, high in zip(strata.labels, lows, highs, strict=True)]
    return {"quantity": strata.quantity.name, "unit": strata.quantity.unit, "bands": bands}


def _ends(low: Edge | None, high: Edge | None) -> dict[str, Plain]:
    """Return the ends of a band, without whose they are."""
    return {name: at for name, at in (_low(low) | _high(high)).items() if not name.endswith("_from_source")}


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
