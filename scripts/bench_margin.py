#!/usr/bin/env python3
"""Minimal margin on analytic phantoms, against their truth and beside the peers that PyPI has.

The settings of planner/surface were chosen on seeds below 1000; report on others (default: 5000). Suites: clean (no
grooves or creases), groove, crease, hard (C-shapes and zones of two parts).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from pipelines.sample.phantoms import CLEAN, FAMILIES, GRIDS, Phantom, make_phantom, pair_of_masks
from planner.grid import FloatArray, Grid
from planner.measure.margin import THRESHOLDS_MM, Margin, measure_margin
from planner.measure.zone import Zone
from planner.surface import Surface, nets_surface, surface_of
from planner.volume import BoolVoxels, Mask

try:
    import edt
except ImportError:
    edt = None
try:
    import surface_distance
except ImportError:
    surface_distance = None

SUITES = {"clean": tuple(CLEAN), "groove": ("groove",), "crease": ("two_zones",), "hard": ("c_shape", "two_parts")}
DEFAULT_GRIDS = ("0.7x0.7x1", "0.8x0.8x3", "1.5x1.5x3", "0.75x0.75x5")
HIGH_MM = 1.0
WORDS = 3
"""How many columns of a table hold words."""


def ours(tumour: Mask, zone: Mask) -> Margin:
    """Measure as `ablation margin` does without a liver."""
    return measure_margin(surface_of(tumour), Zone.of([surface_of(zone)]))


def surface_nets(tumour: Mask, zone: Mask) -> float:
    """VTK's surface nets, constrained to a box of one voxel."""
    covering = nets_surface(zone.cropped(2))
    return float(covering.signed_depth_mm(nets_surface(tumour.cropped(2)).vertices_lps_mm).min())


def marched(tumour: Mask, zone: Mask) -> float:
    """Marching cubes on the masks (scikit-image)."""

    def mesh(mask: Mask) -> Surface:
        box = mask.cropped(2)
        v, t, _, _ = marching_cubes(box.voxels_kji.astype(np.float32), 0.5)
        found = Surface(box.grid.lps_mm(v[:, ::-1]), t.astype(np.int64), mask.grid.spacing_kji_mm)
        return found if found.volume_ml > 0 else found.flipped()

    return float(mesh(zone).signed_depth_mm(mesh(tumour).vertices_lps_mm).min())


def _border(mask: Mask) -> BoolVoxels:
    return np.asarray(mask.voxels_kji & ~ndimage.binary_erosion(mask.voxels_kji))


def scipy_transform(tumour: Mask, zone: Mask) -> float:
    """Distance transform inside minus outside (scipy), at the tumour's border voxels."""
    spacing = zone.grid.spacing_kji_mm
    inside = ndimage.distance_transform_edt(zone.voxels_kji, sampling=spacing)
    outside = ndimage.distance_transform_edt(~zone.voxels_kji, sampling=spacing)
    return float((inside - outside)[_border(tumour)].min())


def edt_transform(tumour: Mask, zone: Mask) -> float:
    """The same with the package edt."""
    field = edt.sdf(np.array(zone.voxels_kji), anisotropy=zone.grid.spacing_kji_mm)
    return float(field[_border(tumour)].min())


def maurer(tumour: Mask, zone: Mask) -> float:
    """SimpleITK's signed Maurer map at the tumour's border voxels."""
    image = sitk.GetImageFromArray(zone.voxels_kji.astype(np.uint8))
    image.SetSpacing(tuple(zone.grid.spacing_kji_mm[::-1]))
    field = sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    )
    return float(field[_border(tumour)].min())


def surfels(tumour: Mask, zone: Mask) -> float:
    """The package surface-distance; the sign is ours: the farthest of what lies outside, else the nearest inside."""
    spacing = zone.grid.spacing_kji_mm
    rest = tumour.voxels_kji & ~zone.voxels_kji
    first = rest if rest.any() else tumour.voxels_kji
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package calls scipy by an old name
        found = surface_distance.compute_surface_distances(first, zone.voxels_kji, spacing)["distances_gt_to_pred"]
    return float(-found.max() if rest.any() else found.min())


def qam(tumour: Mask, zone: Mask) -> float:
    """Our own restatement of QAM's convention: from inner border voxel to inner border voxel."""
    to = cKDTree(zone.grid.lps_mm(np.argwhere(_border(zone))[:, ::-1]))
    kji = np.argwhere(_border(tumour))
    away = to.query(tumour.grid.lps_mm(kji[:, ::-1]))[0]
    return float(np.where(zone.voxels_kji[tuple(kji.T)], away, -away).min())


PEERS: dict[str, Callable[[Mask, Mask], float]] = {
    "QAM-like": qam,
    "surface nets (VTK)": surface_nets,
    "marching cubes": marched,
    "scipy transform": scipy_transform,
    "Maurer map (ITK)": maurer,
    **({"edt transform": edt_transform} if edt else {}),
    **({"surface-distance": surfels} if surface_distance else {}),
}
RIGHT_ANGLES = {"scipy transform", "Maurer map (ITK)", "edt transform", "surface-distance"}
"""What knows spacings only, and so cannot read a sheared lattice."""

OURS = "ablation-planner"


@dataclass(frozen=True)
class Task:
    """One phantom to be read on every grid."""

    family: str
    seed: int
    grids: tuple[str, ...]
    peers: bool


