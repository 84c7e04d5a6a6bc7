"""A batch's folders with made-up results: no patients, no images. For the worklist's bench and tests."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from pipelines.batch.case_folder import FAILURE, KEY

DIRECTIONS = ("anterior", "posterior-left", "right-superior", "inferior")
FLAGS = ("thick_slices", "few_voxels_across", "liver_sliver")
CHECK = {"name": "predicted_error", "value": 1.0, "unit": "mm", "passed": True, "warned": False, "text": "made up"}


def a_lesion(draw: random.Random, lesion_id: str) -> dict[str, Any]:
    """Return a lesion of a made-up `result.json`."""
    status = draw.choices(("assessed", "not_treated", "not_assessable"), (90, 4, 6))[0]
    least = round(draw.gauss(5.0, 4.0), 4) if status == "assessed" else None
    ends = [None, None] if least is None else [round(least - draw.uniform(0.5, 2), 4), round(least + 1.5, 4)]
    reasons = [] if least is not None else [{"field": "margin", "code": "made-up", "text": "a made-up reason"}]
    return {
        "lesion_id": lesion_id, "status": status, "reasons": reasons, "zones": [lesion_id],
        "registration_error_mm": round(draw.uniform(0.8, 4.0), 4),
        "margin": {"min_mm": least, "ci95_mm": ends, "direction": draw.choice(DIRECTIONS), "definition": "parenchymal",
                   "flags": [flag for flag in FLAGS if least is not None and draw.random() < 0.15]},
    }  # fmt: skip


def a_result(draw: random.Random, case_id: str, kilobytes: float = 0.0) -> dict[str, Any]:
    """Return a made-up `result.json`, filled up to a size."""
    gate = draw.choices(("pass", "warn", "fail"), (85, 10, 5))[0]
    lesions = [a_lesion(draw, str(n)) for n in range(1, draw.choice((1, 1, 2, 3, 4)) + 1)]
    cautions = [{"field": None, "code": "made-up", "text": "a made-up caution"}] if draw.random() < 0.1 else []
    verdicts = [
        {"verdict": draw.choice(("pass", "caution", "fail", "not_evaluable")), "borderline": draw.random() < 0.1}
        for _ in range(6)
    ]
    made = {
        "schema_version": 1, "case_id": case_id, "patient_key": case_id, "reasons": cautions, "lesions": lesions,
        "status": "assessed" if any(lesion["status"] == "assessed" for lesion in lesions) else "not_assessable",
        "timing": {"post_number": 1, "posts": 1, "days_since_ablation": None},
        "registration": {"transform": "deformable", "passed": True, "checks": [CHECK],
                         "zones": {"1": {"gate": gate, "checks": []}}},
        "guidelines": verdicts, "provenance": {"software_version": "0.1.0"},
    }  # fmt: skip
    left = 1000.0 * kilobytes - len(json.dumps(made))
    made["findings"] = [{"name": f"made.up_{n}", "value": n / 7, "reason": "x" * 150} for n in range(int(left / 215))]
    return made


def write_batch(out: Path, count: int, seed: int, kilobytes: float = 0.0) -> list[str]:
    """Write the folders of a made-up batch, a tenth of them failed; return the ids of its cases."""
    draw = random.Random(seed)  # noqa: S311 - made-up numbers, no secret
    case_ids = [f"c-{number:05d}" for number in range(count)]
    for number, case_id in enumerate(case_ids):
        folder = out / case_id
        folder.mkdir(parents=True)
        (folder / KEY).write_text(json.dumps({"key": case_id}))
        if number % 10 == 7:
            failure = {"case_id": case_id, "code": "killed", "text": "its process was ended", "attempts": 1}
            (folder / FAILURE).write_text(json.dumps(failure))
            continue
        (folder / "report.html").write_text(f"<!DOCTYPE html><title>Report of {case_id}</title>")
        (folder / "result.json").write_text(json.dumps(a_result(draw, case_id, kilobytes)))
    return case_ids
