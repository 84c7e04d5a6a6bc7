from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from review_fixture import a_review, an_assessment

from pipelines.bundled import templates, text
from pipelines.catalogue import packaged_hazards
from pipelines.store.result import result_document
from planner.assessment import Assessment, Distance, Passage, Reason
from planner.caution import Caution
from planner.consult import Evidence, consulted
from planner.register.alignment import Check
from planner.report import words
from planner.report.answer import band
from planner.report.content import report_content
from planner.report.figure import Figure
from planner.report.html import render_html

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = '<script>alert(1)</script>" onload="x\u202e' + "A" * 300


def page(assessment: Assessment | None = None, **changes: object) -> str:
    review = a_review()
    given = {
        "figures": (Figure("lesion_1_plane", "A plane.", "alternative text", "image/png", PIXEL, "1"),
                    Figure("all", "All.", "case picture", "image/png", PIXEL)),
        "provenance": review.provenance, "timings_s": review.timings_s, "notes": ("PRE: a note.",),
    } | changes  # fmt: skip
    content = report_content(assessment or an_assessment(), **given)  # type: ignore[arg-type]  # any argument by name
    return render_html(content, templates=templates(), css=text("report.css"))


class Outline(HTMLParser):
    """What the tests ask of a page: tags with attributes in order, text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


def test_the_page_reaches_for_nothing_outside_itself() -> None:
    html = page()
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html.replace("<!DOCTYPE html>", ""))
    for tag, attributes in Outline(html).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "base"}
        assert all(not name.startswith("on") and name != "style" for name in attributes)
        for name in ("src", "href"):
            if value := attributes.get(name):
                assert value.startswith(("data:image/png;base64,", "#"))


def test_the_content_policy_allows_its_own_style_sheet_and_pictures_only() -> None:
    html = page()
    policy = next(a["content"] for _, a in Outline(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'")


def test_every_link_within_the_page_has_its_target() -> None:
    tags = Outline(page()).tags
    targets = {attributes.get("id") for _, attributes in tags}
    links = [str(attributes["href"])[1:] for tag, attributes in tags if tag == "a"]
    lesions = [link for link in links if link.startswith("lesion-")]
    assert len(lesions) == 9  # from the list of parts, from the answer, and from the table of every number
    assert set(links) <= targets


def test_hostile_strings_are_text() -> None:
    hostile = replace(
        an_assessment(), case_id=HOSTILE, notes=(HOSTILE,), reasons=(Reason(HOSTILE, "code", HOSTILE),)
    )  # fmt: skip
    figure = Figure("x", HOSTILE, HOSTILE, "image/png", PIXEL, "1")
    html = page(hostile, figures=(figure,), provenance={HOSTILE: {HOSTILE: HOSTILE}}, notes=(HOSTILE,),
                timings_s={HOSTILE: 1.0})  # fmt: skip
    outline = Outline(html)
    assert not outline.open
    assert "script" not in {tag for tag, _ in outline.tags}
    assert not any("onload" in attributes for _, attributes in outline.tags)
    assert '<script>alert(1)</script>" onload="x\ufffd' in "".join(outline.words)
    assert "\u202e" not in html


def test_the_answer_comes_first_and_the_banner_above_it() -> None:
    html = page()
    marks = [words.BANNER, 'id="impression"', 'id="margins"', 'id="unknown"', 'id="registration"', 'id="lesion-2"',
             'id="lesion-1"', 'id="lesion-3"', 'id="numbers"', 'id="timing"', 'id="notes"', 'id="method"']  # fmt: skip
    places = [html.index(mark) for mark in marks]
    assert places == sorted(places)
    assert html.index("<table") == html.index('<table class="answer"')


def test_the_page_is_accessible_in_its_structure() -> None:
    tags = Outline(page()).tags
    assert next(attributes for tag, attributes in tags if tag == "html")["lang"] == "en"
    assert [tag for tag, _ in tags].count("h1") == 1
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    heads = [attributes for tag, attributes in tags if tag == "th"]
    assert heads
    assert all(attributes.get("scope") in {"row", "col", "colgroup"} for attributes in heads)
    assert [tag for tag, _ in tags].count("table") == [tag for tag, _ in tags].count("caption")


def printed(cell: str) -> float:
    return float(cell)


@pytest.mark.parametrize("index", [0, 1])
def test_every_number_of_the_table_is_that_of_the_result(index: int) -> None:
    lesion = result_document(a_review())["lesions"][index]
    margin = lesion["margin"]
    rows = re.findall(r"<tr><th scope=\"row\" data-key=\"lesion_id\">.*?</tr>", page(), re.DOTALL)
    row = next(row for row in rows if f'href="#lesion-{lesion["lesion_id"]}"' in row)
    cells = dict(re.findall(r"<td data-key=\"(\w+)\"[^>]*>(.*?)</td>", row))
    low, high = cells["ci95_mm"].split(" to ")
    lengths = {
        "min_mm": margin["min_mm"], "geometric_min_mm": margin["geometric_min_mm"], "q05_mm": margin["q05_mm"],
        "registration_error_mm": lesion["registration_error_mm"],
    }  # fmt: skip
    for key, value in lengths.items():
        assert printed(cells[key]) == pytest.approx(value, abs=0.0501)
    assert [printed(low), printed(high)] == pytest.approx(margin["ci95_mm"], abs=0.0501)
    for limit in ("0", "5", "10"):
        share = 100 * margin["surface_fraction_below"][limit]
        assert printed(cells[f"below_{limit}"]) == pytest.approx(share, abs=0.501)
    assert printed(cells["tumour_ml"]) == pytest.approx(lesion["tumour_ml"], abs=0.00501)
    assert printed(cells["ablation_ml"]) == pytest.approx(lesion["ablation_ml"], abs=0.0501)
    assert printed(cells["residual_ml"]) == pytest.approx(margin["residual_ml"], abs=0.000501)
    assert cells["p_at_least_5"] == "&lt;1"
    assert margin["p_at_least"]["5"] == 0.004
    assert cells["direction"] == margin["direction"]


def test_rigid_and_deformable_margins_stand_side_by_side() -> None:
    html = page()
    assert "By the rigid step alone the minimal margin would be -3.9 mm (same band)." in html
    assert "By the rigid step alone the minimal margin would be 1.5 mm (same band)." in html


def test_checks_read_passed_failed_or_shown_only() -> None:
    html = page()
    assert html.count(">check passed<") == html.count(">check failed<") == html.count(">shown only<") == 1
    assert not re.search(r"\b(PASS|FAIL)\b", html)


def test_what_was_looked_at_has_names_and_units_in_words() -> None:
    checks = (
        Check("correlation_rigid", 0.8442, "ratio", None, ""), Check("shared_field_of_view", 1.0, "fraction", True, ""),
        Check("predicted_error", 1.37, "mm", True, ""), Check("rigid_only", None, "", None, ""),
    )  # fmt: skip
    html = page(replace(an_assessment(), alignment=replace(an_assessment().alignment, checks=checks)))
    shown = re.findall(r'<td>case</td><th scope="row">(.*?)</th><td class="number">(.*?)</td>', html)
    assert shown == [
        ("image similarity after the rigid step", "0.84 of 1"), ("shared field of view", "100 %"),
        ("predicted registration error", "1.4 mm"), ("rigid map alone", "-"),
    ]  # fmt: skip


def test_findings_are_named_in_words() -> None:
    assert re.findall(r'<th scope="row">(.*?)</th><td class="number">1494 ml<', page()) == ["liver volume (patient)"]


def test_far_structures_are_folded_away_below_the_near_ones() -> None:
    around = (Distance("ivc", "tumour", 12.0, None), Distance("ivc", "ablation", -0.5, None, (-2.0, 1.0)),
              Distance("colon", "tumour", 45.0, None), Distance("colon", "ablation", 40.0, None))  # fmt: skip
    html = page(replace(an_assessment(), lesions=(replace(an_assessment().lesions[0], distances=around),)))
    near, far = html[html.index(">Distances<") :].split("<details>")
    cells = '<td class="number">12.0</td><td class="number">overlapping, -0.5 (-2.0 to 1.0)</td>'
    assert f'<th scope="row">inferior vena cava</th>{cells}' in near
    assert "colon" not in near
    assert "<summary>1 structure farther than 30 mm</summary>" in far
    assert '<th scope="row">colon</th><td class="number">45.0</td><td class="number">40.0</td>' in far
    assert not Outline(html).open


def test_veins_are_told_in_sentences_that_the_reader_has_to_confirm() -> None:
    passages = (Passage("hepatic_vein_left", True, "passes", 12.34, (6.06, 4.84)),
                Passage("portal_vein", False, "one_side", 20.0))  # fmt: skip
    html = page(replace(an_assessment(), passages=passages))
    assert (
        "<li>Left hepatic vein: goes through the ablation zones for 12.3 mm and leaves them on both sides (calibre"
        " where it leaves: 6.1, 4.8 mm); counted as preserved, to be confirmed by the reader.</li>"
    ) in html
    assert "on one side only; not counted as preserved on these images, to be confirmed by the reader.</li>" in html
    assert not Outline(html).open
    assert "Hepatic veins and inflow" not in page()


def test_timings_and_versions_are_printed() -> None:
    said = " ".join(Outline(page()).words)
    assert "total 36.8" in said
    assert "settings.margin.growth_mm" in said
    assert "ab" * 32 in said


def test_pictures_stand_with_their_lesion() -> None:
    html = page()
    assert html.index('id="registration"') < html.index('alt="case picture"') < html.index('id="lesion-2"')
    assert html.index('id="lesion-1"') < html.index('alt="alternative text"') < html.index('id="lesion-3"')


def test_a_picture_of_another_media_type_is_refused() -> None:
    with pytest.raises(ValueError, match="text/html"):
        page(figures=(Figure("x", "", "", "text/html", b"<script>", None),))


def test_the_page_is_the_same_every_time() -> None:
    assert page() == page()


def test_a_case_without_lesions_still_has_a_page() -> None:
    empty = replace(an_assessment(), lesions=(), findings=(), status="not_assessable")
    assert "No lesions." in page(empty, figures=(), provenance={}, timings_s={})


@pytest.mark.parametrize(
    ("margin_mm", "name"),
    [(-0.1, "below-0"), (0.0, "below-5"), (4.99, "below-5"), (5.0, "below-10"), (10.0, "from-10"), (None, "unknown")],
)
def test_bands_begin_at_their_threshold(margin_mm: float | None, name: str) -> None:
    assert band(margin_mm) == name


def test_the_page_says_what_was_entered_and_lists_its_references() -> None:
    found = consulted(an_assessment(), {"primary": "colorectal"}, Evidence(packaged_hazards()))
    html = page(found)
    assert '<th scope="row">primary tumour</th><td>colorectal</td>' in html
    assert '<th scope="row">approach</th><td>not entered</td>' in html
    assert "<strong>Wang 2013</strong>: Wang X, Sofocleous CT" in html
    assert "10.1007/s00270-012-0377-1" in html
    assert "References" not in page()


def test_a_caution_stands_above_every_number_once() -> None:
    found = page(replace(an_assessment(), cautions=(Caution("different-patients", "two <patients>"),)))
    assert found.count("two &lt;patients&gt;") == 1
    assert found.index("two &lt;patients&gt;") < found.index("<main>") < found.index('id="margins"')
    assert "Caution:" not in page()
