from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from entered import EVERYTHING

from pipelines.catalogue import packaged_catalogue
from planner.errors import InputError
from planner.facts import FACTS, SETTING_FACTS, TOPICS, checked_facts, nearest, scan_days, setting_of
from planner.guideline.phases import judged_by
from planner.guideline.rule import ASIDE


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_fact_is_registered_by_its_own_name_with_a_definition(name):
    fact = FACTS[name]
    assert fact.name == name
    assert fact.definition.endswith(".")
    assert (fact.kind in ("choice", "several_of")) == bool(fact.choices)
    assert (fact.kind == "number") == bool(fact.unit)
    assert fact.words


@pytest.mark.parametrize("empty", ["", [], None])
def test_an_empty_fact_is_unknown(empty):
    assert checked_facts({"primary": empty, "displacement": False}) == {"displacement": False}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("primray", "colorectal", "did you mean 'primary'?"),
        ("qqq", 1, "known: ablatable, ablation_date"),
        ("bowel_displacement", True, "did you mean 'displacement'?"),
        ("scan_days", 42, "did you mean 'days_since_ablation'?"),
        ("scan_day", 42, "did you mean 'days_since_ablation'?"),
        ("date_of_ablation", "", "did you mean 'ablation_date'?"),
        ("primary", "colorectl", "expected one of colorectal, .*did you mean 'colorectal'?"),
        ("primary", True, "expected one of colorectal"),
        ("displacement", "yes", "expected true or false"),
        ("days_since_ablation", -1, "at least 0"),
        ("days_since_ablation", True, "a number of days"),
        ("days_since_ablation", float("nan"), "a number of days"),
        ("ablation_date", "31.12.2024", "like 2024-12-31"),
        ("ablation_date", 20241231, "like 2024-12-31"),
        ("ki67", 20, "did you mean 'ki67_percent'?"),
        ("ki67_percent", 101, "a percentage, at least 0 and at most 100"),
        ("body_surface_area_m2", 18.0, "found 18.0, expected a number of m2, at least 0.1 and at most 4"),
        ("days_since_ablation", 1e300, r"found 1e\+300, expected a number of days, at least 0 and at most 36525"),
        ("resected_lesions", 1.5, "found 1.5, expected a whole number of tumours, at least 0 and at most 100"),
        ("standard_liver_volume_ml", 1.4, "at least 50"),
        ("board_members", ["radiologist", "liver_surgoen"], "a list of liver_surgeon, .*did you mean 'liver_surgeon'?"),
        ("board_members", "radiologist", "expected a list of"),
        ("extrahepatic_sites", [1], "expected a list of bone"),
        ("performance_status", 1, "expected one of ecog_0"),
    ],
)
def test_a_wrong_name_or_value_is_refused_and_the_nearest_is_named(name, value, said):
    with pytest.raises(InputError, match=said):
        checked_facts({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("ablation_date", "1999-13-01"), ("primary", date(1999, 12, 1)), ("primary", datetime(1999, 12, 1))],  # noqa: DTZ001
)
def test_a_wrong_date_is_not_repeated_in_the_message(name, value):
    with pytest.raises(InputError) as refused:
        checked_facts({name: value})
    assert "1999" not in str(refused.value)


def test_every_unknown_name_is_said_at_once():
    said = "fact number 1 is not known, did you mean 'primary'?; fact number 3 is not known, did you mean 'modality'?"
    with pytest.raises(InputError) as refused:
        checked_facts({"primray": "colorectal", "approach": "open", "modalty": "laser"})
    assert (str(refused.value), refused.value.where) == (said, "fact 'primray', fact 'modalty'")


def test_an_unknown_name_is_told_beside_the_message_on_one_line_and_cut():
    with pytest.raises(InputError) as refused:
        checked_facts({f"Doe\x1b[31m\n{'x' * 90}": 1})
    assert "Doe" not in str(refused.value)
    assert refused.value.where == f"fact 'Doe?[31m?{'x' * 31}'"


def test_what_facts_are_called_is_said_once():
    called = [name for fact in FACTS.values() for name in dict.fromkeys((fact.name, *fact.also))]
    assert sorted({name for name in called if called.count(name) > 1}) == []
    assert {fact.name for facts in TOPICS.values() for fact in facts} == set(FACTS)
    assert sum(len(facts) for facts in TOPICS.values()) == len(FACTS)


def test_a_list_keeps_the_order_of_the_registry_and_names_each_word_once():
    entered = {"board_members": ["radiologist", "liver_surgeon", "radiologist"], "extrahepatic_sites": []}
    assert checked_facts(entered) == {"board_members": ("liver_surgeon", "radiologist")}


