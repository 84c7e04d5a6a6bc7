"""What a rule may be made of: numbers and days that were entered, facts alone, parts that all or any must hold."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalogue import packaged_catalogue
from planner.errors import EvidenceError
from planner.guideline.judge import judge, judge_case
from planner.guideline.loading import load_file
from planner.guideline.measured import Measured
from planner.guideline.unlock import unlocking_facts
from planner.guideline.words import why

HEAD = """
schema_version = 1
[sources.trial]
label = "a trial"
title = "A trial"
year = 2024
section = "Criteria"
kind = "rct"
status = "current"
scheme = "trial criterion"

[[rule]]
id = "ZZ-01"
source = "trial"
title = "something"
statement = "Something is asked."
question = "context"
phase = ["post_procedure"]
level = { grade = "trial criterion", stated_in_source = true }
per = "patient"
"""
TAIL = """
[[rule.example]]
facts = { EXAMPLE }
verdict = "WORD"
"""


def made(body: str, example: str = "", word: str = "not_evaluable", about: str = "ablation", scope: str = ""):
    scope = scope or '{ treatment = "any" }'
    text = HEAD + f'about = "{about}"\nscope = {scope}\n' + body
    text = text if "if_missing" in text else text + '\nif_missing = "not_evaluable"\n'
    # Keys of the rule come before its tables.
    keys, tables = [], []
    for line in text.split("[[rule]]")[1].splitlines():
        (tables if tables or line.startswith("[[rule.case]]") else keys).append(line)
    moved = [line for line in tables if line.startswith("if_missing")]
    tables = [line for line in tables if not line.startswith("if_missing")]
    text = text.split("[[rule]]")[0] + "[[rule]]" + "\n".join([*keys, *moved, *tables])
    text += TAIL.replace("EXAMPLE", example).replace("WORD", word)
    (rule,) = load_file(text, "trial.toml", packaged_catalogue().conflicts)[0]
    return rule


def said(rule, facts, measured=(), **more):
    found = judge(rule, dict(measured), facts, **more)
    return found.word, found.missing


KI67 = """
fact = "ki67_percent"
unit = "percent"
measured = []
entered = ["ki67_percent"]
bands = [ { verdict = "info", ge = 55.0 }, { verdict = "not_applicable", lt = 55.0 } ]
edges_from_source = [55.0]
"""


@pytest.mark.parametrize(
    ("percent", "word"), [(54.9, "not_applicable"), (55.0, "info"), (100.0, "info"), (0.0, "not_applicable")]
)
def test_an_entered_number_is_held_to_bands(percent, word):
    assert said(made(KI67), {"ki67_percent": percent}) == (word, ())


def test_an_entered_number_that_is_missing_is_named():
    assert said(made(KI67), {}) == ("not_evaluable", ("ki67_percent",))


BOARD_FIRST = """
days = ["mdt_date", "chemotherapy_start_date"]
unit = "days"
measured = []
entered = ["mdt_date", "chemotherapy_start_date", "post_chemotherapy"]

[[rule.case]]
when = { post_chemotherapy = false }
verdict = "pass"
note = "No chemotherapy was given."

[[rule.case]]
bands = [ { verdict = "pass", ge = 0.0 }, { verdict = "fail", lt = 0.0 } ]
"""
BOARD, CHEMO = date(2024, 3, 1), "chemotherapy_start_date"


@pytest.mark.parametrize(
    ("facts", "word", "missing"),
    [
        ({CHEMO: date(2024, 3, 1), "mdt_date": BOARD, "post_chemotherapy": True}, "pass", ()),
        ({CHEMO: date(2024, 2, 29), "mdt_date": BOARD, "post_chemotherapy": True}, "fail", ()),
        ({CHEMO: date(2024, 4, 1), "mdt_date": BOARD}, "pass", ()),
        ({"post_chemotherapy": False}, "pass", ()),
        ({"post_chemotherapy": True, "mdt_date": BOARD}, "not_evaluable", (CHEMO,)),
        ({}, "not_evaluable", ("post_chemotherapy", "mdt_date", CHEMO)),
    ],
)
def test_days_between_two_entered_dates(facts, word, missing):
    assert said(made(BOARD_FIRST), facts) == (word, missing)


def test_the_note_of_the_case_that_holds_is_told():
    assert "No chemotherapy was given" in why(judge(made(BOARD_FIRST), {}, {"post_chemotherapy": False}))


ALONE = """
measured = []
entered = ["treatment_intent", "extrahepatic_disease"]

[[rule.case]]
when = { treatment_intent = "palliative", extrahepatic_disease = "uncontrolled" }
verdict = "fail"

