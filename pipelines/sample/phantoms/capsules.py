"""Tumours below the liver's capsule, ablation zones that it cuts off, and the true margin to liver not ablated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pipelines.sample.phantoms.bodies import Body, BoolArray, FloatArray, Samples, Star, ball, lobes
from pipelines.sample.phantoms.truth import FINER, TUMOUR_SAMPLES

ZONE_SAMPLES = 60_000
RIM_SAMPLES = 4_000
NEAR_MM = 1.0
"""Nearer than this the distance to the tangent plane stands in for that to the nearest sample."""

FAR_MM = 1e4
"""A liver ball of this radius has a flat capsule."""


@dataclass(frozen=True, eq=False)
class Both:
    """What two bodies have in common."""

    one: Body
    other: Body

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        return np.asarray(self.one.inside(points_mm) & self.other.inside(points_mm))

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return how deep points lie below the surface, mm."""
        return np.asarray(np.minimum(self.one.depth_mm(points_mm), self.other.depth_mm(points_mm)))

    def samples(self, count: int) -> Samples:
        """Return samples of the first body's surface within the second."""
        found = self.one.samples(count)
        return found.where(self.other.inside(found.points_mm))


@dataclass(frozen=True, eq=False)
class LimitedPhantom:
    """A tumour and a zone in a liver that ends near them.

    Parameters
    ----------
    tumour, zone, liver
        The zone goes on beyond the liver; what is drawn of it ends at the capsule.
    min_mm
        The least signed distance from the tumour's surface to liver outside the zone.
    """

    family: str
    tumour: Star
    zone: Star
    liver: Star
    min_mm: float

    @property
    def drawn_zone(self) -> Both:
        """The zone as far as there is liver."""
        return Both(self.zone, self.liver)


LIMITED = ("flat_capsule", "curved_capsule")


def make_limited(family: str, seed: int) -> LimitedPhantom:
    """Return a phantom of a family, the same for a seed.

    Below a flat capsule or in a liver ball of 70 to 100 mm radius: tumours of 5 to 11 mm radius, some of them
    lobulated, 0.5 to 7 mm below the capsule, in zones whose margin elsewhere is -3 to 12 mm.
    """
    rng = np.random.default_rng([seed, 300 + LIMITED.index(family)])
    liver_mm = FAR_MM if family == "flat_capsule" else rng.uniform(70.0, 100.0)
    outward = rng.normal(size=3)
    outward /= np.linalg.norm(outward)
    radius = rng.uniform(5.0, 11.0)
    bumps = lobes(rng, 3, 0.15, (3.0, 6.0)) if rng.uniform() < 0.5 else None
    tumour = ball(rng.uniform(-1.0, 1.0, 3), radius, bumps)
    reach = float((tumour.samples(TUMOUR_SAMPLES).points_mm @ outward).max())
    liver = ball((reach + rng.uniform(0.5, 7.0) - liver_mm) * outward, liver_mm)
    away = rng.normal(size=3)
    zone = ball(rng.uniform(0.0, 3.0) * away / np.linalg.norm(away), radius + rng.uniform(0.0, 12.0))
    return LimitedPhantom(family, tumour, zone, liver, _least(tumour, zone, liver))


def _least(tumour: Star, zone: Star, liver: Star) -> float:
    points = tumour.samples(FINER * TUMOUR_SAMPLES).points_mm
    face = zone.samples(ZONE_SAMPLES)
    outside = ~zone.inside(points)
    depth = -_nearest(points[outside], face) if outside.any() else np.array([np.inf])
    free = face.where(liver.inside(face.points_mm))
    to_face = _nearest(points[~outside], free) if len(free.points_mm) and (~outside).any() else np.array([np.inf])
    rim = _rim(zone, liver)
    to_rim = cKDTree(rim).query(points[~outside])[0] if len(rim) and (~outside).any() else np.array([np.inf])
    return float(min(depth.min(), to_face.min(), to_rim.min()))


def _nearest(points: FloatArray, face: Samples) -> FloatArray:
    distance, nearest = cKDTree(face.points_mm).query(points)
    along = np.abs(np.einsum("ij,ij->i", face.points_mm[nearest] - points, face.normals[nearest]))
    return np.asarray(np.where(distance < NEAR_MM, along, distance))


def _rim(zone: Star, liver: Star) -> FloatArray:
    """Return points of the circle in which the surfaces of two balls meet; none where they do not."""
    between = zone.centre_mm - liver.centre_mm
    apart = float(np.linalg.norm(between))
    a, b = (float(1.0 / np.sqrt(body.shape_per_mm2[0, 0])) for body in (liver, zone))
    along = (apart**2 + a**2 - b**2) / (2.0 * apart)
    if along >= a:
        return np.zeros((0, 3))
    axis = between / apart
    first = np.linalg.svd(axis[None])[2][1]
    angle = 2.0 * np.pi * np.arange(RIM_SAMPLES) / RIM_SAMPLES
    ring = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * np.cross(axis, first)
    return np.asarray(liver.centre_mm + along * axis + np.sqrt(a**2 - along**2) * ring)
