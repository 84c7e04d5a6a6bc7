#!/usr/bin/env python3
"""How far registrations are off, on post-ablation studies made with a known motion; ours and others, same cases.

Cases (scripts/known_motion.py) are made of synthetic patients' PRE, of the seeds, and with --real of the unenhanced
3 mm CT of the test data (ABLATION_TEST_DATA, else ../shared/data). Target registration error (TRE) in the ring (liver
5-30 mm from the zone), at the tumour's surface, in all of the liver; what becomes of the minimal margin; overlap of the
liver masks; share of the liver where the map folds; CPU and memory. Of the margin's error, of_contraction is what the
true motion without the zone's contraction gets wrong (no scan shows that part), besides what is left without it. All
peers start from our rigid motion and see the same working images. Settings were chosen on seeds below 1000.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from bench_margin import show
from known_motion import Look, Made, NoSiteError, Source, Wanted, make_after
from registration_peers import Pair, bspline, bspline_information, demons, elastix, timed
from scipy.spatial import cKDTree

from pipelines.sample import Patient, make_patient
from pipelines.sample.palettes import PALETTES, Palette
from pipelines.sample.rendering import render
from planner.errors import InputError
from planner.grid import FloatArray, Grid
from planner.register.align import register
from planner.register.alignment import SpatialMap
from planner.register.prepare import Working, metric_region, working_scan
from planner.register.quality import moved_onto
from planner.register.settings import RegistrationSettings
from planner.surface import surface_of
from planner.volume import Mask, Volume

OURS = "ablation-planner"
SLICES_MM = (1.0, 1.5, 2.0, 3.0, 5.0)
IN_PLANE_MM = 1.6
SOURCE_KJI_MM = (1.5, 1.3, 1.3)
REAL_KJI_MM = ((3.0, 3.0, 3.0), (5.0, 2.7, 2.7))
RING_MM = (5.0, 30.0)
TUMOUR_POINTS = 600
FULL_KJI = (150, 512, 512)
CUT_EVERY = 4
"""Every so manieth case lacks a tenth to two fifths of the liver at one end."""

WORSE_MM = 0.5


@dataclass(frozen=True)
class Task:
    """One case: of which source, and who takes part."""

    source: str
    seed: int
    away_mm: float
    turned_deg: float
    missing: float | None
    elastix: str
    peers: bool
    full: bool
    contrasts: tuple[str, str] = ("CT", "CT")


def source_of(task: Task) -> Source:
    """Return the scan that the two studies of a case are made of; a synthetic patient's in both contrasts."""
    if task.source == "sample":
        patient = replace(make_patient(task.seed), lesions=())
        (pre, liver), (post, _) = (rendered(patient, PALETTES[name]) for name in task.contrasts)
        if task.contrasts == ("CT", "CT"):
            return Source(pre, liver)
        looks = [Look.of(PALETTES[name]) for name in task.contrasts]
        return Source(pre, liver, looks[0], post, looks[1])
    folder = real_folder()
    return Source(
        Volume(*read(folder / "image.nii.gz"), "CT"),
        Mask(read(folder / "segmentations" / "liver.nii.gz")[0] > 0, read(folder / "image.nii.gz")[1], "liver"),
    )


def rendered(patient: Patient, palette: Palette) -> tuple[Volume, Mask]:
    """Return a patient before ablation in a contrast, without noise, and the liver."""
    image, affine, masks = render(patient, "pre", SOURCE_KJI_MM, palette=palette, noisy=False)
    grid = Grid(image.shape, affine)
    return Volume(image, grid, palette.modality), Mask(masks["liver"], grid, "liver")


def real_folder() -> Path:
    """Return where the real CT lies."""
    data = os.environ.get("ABLATION_TEST_DATA") or str(Path(__file__).resolve().parents[2] / "shared" / "data")
    return Path(data) / "totalseg_ct_3mm"


def read(path: Path) -> tuple[FloatArray, Grid]:
    """Return voxels and lattice of a NIfTI file; axis-aligned, turned so that the axes run along +L, +P, +S."""
    image = sitk.DICOMOrient(sitk.ReadImage(str(path)), "LPS")
    voxels = sitk.GetArrayFromImage(image)
    return voxels, Grid.axis_aligned(voxels.shape, tuple(image.GetSpacing()[::-1]), image.GetOrigin())


def wanted_of(task: Task) -> Wanted:
    """Return what the studies of a case are like: slices of 1 to 5 mm, now and then a part of the liver missing."""
    rng = np.random.default_rng([task.seed, 8])
    missing = float(rng.uniform(0.1, 0.4) * rng.choice([-1.0, 1.0])) if task.seed % CUT_EVERY == 0 else 0.0
    if task.missing is not None:
        missing = task.missing
    if task.source == "sample":
        before, after = ((float(rng.choice(SLICES_MM)), IN_PLANE_MM, IN_PLANE_MM) for _ in range(2))
    else:
        before, after = (REAL_KJI_MM[int(n)] for n in rng.integers(0, 2, 2))
    return Wanted(before, after, missing, task.away_mm, task.turned_deg, FULL_KJI if task.full else None)


