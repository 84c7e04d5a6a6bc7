"""Tumours in PRE and ablation zones in POST: where they sit, and how large a zone must be to leave a wanted margin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pipelines.sample.anatomy import NAMED_GENERATIONS, VESSELS, Anatomy
from pipelines.sample.sampled import SampledLevel
from pipelines.sample.shapes import Ellipsoid, FloatArray, Star, norm, unit
from pipelines.sample.vessels import curve

if TYPE_CHECKING:
    from pipelines.sample.field import Field

KINDS = ("ample", "near_vessel", "partly_uncovered")
DEPTH_MM = 34.0
"""Depth below the capsule up to which it is known well."""
ZONE_REACH_MM = (11.5, 7.5, 4.0)
"""How much further than its tumour each kind of zone reaches at most, roughly; keeps sites apart."""


class NoRoomError(ValueError):
    """No place for a lesion or zone in this draw; another draw may do."""


@dataclass(frozen=True, eq=False)
class Lesion:
    """A tumour: `star` in PRE; `vessel` is the one it was put beside, `away` the direction from it to the vessel."""

    number: int
    kind: str
    star: Star
    radius_mm: float
    subcapsular: bool = False
    vessel: str | None = None
    towards_vessel: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Zone:
    """An ablation zone: `star` in POST, before it is cut to the liver; `target_mm` is the margin it was solved for."""

    number: int
    star: Star
    target_mm: float


def fibonacci(count: int) -> FloatArray:
    """Return unit directions spread evenly over the sphere."""
    index = np.arange(count) + 0.5
    height = 1 - 2 * index / count
    turn = index * (np.pi * (3 - np.sqrt(5)))
    ring = np.sqrt(1 - height * height)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=-1)


@dataclass(frozen=True, eq=False)
class Site:
    """What placing asks of the anatomy: depth below the capsule, and spheres that fill vessels and ducts."""

    depth: SampledLevel
    vessels: tuple[tuple[str, FloatArray, FloatArray], ...]

    def clearance_mm(self, points_mm: FloatArray) -> float:
        """Return the least gap between points and any named vessel or duct."""
        gaps = [cKDTree(centres).query(points_mm) for _, centres, _ in self.vessels]
        radii = [radii for *_, radii in self.vessels]
        return min(float((gap - r[index]).min()) for (gap, index), r in zip(gaps, radii, strict=True))


def survey(anatomy: Anatomy) -> Site:
    """Sample the anatomy for placing lesions."""
    rows = []
    for branch in anatomy.branches:
        if branch.generation <= NAMED_GENERATIONS:
            path = curve(branch.points_mm, 40)
            radii = np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, len(branch.radii_mm)), branch.radii_mm)
            rows.append((branch.owner, path, radii))
    deep = replace(anatomy.liver, noticed_mm=DEPTH_MM)
    return Site(SampledLevel.of([deep], deep.box_mm, 3.0), tuple(rows))


def make_lesions(rng: np.random.Generator, site: Site) -> list[Lesion]:
    """Place three tumours, far enough apart for their zones; raise NoRoomError if a draw fails."""
    subcapsular = int(rng.choice([0, 0, 0, 1, 3, 3]))
    radii = [rng.uniform(8, 10.5), rng.uniform(9, 13), rng.uniform(9, 14)]
    placed: list[Lesion] = []
    for index in (0, 1, 2):
        lesion = _place(rng, site, index, radii[index], subcapsular=subcapsular == index + 1, placed=placed)
        placed.append(lesion)
    return placed


def _place(
    rng: np.random.Generator, site: Site, index: int, radius: float, *, subcapsular: bool, placed: list[Lesion]
) -> Lesion:
    """Return one lesion at a random place that suits its kind."""
    for _ in range(3000):
        star = _tumour(rng, radius)
        lesion = _beside_vessel(rng, site, star, radius) if index == 1 else _anywhere(rng, site, star, radius, index)
        lesion = replace(lesion, subcapsular=subcapsular)
        if _suits(site, lesion, placed):
            return lesion
    raise NoRoomError(KINDS[index])


def _suits(site: Site, lesion: Lesion, placed: list[Lesion]) -> bool:
    """Return whether depth, neighbours and vessels allow the place."""
    reach = lesion.radius_mm + ZONE_REACH_MM[lesion.number - 1]
    for other in placed:
        wanted = reach + other.radius_mm + ZONE_REACH_MM[other.number - 1] + 4
        if float(norm(lesion.star.centre_mm - other.star.centre_mm)) < wanted:
            return False
    depth = -float(site.depth(lesion.star.centre_mm[None])[0])
    if lesion.subcapsular and not lesion.radius_mm + 2 <= depth <= lesion.radius_mm + 4.5:
        return False
    if not lesion.subcapsular and depth < (reach + 4 if lesion.number == 1 else lesion.radius_mm + 5):
        return False
    surface = lesion.star.surface_mm(fibonacci(300))
    if float(site.depth(surface).max()) > -0.8:
        return False
    gap = site.clearance_mm(surface)
    return 0.7 <= gap <= 4.0 if lesion.vessel else gap >= 1.5


def _tumour(rng: np.random.Generator, radius: float) -> Star:
    """Return a lobulated body about the origin."""
    axes = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
    blob = Ellipsoid(np.zeros(3), radius * rng.uniform(0.9, 1.08, 3), axes)
    return Star(np.zeros(3), (blob,), unit(rng.normal(size=(6, 3))), rng.uniform(-0.07, 0.09, 6), rng.uniform(4, 9, 6))


def _anywhere(rng: np.random.Generator, site: Site, star: Star, radius: float, index: int) -> Lesion:
    """Return a lesion at a random point of the liver's box."""
    shape = np.array(site.depth.values_mm.shape) - 1
    centre = site.depth.origin_mm + rng.uniform(0, 1, 3) * shape * site.depth.spacing_mm
    return Lesion(index + 1, KINDS[index], replace(star, centre_mm=centre), radius)


