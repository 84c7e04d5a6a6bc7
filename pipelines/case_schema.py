"""The case file as JSON Schema: its tables, and every fact with its kind, unit and definition."""

from __future__ import annotations

from typing import Any

from pipelines.case_tables import Document, SeveralPosts
from planner.facts import TOPICS, Fact

Json = Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NOT_ENTERED = {"const": ""}
"""An empty fact counts as not entered."""


def case_schema() -> dict[str, Json]:
    """Return the JSON Schema (2020-12) of a case file as TOML reads it; a date is its text (2024-12-31)."""
    schema = _without_null(Document.model_json_schema())
    properties = schema["properties"]
    several = _without_null(SeveralPosts.model_json_schema())["properties"]["post"]
    properties["post"] = {"anyOf": [{"$ref": "#/$defs/PostTable"}, several]}
    properties["facts"] = facts_schema()
    described = {"title": "Case file of ablation-planner", "description": "What `case.toml` may say; all optional."}
    return {"$schema": DIALECT, **schema, **described}


def facts_schema() -> dict[str, Json]:
    """Return the JSON Schema of `[facts]`."""
    facts = {fact.name: {**_fact(fact), "x-topic": topic} for topic, found in TOPICS.items() for fact in found}
    return {
        "type": "object",
        "description": "`[facts]`: what was entered of the case; a fact that is left out or empty is unknown.",
        "additionalProperties": False,
        "properties": facts,
    }


def _fact(fact: Fact) -> dict[str, Json]:
    unit = {"x-unit": fact.unit} if fact.unit else {}
    return {"title": fact.words, "description": fact.definition, "anyOf": [_entered(fact), _NOT_ENTERED], **unit}


def _entered(fact: Fact) -> dict[str, Json]:
    if fact.kind == "choice":
        return {"enum": list(fact.choices)}
    if fact.kind == "several_of":
        return {"type": "array", "items": {"enum": list(fact.choices)}}
    if fact.kind == "number":
        most = {} if fact.at_most is None else {"maximum": fact.at_most}
        return {"type": "integer" if fact.whole else "number", "minimum": fact.at_least, **most}
    return {"type": "boolean"} if fact.kind == "yes_no" else {"type": "string", "format": "date"}


def _without_null(schema: Json) -> Json:
    """Return a schema without what TOML cannot say (null), and without defaults and titles made of names."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without_null(part) for key, part in schema.items() if key not in ("default", "title")}
    one_of = kept.get("anyOf")
    if one_of is None or len(one_of) > 1:
        return kept
    return {**{key: part for key, part in kept.items() if key != "anyOf"}, **one_of[0]}
