"""What several studies after one ablation add up to, as `result.json` of their case holds it.

It has no `lesions` of its own: those are in the result of each post, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.store.numbers import number
from pipelines.store.result import SCHEMA_VERSION
from pipelines.store.timing import timing_document
from planner.report.trend import LesionAt, PostAt, Trend, cautions_of

Json = Any

KEPT = ("software", "software_version", "settings", "settings_sha256", "written_at")
"""What the common document repeats of the provenance of its posts, which is one and the same."""


def trend_document(trend: Trend, provenance: Mapping[str, object]) -> dict[str, Json]:
    """Return the content of the common `result.json`; `provenance` is that of one of the posts."""
    assessed = any(post.status == "assessed" for post in trend.posts)
    return {
        "schema_version": SCHEMA_VERSION,
        "case_id": trend.case_id,
        "patient_key": trend.patient_key,
        "status": "assessed" if assessed else "not_assessable",
        "reasons": [{"field": None, "code": reason.code, "text": reason.text} for reason in cautions_of(trend)],
        "order": trend.order,
        "posts": [_post(post) for post in trend.posts],
        "provenance": {name: provenance[name] for name in KEPT if name in provenance},
    }


def _post(post: PostAt) -> dict[str, Json]:
    failure = post.failure
    return {
        "post_number": post.number,
        "folder": None if failure is not None else post.folder,
        "status": post.status,
        "reason": None if failure is None else {"field": None, "code": failure.code, "text": failure.text},
        "timing": None if post.timing is None else timing_document(post.timing),
        "days_since_ablation": None if post.timing is None else number(post.timing.days_since_ablation),
        "lesions": [_lesion(lesion) for lesion in post.lesions],
    }


def _lesion(lesion: LesionAt) -> dict[str, Json]:
    """Return a lesion's numbers in short; why one is null is in the result of its post."""
    return {
        "lesion_id": lesion.lesion_id,
        "status": lesion.status,
        "min_mm": number(lesion.min_mm),
        "ci95_mm": [None, None] if lesion.ci95_mm is None else [number(end) for end in lesion.ci95_mm],
        "definition": lesion.definition,
        "tumour_ml": number(lesion.tumour_ml),
        "ablation_ml": number(lesion.ablation_ml),
        "residual_ml": number(lesion.residual_ml),
        "registration_error_mm": number(lesion.registration_error_mm),
        "gate": lesion.gate,
    }
