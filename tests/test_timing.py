"""Days between scans and ablation: counted, flagged where they are odd, never a refusal and never a date."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest
from cli_runs import ablation, post_study, pre_study
from dicom_files import affine, series_datasets, stored_values, write
from review_fixture import a_review

from pipelines.dicom.dates import scanned_on
from pipelines.dicom.index import index_files
from pipelines.dicom.walk import regular_files
from pipelines.store import result_document
from planner.consult import Evidence, consulted
from planner.errors import InputError
from planner.report.table import table_text
from planner.report.timing import flag_sentences, timing_sentences
from planner.timing import FLAGS, UNKNOWN_TIMING, Timing, timing_of, with_days

PRE, ABLATED, POST = date(2024, 1, 10), date(2024, 2, 1), date(2024, 3, 1)


def counts(timing: Timing) -> tuple[float | None, float | None, float | None]:
    return timing.pre_days_before_ablation, timing.days_since_ablation, timing.days_between_studies


@pytest.mark.parametrize(
    ("pre", "post", "facts", "expected"),
    [
        (PRE, POST, {"ablation_date": ABLATED}, (22.0, 29.0, 51.0)),
        (None, POST, {"ablation_date": ABLATED}, (None, 29.0, None)),
        (PRE, None, {"ablation_date": ABLATED}, (22.0, None, None)),
        (PRE, POST, {}, (None, None, 51.0)),
        (PRE, POST, {"days_since_ablation": 29.0}, (22.0, 29.0, 51.0)),
        (PRE, None, {"ablation_date": ABLATED, "post_scan_date": POST}, (22.0, 29.0, 51.0)),
        (None, None, {"days_since_ablation": 1.0}, (None, 1.0, None)),
        (None, None, {}, (None, None, None)),
    ],
)
def test_days_are_counted_from_what_is_known(pre, post, facts, expected):
    timing = timing_of(pre, post, facts)
    assert counts(timing) == expected
    assert timing.flags == ()
    assert [unknown.field for unknown in timing.unknown] == [
        name for name, value in zip(
            ("pre_days_before_ablation", "days_since_ablation", "days_between_studies"), expected, strict=True
        ) if value is None
    ]  # fmt: skip
    assert all(unknown.text for unknown in timing.unknown)


@pytest.mark.parametrize(("days", "flags"), [(0, ()), (42, ()), (43, ("old_pre_scan",)), (400, ("old_pre_scan",))])
def test_a_pre_scan_older_than_42_days_is_flagged_and_one_of_42_is_not(days, flags):
    timing = timing_of(ABLATED - timedelta(days), POST, {"ablation_date": ABLATED})
    assert timing.pre_days_before_ablation == days
    assert timing.flags == flags


def test_without_a_day_of_ablation_the_interval_bounds_the_age_of_pre():
    (before, _) = timing_of(PRE, POST, {}).unknown
    assert before.text.endswith("PRE is at most 51 days older")
    assert "at most" not in timing_of(PRE, None, {}).unknown[0].text


@pytest.mark.parametrize(
    ("pre", "post", "facts", "flags"),
    [
        (POST, PRE, {}, ("post_before_pre",)),
        (PRE, date(2024, 1, 20), {"ablation_date": ABLATED}, ("post_before_ablation",)),
        (date(2024, 2, 2), POST, {"ablation_date": ABLATED}, ("pre_after_ablation",)),
        (PRE, PRE, {"days_since_ablation": 1.0}, ()),  # a night: whoever counts may be off by one
        (PRE, PRE, {"days_since_ablation": 2.0}, ("pre_after_ablation",)),
        (PRE, POST, {"ablation_date": ABLATED, "days_since_ablation": 30.0}, ()),
        (PRE, POST, {"ablation_date": ABLATED, "days_since_ablation": 31.0}, ("days_disagree",)),
        (None, POST, {"ablation_date": ABLATED, "post_scan_date": date(2024, 4, 1)}, ("days_disagree",)),
    ],
)
def test_days_that_contradict_each_other_are_flagged_never_refused(pre, post, facts, flags):
    timing = timing_of(pre, post, facts)
    assert timing.flags == flags
    assert set(timing.contradictions) == set(flags) - {"days_disagree"}


def test_entered_days_count_before_those_of_the_images():
    timing = timing_of(PRE, POST, {"ablation_date": ABLATED, "days_since_ablation": 3.0})
    assert timing.days_since_ablation == 3.0
    assert timing.flags == ("days_disagree",)


def test_entered_days_that_contradict_entered_dates_are_refused_as_before():
    with pytest.raises(InputError):
        timing_of(None, None, {"ablation_date": ABLATED, "post_scan_date": POST, "days_since_ablation": 3.0})


@pytest.mark.parametrize(
    ("facts", "days"),
    [({}, 29.0), ({"days_since_ablation": 3.0}, 3.0), ({"days_since_ablation": ""}, 29.0)],
)
def test_relations_and_rules_get_the_days_that_nobody_entered(facts, days):
    assert with_days(facts, timing_of(PRE, POST, {"ablation_date": ABLATED}))["days_since_ablation"] == days


def test_days_before_the_ablation_are_no_days_since_it():
    assert with_days({}, timing_of(None, PRE, {"ablation_date": ABLATED})) == {}
    assert with_days({}, UNKNOWN_TIMING) == {}


def test_what_was_entered_stays_apart_from_what_was_counted():
    from dataclasses import replace

    assessment = replace(a_review().assessment, timing=timing_of(PRE, POST, {"ablation_date": ABLATED}))
    found = consulted(assessment, {"ablation_date": ABLATED}, Evidence())
    assert found.facts["days_since_ablation"] is None
    assert found.days_since_ablation == 29.0


def test_a_reader_meets_days_and_flags_in_sentences():
    said = timing_sentences(timing_of(PRE - timedelta(30), POST, {"ablation_date": ABLATED}))
    assert said[:3] == ("PRE: 52 days before the ablation.", "POST: 29 days after the ablation.",
                        "From PRE to POST: 81 days.")  # fmt: skip
    assert said[3] == f"Flagged: {FLAGS['old_pre_scan']}."
    assert "more than 42 days before the ablation" in said[3]
    assert timing_sentences(timing_of(None, ABLATED + timedelta(1), {"ablation_date": ABLATED}))[1].startswith(
        "POST: 1 day after"
    )
    assert timing_sentences(UNKNOWN_TIMING)[1].startswith("POST: not known (the scan date of POST")
    assert timing_sentences(UNKNOWN_TIMING.numbered(2, 3))[0].startswith("This is study 2 of 3 after the ablation")
    assert timing_sentences(timing_of(POST, PRE, {}))[2] == "From PRE to POST: 51 days backwards."


def test_a_contradiction_is_said_above_and_not_twice():
    assert flag_sentences(timing_of(POST, PRE, {})) == ()
    assert flag_sentences(timing_of(PRE - timedelta(60), PRE, {"ablation_date": PRE})) == (f"{FLAGS['old_pre_scan']}.",)


def test_the_result_holds_days_flags_and_reasons_and_the_terminal_the_flags():
    from dataclasses import replace

    review = a_review()
    timing = timing_of(PRE - timedelta(60), None, {"ablation_date": ABLATED})
    found = result_document(replace(review, assessment=replace(review.assessment, timing=timing)))["timing"]
    assert found["pre_days_before_ablation"] == 82.0
    assert found["days_since_ablation"] is None
    assert found["flags"] == ["old_pre_scan"]
    assert (found["post_number"], found["posts"]) == (1, 1)
    assert [reason["field"] for reason in found["reasons"]] == ["days_since_ablation", "days_between_studies", None]
    text = table_text(replace(review.assessment, timing=timing))
    assert f"Note: {FLAGS['old_pre_scan']}." in text
    assert "Note: the pre-ablation study" not in table_text(review.assessment)


@pytest.mark.parametrize(
    ("elements", "day"),
    [
        ({"AcquisitionDate": "20240110", "SeriesDate": "20240111", "StudyDate": "20240112"}, date(2024, 1, 10)),
        ({"AcquisitionDate": "20240230", "SeriesDate": "20240111"}, date(2024, 1, 11)),
        ({"AcquisitionDate": "", "SeriesDate": "", "StudyDate": "20240112"}, date(2024, 1, 12)),
        ({"AcquisitionDate": None, "AcquisitionDateTime": "20240109235959.5+0100"}, date(2024, 1, 9)),
        ({"StudyDate": "2024.01.12"}, date(2024, 1, 12)),
        ({"StudyDate": "2024-01-12"}, None),
        ({"StudyDate": "19000101"}, None),
        ({"StudyDate": "ANONYM"}, None),
        ({"StudyDate": ""}, None),
        ({"StudyDate": None}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_the_day_of_a_scan_is_the_best_valid_one_that_is_stated(tmp_path, elements, day):
    changes = {"StudyDate": None} | elements
    write(series_datasets(stored_values(), affine(), **changes), tmp_path)
    assert scanned_on(index_files(regular_files(tmp_path)).of_kind("image")) == day


def test_a_scan_over_midnight_counts_from_its_first_day(tmp_path):
    slices = series_datasets(stored_values(), affine())
    slices[0].AcquisitionDate, slices[1].AcquisitionDate = "20240111", "20240110"
    write(slices, tmp_path)
    assert scanned_on(index_files(regular_files(tmp_path)).of_kind("image")) == date(2024, 1, 10)


CASE = "[pre]\nscanned_on = 2024-01-10\n[post]\nscanned_on = 2024-03-01\n[facts]\nablation_date = 2024-02-22\n"


def review_of(folder, text: str):
    pre, post = pre_study(folder / "pre"), post_study(folder / "post")
    (folder / "case.toml").write_text(text)
    out = folder / "out"
    ran = ablation("review", pre, post, "-o", out, "--registration", "identity", "--case", folder / "case.toml")
    return ran, out


@pytest.mark.slow
def test_a_review_flags_an_old_pre_scan_and_names_no_date(tmp_path):
    ran, out = review_of(tmp_path, CASE)
    assert ran.code == 0, ran.stderr
    result = json.loads((out / "result.json").read_text())
    assert counts(Timing(**{key: result["timing"][key] for key in (
        "pre_days_before_ablation", "days_since_ablation", "days_between_studies"
    )})) == (43.0, 8.0, 51.0)  # fmt: skip
    assert result["timing"]["flags"] == ["old_pre_scan"]
    assert result["lesions"][0]["tissue_change"]["days_since_ablation"] == 8.0
    assert result["lesions"][0]["ltp"]["population"]["scan_days"] == "mismatch"
    assert result["reasons"] == []
    page = (out / "report.html").read_text()
    assert f"<li>Flagged: {FLAGS['old_pre_scan']}.</li>" in page
    assert "<li>PRE: 43 days before the ablation.</li>" in page
    result["provenance"].pop("written_at")
    assert "Scanned on: PRE 2024-01-10, POST 2024-03-01 (the report is the only file that holds these dates)." in page
    for text in (ran.stdout, ran.stderr, (out / "log.txt").read_text(), json.dumps(result)):
        assert not any(day in text for day in ("2024-01-10", "2024-03-01", "2024-02-22", "20240110", "20240301"))


@pytest.mark.slow
def test_studies_in_the_wrong_order_are_a_caution_above_every_number(tmp_path):
    ran, out = review_of(tmp_path, CASE.replace("2024-01-10", "2024-05-10"))
    assert ran.code == 0, ran.stderr
    result = json.loads((out / "result.json").read_text())
    assert [reason["code"] for reason in result["reasons"]] == ["pre-after-ablation", "post-before-pre"]
    assert "CAUTION: by their dates, the post-ablation study was made before" in ran.stdout
    assert 'role="note"><strong>Caution:</strong> by their dates' in (out / "report.html").read_text()


@pytest.mark.slow
def test_a_review_without_dates_says_so_and_nothing_else_changes(tmp_path):
    ran, out = review_of(tmp_path, "")
    assert ran.code == 0, ran.stderr
    result = json.loads((out / "result.json").read_text())
    assert result["timing"]["days_since_ablation"] is None
    assert result["timing"]["flags"] == []
    assert not any("scan date" in note for note in result["notes"])
    assert "PRE: not known" in (out / "report.html").read_text()


def test_the_day_in_the_case_file_counts_before_that_of_the_images_and_a_difference_is_said(tmp_path):
    from pipelines.case_file import read_case_file
    from pipelines.study import read_study

    write(series_datasets(stored_values((6, 9, 10)), affine(), AcquisitionDate="20240110"), tmp_path / "pre")
    (tmp_path / "case.toml").write_text("[pre]\nscanned_on = 2024-01-15\n")
    study = read_study(tmp_path / "pre", "pre", read_case_file(tmp_path / "case.toml"), lambda *_: None).study
    assert study.scanned_on == date(2024, 1, 15)
    assert [note for note in study.notes if "scan date" in note] == [
        "the scan date of the case file and that of the images lie 5 days apart: the case file's counts"
    ]
    assert "2024" not in repr(study)
    assert np.isfinite(study.image.voxels_kji).all()


@pytest.mark.parametrize("value", ["2024-01-15", '"2024-01-15"', "2024-01-15T10:00:00"])
def test_a_day_may_be_written_as_toml_or_as_text(tmp_path, value):
    from pipelines.case_file import read_case_file

    (tmp_path / "case.toml").write_text(f"[pre]\nscanned_on = {value}\n")
    assert read_case_file(tmp_path / "case.toml").pre.scanned_on == date(2024, 1, 15)


@pytest.mark.parametrize("value", ['"15.01.2024"', "20240115", "0", "true", '"2024-13-15"'])
def test_what_is_no_day_is_refused_and_not_repeated(tmp_path, value):
    from pipelines.case_file import read_case_file

    (tmp_path / "case.toml").write_text(f"[post]\nscanned_on = {value}\n")
    with pytest.raises(InputError) as refused:
        read_case_file(tmp_path / "case.toml")
    assert str(refused.value) == "case file: post, scanned_on: expected a date like 2024-12-31"
