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
def command(ids: tuple[str, ...], as_json: bool) -> None:
    """List the guideline statements and the facts they need, or explain those of the given IDs (such as CO-05)."""
    with exit_codes(Progress()):
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


def _text(rules: list[Rule], hazards: list[Hazard], *, explain: bool) -> str:
    from pipelines.catalogue import packaged_catalogue
    from planner.guideline.explain import explained, explained_hazard, facts_text, rules_table

    if not explain:
        overview = f"{rules_table(rules, hazards)}\n{facts_text(rules, hazards)}"
        return f"{overview}\nablation rules ID explains one of them.\n"
    catalogue = packaged_catalogue()
    return "\n".join([*(explained(r, catalogue) for r in rules), *(explained_hazard(h) for h in hazards)])


def _document(rules: list[Rule], hazards: list[Hazard]) -> str:
    from pipelines.catalogue import packaged_catalogue
    from planner.facts import FACTS
    from planner.guideline.plain import hazard_document, rule_document

    catalogue = packaged_catalogue()
    document = {
        "facts": [{"name": f.name, "expected": f.expected, "definition": f.definition} for f in FACTS.values()],
        "rules": [rule_document(rule, catalogue) for rule in rules],
        "models": [hazard_document(hazard) for hazard in hazards],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
