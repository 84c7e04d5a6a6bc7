"""What a worklist says of each study: the values of its result, in the order of what worries."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from audit_cases import document, lesion, write_case, write_failure
from review_fixture import a_review
from test_posts_batch import write_posts
from test_report_html import HOSTILE, Outline

from pipelines.batch.studies import read_case
from pipelines.bundled import templates, text
from pipelines.store.result import result_document
from planner.report.worklist import LesionItem, Study, worst_first
from planner.report.worklist_page import render_worklist
from planner.report.worklist_rows import filters_of, row_of, summary_sentences


class Listed(Outline):
    """The outline of a page with a form and a script."""

    def handle_starttag(self, tag, attrs) -> None:
        if tag == "input":
            self.tags.append((tag, dict(attrs)))
        else:
            super().handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "script":
            super().handle_data(data)


def page(*studies: Study) -> str:
    return render_worklist(
        studies, templates=templates(), css=text("worklist.css"), script=text("worklist.js"), software="ours 1"
    )


def studies_in(folder: Path) -> tuple[Study, ...]:
    return read_case(folder)[0]


def study(case_id: str = "a", *margins: float | None, **changes) -> Study:
    lesions = tuple(
        LesionItem(str(n), "not_treated" if margin is None else "assessed", margin)
        for n, margin in enumerate(margins, start=1)
    )
    return replace(Study(case_id, "assessed", lesions=lesions, gate="pass", report=f"{case_id}/report.html"), **changes)


def counts(*studies: Study) -> dict[str, int]:
    return {option.key: option.count for one in filters_of(studies) for option in one.options if option.count}


def test_a_row_holds_what_the_result_of_a_review_holds(tmp_path):
    review = a_review()
    place = write_case(tmp_path, json.loads(json.dumps(result_document(review))))
    (place / "report.html").touch()
    (found,) = studies_in(place)
    assessment = review.assessment
    assert (found.case_id, found.state) == (assessment.case_id, assessment.status)
    assert found.report == f"{assessment.case_id}/report.html"
    assert found.pdf == ""
    assert [one.lesion_id for one in found.lesions] == [one.lesion_id for one in assessment.lesions]
    for own, theirs in zip(found.lesions, assessment.lesions, strict=True):
        margin = theirs.margin
        assert own.status == theirs.status
        assert own.min_mm == (None if margin is None or margin.min_mm is None else round(margin.min_mm, 4))
        if own.min_mm is None:
            assert own.reasons
        elif margin is not None and margin.interval is not None:
            assert own.ci95_mm == (round(margin.interval.low_mm, 4), round(margin.interval.high_mm, 4))
    verdicts = [verdict.word for judged in assessment.judged if judged.here for verdict in judged.verdicts]
    assert (found.outside, found.short) == (verdicts.count("fail"), verdicts.count("caution"))
    assert found.worst is not None
    assert found.worst.min_mm == min(one.min_mm for one in found.lesions if one.min_mm is not None)


def test_each_of_several_posts_is_a_row_with_its_own_report_and_one_without_a_result_says_why(tmp_path):
    failed = {"post_number": 3, "folder": None, "status": "failed", "reason": {"code": "missing", "text": "no image"}}
    listed = [{"folder": f"post_{n}"} for n in (1, 2)]
    place = write_posts(tmp_path, "a", (1.0, 6.0), (30.0, -2.0), posts=[*listed, failed])
    for name in (".", "post_1", "post_2"):
        (place / name / "report.html").touch()
    first, second, third = studies_in(place)
    assert [one.report for one in (first, second, third)] == ["a/post_1/report.html", "a/post_2/report.html", ""]
    assert {one.overview for one in (first, second, third)} == {"a/report.html"}
    assert [(one.post_number, one.posts) for one in (first, second, third)] == [(1, 3), (2, 3), (3, 3)]
    assert (first.worst.min_mm, second.worst.min_mm) == (6.0, -2.0)
    assert row_of(second).of_case == "study 2 of 3, day 30"
    assert (third.state, third.why) == ("failed", ("missing", "no image"))
    said = " ".join(summary_sentences((first, second, third)))
    assert said.startswith("3 studies after an ablation of 1 case: 2 assessed, 1 failed.")


def test_a_case_without_a_result_says_why(tmp_path):
    write_failure(tmp_path, "killed")
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "batch.json").write_text("{}")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "failure.json").write_text('{"case_id": "to')
    found = [studies_in(tmp_path / name)[0] for name in ("killed", "begun", "torn")]
    assert [(one.state, one.why) for one in found] == [
        ("failed", ("killed", "why")), ("unfinished", ()), ("failed", ("unknown", "no reason was kept")),
    ]  # fmt: skip
    assert row_of(found[0]).remarks == ("killed: why",)
    assert [row_of(one).kinds for one in found] == ["no-result"] * 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ("[" * 100_000, "it is not JSON"),
        ('{"schema_version": 2}', "its schema_version is not 1"),
        ('{"schema_version": 1, "status": "done"}', "its status is not one of assessed, not_assessable"),
        ('{"schema_version": 1, "posts": [{"folder": "../b"}]}', "posts names a folder that is none of a post"),
        ('{"schema_version": 1, "posts": [{"folder": "post_1"}]}', "it cannot be read"),
    ],
)
def test_a_result_that_cannot_be_used_is_listed_with_the_reason(tmp_path, content, said):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "result.json").write_text(content)
    (found,) = studies_in(tmp_path / "a")
    assert (found.case_id, found.state, found.why) == ("a", "unreadable", ("result.json", said))


def test_odd_values_of_a_result_are_not_known_and_end_nothing(tmp_path):
    odd = document("a", lesion(), lesions=[{"lesion_id": None, "margin": {"min_mm": "1", "ci95_mm": [1]}}, 7])
    odd |= {"registration": [], "guidelines": {"a": 1}, "timing": None, "reasons": "x", "provenance": None}
    (found,) = studies_in(write_case(tmp_path, odd))
    assert found.lesions == (LesionItem("None", "None"),)
    assert (found.gate, found.outside, found.posts, found.remarks) == ("unchecked", 0, 1, ())
    assert page(found)


@pytest.mark.parametrize(
    ("registration", "gate"),
    [
        ({"passed": True, "checks": [{"passed": True}]}, "pass"),
        ({"passed": True, "checks": [{"passed": None}]}, "unchecked"),
        ({"passed": True, "zones": {"1": {"gate": "pass"}, "2": {"gate": "warn"}}}, "warn"),
        ({"passed": True, "checks": [{"passed": True, "warned": True}]}, "warn"),
        ({"passed": True, "zones": {"1": {"gate": "warn"}, "2": {"gate": "fail"}}}, "fail"),
        ({"passed": False, "zones": {"1": {"gate": "pass"}}}, "fail"),
    ],
)
def test_the_worst_check_counts_of_the_case_or_any_zone(tmp_path, registration, gate):
    (found,) = studies_in(write_case(tmp_path, document("a", lesion(), registration=registration)))
    assert found.gate == gate


def test_the_worst_margin_comes_first_as_a_number_and_what_has_none_last():
    listed = worst_first([
        study("h", state="not_begun", gate=None), study("g", state="failed", gate=None), study("c", 10.0),
        study("e", state="not_assessable"), study("b10", 9.5), study("b9", 9.5), study("a", None, -0.04),
        study("d", None), study("f", -12.0),
    ])  # fmt: skip
    assert [one.case_id for one in listed] == ["f", "a", "b9", "b10", "c", "d", "e", "g", "h"]


@pytest.mark.parametrize(
    ("margin", "band", "shown"),
    [(-0.04, "below-0", "-0.04"), (0.0, "below-5", "0.0"), (4.96, "below-5", "4.96"), (5.0, "below-10", "5.0"),
     (10.0, "from-10", "10.0"), (None, "unknown", "n/a")],
)  # fmt: skip
def test_a_margin_stays_on_its_side_of_a_line(margin, band, shown):
    row = row_of(study("a", margin))
    assert (row.band, row.margin) == (band, shown)
    assert ("not covered on these images" in row.worst) == (margin is not None and margin < 0)


def test_what_can_be_filtered_is_counted():
    across = LesionItem("1", "assessed", 1.0, (-0.5, 2.0))
    found = counts(
        study("a", -1.0, None), study("b", lesions=(across,), gate="warn", remarks=("two patients",)),
        study("c", 6.0, borderline=1, outside=2, gate="fail"), study("d", state="failed", gate=None, why=("x", "y")),
        study("e", state="not_assessable"),
    )  # fmt: skip
    assert found == {
        "below-0": 1, "below-5": 1, "below-10": 1, "unknown": 2, "pass": 2, "warn": 1, "fail": 1, "none": 1,
        "no-result": 1, "not-assessable": 1, "not-treated": 1, "across-0": 1, "borderline": 1, "outside": 1,
        "caution": 1,
    }  # fmt: skip


def test_a_row_counts_only_borderline_verdicts_that_may_read_otherwise(tmp_path):
    verdicts = [{"verdict": word, "borderline": True} for word in ("pass", "caution", "fail", "info", "not_evaluable")]
    (found,) = studies_in(write_case(tmp_path, document("a", lesion(), guidelines=verdicts)))
    assert (found.outside, found.short, found.borderline) == (1, 1, 3)
    assert row_of(found).criteria == ("1 outside", "1 short of", "3 borderline")


def test_a_row_says_openly_which_lesion_has_no_margin_and_why():
    lesions = (LesionItem("1", "assessed", 2.0), LesionItem("2", "not_treated"),
               LesionItem("3", "not_assessable", reasons=("the scan ends in it", "so does the other")))  # fmt: skip
    row = row_of(study("a", lesions=lesions, remarks=("two patients",)))
    assert row.lesions == "3 lesions: 1 assessed, 1 not assessable, 1 not treated"
    assert row.remarks == (
        "two patients", "lesion 2: not treated", "lesion 3: not assessable: the scan ends in it; so does the other",
    )  # fmt: skip


def test_a_link_leads_to_the_lesion_and_one_whose_id_is_no_plain_word_to_the_report():
    odd = LesionItem('1"#x', "assessed", 1.0)
    lines = row_of(study("a", lesions=(LesionItem("12", "assessed", 2.0), odd))).lines
    assert [line.link for line in lines] == ["a/report.html#lesion-12", "a/report.html"]


def test_hostile_text_is_text():
    lesions = (
        LesionItem(HOSTILE, HOSTILE, None, None, HOSTILE, HOSTILE, None, (HOSTILE,), (HOSTILE,)),
        LesionItem(HOSTILE, "assessed", 1.0, None, HOSTILE),
    )
    hostile = study(HOSTILE, lesions=lesions, remarks=(HOSTILE,), software_version=HOSTILE)
    html = page(hostile, study(HOSTILE, state="failed", why=(HOSTILE, HOSTILE)))
    outline = Listed(html)
    assert [tag for tag, _ in outline.tags].count("script") == 1
    assert not {name for _, attributes in outline.tags for name in attributes if name.startswith("on")}
    assert "\u202e" not in html
    assert "<script>alert(1)" in "".join(outline.words)
    assert "A" * 301 not in re.sub(r"<(th|summary|a|bdi)[ >].*?</\1>", "", html, flags=re.DOTALL)


def test_the_page_reads_without_scripts_and_reaches_for_nothing():
    html = page(study("a", -1.0), study("b", 3.0))
    tags = Listed(html).tags
    assert [a["href"] for tag, a in tags if tag == "a"] == ["a/report.html", "b/report.html"]
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    policy = next(str(a["content"]) for tag, a in tags if tag == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert next(a for tag, a in tags if tag == "form").keys() >= {"hidden"}
    assert all(a.get("scope") in {"row", "col"} for tag, a in tags if tag == "th")


def test_the_page_says_nothing_that_reads_as_a_judgement():
    words = " ".join(Listed(page(study("a", -1.0, gate="fail"), study("b", 3.0, gate="pass"))).words)
    assert not re.search(r"\b(PASS|FAIL|pass|fail|safe|should|recommend\w*|insufficient|adequate)\b", words)
    assert "Not a medical device" in words
    assert "not covered on these images" in words


def test_the_list_begins_with_what_it_holds():
    said = " ".join(summary_sentences((study("a", -1.0, None), study("b", 3.0), study("c", None), study("d", 7.0))))
    assert said == (
        "4 studies after an ablation: 4 assessed. Worst minimal margins below 0 mm (not covered on these images): 1;"
        " from 0 to below 5 mm: 1; known of 3 studies. 2 studies have a lesion that no ablation zone treats. 1 study"
        " has lesions with a margin beside lesions without: the true worst may be lower than the one shown."
    )


def test_an_empty_list_says_so():
    assert "There is no case here." in page()


def test_no_patient_is_on_the_page(tmp_path):
    place = write_case(tmp_path, document("a", lesion(), patient="p-KV77", identities={"pre": {"name": "Q^Z"}}))
    html = page(*studies_in(place))
    assert "KV77" not in html
    assert "Q^Z" not in html


def test_an_odd_folder_is_linked_as_it_is_named(tmp_path):
    name = "a %2e#?&\"' é \u05d0;=+"
    place = write_case(tmp_path, document(name, lesion()))
    (place / "report.html").touch()
    (found,) = studies_in(place)
    assert found.report == "a%20%252e%23%3F%26%22%27%20%C3%A9%20%D7%90%3B%3D%2B/report.html"
    assert Path(tmp_path, name).is_dir()
