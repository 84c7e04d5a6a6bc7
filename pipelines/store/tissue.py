"""Changes of tissue and what the margin would be under assumptions, as the result holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.store.numbers import number
from planner.measure.sensitivity import Sensitivity
from planner.measure.tissue import TissueChange

Json = Any


def tissue_document(found: TissueChange, days: float | None) -> dict[str, Json]:
    """Return the `tissue_change` of a lesion; `days` from the ablation to POST, None where not known."""
    return {
        "surroundings_percent": number(found.surroundings_percent),
        "zone_percent": number(found.zone_percent),
        "zone_percent_source": "carried over by smoothness, not seen",
        "days_since_ablation": number(days),
        "reason": found.reason,
    }


def sensitivity_documents(found: Sequence[Sensitivity]) -> list[dict[str, Json]]:
    """Return the `sensitivity` of a lesion: one entry for each assumption."""
    return [
        {
            "assumption": one.assumption,
            "volume_change_percent": number(one.volume_change_percent),
            "min_mm": number(one.min_mm),
            "reason": one.reason,
        }
        for one in found
    ]
