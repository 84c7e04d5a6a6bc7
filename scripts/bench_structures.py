#!/usr/bin/env python3
"""Distances, calibres and contact lengths on analytic phantoms, beside plain distance transforms in the same run.

Distance: a tumour (a ball) beside another ball, above a slanted plane, beside a cylinder, and overlapping a ball.
Calibre: straight round tubes of 3 to 10 mm in random directions, and parallel to an axis of the grid.
Contact: how long a ball touches (within half of the coarsest voxel) or holds such a tube.
All at random sub-voxel offsets. Errors are estimate - truth, mm: + is too far apart, too wide, too long.
Settings were chosen on seeds below 1000: report on others.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from pipelines.sample.phantoms import voxelised
from planner.grid import FloatArray, Grid
from planner.measure.calibre import calibre_at
from planner.measure.centreline import centreline_of
from planner.measure.contact import contact_along, touch_mm
from planner.measure.distances import gap_between
from planner.measure.structures import nearest_part
from planner.surface import surface_of
from planner.volume import BoolVoxels, Mask

HALF_MM = 34.0
TUBE_HALF_MM = 24.0
Inside = Callable[[FloatArray], BoolVoxels]
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Phantom:
    """Bodies and what is true of them: the mm asked for, and a place on the second body's wall."""

    first: Inside
    second: Inside
    true_mm: float
    at_mm: FloatArray


def _direction(rng: np.random.Generator) -> FloatArray:
    axis = rng.normal(size=3)
    return np.asarray(axis / np.linalg.norm(axis))


def _across(along: FloatArray, rng: np.random.Generator) -> FloatArray:
    away = _direction(rng)
    away = away - (away @ along) * along
    return np.asarray(away / np.linalg.norm(away))


def _ball(centre: FloatArray, radius: float) -> Inside:
    return lambda points: np.asarray(np.linalg.norm(points - centre, axis=1) <= radius)


def _tube(centre: FloatArray, along: FloatArray, radius: float) -> Inside:
    def inside(points: FloatArray) -> BoolVoxels:
        offset = points - centre
        return np.asarray(np.linalg.norm(offset - np.outer(offset @ along, along), axis=1) <= radius)

    return inside


def ball_ball(rng: np.random.Generator) -> Phantom:
    """Another ball (a gallbladder, a kidney's pole)."""
    radius, other, apart, away = rng.uniform(5, 11), rng.uniform(6, 10), rng.uniform(0.5, 9), _direction(rng)
    centre = (radius + other + apart) * away
    return Phantom(_ball(np.zeros(3), radius), _ball(centre, other), apart, centre - other * away)


def ball_plane(rng: np.random.Generator) -> Phantom:
    """A half-space (the stomach's wall)."""
    radius, apart, normal = rng.uniform(5, 11), rng.uniform(0.5, 12), _direction(rng)
    second = radius + apart
    return Phantom(_ball(np.zeros(3), radius), lambda p: np.asarray(p @ normal >= second), apart, second * normal)


def ball_cylinder(rng: np.random.Generator) -> Phantom:
    """A straight cylinder 4 to 20 mm wide (a duct, a vessel, a bowel loop)."""
    radius, apart, own, along = rng.uniform(5, 11), rng.uniform(0.5, 9), rng.uniform(2, 10), _direction(rng)
    away = _across(along, rng)
    centre = (radius + apart + own) * away
    return Phantom(_ball(np.zeros(3), radius), _tube(centre, along, own), apart, centre - own * away)


def overlapping_balls(rng: np.random.Generator) -> Phantom:
    """Two balls that overlap: minus how deep the one lies in the other."""
    radius, other, deep, away = rng.uniform(6, 11), rng.uniform(6, 10), rng.uniform(0.5, 4), _direction(rng)
    centre = (radius + other - deep) * away
    return Phantom(_ball(np.zeros(3), radius), _ball(centre, other), -deep, centre - other * away)


def tube(rng: np.random.Generator, along: FloatArray | None = None) -> Phantom:
    """A vessel 3 to 10 mm wide; true is its diameter."""
    wide, centre = rng.uniform(3.0, 10.0), rng.uniform(-1.0, 1.0, 3)
    axis = _direction(rng) if along is None else along
    inside = _tube(centre, axis, 0.5 * wide)
    return Phantom(inside, inside, wide, centre + 0.5 * wide * _across(axis, rng))


