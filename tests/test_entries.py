"""The catalogue held against the statements of the evidence, through `entries.toml`."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from pipelines.catalogue import packaged_catalogue, packaged_hazards
from planner.facts import PRIMARY

ENTRIES = tomllib.loads(Path(__file__).with_name("entries.toml").read_text(encoding="utf-8"))["entries"]
SHARED = Path(os.environ.get("ABLATION_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data").parent
EVIDENCE = SHARED / "evidence" / "rules.yaml"

DIFFERENT = {"MG-16": {"primary": ["breast"]}}
"""What `entries.toml` says otherwise than the evidence: the title and the numbers of MG-16 speak of breast cancer."""

LOST = {"CL-07", "NC-15", "NN-10", "EG-01"}
"""Entries of which the source documents hold a heading only."""

MODELS = {"WA-01"}
"""Entries that are a relation with a number of its own, in planner/evidence/models."""

CATALOGUE = packaged_catalogue()
HELD = {"check": CATALOGUE.rules, "reference": CATALOGUE.references, "advisory": CATALOGUE.advisories}
SPOKEN = [(kind, entry) for kind, entries in HELD.items() for entry in entries]


def primaries(text: str) -> list[str]:
    """Return the primary tumours of an entry of the evidence; none named is any."""
    if text == "any":
        return []
    if text == "every primary but colorectal":
        return [name for name in PRIMARY.choices if name != "colorectal"]
    return text.split(", ")


def evidence_entries(text: str) -> dict[str, dict[str, object]]:
    """Return the entries of the evidence by id: a list of flat maps, each key on a line of its own."""
    found = {}
    for block in re.split(r"^- id: ", text, flags=re.MULTILINE)[1:]:
        values = dict(re.findall(r"^  (kind|about|primary): (.+)$", block, re.MULTILINE))
        found[block.split("\n", 1)[0].strip()] = values | {"primary": primaries(values["primary"])}
    return found


def test_entries_are_read_as_yaml_means_them() -> None:
    text = "# head\n- id: A-01\n  title: 'x: y'\n  kind: check\n  about: either\n  primary: any\n- id: A-02\n"
    text += "  kind: advisory\n  about: ablation\n  primary: breast, pancreatic\n"
    assert evidence_entries(text) == {
        "A-01": {"kind": "check", "about": "either", "primary": []},
        "A-02": {"kind": "advisory", "about": "ablation", "primary": ["breast", "pancreatic"]},
    }


@pytest.mark.real_data
@pytest.mark.skipif(not EVIDENCE.is_file(), reason="evidence not found beside the data: set ABLATION_TEST_DATA")
def test_the_entries_are_those_of_the_evidence() -> None:
    found = evidence_entries(EVIDENCE.read_text(encoding="utf-8"))
    assert list(found) == list(ENTRIES)
    for name, entry in found.items():
        assert ENTRIES[name] == entry | DIFFERENT.get(name, {}), name
    assert all(found[name] | other != found[name] for name, other in DIFFERENT.items())


def test_there_are_as_many_entries_of_each_kind_as_the_evidence_counts() -> None:
    kinds = [entry["kind"] for entry in ENTRIES.values()]
    assert {kind: kinds.count(kind) for kind in HELD} == {"check": 111, "reference": 69, "advisory": 50}


def test_the_catalogue_holds_exactly_these_entries_and_none_twice() -> None:
    held = [entry.id for _, entry in SPOKEN] + [entry.id for entry in CATALOGUE.omitted]
    held += [hazard.id for hazard in packaged_hazards() if hazard.id in MODELS]
    assert sorted(held) == sorted(ENTRIES)


@pytest.mark.parametrize(("kind", "entry"), SPOKEN, ids=[entry.id for _, entry in SPOKEN])
def test_an_entry_is_what_the_evidence_says_it_is(kind: str, entry) -> None:
    stated = ENTRIES[entry.id]
    assert (kind, entry.about) == (stated["kind"], stated["about"])
    assert set(entry.primary) == set(stated["primary"])


def test_only_entries_whose_content_is_lost_are_omitted_and_each_says_why() -> None:
    assert {entry.id for entry in CATALOGUE.omitted} == LOST
    assert all(entry.source and entry.reason.endswith(".") for entry in CATALOGUE.omitted)
