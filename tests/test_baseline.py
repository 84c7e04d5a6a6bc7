"""Rates of named cohorts: as the notes have them, by class, and none where a class has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.catalogue import named_baseline, packaged_baselines, packaged_hazards
from planner.errors import EvidenceError, UsageError
from planner.evidence.band import Band
from planner.evidence.baseline import NO_CLASSES, NO_RATE_BELOW_0
from planner.evidence.baselines_text import load_baselines
from planner.evidence.population import Setting

FOLDER = Path(__file__).resolve().parents[1] / "planner/evidence/baselines"
WANG_TEXT = (FOLDER / "wang_2013.toml").read_text(encoding="utf-8")
WHOLE_TEXT = (FOLDER / "whole_cohorts.toml").read_text(encoding="utf-8")
STUDIED = Setting("colorectal", "radiofrequency", 42, "2d_manual")

# name: percent with progression by class at 2 years; of the whole cohort by year
NOTES = {
    "wang-2013": ({"0 mm": 74, "1 to 5 mm": 54, "6 to 10 mm": 26, "11 to 15 mm": 20}, {}),
    "ras-prospective-wild-type": ({"< 5 mm": 24.9, ">= 5 mm": 1.9}, {2: 9.8}),
    "ras-prospective-mutant": ({"< 5 mm": 47.6, ">= 5 mm": 8.6}, {2: 20.0}),
    "kamarinos-2022": ({}, {1: 22, 2: 29}),
    "kras-2019": ({}, {1: 14.5, 2: 17.8, 3: 19.2}),
    "kras-2019-wild-type": ({}, {1: 11.1, 2: 11.1, 3: 11.1}),
    "kras-2019-mutant": ({}, {1: 18.4, 2: 25.2, 3: 36.2}),
    "laimer-2021": ({}, {1: 1.3, 2: 9.4, 3: 11.4}),
}


def test_the_cohorts_are_those_of_the_notes():
    assert sorted(NOTES) == [cohort.name for cohort in packaged_baselines()]


@pytest.mark.parametrize("name", NOTES)
def test_a_cohort_has_the_rates_of_the_notes(name):
    by_class, by_year = NOTES[name]
    cohort = named_baseline(name)
    assert {c.band.words: {r.years: r.percent for r in c.rates} for c in cohort.classes} == {
        words: {2: percent} for words, percent in by_class.items()
    }  # fmt: skip
    assert {rate.years: rate.percent for rate in cohort.all_margins} == by_year
    known = {rate.ci95_percent for rate in cohort.all_margins}
    assert known - {None} == ({(17, 29), (23, 36)} if name == "kamarinos-2022" else set())


def test_wang_2013_the_cohorts_rates_are_100_less_those_free_of_progression():
    observed = {row.margin_mm: row.free_at_2_years_percent for row in packaged_hazards()[0].observed}
    cohort = named_baseline("wang-2013")
    assert {(c.band.low_mm, c.band.high_mm): 100 - c.rates[0].percent for c in cohort.classes} == observed


def test_laimer_2021_the_rates_are_100_less_those_free_of_progression():
    rates = named_baseline("laimer-2021").all_margins
    assert [100 - rate.percent for rate in rates] == pytest.approx([98.7, 90.6, 88.6])


@pytest.mark.parametrize(
    ("margin_mm", "words"),
    [(0.0, "0 mm"), (1.0, "1 to 5 mm"), (5.0, "1 to 5 mm"), (6.0, "6 to 10 mm"), (15.0, "11 to 15 mm")],
)  # fmt: skip
def test_the_rate_is_that_of_the_class_that_holds_the_margin(margin_mm, words):
    found = named_baseline("wang-2013").at(margin_mm, None, STUDIED)
    assert found.own.band.words == words
    assert found.reason is None


@pytest.mark.parametrize("margin_mm", [0.001, 0.5, 0.99, 5.01, 5.5, 10.5, 15.1, 40.0])
def test_between_and_beyond_the_printed_classes_there_is_no_rate_and_nothing_is_rounded(margin_mm):
    found = named_baseline("wang-2013").at(margin_mm, None, STUDIED)
    assert found.own is None
    assert found.reason == (
        "the margin lies in none of the cohort's classes (0 mm, 1 to 5 mm, 6 to 10 mm, 11 to 15 mm)"
    )


@pytest.mark.parametrize("cohort", packaged_baselines(), ids=lambda cohort: cohort.name)
def test_a_tumour_that_is_not_covered_has_no_rate_of_any_cohort(cohort):
    found = cohort.at(-0.1, (-2.0, 3.0), STUDIED)
    assert (found.own, found.touched, found.all_margins, found.reason) == (None, (), (), NO_RATE_BELOW_0)
    nothing = cohort.at(None, None, STUDIED)
    assert (nothing.own, nothing.touched, nothing.all_margins) == (None, (), ())
    assert nothing.reason == "no margin was measured"


def test_the_classes_that_the_interval_touches_are_given_too():
    cohort = named_baseline("wang-2013")
    found = cohort.at(4.0, (0.5, 6.0), STUDIED)
    assert [one.band.words for one in found.touched] == ["6 to 10 mm"]
    between = cohort.at(5.5, (4.0, 7.0), STUDIED)
    assert between.own is None
    assert [one.band.words for one in between.touched] == ["1 to 5 mm", "6 to 10 mm"]
    below = cohort.at(2.0, (-1.0, 4.0), STUDIED)
    assert [one.band.words for one in below.touched] == ["0 mm"]
    assert "the margin's interval reaches below 0 mm, where there is no rate" in below.notes


def test_a_cohort_without_classes_gives_its_whole_rates_and_says_so():
    found = named_baseline("laimer-2021").at(7.0, (5.0, 9.0), STUDIED)
    assert (found.own, found.touched, found.reason) == (None, (), NO_CLASSES)
    assert len(found.all_margins) == 3


def test_every_label_names_a_year_and_every_rate_is_no_forecast():
    for cohort in packaged_baselines():
        assert any(str(year) in cohort.label for year in range(2000, 2027))
        assert cohort.at(3.0, None, STUDIED).notes[0] == "observed in that cohort: no forecast for this lesion"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="did you mean 'wang-2013'") as error:
        named_baseline("wang2013")
    for cohort in packaged_baselines():
        assert cohort.name in str(error.value)


@pytest.mark.parametrize(
    ("text", "found", "put", "said"),
    [
        (WANG_TEXT, "ge = 6.0, le = 10.0", "ge = 5.0, le = 10.0",
         "wang-2013: classes 1 to 5 mm and 5 to 10 mm both hold 5 mm"),
        (WANG_TEXT, "ge = 6.0, le = 10.0", "lt = 20.0", "wang-2013: classes .* both hold"),
        (WANG_TEXT, "ge = 6.0, le = 10.0", "ge = 10.0, le = 6.0", "wang-2013, margin_mm: holds nothing"),
        (WANG_TEXT, "percent = 74.0", "percent = 174.0", "wang-2013, .*percent"),
        (WANG_TEXT, "years = 2", "years = 0", "wang-2013, .*years"),
        (WANG_TEXT, '"Wang 2013 (patients of March 2003 to May 2010)"', '"Wang"', "wang-2013, label"),
        (WANG_TEXT, "endpoint ", "endpiont ", "wang-2013, endpiont: unknown key"),
        (WHOLE_TEXT, "ci95 = [17.0, 29.0]", "ci95 = [23.0, 29.0]", "kamarinos-2022: ci95 at 1 years does not hold 22"),
        (WHOLE_TEXT, "{ years = 3, percent = 19.2 }", "{ years = 2, percent = 19.2 }", "kras-2019: years are"),
        (WHOLE_TEXT, "[{ years = 1, percent = 1.3 }, { years = 2, percent = 9.4 }, { years = 3, percent = 11.4 }]",
         "[]", "laimer-2021: no rate at all"),
    ],
)  # fmt: skip
def test_a_malformed_cohort_is_refused_with_file_id_and_reason(text, found, put, said):
    assert found in text
    with pytest.raises(EvidenceError, match=f"b.toml: {said}"):
        load_baselines(text.replace(found, put, 1), "b.toml")


@pytest.mark.parametrize(
    ("band", "words", "inside", "outside"),
    [
        (Band(None, 5.0, high_in=False), "< 5 mm", [0.0, 4.999], [5.0]),
        (Band(None, 5.0), "<= 5 mm", [5.0], [5.001]),
        (Band(10.0, None, low_in=False), "> 10 mm", [10.001], [10.0]),
        (Band(5.0, None), ">= 5 mm", [5.0], [4.999]),
        (Band(0.0, 0.0), "0 mm", [0.0], [-0.001, 0.001]),
        (Band(None, None), "any margin", [-9.0, 9.0], []),
    ],
)  # fmt: skip
def test_a_class_holds_its_ends_as_printed(band, words, inside, outside):
    assert band.words == words
    assert all(band.holds(margin) and band.touches((margin, margin)) for margin in inside)
    assert not any(band.holds(margin) or band.touches((margin, margin)) for margin in outside)
