"""The whole job on the bundled sample at its full resolution, against the truth that is stored beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sample_review import SAMPLE, sample_review

from planner.assessment import Assessment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    return list(json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["lesions"])


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    return sample_review(tmp_path_factory).assessment


def test_every_distance_is_within_one_and_a_half_millimetres(found: Assessment, truth: list[dict[str, Any]]) -> None:
    """The truth has 0 for an overlap, where ours is negative."""
    known = {(t["lesion_id"], d["from"], d["structure"]): d["mm"] for t in truth for d in t["distances"]}
    errors = {
        key: max(0.0, distance.mm) - known[key]
        for lesion in found.lesions
        for distance in lesion.distances
        if (key := (lesion.lesion_id, distance.from_, distance.structure)) in known and distance.mm is not None
    }
    assert set(errors) == set(known)
    assert {key: error for key, error in errors.items() if abs(error) > 1.5} == {}


def test_every_margin_lies_in_its_interval(found: Assessment, truth: list[dict[str, Any]]) -> None:
    for lesion, known in zip(found.lesions, truth, strict=True):
        assert lesion.margin is not None
        assert lesion.margin.interval is not None
        assert lesion.margin.interval.low_mm <= known["min_mm"] <= lesion.margin.interval.high_mm
        assert lesion.margin.min_mm == pytest.approx(known["min_mm"], abs=1.5)
