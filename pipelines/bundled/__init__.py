"""Package data as text: the report's template and style sheet."""

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
