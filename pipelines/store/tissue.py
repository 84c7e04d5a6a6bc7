"""Changes of tissue and what the margin would be under assumptions, as the result holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.store.numbers import number
from planner.assessment import LesionAssessment, Reason
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
    }


def sensitivity_documents(found: Sequence[Sensitivity]) -> list[dict[str, Json]]:
    """Return the `sensitivity` of a lesion: one entry for each assumption."""
    return [
        {
            "assumption": one.assumption,
            "volume_change_percent": number(one.volume_change_percent),
            "min_mm": number(one.min_mm),
        }
        for one in found
    ]


def tissue_reasons(lesion: LesionAssessment, days: float | None) -> Iterable[Reason]:
    """Yield why something of `tissue_change` or `sensitivity` is null."""
    for name in ("surroundings_percent", "zone_percent"):
        if number(getattr(lesion.tissue, name)) is None:
            yield Reason(f"tissue_change.{name}", "no-tissue-change", lesion.tissue.reason or "the map folds there")
    if days is None:
        yield Reason("tissue_change.days_since_ablation", "not-entered", "the days since the ablation were not entered")
    unknown = [one.reason or "not determined" for one in lesion.sensitivity if number(one.min_mm) is None]
    if unknown:
        yield Reason("sensitivity.min_mm", "no-assumed-margin", "; ".join(dict.fromkeys(unknown)))
