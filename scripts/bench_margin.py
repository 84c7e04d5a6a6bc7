#!/usr/bin/env python3
"""Minimal margin on analytic phantoms, against their truth and beside the peers that PyPI has.

The settings of planner/surface were chosen on seeds below 1000; report on others (default: 5000). Suites: clean (no
grooves or creases), groove, crease, hard (C-shapes and zones of two parts), capsule (flat and curved: the margin to
liver that was not ablated; with liver masks as automatic programs make them, signs alone are asked for). With
--reader-sd, contours are drawn anew slice by slice with that standard deviation; the truth stays that of the smooth
shapes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from limited_margins import read_limited
from margin_peers import PEERS, RIGHT_ANGLES
from scipy import ndimage

from pipelines.sample.phantoms import (
    CLEAN,
    FAMILIES,
    GRIDS,
    LIMITED,
    Body,
    Cut,
    Phantom,
    drawn_mask_of,
    lattice_of,
    make_phantom,
    mask_of,
)
from planner.grid import FloatArray, Grid
from planner.measure.margin import THRESHOLDS_MM, Margin, measure_margin
from planner.surface import surface_of
from planner.volume import Mask

SUITES = {"clean": tuple(CLEAN), "groove": ("groove",), "crease": ("two_zones",), "hard": ("c_shape", "two_parts"),
          "capsule": LIMITED}  # fmt: skip
DEFAULT_GRIDS = ("0.7x0.7x1", "0.8x0.8x3", "1.5x1.5x3", "0.75x0.75x5")
OURS = "ablation-planner"
HIGH_MM = 1.0
WORDS = 3
"""How many columns of a table hold words."""

TRAPS_EVERY = 4
"""Signs with odd liver masks are asked for on every so manieth phantom."""

OFF_CAPSULE = "QAM-like, 5 mm off the capsule"
METHODS = (OURS, *PEERS, OFF_CAPSULE)

PLACE_MM = 0.05
"""Where the margin is this close to its minimum, the minimum might as well lie."""


@dataclass(frozen=True)
class Task:
    """One phantom to be read on every grid."""

    family: str
    seed: int
    grids: tuple[str, ...]
    peers: bool
    reader_sd_mm: float


def read(task: Task) -> list[dict[str, Any]]:
    """Return a row per grid and method: the error of the minimal margin, mm, and CPU seconds."""
    if task.family in LIMITED:
        traps = task.seed % TRAPS_EVERY == 0
        return read_limited(task.family, task.seed, task.grids, OURS, with_peers=task.peers, with_traps=traps)
    phantom = make_phantom(task.family, task.seed)
    rng = np.random.default_rng([task.seed, 99])
    painted = {name: [_masks(phantom, name, task, rng) for _ in range(2)] for name in task.grids}
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(task.grids):
        (tumour, zone), again = painted[name]
        other = task.grids[(place + 1) % len(task.grids)]
        start = time.process_time()
        margin = measure_margin(tumour, [zone])
        seconds = time.process_time() - start
        base = {"grid": name, "family": task.family, "seed": task.seed, "true_mm": phantom.min_mm}
        rows.append({
            **base, "method": OURS, "cpu_s": seconds, **_against(margin, phantom),
            "again_mm": _least(*again) - _minimum(margin), "itself_mm": _least(zone, again[1]),
            "other_grid": other, "itself_elsewhere_mm": _least(zone, painted[other][1][1]),
            "off_side": max(_off_side(mask) for mask in (tumour, zone)), "groove_voxels": _groove_voxels(phantom, zone),
        })  # fmt: skip
        for method, estimate in PEERS.items() if task.peers else ():
            if name == "sheared" and method in RIGHT_ANGLES:
                continue
            start = time.process_time()
            value = estimate(tumour, zone)
            rows.append(
                {**base, "method": method, "cpu_s": time.process_time() - start, "error_mm": value - phantom.min_mm}
            )
    return rows


def _masks(phantom: Phantom, grid: str, task: Task, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Return tumour and zone on a lattice of `grid` at a random place."""
    shape, affine = lattice_of((phantom.tumour, phantom.zone), GRIDS[grid], rng.uniform(-0.5, 0.5, 3))

    def painted(body: Body, name: str) -> Mask:
        if task.reader_sd_mm > 0:
            return Mask(drawn_mask_of(body, shape, affine, task.reader_sd_mm, rng), Grid(shape, affine), name)
        return Mask(mask_of(body, shape, affine), Grid(shape, affine), name)

    return painted(phantom.tumour, "tumour"), painted(phantom.zone, "zone")


def _groove_voxels(phantom: Phantom, zone: Mask) -> int | None:
    """Return how many voxels a groove takes from the zone's mask: with none of them, no program can know of it."""
    if not isinstance(phantom.zone, Cut):
        return None
    whole = mask_of(phantom.zone.body, zone.grid.shape_kji, zone.grid.lps_mm_from_ijk)
    return int(np.count_nonzero(whole != zone.voxels_kji))