def tube_along_grid(rng: np.random.Generator) -> Phantom:
    """The same along an axis of the grid: every slice holds the same voxels, and tubes of many widths fill them."""
    return tube(rng, np.eye(3)[rng.integers(3)])


def touched_tube(rng: np.random.Generator) -> Phantom:
    """A zone (a ball) on a vessel 3 to 10 mm wide; true is the length of contact but for the touch, see `contact`."""
    own, radius, centre, along = rng.uniform(1.5, 5), rng.uniform(9, 13), rng.uniform(-1, 1, 3), _direction(rng)
    away = rng.uniform(0.0, radius + own - 1.0)
    zone = centre + away * _across(along, rng)
    return Phantom(_ball(zone, radius), _tube(centre, along, own), radius, np.array([max(0.0, away - own), 0.0, 0.0]))


def distance(first: Mask, second: Mask, _: Phantom) -> float:
    """Return the distance as `review` measures it."""
    surface = surface_of(first)
    return gap_between(surface, nearest_part(second, surface.vertices_lps_mm, np.asarray, surface.signed_depth_mm)).mm


def distance_by_scipy(first: Mask, second: Mask, _: Phantom) -> float:
    """Return the least distance between voxel centres of the one and the other."""
    spacing = first.grid.spacing_kji_mm
    return float(ndimage.distance_transform_edt(~second.voxels_kji, sampling=spacing)[first.voxels_kji].min())


def _maurer(mask: Mask) -> FloatArray:
    image = sitk.GetImageFromArray(mask.voxels_kji.astype(np.uint8))
    image.SetSpacing(mask.grid.spacing_kji_mm[::-1])
    found = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    return np.asarray(sitk.GetArrayFromImage(found), dtype=np.float64)


def distance_by_sitk(first: Mask, second: Mask, _: Phantom) -> float:
    """Return the least value of SimpleITK's signed distance map on the tumour's voxels."""
    return float(_maurer(second)[first.voxels_kji].min())


def calibre(first: Mask, _: Mask, phantom: Phantom) -> float:
    """Return the calibre as `review` measures it; not a number where it tells none."""
    found = calibre_at(first, phantom.at_mm).mm
    return float("nan") if found is None else found


def _near(mask: Mask, phantom: Phantom) -> BoolVoxels:
    kji = np.argwhere(np.ones(mask.grid.shape_kji, dtype=bool))
    gap = np.linalg.norm(mask.grid.lps_mm(kji[:, ::-1]) - phantom.at_mm, axis=1)
    return np.asarray((gap < phantom.true_mm + 2.0).reshape(mask.grid.shape_kji))


def calibre_by_scipy(first: Mask, _: Mask, phantom: Phantom) -> float:
    """Return twice the largest distance of a voxel nearby to the outside."""
    spacing = first.grid.spacing_kji_mm
    depth = ndimage.distance_transform_edt(first.voxels_kji, sampling=spacing)
    return float(2.0 * depth[_near(first, phantom)].max())


def calibre_by_sitk(first: Mask, _: Mask, phantom: Phantom) -> float:
    """Return twice the largest depth nearby in SimpleITK's signed distance map, and the voxel that it is taken from."""
    return float(-2.0 * _maurer(first)[_near(first, phantom)].min() + min(first.grid.spacing_kji_mm))


def contact(first: Mask, second: Mask, phantom: Phantom) -> float:
    """Return the contact's length, so shifted that its truth is that of the phantom; none where it is not told."""
    touch = touch_mm(first.grid.spacing_kji_mm)
    line = centreline_of(second)
    found = None if line is None else contact_along(line, [surface_of(first)], touch, max(first.grid.spacing_kji_mm)).mm
    true = 2.0 * float(np.sqrt((phantom.true_mm + touch) ** 2 - phantom.at_mm[0] ** 2))
    return float("nan") if found is None else found - true + phantom.true_mm


Method = Callable[[Mask, Mask, Phantom], float]
OURS = "ablation-planner"
DISTANCES: dict[str, Method] = {OURS: distance, "scipy": distance_by_scipy, "SimpleITK": distance_by_sitk}
CALIBRES: dict[str, Method] = {OURS: calibre, "scipy": calibre_by_scipy, "SimpleITK": calibre_by_sitk}
THICK: tuple[Spacing, ...] = ((1.0, 1.0, 1.0), (2.5, 0.8, 0.8), (5.0, 0.8, 0.8))
FINE: tuple[Spacing, ...] = ((1.0, 1.0, 1.0), (1.5, 0.7, 0.7), (1.5, 1.5, 1.5))


