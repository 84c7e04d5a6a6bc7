"""The truth about one zone: margins from analytic surfaces, by dense samples and projection.

Signs: + covered, - uncovered. `parenchymal`: inside the zone, the distance to liver that was not ablated (closed liver
minus zone); outside it, minus the distance to the zone. `geometric`: signed distance to the surface of the zone as
segmented (cut to the liver).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.sample.closest import Level, closer, nearest, onto_both, surface_samples
from pipelines.sample.shapes import FloatArray, norm

CAPSULE_ROOM_MM = 12.0
CAPSULE_SPACING_MM = 1.1
REFINED = 400


@dataclass(frozen=True, eq=False)
class Body:
    """A zero set in POST with a box that holds it."""

    level: Level
    box_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Bounds:
    """Samples of where a zone ends: towards liver, towards the capsule, along their edge; and bare capsule beyond."""

    zone: Level
    liver: Level
    towards_liver_mm: FloatArray
    capsule_in_zone_mm: FloatArray
    edge_mm: FloatArray
    capsule_beyond_mm: FloatArray

    @property
    def reaches_capsule(self) -> bool:
        """Whether the capsule cuts the zone."""
        return len(self.capsule_in_zone_mm) > 0


@dataclass(frozen=True, eq=False)
class Margins:
    """One value per tumour point; `nearest_mm` is the place that decides the parenchymal margin."""

    parenchymal_mm: FloatArray
    geometric_mm: FloatArray
    capsule_facing: npt.NDArray[np.bool_]
    nearest_mm: FloatArray


def bounds(zone: Body, liver: Level, spacing_mm: float = 0.6) -> Bounds:
    """Sample where a zone ends; the capsule only if it cuts the zone."""
    surface = surface_samples(zone.level, zone.box_mm, spacing_mm)
    depth = liver(surface)
    none = np.zeros((0, 3))
    if float(depth.max()) < 0:
        return Bounds(zone.level, liver, surface, none, none, none)
    room = np.array([[-CAPSULE_ROOM_MM], [CAPSULE_ROOM_MM]])
    capsule = surface_samples(liver, zone.box_mm + room, CAPSULE_SPACING_MM)
    in_zone = zone.level(capsule) <= 0
    edge = onto_both(zone.level, liver, surface[np.abs(depth) < 2 * spacing_mm])
    return Bounds(zone.level, liver, surface[depth <= 0], capsule[in_zone], edge, capsule[~in_zone])


def margins(tumour_mm: FloatArray, ends: Bounds) -> Margins:
    """Return the margins of tumour points (n, 3)."""
    to_zone, at_zone = _to_zone_surface(tumour_mm, ends)
    to_beyond, at_beyond = _to_capsule(tumour_mm, ends, ends.capsule_beyond_mm, beyond=True)
    to_capsule, at_capsule = _to_capsule(tumour_mm, ends, ends.capsule_in_zone_mm, beyond=False)
    inside = ends.zone(tumour_mm) < 0
    unablated = np.minimum(to_zone, to_beyond)
    segmented = np.minimum(to_zone, to_capsule)
    place_in = np.where((to_beyond < to_zone)[:, None], at_beyond, at_zone)
    place_out = np.where((to_capsule < to_zone)[:, None], at_capsule, at_zone)
    return Margins(
        np.where(inside, unablated, -segmented),
        np.where(inside, segmented, -segmented),
        inside & (np.minimum(to_capsule, to_beyond) < unablated),
        np.where(inside[:, None], place_in, place_out),
    )


def _to_zone_surface(points_mm: FloatArray, ends: Bounds) -> tuple[FloatArray, FloatArray]:
    """Return the distance to the part of the zone's surface within the liver, its edge included."""
    distance, place = nearest(points_mm, ends.towards_liver_mm)
    if len(ends.towards_liver_mm):
        better = closer(points_mm, place, ends.zone)
        # Sliding may leave the liver across the edge, where the zone has no surface: those points keep the sample.
        stays = np.ones(len(points_mm), bool) if not ends.reaches_capsule else ends.liver(better) <= 1e-6
        place = np.where(stays[:, None], better, place)
        distance = norm(points_mm - place)
    to_edge, at_edge = nearest(points_mm, ends.edge_mm)
    return np.minimum(distance, to_edge), np.where((to_edge < distance)[:, None], at_edge, place)


def _to_capsule(
    points_mm: FloatArray, ends: Bounds, samples_mm: FloatArray, *, beyond: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the distance to samples of the capsule, exact for the nearest few hundred points."""
    distance, place = nearest(points_mm, samples_mm)
    if not len(samples_mm):
        return distance, place
    few = np.argsort(distance)[:REFINED]
    better = closer(points_mm[few], place[few], ends.liver, rounds=6)
    allowed = (ends.zone(better) > 0) == beyond
    place = place.copy()
    place[few] = np.where(allowed[:, None], better, place[few])
    return np.asarray(norm(points_mm - place)), place
