from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.catalogue import packaged_hazards
from planner.errors import EvidenceError, UsageError
from planner.evidence.hazard import NOT_COVERED, Setting
from planner.evidence.models_text import load_hazards
from planner.facts import MODALITY, PRIMARY
from planner.findings import QUANTITIES

ROOT = Path(__file__).resolve().parents[1]
WANG = packaged_hazards()[0]
STUDIED = Setting("colorectal", "radiofrequency", 42, "2d_manual")
TEXT = (ROOT / "planner/evidence/models/wang2013.toml").read_text(encoding="utf-8")


def test_the_hazard_is_1_at_5_mm_and_falls_by_46_percent_per_5_mm():
    assert WANG.relative(5) == 1
    assert WANG.relative(10) == pytest.approx(0.54)
    assert WANG.relative(6) == pytest.approx(0.8841, abs=5e-5)
    assert WANG.relative(0) == pytest.approx(1.8519, abs=5e-5)


@pytest.mark.parametrize(
    ("margin_mm", "against_0_mm"),
    [(0.0, 1.0), (0.1, 0.9878), (5.0, 0.54), (9.9, 0.2952), (10.0, 0.2916), (10.1, 0.2880), (15.0, 0.1575)],
)
def test_the_boundary_vector_of_the_relation(margin_mm, against_0_mm):
    assert WANG.relative(margin_mm) / WANG.relative(0.0) == pytest.approx(against_0_mm, abs=5e-5)


@pytest.mark.parametrize("margin_mm", [-0.1, -1.0, -1e-9])
def test_no_number_is_given_for_a_negative_margin(margin_mm):
    found = WANG.at(margin_mm, (margin_mm - 2, margin_mm + 6), STUDIED)
    assert found.relative_hazard is None
    assert found.interval == (None, None)
    assert found.upper_bounded is False
    assert found.margin_in_range is False
    assert found.notes == (NOT_COVERED,)


@pytest.mark.parametrize("margin_mm", [15.1, 40.0])
def test_beyond_15_mm_the_value_is_held_and_flagged(margin_mm):
    found = WANG.at(margin_mm, (14.0, margin_mm + 1), STUDIED)
    assert found.relative_hazard == WANG.relative(15.0)
    assert found.margin_in_range is False
    assert "held at the value of 15 mm" in found.notes[0]


def test_the_thick_end_of_the_margin_is_the_low_end_of_the_hazard():
    found = WANG.at(6.0, (3.0, 9.0), STUDIED)
    assert found.interval == (WANG.relative(9.0), WANG.relative(3.0))
    assert found.interval[0] < found.relative_hazard < found.interval[1]
    assert (found.upper_bounded, found.margin_in_range) == (True, True)
    assert found.notes == ("the interval holds the doubt of the margin, not that of the published relation",)


@pytest.mark.parametrize(("low", "bounded"), [(0.0, True), (-0.01, False)])
def test_the_upper_end_is_unbounded_where_the_margin_may_be_negative(low, bounded):
    found = WANG.at(2.0, (low, 4.0), STUDIED)
    assert found.upper_bounded is bounded
    assert (found.interval[1] is None) is not bounded
    assert found.interval[0] == WANG.relative(4.0)
    assert any("not bounded" in note for note in found.notes) is not bounded


def test_a_margin_that_was_not_measured_or_has_no_interval_gives_none():
    nothing = WANG.at(None, None, STUDIED)
    assert (nothing.relative_hazard, nothing.margin_in_range, nothing.upper_bounded) == (None, None, None)
    assert (WANG.at(7.0, None, STUDIED).interval, WANG.at(7.0, None, STUDIED).upper_bounded) == ((None, None), None)


def test_a_lower_end_beyond_the_range_is_held_and_said():
    found = WANG.at(12.0, (8.0, 16.0), STUDIED)
    assert found.interval[0] == WANG.relative(15.0)
    assert any("lower end held" in note for note in found.notes)


@pytest.mark.parametrize(
    ("left_out", "named"), [("primary", "primary"), ("modality", "ablation modality"), ("scan_days", "scan date")]
)
def test_what_was_not_entered_makes_the_population_match_unknown(left_out, named):
    setting = Setting(**({"primary": "colorectal", "modality": "radiofrequency", "scan_days": 42} | {left_out: None}))
    found = WANG.at(7.0, (5.0, 9.0), setting)
    assert getattr(found.population, left_out) == "unknown"
    assert f"population match unknown: {named} not entered" in found.notes


@pytest.mark.parametrize(
    ("setting", "point"),
    [
        (Setting("hepatocellular", "radiofrequency", 42, "2d_manual"), "primary"),
        (Setting("colorectal", "microwave", 42, "2d_manual"), "modality"),
        (Setting("colorectal", "radiofrequency", 27, "2d_manual"), "scan_days"),
        (Setting("colorectal", "radiofrequency", 57, "2d_manual"), "scan_days"),
        (Setting("colorectal", "radiofrequency", 42, "3d_segmentation"), "method"),
    ],
)
def test_a_case_unlike_those_studied_is_a_mismatch_on_that_point_alone(setting, point):
    found = WANG.at(7.0, (5.0, 9.0), setting)
    points = ("primary", "modality", "scan_days", "method")
    assert [name for name in points if getattr(found.population, name) != "match"] == [point]
    assert any(note.startswith("differs from those studied") for note in found.notes)


@pytest.mark.parametrize("days", [28, 56])
def test_four_and_eight_weeks_match(days):
    assert WANG.at(7.0, None, Setting(scan_days=days)).population.scan_days == "match"


@pytest.mark.parametrize(("margin", "interval"), [(float("nan"), None), (3.0, (float("-inf"), 4.0)), (3.0, (4.0, 2.0))])
def test_a_margin_that_is_no_number_is_refused(margin, interval):
    with pytest.raises(UsageError):
        WANG.at(margin, interval, STUDIED)


def test_the_packaged_relations_use_registered_names_and_described_conflicts():
    from pipelines.catalogue import packaged_catalogue

    for hazard in packaged_hazards():
        assert QUANTITIES[hazard.quantity].unit == hazard.unit
        assert set(hazard.population.primary) <= set(PRIMARY.choices)
        assert set(hazard.population.modality) <= set(MODALITY.choices)
        assert set(hazard.conflicts) <= set(packaged_catalogue().conflicts)


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ("ratio        = 0.54", 'ratio = "0.54"', "WA-01, ratio"),
        ("ratio        = 0.54", "ratio = 1.54", "WA-01, ratio"),
        ("ratio        = 0.54", "ratio = nan", "WA-01, ratio"),
        ("[0.0, 15.0]", "[15.0, 0.0]", "WA-01: valid_mm .*low end first"),
        ("reference_mm = 5.0", "reference_mm = 20.0", "WA-01: reference_mm 20 lies outside"),
        ("endpoint ", "endpiont ", "WA-01, endpiont: unknown key"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ("[[model]]", "[[model", "not TOML"),
    ],
)
def test_a_malformed_relation_is_refused_with_file_id_and_reason(found, put, said):
    assert found in TEXT
    with pytest.raises(EvidenceError, match=f"m.toml: {said}"):
        load_hazards(TEXT.replace(found, put), "m.toml")


def test_no_code_of_planner_holds_the_published_ratio():
    files = list((ROOT / "planner").rglob("*.py"))
    assert len(files) > 40
    assert not [path.name for path in files if re.search(r"\b0?\.54\b|\b0\.46\b", path.read_text(encoding="utf-8"))]
