from __future__ import annotations

from review_fixture import an_assessment

from pipelines.bundled import templates, text
from pipelines.catalogue import packaged_comparisons, packaged_hazards
from planner.consult import Evidence, consulted
from planner.report.content import report_content
from planner.report.held_against import risk_sentences
from planner.report.html import render_html
from planner.report.progression import progression

FOUND = consulted(
    an_assessment(), {"primary": "colorectal"}, Evidence(packaged_hazards(), comparisons=packaged_comparisons())
)


def test_nothing_is_said_where_no_relation_was_asked() -> None:
    assert progression(an_assessment()) is None


def test_each_sentence_about_a_lesion_is_said_once_for_it_or_once_for_all() -> None:
    found = progression(FOUND)
    assert found is not None
    assert [row.lesion_id for row in found.rows] == ["2", "1", "3"]
    for row in found.rows:
        lesion = next(one for one in FOUND.lesions if one.lesion_id == row.lesion_id)
        first, *notes = risk_sentences(lesion)
        assert row.said == first
        assert set(notes) <= {*row.own, *found.validity}
        assert not set(row.own) & set(found.validity)


def test_no_hazard_is_said_below_zero_nor_without_a_margin() -> None:
    found = progression(FOUND)
    assert found is not None
    said = {row.lesion_id: row.said for row in found.rows}
    assert "no relative hazard below a margin of 0 mm" in said["2"]
    assert "times that at a margin of 5 mm" in said["1"]
    assert "no relative hazard" in said["3"]


def test_the_page_prints_the_relation_before_the_lesions() -> None:
    html = render_html(report_content(FOUND, (), {}, {}), templates=templates(), css=text("report.css"))
    assert html.index('id="registration"') < html.index('id="progression"') < html.index('id="lesion-2"')
    assert html.count("For whom it holds, and for this case") == 1
