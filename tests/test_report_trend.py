"""The common report of several studies: what it shows, in which words, and what it never says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from review_fixture import a_review
from test_report_html import HOSTILE, Outline

from pipelines.bundled import templates, text
from pipelines.figures.trend import trend_figure
from pipelines.several import Several
from pipelines.store.result import result_bytes
from pipelines.store.trend import trend_document
from planner.assessment import Reason
from planner.caution import Caution
from planner.report.trend import ORDERS, PostAt, Trend, post_at, render_trend, trend_lines
from planner.timing import UNKNOWN_TIMING, Timing


def post(number: int, days: float | None, between: float | None = None) -> PostAt:
    timing = replace(UNKNOWN_TIMING, days_since_ablation=days, days_between_studies=between)
    return replace(post_at(a_review().assessment), number=number, timing=timing.numbered(number, 2))


def trend(*posts: PostAt, order="days_since_ablation") -> Trend:
    return Trend("seven", "key", posts, order)


def page(shown: Trend) -> str:
    return render_trend(shown, trend_figure(shown), templates=templates(), css=text("report.css"))


BOTH = trend(post(1, 1.0), post(2, 40.0))


def test_every_lesion_has_a_row_for_every_study_and_a_link_to_it() -> None:
    html = page(BOTH)
    links = [str(a.get("href")) for tag, a in Outline(html).tags if tag == "a"]
    lesions = [lesion.lesion_id for lesion in BOTH.posts[0].lesions]
    assert links == [
        "post_1/report.html", "post_2/report.html",
        *(f"post_{n}/report.html#lesion-{name}" for name in lesions for n in (1, 2)),
    ]  # fmt: skip


def test_the_page_reaches_for_nothing_but_its_studies_reports() -> None:
    html = page(BOTH)
    own = re.sub('base64,[^"]*', "", html)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", own)
    tags = Outline(html).tags
    assert not {"script", "link", "iframe", "form"} & {tag for tag, _ in tags}
    assert [tag for tag, _ in tags].count("table") == [tag for tag, _ in tags].count("caption")
    assert all(a.get("scope") in {"row", "col"} for tag, a in tags if tag == "th")
    assert all(a.get("alt") for tag, a in tags if tag == "img")
    assert "Content-Security-Policy" in html


def test_hostile_strings_are_text() -> None:
    failed = PostAt(2, "failed", failure=Reason(None, "x", HOSTILE))
    hostile = replace(post(1, 1.0), cautions=(Caution("x", HOSTILE),))
    html = page(Trend(HOSTILE, HOSTILE, (hostile, failed), "call"))
    assert "script" not in {tag for tag, _ in Outline(html).tags}
    assert "\u202e" not in html


def test_lesions_without_a_margin_and_studies_without_a_result_are_said() -> None:
    shown = trend(post(1, 1.0), PostAt(2, "failed", failure=Reason(None, "gone", "no such folder")))
    html = page(shown)
    assert "study 2 after the ablation has no result: no such folder" in html
    assert "no result: no such folder" in html
    assert "<img " not in html  # one point is no course
    document = trend_document(shown, {"software": "x", "inputs_sha256": {}})
    assert document["posts"][1] == {
        "post_number": 2, "folder": None, "status": "failed", "timing": None, "days_since_ablation": None,
        "lesions": [], "reason": {"field": None, "code": "gone", "text": "no such folder"},
    }  # fmt: skip
    assert document["provenance"] == {"software": "x"}
    assert result_bytes(document)
    assert Several(shown, {}).folders == ("post_1",)


@pytest.mark.parametrize(
    ("posts", "axis"),
    [
        ((post(1, 1.0), post(2, 40.0)), "days since ablation"),
        ((post(1, None, 9.0), post(2, None, 50.0)), "days since the pre-ablation study"),
        ((post(1, 1.0), post(2, None)), "study, in the order of the table"),
    ],
)
def test_the_picture_shows_the_best_time_that_is_known_of_all(posts, axis) -> None:
    figure = trend_figure(trend(*posts))
    assert figure is not None
    assert f"over {axis}," in figure.caption
    assert figure.content == trend_figure(trend(*posts)).content


def test_two_studies_of_one_day_still_have_a_picture() -> None:
    assert trend_figure(trend(post(1, 0.0), post(2, 0.0))) is not None


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_is_said_on_the_page_and_at_the_terminal(order) -> None:
    shown = trend(post(1, 1.0), post(2, 40.0), order=order)
    assert ORDERS[order] in page(shown)
    assert trend_lines(shown)[0] == ORDERS[order]


def test_the_trend_is_called_neither_progression_nor_anything_else() -> None:
    said = (
        re.sub('<style>.*?</style>|data:[^"]*', "", page(BOTH), flags=re.DOTALL) + " ".join(trend_lines(BOTH))
    ).lower()
    assert not re.search("progress|recur|relapse|growth|should|recommend|advis|diagnos", said)
    assert "expected" in said


def test_a_case_none_of_whose_posts_is_assessed_is_not_assessable() -> None:
    one = replace(post(1, 1.0), status="not_assessable")
    assert trend_document(trend(one, replace(one, number=2)), {})["status"] == "not_assessable"
    assert trend_document(trend(one, post(2, 3.0)), {})["status"] == "assessed"


def test_a_timing_of_several_is_told_apart() -> None:
    assert isinstance(BOTH.posts[1].timing, Timing)
    assert (BOTH.posts[1].timing.post_number, BOTH.posts[1].timing.posts) == (2, 2)
