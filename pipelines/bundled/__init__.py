"""Package data as text: the pages' templates and style sheets."""

from __future__ import annotations

from importlib import resources


def text(name: str) -> str:
    """Return a bundled text file, for example "report.html.jinja".

    Raises
    ------
    FileNotFoundError
        The installation does not hold it.
    """
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def templates() -> dict[str, str]:
    """Return the text of every page template and of what they include, by file name."""
    found = resources.files(__name__).iterdir()
    return {one.name: one.read_text(encoding="utf-8") for one in found if one.name.endswith(".jinja")}
