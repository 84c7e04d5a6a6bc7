#!/usr/bin/env python3
"""Diameters and volume of tumours on analytic phantoms: error beside peers, and whether the 95 % intervals hold.

Tumours of pipelines/sample/phantoms are painted as they are (exact) and as drawn with a smooth contour error (SD 0.5
mm, correlation 3 to 6 mm), each on a lattice with a random sub-voxel offset. Peers: the longest distance between voxel
centres (in one slice, and of all) and the count of voxels; the same between voxel corners (as RECIST tools have it) is
printed as "corners". Settings were chosen on seeds below 1000.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from pipelines.sample.phantoms import CLEAN, GRIDS, Body, Contoured, SmoothError, lattice_of, make_phantom, mask_of
from planner.grid import FloatArray, Grid
from planner.measure.sizes import size_intervals
from planner.measure.volumes import max_axial_diameter_mm, max_diameter_mm
from planner.surface import surface_of
from planner.volume import Mask

BENCH_GRIDS = ("0.7x0.7x1", "0.8x0.8x3", "1.5x1.5x3", "0.75x0.75x5")
CONTOUR_SD_MM = 0.5
CORRELATION_MM = (3.0, 6.0)
SAMPLES = 40_000
SLAB_MM = 0.2
NAMES = ("axial_mm", "longest_mm", "volume_ml")


def truth(body: Body) -> tuple[float, float, float]:
    """Return the longest diameter in a thin axial slab, in any direction, and the volume."""
    found = body.samples(SAMPLES)
    slabs = np.floor(found.points_mm[:, 2] / SLAB_MM).astype(int)
    axial = max(span(found.points_mm[slabs == slab, :2]) for slab in np.unique(slabs))
    volume = float((found.area_mm2 * np.einsum("ij,ij->i", found.points_mm, found.normals)).sum()) / 3000.0
    return axial, span(found.points_mm), volume


def span(points: FloatArray) -> float:
    """Return the longest distance between two points."""
    if len(points) < 2:
        return 0.0
    with suppress(QhullError, ValueError):
        points = points[ConvexHull(points).vertices]
    return float(pdist(points).max())


def by_voxels(mask: Mask, *, corners: bool) -> tuple[float, float, float]:
    """Return the same from the centres, or the corners, of the mask's voxels."""
    kji = np.argwhere(mask.voxels_kji)[:, ::-1].astype(float)
    levels = kji[:, 2]
    if corners:
        kji = np.concatenate([kji + 0.5 * np.array([a, b, c]) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
        levels = np.repeat(levels[None], 8, axis=0).ravel()
    points = mask.grid.lps_mm(kji)
    axial = max(span(points[levels == level, :2]) for level in np.unique(levels))
    return axial, span(points), mask.volume_ml


def ours(mask: Mask, seed: int, sd_mm: float, correlation_mm: float) -> tuple[tuple[float, float, float], Any, float]:
    """Return our values, intervals, and the CPU seconds that the intervals took."""
    surface = surface_of(mask)
    values = max_axial_diameter_mm(surface), max_diameter_mm(surface), surface.volume_ml
    start = time.process_time()
    intervals = size_intervals(surface, sd_mm, correlation_mm, seed)
    return values, intervals, time.process_time() - start


def rows(seed: int, cases: int) -> Iterator[dict[str, Any]]:
    """Yield a row per phantom, lattice, contour and method."""
    for case in range(cases):
        family = tuple(CLEAN)[case % len(CLEAN)]
        body = make_phantom(family, seed + case).tumour
        true = truth(body)
        for grid in BENCH_GRIDS:
            for sd_mm in (0.0, CONTOUR_SD_MM):
                rng = np.random.default_rng([seed + case, BENCH_GRIDS.index(grid), int(10 * sd_mm)])
                correlation_mm = float(rng.uniform(*CORRELATION_MM))
                drawn = Contoured(body, SmoothError.draw(sd_mm, correlation_mm, rng), np.zeros(3))
                shape, affine = lattice_of((drawn,), GRIDS[grid], rng.uniform(-0.5, 0.5, 3))
                mask = Mask(mask_of(drawn, shape, affine), Grid(shape, affine), "tumour")
                if mask.is_empty:
                    continue
                common = {"family": family, "seed": seed + case, "grid": grid, "contour_sd_mm": sd_mm, "true": true}
                values, intervals, cpu_s = ours(mask, seed + case, sd_mm, correlation_mm)
                ends = [getattr(intervals, name) for name in NAMES]
                yield common | {"method": "ablation-planner", "values": values, "ends": ends, "cpu_s": cpu_s}
                for name, corners in (("voxel centres", False), ("voxel corners", True)):
                    yield common | {"method": name, "values": by_voxels(mask, corners=corners)}


def summary(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per grid, contour and method."""
    groups: dict[tuple[str, float, str], list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault((row["grid"], row["contour_sd_mm"], row["method"]), []).append(row)
    table = []
    for (grid, sd_mm, method), members in groups.items():
        values, true = (np.array([row[key] for row in members]) for key in ("values", "true"))
        error = values - true
        error[:, 2] *= 100.0 / true[:, 2]
        line: dict[str, Any] = {"grid": grid, "contour_sd_mm": sd_mm, "method": method, "cases": len(members)}
        for n, name in enumerate(("axial", "longest", "volume_pct")):
            line[f"{name}_bias"] = float(error[:, n].mean())
            line[f"{name}_p95"] = float(np.percentile(np.abs(error[:, n]), 95))
        if method == "ablation-planner":
            ends = np.array([row["ends"] for row in members])
            held = (ends[..., 0] <= true) & (true <= ends[..., 1])
            for n, name in enumerate(("axial", "longest", "volume_pct")):
                line[f"{name}_held"] = float(held[:, n].mean())
            line["axial_width"] = float((ends[:, 0, 1] - ends[:, 0, 0]).mean())
            line["cpu_s"] = float(np.mean([row["cpu_s"] for row in members]))
        table.append(line)
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7000)
    parser.add_argument("--cases", type=int, default=60, help="phantoms, each on every grid, exact and as drawn")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = list(rows(options.seed, options.cases))
    table = summary(found)
    head = list(dict.fromkeys(name for line in table for name in line))
    print(f"seeds from {options.seed}; mm, volume in %; held: share of 95 % intervals that hold the truth")
    widths = [max(len(name), 16 if name == "method" else 6) for name in head]
    print("  ".join(f"{name:>{width}}" for name, width in zip(head, widths, strict=True)))
    for line in table:
        cells = [line.get(name, "") for name in head]
        texts = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells]
        print("  ".join(f"{text:>{width}}" for text, width in zip(texts, widths, strict=True)))
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "rows": table}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
