from __future__ import annotations

import re
from pathlib import Path

import pytest
from entered import EVERYTHING

from pipelines.catalogue import packaged_catalogue, packaged_hazards
from planner.errors import EvidenceError
from planner.facts import FACTS
from planner.findings import QUANTITIES
from planner.guideline.catalogue import load_catalogue
from planner.guideline.judge import judge, judge_case
from planner.guideline.measured import Measured
from planner.guideline.rule import ASIDE, WORST_FIRST

GUIDELINE = Path(__file__).resolve().parents[1] / "planner/guideline"
CONFLICTS = (GUIDELINE / "conflicts.toml").read_text(encoding="utf-8")
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (GUIDELINE / "rules").glob("*.toml")}
COLLISION = TEXTS["collision_2024.toml"]
PRACTICE = TEXTS["practice_slide.toml"]
CATALOGUE = packaged_catalogue()


def only(text, *rule_ids):
    """Return the text of a file with these of its rules and nothing else."""
    head, *entries = re.split(r"(?m)^(?=\[\[(?:rule|reference|advisory)\]\]$)", text)
    return head + "".join(entry for entry in entries if any(f'= "{rule_id}"\n' in entry for rule_id in rule_ids))


def test_each_entry_has_an_id_of_its_own_and_unsigned_sources_come_last():
    ids = [entry.id for entry in (*CATALOGUE.statements, *CATALOGUE.omitted)]
    assert len(set(ids)) == len(ids)
    assert [hazard.id for hazard in packaged_hazards()] == ["WA-01"]
    for entries in (CATALOGUE.rules, CATALOGUE.references, CATALOGUE.advisories, CATALOGUE.statements):
        unsigned = [entry.source.unsigned for entry in entries]
        assert unsigned == sorted(unsigned)


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_each_example_has_the_verdict_it_states(rule):
    for example in rule.examples:
        found = judge(rule, example.measured, example.facts, own=example.own)
        assert (found.word, found.borderline) == (example.verdict, example.borderline)
        assert example.missing is None or set(found.missing) == set(example.missing)


def number(part, example):
    """Return the number that a part judges in an example: measured, entered, or days between two dates."""
    if part.kind == "measured":
        found = example.measured.get(part.quantity.name)
        return None if found is None else found.value
    stated = [example.facts.get(name) for name in part.needs]
    if not stated or None in stated:
        return None
    return float(stated[0]) if part.kind == "number" else float((stated[1] - stated[0]).days)


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_each_branch_has_an_example_in_each_band_and_at_each_edge(rule):
    examples = [e for e in rule.examples if not rule.primary or e.facts.get("primary") in rule.primary]
    for part in rule.parts:
        for at, branch in enumerate(part.branches):
            taken = [e for e in examples if set(part.asked) <= set(e.facts) and part.branch(e.facts) == at]
            if not branch.needs_value:
                settled = [e for e in examples if all(e.facts.get(n) in v for n, v in branch.when.items())]
                assert taken or (settled and branch.when), branch.when
                continue
            said = [value for value in (number(part, e) for e in taken) if value is not None]
            assert {branch.scale.place(value) for value in said} == set(range(len(branch.scale.verdicts)))
            for edge in branch.scale.edges:
                assert edge.at in said


def may_be_missing(rule):
    """Return whether the word depends on anything: one that is shown whatever is entered waits for nothing."""
    words = {word for part in rule.parts for branch in part.branches for word in branch.scale.verdicts}
    return bool(rule.primary or rule.measured) or len(words) > 1


