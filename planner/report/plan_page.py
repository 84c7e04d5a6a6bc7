"""The page of a plan: one self-contained HTML document that opens offline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from planner.assessment import Distance
from planner.plan.plan import Plan
from planner.report import plan_text, words
from planner.report.criteria import Criteria, criteria
from planner.report.findings import finding_rows
from planner.report.page import environment, style_of
from planner.report.surroundings import DistanceTable, distance_table


@dataclass(frozen=True, slots=True)
class LesionPart:
    """What the page says of a lesion."""

    lesion_id: str
    sentences: tuple[str, ...]
    distances: DistanceTable


@dataclass(frozen=True, slots=True)
class _Held:
    """What the template of the criteria looks at."""

    criteria: Criteria | None


def render_plan(plan: Plan, *, templates: Mapping[str, str], css: str) -> str:
    """Return the page of a plan.

    Parameters
    ----------
    plan
        The plan, held against rules.
    templates, css
        Jinja templates by name, among them "plan.html.jinja", and the style sheet.
    """
    style = style_of(css)
    page = environment(templates)
    courses = dict(zip((needle.zone_id for needle in plan.needles), plan.courses, strict=True))
    lesions = []
    for lesion, measured in zip(plan.lesions, plan.assessment.lesions, strict=True):
        shafts = [one for needle in lesion.needles for one in courses[needle.zone_id].distances]
        shafts.sort(key=_farthest_first)  # of several needles the nearest is kept
        around = distance_table((*measured.distances, *shafts))
        lesions.append(LesionPart(lesion.lesion_id, plan_text.lesion_sentences(lesion, measured), around))
    return page.get_template("plan.html.jinja").render(
        case_id=plan.assessment.case_id,
        cautions=plan.assessment.cautions,
        notes=plan.assessment.notes,
        text=plan_text,
        words=words,
        rows=plan_text.plan_rows(plan),
        lesions=lesions,
        needles=[plan_text.needle_text(*pair) for pair in zip(plan.needles, plan.courses, strict=True)],
        spread=plan_text.spread_sentence(plan.spread),
        findings=finding_rows(plan.assessment.findings),
        content=_Held(criteria(plan.assessment)),
        style=style,
    )


def _farthest_first(distance: Distance) -> float:
    return math.inf if distance.mm is None else -distance.mm
