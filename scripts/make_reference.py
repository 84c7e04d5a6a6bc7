"""Writes docs/reference/facts.md and docs/reference/case.schema.json from the registry of facts and the case file."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.case_schema import case_schema
from planner.facts import TOPICS, Fact

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


_HEAD = """\
# Facts that may be entered

Written by `scripts/make_reference.py` from the registry (`planner/facts/`); a test holds it equal. They stand in
`[facts]` of a case file. One that is left out or empty is unknown, never taken for "no": the rules that need it say so.
Dates reach no result, only days between them. `ablation rules --template` writes a case file to fill in,
`ablation rules --schema` its JSON Schema (`case.schema.json` beside this page).
"""


def facts_page() -> str:
    """Return the page as Markdown: a table for each topic."""
    return _HEAD + "".join(_table(topic, facts) for topic, facts in TOPICS.items())


def _table(topic: str, facts: tuple[Fact, ...]) -> str:
    head = f"\n## {topic.replace('_', ' ').capitalize()}\n\n| fact | value | meaning |\n|---|---|---|\n"
    return head + "".join(f"| `{fact.name}` | {_value(fact)} | {fact.definition} |\n" for fact in facts)


def _value(fact: Fact) -> str:
    choices = ", ".join(f"`{choice}`" for choice in fact.choices)
    if fact.kind == "several_of":
        return f"list of {choices}"
    return choices or (fact.expected if fact.kind != "yes_no" else "`true` or `false`")


def pages() -> dict[str, str]:
    """Return the text of each file by its name."""
    schema = json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n"
    return {"case.schema.json": schema, "facts.md": facts_page()}


if __name__ == "__main__":
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(REFERENCE / name)