def measure(task: Task) -> list[dict[str, Any]]:
    """Return a row per method; none where the liver that both studies show has no room for a lesion."""
    try:
        made = make_after(source_of(task), task.seed, wanted_of(task))
    except NoSiteError:
        return []
    zones = {"1": surface_of(made.post.lesions["1"])}
    settings = RegistrationSettings()
    before_mb = resident_mb("VmRSS", reset=True)
    start = time.process_time()
    found = register(made.pre, made.post, zones, settings)
    seconds = time.process_time() - start
    memory_mb = resident_mb("VmHWM") - before_mb
    post, pre = working_scan(made.post, settings, "POST"), working_scan(made.pre, settings, "PRE")
    base = {"source": task.source, "seed": task.seed, "contraction": made.contraction, "kind": found.kind,
            "predicted_mm": found.error_at_zone_mm["1"]}  # fmt: skip
    judge = Judge.of(made, post, pre)
    rows = [base | {"method": OURS, "cpu_s": seconds, "memory_mb": memory_mb} | judge.errors(found.map)]
    rows.append(base | {"method": "rigid (ours)", "cpu_s": float("nan")} | judge.errors(found.rigid))
    if not task.peers:
        return rows
    moved = moved_onto(pre.image, pre.grid, post.grid, found.rigid, 1).astype(np.float32)
    seen = moved_onto(pre.seen, pre.grid, post.grid, found.rigid, 0) > 0.5
    pair = Pair(post, moved, metric_region(post, settings) & seen)
    peers = {
        "SimpleITK demons": demons,
        "SimpleITK B-spline, correlation": bspline,
        "SimpleITK B-spline, information": bspline_information,
    }
    if task.elastix:
        peers["itk-elastix"] = elastix(Path(task.elastix))
    for name, method in peers.items():
        mapping, cpu_s = timed(method, pair, found.rigid)
        rows.append(base | {"method": name, "cpu_s": cpu_s} | judge.errors(mapping))
    return rows


