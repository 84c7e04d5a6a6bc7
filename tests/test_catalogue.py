from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from pipelines.catalogue import packaged_catalogue, packaged_hazards
from planner.errors import EvidenceError
from planner.findings import YES_NO
from planner.guideline.catalogue import load_catalogue
from planner.guideline.judge import judge
from planner.guideline.rule import ASIDE, WORST_FIRST

GUIDELINE = Path(__file__).resolve().parents[1] / "planner/guideline"
CONFLICTS = (GUIDELINE / "conflicts.toml").read_text(encoding="utf-8")
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (GUIDELINE / "rules").glob("*.toml")}
COLLISION = TEXTS["collision_2024.toml"]
PRACTICE = TEXTS["practice_slide.toml"]
CATALOGUE = packaged_catalogue()


def test_the_catalogue_orders_its_statements_by_source_unsigned_ones_last():
    for stated in (CATALOGUE.rules, CATALOGUE.references, CATALOGUE.advisories, CATALOGUE.statements):
        unsigned = [one.source.unsigned for one in stated]
        assert unsigned == sorted(unsigned)
    assert [hazard.id for hazard in packaged_hazards()] == ["WA-01"]


def branch_of(part, facts):
    """Return the branch that an example's facts choose; None where they leave it open."""
    return None if any(name not in facts for name in part.asked) else part.branches[part.branch(facts)]


def value_of(part, example):
    """Return the number that an example gives to a part; None where it gives none."""
    if part.kind == "measured":
        found = example.measured.get(part.quantity.name)
        return None if found is None else found.value
    stated = [example.facts.get(name) for name in part.needs]
    if None in stated:
        return None
    return float(stated[0]) if part.kind == "number" else float((stated[1] - stated[0]).days)


def reachable(part, scale):
    """Return the bands that a value of this quantity can fall into."""
    unit = part.quantity.unit
    if unit == YES_NO:
        return {scale.place(0.0), scale.place(1.0)}
    least = -math.inf if part.kind == "days" or part.quantity.name.startswith(("dist.", "margin.")) else 0.0
    least = 1.0 if part.quantity.name == "patient.n_lesions" else least
    bands = range(len(scale.verdicts))
    return {band for band in bands if band == len(scale.edges) or scale.edges[band].at > least or (
        scale.edges[band].at == least and scale.edges[band].belongs == "below")}  # fmt: skip


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_each_example_has_the_verdict_it_states(rule):
    for example in rule.examples:
        found = judge(rule, example.measured, example.facts, own=example.own)
        assert (found.word, found.borderline) == (example.verdict, example.borderline)
        assert example.missing is None or set(found.missing) == set(example.missing)


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_each_edge_of_each_branch_has_examples_on_both_sides_and_at_it(rule):
    for part in rule.parts:
        step = 1.0 if part.quantity.unit in ("lesions", "count", "days", "months", YES_NO) else 0.1001
        for branch in part.branches:
            given = [value_of(part, e) for e in rule.examples if branch_of(part, e.facts) == branch]
            said = [value for value in given if value is not None]
            scale = branch.scale
            if not scale.edges:
                continue
            possible = reachable(part, scale)
            assert {scale.place(value) for value in said} >= possible
            for n, edge in enumerate(scale.edges):
                if {n, n + 1} <= possible and part.quantity.unit != YES_NO:
                    assert any(value == edge.at for value in said)
                    other = [value for value in said if value != edge.at and abs(value - edge.at) <= step]
                    assert any((value < edge.at) == (edge.belongs == "above") for value in other)


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_each_branch_has_an_example(rule):
    for part in rule.parts:
        chosen = [branch_of(part, example.facts) for example in rule.examples]
        for branch in part.branches:
            assert branch in chosen, (part.quantity.name, branch.when)


def decides(rule, name):
    """Return whether the word of a rule can depend on a fact."""
    words = {word for part in rule.parts for branch in part.branches for word in branch.scale.verdicts}
    return name == "primary" or name in rule.where or len(words) > 1


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_each_rule_has_an_example_with_each_thing_that_it_needs_missing(rule):
    lacking = {name for example in rule.examples for name in example.missing or ()}
    assert lacking >= {name for name in rule.entered if decides(rule, name)}
    for name in rule.measured:
        without = [e for e in rule.examples if name not in e.measured]
        assert {e.verdict for e in without} & {rule.if_missing, "not_applicable"}, name
    if rule.primary:
        others = [e for e in rule.examples if e.facts.get("primary") not in (None, *rule.primary)]
        assert {e.verdict for e in others} == {"not_applicable"}


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_statements_about_other_treatments_have_examples_as_meant_and_beside_an_ablation(rule):
    if rule.about in ASIDE:
        assert {example.own for example in rule.examples} == {True, False}
        assert not {e.verdict for e in rule.examples if not e.own} & {"pass", "caution", "fail"}
    else:
        assert not any(example.own for example in rule.examples)


def test_sources_are_cited_by_title_year_and_section_never_by_file_locators():
    for text in (*TEXTS.values(), CONFLICTS):
        assert not re.search(r"(?<![\d.])00\d:\d+|\bG-\d\d\b", text)
    for stated in CATALOGUE.statements:
        cited = stated.source.citation
        assert cited.title
        assert cited.section
        assert cited.year or cited.published or stated.source.status == "unattributed"


@pytest.mark.parametrize("rule", CATALOGUE.rules, ids=lambda rule: rule.id)
def test_a_line_that_the_source_does_not_print_is_marked_ours_and_told(rule):
    edges = [edge for part in rule.parts for branch in part.branches for edge in branch.scale.edges]
    if any(not edge.from_source for edge in edges) and not any(p.quantity.unit == YES_NO for p in rule.parts):
        notes = " ".join((rule.note, *(branch.note for part in rule.parts for branch in part.branches)))
        assert re.search(r"\bours?\b|\bwe\b", notes), rule.id


def test_conflicts_show_the_other_rules():
    others = {stated.id for stated in CATALOGUE.disputing(CATALOGUE.rule("CO-05"))}
    assert others == {"PP-06", "PS-03", "NC-10", "NN-03", "PP-09", "CO-06"}
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
    message = refused(COLLISION, found, put)
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
