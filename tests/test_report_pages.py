"""Pages of every kind of case in a real browser: nothing is asked for, nothing overflows, axe-core has no objection."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import opened, violations
from report_cases import CASES, HOSTILE, html_of

pytestmark = pytest.mark.slow

WIDE, NARROW = (1280, 800), (390, 844)

OVERFLOWING = """() => [...document.querySelectorAll('main *, header *')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width > 0 && box.right > document.documentElement.clientWidth + 1 && !e.closest('.wide, .picture');
}).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 60)).slice(0, 5)"""
"""Elements that stick out of the window, but for what scrolls in a region of its own."""

TOO_SMALL = """() => [...document.querySelectorAll('main *, header *')].filter(e =>
  [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) &&
  e.getClientRects().length > 0 && parseFloat(getComputedStyle(e).fontSize) < 11.5
).map(e => e.tagName + '.' + e.className + ': ' + getComputedStyle(e).fontSize).slice(0, 5)"""
"""Text that is set smaller than a reader can be asked to read."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages")
    for name in CASES:
        (out / f"{name}.html").write_text(html_of(name), encoding="utf-8")
    return out


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)], ids=["wide-light", "narrow-dark"])
def test_a_page_is_whole_legible_and_accessible(folder: Path, name: str, size: tuple[int, int], dark: bool) -> None:
    with opened(folder / f"{name}.html", width=size[0], height=size[1], dark=dark) as seen:
        assert seen.requests == []
        assert seen.messages == []
        assert violations(seen.page) == []
        assert seen.page.evaluate(OVERFLOWING) == []
        assert seen.page.evaluate(TOO_SMALL) == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_hostile_strings_run_nowhere_and_read_as_they_are_stored(folder: Path) -> None:
    with opened(folder / "hostile.html") as seen:
        heading = seen.page.inner_text("h1")
        assert HOSTILE.split("\n", maxsplit=1)[0] in heading
        assert "\u202e" not in seen.page.content()
        assert seen.page.evaluate("document.querySelectorAll('h1 script, li script, td script').length") == 0
        assert "49" not in heading


@pytest.mark.parametrize("name", ["plain", "twelve-lesions"])
def test_the_row_of_the_least_margin_is_seen_without_scrolling(folder: Path, name: str) -> None:
    with opened(folder / f"{name}.html") as seen:
        box = seen.page.locator(".impression li").nth(1).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= WIDE[1]
