from __future__ import annotations

from dataclasses import replace

import pytest
from review_fixture import an_assessment, assessed

from planner.assessment import LesionAssessment, Reason
from planner.caution import Caution
from planner.measure.margin import Margin
from planner.register.alignment import Alignment
from planner.report import doubt, words
from planner.report.table import columns, rows, table_text


def cells(lesion_index: int) -> dict[str, str]:
    heads = [column.key for column in columns()]
    return dict(zip(heads, rows(an_assessment())[lesion_index], strict=True))


@pytest.mark.parametrize(
    ("value", "printed"),
    [(2.34, "2.3"), (-3.06, "-3.1"), (4.96, "4.96"), (4.9996, "4.9996"), (5.0, "5.0"), (-0.04, "-0.04"),
     (0.04, "0.0"), (9.97, "9.97"), (None, "n/a"), (float("inf"), "n/a")],
)  # fmt: skip
def test_rounding_never_carries_a_margin_over_a_threshold(value: float | None, printed: str) -> None:
    assert words.millimetres(value) == printed


@pytest.mark.parametrize(
    ("share", "printed"), [(0.0, "0"), (0.004, "<1"), (0.5, "50"), (0.996, ">99"), (1.0, "100"), (None, "n/a")]
)
def test_a_share_that_is_not_nothing_is_never_printed_as_nothing(share: float | None, printed: str) -> None:
    assert words.percent(share) == printed


def test_the_row_holds_the_analytic_margin_of_a_ball_in_a_ball() -> None:
    # Lesion 2: zone radius 13, tumour radius 8, centres sqrt(25 + 36 + 4) = 8.06 apart: 13 - 8 - 8.06 = -3.06.
    row = cells(1)
    assert row["min_mm"] == "-3.1"
    assert row["ci95_mm"] == "-4.3 to -0.8"
    assert row["tumour_ml"] == "2.14"
    assert row["direction"] == "posterior-left"


def test_a_negative_margin_reads_not_covered_on_these_images() -> None:
    assert "Lesion 2: not covered on these images" in table_text(an_assessment())


def test_a_margin_whose_interval_reaches_below_zero_says_so() -> None:
    lesion = assessed("1")
    assert lesion.margin is not None
    assert lesion.margin.interval is not None
    doubtful = replace(lesion.margin, interval=replace(lesion.margin.interval, low_mm=-0.2))
    assert words.reading(replace(lesion, margin=doubtful)).endswith("the interval reaches below 0")


def test_a_negative_margin_whose_interval_reaches_above_zero_says_so() -> None:
    lesion = assessed("2")
    assert lesion.margin is not None
    assert lesion.margin.interval is not None
    for high, said in ((0.2, "not covered on these images; the interval reaches above 0"),
                       (-0.2, "not covered on these images")):  # fmt: skip
        interval = replace(lesion.margin.interval, low_mm=-3.0, high_mm=high)
        assert words.reading(replace(lesion, margin=replace(lesion.margin, interval=interval))) == said


def test_the_minimum_of_an_uncovered_lesion_is_one_sentence() -> None:
    lesion = assessed("2")
    assert lesion.margin is not None
    said = words.margin_sentences(replace(lesion, margin=replace(lesion.margin, min_mm=-4.4)))[0]
    assert said.startswith("Minimal margin -4.4 mm (not covered on these images), measured to liver that was not")


def test_a_lesion_without_margin_prints_its_reason_and_no_number() -> None:
    row = cells(2)
    assert row["min_mm"] == row["ci95_mm"] == row["registration_error_mm"] == words.UNKNOWN
    assert "  Lesion 3: margin: no ablation zone touches this tumour\n" in table_text(an_assessment())


def test_a_reason_is_printed_once_without_names_of_fields() -> None:
    text = "no ablation zone touches this tumour"
    fields = ("margin", "ablation_ml", "registration_error_mm", "margin.without_vessel_facing_mm",
              "margin.capsule_facing_fraction", "margin.min_mm")  # fmt: skip
    reasons = tuple(Reason(field, "not-treated", text) for field in fields[:3])
    other = tuple(Reason(field, "no-vessel", "no vessel mask near the tumour") for field in fields[3:])
    lesion = replace(an_assessment().lesions[2], reasons=(*reasons, *other))
    printed = table_text(replace(an_assessment(), lesions=(lesion,)))
    assert printed.count(text) == printed.count("no vessel mask near the tumour") == 1
    assert "Lesion 3: margin, volume of the zone, registration error: no ablation zone" in printed
    assert not any(field in printed for field in fields[1:])


