"""The worklist as a reader meets it: a thousand cases from file:// in Debian's Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from audit_cases import document, lesion, write_case, write_failure
from browser import opened, share_that_differs, violations
from test_bench_scripts import script
from test_posts_batch import write_posts

from pipelines.batch.worklist import PAGE, write_worklist

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "worklist.png"
PIXELS_THAT_MAY_DIFFER = 0.005
"""Share of pixels of the stored picture: another build of Chromium draws letters with other edges."""

HOSTILE = "<script>alert(1)<%2e#?&\"' \u202eabc \u05d0\u05d1"
MADE, SEED = 1000, 7000


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """A thousand made-up cases, one of two studies, and one that means harm."""
    out = tmp_path_factory.mktemp("batch")
    made = script("made_up_batch").write_batch(out, MADE, SEED)
    place = write_case(out, document(HOSTILE, lesion(min_mm=-20.5), lesion(HOSTILE, 1.0)))
    (place / "report.html").write_text("<!DOCTYPE html><title>Report of the hostile</title>")
    place = write_posts(out, "two", (1.0, 6.0), (30.0, -19.0))
    for name in (".", "post_1", "post_2"):
        (place / name / "report.html").write_text(f"<!DOCTYPE html><title>Report of two, {name}</title>")
    write_failure(out, '"><img src=x onerror=alert(1)>', "timeout")
    write_worklist(out, [*made, "waits"])
    return out


def rows(seen) -> list[dict]:
    """Return the rows that are shown: case id, margin as printed ("" where not known) and what they are sorted by."""
    return seen.page.evaluate("""() => [...document.querySelectorAll("#worklist tbody tr")]
        .filter((tr) => !tr.hidden && tr.offsetHeight > 0)
        .map((tr) => ({...tr.dataset, name: tr.cells[0].querySelector("bdi").textContent, text: tr.textContent,
                       margin: tr.dataset.margin && parseFloat(tr.cells[1].textContent)}))""")


def said(seen) -> str:
    return seen.page.inner_text("#shown")


def count_beside(seen, value: str) -> int:
    return int(seen.page.inner_text(f'label:has(input[value="{value}"]) .count'))


def truth(out: Path) -> list[dict]:
    """Return the results of the made-up cases."""
    return [json.loads((out / f"c-{n:05d}" / "result.json").read_text()) for n in range(MADE) if n % 10 != 7]


def worst(result: dict) -> float | None:
    known = [one["margin"]["min_mm"] for one in result["lesions"] if one["margin"]["min_mm"] is not None]
    return min(known, default=None)


@pytest.fixture(scope="module")
def list_(out):
    with opened(out / PAGE) as seen:
        seen.ready()
        yield seen


@pytest.fixture
def seen(list_):
    """The open list with nothing chosen."""
    list_.page.evaluate("location.hash = 'nothing' + Math.random()")
    list_.page.wait_for_selector("#shown:text-is('1005 of 1005 rows, the first 500 shown')")
    return list_


def test_it_asks_for_nothing_and_says_nothing(seen):
    assert (seen.requests, seen.messages) == ([], [])


def test_the_worst_margin_stands_first_and_none_last(seen, out):
    seen.page.click("#more")
    listed = rows(seen)
    assert len(listed) == 1005
    assert [row["margin"] for row in listed[:2]] == [-20.5, -19.0]
    known = [row["margin"] for row in listed if row["margin"] != ""]
    assert {row["margin"] for row in listed[len(known) :]} == {""}
    theirs = [margin for margin in map(worst, truth(out)) if margin is not None]
    assert known == pytest.approx(sorted([*theirs, -20.5, -19.0, 6.0]), abs=0.0501)
    assert listed[-1]["name"] == "waits"
    # A second press turns the order round; what is not known stays last.
    seen.page.click("th[data-sort='margin'] button")
    assert seen.page.get_attribute("th[data-sort='margin']", "aria-sort") == "descending"
    seen.page.click("#more")
    turned = [row["margin"] for row in rows(seen)]
    assert turned[: len(known)] == known[::-1]
    assert set(turned[len(known) :]) == {""}


@pytest.mark.parametrize("column", ["case", "status", "lesions", "gate", "criteria"])
def test_each_column_sorts_and_says_so(seen, column):
    seen.page.click(f"th[data-sort='{column}'] button")
    order = seen.page.get_attribute(f"th[data-sort='{column}']", "aria-sort")
    assert seen.page.locator("th[aria-sort]").count() == 1
    listed = rows(seen)
    if column == "case":
        made = [row["name"] for row in listed if row["name"].startswith("c-")]
        assert (order, made) == ("ascending", sorted(made))
    else:
        keys = [float(row[column]) for row in listed if row[column]]
        assert (order, keys) == ("descending", sorted(keys, reverse=True))
        assert len(set(keys)) > 1


def test_filters_count_what_they_show(seen, out):
    results = truth(out)
    below = sum((margin := worst(one)) is not None and margin < 0 for one in results) + 2
    untreated = sum(any(x["status"] == "not_treated" for x in one["lesions"]) for one in results)
    both = sum(
        (margin := worst(one)) is not None and margin < 0 and any(x["status"] == "not_treated" for x in one["lesions"])
        for one in results
    )
    assert (count_beside(seen, "below-0"), count_beside(seen, "not-treated")) == (below, untreated)
    assert count_beside(seen, "no-result") == MADE // 10 + 2
    seen.page.check("input[value='below-0']")
    assert said(seen) == f"{below} of 1005 rows"
    assert count_beside(seen, "not-treated") == both  # what there would be with it
    assert count_beside(seen, "below-5") > 0  # of its own kind one more would add
    seen.page.check("input[value='not-treated']")
    assert said(seen) == f"{both} of 1005 rows"
    listed = rows(seen)
    assert len(listed) == both
    assert all(row["margin"] < 0 and "not treated" in row["text"] for row in listed)
    seen.page.click("#clear")
    assert said(seen).startswith("1005 of 1005")
    assert seen.page.evaluate("document.activeElement.id") == "find"


def test_a_filtered_list_is_found_again_by_its_address(seen, out):
    seen.page.click("th[data-sort='lesions'] button")
    seen.page.check("input[value='fail']")
    seen.page.check("input[value='below-0']")
    seen.page.fill("#find", "Made-Up")
    fragment = seen.page.evaluate("location.hash")
    expected = [row["name"] for row in rows(seen)]
    assert 0 < len(expected) < 100
    with opened(out / PAGE, fragment=fragment) as again:
        again.ready()
        assert [row["name"] for row in rows(again)] == expected
        assert again.page.is_checked("input[value='fail']")
        assert again.page.input_value("#find") == "made-up"
        assert again.page.get_attribute("th[data-sort='lesions']", "aria-sort") == "descending"
        # An address that nobody wrote is as good as none.
        again.page.evaluate("location.hash = 'sort=<b>&order=x&band=y&gate=%'")
        again.page.wait_for_selector("th[data-sort='margin'][aria-sort='ascending']")
        assert said(again).startswith("1005 of 1005")
        assert again.messages == []


def test_words_are_found_in_any_row(seen):
    seen.page.fill("#find", "timeout")
    assert [row["name"] for row in rows(seen)] == ['"><img src=x onerror=alert(1)>']
    seen.page.fill("#find", "C-00012")
    assert [row["name"] for row in rows(seen)] == ["c-00012"]
    seen.page.fill("#find", "no such words")
    assert said(seen) == "0 of 1005 rows"


def test_it_works_by_keyboard(seen):
    seen.page.focus("#find")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Space")
    assert seen.page.is_checked("input[value='below-0']")
    seen.page.focus("th[data-sort='gate'] button")
    seen.page.keyboard.press("Enter")
    assert seen.page.get_attribute("th[data-sort='gate']", "aria-sort") == "descending"


@pytest.mark.parametrize(
    ("row", "title"),
    [(0, "Report of the hostile"), (1, "Report of two, post_2"), (5, r"Report of c-\d{5}")],
)
def test_a_row_opens_its_report(out, row, title):
    with opened(out / PAGE) as seen:
        seen.ready()
        seen.page.locator("#worklist tbody tr").nth(row).locator("th a").first.click()
        seen.page.wait_for_url("**/report.html")
        assert re.fullmatch(title, seen.page.title())


def test_hostile_names_are_text(seen):
    listed = rows(seen)
    assert listed[0]["name"] == HOSTILE.replace("\u202e", "�")
    assert seen.page.locator("img").count() == 0


def test_without_scripts_every_row_is_there(out):
    with opened(out / PAGE, script=False) as seen:
        shown = seen.page.locator("#worklist tbody tr")
        assert shown.count() == 1005
        assert shown.nth(1004).is_visible()
        assert not seen.page.locator("#filters").is_visible()
        assert (seen.requests, seen.messages) == ([], [])


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    """Few cases: axe-core takes half a minute over five hundred rows."""
    out = tmp_path_factory.mktemp("few")
    made = script("made_up_batch").write_batch(out, 30, SEED)
    write_case(out, document(HOSTILE, lesion(HOSTILE, 30.5)))
    write_posts(out, "two", (1.0, 6.0), (30.0, 25.0))
    (out / "two" / "report.html").touch()
    (out / "two" / "post_1" / "report.pdf").touch()
    write_worklist(out, [*made, "waits"])
    return out


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (1280, True)])
def test_axe_objects_to_nothing_and_nothing_is_wider_than_the_window(few, width, dark):
    with opened(few / PAGE, width=width, dark=dark) as seen:
        seen.ready()
        seen.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert violations(seen.page) == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert (seen.requests, seen.messages) == ([], [])


def test_it_looks_as_the_picture_that_was_looked_at(few, tmp_path):
    with opened(few / PAGE) as seen:
        seen.ready()
        shot = seen.shot()
    (tmp_path / PICTURE.name).write_bytes(shot)  # the one to look at, and to keep where it is right
    assert share_that_differs(shot, PICTURE.read_bytes()) <= PIXELS_THAT_MAY_DIFFER
