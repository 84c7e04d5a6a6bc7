"""docs/rules.md is what the program's own files say."""

from __future__ import annotations

import re
import sys
import tomllib

from cli_runs import ROOT

from pipelines.catalogue import packaged_catalogue, packaged_systems
from pipelines.site_rules import site_example
from planner.guideline.phases import TO_COME
from planner.guideline.tables import RuleTable

sys.path.insert(0, str(ROOT / "scripts"))
import make_rules_page

PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
CATALOGUE = packaged_catalogue()
ROW = re.compile(r"^\| ([A-Z]{2,8}-\d\d) \| (\w+) \|", re.MULTILINE)


def test_the_page_is_up_to_date():
    assert make_rules_page.page() == PAGE


def test_every_statement_stands_under_its_source_once():
    part = PAGE.split("## Statements by source")[1].split("\n## ")[0]
    assert [name for name, _ in ROW.findall(part)] == [
        stated.id
        for source in dict.fromkeys(stated.source for stated in CATALOGUE.statements)
        for stated in CATALOGUE.statements
        if stated.source == source
    ]


def test_every_conflict_stands_with_year_and_strength_of_its_statements():
    for conflict in CATALOGUE.conflicts.values():
        part = PAGE.split(f"### {conflict.id}: {conflict.title}\n")[1].split("\n#")[0]
        ids = re.findall(r"^\| ([A-Z]{2,8}-\d\d) \|", part, re.MULTILINE)
        assert ids == [stated.id for stated in CATALOGUE.statements if conflict.id in stated.conflicts]
        assert conflict.positions in part


def test_what_is_left_out_and_every_system_stand_there():
    part = PAGE.split("## Left out")[1].split("\n## ")[0]
    assert [omitted.id for omitted in CATALOGUE.omitted] == re.findall(r"^\| ([A-Z]{2}-\d\d) \|", part, re.MULTILINE)
    part = PAGE.split("## Systems that the source documents name")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(packaged_systems()) == 78
    assert all(row.startswith(f"| {system.name} |") for row, system in zip(rows, packaged_systems(), strict=True))


def test_the_example_stands_there_whole_and_every_key_of_a_rule_is_explained():
    text = PAGE.split("```toml\n")[1].split("```")[0]
    assert text == site_example(make_rules_page.EXAMPLE)
    assert tomllib.loads(text)["rule"][0]["id"] in PAGE
    part = PAGE.split("| key of `[[rule]]` |")[1].split("\n\n")[0]
    explained = set(re.findall(r"`(?:\[\[rule\.)?(\w+)(?:\]\])?`", part))
    assert set(RuleTable.model_fields) - {"reduce"} <= explained


def test_a_command_that_is_still_to_come_is_called_so():
    assert ("which this version does not have yet" in " ".join(PAGE.split())) == bool(TO_COME)


def test_every_table_has_as_many_cells_in_each_line():
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_the_page_holds_no_locator_and_no_dash_as_punctuation():
    assert not re.search(r"\b00\d:\d+|\bG-\d\d\b|\[(R|M|2nd)\]", PAGE)
    assert not re.search("[—–]| - ", PAGE)
