"""Measured numbers held against relations and rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from entered import EVERYTHING
from test_assess import alignment, assessed, case, lesion, whole

from pipelines.catalogue import packaged_catalogue, packaged_hazards
from planner.assessment import Distance
from planner.consult import Evidence, consulted
from planner.facts import FACTS as REGISTERED
from planner.guideline.phases import judged_by
from planner.register.alignment import Check
from planner.report.criteria import criteria
from planner.report.held_against import (
    fact_rows,
    other_facts,
    references,
    risk_sentences,
    unlocking_sentence,
)

EVIDENCE = Evidence(packaged_hazards(), packaged_catalogue().rules)
FEW = Evidence(
    packaged_hazards(),
    tuple(r for r in EVIDENCE.rules if r.id in ("PP-13", "CO-02", "CO-05", "CO-06", "PS-01", "PS-02", "PS-03")),
)
"""Seven rules, of which it can be told by hand what they wait for."""
FACTS = {"primary": "colorectal"}


def verdicts(found, rule):
    judged = next(j for j in found.judged if j.rule.id == rule)
    return {verdict.lesion_id: verdict.word for verdict in judged.lesions}


def test_the_relative_hazard_follows_the_margin_by_the_published_relation():
    found = consulted(whole(), FACTS, EVIDENCE)
    margin = lesion(whole(), "1").margin.min_mm
    assert lesion(found, "1").risk.relative_hazard == pytest.approx(0.54 ** ((margin - 5.0) / 5.0))


def test_a_lesion_without_a_margin_has_no_hazard_and_no_rule_about_margins_passes():
    found = consulted(whole(), FACTS, EVIDENCE)
    assert lesion(found, "3").status == "not_treated"
    assert lesion(found, "3").risk.relative_hazard is None
    assert verdicts(found, "CO-02")["3"] == "not_evaluable"


def test_margins_are_judged_by_the_bands_of_each_source():
    found = consulted(whole(), FACTS, EVIDENCE)
    for lesion_id in ("1", "2"):
        margin = lesion(found, lesion_id).margin.min_mm
        expected = "pass" if margin > 10 else "caution" if margin > 0 else "fail"
        assert verdicts(found, "CO-02")[lesion_id] == expected


def test_with_nothing_entered_a_colorectal_rule_waits_for_the_primary():
    found = consulted(whole(), {}, EVIDENCE)
    assert set(verdicts(found, "PP-13").values()) == {"not_evaluable"}
    assert found.unlocking[0].fact == "primary"


def test_a_failed_gate_leaves_hazard_and_margin_rules_unknown():
    bad = Check("predicted_error", 9.0, "mm", False, "too far off")
    gated = assessed(case(), alignment(zone_checks={"1": (bad,), "2": (bad,)}))
    found = consulted(gated, FACTS, EVIDENCE)
    assert {x.status for x in found.lesions} == {"not_assessable"}
    assert all(x.risk.relative_hazard is None for x in found.lesions)
    assert set(verdicts(found, "PP-13").values()) == {"not_evaluable"}


def test_without_evidence_nothing_is_added():
    found = consulted(whole(), FACTS, Evidence())
    assert found.judged == ()
    assert all(x.risk is None for x in found.lesions)
    assert [x.margin for x in found.lesions] == [x.margin for x in whole().lesions]


def rows_of(found):
    part = criteria(found)
    return [row for group in part.groups for row in (*group.rows, *group.unknown)] + list(part.not_applicable)


def test_a_reader_sees_words_with_their_source_never_bare_verdicts():
    found = consulted(whole(), FACTS, EVIDENCE)
    rows = rows_of(found)
    assert {row.rule for row in rows} == {judged.rule.id for judged in found.judged if judged.here}
    assert {line.says.split(";")[0] for row in rows for line in row.lines} <= {
        "meets", "short of the preferred band", "outside this source's criterion", "could not be judged",
        "does not apply", "for information",
    }  # fmt: skip
    assert all(row.source for row in rows)


def test_counts_are_those_of_the_verdicts_that_a_review_judges():
    found = consulted(whole(), FACTS, EVIDENCE)
    here = [judged for judged in found.judged if judged.here]
    verdicts_ = [verdict for judged in here for verdict in judged.lesions or (judged.case,)]
    held, counts = criteria(found).counts.split(": ")
    assert held == f"{len(here)} statements judged, {len(verdicts_)} verdicts"
    assert sum(int(part.split(" ", 1)[0]) for part in counts.split(";")[0].split(", ")) == len(verdicts_)


def test_counts_of_one_and_of_several_are_grammatical():
    found = consulted(whole(), FACTS, Evidence(rules=tuple(r for r in EVIDENCE.rules if r.id == "CO-02")))
    one = replace(found.judged[0].lesions[0], word="pass")
    counted = {
        n: criteria(replace(found, judged=(replace(found.judged[0], lesions=(one,) * n),))).counts.split(";")[0]
        for n in (1, 2)
    }
    assert counted == {
        1: "1 statement judged, 1 verdict: 1 meets",
        2: "1 statement judged, 2 verdicts: 2 meet",
    }
    assert criteria(whole()) is None


def test_every_lesion_has_a_sentence_with_its_margin_the_least_first():
    first = lesion(whole(), "1")
    negative = replace(first, margin=replace(first.margin, min_mm=-2.0, interval=None))
    lesions = (negative, *(x for x in whole().lesions if x.lesion_id != "1"))
    said = criteria(consulted(replace(whole(), lesions=lesions), FACTS, EVIDENCE)).sentences
    margins = {x.lesion_id: None if x.margin is None else x.margin.min_mm for x in lesions}
    known = sorted((name for name, mm in margins.items() if mm is not None), key=margins.__getitem__)
    assert [text.split(":")[0] for text in said][:3] == [f"Lesion {name}" for name in (*known, "3")]
    assert said[0].startswith(
        "Lesion 1: minimal margin -2.0 mm (not covered on these images); outside 3 criteria on margin"
    )
    assert f"minimal margin {margins['2']:.1f} mm; short of 3 criteria on margin" in said[1]
    assert said[2].startswith("Lesion 3: no minimal margin was measured; ")
    assert any(text.startswith("The ablation modality was not entered") for text in said)
    known_modality = consulted(whole(), {**FACTS, "modality": "microwave"}, EVIDENCE)
    assert not any("modality was not entered" in text for text in criteria(known_modality).sentences)


def test_lesions_that_read_alike_share_a_line():
    found = consulted(whole(), {}, EVIDENCE)
    (row,) = (row for row in rows_of(found) if row.rule == "PP-13")
    assert {line.lesions for line in row.lines} <= {"every lesion", *(x.lesion_id for x in whole().lesions)}
    assert sum(len(line.lesions.split(", ")) for line in row.lines) <= len(whole().lesions)


@pytest.mark.parametrize(
    ("distance_mm", "printed"), [(-0.5, "overlapping"), (-0.01, "overlapping"), (0.01, "touching"), (4.2, "4.2 mm")]
)
def test_a_zone_that_overlaps_a_duct_is_said_to(distance_mm, printed):
    near = Distance("common_bile_duct", "ablation", distance_mm, None)
    found = consulted(replace(whole(), lesions=(replace(lesion(whole(), "1"), distances=(near,)),)), FACTS, EVIDENCE)
    (row,) = (row for row in rows_of(found) if row.rule == "PS-03")
    assert [(line.word, line.value) for line in row.lines] == [("caution", printed)]


def test_a_margin_below_zero_stays_a_number():
    first = lesion(whole(), "1")
    negative = replace(first, margin=replace(first.margin, min_mm=-2.0, interval=None))
    found = consulted(replace(whole(), lesions=(negative,)), FACTS, EVIDENCE)
    stated = [row for row in rows_of(found) if row.rule in ("CO-02", "PP-13")]
    assert [line.value for row in stated for line in row.lines] == ["-2.0 mm", "-2.0 mm"]


def test_a_negative_margin_reads_not_covered_and_has_no_number():
    first = lesion(whole(), "1")
    negative = replace(first, margin=replace(first.margin, min_mm=-2.0))
    found = consulted(replace(whole(), lesions=(negative,)), FACTS, EVIDENCE)
    assert found.lesions[0].risk.relative_hazard is None
    assert "not covered on these images" in risk_sentences(found.lesions[0])[0]


def test_why_there_is_no_hazard_is_said_once():
    first = lesion(whole(), "1")
    negative = replace(first, margin=replace(first.margin, min_mm=-2.0))
    for without in (negative, lesion(whole(), "3")):
        found = consulted(replace(whole(), lesions=(without,)), FACTS, EVIDENCE)
        assert sum("no relative hazard" in said for said in risk_sentences(found.lesions[0])) == 1


def test_the_facts_that_a_verdict_rests_on_are_kept_and_dates_only_as_days():
    facts = {
        "primary": "colorectal", "modality": "irreversible_electroporation", "displacement": True, "approach": "",
        "ablation_date": date(2024, 1, 31), "post_scan_date": "2024-03-01",
    }  # fmt: skip
    found = consulted(whole(), facts, FEW)
    assert dict(found.facts) == dict.fromkeys(set(REGISTERED) - {"ablation_date", "post_scan_date"}) | {
        "primary": "colorectal", "modality": "irreversible_electroporation", "approach": None, "displacement": True,
        "one_session": None, "days_since_ablation": 30.0,
    }  # fmt: skip
    assert dict(fact_rows(found)) == {
        "primary tumour": "colorectal", "ablation modality": "irreversible electroporation", "approach": "not entered",
        "bowel displacement": "yes", "all zones in one session": "not entered", "days since the ablation": "30 days",
    }  # fmt: skip


def test_a_date_alone_is_said_to_be_entered_and_not_repeated():
    found = consulted(whole(), {"ablation_date": date(2024, 1, 31)}, EVIDENCE)
    assert found.facts["days_since_ablation"] is None
    assert "2024" not in str(fact_rows(found))
    assert dict(fact_rows(found))["ablation date"] == "entered, without the other date"


def test_dates_are_kept_as_days_from_the_ablation_and_lists_are_printed():
    entered = {"ablation_date": date(2024, 1, 31), "mdt_date": date(2023, 12, 31), "imatinib_start_date": "2024-02-01",
               "liver_mri_date": "2024-01-31", "board_members": ["radiologist", "liver_surgeon"],
               "body_surface_area_m2": 1.8, "ki67_percent": 20}  # fmt: skip
    found = consulted(whole(), entered, EVIDENCE)
    printed = dict(fact_rows(found))
    assert "2024" not in str(printed)
    assert printed["date of the tumour board"] == found.facts["mdt_date"] == "31 days before the ablation"
    assert printed["start of imatinib"] == "1 day after the ablation"
    assert printed["date of the liver MRI"] == "on the day of the ablation"
    assert printed["members of the tumour board"] == "liver surgeon, radiologist"
    assert (printed["body surface area"], printed["Ki-67"]) == ("1.8 m²", "20 %")
    alone = consulted(whole(), {"mdt_date": date(2023, 12, 31)}, EVIDENCE)
    assert dict(fact_rows(alone))["date of the tumour board"] == "entered, without the date of the ablation"


def test_a_report_names_the_three_facts_that_would_unlock_most_rules():
    near = (Distance("common_bile_duct", "tumour", 20.0, None), Distance("stomach", "tumour", 9.0, None))
    measured = replace(whole(), lesions=(replace(lesion(whole(), "1"), distances=near),))
    assert unlocking_sentence(consulted(measured, {}, FEW)) == (
        "Not entered, and would let most rules be judged: primary tumour (3 rules, 2 of them by itself); "
        "approach (1 rule, only with other facts); bowel displacement (1 rule, only with other facts)"
    )
    assert unlocking_sentence(consulted(whole(), EVERYTHING, EVIDENCE)) == ""


def test_what_nothing_asks_for_is_named_apart_and_no_fact_twice():
    found = consulted(whole(), {"grade": "g1"}, EVIDENCE)
    rows, others = [name for name, _ in fact_rows(found)], other_facts(found)
    assert "grade" in rows
    assert "Ki-67" in others
    assert sorted((*rows, *others)) == sorted(
        fact.words for name, fact in REGISTERED.items() if name not in ("ablation_date", "post_scan_date")
    )


def test_a_case_like_those_studied_is_said_to_be():
    facts = {**FACTS, "modality": "radiofrequency", "days_since_ablation": 40}
    said = risk_sentences(lesion(consulted(whole(), facts, EVIDENCE), "1"))
    assert "Matches those studied in primary, ablation modality, scan date." in said
    assert not any("Matches" in text for text in risk_sentences(lesion(consulted(whole(), {}, EVIDENCE), "1")))


def test_every_source_is_named_in_the_text_and_listed_with_what_finds_it():
    found = consulted(whole(), FACTS, FEW)
    assert risk_sentences(lesion(found, "1"))[0].startswith("Wang 2013: hazard of local tumour progression")
    listed = {name: f"{citation} {strength}" for name, citation, strength in references(found)}
    assert list(listed) == [
        "Wang 2013", "IOSF position paper (2013)", "COLLISION trial (2024)", "Practice slide (undated, unattributed)",
    ]  # fmt: skip
    for part in ("Wang X", "Margin size is an independent predictor", "Cardiovasc Intervent Radiol 2013;36:166-175",
                 "10.1007/s00270-012-0377-1", "cohort study"):  # fmt: skip
        assert part in listed["Wang 2013"]
    every = references(consulted(whole(), FACTS, EVIDENCE))
    for rule in (rule for rule in EVIDENCE.rules if judged_by("review", rule)):
        assert any(f"{rule.id}: {rule.strength}" in strength for _, _, strength in every)