@pytest.mark.parametrize("rule", [r for r in CATALOGUE.rules if may_be_missing(r)], ids=lambda rule: rule.id)
def test_each_rule_has_an_example_with_what_it_needs_missing(rule):
    lacking = [e for e in rule.examples if e.missing or not set(rule.measured) <= set(e.measured)]
    assert "not_evaluable" in {example.verdict for example in lacking}
    if rule.measured:
        assert any(not set(rule.measured) <= set(example.measured) for example in lacking)
    if rule.entered:
        assert any(example.missing for example in rule.examples)


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_statements_about_other_treatments_have_examples_as_meant_and_beside_an_ablation(rule):
    if rule.about in ASIDE:
        assert {example.own for example in rule.examples} == {True, False}
        assert not {e.verdict for e in rule.examples if not e.own} & {"pass", "caution", "fail"}
    else:
        assert not any(example.own for example in rule.examples)


@pytest.mark.parametrize("primary", FACTS["primary"].values)
@pytest.mark.parametrize("command", ["review", "plan"])
def test_on_an_ablation_of_any_primary_nothing_about_another_treatment_judges(primary, command):
    facts = {**EVERYTHING, "primary": primary, "modality": "microwave"}
    measured = {name: Measured(1.0, quantity.unit) for name, quantity in QUANTITIES.items()}
    judged = judge_case(CATALOGUE.rules, {"1": measured, "2": {}}, measured, facts, command)
    for one in judged:
        if one.rule.about in ASIDE:
            assert {v.word for v in one.verdicts} <= {"info", "not_applicable"}, one.rule.id
            info = [reason for v in one.verdicts if v.word == "info" for reason in v.reasons]
            assert all(reason.startswith(f"{ASIDE[one.rule.about]}, not about ablation") for reason in info)
    if primary == "hepatocellular" and command == "plan":
        (scope,) = [one.case for one in judged if one.rule.id == "TA-04"]
        assert scope.word == "not_evaluable"
        assert "hepatocellular" in scope.reasons[0]


def test_sources_are_cited_by_title_year_and_section_never_by_file_locators():
    for text in (*TEXTS.values(), CONFLICTS):
        assert not re.search(r"(?<![\d.])00\d(:\d+)?\b", text)
    for rule in CATALOGUE.rules:
        cited = rule.source.citation
        assert cited.title
        assert cited.section
        assert cited.year or cited.published or rule.source.status == "unattributed"


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_an_edge_that_the_source_does_not_print_is_said_to_be_ours(rule):
    edges = [edge for part in rule.parts for branch in part.branches for edge in branch.scale.edges]
    assert all(edge.from_source for edge in edges) or re.search(r"\b(ours|our line|no line of the source)\b", rule.note)


def test_conflicts_show_the_other_statements():
    others = {entry.id for entry in CATALOGUE.disputing(CATALOGUE.rule("CO-05"))}
    assert others == {"PP-06", "PP-09", "PS-03", "CO-06", "NC-10", "NN-03"}
    assert CATALOGUE.conflicts["X1"].positions


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(EvidenceError, match="did you mean 'CO-05'"):
        CATALOGUE.rule("CO-5")