@dataclass(frozen=True)
class Family:
    """A kind of phantom: what is asked of it, by which methods, on which grids."""

    name: str
    asked: str
    make: Callable[[np.random.Generator], Phantom]
    methods: dict[str, Method]
    grids: tuple[Spacing, ...]
    half_mm: float = HALF_MM


FAMILIES = (
    Family("ball-ball", "distance", ball_ball, DISTANCES, THICK),
    Family("ball-plane", "distance", ball_plane, DISTANCES, THICK),
    Family("ball-cylinder", "distance", ball_cylinder, DISTANCES, THICK),
    Family("balls overlap", "distance", overlapping_balls, DISTANCES, THICK),
    Family("tube", "calibre", tube, CALIBRES, FINE, TUBE_HALF_MM),
    Family("tube along grid", "calibre", tube_along_grid, CALIBRES, FINE, TUBE_HALF_MM),
    Family("ball on tube", "contact", touched_tube, {OURS: contact}, THICK, TUBE_HALF_MM),
)


def bench(family: Family, spacing: Spacing, seed: int, cases: int) -> list[dict[str, object]]:
    """Return a row per method: errors over the cases of a family on one grid."""
    errors: dict[str, list[float]] = {name: [] for name in family.methods}
    cpu = dict.fromkeys(family.methods, 0.0)
    for case in range(cases):
        rng = np.random.default_rng([seed, case, [f.name for f in FAMILIES].index(family.name)])
        phantom, offset = family.make(rng), rng.uniform(-0.5, 0.5, 3)
        masks = []
        for inside in (phantom.first, phantom.second):
            voxels, affine = voxelised(inside, family.half_mm, spacing, offset)
            masks.append(Mask(voxels, Grid(voxels.shape, affine), "phantom"))
        for name, method in family.methods.items():
            start = time.process_time()
            errors[name].append(method(*masks, phantom) - phantom.true_mm)
            cpu[name] += time.process_time() - start
    return [
        {"phantom": family.name, "asked": family.asked, "grid_mm": "x".join(f"{s:g}" for s in spacing[::-1]),
         "method": name, **_summary(np.asarray(values)), "half_slice_mm": max(spacing) / 2, "cpu_s": cpu[name] / cases}
        for name, values in errors.items()
    ]  # fmt: skip


def _summary(error: FloatArray) -> dict[str, float]:
    known = error[np.isfinite(error)]
    if not len(known):
        return {"known": 0, "bias_mm": float("nan"), "sd_mm": float("nan"), "max_over_mm": float("nan"),
                "max_abs_mm": float("nan")}  # fmt: skip
    return {"known": len(known), "bias_mm": float(known.mean()), "sd_mm": float(known.std()),
            "max_over_mm": float(max(0.0, known.max())), "max_abs_mm": float(np.abs(known).max())}  # fmt: skip


def _is_nan(value: object) -> bool:
    """Return whether a value is one that JSON cannot hold."""
    return isinstance(value, float) and math.isnan(value)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=6000)
    parser.add_argument("--cases", type=int, default=25, help="phantoms of each kind on each grid")
    parser.add_argument("--only", nargs="+", choices=[f.name for f in FAMILIES], help="kinds of phantoms")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = [family for family in FAMILIES if not options.only or family.name in options.only]
    head = ("phantom", "asked", "grid_mm", "method", "known", "bias_mm", "sd_mm", "max_over_mm", "max_abs_mm",
            "half_slice_mm", "cpu_s")  # fmt: skip
    print("{:15} {:8} {:11} {:16} {:>5} {:>7} {:>6} {:>11} {:>10} {:>13} {:>6}".format(*head))
    rows = []
    for family in chosen:
        for grid in family.grids:
            for row in bench(family, grid, options.seed, options.cases):
                rows.append(row)
                print("{:15} {:8} {:11} {:16} {:5d} {:7.3f} {:6.3f} {:11.3f} {:10.3f} {:13.2f} {:6.3f}".format(
                    *(row[name] for name in head)))  # fmt: skip
    if options.json:
        plain = [{name: None if _is_nan(value) else value for name, value in row.items()} for row in rows]
        document = {"seed": options.seed, "cases": options.cases, "rows": plain}
        options.json.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