def _least(tumour: Mask, zone: Mask) -> float:
    return _minimum(measure_margin(tumour, [zone]))


def _minimum(margin: Margin) -> float:
    if margin.min_mm is None:
        raise RuntimeError("a margin without a liver always has a minimum")
    return margin.min_mm


def _off_side(mask: Mask) -> float:
    """Return the share of the voxel centres within two voxels of the surface that it leaves on the wrong side."""
    box = mask.cropped(4)
    around = np.ones((3, 3, 3), dtype=bool)
    inner = ndimage.binary_erosion(box.voxels_kji, around, iterations=2)
    near = ndimage.binary_dilation(box.voxels_kji, around, iterations=2) & ~inner
    kji = np.argwhere(near)
    inside = surface_of(mask).signed_depth_mm(box.grid.lps_mm(kji[:, ::-1])) > 0
    return float((inside != box.voxels_kji[tuple(kji.T)]).mean())


def _against(margin: Margin, phantom: Phantom) -> dict[str, Any]:
    """Return the errors of all that is reported of a margin."""
    truth = phantom.truth
    everywhere = truth.area_mm2 > 0
    errors = margin.map.at(truth.points_mm[everywhere]) - truth.margin_mm[everywhere]
    with_less = {part: truth.points_mm[everywhere][np.argmin(truth.margin_mm[everywhere] + part * errors)]
                 for part in PARTS_OF_ERROR}  # fmt: skip
    least = truth.points_mm[truth.margin_mm <= truth.min_mm + PLACE_MM]
    return {
        "error_mm": _minimum(margin) - truth.min_mm,
        "map_errors_mm": errors[:: max(1, len(errors) // 100)].tolist(),
        "fraction_errors": [margin.surface_fraction_below[t] - truth.fraction_below(t) for t in THRESHOLDS_MM],
        "place_mm": float(np.linalg.norm(np.asarray(margin.at_lps_mm) - truth.at_mm)),
        "place_near_mm": float(np.linalg.norm(least - np.asarray(margin.at_lps_mm), axis=1).min()),
        "place_with_less_mm": [float(np.linalg.norm(at - truth.at_mm)) for at in with_less.values()],
        "fallback": "surface_fallback" in margin.flags,
    }  # fmt: skip


PARTS_OF_ERROR = (1.0, 0.5, 0.25)
"""Where the minimum would lie were the map's error at every point so much of what it is: a map how exact finds it."""


def errors_of(errors: FloatArray) -> dict[str, Any]:
    """Return bias, spread and tails of errors, mm."""
    return {
        "cases": len(errors), "bias_mm": float(errors.mean()), "sd_mm": float(errors.std()),
        "p95_abs_mm": float(np.percentile(np.abs(errors), 95)), "max_abs_mm": float(np.abs(errors).max()),
        "share_over_1mm_high": float((errors > HIGH_MM).mean()),
    }  # fmt: skip


def table(rows: list[dict[str, Any]], by_family: bool) -> list[dict[str, Any]]:
    """Return errors of the minimal margin per grid (and family) and method, and over all grids."""
    keys = sorted({(r["grid"], r["family"] if by_family else "all", r["method"]) for r in rows}, key=_order)
    if not by_family and len({r["grid"] for r in rows}) > 1:
        keys += [("all", "all", method) for method in METHODS if any(r["method"] == method for r in rows)]
    found = []
    for grid, family, method in keys:
        own = [
            r for r in rows if grid in ("all", r["grid"]) and r["method"] == method and family in ("all", r["family"])
        ]
        cpu_s = float(np.mean([r["cpu_s"] for r in own]))
        errors = errors_of(np.asarray([r["error_mm"] for r in own]))
        found.append({"grid": grid, "family": family, "method": method, **errors, "cpu_s": cpu_s})
    return found


def _order(key: tuple[str, str, str]) -> tuple[int, str, int]:
    grid, family, method = key
    return list(GRIDS).index(grid), family, METHODS.index(method)


def lead(pooled: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, per grid, how many times our 95th percentile goes into that of the best peer."""
    found = []
    for ours in (row for row in pooled if row["method"] == OURS):
        peers = [row for row in pooled if row["grid"] == ours["grid"] and row["method"] != OURS]
        if peers:
            best = min(peers, key=lambda row: row["p95_abs_mm"])
            times = best["p95_abs_mm"] / ours["p95_abs_mm"]
            found.append({"grid": ours["grid"], "best_peer": best["method"], "peer_p95_over_ours": times})
    return found


def rest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, per grid, our errors in what is reported beside the minimum."""
    found = []
    for grid in (g for g in GRIDS if any(r["grid"] == g for r in rows)):
        own = [r for r in rows if r["grid"] == grid and r["method"] == OURS]
        fractions = np.abs([r["fraction_errors"] for r in own])
        points = np.abs(np.concatenate([r["map_errors_mm"] for r in own]))
        found.append({
            "grid": grid, "cases": len(own), "map_p95_mm": float(np.percentile(points, 95)),
            "fraction_mean": float(fractions.mean()), "fraction_p95": float(np.percentile(fractions, 95)),
            "place_median_mm": float(np.median([r["place_mm"] for r in own])),
            "place_near_median_mm": float(np.median([r["place_near_mm"] for r in own])),
            **{f"place_at_{part:g}": float(median) for part, median in zip(
                PARTS_OF_ERROR, np.median([r["place_with_less_mm"] for r in own], axis=0), strict=True)},
            "off_side_mean": float(np.mean([r["off_side"] for r in own])),
            "off_side_max": float(np.max([r["off_side"] for r in own])),
            "fallbacks": sum(r["fallback"] for r in own), "cpu_max_s": max(r["cpu_s"] for r in own),
        })  # fmt: skip
    return found


def itself(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, per grid, what a shape reads against itself, and the same pair painted elsewhere less the first time."""
    found = []
    for grid in (g for g in GRIDS if any(r["grid"] == g for r in rows)):
        own = [r for r in rows if r["grid"] == grid and r["method"] == OURS]
        columns = {name: np.asarray([r[f"{name}_mm"] for r in own]) for name in ("itself", "itself_elsewhere", "again")}
        row: dict[str, Any] = {"grid": grid, "other_grid": own[0]["other_grid"], "cases": len(own)}
        for name, values in columns.items():
            row |= {f"{name}_mean_mm": float(values.mean()), f"{name}_sd_mm": float(values.std())}
        found.append(row)
    return found


def by_groove(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return our errors, over all grids, by how many voxels the groove takes from the mask."""
    own = [r for r in rows if r["method"] == OURS and r.get("groove_voxels") is not None]
    found = []
    for name, low, high in SEEN:
        errors = np.asarray([r["error_mm"] for r in own if low <= r["groove_voxels"] < high])
        if len(errors):
            found.append({"groove_voxels": name, "share": len(errors) / len(own), **errors_of(errors)})
    return found


SEEN = (("none", 0, 1), ("1 to 10", 1, 11), ("11 to 50", 11, 51), ("more", 51, 10**9), ("all", 0, 10**9))


def signs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how often the sign is right with liver masks that leave something out."""
    asked = [(name, right) for r in rows for name, right in r.get("trap_signs", {}).items()]
    return [
        {
            "liver_mask": name,
            "asked": sum(n == name for n, _ in asked),
            "right": sum(n == name and ok for n, ok in asked),
        }
        for name in sorted({name for name, _ in asked})
    ]


def show(rows: list[dict[str, Any]]) -> None:
    """Print rows under their names."""
    if not rows:
        return
    cells = [list(rows[0]), *([f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    for line in cells:
        padded = [c.ljust(w) if n < WORDS else c.rjust(w) for n, (c, w) in enumerate(zip(line, widths, strict=True))]
        print("  ".join(padded))


def main() -> None:
    """Read all phantoms and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=5000, help="first seed")
    parser.add_argument("--cases", type=int, default=20, help="phantoms of each family, each on every grid")
    parser.add_argument("--grids", nargs="+", choices=list(GRIDS), default=list(DEFAULT_GRIDS))
    parser.add_argument("--suite", choices=list(SUITES), default="clean")
    parser.add_argument("--families", nargs="+", choices=[*FAMILIES, *LIMITED], help="instead of a suite")
    parser.add_argument("--reader-sd", type=float, default=0.0, help="draw every slice anew with this SD, mm")
    parser.add_argument("--by-family", action="store_true", help="a row for each family")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    families = tuple(options.families or SUITES[options.suite])
    seeds = range(options.seed, options.seed + options.cases)
    grids = tuple(options.grids)
    tasks = [Task(f, seed, grids, not options.no_peers, options.reader_sd) for f in families for seed in seeds]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        rows = [row for part in pool.map(read, tasks) for row in part]
    pooled, families_table = table(rows, False), table(rows, True)
    limited = bool(set(families) & set(LIMITED))
    beside, against_itself = ([], []) if limited else (rest(rows), itself(rows))
    ahead, trapped = lead(pooled), signs(rows)
    print(f"{', '.join(families)}: seeds {seeds.start}-{seeds.stop - 1}; error = estimate - truth, mm; + reads high")
    show(families_table if options.by_family else pooled)
    if ahead:
        print("\nthe best peer's 95th percentile over ours")
        show(ahead)
    if beside:
        print(f"\n{OURS}: margin at every point, surface fractions, place of the minimum, centres on the wrong side")
        show(beside)
        print("\nthe zone against itself elsewhere on the grid and on another grid; the pair painted elsewhere, change")
        show(against_itself)
    if trapped:
        print("\nsigns with liver masks as automatic programs make them")
        show(trapped)
    seen = by_groove(rows)
    if seen:
        print("\nhow much of the groove the mask shows, all grids")
        show(seen)
    if options.json:
        document = {
            "seed": options.seed, "pooled": pooled, "families": families_table, "beside": beside,
            "itself": against_itself, "lead": ahead, "by_groove": seen, "signs": trapped, "rows": rows,
        }  # fmt: skip
        options.json.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
