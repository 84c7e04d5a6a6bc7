"""When the studies were made, as the result holds it: days, never a date."""

from __future__ import annotations

from typing import Any

from pipelines.store.numbers import number
from planner.timing import FLAGS, Timing

Json = Any


def timing_document(timing: Timing) -> dict[str, Json]:
    """Return the `timing` of a result: counts of days (null with a reason), flags, and which POST it is of how many."""
    return {
        "pre_days_before_ablation": number(timing.pre_days_before_ablation),
        "days_since_ablation": number(timing.days_since_ablation),
        "days_between_studies": number(timing.days_between_studies),
        "flags": list(timing.flags),
        "post_number": timing.post_number,
        "posts": timing.posts,
        "reasons": [
            *({"field": unknown.field, "code": "not-known", "text": unknown.text} for unknown in timing.unknown),
            *({"field": None, "code": flag.replace("_", "-"), "text": FLAGS[flag]} for flag in timing.flags),
        ],
    }
