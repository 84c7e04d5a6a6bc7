from __future__ import annotations

import json
import re

import pytest
from cli_runs import ablation

from pipelines.catalogue import packaged_catalogue
from planner.facts import FACTS, SETTING_FACTS, TOPICS

IDS = (*packaged_catalogue().ids, "WA-01")


def test_rules_lists_every_rule_and_model_on_one_line():
    ran = ablation("rules")
    assert ran.code == 0
    lines = ran.stdout.splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(IDS)]] == list(IDS)
    assert max(len(line) for line in lines) < 240
    assert "primary tumour, ablation modality, days since the ablation" in lines[1 + len(IDS)]


ASKED = {name: FACTS[name] for name in FACTS if any(name in rule.entered for rule in packaged_catalogue().rules)}
ASKED |= {fact.name: fact for fact in SETTING_FACTS}


@pytest.mark.parametrize("fact", ASKED.values(), ids=ASKED)
def test_rules_lists_every_fact_that_is_asked_for_as_it_is_typed_with_what_it_may_be_and_who_asks(fact):
    said = " ".join(ablation("rules").stdout.split())
    entry = f"{fact.name}: {fact.expected} {fact.definition} Asked by "
    assert entry in said
    asking = said.split(entry)[1].split(".")[0].split(", ")
    assert asking
    assert ("WA-01" in asking) == (fact in SETTING_FACTS)
    for rule_id in asking:
        assert f"(entered as {fact.name})" in " ".join(ablation("rules", rule_id).stdout.split())


def test_the_list_names_a_published_relation_by_author_and_year_and_no_source_twice():
    said = ablation("rules").stdout
    (row,) = [line for line in said.splitlines() if line.startswith("WA-01 ")]
    assert "  Wang 2013  " in row
    assert "wang2013" not in said
    for rule in packaged_catalogue().rules:
        (row,) = [line for line in said.splitlines() if line.startswith(f"{rule.id} ")]
        assert row.count(rule.source.label) == 1


@pytest.mark.parametrize("rule", packaged_catalogue().rules, ids=lambda rule: rule.id)
def test_an_explanation_cites_its_source_once(rule):
    said = " ".join(ablation("rules", rule.id).stdout.split())
    standing = "unattributed: " if rule.source.unsigned else ""
    assert said.count(f"Source: {standing}{rule.source.citation.text} ({rule.strength})") == 1
    assert said.count(rule.source.citation.title) == 1
    assert rule.source.label not in said.replace(rule.source.citation.text, "")
    assert "Cited: " not in said


def test_the_explanation_of_a_relation_cites_its_source_once():
    said = " ".join(ablation("rules", "WA-01").stdout.split())
    assert said.count("Wang X, Sofocleous CT, Erinjeri JP") == said.count("2013;36:166-175") == 1
    assert "wang2013" not in said


@pytest.mark.parametrize("rule_id", IDS)
def test_each_rule_is_explained(rule_id):
    ran = ablation("rules", rule_id)
    assert ran.code == 0
    assert ran.stdout.startswith(f"{rule_id}  ")
    assert "Source: " in ran.stdout
    assert not re.search(r"\b(PASS|FAIL|pass|fail)\b", ran.stdout)


def test_co_05_shows_statement_source_bands_examples_and_conflicts():
    said = ablation("rules", "co-05").stdout
    assert "at least 15 mm from the common, left and right hepatic duct" in said
    assert "Source: Meijerink et al. COLLISION, phase III" in said
    assert "see CO-06 (the same source; trial criterion)" in said
    line = next(line for line in said.splitlines() if line.startswith("  <---"))
    marks = said.splitlines()[said.splitlines().index(line) + 1]
    assert marks.index("15") == line.index("|")
    assert "(15 mm itself: meets)" in said
    assert "14.9 mm; primary tumour = colorectal -> outside this source's criterion" in said
    assert "X2  How near to a major bile duct" in said
    assert "see PS-03 (unattributed: " in said


def test_names_of_quantities_and_facts_are_words_and_the_name_to_enter_is_told():
    said = " ".join(ablation("rules", "co-06").stdout.split())
    assert "Tumour to stomach or bowel: Distance in 3D" in said
    assert "bowel displacement (entered as displacement)" in said
    assert "ablation modality radiofrequency" in " ".join(ablation("rules", "wa-01").stdout.split())
    for text in (said, ablation("rules").stdout):
        assert not re.search(r"\b(dist|margin|ablation)\.\w|_mm\b|_percent\b", text)


def test_an_edge_of_ours_is_starred():
    said = ablation("rules", "PP-13").stdout
    assert re.search(r"^\s+0\*\s+10$", said, re.MULTILINE)
    assert "* this line is ours" in said


def test_json_is_one_document_with_everything():
    document = json.loads(ablation("rules", "--json").stdout)
    assert [fact["name"] for fact in document["facts"]] == list(FACTS)
    assert all(fact["expected"] == FACTS[fact["name"]].expected for fact in document["facts"])
    assert {fact["topic"] for fact in document["facts"]} == set(TOPICS)
    assert [rule["id"] for rule in document["rules"]] == list(packaged_catalogue().ids)
    assert document["models"][0]["ratio"] == 0.54
    (rule,) = json.loads(ablation("rules", "CO-02", "--json").stdout)["rules"]
    assert rule["parts"][0]["branches"][0]["bands"] == [
        {"verdict": "fail", "le": 0.0, "high_from_source": False},
        {"verdict": "caution", "gt": 0.0, "low_from_source": False, "le": 10.0, "high_from_source": True},
        {"verdict": "pass", "gt": 10.0, "low_from_source": True},
    ]
    assert rule["source"]["year"] == 2024


def test_an_unknown_id_is_a_usage_error_that_names_the_nearest():
    ran = ablation("rules", "CO-5")
    assert ran.code == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert "did you mean 'CO-05'" in ran.stderr


def test_the_list_says_where_the_other_facts_are():
    assert f"--template prints a case.toml with all {len(FACTS)} facts to fill in" in ablation("rules").stdout


@pytest.mark.parametrize(
    "arguments", [("CO-05", "--template"), ("--template", "--json"), ("--schema", "--template"), ("--schema", "CO-05")]
)
def test_template_and_schema_stand_alone(arguments):
    ran = ablation("rules", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert "stand alone" in ran.stderr
