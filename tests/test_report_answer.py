from __future__ import annotations

from dataclasses import replace

import pytest
from review_fixture import a_review, an_assessment

from pipelines.store.result import result_document
from pipelines.wire import packaged_evidence
from planner.assessment import Assessment, Distance, LesionAssessment, Reason
from planner.consult import consulted
from planner.register.alignment import Check
from planner.report import words
from planner.report.answer import HEADS, AnswerRow, answer_rows, assumed_sentence, flag_sentences, gate_of
from planner.report.impression import MOST_LESIONS, impression


def cells(row: AnswerRow) -> dict[str, str]:
    return {cell.key: cell.text for cell in row.cells}


def notes(row: AnswerRow) -> dict[str, str]:
    return {cell.key: cell.note for cell in row.cells}


def row_of(assessment: Assessment, lesion_id: str) -> AnswerRow:
    return next(row for row in answer_rows(assessment) if row.lesion_id == lesion_id)


def a_lesion(lesion_id: str = "1") -> LesionAssessment:
    return next(lesion for lesion in an_assessment().lesions if lesion.lesion_id == lesion_id)


def with_lesion(lesion: LesionAssessment, **changes: object) -> Assessment:
    return replace(an_assessment(), lesions=(replace(lesion, **changes),))  # type: ignore[arg-type]  # by name


def with_margin(min_mm: float, low_mm: float, high_mm: float) -> Assessment:
    lesion = a_lesion()
    assert lesion.margin is not None
    assert lesion.margin.interval is not None
    interval = replace(lesion.margin.interval, low_mm=low_mm, high_mm=high_mm)
    return with_lesion(lesion, margin=replace(lesion.margin, min_mm=min_mm, interval=interval))


def test_every_row_has_a_cell_under_every_head() -> None:
    for row in answer_rows(an_assessment()):
        assert [cell.key for cell in row.cells] == [head.key for head in HEADS]


def test_rows_stand_by_their_margin_the_least_first_and_those_without_one_last() -> None:
    rows = answer_rows(an_assessment())
    margins = [cells(row)["min_mm"] for row in rows]
    assert margins == ["-3.1", "2.3", words.UNKNOWN]


@pytest.mark.parametrize("lesion_id", ["1", "2"])
def test_numbers_are_those_of_the_result(lesion_id: str) -> None:
    lesion = next(x for x in result_document(a_review())["lesions"] if x["lesion_id"] == lesion_id)
    margin, found = lesion["margin"], cells(row_of(a_review().assessment, lesion_id))
    assert float(found["min_mm"]) == pytest.approx(margin["min_mm"], abs=0.0501)
    assert [float(end) for end in found["ci95_mm"].split(" to ")] == pytest.approx(margin["ci95_mm"], abs=0.0501)
    assert found["direction"] == margin["direction"]
    for limit in ("0", "5", "10"):
        share = 100 * margin["surface_fraction_below"][limit]
        assert float(found[f"below_{limit}"]) == pytest.approx(share, abs=0.501)
    assert float(found["tumour_ml"]) == pytest.approx(lesion["tumour_ml"], abs=0.00501)
    assert float(found["ablation_ml"]) == pytest.approx(lesion["ablation_ml"], abs=0.0501)
    assert float(found["registration_error_mm"]) == pytest.approx(lesion["registration_error_mm"], abs=0.0501)


def test_the_nearest_vessel_and_duct_are_told_from_tumour_and_zone() -> None:
    around = (
        Distance("portal_vein", "tumour", 4.0, None), Distance("hepatic_vein_left", "tumour", 2.5, None),
        Distance("portal_vein", "ablation", -1.5, None), Distance("hepatic_vein_left", "ablation", 3.0, None),
        Distance("common_bile_duct", "tumour", 21.0, None), Distance("colon", "tumour", 0.1, None),
        Distance("common_bile_duct", "ablation", 12.0, None),
    )  # fmt: skip
    row = row_of(with_lesion(a_lesion(), distances=around), "1")
    assert (cells(row)["vessel"], notes(row)["vessel"]) == (
        "2.5", "left hepatic vein; zone: overlapping, -1.5 (portal vein)",
    )  # fmt: skip
    assert (cells(row)["duct"], notes(row)["duct"]) == ("21.0", "common bile duct; zone: 12.0")


