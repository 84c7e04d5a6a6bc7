"""The page of a plan: one self-contained HTML document that opens offline."""

from __future__ import annotations

from collections.abc import Mapping

from planner.report import plan_text, words
from planner.report.page import environment, style_of
from planner.report.plan_content import SLICE_HEADS, PlanContent
from planner.report.viewer import Viewer


def render_plan(
    content: PlanContent, *, templates: Mapping[str, str], css: str, viewer: Viewer | None = None, no_viewer: str = ""
) -> str:
    """Return the page of a plan.

    Parameters
    ----------
    content
        What it says.
    templates, css
        Jinja templates by name, among them "plan.html.jinja", and the style sheet.
    viewer
        What moves the pictures; without it the page shows every still and holds no script.
    no_viewer
        Why there is no viewer, a sentence.
    """
    style = style_of(css if viewer is None else f"{css}\n{viewer.css}")
    return environment(templates).get_template("plan.html.jinja").render(
        content=content,
        text=plan_text,
        words=words,
        slice_heads=SLICE_HEADS,
        style=style,
        viewer=viewer,
        no_viewer=no_viewer,
        one_study=True,
    )  # fmt: skip