[[rule.case]]
verdict = "pass"
"""


@pytest.mark.parametrize(
    ("facts", "word", "missing"),
    [
        ({"treatment_intent": "palliative", "extrahepatic_disease": "uncontrolled"}, "fail", ()),
        ({"treatment_intent": "curative"}, "pass", ()),
        ({"extrahepatic_disease": "none"}, "pass", ()),
        ({"treatment_intent": "palliative"}, "not_evaluable", ("extrahepatic_disease",)),
        ({}, "not_evaluable", ("treatment_intent", "extrahepatic_disease")),
    ],
)
def test_facts_alone_give_a_verdict_and_the_last_case_takes_the_rest(facts, word, missing):
    assert said(made(ALONE), facts) == (word, missing)


SMALL_AND_SINGLE = """
measured = ["patient.n_lesions", "patient.max_axial_diameter_mm"]
entered = ["resectability"]
all_of = [
  { quantity = "patient.n_lesions", unit = "lesions", bands = [ { verdict = "info", le = 1.0 }, { verdict = "not_applicable", gt = 1.0 } ] },
  { quantity = "patient.max_axial_diameter_mm", unit = "mm", bands = [ { verdict = "info", le = 20.0 }, { verdict = "not_applicable", gt = 20.0 } ] },
  { case = [ { when = { resectability = "unresectable" }, verdict = "not_applicable" }, { verdict = "caution" } ] },
]
"""  # noqa: E501 - a table of TOML stands on one line


def count_and_size(count, diameter_mm, ci95=None):
    return {
        "patient.n_lesions": Measured(count, "lesions"),
        "patient.max_axial_diameter_mm": Measured(diameter_mm, "mm", ci95),
    }


def test_one_part_that_does_not_apply_puts_the_rule_out_of_scope_whatever_is_unknown():
    rule = made(SMALL_AND_SINGLE)
    resectable = {"resectability": "resectable"}
    assert said(rule, resectable, count_and_size(1, 20.0)) == ("caution", ())
    assert said(rule, {}, count_and_size(1, 20.0)) == ("not_evaluable", ("resectability",))
    assert said(rule, {}, count_and_size(2, 20.0)) == ("not_applicable", ())
    assert said(rule, resectable, {"patient.n_lesions": Measured(3, "lesions")}) == ("not_applicable", ())
    assert said(rule, resectable, {"patient.n_lesions": Measured(1, "lesions")})[0] == "not_evaluable"


def test_a_size_near_the_edge_of_the_scope_is_borderline():
    found = judge(made(SMALL_AND_SINGLE), count_and_size(1, 20.5, (19.5, 21.5)), {"resectability": "resectable"})
    assert (found.word, found.borderline) == ("not_applicable", True)


TRIGGERS = """
measured = ["patient.n_lesions"]
entered = ["metastases_timing", "primary_node_positive"]
any_of = [
  { quantity = "patient.n_lesions", unit = "lesions", bands = [ { verdict = "info", gt = 5.0 }, { verdict = "not_applicable", le = 5.0 } ] },
  { case = [ { when = { metastases_timing = "synchronous" }, verdict = "info" }, { verdict = "not_applicable" } ] },
  { case = [ { when = { primary_node_positive = true }, verdict = "info" }, { verdict = "not_applicable" } ] },
]
"""  # noqa: E501 - a table of TOML stands on one line


@pytest.mark.parametrize(
    ("count", "facts", "word", "missing"),
    [
        (6, {}, "info", ()),
        (5, {"metastases_timing": "synchronous"}, "info", ()),
        (5, {"metastases_timing": "metachronous", "primary_node_positive": False}, "not_applicable", ()),
        (5, {"metastases_timing": "metachronous"}, "not_evaluable", ("primary_node_positive",)),
        (None, {"primary_node_positive": True}, "info", ()),
    ],
)
def test_where_any_part_is_enough_one_that_speaks_decides(count, facts, word, missing):
    measured = {} if count is None else {"patient.n_lesions": Measured(count, "lesions")}
    assert said(made(TRIGGERS), facts, measured) == (word, missing)


def test_facts_of_the_scope_decide_whether_a_rule_applies():
    rule = made(
        KI67.replace('["ki67_percent"]', '["ki67_percent", "grade"]'),
        scope='{ treatment = "any", facts = { grade = "g3" } }',
    )
    assert said(rule, {"grade": "g1", "ki67_percent": 60.0}) == ("not_applicable", ())
    assert said(rule, {"grade": "g3", "ki67_percent": 60.0}) == ("info", ())
    assert said(rule, {"ki67_percent": 60.0}) == ("not_evaluable", ("grade",))
    assert "speaks of grade: g3; entered: g1" in why(judge(rule, {}, {"grade": "g1", "ki67_percent": 60.0}))


REPORTED = """
quantity = "flr.volume_ml"
unit = "ml"
measured = ["flr.volume_ml"]
entered = []
if_missing = "caution"
bands = [ { verdict = "info" } ]
"""


def test_a_value_that_the_source_wants_known_gives_caution_where_it_is_not():
    rule = made(REPORTED, word="caution")
    assert said(rule, {}) == ("caution", ())
    assert said(rule, {}, {"flr.volume_ml": Measured(900.0, "ml")}) == ("info", ())


@pytest.mark.parametrize(("about", "spoken"), [("resection", "resection"), ("systemic", "systemic therapy")])
def test_a_statement_about_another_treatment_never_judges_an_ablation(about, spoken):
    rule = made(ALONE, about=about, word="not_applicable")
    failing = {"treatment_intent": "palliative", "extrahepatic_disease": "uncontrolled"}
    assert judge(rule, {}, failing, own=True).word == "fail"
    for facts in (failing, {"treatment_intent": "curative"}):
        found = judge(rule, {}, facts)
        assert (found.word, found.borderline, found.missing) == ("info", False, ())
        assert why(found).startswith(f"speaks about {spoken}")
    unknown = judge(rule, {}, {})
    assert (unknown.word, unknown.missing) == ("not_applicable", ())


def test_a_statement_about_resection_names_a_primary_tumour_that_was_not_entered():
    scope = '{ treatment = "any", primary = ["breast"] }'
    body = ALONE.replace('"extrahepatic_disease"]', '"extrahepatic_disease", "primary"]')
    rule = made(body, about="resection", scope=scope)
    assert said(rule, {}) == ("not_evaluable", ("primary",))
    assert said(rule, {"primary": "breast"})[0] == "not_applicable"
    assert said(rule, {"primary": "gastric"})[0] == "not_applicable"


def test_a_rule_of_other_phases_is_listed_with_the_command_that_judges_it():
    rule = made(ALONE)
    early = [rule.__class__(**{**{n: getattr(rule, n) for n in rule.__slots__}, "phase": ("eligibility",)})]
    (found,) = judge_case(early, {}, {}, {"treatment_intent": "curative"})
    assert (found.here, found.case.word) == (False, "not_applicable")
    assert found.case.reasons == ("speaks of eligibility: `ablation plan` judges that",)
    (planned,) = judge_case(early, {}, {}, {"treatment_intent": "curative"}, "plan")
    assert (planned.here, planned.case.word) == (True, "pass")


@pytest.mark.parametrize(
    ("body", "facts", "unlocking"),
    [
        (KI67, {}, {"ki67_percent": True}),
        (BOARD_FIRST, {}, {"post_chemotherapy": True, "mdt_date": False, CHEMO: False}),
        (BOARD_FIRST, {"post_chemotherapy": True, "mdt_date": BOARD}, {CHEMO: True}),
        (BOARD_FIRST, {"post_chemotherapy": True, CHEMO: BOARD}, {"mdt_date": True}),
    ],
)
def test_numbers_and_dates_unlock_rules(body, facts, unlocking):
    found = unlocking_facts([made(body)], {}, {}, facts)
    assert {one.fact: bool(one.alone) for one in found} == unlocking


@pytest.mark.parametrize(
    ("body", "found", "put", "fault"),
    [
        (KI67, "ki67_percent", "ki67", "fact 'ki67' is no number"),
        (KI67, 'unit = "percent"', 'unit = "mm"', "unit mm of ki67_percent, expected percent"),
        (KI67, 'entered = ["ki67_percent"]', "entered = []", "the rule needs ki67_percent"),
        (BOARD_FIRST, '["mdt_date", "chemotherapy', '["primary", "chemotherapy', "is no date"),
        (BOARD_FIRST, "[[rule.case]]\nbands", '[[rule.case]]\nverdict = "info"\nbands', "either bands or a verdict"),
        (ALONE, "[[rule.case]]\nverdict", '[[rule.case]]\nverdict = "info"\n[[rule.case]]\nverdict', "takes what"),
        (ALONE, '[[rule.case]]\nverdict = "pass"', "", "0 cases hold"),
        (SMALL_AND_SINGLE, "all_of", 'unit = "mm"\nall_of', "stands alone"),
    ],
)
def test_a_malformed_rule_is_refused_with_file_id_and_reason(body, found, put, fault):
    assert found in body
    with pytest.raises(EvidenceError) as error:
        made(body.replace(found, put, 1))
    assert str(error.value).startswith("trial.toml: ZZ-01")
    assert fault in str(error.value)
