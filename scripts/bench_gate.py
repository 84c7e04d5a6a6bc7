#!/usr/bin/env python3
"""Whether the registration knows when it is wrong: outcomes of varied quality, and what the gate says of each.

Cases as in bench_registration.py, eleven outcomes of each. Every deformation is the one that `register` makes of a
rigid start, and falls back to that as there; the other starts that a review tries after a failure are not. The
registration as it is, and from starts 3 and 8 to 14 mm off; four that miss by some millimetres (rigid alone; rigid and
3 to 7 mm off; rigid and turned by 3 to 7 degrees; stiff from a start 4 to 8 mm off); four of seven that are sabotaged
(another patient's PRE: the real CT, or a synthetic one for that; a start 30 mm off; PRE mirrored; POST's liver mask
cut; PRE's liver mask 45 mm off; waves of 15 mm added; no smoothness). TRE: mean distance at the tumour's surface, or in
the ring 5 to 30 mm around the zone. Above 5 mm the gate should fail (or the review refuse the pair), above 3 mm also a
warning counts. The margin's 95 % interval is made as a review makes it, with the predicted error, from masks drawn with
contour errors of the assumed size. Intervals of shares are Wilson's, 95 %. With --fit the coefficients of
planner/register/gate.py are fitted to the outcomes. They and the thresholds were set on the synthetic patients of seeds
320 to 332, 3000 to 3012, 3100 to 3112 and 3300 to 3312, and the real CT of 3000 to 3002, 3100 to 3102 and 3300 to 3302.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from bench_margin import show
from bench_registration import Judge, Task, lengths, real_folder, source_of, wanted_of
from gate_margins import margin_by, true_margin_mm
from known_motion import Made, NoSiteError, make_after
from scipy.optimize import lsq_linear
from scipy.spatial.transform import Rotation

from planner.errors import InputError
from planner.grid import FloatArray
from planner.register.alignment import Alignment, Check, Displacement, SpatialMap
from planner.register.compared import Compared, compared_by, intensities
from planner.register.deformable import LEVELS, LIVER, QUICK, Prior
from planner.register.deformed import Deformed
from planner.register.gate import MOST_MM, OFFSET_MM, Predicted, Seen, gate_checks
from planner.register.mirrored import require_not_mirrored
from planner.register.panel import Panel
from planner.register.prepare import Scan, Working, is_ct, metric_region, working_scan
from planner.register.quality import shared_view_check
from planner.register.rigid import rigid_pre_from_post
from planner.register.settings import RegistrationSettings
from planner.register.threads import one_thread
from planner.surface import surface_of
from planner.volume import BoolVoxels, Mask, Volume

SETTINGS = RegistrationSettings()
GOOD = ("ours", "jittered", "moved_far")
NATURAL = ("rigid", "moved", "turned", "under")
SABOTAGE = ("wrong_patient", "offset_30", "flipped", "cropped_liver", "wrong_mask", "huge", "overfitted")
STIFF = replace(LIVER, bending=1e5 * LIVER.bending)
"""Hardly more than the start's own rigid motion is left."""

PASSED, FLAGGED = ("pass", "warn"), ("fail", "refused")
"""What a review makes of an outcome: a margin, or none."""

SABOTAGES = 4
"""So many of the seven in each case, in turn."""

OTHER_SEED = 50_000
FAR_MM = 12.0
"""Outcomes farther off than this are not fitted to: what matters is the error of those that pass."""

LEAST = 0.2
"""No factor may be less: an answer that lies far away is heard whatever the others say."""

FITTED = (3.5, 96.5)
"""Percentiles of the ratios: 90 % of those that pass lay between them, each judged by a fit to other cases."""

Z95 = 1.959964