def _beside_vessel(rng: np.random.Generator, site: Site, star: Star, radius: float) -> Lesion:
    """Return a lesion whose surface is a few millimetres from a named vessel."""
    rows = [row for row in site.vessels if row[0] in VESSELS]
    owner, path, radii = rows[int(rng.integers(len(rows)))]
    at = int(rng.integers(8, len(path)))
    along = unit(path[at] - path[at - 1])
    away = unit(np.cross(along, rng.normal(size=3)))
    reach = float(star.radius_mm(-away[None])[0]) + float(radii[at]) + rng.uniform(1.0, 3.5)
    return Lesion(2, KINDS[1], replace(star, centre_mm=path[at] + away * reach), radius, False, owner, -away)


def make_zones(rng: np.random.Generator, anatomy: Anatomy, field: Field, lesions: list[Lesion]) -> list[Zone]:
    """Return one zone per lesion, solved for its margin; raise NoRoomError if one touches a neighbour."""
    zones = [_zone(rng, anatomy, field, lesion) for lesion in lesions]
    directions = fibonacci(600)
    for zone in zones:
        for lesion, other in zip(lesions, zones, strict=True):
            tumour = field.post_from_pre(lesion.star.surface_mm(directions))
            if other is not zone and min(float(zone.star(tumour).min()), _gap(zone, other)) < 2.0:
                raise NoRoomError(lesion.kind)
    return zones


def _gap(zone: Zone, other: Zone) -> float:
    return float(zone.star(other.star.surface_mm(fibonacci(600))).min())


def _zone(rng: np.random.Generator, anatomy: Anatomy, field: Field, lesion: Lesion) -> Zone:
    """Return the zone of a lesion: shape and place drawn, size solved."""
    target = (rng.uniform(6, 10), rng.uniform(1.5, 2.5), -rng.uniform(2, 6))[lesion.number - 1]
    centre = field.post_from_pre(lesion.star.centre_mm)
    away = unit(rng.normal(size=3))
    if lesion.towards_vessel is not None:
        away = -unit(lesion.towards_vessel)
    shift = (rng.uniform(0, 1.2), rng.uniform(0.8, 1.6), rng.uniform(4.0, 6.0))[lesion.number - 1]
    star = _zone_shape(rng, lesion, away)
    star = replace(star, centre_mm=centre + shift * away)
    tumour = field.post_from_pre(lesion.star.surface_mm(fibonacci(900)))

    def short_of_target(scale: float) -> float:
        return quick_margin_mm(tumour, replace(star, scale=scale), anatomy, field) - target

    low, high = lesion.radius_mm * 0.5, lesion.radius_mm + 18
    if short_of_target(low) > 0 or short_of_target(high) < 0:
        raise NoRoomError(lesion.kind)
    scale = float(brentq(short_of_target, low, high, xtol=0.01))
    return Zone(lesion.number, replace(star, scale=scale), float(target))


def _zone_shape(rng: np.random.Generator, lesion: Lesion, away: FloatArray) -> Star:
    """Return a unit-sized zone: two overlapping ellipsoids, slightly uneven, grooved where a vessel cools it."""
    axes = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
    first = Ellipsoid(np.zeros(3), np.array([1.0, 1.0, rng.uniform(1.02, 1.12)]), axes)
    second = Ellipsoid(unit(rng.normal(size=3)) * rng.uniform(0.08, 0.2), rng.uniform(0.88, 0.97, 3), axes)
    directions, gains = unit(rng.normal(size=(5, 3))), rng.uniform(-0.03, 0.03, 5)
    sharpness = rng.uniform(4, 8, 5)
    if lesion.towards_vessel is not None:
        directions = np.vstack([directions, -away])
        gains, sharpness = np.append(gains, -rng.uniform(0.08, 0.15)), np.append(sharpness, rng.uniform(8, 14))
    return Star(np.zeros(3), (first, second), directions, gains, sharpness)


def quick_margin_mm(tumour_mm: FloatArray, zone: Star, anatomy: Anatomy, field: Field) -> float:
    """Return the least margin to unablated liver from coarse samples (about 0.1 mm), to solve sizes with."""
    surface = zone.surface_mm(fibonacci(4000))
    in_liver = anatomy.liver(field.pre_from_post(surface)) <= 0
    distance, _ = cKDTree(surface[in_liver]).query(tumour_mm)
    return float((-np.sign(zone(tumour_mm)) * distance).min())
