from __future__ import annotations

import re
from dataclasses import replace

import pytest
from review_fixture import assessed, not_treated
from test_report_html import page
from test_report_table import an_assessment

from planner.assessment import Assessment, LesionAssessment
from planner.measure.sensitivity import ASSUMED_PERCENT, Sensitivity
from planner.measure.tissue import TissueChange
from planner.report.sensitivity import ASSUMPTIONS, assumed_sentences, sensitivity_rows, tissue_sentences
from planner.report.table import table_text


def changed(around: float | None = -3.21, inside: float | None = 0.62, reason: str | None = None) -> LesionAssessment:
    rows = (
        Sensitivity("zone_shrunk_by_10_percent", -10.0, 3.523),
        Sensitivity("zone_swollen_by_10_percent", 10.0, None, "for a <reason>"),
    )
    return replace(assessed("1"), tissue=TissueChange(around, inside, reason), sensitivity=rows)


def only(lesion: LesionAssessment, **facts: object) -> Assessment:
    return replace(an_assessment(), lesions=(lesion,), facts=facts)


def test_every_assumption_has_words_that_say_it_is_one() -> None:
    assert set(ASSUMPTIONS) == set(ASSUMED_PERCENT)
    assert all(text.startswith("if ") and "unseen" in text for text in ASSUMPTIONS.values())
    assert "10 %" in ASSUMPTIONS["zone_shrunk_by_10_percent"]


def test_the_page_shows_each_assumption_with_its_label_below_what_was_measured() -> None:
    html = page(only(changed()))
    table = re.findall(r'<table class="assumptions">.*?</table>', html, re.DOTALL)[0]
    assert "Assumptions, not corrections" in table
    assert "No rule, interval or hazard uses them" in table
    cells = re.findall(r'<th scope="row">(.*?)</th><td class="number">(.*?)</td><td>(.*?)</td>', table)
    measured = assessed("1").margin
    assert measured is not None
    assert cells == [
        ("as measured: no unseen change", f"{measured.min_mm:.1f}", ""),
        (ASSUMPTIONS["zone_shrunk_by_10_percent"], "3.5", ""),
        (ASSUMPTIONS["zone_swollen_by_10_percent"], "n/a", "for a &lt;reason&gt;"),
    ]


@pytest.mark.parametrize(("days", "said"), [(None, "not known"), (1.0, "1"), (42.0, "42")])
def test_the_change_of_tissue_is_printed_with_the_days(days: float | None, said: str) -> None:
    html = page(only(changed(), days_since_ablation=days))
    assert "The liver 5 to 20 mm from the zone has shrunk (-3.2 %)" in html
    assert "What lies inside the zone has swollen (+0.6 %)" in html
    assert "carried over by smoothness, not seen" in html
    assert f"Days since the ablation: {said}." in html


def test_a_change_that_rounds_to_nothing_has_no_direction() -> None:
    first, second = tissue_sentences(changed(0.04, -0.04), None)
    assert "has kept its volume (0.0 %)" in first
    assert "has kept its volume (0.0 %)" in second


def test_an_unknown_change_says_why_and_still_the_days() -> None:
    said = tissue_sentences(changed(None, None, "the alignment is rigid"), 2.0)
    assert said == (
        "Change of the liver's volume around the zone: not known (the alignment is rigid). Days since the ablation: 2.",
    )
    assert len(tissue_sentences(changed(-1.0, None), 2.0)) == 1


def test_the_terminal_prints_the_assumptions_that_have_a_margin() -> None:
    text = table_text(only(changed()))
    assert "Assumptions, not corrections; minimal margin in the tissue as it was before: if the zone had shrunk" in text
    assert "unseen, 3.5 mm." in text
    assert assumed_sentences(not_treated()) == ()


def test_a_lesion_that_was_not_treated_has_rows_without_numbers() -> None:
    assert [row.min_mm for row in sensitivity_rows(not_treated())] == ["n/a"] * 3
    assert all(row.reason for row in sensitivity_rows(not_treated())[1:])
