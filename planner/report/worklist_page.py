"""The worklist's page: one self-contained document whose table reads without scripts, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from planner.report import words
from planner.report.counts import counted
from planner.report.page import environment, style_of
from planner.report.viewer import Viewer
from planner.report.worklist import Study, worst_first
from planner.report.worklist_rows import filters_of, row_of, summary_sentences

FEW = 500
"""Rows that a browser with scripts lays out at once, until it is asked for more: ten thousand take it seconds."""


def render_worklist(
    studies: Sequence[Study], *, templates: Mapping[str, str], css: str, script: str, software: str
) -> str:
    """Return the worklist as one HTML document that reaches for nothing but its cases' reports.

    Parameters
    ----------
    studies
        What is listed, in any order.
    templates, css, script
        Jinja templates by name, among them "worklist.html.jinja", the style sheet, and what sorts and filters.
    software
        Name and version of the program that makes the page.
    """
    listed = worst_first(studies)
    versions = Counter(study.software_version or "not stated" for study in listed if study.has_result)
    return (
        environment(templates)
        .get_template("worklist.html.jinja")
        .render(
            rows=map(row_of, listed),
            count=len(listed),
            few=FEW,
            filters=filters_of(listed),
            sentences=tuple(summary_sentences(listed)),
            words=words,
            counted=counted,
            style=style_of(css),
            viewer=Viewer((script,), "", "", ()),
            software=software,
            versions=sorted(versions.items()),
        )
    )