def refused(text, found, put):
    assert found in text
    with pytest.raises(EvidenceError) as error:
        load_catalogue({"site.toml": text.replace(found, put, 1)}, CONFLICTS)
    message = str(error.value)
    assert message.startswith("site.toml: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("found", "put", "rule", "said"),
    [
        ("gt = 0.0, le = 10.0", "gt = 0.0, lt = 10.0", "CO-02", "no band holds 10"),
        ("gt = 0.0, le = 10.0", "gt = 0.0, le = 9.0", "CO-02", "gap between 9 and 10"),
        ("gt = 0.0, le = 10.0", "gt = 0.0, le = 11.0", "CO-02", "overlap at 10"),
        ("gt = 0.0, le = 10.0", "ge = 0.0, le = 10.0", "CO-02", "two bands hold 0"),
        ("gt = 0.0, le = 10.0", "gt = 10.0, le = 0.0", "CO-02", "holds nothing"),
        ("gt = 0.0, le = 10.0", "gt = 0.0, ge = 0.0, le = 10.0", "CO-02", "two lower or two upper"),
        ('{ verdict = "pass",    gt = 10.0 },', "", "CO-02", "nothing is said of values above 10"),
        ('{ verdict = "fail",    le = 0.0 },', "", "CO-02", "nothing is said of values below 0"),
        ("edges_from_source = [10.0]", "edges_from_source = [12.0]", "CO-02", "which is no edge"),
        ('unit        = "mm"', 'unit        = "percent"', "CO-02", "unit percent of margin.min_mm, expected mm"),
        ('quantity    = "margin.min_mm"', 'quantity = "margin.mim_mm"', "CO-02", "did you mean 'margin.min_mm'"),
        ('measured    = ["margin.min_mm"]', "measured = []", "CO-02", "lists nothing, the rule needs margin.min_mm"),
        ('entered     = ["primary"]', "entered = []", "CO-02", "lists nothing, the rule needs primary"),
        ('primary = ["colorectal"]', 'primary = ["colorectl"]', "CO-02", "did you mean 'colorectal'"),
        ('per         = "lesion"', 'per = "session"', "CO-02", "per session, but"),
        ('conflicts   = ["X1"]', 'conflicts = ["X99"]', "CO-02", "conflict X99 is not described"),
        ('source      = "collision_2024"', 'source = "collision"', "CO-02", "did you mean 'collision_2024'"),
        ('verdict = "pass",    gt', 'verdict = "passes", gt', "CO-02", "Input should be"),
        ("gt = 10.0 }", 'gt = "10" }', "CO-02", "number"),
        ("gt = 10.0 }", "gt = nan }", "CO-02", "finite number"),
        ('if_missing  = "not_evaluable"', 'if_missing = "pass"', "CO-02", "not_evaluable"),
        ("title       = ", "titel       = ", "CO-02", "titel: unknown key"),
        ('verdict  = "pass"', 'verdict  = "fail"', "CO-02", "example 1 gives pass, states fail"),
        ('"CO-05"', '"CO-02"', "CO-02", "given to two entries"),
        ("displacement = true }", "displacement = false }", "CO-06", "cases hold for"),
        ('approach = "open" }', 'approach = "opne" }', "CO-06", "cannot be 'opne', expected percutaneous"),
        ("when  = { displacement = true }", "when  = { displacment = true }", "CO-06", "did you mean 'displacement'"),
    ],
)
def test_a_malformed_rule_is_refused_with_file_id_and_reason(found, put, rule, said):
    if "two rules" in said:
        with pytest.raises(EvidenceError, match=said):
            load_catalogue({"site.toml": COLLISION.replace(found, put)}, CONFLICTS)
        return
    message = refused(only(COLLISION, "CO-02", "CO-05", "CO-06"), found, put)
    assert rule in message
    assert said in message


def test_a_source_without_a_year_must_be_unattributed():
    assert "year is missing" in refused(PRACTICE, 'status    = "unattributed"', 'status = "current"')


def test_text_that_is_no_toml_or_far_too_long_is_refused():
    assert "not TOML" in refused(COLLISION, "[[rule]]", "[[rule")
    assert "expected at most" in refused(COLLISION, "schema_version = 1", "schema_version = 1 #" + "x" * 10_000_000)


def test_a_band_may_be_the_worst_of_the_six_words_only():
    assert set(WORST_FIRST) == {"pass", "caution", "fail", "info", "not_evaluable", "not_applicable"}


def test_a_rule_quotes_its_source_and_commands_nothing():
    for rule in packaged_catalogue().rules:
        assert rule.title.startswith(f"{rule.source.label}: ")
        for text in (rule.title.removeprefix(f"{rule.source.label}: "), rule.statement):
            assert not re.match(r"(?i)(generally )?(do|aim|never|no|keep|avoid|treat|ablate)\b", text), text
        assert not re.search(r"(?i)\b(do not|must|should)\b", rule.statement), rule.statement
