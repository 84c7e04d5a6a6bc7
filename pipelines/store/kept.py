"""What became of a lesion's plan, as `result.json` holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from pipelines.store.numbers import number, point
from planner.assessment import Reason
from planner.measure.achieved import Achieved, PlanKept

Json = Any

NO_PLAN = "no plan was given (--plan)"


def plan_document(kept: PlanKept | None) -> Json:
    """Return the `planned` of a lesion; null where no plan was given."""
    if kept is None:
        return None
    return {
        "zones": list(kept.zones),
        "min_mm": number(kept.planned_min_mm),
        "lost_mm": number(kept.lost_mm),
        "lost_at_lps_mm": point(kept.lost_at_lps_mm),
        "lost_where": kept.lost_where,
        "lost_share": number(kept.lost_share),
        "achieved": None if kept.achieved is None else _achieved(kept.achieved),
    }


def _achieved(found: Achieved) -> Json:
    return {field.name: number(getattr(found, field.name)) for field in fields(Achieved)}


def plan_reasons(kept: PlanKept | None) -> Iterable[Reason]:
    """Yield why there is no plan, or why something of it is not known."""
    if kept is None:
        yield Reason("planned", "no-plan", NO_PLAN)
    elif kept.reason:
        yield Reason("planned", "plan-not-compared", kept.reason)
    elif kept.achieved is not None and kept.achieved.axis_off_degrees is None:
        text = "one of the two zones is too round to have a long axis"
        yield Reason("planned.achieved.axis_off_degrees", "too-round", text)
