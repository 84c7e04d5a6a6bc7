"""What became of a lesion's plan, as `result.json` holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from pipelines.store.numbers import number, point
from planner.assessment import Reason
from planner.measure.achieved import Achieved, PlanOutcome

Json = Any

NO_PLAN = "no plan was given (--plan)"


def plan_document(outcome: PlanOutcome | None) -> Json:
    """Return the `planned` of a lesion; null where no plan was given."""
    if outcome is None:
        return None
    return {
        "zones": list(outcome.zones),
        "min_mm": number(outcome.planned_min_mm),
        "lost_mm": number(outcome.lost_mm),
        "lost_at_lps_mm": point(outcome.lost_at_lps_mm),
        "lost_where": outcome.lost_where,
        "lost_share": number(outcome.lost_share),
        "achieved": None if outcome.achieved is None else _achieved(outcome.achieved),
    }


def _achieved(found: Achieved) -> Json:
    return {field.name: number(getattr(found, field.name)) for field in fields(Achieved)}


def plan_reasons(outcome: PlanOutcome | None) -> Iterable[Reason]:
    """Yield why there is no plan, or why something of it is not known."""
    if outcome is None:
        yield Reason("planned", "no-plan", NO_PLAN)
    elif outcome.reason:
        yield Reason("planned", "plan-not-compared", outcome.reason)
    elif outcome.achieved is not None and outcome.achieved.axis_off_degrees is None:
        text = "one of the two zones is too round to have a long axis"
        yield Reason("planned.achieved.axis_off_degrees", "too-round", text)