def test_every_fact_can_be_entered_at_once():
    assert set(EVERYTHING) == set(FACTS)


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"extrahepatic_disease": "none", "extrahepatic_sites": ["bone"]}, "extrahepatic_disease is none"),
        ({"extrahepatic_disease": "none", "extrahepatic_residual_mm": 5}, "entered as extrahepatic_residual_mm"),
        ({"primary": "colorectal", "primary_site": "pancreas"}, "primary is colorectal, .* primary_site"),
        ({"prior_major_hepatectomy": True, "prior_liver_treatment": "ablation"}, "prior_major_hepatectomy is true"),
        ({"displacement": False, "separation_achieved": True}, "displacement is false"),
        ({"tki": "none", "imatinib_start_date": "1999-02-01"}, "tki is none"),
        ({"liver_mri": "not_done", "liver_mri_date": "1999-02-01"}, "liver_mri is not_done"),
        ({"mdt_discussed": False, "mdt_date": "1999-02-01"}, "mdt_discussed is false"),
        ({"seen_by_surgeon": False, "surgical_review_date": "1999-02-01"}, "seen_by_surgeon is false"),
        ({"chemotherapy_start_date": "1999-02-02", "chemotherapy_end_date": "1999-02-01"},
         "chemotherapy_end_date lies before chemotherapy_start_date"),
        ({"previous_scan_date": "1999-02-02", "post_scan_date": "1999-02-01"}, "post_scan_date lies before previous"),
        ({"post_chemotherapy": False, "chemotherapy_start_date": "1999-02-01", "ablation_date": "1999-02-02"},
         "post_chemotherapy is false, but"),
        ({"post_chemotherapy": True, "chemotherapy_start_date": "1999-02-02", "ablation_date": "1999-02-01"},
         "post_chemotherapy is true, but"),
    ],
)  # fmt: skip
def test_facts_that_contradict_each_other_are_refused_without_telling_dates(entered, said):
    with pytest.raises(InputError, match=said) as refused:
        checked_facts(entered)
    assert refused.value.code == "bad-fact"
    assert "1999" not in str(refused.value)
    for name in entered:
        checked_facts({other: value for other, value in entered.items() if other != name})


@pytest.mark.parametrize(
    "entered",
    [
        {"extrahepatic_disease": "none", "extrahepatic_residual_mm": 0},
        {"primary": "neuroendocrine", "primary_site": "rectum"},
        {"displacement": False, "separation_achieved": False},
        {"post_chemotherapy": False, "chemotherapy_start_date": "1999-02-02", "ablation_date": "1999-02-01"},
        {"chemotherapy_start_date": "1999-02-01", "chemotherapy_end_date": "1999-02-01"},
    ],
)
def test_facts_that_go_together_are_kept(entered):
    assert set(checked_facts(entered)) == set(entered)


def test_days_come_from_the_entry_or_from_both_dates():
    dates = {"ablation_date": "2024-02-01", "post_scan_date": date(2024, 3, 14)}
    assert scan_days(checked_facts({"days_since_ablation": 42})) == 42
    assert scan_days(checked_facts(dates)) == 42
    assert scan_days(checked_facts({"days_since_ablation": 42, **dates})) == 42
    assert scan_days(checked_facts({"ablation_date": "2024-02-01"})) is None


@pytest.mark.parametrize(
    "entered",
    [
        {"ablation_date": "2024-02-01", "post_scan_date": "2024-01-31"},
        {"ablation_date": "2024-02-01", "post_scan_date": "2024-02-02", "days_since_ablation": 3},
    ],
)
def test_days_that_contradict_themselves_are_refused(entered):
    for ask in (setting_of, checked_facts):
        with pytest.raises(InputError) as refused:
            ask(entered)
        assert refused.value.code == "bad-fact"


def test_the_setting_holds_what_was_entered_and_nothing_else():
    setting = setting_of({"primary": "colorectal"})
    assert (setting.primary, setting.modality, setting.scan_days) == ("colorectal", None, None)


def test_nearest_names_one_or_lists_what_there_is():
    assert nearest("CO-5", ["CO-05", "PP-13"]) == ", did you mean 'CO-05'?"
    assert nearest("zzz", ["CO-05", "PP-13"]) == ", known: CO-05, PP-13"


def test_the_readme_lists_every_fact_that_is_asked_for_with_its_choices() -> None:
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    ours = [r for r in packaged_catalogue().rules if judged_by("review", r) and r.about not in ASIDE]
    asked = {name for rule in ours for name in rule.entered}
    for fact in (*SETTING_FACTS, *(FACTS[name] for name in asked)):
        row = next(line for line in text.splitlines() if line.startswith("| ") and f"`{fact.name}`" in line)
        assert all(f"`{choice}`" in row for choice in fact.choices)
