#!/usr/bin/env python3
"""Distances between a tumour and a structure on analytic phantoms: ours and a plain distance transform, against truth.

A tumour (a ball) beside another ball, above a slanted plane, and beside a slanted tube, at random sub-voxel offsets.
Nothing in planner/ was tuned on these; report on any seed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from pipelines.sample.phantoms import voxelised
from planner.grid import FloatArray, Grid
from planner.measure.distances import gap_between
from planner.measure.structures import nearest_part
from planner.surface import surface_of
from planner.volume import BoolVoxels, Mask

HALF_MM = 34.0
Inside = Callable[[FloatArray], BoolVoxels]


@dataclass(frozen=True)
class Pair:
    """A tumour, a structure and their true distance, mm."""

    tumour: Inside
    structure: Inside
    mm: float


def _direction(rng: np.random.Generator) -> FloatArray:
    axis = rng.normal(size=3)
    return np.asarray(axis / np.linalg.norm(axis))


def _ball(centre: FloatArray, radius: float) -> Inside:
    return lambda points: np.asarray(np.linalg.norm(points - centre, axis=1) <= radius)


def ball(rng: np.random.Generator) -> Pair:
    """Another ball (a gallbladder, a kidney's pole)."""
    radius, other, apart = rng.uniform(5, 11), rng.uniform(6, 10), rng.uniform(0.5, 9)
    away = (radius + other + apart) * _direction(rng)
    return Pair(_ball(np.zeros(3), radius), _ball(away, other), apart)


def plane(rng: np.random.Generator) -> Pair:
    """A half-space (the stomach's wall)."""
    radius, apart, normal = rng.uniform(5, 11), rng.uniform(0.5, 12), _direction(rng)
    return Pair(_ball(np.zeros(3), radius), lambda p: np.asarray(p @ normal >= radius + apart), apart)


def tube(rng: np.random.Generator) -> Pair:
    """A straight tube (a vessel or a duct) 4-10 mm wide."""
    radius, apart, own = rng.uniform(5, 11), rng.uniform(0.5, 10), rng.uniform(2, 5)
    along, away = _direction(rng), _direction(rng)
    away = away - (away @ along) * along
    centre = (radius + apart + own) * away / np.linalg.norm(away)

    def inside(points: FloatArray) -> BoolVoxels:
        offset = points - centre
        return np.asarray(np.linalg.norm(offset - np.outer(offset @ along, along), axis=1) <= own)

    return Pair(_ball(np.zeros(3), radius), inside, apart)


FAMILIES = {"ball": ball, "plane": plane, "tube": tube}


def ours(tumour: Mask, structure: Mask) -> float:
    """Return the distance as `review` measures it."""
    surface = surface_of(tumour)
    return gap_between(surface, nearest_part(structure, surface.vertices_lps_mm, np.asarray)).mm


def transform(tumour: Mask, structure: Mask) -> float:
    """Return the least distance between voxel centres of the one and the other."""
    spacing = tumour.grid.spacing_kji_mm
    return float(ndimage.distance_transform_edt(~structure.voxels_kji, sampling=spacing)[tumour.voxels_kji].min())


METHODS: dict[str, Callable[[Mask, Mask], float]] = {"ablation-planner": ours, "distance transform": transform}


def bench(spacing: tuple[float, float, float], family: str, seed: int, cases: int) -> list[dict[str, object]]:
    """Return a row per method: errors over `cases` phantoms of a family on one grid."""
    errors: dict[str, list[float]] = {name: [] for name in METHODS}
    cpu = dict.fromkeys(METHODS, 0.0)
    for case in range(cases):
        rng = np.random.default_rng([seed, case, sorted(FAMILIES).index(family)])
        pair = FAMILIES[family](rng)
        offset = rng.uniform(-0.5, 0.5, 3)
        masks = []
        for inside in (pair.tumour, pair.structure):
            voxels, affine = voxelised(inside, HALF_MM, spacing, offset)
            masks.append(Mask(voxels, Grid(voxels.shape, affine), "phantom"))
        for name, method in METHODS.items():
            start = time.process_time()
            errors[name].append(method(*masks) - pair.mm)
            cpu[name] += time.process_time() - start
    rows: list[dict[str, object]] = []
    for name, values in errors.items():
        error = np.asarray(values)
        rows.append({
            "structure": family, "grid_mm": "x".join(f"{s:g}" for s in spacing[::-1]), "method": name,
            "bias_mm": float(error.mean()), "mean_abs_mm": float(np.abs(error).mean()),
            "p95_abs_mm": float(np.percentile(np.abs(error), 95)), "max_abs_mm": float(np.abs(error).max()),
            "cpu_s": cpu[name] / cases,
        })  # fmt: skip
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=6000)
    parser.add_argument("--cases", type=int, default=40, help="phantoms of each kind on each grid")
    parser.add_argument("--grids", nargs="+", default=["1x1x1", "0.8x0.8x3"], help="x by y by z, mm")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    grids = [tuple(map(float, text.split("x")[::-1])) for text in options.grids]
    rows = [row for g in grids for family in FAMILIES for row in bench(g, family, options.seed, options.cases)]
    head = ("structure", "grid_mm", "method", "bias_mm", "mean_abs_mm", "p95_abs_mm", "max_abs_mm", "cpu_s")
    print("{:10} {:12} {:19} {:>8} {:>11} {:>10} {:>10} {:>6}".format(*head))
    for row in rows:
        print("{:10} {:12} {:19} {:8.3f} {:11.3f} {:10.3f} {:10.3f} {:6.3f}".format(*(row[name] for name in head)))
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
