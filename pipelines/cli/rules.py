"""`ablation rules`: what the guidelines say, held to a case or shown beside it, and the published figures."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli.run import Progress, exit_codes


@click.command("rules")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--source", default="", metavar="WORD", help="Only of this source: its key or a part of its name.")
@click.option("--primary", default="", metavar="WORD", help="Only what holds for this primary tumour, or for any.")
@click.option("--phase", default="", metavar="WORD", help="Only of this phase of care, such as planning.")
@click.option("--about", default="", metavar="WORD", help="Only about this, such as ablation or resection.")
@click.option("--question", default="", metavar="WORD", help="Only of this part of a report, such as margin.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--check", type=click.Path(path_type=Path), metavar="FILE|DIR", help="Prove a site's own rules instead.")
@click.option("--site-example", metavar="NAME", help="Print an example of a site's file instead.")
@click.option("--template", "as_template", is_flag=True, help="Print a commented case.toml with every fact instead.")
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of case.toml instead.")
def command(
    ids: tuple[str, ...],
    source: str,
    primary: str,
    phase: str,
    about: str,
    question: str,
    as_json: bool,
    check: Path | None,
    site_example: str | None,
    as_template: bool,
    as_schema: bool,
) -> None:
    """List what guidelines say, published figures, cohorts and facts, or explain those of the given IDs.

    An ID is that of a statement (CO-05), of a conflict between sources (X1), of a relation (WA-01), a figure or a
    cohort. The words for source, primary tumour, phase, matter and question may be combined.
    """
    with exit_codes(Progress()):
        words = {"source": source, "primary": primary, "phase": phase, "about": about, "question": question}
        apart = (check is not None, site_example is not None, as_template, as_schema)
        if any(apart):
            _require_alone(sum(apart) > 1 or as_json or bool(ids) or any(words.values()))
        if check is not None:
            click.echo(_checked(check))
        elif site_example is not None:
            click.echo(_example(site_example), nl=False)
        elif as_template or as_schema:
            click.echo(_template() if as_template else _schema(), nl=False)
        else:
            click.echo(_catalogue(ids, words, as_json=as_json), nl=False)


def _require_alone(together: bool) -> None:
    from planner.errors import UsageError

    if together:
        raise UsageError(
            "--check, --site-example, --template and --schema stand alone, without IDs or another option", code="usage"
        )


def _catalogue(ids: tuple[str, ...], words: dict[str, str], *, as_json: bool) -> str:
    from pipelines.cli.rules_shown import everything, named, of_words
    from planner.errors import UsageError
    from planner.guideline.selection import Wanted

    wanted = Wanted(**words)
    if ids and wanted.given:
        raise UsageError(f"IDs and --{next(iter(wanted.given))}: give one or the other", code="usage")
    found = named(ids) if ids else of_words(wanted) if wanted.given else everything()
    if as_json:
        return json.dumps(found.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return found.explained(ids) if ids else found.listed(wanted)


def _checked(path: Path) -> str:
    from pipelines.site_rules import rules_held

    held = rules_held(path)
    return f"{held} rule{'s' * (held != 1)} hold{'s' * (held == 1)}"


def _example(name: str) -> str:
    from pipelines.site_rules import site_example

    return site_example(name)


def _template() -> str:
    from pipelines.case_template import case_template

    return case_template()


def _schema() -> str:
    from pipelines.case_schema import case_schema

    return json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n"
