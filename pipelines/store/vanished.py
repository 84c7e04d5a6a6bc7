"""What became of the tumours of the baseline study, as the result holds it."""

from __future__ import annotations

from typing import Any

from pipelines.store.numbers import number
from planner.vanished import BaselineLesion, SinceBaseline

Json = Any


def baseline_document(baseline: SinceBaseline) -> dict[str, Json]:
    """Return the `baseline` of a result: each tumour of that study, and how the two were brought together.

    In its registration the tumours of the baseline stand for zones. Without a baseline it holds the reason alone.
    """
    alignment = baseline.alignment
    return {
        "reason": baseline.reason,
        "lesions": [_lesion(lesion) for lesion in baseline.lesions],
        "registration": None
        if alignment is None
        else {
            "transform": alignment.kind,
            "passed": alignment.passed,
            "transform_sha256": alignment.map.parameters_sha256,
            "failed": [check.name for check in alignment.checks if check.passed is False],
            "gate": {lesion.lesion_id: alignment.verdict(lesion.lesion_id) for lesion in baseline.lesions},
        },
    }


def _lesion(lesion: BaselineLesion) -> dict[str, Json]:
    return {
        "lesion_id": lesion.lesion_id,
        "volume_ml": number(lesion.volume_ml),
        "max_axial_diameter_mm": number(lesion.max_axial_diameter_mm),
        "vanished": lesion.vanished,
        "at_pre_lps_mm": None if lesion.at_pre_lps_mm is None else [number(value) for value in lesion.at_pre_lps_mm],
        "place": lesion.place or None,
        "nearest_tumour": lesion.nearest,
        "gap_mm": number(lesion.gap_mm),
        "registration_error_mm": number(lesion.error_mm),
        "reason": lesion.reason,
    }
