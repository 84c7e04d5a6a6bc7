"""The harness itself: what it must notice, it notices."""

from __future__ import annotations

from pathlib import Path

from browser import opened, share_that_differs, violations

GOOD = "<!DOCTYPE html><html lang=en data-ready=stills><title>t</title><main><h1>Title</h1><p>text</p></main></html>"
BAD = GOOD.replace(
    "<p>text</p>", "<img src='https://example.invalid/a.png'><script>console.log('said'); nothing()</script>"
)


def written(folder: Path, html: str) -> Path:
    path = folder / "page é.html"
    path.write_text(html, encoding="utf-8")
    return path


def test_a_quiet_page_is_quiet(tmp_path: Path) -> None:
    with opened(written(tmp_path, GOOD)) as seen:
        assert seen.ready() == "stills"
        assert (seen.requests, seen.messages, violations(seen.page)) == ([], [], [])


def test_requests_messages_and_violations_are_noticed(tmp_path: Path) -> None:
    with opened(written(tmp_path, BAD)) as seen:
        seen.ready()
        assert seen.requests == ["https://example.invalid/a.png"]
        assert "log: said" in seen.messages
        assert any("nothing is not defined" in message for message in seen.messages)
        assert [line.split()[0] for line in violations(seen.page)] == ["image-alt"]


def test_webgl_and_script_can_be_absent(tmp_path: Path) -> None:
    page = written(tmp_path, GOOD)
    asked = "() => document.createElement('canvas').getContext('webgl2') !== null"
    with opened(page) as seen:
        assert seen.page.evaluate(asked) is True
    with opened(page, webgl=False) as seen:
        assert seen.page.evaluate(asked) is False


def test_pictures_are_compared_by_pixel(tmp_path: Path) -> None:
    with opened(written(tmp_path, GOOD), width=390) as seen:
        first = seen.shot()
        seen.page.evaluate("() => { document.body.style.background = 'black' }")
        assert share_that_differs(first, first) == 0.0
        assert share_that_differs(seen.shot(), first) > 0.5
        assert share_that_differs(seen.shot("h1"), first) == 1.0