def resident_mb(field: str, *, reset: bool = False) -> float:
    """Return this process's memory now ("VmRSS") or at most since the last reset ("VmHWM"), MB; NaN but on Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return float(line.split()[1]) / 1024.0


@dataclass(frozen=True, eq=False)
class Judge:
    """The truth of one case, and what a map is held against."""

    made: Made
    post: Working
    pre: Working
    ring_mm: tuple[FloatArray, FloatArray]
    liver_mm: tuple[FloatArray, FloatArray]
    tumour_mm: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, made: Made, post: Working, pre: Working) -> Judge:
        """Return the points of PRE and POST that correspond: ring, liver, tumour."""
        before = made.liver_mm
        after = made.motion.post_from_pre(before)
        both = made.post.image.grid.contains(after) & made.pre.image.grid.contains(before)
        before, after = before[both], after[both]
        near = made.motion.near(after)
        gap = cKDTree(made.zone.samples(TUMOUR_POINTS).points_mm).query(near)[0]
        ring = (gap >= RING_MM[0]) & (gap <= RING_MM[1]) & ~made.zone.inside(near)
        tumour = made.tumour.samples(TUMOUR_POINTS).points_mm
        return cls(
            made, post, pre, (before[ring], after[ring]), (before, after), (tumour, made.motion.post_from_pre(tumour))
        )

    def errors(self, found: SpatialMap) -> dict[str, Any]:
        """Return how far a map is off, mm."""
        ring, liver = (lengths(found.pre_from_post(at) - to) for to, at in (self.ring_mm, self.liver_mm))
        try:
            moved = found.post_from_pre(self.tumour_mm[0])
        except InputError:
            moved = np.full_like(self.tumour_mm[0], np.nan)
        tumour = lengths(moved - self.tumour_mm[1])
        truth = self.made.margin_mm(self.tumour_mm[1])
        uncontracted = self.made.margin_mm(self.made.motion.uncontracted().post_from_pre(self.tumour_mm[0]))
        margin = self.made.margin_mm(moved) if np.isfinite(moved).all() else float("nan")
        return {
            "ring_mm": float(ring.mean()), "ring_p95_mm": float(np.percentile(ring, 95)),
            "tumour_mm": float(tumour.mean()), "tumour_max_mm": float(tumour.max()), "liver_mm": float(liver.mean()),
            "margin_mm": truth, "margin_error_mm": margin - truth,
            "of_contraction_mm": uncontracted - truth,
            "dice": self.dice(found), "folds": folded(found, self.post),
        }  # fmt: skip

    def dice(self, found: SpatialMap) -> float:
        """Return the overlap of the liver masks."""
        if self.post.liver is None or self.pre.liver is None:
            return float("nan")
        moved = moved_onto(self.pre.liver, self.pre.grid, self.post.grid, found, 0) > 0.5
        return float(2.0 * (moved & self.post.liver).sum() / (moved.sum() + self.post.liver.sum()))


def lengths(vectors: FloatArray) -> FloatArray:
    """Return the lengths of vectors, shape (n,)."""
    return np.asarray(np.linalg.norm(vectors, axis=1))


def folded(found: SpatialMap, post: Working) -> float:
    """Return the share of the liver where the map turns space inside out."""
    if found.displacement is None or post.liver is None:
        return 0.0
    vectors, grid = found.displacement.vectors_mm.astype(np.float64), found.displacement.grid
    slopes = [np.gradient(vectors[..., c], *grid.spacing_kji_mm)[::-1] for c in range(3)]
    jacobian = np.stack([np.stack(row, axis=-1) for row in slopes], axis=-2) + np.eye(3)
    at = np.rint(grid.ijk(post.grid.lps_mm(np.argwhere(post.liver)[:, ::-1]))).astype(int)[:, ::-1]
    return float((np.linalg.det(jacobian[tuple(at.T)]) <= 0.0).mean())


def table(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Return the pooled figures of each method on the cases of one source."""
    found = []
    own = [row for row in rows if row["source"] == source]
    rigid = {row["seed"]: row["tumour_mm"] for row in own if row["method"] == "rigid (ours)"}
    for method in dict.fromkeys(row["method"] for row in own):
        some = [row for row in own if row["method"] == method]
        error = np.abs([row["margin_error_mm"] for row in some])
        besides = np.abs([row["margin_error_mm"] - row["of_contraction_mm"] for row in some])
        found.append({
            "source": source, "method": method, "cases": len(some),
            **{name: float(np.mean([row[name] for row in some])) for name in
               ("ring_mm", "ring_p95_mm", "tumour_mm", "liver_mm")},
            "tumour_max_mm": float(np.max([row["tumour_max_mm"] for row in some])),
            "margin_median_mm": float(np.median(error)), "margin_p95_mm": float(np.percentile(error, 95)),
            "margin_bias_mm": float(np.mean([row["margin_error_mm"] for row in some])),
            "of_contraction_mm": float(np.mean([row["of_contraction_mm"] for row in some])),
            "besides_median_mm": float(np.median(besides)), "besides_p95_mm": float(np.percentile(besides, 95)),
            "worse_than_rigid": sum(row["tumour_mm"] > rigid[row["seed"]] + WORSE_MM for row in some),
            "dice": float(np.mean([row["dice"] for row in some])),
            "folds": float(np.max([row["folds"] for row in some])),
            "cpu_s": float(np.mean([row["cpu_s"] for row in some])),
            "memory_mb": float(np.max([row.get("memory_mb", np.nan) for row in some])),
        })  # fmt: skip
    return found


def tasks_of(options: argparse.Namespace) -> list[Task]:
    """Return the tasks."""
    counts = {"sample": options.cases, "real": options.real}
    return [
        Task(
            source,
            seed,
            options.away,
            options.turned,
            options.missing,
            options.elastix,
            not options.no_peers,
            options.full,
        )
        for source, count in counts.items()
        for seed in range(options.seed, options.seed + count)
    ]


def main() -> None:
    """Make, register and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2000, help="first seed")
    parser.add_argument("--cases", type=int, default=24, help="cases of synthetic patients")
    parser.add_argument("--real", type=int, default=0, help="cases of the real CT")
    parser.add_argument("--away", type=float, default=0.0, help="how far apart the two frames lie, mm")
    parser.add_argument("--turned", type=float, default=0.0, help="by how much they are turned, degrees")
    parser.add_argument("--missing", type=float, help="share of the liver that POST lacks at its top (-: bottom)")
    parser.add_argument("--elastix", default="", metavar="PYTHON", help="Python of an environment with itk-elastix")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--full", action="store_true", help="scans of 512 x 512 x 150 voxels, for CPU and memory")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.real and not real_folder().is_dir():
        parser.error("--real: the test data are not here; set ABLATION_TEST_DATA")
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        tasks = tasks_of(options)
        found = list(pool.map(measure, tasks))
    rows = [row for some in found for row in some]
    left_out = [f"{task.source} {task.seed}" for task, some in zip(tasks, found, strict=True) if not some]
    print(f"seeds from {options.seed}; mm, means over cases; margin: |error|; + bias reads high")
    if not options.elastix and not options.no_peers:
        print("itk-elastix is left out: give the Python of an environment that has it by --elastix")
    if left_out:
        print(f"left out, no room for a lesion in the liver that both scans show: {', '.join(left_out)}")
    tables = [row for source in ("sample", "real") for row in table(rows, source)]
    show(tables)
    if options.json:
        document = {"seed": options.seed, "left_out": left_out, "table": tables, "rows": rows}
        options.json.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
