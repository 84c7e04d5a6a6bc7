#!/usr/bin/env python3
"""Registration between contrasts: CT to MR and MR to MR of simulated contrast (hepatobiliary T1, T2, bias field).

Cases as in bench_registration.py (synthetic patients), PRE and POST of two contrasts. Methods: the rigid map alone; the
deformation by self-similarity (MIND-like), always taken; the same by intensities, as between two CTs; what is in use
(deformed only where the gate prefers it); SimpleITK's B-spline by mutual information. Never measured on MR of patients.
Settings were chosen on seeds 320 to 322.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from bench_margin import show
from bench_registration import Judge, Task, source_of, wanted_of
from known_motion import NoSiteError, make_after
from registration_peers import Pair, bspline_information

from planner.register.align import register
from planner.register.alignment import SpatialMap
from planner.register.compared import intensities, self_similarity
from planner.register.deformable import LIVER, QUICK, displacement_on_post
from planner.register.prepare import metric_region, working_scan
from planner.register.quality import moved_onto
from planner.register.settings import RegistrationSettings
from planner.register.threads import one_thread
from planner.surface import surface_of

PAIRS = ("CT-T1", "CT-T2", "T1-T1", "T1-T2")
IN_USE, RIGID = "in use", "rigid"


def measure(task: Task) -> list[dict[str, Any]]:
    """Return a row per method; none where the liver has no room for a lesion."""
    try:
        made = make_after(source_of(task), task.seed, wanted_of(task))
    except NoSiteError:
        return []
    settings = RegistrationSettings()
    start = time.process_time()
    found = register(made.pre, made.post, {"1": surface_of(made.post.lesions["1"])}, settings)
    seconds = time.process_time() - start
    post, pre = working_scan(made.post, settings, "POST"), working_scan(made.pre, settings, "PRE")
    region = metric_region(post, settings)
    on_post = moved_onto(pre.image, pre.grid, post.grid, found.rigid, 1).astype(np.float32)
    seen = moved_onto(pre.seen, pre.grid, post.grid, found.rigid, 0) > 0.5
    maps = {IN_USE: found.map, RIGID: found.rigid}
    with one_thread():
        others = (("self-similarity", self_similarity), ("intensities", intensities)) if task.peers else ()
        for name, compared in others:
            displacement = displacement_on_post(post, on_post, seen, region, LIVER, QUICK, compared)
            maps[name] = SpatialMap(found.rigid.rigid_pre_from_post, displacement)
    if task.peers:
        pair = Pair(post, on_post, region & seen)
        maps["SimpleITK B-spline"] = pair.mapped(found.rigid, bspline_information(pair))
    judge = Judge.of(made, post, pre)
    base = {
        "pair": "-".join(task.contrasts), "seed": task.seed, "deformed": found.kind == "deformable",
        "verdict": found.verdict("1"), "predicted_mm": found.error_at_zone_mm["1"], "cpu_s": seconds,
    }  # fmt: skip
    return [base | {"method": name} | judge.errors(used) for name, used in maps.items()]


def table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a line per pair of contrasts and method."""
    lines = []
    for pair in dict.fromkeys(row["pair"] for row in rows):
        for method in dict.fromkeys(row["method"] for row in rows):
            some = [row for row in rows if (row["pair"], row["method"]) == (pair, method)]
            rigid = {row["seed"]: row["tumour_mm"] for row in rows if (row["pair"], row["method"]) == (pair, RIGID)}
            margin = [abs(row["margin_error_mm"]) for row in some]
            lines.append({
                "pair": pair, "method": method, "n": len(some), "ring_mm": float(np.mean([r["ring_mm"] for r in some])),
                "tumour_mm": float(np.mean([r["tumour_mm"] for r in some])),
                "worst_mm": float(np.max([r["tumour_mm"] for r in some])),
                "|margin error|_mm": float(np.nanmedian(margin)),
                "worse than rigid": sum(r["tumour_mm"] > rigid[r["seed"]] + 0.5 for r in some),
                "folds": float(np.max([r["folds"] for r in some])),
            })  # fmt: skip
    return lines


def main() -> None:
    """Make, register and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=3200, help="first seed")
    parser.add_argument("--cases", type=int, default=8, help="cases of each pair of contrasts")
    parser.add_argument("--pairs", nargs="+", choices=PAIRS, default=PAIRS, help="contrasts of PRE-POST")
    parser.add_argument("--no-peers", action="store_true", help="the map in use and the rigid one alone")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tasks = [
        Task("sample", seed, 0.0, 0.0, None, "", not options.no_peers, False, (pre, post))
        for pre, post in (pair.split("-") for pair in options.pairs)
        for seed in range(options.seed, options.seed + options.cases)
    ]
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for some in pool.map(measure, tasks):
            rows += some
            if options.json:
                options.json.write_text(json.dumps({"seed": options.seed, "rows": rows}) + "\n", encoding="utf-8")
    print(f"simulated contrast, seeds from {options.seed}; never measured on MR of patients")
    show(table(rows))
    used = [row for row in rows if row["method"] == IN_USE]
    print(
        f"in use: deformed in {sum(r['deformed'] for r in used)} of {len(used)}; gate: "
        + ", ".join(f"{v} {sum(r['verdict'] == v for r in used)}" for v in ("pass", "warn", "fail"))
        + f"; predicted error mean {np.mean([r['predicted_mm'] for r in used]):.2f} mm, CPU mean"
        f" {np.mean([r['cpu_s'] for r in used]):.0f} s"
    )


if __name__ == "__main__":
    main()