@pytest.mark.parametrize(
    ("lps_mm", "printed"),
    [((-71.4, -25.4, 47.7), "R 71.4 mm, A 25.4 mm, S 47.7 mm"),
     ((71.4, 25.4, -47.7), "L 71.4 mm, P 25.4 mm, I 47.7 mm"),
     ((-0.04, 0.0, 0.04), "L 0.0 mm, P 0.0 mm, S 0.0 mm"), (None, "n/a")],
)  # fmt: skip
def test_a_point_is_printed_by_its_directions(lps_mm: tuple[float, ...] | None, printed: str) -> None:
    assert words.point(lps_mm) == printed


def without_minimum(lesion: LesionAssessment) -> LesionAssessment:
    margin = lesion.margin
    assert isinstance(margin, Margin)
    none = replace(margin, min_mm=None, at_lps_mm=None, foot_lps_mm=None, direction=None, q05_mm=None, median_mm=None,
                   interval=None, reason="all of the tumour's surface faces the liver capsule")  # fmt: skip
    return replace(lesion, margin=none)


def test_a_tumour_that_faces_the_capsule_all_round_reads_its_reason() -> None:
    lesion = without_minimum(assessed("1"))
    text = table_text(replace(an_assessment(), lesions=(lesion,)))
    assert "Lesion 1: all of the tumour's surface faces the liver capsule" in text
    assert words.margin_sentences(lesion)[0].startswith("No minimal margin: all of")


def test_columns_are_aligned() -> None:
    lines = table_text(an_assessment()).splitlines()
    rule = next(n for n, line in enumerate(lines) if line.startswith("---"))
    end = lines[rule].index("  ", lines[rule].index("--------------"))
    for line in lines[rule + 1 : rule + 4]:
        assert line[end - 1] != " "
        assert line[end] == " "


def test_the_sign_is_explained_and_nothing_is_advised() -> None:
    text = table_text(an_assessment())
    assert words.SIGN in text
    assert words.BANNER in text
    for advice in ("do not treat", "re-treat", "retreat", "recommend", "LTP", "should"):
        assert advice not in text


def test_control_characters_of_an_input_cannot_forge_a_line() -> None:
    forged = replace(an_assessment(), case_id="a\nLesion 9: covered\x1b[2J\u202e")
    assert table_text(forged).splitlines()[0] == "Case a?Lesion 9: covered?[2J?: assessed"


def test_the_reasons_of_a_case_come_before_those_of_its_lesions() -> None:
    failed = replace(an_assessment(), status="not_assessable", reasons=(Reason(None, "gate", "livers do not meet"),))
    text = table_text(failed)
    assert text.index("Case: livers do not meet\n") < text.index("Lesion 3: margin:")


def test_a_failed_check_of_a_zone_is_told_beside_the_alignment() -> None:
    assert words.alignment_sentence(an_assessment().alignment).endswith("A check failed for zone 2.")
    given = Alignment.as_given("masks came aligned")
    assert words.alignment_sentence(given).endswith("Nothing was checked that could fail.")


def test_an_interval_is_never_printed_without_what_it_assumes() -> None:
    lesion = assessed("1")
    assert lesion.margin is not None
    text = " ".join(doubt.interval_sentences(lesion.margin.interval))
    assert "tumour contour 0.50 mm, zone contour 0.70 mm (alike over 6.0 mm)" in text
    assert "registration 57 %" in text
    assert doubt.interval_sentences(None) == ("No interval was computed.",)


def test_a_caution_comes_before_the_table() -> None:
    found = replace(an_assessment(), cautions=(Caution("different-patients", "two patients"),))
    assert table_text(found).splitlines()[1] == "CAUTION: two patients"