@dataclass(frozen=True, eq=False)
class Setup:
    """Two working studies and a rigid start; whether a review would refuse them before the gate."""

    post: Working
    pre: Working
    region: BoolVoxels
    rigid: FloatArray
    compared: Compared
    refused: bool = False

    @classmethod
    def of(cls, post: Scan, pre: Scan) -> Setup:
        """Return what the rigid step makes of two scans."""
        fixed, moving = working_scan(post, SETTINGS, "POST"), working_scan(pre, SETTINGS, "PRE")
        region = metric_region(fixed, SETTINGS)
        compared = compared_by(both_ct=is_ct(pre.image) and is_ct(post.image))
        rigid = rigid_pre_from_post(fixed, moving, region, SETTINGS, same_frame=False, compared=compared)
        return cls(fixed, moving, region, rigid, compared)

    def deformed(self, matrix: FloatArray, prior: Prior = LIVER) -> SpatialMap:
        """Return what `register` makes of a rigid motion: the deformation, or the motion where that is no closer."""
        rigid, levels = SpatialMap(matrix), LEVELS if self.compared is intensities else QUICK
        found = Deformed.of(self.post, self.pre, rigid, self.region, prior, levels, self.compared)
        return rigid if found is None else found.used


def nudged(matrix: FloatArray, middle: FloatArray, rng: np.random.Generator, mm: float, degrees: float) -> FloatArray:
    """Return a rigid map that first moves POST by so much about its middle."""
    way, axis = rng.normal(size=3), rng.normal(size=3)
    off = np.eye(4)
    off[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    off[:3, 3] = middle - off[:3, :3] @ middle + mm * way / np.linalg.norm(way)
    return np.asarray(matrix @ off)


def mirrored(scan: Scan) -> tuple[Scan, Callable[[FloatArray], FloatArray]]:
    """Return a scan whose rows were stored the wrong way round, and where its points went."""
    grid = scan.image.grid
    middle = grid.corners_lps_mm().mean(axis=0)

    def moved(points: FloatArray) -> FloatArray:
        out = np.array(points)
        out[:, 0] = 2.0 * middle[0] - out[:, 0]
        return out

    image = Volume(scan.image.voxels_kji[:, :, ::-1].copy(), grid, scan.image.modality)
    liver = None if scan.liver is None else Mask(scan.liver.voxels_kji[:, :, ::-1].copy(), grid, "liver")
    lesions = {k: Mask(m.voxels_kji[:, :, ::-1].copy(), grid, m.name) for k, m in scan.lesions.items()}
    return Scan(image, liver, lesions), moved


def liver_of(scan: Scan) -> Mask:
    """Return the liver, which every made study has."""
    if scan.liver is None:
        raise ValueError("a study without a liver mask")
    return scan.liver


def cropped(scan: Scan, rng: np.random.Generator) -> Scan:
    """Return a scan whose liver mask ends at 45 % of its height."""
    liver = liver_of(scan)
    voxels = np.array(liver.voxels_kji)
    held = np.flatnonzero(voxels.any(axis=(1, 2)))
    cut = int(held[0] + 0.45 * (held[-1] - held[0]))
    if rng.random() < 0.5:
        voxels[cut:] = False
    else:
        voxels[: int(held[-1] - 0.45 * (held[-1] - held[0]))] = False
    return replace(scan, liver=Mask(voxels, liver.grid, "liver"))


def shifted(scan: Scan, rng: np.random.Generator) -> Scan:
    """Return a scan whose liver mask lies 45 mm off."""
    liver = liver_of(scan)
    way = rng.normal(size=3)
    step = np.rint(45.0 * way / np.linalg.norm(way) / np.asarray(liver.grid.spacing_kji_mm)).astype(int)
    voxels = np.zeros_like(liver.voxels_kji)
    kji = np.argwhere(liver.voxels_kji) + step
    kji = kji[((kji >= 0) & (kji < voxels.shape)).all(axis=1)]
    voxels[tuple(kji.T)] = True
    return replace(scan, liver=Mask(voxels, liver.grid, "liver"))


def waved(found: SpatialMap, rng: np.random.Generator) -> SpatialMap:
    """Return a map with waves of 15 mm on top."""
    if found.displacement is None:
        return found
    grid = found.displacement.grid
    kji = np.indices(grid.shape_kji).reshape(3, -1)
    points = grid.lps_mm(kji[::-1].T)
    extra = np.zeros_like(points)
    for axis in range(3):
        vector = rng.normal(size=3)
        vector *= 2.0 * np.pi / (120.0 * np.linalg.norm(vector))
        extra[:, axis] = 15.0 * np.sin(points @ vector + rng.uniform(0, 6.28))
    vectors = found.displacement.vectors_mm + extra.reshape(*grid.shape_kji, 3).astype(np.float32)
    return SpatialMap(found.rigid_pre_from_post, Displacement(vectors, grid))


Judged = tuple[Setup, SpatialMap, Callable[[FloatArray], FloatArray] | None]
"""What was registered, the map, and where PRE's points went (None: they are another patient's)."""


def unmoved(points: FloatArray) -> FloatArray:
    """Return the points."""
    return points


def outcome(name: str, made: Made, setup: Setup, task: Task, rng: np.random.Generator) -> Judged:
    """Return one outcome of a case."""
    if name in ("wrong_patient", "flipped", "cropped_liver", "wrong_mask"):
        return of_broken_input(name, made, task, rng)
    matrix, middle = setup.rigid, setup.post.middle_lps_mm

    def off(mm: float, degrees: float) -> FloatArray:
        return nudged(matrix, middle, rng, mm, degrees)

    makers: dict[str, Callable[[], SpatialMap]] = {
        "ours": lambda: setup.deformed(matrix),
        "jittered": lambda: setup.deformed(off(3.0, 1.5)),
        "rigid": lambda: SpatialMap(matrix),
        "moved": lambda: SpatialMap(off(float(rng.uniform(3.0, 7.0)), 2.0)),
        "moved_far": lambda: setup.deformed(off(float(rng.uniform(8.0, 14.0)), 5.0)),
        "turned": lambda: SpatialMap(off(1.0, float(rng.uniform(3.0, 7.0)))),
        "under": lambda: setup.deformed(off(float(rng.uniform(4.0, 8.0)), 2.0), STIFF),
        "offset_30": lambda: setup.deformed(off(30.0, 3.0)),
        "huge": lambda: waved(setup.deformed(matrix), rng),
        "overfitted": lambda: setup.deformed(matrix, Prior(1e-6, 0.0)),
    }
    return setup, makers[name](), unmoved


def of_broken_input(name: str, made: Made, task: Task, rng: np.random.Generator) -> Judged:
    """Return what the registration makes of a study or mask that is wrong."""
    pre, post = made.pre, made.post
    where: Callable[[FloatArray], FloatArray] | None = unmoved
    if name == "wrong_patient":
        other = replace(task, source="sample" if task.source == "real" else "real", seed=task.seed + OTHER_SEED)
        pre, where = make_any(other).pre, None
    elif name == "flipped":
        pre, where = mirrored(pre)
    elif name == "cropped_liver":
        post = cropped(post, rng)
    else:
        pre = shifted(pre, rng)
    broken = Setup.of(post, pre)
    try:
        require_not_mirrored(broken.post, broken.pre)
    except InputError:
        broken = replace(broken, refused=True)  # it is registered all the same, so that its error is known
    return broken, broken.deformed(broken.rigid), where


def make_any(task: Task) -> Made:
    """Return a case of the first seed from the task's on that has room for a lesion."""
    while True:
        try:
            return make_after(source_of(task), task.seed, wanted_of(task))
        except NoSiteError:
            task = replace(task, seed=task.seed + 1)


def measure(task: Task) -> list[dict[str, Any]]:
    """Return a row per outcome of one case."""
    with one_thread():
        try:
            made = make_after(source_of(task), task.seed, wanted_of(task))
        except NoSiteError:
            return []
        setup = Setup.of(made.post, made.pre)
        judge = Judge.of(made, setup.post, setup.pre)
        zone = surface_of(made.post.lesions["1"])
        true_margin = true_margin_mm(made)
        rows = []
        pick = [SABOTAGE[(task.seed * SABOTAGES + n) % len(SABOTAGE)] for n in range(SABOTAGES)]
        for name in (*GOOD, *NATURAL, *pick):
            rng = np.random.default_rng([task.seed, 9, (*GOOD, *NATURAL, *SABOTAGE).index(name)])
            base = {"source": task.source, "seed": task.seed, "name": name}
            try:
                used_setup, used, where = outcome(name, made, setup, task, rng)
            except InputError as error:
                rows.append(base | {"refused": error.code})
                continue
            start = time.process_time()
            panel = Panel.of(used_setup.post, used_setup.pre, used, used_setup.region, used_setup.compared)
            seen = Seen.of(panel, used, zone, used_setup.post.zone, used_setup.post)
            predicted = Predicted.of(seen, sure=used_setup.compared is intensities)
            checks = (
                shared_view_check(used_setup.post.zone, used_setup.post, made.pre.image.grid, used, SETTINGS),
                *gate_checks(seen, predicted, SETTINGS),
            )
            found = Alignment("deformable", used, SpatialMap(used.rigid_pre_from_post), zone_checks={"1": checks})
            verdict = "refused" if used_setup.refused else found.verdict("1")
            row = (
                base | true_errors(judge, used, where) | asdict(seen) | asdict(predicted)
                | {"verdict": verdict, "shared": checks[0].value, "cpu_s": time.process_time() - start}
            )  # fmt: skip
            if where is not None and row["verdict"] in PASSED:
                row |= {"true_margin_mm": true_margin} | margin_by(made, used, predicted.error_mm, task.seed)
            rows.append(row)
        return rows


def rejudged(row: dict[str, Any]) -> dict[str, Any]:
    """Return a saved outcome as the gate judges it now, by what was seen of it then (margins stay as they were)."""
    if "refused" in row:
        return row
    seen = Seen(**{field.name: row[field.name] for field in fields(Seen)})
    predicted = Predicted.of(seen)
    shared = Check("shared_field_of_view", row["shared"], "fraction", row["shared"] >= SETTINGS.shared_share, "")
    checks = (shared, *gate_checks(seen, predicted, SETTINGS))
    nowhere = SpatialMap.identity()
    verdict = Alignment("rigid", nowhere, nowhere, zone_checks={"1": checks}).verdict("1")
    return row | asdict(predicted) | {"verdict": "refused" if row["verdict"] == "refused" else verdict}


def true_errors(judge: Judge, used: SpatialMap, where: Callable[[FloatArray], FloatArray] | None) -> dict[str, float]:
    """Return the mean true error in the ring and at the tumour, mm; none can be right for another patient."""
    if where is None:
        return {"ring_mm": float("inf"), "tumour_mm": float("inf")}
    (to, at), (before, after) = judge.ring_mm, judge.tumour_mm
    return {
        "ring_mm": float(lengths(used.pre_from_post(at) - where(to)).mean()),
        "tumour_mm": float(lengths(used.pre_from_post(after) - where(before)).mean()),
    }


def wilson(k: int, n: int) -> str:
    """Return a share with Wilson's 95 % interval."""
    if n == 0:
        return "none"
    p, z2 = k / n, Z95**2
    middle, half = (p + z2 / (2 * n)) / (1 + z2 / n), Z95 * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return f"{p:.3f} ({middle - half:.3f}-{middle + half:.3f}; {k} of {n})"


def report(rows: list[dict[str, Any]]) -> None:
    """Print what the gate found of the outcomes."""
    judged = [row for row in rows if "refused" not in row]
    print(f"{len(rows)} outcomes, {len(rows) - len(judged)} of which could not be registered at all and do not count")
    show([
        {"outcome": name, "n": len(some), "tumour_mm": float(np.mean([r["tumour_mm"] for r in some])),
         "ring_mm": float(np.mean([r["ring_mm"] for r in some])),
         "predicted_mm": float(np.mean([r["error_mm"] for r in some])),
         "blocks_mm": float(np.mean([r["blocks_mm"] for r in some])),
         **{v: sum(r["verdict"] == v for r in some) for v in (*PASSED, *FLAGGED)}}
        for name in (*GOOD, *NATURAL, *SABOTAGE) if (some := [r for r in judged if r["name"] == name])
    ])  # fmt: skip
    for limit_mm, flags in ((5.0, FLAGGED), (3.0, ("warn", *FLAGGED))):
        for where in ("tumour_mm", "ring_mm"):
            bad, good = [], []
            for row in judged:
                (bad if row[where] > limit_mm else good).append(row["verdict"] in flags)
            print(
                f"TRE {where[:-3]} > {limit_mm:.0f} mm: sensitivity {wilson(sum(bad), len(bad))},"
                f" specificity {wilson(len(good) - sum(good), len(good))}"
            )
    known = [row for row in judged if np.isfinite(row["tumour_mm"]) and row["verdict"] in PASSED]
    held = sum(row["low_mm"] <= row["tumour_mm"] <= row["high_mm"] for row in known)
    print(f"90 % interval of the predicted error holds the true one, gate not failed: {wilson(held, len(known))}")
    everywhere = [row for row in judged if np.isfinite(row["tumour_mm"]) and row["shared"] >= SETTINGS.shared_share]
    held = sum(row["low_mm"] <= row["tumour_mm"] <= row["high_mm"] for row in everywhere)
    print(f"the same over all outcomes of the right patient in both scans: {wilson(held, len(everywhere))}")
    measured = [row for row in known if "margin_mm" in row]
    for verdicts in (("pass", "warn"), ("pass",), ("warn",)):
        some = [row for row in measured if row["verdict"] in verdicts]
        held = sum(row["margin_low_mm"] <= row["true_margin_mm"] <= row["margin_high_mm"] for row in some)
        widths = [row["margin_high_mm"] - row["margin_low_mm"] for row in some]
        print(
            f"95 % interval of the margin holds the true one, {' or '.join(verdicts)}: {wilson(held, len(some))};"
            f" median width {np.median(widths) if widths else np.nan:.2f} mm"
        )
    print(f"passed or warned without a margin (the map has no inverse there): {len(known) - len(measured)}")
    print(f"CPU of the gate: mean {np.mean([r['cpu_s'] for r in judged]):.1f} s")


def fit(rows: list[dict[str, Any]]) -> None:
    """Print the coefficients that predict these outcomes best, and the ratios that hold 90 % of them."""
    some = [r for r in rows if "refused" not in r and r["tumour_mm"] < FAR_MM and r["shared"] >= SETTINGS.shared_share]
    true = np.log([r["tumour_mm"] for r in some])
    names = ("stiffer_mm", "back_mm", "again_mm")
    logs = np.log(np.minimum([[r[name] for name in names] for r in some], MOST_MM) + OFFSET_MM)
    matrix = np.column_stack([np.ones(len(some)), logs])
    found = lsq_linear(matrix, true, bounds=([-np.inf, LEAST, LEAST, LEAST], np.inf))
    ratios = np.exp(np.percentile(true - matrix @ found.x, FITTED))
    print(f"fitted to {len(some)} outcomes: {np.round(found.x, 2)} (intercept, factors); ratios {np.round(ratios, 2)}")


def main() -> None:
    """Make, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=3000, help="first seed")
    parser.add_argument("--cases", type=int, default=15, help="cases of synthetic patients, ten outcomes each")
    parser.add_argument("--real", type=int, default=0, help="cases of the real CT")
    parser.add_argument("--contrasts", default="CT-CT", help="of PRE-POST of synthetic patients: CT, T1, T2")
    parser.add_argument("--fit", action="store_true", help="fit the prediction to these outcomes")
    parser.add_argument("--saved", type=Path, nargs="+", metavar="FILE", help="judge outcomes of earlier runs again")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.saved:
        rows = [row for path in options.saved for row in json.loads(path.read_text(encoding="utf-8"))["rows"]]
        report([rejudged(row) for row in rows])
        if options.fit:
            fit(rows)
        return
    if not real_folder().is_dir():
        parser.error("the real CT of the test data is not here; set ABLATION_TEST_DATA")
    before, after = options.contrasts.split("-")
    counts = {"sample": options.cases, "real": options.real}
    tasks = [
        Task(source, seed, 0.0, 0.0, None, "", False, False, (before, after))
        for source, count in counts.items()
        for seed in range(options.seed, options.seed + count)
    ]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        rows = []
        for some in pool.map(measure, tasks):
            rows += some
            if options.json:
                options.json.write_text(json.dumps({"seed": options.seed, "rows": rows}) + "\n", encoding="utf-8")
    print(f"seeds from {options.seed}: {options.cases} synthetic, {options.real} of the real CT")
    report(rows)
    if options.fit:
        fit(rows)


if __name__ == "__main__":
    main()
