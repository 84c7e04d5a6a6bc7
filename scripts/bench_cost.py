#!/usr/bin/env python3
"""What one margin costs: CPU seconds (best of three), memory, and whether the volume around the lesion matters.

A tumour of 3 cm in a zone of 4.4 cm at 0.8 x 0.8 x 1.5 mm: smooth, with a groove in the zone, and with contours that a
reader drew slice by slice (every slice moved and scaled a little). Nothing in planner/ was tuned on these.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from planner.grid import FloatArray, Grid
from planner.measure.margin import measure_margin
from planner.measure.zone import Zone
from planner.surface import surface_of
from planner.volume import BoolVoxels, Mask

SPACING_KJI_MM = (1.5, 0.8, 0.8)
TUMOUR_MM, ZONE_MM = 15.0, 22.0
GROOVE_MM = 2.5
READER_SD_MM = 0.4
SMALL, LARGE = (128, 128, 128), (600, 512, 512)
ROUNDS = 3


def voxels(kind: str, radius_mm: float, offsets: FloatArray, rng: np.random.Generator) -> BoolVoxels:
    """Return a ball on its own small lattice, `kind` as the module says."""
    z, y, x = np.moveaxis(offsets, -1, 0)
    if kind == "reader":
        moves = rng.normal(0.0, READER_SD_MM, (3, len(offsets), 1, 1))
        return np.asarray((y + moves[0]) ** 2 + (x + moves[1]) ** 2 + z**2 <= (radius_mm + moves[2]) ** 2)
    inside = x**2 + y**2 + z**2 <= radius_mm**2
    if kind == "groove" and radius_mm == ZONE_MM:
        inside &= (x - radius_mm) ** 2 + y**2 > GROOVE_MM**2
    return np.asarray(inside)


def masks(kind: str, shape: tuple[int, int, int], rng: np.random.Generator) -> list[Mask]:
    """Return the tumour and the zone in the middle of a volume, at a random sub-voxel place."""
    spacing, middle = np.asarray(SPACING_KJI_MM), np.asarray(shape) // 2
    shift = rng.uniform(-0.5, 0.5, 3) * spacing
    made = []
    for radius in (TUMOUR_MM, ZONE_MM):
        half = np.ceil((radius + 3.0) / spacing).astype(int)
        axes = [np.arange(-h, h + 1) * s for h, s in zip(half, spacing, strict=True)]
        offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) - shift
        whole = np.zeros(shape, dtype=bool)
        whole[tuple(slice(m - h, m + h + 1) for m, h in zip(middle, half, strict=True))] = voxels(
            kind, radius, offsets, rng
        )
        made.append(Mask(whole, Grid.axis_aligned(shape, SPACING_KJI_MM, (0.0, 0.0, 0.0))))
    return made


def cost(kind: str, shape: tuple[int, int, int], seed: int) -> dict[str, Any]:
    tumour, zone = masks(kind, shape, np.random.default_rng(seed))
    seconds, boxes = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        tumour.box_kji(), zone.box_kji()
        boxes.append(time.process_time() - start)
        start = time.process_time()
        measure_margin(surface_of(tumour), Zone.of([surface_of(zone)]))
        seconds.append(time.process_time() - start)
    tracemalloc.start()
    measure_margin(surface_of(tumour), Zone.of([surface_of(zone)]))
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return {"kind": kind, "volume": "x".join(map(str, shape[::-1])), "seed": seed, "cpu_s": min(seconds),
            "box_pass_s": min(boxes), "peak_mb": peak_mb}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=5000, help="first seed")
    parser.add_argument("--cases", type=int, default=3, help="lesions of each kind")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [
        cost(kind, SMALL, options.seed + n) for kind in ("smooth", "groove", "reader") for n in range(options.cases)
    ]
    rows.append(cost("smooth", LARGE, options.seed))
    print(f"{'kind':8} {'volume':14} {'cpu_s':>8} {'box_pass_s':>10} {'peak_mb':>8}")
    for row in rows:
        print(f"{row['kind']:8} {row['volume']:14} {row['cpu_s']:8.3f} {row['box_pass_s']:10.3f} {row['peak_mb']:8.1f}")
    ratio = (rows[-1]["cpu_s"] - rows[-1]["box_pass_s"]) / rows[0]["cpu_s"]
    print(f"cost in the large volume, one bounding-box pass excluded, over that in the small one: {ratio:.2f}")
    if options.json:
        document = {"first_seed": options.seed, "rows": rows, "large_over_small": ratio}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
