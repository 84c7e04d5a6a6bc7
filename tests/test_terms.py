"""The registries of findings and facts held against the phrases of the evidence, through `terms.toml`."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from planner.facts import FACTS
from planner.findings import QUANTITIES

TERMS = tomllib.loads(Path(__file__).with_name("terms.toml").read_text(encoding="utf-8"))
SHARED = Path(os.environ.get("ABLATION_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data").parent
EVIDENCE = SHARED / "evidence" / "rules.yaml"

ENTRIES = 230
"""Statements of the evidence."""

REGISTERED = {*QUANTITIES, *FACTS}
SIDES = ("measured", "entered")
PHRASES = [(side, phrase) for side in SIDES for phrase in TERMS[side]]
USED = {name for side in SIDES for names in TERMS[side].values() for name in names}


def text_of(scalar: str) -> str:
    """Return a scalar of YAML on one line as text."""
    if scalar.startswith("'"):
        return scalar[1:-1].replace("''", "'")
    return scalar[1:-1] if scalar.startswith('"') else scalar


def evidence_phrases(text: str) -> tuple[int, dict[str, set[str]]]:
    """Return how many entries a text has and its phrases: a list of flat maps, each key on a line of its own."""
    found: dict[str, set[str]] = {side: set() for side in SIDES}
    for key, value in re.findall(r"^  (measured|entered): (.+)$", text, re.MULTILINE):
        found[key] |= {text_of(value.strip())} - {"-"}
    return len(re.findall(r"^- id: ", text, re.MULTILINE)), found


def test_phrases_are_read_as_yaml_means_them() -> None:
    text = "- id: A-01\n  entered: '\"limited\", isn''t it'\n  measured: a (b)\n- id: A-02\n  entered: \"x, y\"\n"
    assert evidence_phrases(text) == (2, {"measured": {"a (b)"}, "entered": {'"limited", isn\'t it', "x, y"}})


@pytest.mark.real_data
@pytest.mark.skipif(not EVIDENCE.is_file(), reason="evidence not found beside the data: set ABLATION_TEST_DATA")
def test_every_phrase_of_the_evidence_is_mapped_and_no_other() -> None:
    entries, found = evidence_phrases(EVIDENCE.read_text(encoding="utf-8"))
    assert entries == ENTRIES
    for side in SIDES:
        assert found[side] == set(TERMS[side]) | (found[side] & set(TERMS["advisory"])), side
    assert set(TERMS["advisory"]) <= found["measured"] | found["entered"]


@pytest.mark.parametrize(("side", "phrase"), PHRASES, ids=[f"{side}: {phrase[:50]}" for side, phrase in PHRASES])
def test_a_phrase_is_mapped_to_registered_names(side: str, phrase: str) -> None:
    names = TERMS[side][phrase]
    assert names
    assert len(set(names)) == len(names)
    assert set(names) <= REGISTERED


def test_every_registered_name_is_used_by_a_phrase_or_elsewhere() -> None:
    assert USED | set(TERMS["also_used"]) == REGISTERED


def test_what_is_used_elsewhere_says_where_and_is_asked_for_by_no_phrase() -> None:
    assert not USED & set(TERMS["also_used"])
    assert all(TERMS["also_used"].values())
    assert all(TERMS["advisory"].values())
