#!/usr/bin/env python3
"""What roughness does to a distance: the least value of a parabola plus a random field, drawn on a plane.

Around the nearest point of a surface, the distance from a point rises as steepness * r^2 / 2; the surface's error is a
field of standard deviation 1, correlated as exp(-r^2 / 2). The distance then ends where the sum is least. Printed: by
how much that lies below 0 on average, its standard deviation, and what planner/measure/contours.py uses for both.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
from pathlib import Path

import numpy as np
from bench_margin import show

from planner.grid import FloatArray
from planner.measure.contours import LOWERING, SCATTER, STEEPNESS

STEP = 0.1
HALF = 128
"""The field is drawn on (2 * HALF)^2 points, periodic: far wider than where the sum can be least."""


def field_on_the_plane(rng: np.random.Generator) -> FloatArray:
    """Return a draw of the field, shape (2 HALF, 2 HALF)."""
    frequency = 2.0 * np.pi * np.fft.fftfreq(2 * HALF, STEP)
    density = np.exp(-0.5 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    root = np.sqrt(density / density.mean())
    white = rng.standard_normal((2 * HALF, 2 * HALF))
    return np.asarray(np.fft.ifft2(np.fft.fft2(white) * root).real)


def least(cases: int, seed: int) -> FloatArray:
    """Return the least values, shape (cases, steepnesses); each draw serves every steepness, at its own middle."""
    rng = np.random.default_rng(seed)
    along = STEP * (np.arange(2 * HALF) - HALF)
    bowl = 0.5 * (along[:, None] ** 2 + along[None, :] ** 2)
    drawn = (field_on_the_plane(rng) for _ in range(cases))
    return np.asarray([[(field + k * bowl).min() for k in STEEPNESS] for field in drawn])


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=2000, help="draws of the field")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = least(options.cases, options.seed)
    rows = [
        {
            "steepness": float(k), "lowering": float(-values.mean()), "used": float(lowering),
            "standard_error": float(values.std() / np.sqrt(len(values))), "scatter": float(values.std()),
            "used_scatter": float(scatter),
        }
        for k, values, lowering, scatter in zip(STEEPNESS, found.T, LOWERING, SCATTER, strict=True)
    ]  # fmt: skip
    show(rows)
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "rows": rows}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
