"""Debian's Chromium, headless, for what a reader's browser does with a page that is opened from a folder.

    with opened(path, width=390, height=844) as seen:
        seen.ready()                       # <html data-ready>: "viewer" or "stills"
        assert seen.requests == [] and seen.messages == []
        assert violations(seen.page) == []
        seen.shot("#margins")              # PNG bytes

A page's content policy forbids `eval`, and with it playwright's `wait_for_function("...")`: wait for selectors instead.
`seen.page` is playwright's page, whose `evaluate` works all the same.
"""

from __future__ import annotations

import atexit
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, sync_playwright

AXE = Path(__file__).parent / "assets" / "axe.min.js"
NO_WEBGL = (
    "--disable-gpu",
    "--disable-webgl",
    "--disable-webgl2",
    "--disable-3d-apis",
    "--disable-software-rasterizer",
)
DRIVER = "GL Driver Message (OpenGL, Performance"
"""How Chromium's own remarks on the speed of software GL begin (after an address): no message of the page."""


@dataclass  # playwright hangs its own attributes on who it calls back
class Seen:
    """A page that is open, what it said on the console, and every address that it asked for besides its own."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def ready(self, timeout_s: float = 60.0) -> str:
        """Wait until the page says that it shows all it has; return what it shows: "viewer" or "stills"."""
        self.page.wait_for_selector("html[data-ready]", state="attached", timeout=timeout_s * 1000.0)
        return str(self.page.get_attribute("html", "data-ready"))

    def shot(self, selector: str | None = None, *, whole: bool = False) -> bytes:
        """Return a PNG of an element, of the whole page, or of what the window shows."""
        if selector is not None:
            return self.page.locator(selector).first.screenshot(animations="disabled")
        return self.page.screenshot(full_page=whole, animations="disabled")

    def told(self, message: ConsoleMessage) -> None:
        """Keep what the console was told."""
        if DRIVER not in message.text:
            self.messages.append(f"{message.type}: {message.text}")

    def asked(self, request: Request) -> None:
        """Keep an address that was asked for, unless it is the page itself or part of it."""
        if not request.url.startswith(("data:", "blob:")) and not request.is_navigation_request():
            self.requests.append(request.url)


@contextmanager
def opened(
    path: Path,
    *,
    width: int = 1280,
    height: int = 800,
    dark: bool = False,
    script: bool = True,
    webgl: bool = True,
    reduced_motion: bool = False,
    fragment: str = "",
) -> Iterator[Seen]:
    """Open a page from its folder, file:// and all, in a window of its own that is closed again."""
    context = chromium(() if webgl else NO_WEBGL).new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        reduced_motion="reduce" if reduced_motion else "no-preference",
        accept_downloads=False,
    )
    try:
        page = context.new_page()
        seen = Seen(page)
        page.on("console", seen.told)
        page.on("pageerror", lambda error: seen.messages.append(f"uncaught: {error}"))
        page.on("request", seen.asked)
        page.goto(path.resolve().as_uri() + fragment, wait_until="load")
        yield seen
    finally:
        context.close()


def violations(page: Page, selector: str | None = None) -> list[str]:
    """Return what axe-core objects to on a page, or in one element of it: rule, how grave, and where."""
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    found: dict[str, Any] = page.evaluate("(where) => axe.run(where || document)", selector)
    return [
        f"{one['id']} ({one['impact']}): {' | '.join(str(node['target']) for node in one['nodes'][:5])}"
        for one in found["violations"]
    ]


def pixels(png: bytes) -> np.ndarray:
    """Return a picture as bytes of red, green and blue, shape (rows, columns, 3)."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def share_that_differs(png: bytes, stored: bytes, by: int = 32) -> float:
    """Return the share of pixels that differ by more than `by` of 255 in some colour; 1 if the sizes differ."""
    a, b = pixels(png).astype(int), pixels(stored).astype(int)
    if a.shape != b.shape:
        return 1.0
    return float((np.abs(a - b).max(axis=2) > by).mean())


@cache
def chromium(flags: tuple[str, ...] = ()) -> Browser:
    """Return a running Chromium; it ends with the tests."""
    path = shutil.which("chromium")
    assert path is not None, "chromium not found: apt install chromium (see .ci/run)"
    return _playwright().chromium.launch(executable_path=path, args=list(flags))


@cache
def _playwright() -> Playwright:
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return playwright
