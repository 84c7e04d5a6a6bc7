"""The published JSON Schema of a case file, held by an independent validator against what the program reads."""

from __future__ import annotations

import json
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from cli_runs import ROOT, ablation
from entered import EVERYTHING, as_toml
from jsonschema import Draft202012Validator
from test_case_file import KEYS, MASK, TABLES

from pipelines.case_file import read_case_file
from pipelines.stated_days import stated_facts
from planner.errors import InputError
from planner.facts import FACTS, TOPICS

sys.path.insert(0, str(ROOT / "scripts"))
import make_reference

SCHEMA = json.loads(ablation("rules", "--schema").stdout)
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
WHOLE = "[facts]\n" + "".join(f"{name} = {as_toml(value)}\n" for name, value in EVERYTHING.items())


def as_json(value: object) -> object:
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    return value.isoformat()[:10] if isinstance(value, date) else value


def valid(text: str) -> bool:
    return VALIDATOR.is_valid(as_json(tomllib.loads(text)))


def readable(folder: Path, text: str) -> bool:
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    try:
        case = read_case_file(path)
        stated_facts(case, len(case.posts))
    except InputError:
        return False
    return True


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", make_reference.pages())
def test_the_pages_of_the_reference_are_those_that_the_registry_writes(name: str) -> None:
    text = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert text == make_reference.pages()[name], "run scripts/make_reference.py"


def test_the_schema_that_is_printed_is_the_one_of_the_reference() -> None:
    assert ablation("rules", "--schema").stdout == make_reference.pages()["case.schema.json"]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_fact_has_its_definition_unit_and_topic(topic: str) -> None:
    for fact in TOPICS[topic]:
        stated = SCHEMA["properties"]["facts"]["properties"][fact.name]
        assert (stated["description"], stated.get("x-unit", ""), stated["x-topic"]) == (
            fact.definition, fact.unit, topic,
        )  # fmt: skip


RIGHT = {
    "nothing": "",
    "everything entered": WHOLE,
    "empty facts": "[facts]\n" + "".join(f'{name} = ""\n' for name in FACTS),
    "an empty list": "[facts]\nboard_members = []\n",
    "a date in quotes": '[facts]\nablation_date = "2024-12-31"\n',
    "one post": "[post]\ndays_since_ablation = 3\nscanned_on = 2024-12-31\nvolume = 2\nmodality = 'MR'\n",
    "posts": "[[post]]\n[[post]]\npath = 'b'\n" + MASK.replace('"pre"', '"post_2"'),
    "a segment by its name": MASK + 'segment = "tumour"\n',
    "labels": MASK + "label = [1, 2]\n",
    "a pair by numbers": "[[pair]]\nlesion = 1\nzones = [1, '2']\n",
    "a map": "[registration]\nfile = 'a.h5'\nerror_mm = 1.5\n[landmarks]\nfiles = ['a', 'b']\n",
    "the sample's": (ROOT / "sample_data" / "case.toml").read_text(encoding="utf-8"),
    "the template": ablation("rules", "--template").stdout,
}
WRONG = {
    **{f"unknown key in {table}": text.format(f"{KEYS[table]}x = 1\n") for table, text in TABLES.items()},
    "unknown table": "[strange]\n",
    "unknown fact": "[facts]\nprimray = 'colorectal'\n",
    "unknown choice": "[facts]\nprimary = 'colon'\n",
    "unknown word of a list": "[facts]\nboard_members = ['nurse']\n",
    "yes in words": "[facts]\ncount_complete = 'yes'\n",
    "above its range": "[facts]\nki67_percent = 101\n",
    "below its range": "[facts]\nbody_surface_area_m2 = 0\n",
    "a date that is none": "[facts]\nablation_date = '31.12.2024'\n",
    "a mask without a file": MASK.replace('file = "a"', ""),
    "a mask of no study": MASK.replace('"pre"', '"per"'),
    "a lesion that is no id": "[[pair]]\nlesion = 'a'\nzones = [1]\n",
    "no zones": "[[pair]]\nlesion = 1\nzones = []\n",
    "too many posts": "[[post]]\n" * 21,
    "an error of nothing": "[registration]\nfile = 'a'\nerror_mm = 0\n",
    "a modality that is none": "[pre]\nmodality = 'PET'\n",
}


@pytest.mark.parametrize("which", RIGHT)
def test_what_the_program_reads_is_valid(which: str, tmp_path: Path) -> None:
    assert readable(tmp_path, RIGHT[which])
    assert valid(RIGHT[which])


@pytest.mark.parametrize("which", WRONG)
def test_what_the_program_refuses_is_not_valid(which: str, tmp_path: Path) -> None:
    assert not readable(tmp_path, WRONG[which])
    assert not valid(WRONG[which])


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_of_another_kind_is_refused_by_both(name: str, tmp_path: Path) -> None:
    wrong = {"choice": "true", "yes_no": "1", "number": "true", "date": "3", "several_of": '"bone"'}[FACTS[name].kind]
    text = f"[facts]\n{name} = {wrong}\n"
    assert not readable(tmp_path, text)
    assert not valid(text)
