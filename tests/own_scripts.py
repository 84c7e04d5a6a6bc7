"""What a report holds of scripts that no case can change."""

from __future__ import annotations

from functools import cache

from pipelines.bundled import text
from pipelines.viewer.page import LIBRARY, SCRIPTS


@cache
def elements() -> tuple[str, ...]:
    """Return the script elements of every report with a viewer, to the letter."""
    return tuple(f"<script>{text(name)}</script>" for name in (LIBRARY, *SCRIPTS))


def without_own_scripts(page: str) -> str:
    """Return a page without them: what is left is what a case made of it."""
    for element in elements():
        page = page.replace(element, "")
    return page
