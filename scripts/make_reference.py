"""Writes docs/reference/facts.md and docs/reference/case.schema.json from the registry of facts and the case file."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.case_schema import case_schema
from pipelines.facts_page import facts_page

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


def pages() -> dict[str, str]:
    """Return the text of each file by its name."""
    schema = json.dumps(case_schema(), indent=2, ensure_ascii=False) + "\n"
    return {"case.schema.json": schema, "facts.md": facts_page()}


if __name__ == "__main__":
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(REFERENCE / name)
