"""The report page: one self-contained HTML document that opens offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.report import words
from planner.report.answer import EXPLAINED, flag_sentences
from planner.report.content import Content
from planner.report.page import environment, style_of
from planner.report.table import Column
from planner.report.viewer import Viewer


def render_html(
    content: Content, *, templates: Mapping[str, str], css: str, viewer: Viewer | None = None, no_viewer: str = ""
) -> str:
    """Return the report as one HTML document without outside references.

    Parameters
    ----------
    content
        What it says.
    templates, css
        Jinja templates by name, among them "report.html.jinja", and the style sheet.
    viewer
        What moves the pictures; without it the page shows every still and holds no script.
    no_viewer
        Why there is no viewer, a sentence.
    """
    style = style_of(css if viewer is None else f"{css}\n{viewer.css}")
    return (
        environment(templates)
        .get_template("report.html.jinja")
        .render(
            content=content,
            words=words,
            explained=EXPLAINED,
            flags=flag_sentences(content.answer),
            css=style.css,
            style_hash=style.sha256,
            head_groups=_head_groups(content.columns),
            viewer=viewer,
            no_viewer=no_viewer,
            one_study=False,
        )
    )


def _head_groups(heads: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    """Return each heading with the number of columns that follow each other under it."""
    groups: list[tuple[str, int]] = []
    for head in heads:
        if groups and groups[-1][0] == head.heading:
            groups[-1] = (head.heading, groups[-1][1] + 1)
        else:
            groups.append((head.heading, 1))
    return tuple(groups)
