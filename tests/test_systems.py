from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from planner.errors import EvidenceError
from planner.guideline.systems import load_systems, status_of

FILE = "systems.toml"
GUIDELINE = Path(__file__).resolve().parents[1] / "planner/guideline"
TEXT = (GUIDELINE / FILE).read_text(encoding="utf-8")
ENTRIES = tomllib.loads(Path(__file__).with_name("entries.toml").read_text(encoding="utf-8"))["entries"]
LOST = {"CL-07", "NC-15", "NN-10", "EG-01"}
"""Entries of which the source documents hold a heading only."""

KINDS = {name: "content_lost" if name in LOST else entry["kind"] for name, entry in ENTRIES.items()}
SYSTEMS = load_systems(TEXT, FILE, ENTRIES, KINDS)


def test_every_row_of_the_evidence_is_there_with_its_status():
    assert Counter(system.status for system in SYSTEMS) == {
        "check": 50,
        "reference": 15,
        "advisory": 6,
        "named_only": 5,
        "content_lost": 2,
    }
    assert len(SYSTEMS) == 78


def test_a_system_is_named_only_where_it_has_no_entry():
    assert all((system.status == "named_only") == (not system.entries) for system in SYSTEMS)


def test_every_entry_belongs_to_a_system_but_the_bullets_without_an_author():
    named = {entry for system in SYSTEMS for entry in system.entries}
    assert set(ENTRIES) - named == {"PS-01", "PS-02", "PS-03", "PS-04"}


def test_sources_are_named_by_title_and_year_never_by_file_locators():
    assert not re.search(r"\b00\d(:\d+)?\b", TEXT)
    assert all(re.search(r"\((undated|\d{4})\)$", source) for system in SYSTEMS for source in system.sources)


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([], "named_only"),
        (["NN-10"], "content_lost"),
        (["NC-15", "NC-12"], "advisory"),
        (["TA-01", "CA-07"], "reference"),
        (["CA-07", "CA-01", "NC-01"], "check"),
    ],
)
def test_the_strongest_kind_of_entry_makes_the_status(entries, status):
    assert status_of(entries, KINDS) == status


ROW = """schema_version = 1
[[system]]
name    = "A trial"
kind    = "trial"
entries = ["NN-07", "NN-08"]
held    = "One result."
status  = "check"
sources = ["Slides (2024)"]
"""


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ('"NN-08"', '"NN-99"', "entry 'NN-99' is not known, did you mean 'NN-"),
        ('"NN-08"', '"NN-07"', "entry NN-07 stands twice"),
        ('status  = "check"', 'status  = "reference"', "status reference, its entries make it check"),
        ('status  = "check"', 'status  = "fine"', "number 1, status"),
        ('kind    = "trial"', 'kind    = "rumour"', "number 1, kind"),
        ('held    = "One result."\n', "", "number 1, held"),
        ('["Slides (2024)"]', "[]", "number 1, sources"),
        ("held ", "holds ", "unknown key"),
    ],
)
def test_a_malformed_row_is_refused_with_file_row_and_reason(found, put, said):
    assert found in ROW
    with pytest.raises(EvidenceError) as error:
        load_systems(ROW.replace(found, put, 1), "site.toml", ENTRIES, KINDS)
    message = str(error.value)
    assert message.startswith("site.toml: system")
    assert said in message
    assert "\n" not in message


def test_a_name_is_given_once():
    with pytest.raises(EvidenceError, match=r"site.toml: system 2, A trial: this name is given to two systems"):
        load_systems(ROW + ROW.split("\n", 1)[1], "site.toml", ENTRIES)


def test_without_kinds_a_status_is_taken_as_stated():
    text = ROW.replace('"check"', '"advisory"')
    assert load_systems(text, "site.toml", ENTRIES)[0].status == "advisory"
