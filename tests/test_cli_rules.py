from __future__ import annotations

import json
import re

import pytest
from cli_runs import ablation

from pipelines.catalogue import packaged_catalogue, packaged_systems
from planner.facts import FACTS, SETTING_FACTS, TOPICS
from planner.guideline.speaks import asks, kind_words, source_words
from planner.guideline.words import attribution

CATALOGUE = packaged_catalogue()
STATEMENTS = CATALOGUE.statements
IDS = (*(stated.id for stated in STATEMENTS), "WA-01")


def row_of(name: str, said: str) -> str:
    (row,) = [line for line in said.splitlines() if line.startswith(f"{name} ")]
    return row


def test_rules_lists_every_statement_and_relation_on_one_line_with_its_kind():
    ran = ablation("rules")
    assert ran.code == 0
    assert max(len(line) for line in ran.stdout.splitlines()) < 240
    for stated in STATEMENTS:
        assert row_of(stated.id, ran.stdout).split()[1] == kind_words(stated)
    assert "primary tumour, ablation modality, days since the ablation" in row_of("WA-01", ran.stdout)
    assert ran.stdout.startswith(f"{len(STATEMENTS)} statements of ")


def test_statements_stand_under_their_source_with_year_and_kind():
    lines = ablation("rules").stdout.splitlines()
    heading = ""
    headings = {stated.id: "" for stated in STATEMENTS}
    for line in lines:
        if ": --source " in line:
            heading = line
        elif line.split()[:1] and line.split()[0] in headings:
            headings[line.split()[0]] = heading
    for stated in STATEMENTS:
        assert headings[stated.id] == f"{source_words(stated.source)}: --source {stated.source.key}"


ASKED = {name: FACTS[name] for name in FACTS if any(name in stated.entered for stated in STATEMENTS)}
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


def test_the_list_names_a_published_relation_by_author_and_year_and_a_source_in_its_heading_alone():
    said = ablation("rules").stdout
    assert "  Wang 2013  " in row_of("WA-01", said)
    assert "wang2013" not in said
    for stated in STATEMENTS:
        assert stated.source.label not in row_of(stated.id, said)


