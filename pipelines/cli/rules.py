"""`ablation rules`: the guideline statements that a case is held to, and the published figures beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pipelines.cli.run import Progress, exit_codes

if TYPE_CHECKING:
    from planner.evidence.baseline import Baseline
    from planner.evidence.comparison import Comparison
    from planner.evidence.hazard import Hazard
    from planner.guideline.rule import Rule


@dataclass(frozen=True)
class _Chosen:
    """What the ids name."""

    rules: list[Rule]
    hazards: list[Hazard]
    comparisons: list[Comparison]
    baselines: list[Baseline]


@click.command("rules")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--template", "as_template", is_flag=True, help="Print a commented case.toml with every fact instead.")
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of case.toml instead.")
def command(ids: tuple[str, ...], as_json: bool, as_template: bool, as_schema: bool) -> None:
    """List guideline statements, published figures, cohorts and facts, or explain those of the given IDs (as CO-05)."""
    with exit_codes(Progress()):
        if as_template or as_schema:
            _require_alone(ids, as_json, as_template, as_schema)
            click.echo(_template() if as_template else _schema(), nl=False)
            return
        chosen = _chosen([rule_id.upper() for rule_id in ids])
        click.echo(_document(chosen) if as_json else _text(chosen, explain=bool(ids)), nl=False)


def _chosen(ids: list[str]) -> _Chosen:
    """Return what the ids name, all of it where there are none."""
    from pipelines.catalogue import packaged_baselines, packaged_catalogue, packaged_comparisons, packaged_hazards
    from planner.errors import UsageError
    from planner.facts import nearest

    rules, hazards, comparisons = packaged_catalogue().rules, packaged_hazards(), packaged_comparisons()
    baselines = packaged_baselines()
    known = [*(rule.id for rule in rules), *(hazard.id for hazard in hazards)]
    known += [*(comparison.id for comparison in comparisons), *(baseline.name.upper() for baseline in baselines)]
    for unknown in (rule_id for rule_id in ids if rule_id not in known):
        raise UsageError(f"rule '{unknown}' is not in the catalogue{nearest(unknown, known)}", code="unknown-rule")
    chosen = ids or known
    return _Chosen(
        [rule for rule in rules if rule.id in chosen],
        [hazard for hazard in hazards if hazard.id in chosen],
        [comparison for comparison in comparisons if comparison.id in chosen],
        [baseline for baseline in baselines if baseline.name.upper() in chosen],
    )


def _require_alone(ids: tuple[str, ...], *options: bool) -> None:
    from planner.errors import UsageError

    if ids or sum(options) > 1:
        raise UsageError("--template and --schema stand alone, without IDs or another option", code="usage")


def _template() -> str:
    from pipelines.case_template import case_template

    return case_template()


def _schema() -> str:
    from pipelines.case_schema import case_schema

    return json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n"


def _text(chosen: _Chosen, *, explain: bool) -> str:
    from pipelines.catalogue import packaged_catalogue
    from planner.facts import FACTS
    from planner.guideline.explain import explained, explained_hazard, facts_text, rules_table
    from planner.guideline.explain_risk import (
        baselines_table,
        comparisons_table,
        explained_baseline,
        explained_comparison,
    )

    if not explain:
        more = f"--template prints a case.toml with all {len(FACTS)} facts to fill in, --schema its JSON Schema."
        parts = [
            rules_table(chosen.rules, chosen.hazards), comparisons_table(chosen.comparisons),
            baselines_table(chosen.baselines), facts_text(chosen.rules, chosen.hazards),
            f"ablation rules ID (or NAME) explains one of them.\n{more}\n",
        ]  # fmt: skip
        return "\n".join(parts)
    catalogue = packaged_catalogue()
    return "\n".join([
        *(explained(rule, catalogue) for rule in chosen.rules),
        *(explained_hazard(hazard) for hazard in chosen.hazards),
        *(explained_comparison(comparison) for comparison in chosen.comparisons),
        *(explained_baseline(baseline) for baseline in chosen.baselines),
    ])  # fmt: skip


def _document(chosen: _Chosen) -> str:
    from pipelines.catalogue import packaged_catalogue
    from planner.facts import TOPICS
    from planner.guideline.plain import (
        baseline_document,
        comparison_document,
        fact_document,
        hazard_document,
        rule_document,
    )

    catalogue = packaged_catalogue()
    document = {
        "facts": [fact_document(fact, topic) for topic, facts in TOPICS.items() for fact in facts],
        "rules": [rule_document(rule, catalogue) for rule in chosen.rules],
        "models": [hazard_document(hazard) for hazard in chosen.hazards],
        "comparisons": [comparison_document(comparison) for comparison in chosen.comparisons],
        "baselines": [baseline_document(baseline) for baseline in chosen.baselines],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
