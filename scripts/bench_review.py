#!/usr/bin/env python3
"""Whole reviews of synthetic patients, from DICOM to margin, against their analytic truth.

Settings were chosen on seeds 7 and 11-16; report on others (default: 100-109).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.sample import make_patient, write_sample
from pipelines.sample.field import Field
from pipelines.settings import Settings
from pipelines.source import FolderSource
from planner.assess import assess
from planner.assessment import Assessment, LesionAssessment
from planner.case import Case
from planner.grid import Grid
from planner.register.align import register
from planner.register.alignment import Alignment, Displacement, SpatialMap
from planner.register.deformable import faded
from planner.scene import zone_surfaces

FIELD_MM = 3.0


@dataclass(frozen=True)
class Run:
    """One patient reviewed: with the registration found, and with the true transform given."""

    found: Assessment
    given: Assessment
    cpu_s: float


def true_map(case: Case, field: Field) -> SpatialMap:
    """Return the true map sampled on a 3 mm lattice over POST: a fitted rigid motion and the rest as displacement."""
    corners = case.post.image.grid.corners_lps_mm()
    low, high = corners.min(axis=0) - 10.0, corners.max(axis=0) + 10.0
    shape = tuple(int(n) for n in np.ceil((high - low) / FIELD_MM)[::-1].astype(int) + 1)
    grid = Grid.axis_aligned(shape, (FIELD_MM,) * 3, low)
    points = grid.lps_mm(np.indices(shape).reshape(3, -1)[::-1].T)
    pre = np.concatenate([field.pre_from_post(part) for part in np.array_split(points, 50)])
    a, b = points - points.mean(axis=0), pre - pre.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    rigid = np.eye(4)
    rigid[:3, :3] = (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt).T
    rigid[:3, 3] = pre.mean(axis=0) - rigid[:3, :3] @ points.mean(axis=0)
    rest = (pre - rigid[:3, 3]) @ rigid[:3, :3] - points
    return SpatialMap(rigid, faded(Displacement(rest.reshape(*shape, 3), grid)))


def reviewed(folder: Path, field: Field) -> Run:
    settings = Settings()
    start = time.process_time()
    source = FolderSource(folder / "pre", folder / "post", folder / "case.toml", "bench")
    case = source.read(lambda *_: None).case
    zones = zone_surfaces(case.post)
    alignment = register(
        case.pre.scan(case.pre.tumours), case.post.scan(case.post.ablations), zones, settings.registration
    )
    found = assess(case, alignment, zones, settings.assess)
    cpu_s = time.process_time() - start
    truth = true_map(case, field)
    given = assess(case, Alignment("file", truth, SpatialMap(truth.rigid_pre_from_post)), zones, settings.assess)
    return Run(found, given, cpu_s)


def tre_mm(mapping: SpatialMap, pairs: list[Any]) -> float:
    pre, post = (np.asarray([pair[side] for pair in pairs]) for side in (0, 1))
    return float(np.linalg.norm(mapping.post_from_pre(pre) - post, axis=1).mean())


def rows_of(seed: int, run: Run, truth: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for lesion, given, known in zip(run.found.lesions, run.given.lesions, truth["lesions"], strict=True):
        margin = lesion.margin
        interval = margin.interval if margin else None
        rows.append({
            "seed": seed, "lesion": lesion.lesion_id, "kind": known["kind"], "status": lesion.status,
            "true_mm": known["min_mm"], "margin_mm": margin.min_mm if margin else None,
            "low_mm": interval.low_mm if interval else None, "high_mm": interval.high_mm if interval else None,
            "rigid_margin_mm": lesion.rigid_min_mm,
            "margin_true_map_mm": given.margin.min_mm if given.margin else None,
            "tre_mm": tre_mm(run.found.alignment.map, known["landmarks"]["tumour"]),
            "tre_ring_mm": tre_mm(run.found.alignment.map, known["landmarks"]["ring"]),
            "tre_rigid_mm": tre_mm(run.found.alignment.rigid, known["landmarks"]["tumour"]),
            "predicted_tre_mm": lesion.registration_error_mm, "cpu_s": run.cpu_s,
            **distances_of(lesion, known),
        })  # fmt: skip
    return rows


def distances_of(lesion: LesionAssessment, known: dict[str, Any]) -> dict[str, Any]:
    """Return the errors of the distances to structures (the truth has 0 for an overlap), and which intervals hold."""
    true_mm = {(row["from"], row["structure"]): row["mm"] for row in known["distances"]}
    errors, held = [], 0
    for distance in lesion.distances:
        true = true_mm.get((distance.from_, distance.structure))
        if true is None or distance.mm is None or distance.ci95_mm is None:
            continue
        errors.append(max(0.0, distance.mm) - true)
        held += max(0.0, distance.ci95_mm[0]) <= true <= max(0.0, distance.ci95_mm[1])
    return {"distance_errors_mm": errors, "distance_intervals_hold": held, "distances_known": len(true_mm)}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    measured = [row for row in rows if row["margin_mm"] is not None]
    error = np.asarray([row["margin_mm"] - row["true_mm"] for row in measured])
    given = np.asarray([row["margin_true_map_mm"] - row["true_mm"] for row in rows])
    rigid = np.asarray([row["rigid_margin_mm"] - row["true_mm"] for row in measured])
    apart = np.abs(np.concatenate([row["distance_errors_mm"] for row in rows]))
    inside = [row["low_mm"] <= row["true_mm"] <= row["high_mm"] for row in measured]
    return {
        "lesions": len(rows), "assessed": len(measured),
        "tre_lesion_mean_mm": _mean(rows, "tre_mm"), "tre_ring_mean_mm": _mean(rows, "tre_ring_mm"),
        "tre_rigid_mean_mm": _mean(rows, "tre_rigid_mm"), "predicted_tre_mean_mm": _mean(measured, "predicted_tre_mm"),
        "abs_error_median_mm": float(np.median(np.abs(error))),
        "abs_error_p95_mm": float(np.percentile(np.abs(error), 95)), "bias_mm": float(error.mean()),
        "abs_error_rigid_median_mm": float(np.median(np.abs(rigid))),
        "interval_holds_truth": int(sum(inside)),
        "interval_width_median_mm": float(np.median([row["high_mm"] - row["low_mm"] for row in measured])),
        "true_map_abs_error_median_mm": float(np.median(np.abs(given))),
        "true_map_bias_mm": float(given.mean()),
        "true_map_within_1mm": int((np.abs(given) <= 1.0).sum()),
        "distances": len(apart), "distances_known": sum(row["distances_known"] for row in rows),
        "distances_within_1.5mm": int((apart <= 1.5).sum()),
        "distance_abs_error_median_mm": float(np.median(apart)), "distance_abs_error_max_mm": float(apart.max()),
        "distance_intervals_hold": sum(row["distance_intervals_hold"] for row in rows),
        "cpu_s_max": max(row["cpu_s"] for row in rows),
    }  # fmt: skip


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=100, help="first seed")
    parser.add_argument("--cases", type=int, default=10, help="patients, three lesions each")
    parser.add_argument("--data", type=Path, help="folder with SEED/ made before by make_sample_data.py")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    columns = ("seed", "lesion", "kind", "true_mm", "margin_mm", "low_mm", "high_mm", "rigid_margin_mm",
               "margin_true_map_mm", "tre_mm", "tre_ring_mm", "tre_rigid_mm", "predicted_tre_mm", "cpu_s")  # fmt: skip
    print("  ".join(columns))
    for seed in range(options.seed, options.seed + options.cases):
        with tempfile.TemporaryDirectory() as made:
            folder = options.data / str(seed) if options.data else Path(made) / "case"
            if not options.data:
                write_sample(seed, folder)
            truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
            run = reviewed(folder, make_patient(seed).field)
        new = rows_of(seed, run, truth)
        for row in new:
            print("  ".join(f"{row[c]:.2f}" if isinstance(row[c], float) else str(row[c]) for c in columns), flush=True)
        rows += new
    found = summary(rows)
    print("\n".join(f"{name:32} {value:.2f}" if isinstance(value, float) else f"{name:32} {value}"
                    for name, value in found.items()))  # fmt: skip
    if options.json:
        document = {"first_seed": options.seed, "summary": found, "rows": rows}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