@pytest.mark.parametrize("rule", STATEMENTS, ids=lambda stated: stated.id)
def test_an_explanation_cites_its_source_once(rule):
    said = " ".join(ablation("rules", rule.id).stdout.split())
    standing = "unattributed: " if rule.source.status == "unattributed" else "unsigned: " * rule.source.unsigned
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
    as_typed = re.compile(rf"^({'|'.join(FACTS)}): ", re.MULTILINE)  # the facts of the list, by the name to enter
    for text in (said, as_typed.sub("", ablation("rules").stdout)):
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
    kinds = ("rules", "references", "advisories")
    assert sorted(one["id"] for kind in kinds for one in document[kind]) == sorted(stated.id for stated in STATEMENTS)
    assert [rule["id"] for rule in document["rules"]] == list(CATALOGUE.ids)
    assert [conflict["id"] for conflict in document["conflicts"]] == list(CATALOGUE.conflicts)
    assert [omitted["id"] for omitted in document["omitted"]] == [omitted.id for omitted in CATALOGUE.omitted]
    assert [system["name"] for system in document["systems"]] == [system.name for system in packaged_systems()]
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
    "arguments",
    [
        ("CO-05", "--template"), ("--template", "--json"), ("--schema", "--template"), ("--schema", "CO-05"),
        ("--check", "site.toml", "--json"), ("--site-example", "site_acclaim_2025", "CO-05"),
        ("--schema", "--about", "x"),
    ],
)  # fmt: skip
def test_what_is_printed_instead_stands_alone(arguments):
    ran = ablation("rules", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert "stand alone" in ran.stderr


@pytest.mark.parametrize("conflict", CATALOGUE.conflicts)
def test_each_conflict_shows_its_positions_and_every_statement_with_year_and_strength(conflict):
    said = " ".join(ablation("rules", conflict.lower()).stdout.split())
    assert said.startswith(f"{conflict} {CATALOGUE.conflicts[conflict].title}")
    assert " ".join(CATALOGUE.conflicts[conflict].positions.split()) in said
    for stated in STATEMENTS:
        if conflict in stated.conflicts:
            assert f"{stated.id} {asks(stated)} ({kind_words(stated)}). {attribution(stated)}" in said


def test_what_is_left_out_tells_why():
    for omitted in CATALOGUE.omitted:
        said = " ".join(ablation("rules", omitted.id).stdout.split())
        assert said == f"{omitted.id} Left out. {omitted.source}: {omitted.reason}"


def test_several_ids_are_explained_in_the_order_in_which_they_are_given():
    said = ablation("rules", "x1", "PS-01", "wang-2013", "CO-02", "x1").stdout
    starts = [said.index(start) for start in ("X1  ", "\nPS-01  ", "\nwang-2013  ", "\nCO-02  ")]
    assert starts == sorted(starts)
    assert said.count("X1  How large a margin, and whether the limit itself counts\n") == 1


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (("--source", "collision_2024"), lambda s: s.source.key == "collision_2024"),
        (("--source", "COLLISION trial"), lambda s: "COLLISION trial" in s.source.label),
        (("--source", "practice"), lambda s: "practice" in (s.source.key + s.source.label).lower()),
        (("--primary", "Gastric"), lambda s: not s.primary or "gastric" in s.primary),
        (("--phase", "post-procedure"), lambda s: "post_procedure" in s.phase),
        (("--about", "ablation"), lambda s: s.about == "ablation"),
        (("--question", "size and number"), lambda s: s.question == "size_and_number"),
        (("--question", "margin", "--primary", "colorectal"),
         lambda s: s.question == "margin" and (not s.primary or "colorectal" in s.primary)),
    ],
)  # fmt: skip
def test_words_list_the_statements_that_fit_and_combine(words, fits):
    wanted = [stated.id for stated in STATEMENTS if fits(stated)]
    ran = ablation("rules", *words)
    assert ran.code == 0
    assert [line.split()[0] for line in ran.stdout.splitlines() if re.match(r"[A-Z]{2,8}-\d\d", line)] == wanted
    document = json.loads(ablation("rules", *words, "--json").stdout)
    found = [one["id"] for kind in ("rules", "references", "advisories") for one in document[kind]]
    assert sorted(found) == sorted(wanted)
    assert "Published relations" not in ran.stdout


@pytest.mark.parametrize(
    ("option", "word", "near"),
    [
        ("--source", "colision", "collision_2024"), ("--primary", "colorectl", "colorectal"),
        ("--phase", "planing", "planning"), ("--about", "ablations", "ablation"), ("--question", "duct", "ducts"),
    ],
)  # fmt: skip
def test_an_unknown_word_is_a_usage_error_that_names_the_nearest(option, word, near):
    ran = ablation("rules", option, word)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"error [unknown-word]: {option.removeprefix('--')} '{word}' is not known")
    assert ran.stderr.count("\n") == 1
    assert f"'{near}'" in ran.stderr or near in ran.stderr.split("known: ")[1]


def test_where_nothing_fits_it_says_so():
    ran = ablation("rules", "--source", "practice_slide", "--question", "bowel")
    assert (ran.code, ran.stdout) == (0, "Nothing in the catalogue fits source practice_slide, question bowel.\n")


def test_ids_and_words_are_one_or_the_other():
    ran = ablation("rules", "CO-05", "--about", "ablation")
    assert (ran.code, ran.stdout) == (2, "")
    assert "IDs and --about: give one or the other" in ran.stderr


def test_the_list_names_every_conflict_and_what_is_left_out():
    said = ablation("rules").stdout
    for conflict in CATALOGUE.conflicts.values():
        assert f"\n{conflict.id:<4} {conflict.title}\n" in said
    left_out = said.split("lost their content: ")[1].split("\n\n")[0]
    assert left_out.split() == [f"{one.id}," for one in CATALOGUE.omitted[:-1]] + [CATALOGUE.omitted[-1].id]
