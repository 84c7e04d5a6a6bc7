"""The lesion table, its files, and what the lesions add up to, against tables made by hand."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import astuple

import pyarrow.parquet
import pytest
from audit_cases import document, lesion, write_case, write_failure

from pipelines.audit.bands import BANDS, band_of
from pipelines.audit.cases import find_cases
from pipelines.audit.cohort import cohort
from pipelines.audit.lesions import lesion_table
from pipelines.audit.run import audit, write
from pipelines.audit.writing import guarded
from planner.errors import AmbiguousInputError, InputError


@pytest.fixture
def cases(tmp_path):
    """Three batches in depth: 2 patients with 5 lesions, of which 3 have a margin; a failure; one never ended."""
    out = tmp_path / "out"
    write_case(out / "a", document("c-1", lesion("1", -2.5), lesion("2", 12.0), patient="p"))
    write_case(out / "a", document("c-2", lesion("1", None, "not_assessable"), patient="p", status="not_assessable"))
    write_case(out / "b" / "deep", document("c-3", lesion("1", 5.0, distances=[
        {"structure": "bile_duct", "from": "tumour", "mm": -1.5, "ci95_mm": [None, None], "points_lps_mm": [[], []]},
    ]), lesion("10", None, "not_treated"), patient="q"))  # fmt: skip
    write_failure(out / "b", "c-4")
    (out / "b" / "c-5").mkdir()
    (out / "b" / "c-5" / "batch.json").write_text("{}")
    return out


def csv_rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def written(cases, tmp_path):
    (tmp_path / "audit").mkdir()
    write(audit([cases], None), tmp_path / "audit")
    return tmp_path / "audit"


@pytest.mark.parametrize(
    ("margin_mm", "name"),
    [(-40, "below_0"), (-1e-4, "below_0"), (0, "0_to_5"), (4.9999, "0_to_5"), (5, "5_to_10"), (9.9999, "5_to_10"),
     (10, "from_10"), (99, "from_10")],
)  # fmt: skip
def test_a_band_holds_its_lower_limit(margin_mm, name):
    assert band_of(margin_mm).name == name
    assert sum(band.holds(margin_mm) for band in BANDS) == 1


def test_there_is_a_row_for_each_lesion_of_each_case_however_deep(written):
    rows = csv_rows(written / "lesions.csv")
    assert [(row["case_id"], row["lesion_id"], row["lesion_status"]) for row in rows] == [
        ("c-1", "1", "assessed"), ("c-1", "2", "assessed"), ("c-2", "1", "not_assessable"), ("c-3", "1", "assessed"),
        ("c-3", "10", "not_treated"),
    ]  # fmt: skip
    assert [row["margin_min_mm"] for row in rows] == ["-2.5", "12.0", "", "5.0", ""]
    assert [row["margin_band"] for row in rows] == ["below_0", "from_10", "", "5_to_10", ""]
    assert [row["reason_codes"] for row in rows] == ["", "", "not-assessable", "", "not-treated"]
    assert rows[0]["margin_ci95_low_mm"] == "-3.5"
    assert rows[0]["registration_passed"] == "true"
    assert [row["distance_tumour_bile_duct_mm"] for row in rows] == ["", "", "", "-1.5", ""]


def verdict(rule, lesion_id, word):
    return {"rule": rule, "lesion_id": lesion_id, "verdict": word, "borderline": False, "value": None, "unit": "mm",
            "source": "COLLISION trial", "year": 2024, "strength": "trial criterion"}  # fmt: skip


def apart(structure, from_, mm, *ci95):
    return {"structure": structure, "from": from_, "mm": mm, "ci95_mm": list(ci95) or [None, None]}


def test_verdicts_and_the_nearest_duct_and_bowel_stand_in_the_table(tmp_path):
    near = [apart("stomach", "tumour", 20.0, 18.0, 22.0), apart("colon", "tumour", 19.0, 18.5, 19.5),
            apart("common_bile_duct", "ablation", -1.0, -2.0, 0.5), apart("right_hepatic_duct", "ablation", 4.0),
            apart("skin", "tumour", 1.0, 0.0, 2.0), apart("duodenum", "tumour", None)]  # fmt: skip
    guidelines = [verdict("CO-02", None, "fail"), verdict("CO-02", "1", "pass"), verdict("CO-02", "2", "fail"),
                  verdict("PS-02", None, "info")]  # fmt: skip
    write_case(tmp_path / "out", document("a", lesion("1", distances=near), lesion("2"), guidelines=guidelines))
    (tmp_path / "audit").mkdir()
    write(audit([tmp_path / "out"], None), tmp_path / "audit")
    first, second = csv_rows(tmp_path / "audit" / "lesions.csv")
    assert [(row["rule_co_02_verdict"], row["rule_ps_02_verdict"]) for row in (first, second)] == [
        ("pass", "info"), ("fail", "info"),
    ]  # fmt: skip
    found = {name: value for name, value in first.items() if name.startswith("nearest_")}
    assert found == {
        "nearest_bowel_from_tumour_mm": "19.0", "nearest_bowel_from_tumour_ci95_low_mm": "18.0",
        "nearest_bowel_from_tumour_ci95_high_mm": "19.5",
        "nearest_bile_duct_from_ablation_mm": "-1.0", "nearest_bile_duct_from_ablation_ci95_low_mm": "",
        "nearest_bile_duct_from_ablation_ci95_high_mm": "",
    }  # fmt: skip
    assert {second[name] for name in found} == {""}
    words = {row["column"]: row["definition"] for row in csv_rows(tmp_path / "audit" / "data_dictionary.csv")}
    assert "COLLISION trial (2024; trial criterion)" in words["rule_co_02_verdict"]
    assert set(first) == set(words)


def test_parquet_and_csv_hold_the_same(written):
    table = pyarrow.parquet.read_table(written / "lesions.parquet")
    rows = csv_rows(written / "lesions.csv")
    assert table.column_names == list(rows[0])
    assert table.column("margin_min_mm").to_pylist() == [-2.5, 12.0, None, 5.0, None]
    for name in table.column_names:
        for value, shown in zip(table.column(name).to_pylist(), [row[name] for row in rows], strict=True):
            expected = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert shown == expected
    assert table.schema.field("margin_min_mm").metadata[b"unit"] == b"mm"


def test_the_dictionary_explains_every_column_in_order(written):
    rows = csv_rows(written / "data_dictionary.csv")
    assert [row["column"] for row in rows] == list(csv_rows(written / "lesions.csv")[0])
    assert list(rows[0]) == ["column", "unit", "definition", "sign"]
    assert all(row["definition"] for row in rows)
    by_name = {row["column"]: row for row in rows}
    assert by_name["margin_min_mm"]["unit"] == "mm"
    assert "covered" in by_name["margin_min_mm"]["sign"]
    assert "overlapping" in by_name["distance_tumour_bile_duct_mm"]["sign"]
    for row in rows:
        for ending, unit in (("_mm", {"mm", "share, 0 to 1"}), ("_ml", {"ml"})):
            assert not row["column"].endswith(ending) or row["unit"] in unit


def test_what_is_counted_is_what_is_there(cases):
    found = find_cases([cases])
    counted = cohort(found, lesion_table(found))
    assert counted.cases == {"found": 5, "assessed": 2, "not_assessable": 1, "failed": 1, "unfinished": 1}
    assert counted.failures == {"killed": 1, "unfinished": 1}
    assert counted.lesions == {"assessed": 3, "not_assessable": 1, "not_treated": 1}
    assert counted.without_margin == 2
    assert {name: sum(here.values()) for name, here in counted.bands.items()} == {
        "below_0": 1, "0_to_5": 0, "5_to_10": 1, "from_10": 1,
    }  # fmt: skip
    assert [astuple(patient) for patient in counted.patients] == [
        ("p", 3, 1, -2.5, "c-1", "1"), ("q", 2, 1, 5.0, "c-3", "1"),
    ]  # fmt: skip
    assert sum(counted.histogram.lesions) == 3
    bins = dict(zip(counted.histogram.edges_mm, counted.histogram.lesions, strict=False))
    assert {edge for edge, count in bins.items() if count} == {-3.0, 5.0, 12.0}


def test_what_should_not_be_mixed_is_noted(tmp_path):
    geometric = lesion("1", 3.0)
    geometric["margin"]["definition"] = "geometric"
    write_case(tmp_path, document("a", lesion(), patient="p"))
    write_case(tmp_path, document("b", geometric, provenance={"software_version": "0.2.0", "settings_sha256": "c"}))
    found = find_cases([tmp_path])
    counted = cohort(found, lesion_table(found))
    assert counted.bands["0_to_5"] == {"geometric": 1, "parenchymal": 0}
    said = " ".join(counted.notes)
    assert "different definitions" in said
    assert "2 different software versions" in said
    assert "2 different settings" in said
    assert "1 case states no patient" in said


def test_the_same_images_under_two_patient_keys_are_noted(tmp_path):
    def made(case_id, patient, pre):
        provenance = {"software_version": "1", "settings_sha256": "c",
                      "inputs_sha256": {"pre/image": pre * 32, "post/image": "cd" * 32}}  # fmt: skip
        write_case(tmp_path, document(case_id, lesion(), patient=patient, provenance=provenance))

    for case_id, patient, pre in (("a", "p", "ab"), ("b", "q", "ab"), ("c", "r", "ef")):
        made(case_id, patient, pre)
    found = find_cases([tmp_path])
    assert cohort(found, lesion_table(found)).notes == (
        "2 cases rest on the same images, as 2 different patients: a, b. Their lesions are counted each time.",
    )
    made("d", "r", "ef")
    found = find_cases([tmp_path])
    assert "2 cases rest on the same images, of one patient: c, d." in cohort(found, lesion_table(found)).notes[1]


def test_no_text_of_the_dictionary_needs_a_guard(written):
    for row in csv_rows(written / "data_dictionary.csv"):
        assert not any(cell.startswith("'") for cell in row.values())
    table = pyarrow.parquet.read_table(written / "lesions.parquet")
    assert table.schema.field("margin_min_mm").metadata[b"sign"].startswith(b"positive: covered")


def test_a_folder_given_twice_counts_once(cases):
    assert len(find_cases([cases, cases / "a"]).documents) == 3


def test_case_ids_in_several_folders_are_listed(cases):
    write_case(cases / "again", document("c-1", lesion()))
    write_failure(cases / "again", "c-3")
    with pytest.raises(AmbiguousInputError) as refused:
        find_cases([cases])
    assert str(refused.value).splitlines() == [
        "2 case ids are there more than once:", "  c-1: in 2 folders", "  c-3: in 2 folders",
    ]  # fmt: skip
    assert refused.value.where == "c-1: .../a/c-1, .../again/c-1; c-3: .../again/c-3, .../deep/c-3"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[]", "result.json: not a JSON object"),
        (json.dumps(document("x", lesion()) | {"schema_version": 2}), "schema_version is 2, expected 1"),
        (json.dumps(document("x", lesion(), lesion())), "two lesions of one lesion_id"),
        (json.dumps(document("x", lesion(status="fine"))), "lesion 1: status is not one of"),
        (json.dumps(document("x", lesion(min_mm=7.5))).replace("7.5", "[]"), "lesion 1: margin.min_mm is not a num"),
        (json.dumps(document("x", lesion(min_mm=12345.5))).replace("12345.5", "NaN"), "NaN is not a number"),
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_used_is_said_beside_all_others(cases, content, said):
    (cases / "x").mkdir()
    (cases / "x" / "result.json").write_text(content)
    (cases / "y").mkdir()
    (cases / "y" / "result.json").write_text("")
    with pytest.raises(InputError) as refused:
        find_cases([cases])
    assert "2 results cannot be used" in str(refused.value)
    assert f"\n  case folder 6 of 7: {said}" in str(refused.value)
    assert "\n  case folder 7 of 7: not JSON" in str(refused.value)
    assert "..." not in str(refused.value)
    assert refused.value.where == "case folder 6 .../out/x, case folder 7 .../out/y"


def test_folders_without_cases_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no result\.json"):
        find_cases([tmp_path])
    with pytest.raises(InputError) as refused:
        find_cases([tmp_path / "gone"])
    assert (str(refused.value), refused.value.where) == ("OUT: no such folder", ".../gone")


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "\n=1", "\r=1", '=HYPERLINK("http://x")', "-", "--1"]
)
def test_what_a_spreadsheet_would_run_is_guarded(text):
    assert guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["-5", "+1.25", "-0.5", "c-1", "a=b", "", "5"])
def test_numbers_and_plain_text_stay(text):
    assert guarded(text) == text


def test_ids_that_are_formulas_are_guarded_in_csv_and_whole_in_parquet(tmp_path):
    write_case(tmp_path / "out", document("@x", lesion("1", -3.0), patient='=1,"\n2'))
    (tmp_path / "audit").mkdir()
    write(audit([tmp_path / "out"], None), tmp_path / "audit")
    (row,) = csv_rows(tmp_path / "audit" / "lesions.csv")
    assert (row["case_id"], row["patient_key"], row["margin_min_mm"]) == ("'@x", "'=1,\"\n2", "-3.0")
    table = pyarrow.parquet.read_table(io.BytesIO((tmp_path / "audit" / "lesions.parquet").read_bytes()))
    assert table.column("case_id").to_pylist() == ["@x"]