def test_what_was_not_drawn_or_not_measured_is_said_apart() -> None:
    row = row_of(with_lesion(a_lesion(), distances=()), "1")
    assert (cells(row)["vessel"], notes(row)["vessel"]) == (words.UNKNOWN, "no vessel drawn")
    assert (cells(row)["duct"], notes(row)["duct"]) == (words.UNKNOWN, "no bile duct drawn")
    unmeasured = (Distance("portal_vein", "tumour", None, None, reason="outside"),)
    row = row_of(with_lesion(a_lesion(), distances=unmeasured), "1")
    assert notes(row)["vessel"] == "drawn, but not measured"


def test_a_failed_check_of_the_case_fails_every_lesion_and_one_of_a_zone_only_its_own() -> None:
    found = an_assessment()
    broken = Check("shared_field_of_view", 0.1, "fraction", False, "")
    of_case = replace(found.alignment, checks=(broken,))
    assert {gate_of(lesion, of_case) for lesion in found.lesions} == {"failed"}
    of_zone = replace(found.alignment, checks=(), zone_checks={"1": (broken,)})
    gates = {lesion.lesion_id: gate_of(lesion, of_zone) for lesion in found.lesions}
    assert gates == {"1": "failed", "2": "unchecked", "3": "none"}


def test_the_gate_tells_a_warning_from_a_pass() -> None:
    lesion, alignment = a_lesion(), an_assessment().alignment
    held = Check("shared_field_of_view", 0.9, "fraction", True, "")
    near = Check("predicted_error", 3.0, "mm", True, "", warned=True)
    assert gate_of(lesion, replace(alignment, checks=(held,), zone_checks={})) == "passed"
    assert gate_of(lesion, replace(alignment, checks=(held, near), zone_checks={})) == "warned"


@pytest.mark.parametrize(
    ("min_mm", "low_mm", "high_mm", "said"),
    [
        (-2.0, -3.0, -1.0, "minimal margin -2.0 mm, not covered on these images (95 % interval -3.0 to -1.0 mm, all of"
         " it below 0 mm)"),
        (-2.0, -3.0, 1.0, "95 % interval -3.0 to 1.0 mm, which reaches across 0 mm"),
        (2.0, 0.0, 4.0, "95 % interval 0.0 to 4.0 mm, all of it from 0 to below 5 mm"),
        (4.0, 1.0, 5.0, "95 % interval 1.0 to 5.0 mm, which reaches across 5 mm"),
        (3.0, -1.0, 11.0, "which reaches across 0 and 5 and 10 mm"),
        (12.0, 10.0, 14.0, "all of it 10 mm and more"),
    ],
)  # fmt: skip
def test_the_impression_says_which_limits_the_interval_reaches_across(
    min_mm: float, low_mm: float, high_mm: float, said: str
) -> None:
    assert said in impression(with_margin(min_mm, low_mm, high_mm))[1]


def test_the_impression_counts_lesions_by_band_and_status_and_tells_the_least_margin_first() -> None:
    said = impression(an_assessment())
    assert said[0] == (
        "3 lesions: 1 not covered on these images (margin below 0 mm), 1 covered by 0 to below 5 mm, 1 not treated (no"
        " ablation zone meets it)."
    )
    assert [sentence.split(":")[0] for sentence in said[1:4]] == ["Lesion 2", "Lesion 1", "Lesion 3"]
    assert said[3].startswith("Lesion 3: not treated")


