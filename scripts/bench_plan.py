#!/usr/bin/env python3
"""What planning costs and how near it comes to what is known in closed form, on tumours of `--cases` random places.

For each case a ball of random size lies at a random place: the planned margin of a random zone around it, off centre,
against the exact one, the scale of the best zone against the smallest that covers, chances of 10 000 draws and more
against the closed form, and CPU seconds of proposing from the packaged chart. Wanted: margins within 0.05 mm, scales
within 1 %, chances within 0.005, 10 000 draws in 2 s CPU.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi, norm

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from bench_margin import show
from plan_cases import stretched_ball

from pipelines.catalogue import packaged_chart
from planner.measure.margin import measure_margin
from planner.measure.zone import Zone
from planner.plan.place import best_placement, largest_margin
from planner.plan.robust import Spread, try_plan
from planner.plan.shortfall import filled_target
from planner.plan.target import Growing
from planner.plan.zone import PlannedZone

LIMITS = (0.0, 5.0, 10.0)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def exact_ellipse_mm(half_length: float, half_width: float, along: float, across: float) -> float:
    """Return the distance of a point inside an ellipse to it."""
    angles = np.linspace(0.0, np.pi, 400_001)
    return float(np.hypot(half_width * np.sin(angles) - across, half_length * np.cos(angles) - along).min())


def row(seed: int, number: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, number])
    place, axis = rng.uniform(-120.0, 120.0, 3), rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    radius, half_width = rng.uniform(5.0, 12.0), rng.uniform(16.0, 22.0)
    half_length = half_width * rng.uniform(1.0, 1.6)
    shift = rng.normal(size=3) * 1.5
    tumour = stretched_ball(place, radius)
    zone = PlannedZone(place - shift, axis, 2 * half_length, 2 * half_width)
    along = float(shift @ axis)
    across = float(np.linalg.norm(shift - along * axis))
    exact = exact_ellipse_mm(half_length, half_width, along, across) - radius
    margin = measure_margin(tumour, Zone.of([zone.surface()])).min_mm
    growing = Growing(tumour, None, 30.0)
    best = best_placement(growing.by(5.0), 2 * half_length, 2 * half_width)
    spread = Spread(tip_sd_mm=2.0, radius_sd_mm=3.0)
    filled = filled_target(tumour, 5.0, None)[0]
    centred = PlannedZone(place, axis, 2 * half_width, 2 * half_width)
    targets = [growing.by(limit) for limit in LIMITS]
    tried, draws_s = timed(lambda: try_plan(centred, targets, {5.0: filled}, spread))
    reserve = half_width - radius
    off = [abs(tried.p_at_least[limit] - closed_form(reserve - limit, 2.0, 3.0)) for limit in LIMITS]
    propose_s = timed(lambda: propose(stretched_ball(place, radius)))[1]
    return {
        "case": number, "radius_mm": radius, "margin_off_mm": abs(margin - exact),
        "scale_off_percent": 100.0 * abs(best.scale / ((radius + 5.0) / half_width) - 1.0),
        "chance_off": max(off), "draws": spread.draws, "draws_cpu_s": draws_s, "propose_cpu_s": propose_s,
    }  # fmt: skip


def closed_form(reserve_mm: float, tip_sd_mm: float, radius_sd_mm: float) -> float:
    growth = np.linspace(-8.0 * radius_sd_mm, 8.0 * radius_sd_mm, 20_001)
    weight = norm.pdf(growth, scale=radius_sd_mm) * (growth[1] - growth[0])
    return float((weight * chi.cdf(np.maximum(reserve_mm + growth, 0.0) / tip_sd_mm, 3)).sum())


def propose(tumour: Any) -> None:
    growing = Growing(tumour, None, 30.0)
    for setting in packaged_chart():
        asked = best_placement(growing.by(5.0), setting.length_mm, setting.width_mm)
        known = (5.0, asked) if asked.covers else None
        largest_margin(growing.by, setting.length_mm, setting.width_mm, 30.0, known=known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    given = parser.parse_args()
    rows = [row(given.seed, number) for number in range(given.cases)]
    worst = {key: max(one[key] for one in rows) for key in rows[0] if key.endswith(("_off", "_mm", "_percent", "_s"))}
    if given.json:
        print(json.dumps({"seed": given.seed, "cases": rows, "worst": worst}, indent=2))
        return
    show(rows)
    print("worst: " + ", ".join(f"{key} {value:.4f}" for key, value in worst.items() if key != "radius_mm"))


if __name__ == "__main__":
    main()
