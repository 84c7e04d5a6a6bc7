"""The true margin of a phantom, by dense samples of its own surfaces, never of masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pipelines.sample.phantoms.bodies import Body, FloatArray

TUMOUR_SAMPLES = 4_000
FINER = 8
"""Around the minimum the tumour is sampled this many times as densely."""

ZONE_SAMPLES = 60_000
AROUND_MM = 2.0
SAMPLING_MATTERS_MM = 1.0
"""Nearer than this the distance to the tangent plane stands in for that to the nearest sample."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The margin all over a tumour's surface. Sign: + covered, - not covered, mm.

    Parameters
    ----------
    points_mm, margin_mm, area_mm2
        Shapes (n, 3), (n,), (n,): points of the tumour's surface, the margin at each, the area each stands for.
    """

    points_mm: FloatArray
    margin_mm: FloatArray
    area_mm2: FloatArray

    @property
    def min_mm(self) -> float:
        """The minimal margin."""
        return float(self.margin_mm.min())

    @property
    def at_mm(self) -> FloatArray:
        """The place of the minimal margin, shape (3,)."""
        return np.asarray(self.points_mm[int(np.argmin(self.margin_mm))])

    def fraction_below(self, margin_mm: float) -> float:
        """Return the share of the tumour's surface, by area, whose margin is below `margin_mm`."""
        return float(self.area_mm2[self.margin_mm < margin_mm].sum() / self.area_mm2.sum())


def truth_of(tumour: Body, zone: Body) -> Truth:
    """Return the signed distances from the tumour's surface to the zone's."""
    surface = zone.samples(ZONE_SAMPLES)
    tree = cKDTree(surface.points_mm)

    def margins(points: FloatArray) -> FloatArray:
        distance, nearest = tree.query(points)
        offset = np.einsum("ij,ij->i", surface.points_mm[nearest] - points, surface.normals[nearest])
        length = np.where(distance < SAMPLING_MATTERS_MM, np.abs(offset), distance)
        return np.asarray(np.where(zone.inside(points), length, -length))

    on = tumour.samples(TUMOUR_SAMPLES)
    found = margins(on.points_mm)
    least = on.points_mm[int(np.argmin(found))]
    dense = tumour.samples(FINER * TUMOUR_SAMPLES).points_mm
    near = dense[np.linalg.norm(dense - least, axis=1) < AROUND_MM]
    return Truth(
        np.concatenate([on.points_mm, near]),
        np.concatenate([found, margins(near)]),
        np.concatenate([on.area_mm2, np.zeros(len(near))]),
    )
