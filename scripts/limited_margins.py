"""Liver-limited margins of phantoms, ours and those of peers: inputs of bench_margin.py, suite capsule."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from margin_peers import qam
from scipy import ndimage
from scipy.spatial import cKDTree

from pipelines.sample.phantoms import GRIDS, Body, LimitedPhantom, lattice_of, make_limited, mask_of
from planner.assess import assess_aligned
from planner.grid import FloatArray, Grid
from planner.volume import Mask

AROUND_MM = 12.0
"""How much liver there is around tumour and zone."""

OFF_MM = 5.0
HOLE_MM = 4.0
SMALLER_MM = 2.0
SURE_MM = 0.5
"""Signs are asked for where the truth is farther than this from 0."""


def read_limited(
    family: str, seed: int, grids: tuple[str, ...], ours: str, *, with_peers: bool, with_traps: bool
) -> list[dict[str, Any]]:
    """Return a row per grid and method: the error of the margin to liver that was not ablated, mm."""
    phantom = make_limited(family, seed)
    rng = np.random.default_rng([seed, 98])
    rows: list[dict[str, Any]] = []
    for name in grids:
        tumour, zone, liver = paint(phantom, name, rng.uniform(-0.5, 0.5, 3))
        base = {"grid": name, "family": family, "seed": seed, "true_mm": phantom.min_mm}
        start = time.process_time()
        found = limited_mm(tumour, zone, liver)
        seconds = time.process_time() - start
        row = {**base, "method": ours, "cpu_s": seconds, "error_mm": found - phantom.min_mm}
        rows.append(row | ({"trap_signs": traps(phantom, tumour, zone, liver)} if with_traps else {}))
        if with_peers:
            rows += [
                {**base, "method": method, "cpu_s": 0.0, "error_mm": estimate - phantom.min_mm}
                for method, estimate in peers(tumour, zone, liver).items()
                if np.isfinite(estimate)
            ]
    return rows


def paint(phantom: LimitedPhantom, grid: str, offset: FloatArray) -> tuple[Mask, Mask, Mask]:
    """Return the masks of tumour, zone (as far as there is liver) and liver on one lattice."""
    shape, affine = lattice_of((phantom.tumour, phantom.zone), GRIDS[grid], offset)
    around = [int(np.ceil(AROUND_MM / step)) for step in np.linalg.norm(GRIDS[grid], axis=0)]
    affine[:3, 3] -= affine[:3, :3] @ around
    shape = tuple(n + 2 * a for n, a in zip(shape, around[::-1], strict=True))

    def painted(body: Body, name: str) -> Mask:
        return Mask(mask_of(body, shape, affine), Grid(shape, affine), name)

    return painted(phantom.tumour, "tumour"), painted(phantom.drawn_zone, "ablation"), painted(phantom.liver, "liver")


def limited_mm(tumour: Mask, zone: Mask, liver: Mask) -> float:
    """Return the primary margin as `ablation margin --liver` prints it; infinite where there is none."""
    margin = assess_aligned(tumour, [zone], liver).lesions[0].margin
    return float("inf") if margin is None or margin.min_mm is None else margin.min_mm


def traps(phantom: LimitedPhantom, tumour: Mask, zone: Mask, liver: Mask) -> dict[str, bool | None]:
    """Return whether the sign is right with liver masks as automatic programs make them; None where it is not sure."""
    if abs(phantom.min_mm) < SURE_MM:
        return {}
    spacing = liver.grid.spacing_kji_mm
    left_over = tumour.voxels_kji & ~zone.voxels_kji
    smaller = ndimage.distance_transform_edt(liver.voxels_kji, sampling=spacing) > SMALLER_MM
    masks = {"tumour left out": liver.voxels_kji & ~tumour.voxels_kji, "2 mm too small": smaller}
    if left_over.any():
        beside = ndimage.distance_transform_edt(~left_over, sampling=spacing) <= HOLE_MM
        masks["vessel hole beside the rest"] = liver.voxels_kji & ~(beside & ~tumour.voxels_kji & ~zone.voxels_kji)
    found = {name: limited_mm(tumour, zone, Mask(voxels, liver.grid, "liver")) for name, voxels in masks.items()}
    return {name: bool((value > 0) == (phantom.min_mm > 0)) for name, value in found.items()}


def peers(tumour: Mask, zone: Mask, liver: Mask) -> dict[str, float]:
    """Return the margin as peers read it: without a liver, with tumour near the capsule left out, to liver left."""
    spacing = liver.grid.spacing_kji_mm
    depth = ndimage.distance_transform_edt(liver.voxels_kji, sampling=spacing)
    border = tumour.voxels_kji & ~ndimage.binary_erosion(tumour.voxels_kji)
    deep = border & (depth > OFF_MM)
    left = liver.voxels_kji & ~zone.voxels_kji
    to_left = ndimage.distance_transform_edt(~left, sampling=spacing)
    return {
        "QAM-like": qam(tumour, zone),
        "QAM-like, 5 mm off the capsule": _border_to_border(deep, zone) if deep.any() else float("inf"),
        "scipy transform": float(np.where(zone.voxels_kji, to_left, -_into(zone))[border].min()),
    }


def _border_to_border(points: np.ndarray[Any, np.dtype[np.bool_]], zone: Mask) -> float:
    rim = zone.voxels_kji & ~ndimage.binary_erosion(zone.voxels_kji)
    kji = np.argwhere(points)
    away = cKDTree(zone.grid.lps_mm(np.argwhere(rim)[:, ::-1])).query(zone.grid.lps_mm(kji[:, ::-1]))[0]
    return float(np.where(zone.voxels_kji[tuple(kji.T)], away, -away).min())


def _into(zone: Mask) -> FloatArray:
    return np.asarray(ndimage.distance_transform_edt(~zone.voxels_kji, sampling=zone.grid.spacing_kji_mm))