def test_many_lesions_are_counted_not_told() -> None:
    lesion = a_lesion()
    many = tuple(replace(lesion, lesion_id=str(number)) for number in range(1, 13))
    said = impression(replace(an_assessment(), lesions=many))
    assert sum(sentence.startswith("Lesion ") for sentence in said) == MOST_LESIONS
    assert "8 further lesions in the table: 5, 6, 7, 8, 9, 10, 11, 12." in said


def test_the_impression_says_where_the_registration_failed() -> None:
    broken = Check("predicted_error", 9.0, "mm", False, "")
    held = Check("shared_field_of_view", 0.9, "fraction", True, "")
    alignment = replace(an_assessment().alignment, checks=(held,), zone_checks={"2": (broken,)})
    said = " ".join(impression(replace(an_assessment(), alignment=alignment)))
    assert "a check failed at lesion 2; no check failed at lesion 1" in said


def test_a_lesion_without_a_margin_says_why_and_a_case_without_lesions_says_so() -> None:
    lost = with_lesion(a_lesion(), status="not_assessable", margin=None, reasons=(Reason("margin", "x", "it folds"),))
    assert impression(lost)[1] == "Lesion 1: not assessable; it folds."
    assert impression(replace(an_assessment(), lesions=())) == ("No lesions.",)


def test_without_an_interval_the_impression_says_so() -> None:
    lesion = a_lesion()
    assert lesion.margin is not None
    bare = with_lesion(lesion, margin=replace(lesion.margin, interval=None))
    assert "no interval was computed" in impression(bare)[1]
    assert cells(row_of(bare, "1"))["ci95_mm"] == words.UNKNOWN


def test_each_flag_is_said_once_with_the_lesions_that_it_is_about() -> None:
    assert flag_sentences(answer_rows(an_assessment())) == (
        "Of lesions 2, 1: slices are thicker than 3 mm, so the margin along the slice direction is coarse.",
    )


def test_the_table_says_what_its_intervals_assume() -> None:
    said = assumed_sentence(an_assessment())
    assert "contour errors (standard deviation) of 0.5 to 0.7 mm" in said
    assert assumed_sentence(replace(an_assessment(), lesions=())) == ""


@pytest.mark.parametrize(
    ("mm", "ci95_mm", "said"),
    [
        (-4.0, (-6.0, -2.0), "its zone overlaps the right hepatic duct"),
        (1.0, (-0.5, 2.0), "its zone may touch the right hepatic duct (the interval of their distance holds 0 mm)"),
        (3.0, (1.0, 5.0), ""),
        (None, None, ""),
    ],
)
def test_the_impression_names_what_the_zone_touches(
    mm: float | None, ci95_mm: tuple[float, float] | None, said: str
) -> None:
    around = (Distance("right_hepatic_duct", "ablation", mm, None, ci95_mm),)
    sentence = impression(with_lesion(a_lesion(), distances=around))[1]
    assert said in sentence
    assert bool(said) == ("right hepatic duct" in sentence)


def test_the_impression_names_the_vessel_that_the_surface_faces_and_none_that_is_far() -> None:
    near, far = Distance("portal_vein", "tumour", 4.9, None), Distance("ivc", "tumour", 5.1, None)
    assert (
        "the portal vein lies 4.9 mm from the tumour" in impression(with_lesion(a_lesion(), distances=(far, near)))[1]
    )
    assert "vena cava" not in impression(with_lesion(a_lesion(), distances=(far,)))[1]


def test_the_impression_counts_what_a_lesion_is_outside_of_and_says_what_is_missing() -> None:
    found = consulted(an_assessment(), {"primary": "colorectal"}, packaged_evidence())
    said = impression(found)
    document = result_document(replace(a_review(), assessment=found))
    outside = [v["rule"] for v in document["guidelines"] if v["verdict"] == "fail" and v["lesion_id"] == "2"]
    assert len(outside) > 1
    assert f"outside {len(outside)} published criteria (below)" in said[1]
    assert said[-1].startswith("Not entered: ablation modality, day of the ablation (the hazard and")
