"""`ablation rules`: the guideline statements that a case is held to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pipelines.cli.run import Progress, exit_codes

if TYPE_CHECKING:
    from planner.evidence.hazard import Hazard
    from planner.guideline.rule import Rule


@click.command("rules")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--template", "as_template", is_flag=True, help="Print a commented case.toml with every fact instead.")
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of case.toml instead.")
def command(ids: tuple[str, ...], as_json: bool, as_template: bool, as_schema: bool) -> None:
    """List the guideline statements and the facts they need, or explain those of the given IDs (such as CO-05)."""
    with exit_codes(Progress()):
        if as_template or as_schema:
            _require_alone(ids, as_json, as_template, as_schema)
            click.echo(_template() if as_template else _schema(), nl=False)
            return
        rules, hazards = _chosen([rule_id.upper() for rule_id in ids])
        click.echo(_document(rules, hazards) if as_json else _text(rules, hazards, explain=bool(ids)), nl=False)


def _chosen(ids: list[str]) -> tuple[list[Rule], list[Hazard]]:
    """Return what the ids name, all of it where there are none."""
    from pipelines.catalogue import packaged_catalogue, packaged_hazards
    from planner.errors import UsageError
    from planner.facts import nearest

    rules, hazards = packaged_catalogue().rules, packaged_hazards()
    known = [*(rule.id for rule in rules), *(hazard.id for hazard in hazards)]
    for unknown in (rule_id for rule_id in ids if rule_id not in known):
        raise UsageError(f"rule '{unknown}' is not in the catalogue{nearest(unknown, known)}", code="unknown-rule")
    chosen = ids or known
    return [rule for rule in rules if rule.id in chosen], [hazard for hazard in hazards if hazard.id in chosen]


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


def _text(rules: list[Rule], hazards: list[Hazard], *, explain: bool) -> str:
    from pipelines.catalogue import packaged_catalogue
    from planner.facts import FACTS
    from planner.guideline.explain import explained, explained_hazard, facts_text, rules_table

    if not explain:
        overview = f"{rules_table(rules, hazards)}\n{facts_text(rules, hazards)}"
        more = f"--template prints a case.toml with all {len(FACTS)} facts to fill in, --schema its JSON Schema."
        return f"{overview}\nablation rules ID explains one of them.\n{more}\n"
    catalogue = packaged_catalogue()
    return "\n".join([*(explained(r, catalogue) for r in rules), *(explained_hazard(h) for h in hazards)])


def _document(rules: list[Rule], hazards: list[Hazard]) -> str:
    from pipelines.catalogue import packaged_catalogue
    from planner.facts import TOPICS
    from planner.guideline.plain import fact_document, hazard_document, rule_document

    catalogue = packaged_catalogue()
    document = {
        "facts": [fact_document(fact, topic) for topic, facts in TOPICS.items() for fact in facts],
        "rules": [rule_document(rule, catalogue) for rule in rules],
        "models": [hazard_document(hazard) for hazard in hazards],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
