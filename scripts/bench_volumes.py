#!/usr/bin/env python3
"""Liver remnant and ablated share on analytic livers: ours, voxel counts and marching cubes, against the truth.

Livers are balls, ellipsoids and unions of two balls of 0.7 to 1.8 l, their masks with or without the tumours in them;
two tumours (balls), a zone over each (one of them may cross the capsule) and a third beside one of these. PRE and POST
lie on lattices of their own, at random sub-voxel offsets, related by a known rigid motion. Report on any seed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes

from planner.case import Case, Study
from planner.findings import ABLATED_PERCENT, FUNCTIONING_ML, LIVER_ML, REMNANT_ML
from planner.grid import FloatArray, Grid
from planner.register.alignment import Alignment, SpatialMap
from planner.remnant import liver_findings
from planner.scene import make_scene, zone_surfaces
from planner.volume import BoolVoxels, Mask, Volume

FAMILIES = ("ball", "ellipsoid", "union")
QUANTITIES = (LIVER_ML.name, FUNCTIONING_ML.name, REMNANT_ML.name, ABLATED_PERCENT.name)
ROOM_MM = 12.0


@dataclass(frozen=True)
class Ball:
    """A ball, in PRE, mm."""

    centre: FloatArray
    radius: float

    @property
    def ml(self) -> float:
        return 4.0 / 3.0 * np.pi * self.radius**3 / 1000.0

    def inside(self, points: FloatArray) -> BoolVoxels:
        return np.asarray(((points - self.centre) ** 2).sum(axis=-1) <= self.radius**2)


@dataclass(frozen=True)
class Patient:
    """A liver (semi-axes about a centre: a ball has equal ones), tumours, zones, and their true volumes."""

    parts: tuple[tuple[FloatArray, FloatArray], ...]
    tumours: tuple[Ball, ...]
    zones: tuple[Ball, ...]
    liver_ml: float
    functioning_ml: float
    remnant_ml: float
    ablated_ml: float

    def liver(self, points: FloatArray) -> BoolVoxels:
        return np.any([(((points - c) / a) ** 2).sum(axis=-1) <= 1.0 for c, a in self.parts], axis=0)

    @property
    def truth(self) -> dict[str, float]:
        share = 100.0 * self.ablated_ml / self.liver_ml
        return dict(zip(QUANTITIES, (self.liver_ml, self.functioning_ml, self.remnant_ml, share), strict=True))


def lens_ml(a: Ball, b: Ball) -> float:
    """Return the volume common to two balls, ml."""
    d, r, s = float(np.linalg.norm(a.centre - b.centre)), a.radius, b.radius
    if d >= r + s:
        return 0.0
    if d <= abs(r - s):
        return min(a.ml, b.ml)
    return np.pi * (r + s - d) ** 2 * (d * d + 2 * d * (r + s) - 3 * (r - s) ** 2) / (12 * d) / 1000.0


def direction(rng: np.random.Generator) -> FloatArray:
    axis = rng.normal(size=3)
    return np.asarray(axis / np.linalg.norm(axis))


def make_patient(family: str, rng: np.random.Generator, zone_mm: tuple[float, float] = (14.0, 22.0)) -> Patient:
    """Return a patient whose volumes are known in closed form."""
    radius = rng.uniform(62.0, 70.0)
    whole = Ball(np.zeros(3), radius)
    axes = radius * np.ones(3) if family != "ellipsoid" else rng.uniform(62.0, 80.0, 3)
    parts, liver_ml = [(np.zeros(3), axes)], 4.0 / 3.0 * np.pi * float(np.prod(axes)) / 1000.0
    along = direction(rng)
    if family == "union":
        other = Ball(rng.uniform(40.0, 60.0) * along, rng.uniform(45.0, 55.0))
        parts.append((other.centre, other.radius * np.ones(3)))
        liver_ml += other.ml - lens_ml(whole, other)
    side = np.cross(along, direction(rng))
    side /= np.linalg.norm(side)
    first = Ball(24.0 * side + rng.uniform(-2, 2, 3), rng.uniform(6.0, 11.0))
    second = Ball(-28.0 * side + rng.uniform(-2, 2, 3), rng.uniform(6.0, 14.0))
    one = Ball(first.centre + rng.uniform(0, 6) * direction(rng), rng.uniform(*zone_mm))
    two = Ball(second.centre + rng.uniform(0, 9) * direction(rng), rng.uniform(*zone_mm))
    ablated_ml, zones = one.ml + two.ml, [one, two]
    held_ml = one.ml - lens_ml(one, first) + two.ml - lens_ml(two, second)
    if family == "ball":  # a third one, which crosses the capsule, away from the others
        three = Ball((radius - rng.uniform(0, 10)) * np.cross(along, side), rng.uniform(*zone_mm))
        zones.append(three)
        ablated_ml, held_ml = ablated_ml + three.ml, held_ml + lens_ml(three, whole)
    functioning_ml = liver_ml - first.ml - second.ml
    return Patient(
        tuple(parts), (first, second), tuple(zones), liver_ml, functioning_ml, functioning_ml - held_ml, ablated_ml
    )


def lattice(low: FloatArray, high: FloatArray, spacing_kji: Sequence[float], offset: FloatArray) -> Grid:
    """Return a lattice over a box with some room around it, shifted by a share of a voxel."""
    spacing = np.asarray(spacing_kji)[::-1]
    counts = np.ceil((high - low + 2 * ROOM_MM) / spacing).astype(int) + 1
    k, j, i = (int(n) for n in counts[::-1])
    return Grid.axis_aligned((k, j, i), tuple(float(s) for s in spacing_kji), low - ROOM_MM + offset * spacing)


def drawn(inside: Callable[[FloatArray], BoolVoxels], grid: Grid, name: str) -> Mask:
    """Return a mask, made slice by slice."""
    k, j, i = grid.shape_kji
    slices = []
    for n in range(k):
        ijk = np.stack([*np.meshgrid(np.arange(j), np.arange(i), indexing="ij")[::-1], np.full((j, i), n)], axis=-1)
        slices.append(inside(grid.lps_mm(ijk.reshape(-1, 3))).reshape(j, i))
    return Mask(np.stack(slices), grid, name)


def make_case(patient: Patient, spacing: Sequence[float], rng: np.random.Generator) -> tuple[Case, Alignment]:
    """Return the patient as two studies, the liver drawn with its tumours or without, and the motion between them."""
    post_from_pre = np.eye(4)
    post_from_pre[:3, :3] = Rotation.from_rotvec(rng.uniform(-0.15, 0.15, 3)).as_matrix()
    post_from_pre[:3, 3] = rng.uniform(-20, 20, 3)
    low = np.min([c - a for c, a in patient.parts], axis=0)
    high = np.max([c + a for c, a in patient.parts], axis=0)
    there = lattice(low, high, spacing, rng.uniform(-0.5, 0.5, 3))
    moved = [Ball(post_from_pre[:3, :3] @ z.centre + post_from_pre[:3, 3], z.radius) for z in patient.zones]
    ends = np.array([z.centre + s * z.radius for z in moved for s in (-1, 1)])
    here = lattice(ends.min(axis=0), ends.max(axis=0), spacing, rng.uniform(-0.5, 0.5, 3))
    left_out = rng.random() < 0.5
    pre = {f"tumour_{n}": drawn(t.inside, there, f"tumour_{n}") for n, t in enumerate(patient.tumours, start=1)}
    liver = drawn(patient.liver, there, "liver").voxels_kji
    tumours = np.any([mask.voxels_kji for mask in pre.values()], axis=0)
    pre["liver"] = Mask(liver & ~tumours if left_out else liver, there, "liver")
    post = {f"ablation_{n}": drawn(z.inside, here, f"ablation_{n}") for n, z in enumerate(moved, start=1)}
    images = [Volume(np.zeros(grid.shape_kji, dtype=np.float32), grid, "CT") for grid in (there, here)]
    known = SpatialMap(np.linalg.inv(post_from_pre))
    return Case("a", "a", Study(images[0], pre), Study(images[1], post)), Alignment("rigid", known, known)


def ours(case: Case, alignment: Alignment) -> dict[str, float]:
    """Return the volumes as `review` measures them."""
    scene = make_scene(case, alignment, zone_surfaces(case.post))
    start = time.process_time()
    found = {f.quantity.name: float(f.value or 0.0) for f in liver_findings(case, scene, alignment) if f.value}
    return found | {"cpu_s": time.process_time() - start}


def by_voxels(case: Case, alignment: Alignment, volume: Callable[[BoolVoxels, Grid], float]) -> dict[str, float]:
    """Return them from masks: zones resampled to PRE, sets of voxels, and the volume of a set."""
    start, grid = time.process_time(), case.pre.image.grid
    tumours = np.any([mask.voxels_kji for mask in case.pre.tumours.values()], axis=0)
    liver = case.pre.masks["liver"].voxels_kji | tumours
    zones = np.any([mask.voxels_kji for mask in case.post.ablations.values()], axis=0)
    centres = grid.lps_mm(np.argwhere(liver)[:, ::-1])
    ijk = np.rint(case.post.image.grid.ijk(alignment.map.post_from_pre(centres))).astype(int)
    within = ((ijk >= 0) & (ijk < np.asarray(zones.shape[::-1]))).all(axis=1)
    gone = np.zeros(len(ijk), dtype=bool)
    gone[within] = zones[tuple(ijk[within].T[::-1])]
    left = liver & ~tumours
    left[liver] &= ~gone
    liver_ml = volume(liver, grid)
    values = (
        liver_ml, volume(liver & ~tumours, grid), volume(left, grid),
        100.0 * volume(zones, case.post.image.grid) / liver_ml,
    )  # fmt: skip
    return dict(zip(QUANTITIES, values, strict=True)) | {"cpu_s": time.process_time() - start}


def counted_ml(voxels: BoolVoxels, grid: Grid) -> float:
    return float(np.count_nonzero(voxels)) * grid.voxel_mm3 / 1000.0


def meshed_ml(voxels: BoolVoxels, grid: Grid) -> float:
    """Return the volume within marching cubes of the mask at one half."""
    vertices, faces, _, _ = marching_cubes(np.pad(voxels, 1).astype(np.float32), 0.5, spacing=grid.spacing_kji_mm)
    a, b, c = (vertices[faces[:, n]].astype(np.float64) for n in range(3))
    return abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6.0 / 1000.0


METHODS: dict[str, Callable[[Case, Alignment], dict[str, float]]] = {
    "ablation-planner": ours,
    "voxel count": lambda case, alignment: by_voxels(case, alignment, counted_ml),
    "marching cubes": lambda case, alignment: by_voxels(case, alignment, meshed_ml),
}


def bench(spacing: tuple[float, float, float], family: str, seed: int, cases: int) -> list[dict[str, object]]:
    """Return a row per method and quantity: relative errors in percent over `cases` patients of a kind."""
    errors: dict[tuple[str, str], list[float]] = {(name, of): [] for name in METHODS for of in QUANTITIES}
    cpu = dict.fromkeys(METHODS, 0.0)
    for number in range(cases):
        rng = np.random.default_rng([seed, number, FAMILIES.index(family)])
        patient = make_patient(family, rng)
        case, alignment = make_case(patient, spacing, rng)
        for name, method in METHODS.items():
            found = method(case, alignment)
            cpu[name] += found["cpu_s"]
            for of, truth in patient.truth.items():
                errors[name, of].append(100.0 * (found[of] / truth - 1.0))
    return [
        {
            "liver": family, "grid_mm": "x".join(f"{s:g}" for s in spacing[::-1]), "quantity": of, "method": name,
            "bias_percent": float(np.mean(values)), "p95_abs_percent": float(np.percentile(np.abs(values), 95)),
            "max_abs_percent": float(np.abs(values).max()), "cpu_s": cpu[name] / cases,
        }
        for (name, of), values in errors.items()
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7500)
    parser.add_argument("--cases", type=int, default=8, help="patients of each kind on each grid")
    parser.add_argument("--grids", nargs="+", default=["0.8x0.8x1", "0.8x0.8x2.5", "0.8x0.8x5"], help="x by y by z, mm")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    grids = [tuple(map(float, text.split("x")[::-1])) for text in options.grids]
    rows = [row for g in grids for family in options.families for row in bench(g, family, options.seed, options.cases)]
    head = ("liver", "grid_mm", "quantity", "method", "bias_percent", "p95_abs_percent", "max_abs_percent", "cpu_s")
    print("{:10} {:12} {:36} {:17} {:>12} {:>15} {:>15} {:>6}".format(*head))
    for row in rows:
        print("{:10} {:12} {:36} {:17} {:12.3f} {:15.3f} {:15.3f} {:6.2f}".format(*(row[name] for name in head)))
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
