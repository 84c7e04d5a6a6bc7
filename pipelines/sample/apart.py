"""How far structures lie from tumours and zones, between analytic surfaces in POST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.sample.anatomy import STRUCTURES
from pipelines.sample.closest import Level, closer, nearest, surface_samples
from pipelines.sample.shapes import FloatArray, Shape, norm

if TYPE_CHECKING:
    from pipelines.sample.patient import Patient

NEAR_MM = 15.0
PAIRS = 40
ROUNDS = 12


@dataclass(frozen=True, eq=False)
class StructureSurface:
    """A structure in POST: its level, and samples of its surface."""

    name: str
    level: Level
    samples_mm: FloatArray


def sample_structures(patient: Patient, pre_z_mm: tuple[float, float]) -> list[StructureSurface]:
    """Sample every named structure within the slices of the PRE scan and move it to POST."""
    found = []
    for name in STRUCTURES:
        shape = patient.anatomy.organs[name]
        points = shape_samples(shape)
        points = points[(points[:, 2] >= pre_z_mm[0]) & (points[:, 2] <= pre_z_mm[1])]
        if len(points):
            found.append(StructureSurface(name, _moved(patient, shape), patient.field.post_from_pre(points)))
    return found


def _moved(patient: Patient, shape: Shape) -> Level:
    def level(points_mm: FloatArray) -> FloatArray:
        return shape(patient.field.pre_from_post(points_mm))

    return level


def shape_samples(shape: Shape) -> FloatArray:
    """Return samples of a body's surface, about a fifth of its thickness apart, 0.8 to 2.4 mm."""
    rows = []
    for part in shape.parts():
        thickness = float((part.box_mm[1] - part.box_mm[0]).min())
        rows.append(surface_samples(part, part.box_mm, float(np.clip(thickness / 5, 0.8, 2.4))))
    points = np.concatenate(rows)
    return np.asarray(points[shape(points) > -1e-3])


def apart(body_mm: FloatArray, body: Level, structure: StructureSurface) -> dict[str, Any]:
    """Return the gap between a body (surface samples and level) and a structure, with the closest pair."""
    theirs = _may_be_nearest(body_mm, structure.samples_mm)
    distance, ours = nearest(theirs, body_mm)
    order = np.argsort(distance)[:PAIRS]
    ours, theirs = ours[order], theirs[order]
    if float(body(theirs).min()) <= 0 or float(structure.level(ours).min()) <= 0:
        return _row(structure.name, 0.0, ours[0], theirs[0], overlap=True)
    if float(distance.min()) < NEAR_MM:
        ours, theirs = _slide(ours, theirs, body, structure.level)
    gaps = norm(ours - theirs)
    best = int(gaps.argmin())
    return _row(structure.name, float(gaps[best]), ours[best], theirs[best], overlap=False)


def _may_be_nearest(body_mm: FloatArray, samples_mm: FloatArray) -> FloatArray:
    """Return the samples that can be nearest to a body: none further from its centre than the first plus its radius."""
    centre = body_mm.mean(axis=0)
    radius = float(norm(body_mm - centre).max())
    away = norm(samples_mm - centre)
    return np.asarray(samples_mm[away <= float(away.min()) + radius + 1])


def _slide(ours: FloatArray, theirs: FloatArray, body: Level, structure: Level) -> tuple[FloatArray, FloatArray]:
    """Slide pairs along both surfaces towards each other, by turns."""
    for _ in range(ROUNDS):
        theirs = closer(ours, theirs, structure, rounds=1)
        ours = closer(theirs, ours, body, rounds=1)
    return ours, theirs


def _row(name: str, gap_mm: float, ours: FloatArray, theirs: FloatArray, *, overlap: bool) -> dict[str, Any]:
    points = [ours.round(4).tolist(), theirs.round(4).tolist()]
    return {"structure": name, "mm": gap_mm, "overlap": overlap, "points_lps_mm": points}