def read(task: Task) -> list[dict[str, Any]]:
    """Return a row per grid and method: the error of the minimal margin, mm, and CPU seconds."""
    phantom = make_phantom(task.family, task.seed)
    rng = np.random.default_rng([task.seed, 99])
    rows: list[dict[str, Any]] = []
    for name in task.grids:
        first, second = (_masks(phantom, name, rng.uniform(-0.5, 0.5, 3)) for _ in range(2))
        start = time.process_time()
        margin = ours(*first)
        seconds = time.process_time() - start
        again = ours(*second).min_mm
        base = {"grid": name, "family": task.family, "seed": task.seed, "true_mm": phantom.min_mm}
        rows.append(
            {**base, "method": OURS, "cpu_s": seconds, **_against(margin, phantom), "again_mm": again - margin.min_mm}
        )
        for method, estimate in PEERS.items() if task.peers else ():
            if name == "sheared" and method in RIGHT_ANGLES:
                continue
            start = time.process_time()
            value = estimate(*first)
            rows.append(
                {**base, "method": method, "cpu_s": time.process_time() - start, "error_mm": value - phantom.min_mm}
            )
    return rows


def _masks(phantom: Phantom, grid: str, offset: FloatArray) -> tuple[Mask, Mask]:
    tumour, zone, affine = pair_of_masks(phantom.tumour, phantom.zone, GRIDS[grid], offset)
    lattice = Grid(tumour.shape, affine)
    return Mask(tumour, lattice, "tumour"), Mask(zone, lattice, "zone")


def _against(margin: Margin, phantom: Phantom) -> dict[str, Any]:
    """Return the errors of all that is reported of a margin."""
    truth = phantom.truth
    found = cKDTree(margin.map.tumour.vertices_lps_mm).query(truth.points_mm)[1]
    everywhere = truth.area_mm2 > 0
    errors = (margin.map.primary_mm[found] - truth.margin_mm)[everywhere]
    least = truth.points_mm[truth.margin_mm <= truth.min_mm + PLACE_MM]
    return {
        "error_mm": margin.min_mm - truth.min_mm,
        "map_p95_mm": float(np.percentile(np.abs(errors), 95)),
        "map_errors_mm": errors[:: max(1, len(errors) // 100)].tolist(),
        "fraction_errors": [margin.surface_fraction_below[t] - truth.fraction_below(t) for t in THRESHOLDS_MM],
        "place_mm": float(np.linalg.norm(np.asarray(margin.at_lps_mm) - truth.at_mm)),
        "place_near_mm": float(np.linalg.norm(least - np.asarray(margin.at_lps_mm), axis=1).min()),
        "fallback": "surface_fallback" in margin.flags,
    }  # fmt: skip


PLACE_MM = 0.05
"""Where the margin is this close to its minimum, the minimum might as well lie."""


def table(rows: list[dict[str, Any]], by_family: bool) -> list[dict[str, Any]]:
    """Return errors of the minimal margin per grid (and family) and method."""
    keys = sorted({(r["grid"], r["family"] if by_family else "all", r["method"]) for r in rows}, key=_order)
    found = []
    for grid, family, method in keys:
        own = [r for r in rows if r["grid"] == grid and r["method"] == method and family in ("all", r["family"])]
        e = np.asarray([r["error_mm"] for r in own])
        found.append({
            "grid": grid, "family": family, "method": method, "cases": len(e), "bias_mm": float(e.mean()),
            "sd_mm": float(e.std()), "p95_abs_mm": float(np.percentile(np.abs(e), 95)),
            "max_abs_mm": float(np.abs(e).max()), "share_over_1mm_high": float((e > HIGH_MM).mean()),
            "cpu_s": float(np.mean([r["cpu_s"] for r in own])),
        })  # fmt: skip
    return found


def _order(key: tuple[str, str, str]) -> tuple[int, str, int]:
    grid, family, method = key
    return list(GRIDS).index(grid), family, [OURS, *PEERS].index(method)


def rest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, per grid, our errors in what is reported beside the minimum."""
    found = []
    for grid in (g for g in GRIDS if any(r["grid"] == g for r in rows)):
        own = [r for r in rows if r["grid"] == grid and r["method"] == OURS]
        fractions = np.abs([r["fraction_errors"] for r in own])
        points = np.abs(np.concatenate([r["map_errors_mm"] for r in own]))
        again = np.asarray([r["again_mm"] for r in own])
        found.append({
            "grid": grid, "cases": len(own), "map_p95_mm": float(np.percentile(points, 95)),
            "fraction_mean": float(fractions.mean()), "fraction_p95": float(np.percentile(fractions, 95)),
            "place_median_mm": float(np.median([r["place_mm"] for r in own])),
            "place_near_median_mm": float(np.median([r["place_near_mm"] for r in own])),
            "again_mean_mm": float(again.mean()), "again_sd_mm": float(again.std()),
            "fallbacks": sum(r["fallback"] for r in own), "cpu_max_s": max(r["cpu_s"] for r in own),
        })  # fmt: skip
    return found


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
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), help="instead of a suite")
    parser.add_argument("--by-family", action="store_true", help="a row for each family")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    families = tuple(options.families or SUITES[options.suite])
    seeds = range(options.seed, options.seed + options.cases)
    tasks = [Task(f, seed, tuple(options.grids), not options.no_peers) for f in families for seed in seeds]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        rows = [row for part in pool.map(read, tasks) for row in part]
    pooled, families_table, beside = table(rows, False), table(rows, True), rest(rows)
    print(f"{', '.join(families)}: seeds {seeds.start}-{seeds.stop - 1}; error = estimate - truth, mm; + reads high")
    show(families_table if options.by_family else pooled)
    print(f"\n{OURS}: margin at every point, surface fractions, place of the minimum, and the same shape read again")
    show(beside)
    if options.json:
        document = {"seed": options.seed, "pooled": pooled, "families": families_table, "beside": beside, "rows": rows}
        options.json.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
