"""What stands beside a relative hazard: in an assessment, in result.json and in the report."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from review_fixture import a_review, an_assessment
from test_report_html import page

from pipelines.catalogue import named_baseline, packaged_hazards
from pipelines.store.result import result_bytes, result_document
from pipelines.wire import packaged_evidence
from planner.consult import Evidence, consulted
from planner.evidence.beside import NO_BASELINE
from planner.report.risk import SAID_ALONE, beside_section, risk_lines
from planner.report.table import table_text

EVIDENCE = packaged_evidence()
WITH_COHORT = packaged_evidence("ras-prospective-mutant")
STUDIED = {"primary": "colorectal", "modality": "radiofrequency", "days_since_ablation": 40}
OLD_KEYS = {
    "model", "relative_hazard", "reference_mm", "interval", "upper_bounded", "margin_in_range", "population", "notes",
    "source", "strength",
}  # fmt: skip
NEW_KEYS = {"model_interval", "size_factor", "other_models", "absolute", "flags"}


def lesion(number, facts=STUDIED, evidence=EVIDENCE):
    return next(x for x in consulted(an_assessment(), facts, evidence).lesions if x.lesion_id == number)


def written(facts=STUDIED, evidence=EVIDENCE):
    review = a_review()
    document = result_document(replace(review, assessment=consulted(review.assessment, facts, evidence)))
    return json.loads(result_bytes(document))["lesions"]


def percents(value):
    """Return every entry of a document whose name or unit says percent."""
    if isinstance(value, dict):
        return [v for k, v in value.items() if "percent" in k] + [p for v in value.values() for p in percents(v)]
    return [p for v in value for p in percents(v)] if isinstance(value, list) else []


def test_what_stands_beside_never_changes_the_relative_hazard():
    alone = consulted(an_assessment(), STUDIED, Evidence(packaged_hazards())).lesions
    beside = consulted(an_assessment(), STUDIED, WITH_COHORT).lesions
    assert [x.risk for x in alone] == [x.risk for x in beside]


def test_the_result_keeps_its_keys_and_adds_the_new_ones():
    review = a_review()
    unasked = json.loads(result_bytes(result_document(review)))["lesions"]
    for found in (*written(), *written({}, WITH_COHORT), *unasked):
        assert set(found["ltp"]) == OLD_KEYS | NEW_KEYS


def test_size_stands_beside_and_is_not_multiplied_in():
    first = written()[0]
    size, ltp = first["ltp"]["size_factor"], first["ltp"]
    assert size["multiplied_in"] is False
    assert size["diameter_mm"] == first["max_axial_diameter_mm"]
    assert size["ratio"] == pytest.approx(1.22 ** ((size["diameter_mm"] - size["reference_mm"]) / 5), abs=1e-4)
    assert ltp["relative_hazard"] == pytest.approx(0.54 ** ((first["margin"]["min_mm"] - 5) / 5), abs=1e-3)


def test_a_tumour_that_is_not_covered_has_no_number_beside_it_either():
    second = written(evidence=WITH_COHORT)[1]
    assert second["margin"]["min_mm"] < 0
    ltp = second["ltp"]
    assert (ltp["relative_hazard"], ltp["size_factor"], ltp["model_interval"]) == (None, None, None)
    assert {row["ratio"] for row in ltp["other_models"]} == {None}
    assert all("not covered on these images" in row["reason"] for row in ltp["other_models"])
    assert (ltp["absolute"]["class"], ltp["absolute"]["touched"], ltp["absolute"]["all_margins"]) == (None, [], [])
    assert "not covered on these images" in ltp["absolute"]["reason"]


def test_without_a_named_cohort_there_is_no_absolute_number_anywhere():
    for found in written():
        assert found["ltp"]["absolute"] is None
        assert percents(found["ltp"]) == []
        assert {"field": "ltp.absolute", "code": "no-baseline", "text": NO_BASELINE} in found["reasons"]
    assessment = consulted(an_assessment(), STUDIED, EVIDENCE)
    for text in (table_text(assessment), page(assessment)):
        assert "Cohort" not in text
        assert " years" not in text


def test_a_named_cohort_gives_the_rate_of_the_class_of_the_margin_at_its_years():
    first = written(evidence=WITH_COHORT)[0]
    absolute, margin_mm = first["ltp"]["absolute"], first["margin"]["min_mm"]
    assert absolute["cohort"] == "ras-prospective-mutant"
    assert "2020" in absolute["label"]
    expected = {"margin": "< 5 mm", "percent": 47.6} if margin_mm < 5 else {"margin": ">= 5 mm", "percent": 8.6}
    assert absolute["class"]["margin"] == expected["margin"]
    assert absolute["class"]["rates"] == [
        {"years": 2, "percent": expected["percent"], "ci95_percent": [None, None]}
    ]  # fmt: skip
    said = " ".join(beside_section(lesion("1", evidence=WITH_COHORT)).observed)
    assert f"{expected['percent']:g} % at 2 years (margins {expected['margin']}), the class of this margin" in said
    assert "RAS prospective cohort, mutant (patients of June 2020 to July 2022), named by the user" in said
    assert "no forecast for this lesion" in said


@pytest.mark.parametrize("facts", [STUDIED, {}], ids=["all entered", "nothing entered"])
@pytest.mark.parametrize("evidence", [EVIDENCE, WITH_COHORT], ids=["no cohort", "cohort"])
def test_no_null_beside_the_hazard_is_without_a_reason(facts, evidence):
    def nulls(value, path):
        if isinstance(value, dict):
            return [p for k, v in value.items() for p in nulls(v, f"{path}.{k}")]
        if isinstance(value, list):
            return [p for v in value for p in nulls(v, path)]
        return [path] if value is None else []

    for found in written(facts, evidence):
        fields = [reason["field"] for reason in found["reasons"]]
        assert len(fields) == len(set(fields))
        for path in nulls(found["ltp"], "ltp"):
            assert any(path == field or path.startswith(f"{field}.") for field in fields if field), path


def test_the_second_case_with_nothing_entered_loses_no_number_and_says_what_is_unknown():
    entered, bare = written(), written({})
    for one, other in zip(entered, bare, strict=True):
        assert one["ltp"]["relative_hazard"] == other["ltp"]["relative_hazard"]
        assert one["ltp"]["size_factor"] == other["ltp"]["size_factor"]
        assert [r["ratio"] for r in one["ltp"]["other_models"]] == [r["ratio"] for r in other["ltp"]["other_models"]]
        codes = {flag["code"] for flag in other["ltp"]["flags"]}
        assert {"primary_unknown", "modality_unknown", "scan_day_unknown"} <= codes
        assert {flag["code"] for flag in one["ltp"]["flags"]} == {"method_mismatch"}


@pytest.mark.parametrize("modality", ["cryoablation", "irreversible_electroporation", None])
def test_the_report_says_in_a_sentence_that_the_modality_is_another_or_unknown(modality):
    facts = {name: value for name, value in (STUDIED | {"modality": modality}).items() if value is not None}
    (flag,) = (f for f in lesion("1", facts).beside.flags if f.code in SAID_ALONE)
    said = f"{flag.text[0].upper()}{flag.text[1:]}."
    assert said in beside_section(lesion("1", facts)).validity
    assert said in risk_lines(lesion("1", facts))
    assert said in page(consulted(an_assessment(), facts, EVIDENCE))


def test_the_report_folds_the_other_figures_with_their_measure_interval_and_reason():
    assessment = consulted(an_assessment(), STUDIED, EVIDENCE)
    html = page(assessment)
    rows = beside_section(assessment.lesions[0]).rows
    assert len(rows) == len(EVIDENCE.comparisons)
    assert html.count('<table class="beside">') == len(assessment.lesions)
    for table in html.split('<table class="beside">')[:-1]:
        assert table.rindex("<details>") > table.rfind("</details>")
    for row in rows:
        assert row[0] in html
        assert any(measure in row[1] for measure in ("odds ratio", "risk ratio", "hazard ratio"))
        assert (row[2] == "none") == bool(row[-1])
    assert "an odds ratio is no hazard ratio" in html.lower()
    assert "its interval was not available to us" in html
    assert "back-calculated from the p-value, not published" in html


def test_every_figure_and_cohort_that_is_shown_is_among_the_references():
    html = page(consulted(an_assessment(), STUDIED, WITH_COHORT)).partition('id="references"')[2]
    for figure in EVIDENCE.comparisons:
        assert f"<strong>{figure.label} ({figure.id})</strong>" in html
    assert f"<strong>Cohort {WITH_COHORT.baseline.label}</strong>" in html


def test_the_text_table_says_the_relation_its_validity_and_what_stands_beside():
    text = table_text(consulted(an_assessment(), {"primary": "colorectal"}, EVIDENCE))
    assert "Wang 2013: hazard of local tumour progression" in text
    assert "The ablation modality was not entered" in text
    assert "Tumour size, apart: " in text
    assert "not combined" in text
    assert "Wang 2013" not in table_text(an_assessment())


def test_no_word_advises():
    everything = [*EVIDENCE.comparisons, *packaged_hazards(), named_baseline("wang-2013")]
    said = " ".join([*(one.title for one in everything), *risk_lines(lesion("1", {}, WITH_COHORT))]).lower()
    for word in (" should", " must", "recommend", "treat again", "re-ablat", "retreat", "safe "):
        assert word not in said
