"""The case file to fill in: with nothing filled in it says nothing, with everything all of it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_runs import ablation
from entered import EVERYTHING, as_toml
from test_case_file import read

from pipelines.case_file import CaseFile
from pipelines.case_tables import LandmarksTable, MaskEntry, PairEntry, PostTable, RegistrationTable, StudyTable
from pipelines.stated_days import stated_facts
from planner.facts import FACTS

TEMPLATE = ablation("rules", "--template").stdout
TABLES = {
    "pre": StudyTable, "post": PostTable, "mask": MaskEntry, "pair": PairEntry, "registration": RegistrationTable,
    "landmarks": LandmarksTable,
}  # fmt: skip


def fact_line(name: str) -> str:
    return f'\n# {name} = ""\n'


def test_the_template_reads_back_as_a_case_that_says_nothing(tmp_path: Path) -> None:
    case = read(tmp_path, TEMPLATE)
    assert case == CaseFile(folder=case.folder, sha256=case.sha256)
    assert case.empty_facts == ()
    assert stated_facts(case, 1) == {}


def test_a_template_of_which_everything_is_filled_in_is_read_whole(tmp_path: Path) -> None:
    text = TEMPLATE
    for name, value in EVERYTHING.items():
        assert text.count(fact_line(name)) == 1
        text = text.replace(fact_line(name), f"\n{name} = {as_toml(value)}\n")
    assert stated_facts(read(tmp_path, text), 1) == EVERYTHING


def test_facts_that_are_uncommented_but_left_empty_are_unknown(tmp_path: Path) -> None:
    case = read(tmp_path, re.sub(r'(?m)^# (\w+ = "")$', r"\1", TEMPLATE))
    assert set(case.empty_facts) == set(FACTS)
    assert stated_facts(case, 1) == {}


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_stands_below_its_definition_and_what_it_may_be(name: str) -> None:
    before = TEMPLATE.split(fact_line(name))[0].rsplit("\n\n", maxsplit=1)[1]
    assert " ".join(before.replace("# ", "").split()) == f"{FACTS[name].definition} Value: {FACTS[name].expected}"


@pytest.mark.parametrize("table", TABLES)
def test_every_key_of_every_table_is_in_the_template(table: str) -> None:
    (block,) = re.findall(rf"(?m)^# \[+{table}\]+(?:.*\n# .*)*", TEMPLATE)
    own = set(TABLES[table].model_fields) - (set(StudyTable.model_fields) if table == "post" else set())
    assert set(re.findall(r"(?m)^# (\w+) = ", block)) == own
    if table == "post":
        assert "takes the keys of [pre]" in block


def test_the_tables_of_the_template_are_read_where_they_are_uncommented(tmp_path: Path) -> None:
    tables, _ = TEMPLATE.split("[facts]")
    text = re.sub(r"(?m)^# (\[+\w+\]|(?!segment|relative)\w+ = )", r"\1", tables)
    case = read(tmp_path, text)
    assert (case.case.id, case.pre.volume, case.its_post.days_since_ablation) == ("case-17", 2, 40)
    assert dict(case.pairs) == {"1": ("1", "2")}
    assert [m.label for m in case.mask] == [3]
    assert case.registration is not None
    assert case.landmarks is not None
