"""Families of phantoms, by seed: tumours of 4-20 mm radius and ablation zones with margins of -5 to 15 mm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.sample.phantoms.bodies import Arc, Body, Cut, FloatArray, Union, ball, ellipsoid, lobes
from pipelines.sample.phantoms.truth import Truth, truth_of


@dataclass(frozen=True, eq=False)
class Phantom:
    """A tumour, its ablation zone, and what is true of the margin."""

    family: str
    tumour: Body
    zone: Body
    truth: Truth

    @property
    def min_mm(self) -> float:
        """The true minimal margin, mm, + covered."""
        return self.truth.min_mm


Pair = tuple[Body, Body]


def _direction(rng: np.random.Generator) -> FloatArray:
    axis = rng.normal(size=3)
    return np.asarray(axis / np.linalg.norm(axis))


def _rotation(rng: np.random.Generator) -> FloatArray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q if np.linalg.det(q) > 0 else q * [1.0, 1.0, -1.0])


def _balls(rng: np.random.Generator) -> Pair:
    radius, centre = rng.uniform(4, 20), rng.uniform(-1, 1, 3)
    shift, margin = rng.uniform(0, 4), rng.uniform(-5, 15)
    return ball(centre, radius), ball(centre + shift * _direction(rng), max(4.0, radius + shift + margin))


def _ball_in_ellipsoid(rng: np.random.Generator) -> Pair:
    radius, centre = rng.uniform(4, 18), rng.uniform(-1, 1, 3)
    axes = radius + rng.uniform(1, 12) + np.array([0.0, rng.uniform(0, 3), rng.uniform(1, 8)])
    return ball(centre, radius), ellipsoid(centre + rng.uniform(0, 3) * _direction(rng), axes, _rotation(rng))


def _ellipsoids(rng: np.random.Generator) -> Pair:
    axes = rng.uniform(4, 14) * rng.uniform([0.8, 0.9, 1.0], [1.0, 1.1, 1.6])
    centre = rng.uniform(-1, 1, 3)
    outer = axes.max() * rng.uniform(0.9, 1.1, 3) + rng.uniform(0, 8)
    tumour = ellipsoid(centre, axes, _rotation(rng))
    return tumour, ellipsoid(centre + rng.uniform(0, 3) * _direction(rng), outer, _rotation(rng))


def _lobulated(rng: np.random.Generator) -> Pair:
    radius, centre = rng.uniform(5, 17), rng.uniform(-1, 1, 3)
    tumour = ball(centre, radius, lobes(rng, 4, 0.3, (3, 6)))
    zone = ball(centre + rng.uniform(0, 3) * _direction(rng), 1.15 * radius + rng.uniform(2, 11),
                lobes(rng, 4, 0.15, (2, 5)))  # fmt: skip
    return tumour, zone


def _partly_uncovered(rng: np.random.Generator) -> Pair:
    radius, centre = rng.uniform(5, 18), rng.uniform(-1, 1, 3)
    outer = radius * rng.uniform(1.0, 1.3)
    shift = (outer - radius + rng.uniform(1, 5)) * _direction(rng)
    return ball(centre, radius, lobes(rng, 3, 0.1, (2, 4))), ball(centre + shift, outer)


def _irregular(rng: np.random.Generator) -> Pair:
    radius, centre = rng.uniform(6, 17), rng.uniform(-1, 1, 3)
    tumour = ball(centre, radius, lobes(rng, 8, 0.2, (4, 9)))
    return tumour, ball(centre, 1.2 * radius + rng.uniform(2, 10), lobes(rng, 8, 0.15, (3, 8)))


def _two_zones(rng: np.random.Generator) -> Pair:
    radius, centre, axis = rng.uniform(5, 11), rng.uniform(-1, 1, 3), _direction(rng)
    apart = rng.uniform(5, 12)
    radii = radius + rng.uniform(2, 7, 2)
    return ball(centre, radius), Union(
        tuple(ball(centre + s * 0.5 * apart * axis, r) for s, r in zip((-1, 1), radii, strict=True))
    )


def _groove(rng: np.random.Generator) -> Pair:
    radius, centre, away = rng.uniform(5, 12), rng.uniform(-1, 1, 3), _direction(rng)
    margin, wide = rng.uniform(0.5, 4), rng.uniform(3, 8)
    zone = ball(centre, radius + margin + rng.uniform(0.4, 1.0) * wide)
    return ball(centre, radius), Cut(zone, _vessel(rng, centre + (radius + margin + 0.5 * wide) * away, away, wide))


def _vessel(rng: np.random.Generator, on: FloatArray, away: FloatArray, wide: float) -> Arc:
    """Return a slightly bent tube across a direction, its axis nearest to the origin of that direction at `on`."""
    along = np.cross(away, _direction(rng))
    along /= np.linalg.norm(along)
    bend = 60.0
    return Arc(on + bend * away, np.stack([-away, along, np.cross(-away, along)]), bend, 0.5 * wide, 0.6)


def _arc(rng: np.random.Generator, centre: FloatArray, tube: float) -> Arc:
    return Arc(centre, _rotation(rng), tube * rng.uniform(1.35, 1.8), tube, rng.uniform(1.0, 1.9))


def _c_shape(rng: np.random.Generator) -> Pair:
    zone = _arc(rng, rng.uniform(-1, 1, 3), rng.uniform(8, 13))
    reach = zone.half_angle_rad * rng.uniform(0.4, 0.9)
    inner = Arc(zone.centre_mm + rng.uniform(0, 1.5) * _direction(rng), zone.frame, zone.circle_mm,
                zone.tube_mm - rng.uniform(1.5, 4.5), reach)  # fmt: skip
    if rng.uniform() < 0.5:
        return inner, zone
    on = zone.centre_mm + zone.circle_mm * zone.frame[0]
    return ball(on + rng.uniform(0, 1.5) * _direction(rng), zone.tube_mm - rng.uniform(1, 5)), zone


def _two_parts(rng: np.random.Generator) -> Pair:
    radius, centre, axis = rng.uniform(5, 12), rng.uniform(-1, 1, 3), _direction(rng)
    outer = ball(centre + rng.uniform(0, 2) * axis, radius + rng.uniform(2, 8))
    other = rng.uniform(5, 9)
    gap = rng.uniform(6, 10)
    beside = centre - (radius + 8 + other + gap) * axis
    return ball(centre, radius), Union((outer, ball(beside, other)))


CLEAN: dict[str, Callable[[np.random.Generator], Pair]] = {
    "balls": _balls,
    "ball_in_ellipsoid": _ball_in_ellipsoid,
    "ellipsoids": _ellipsoids,
    "lobulated": _lobulated,
    "partly_uncovered": _partly_uncovered,
    "irregular": _irregular,
}
HARD: dict[str, Callable[[np.random.Generator], Pair]] = {
    "groove": _groove,
    "two_zones": _two_zones,
    "c_shape": _c_shape,
    "two_parts": _two_parts,
}
FAMILIES = CLEAN | HARD

AIM_SD_MM = 4.0
"""How far a zone's middle lies from the tumour's, along each axis."""


def _aimed_balls(rng: np.random.Generator) -> Pair:
    radius = rng.uniform(5, 14)
    return ball(np.zeros(3), radius), ball(rng.normal(0, AIM_SD_MM, 3), radius + rng.uniform(2, 10))


def _aimed_ellipsoids(rng: np.random.Generator) -> Pair:
    axes = rng.uniform(5, 11) * rng.uniform([0.8, 0.9, 1.0], [1.0, 1.1, 1.5])
    zone = ellipsoid(
        rng.normal(0, AIM_SD_MM, 3), axes.max() * rng.uniform(0.9, 1.2, 3) + rng.uniform(2, 9), _rotation(rng)
    )
    return ellipsoid(np.zeros(3), axes, _rotation(rng)), zone


def _aimed_lobulated(rng: np.random.Generator) -> Pair:
    radius = rng.uniform(5, 13)
    zone = ball(rng.normal(0, AIM_SD_MM, 3), 1.15 * radius + rng.uniform(2, 10), lobes(rng, 4, 0.15, (2, 5)))
    return ball(np.zeros(3), radius, lobes(rng, 4, 0.3, (3, 6))), zone


def _aimed_creased(rng: np.random.Generator) -> Pair:
    radius, axis, apart = rng.uniform(5, 11), _direction(rng), rng.uniform(5, 12)
    middle, radii = rng.normal(0, AIM_SD_MM, 3), radius + rng.uniform(2, 9, 2)
    zone = Union(tuple(ball(middle + s * 0.5 * apart * axis, r) for s, r in zip((-1, 1), radii, strict=True)))
    return ball(np.zeros(3), radius), zone


def _aimed_grooved(rng: np.random.Generator) -> Pair:
    radius, away, wide = rng.uniform(5, 12), _direction(rng), rng.uniform(3, 8)
    zone = ball(rng.normal(0, AIM_SD_MM, 3), radius + rng.uniform(3, 10))
    tool = _vessel(rng, (radius + rng.uniform(0.5, 5) + 0.5 * wide) * away, away, wide)
    return ball(np.zeros(3), radius), Cut(zone, tool)


def _concentric(rng: np.random.Generator) -> Pair:
    radius = rng.uniform(5, 14)
    return ball(np.zeros(3), radius), ball(np.zeros(3), radius + rng.uniform(0, 10))


AIMED: dict[str, Callable[[np.random.Generator], Pair]] = {
    "aimed_balls": _aimed_balls,
    "aimed_ellipsoids": _aimed_ellipsoids,
    "aimed_lobulated": _aimed_lobulated,
    "aimed_creased": _aimed_creased,
    "aimed_grooved": _aimed_grooved,
    "concentric": _concentric,
}
"""Zones aimed at the tumour's middle and missing it by 4 mm along each axis; concentric ones do not miss."""


def make_phantom(family: str, seed: int) -> Phantom:
    """Return a phantom of a family, the same for a seed."""
    known = FAMILIES if family in FAMILIES else AIMED
    rng = np.random.default_rng([seed, sorted(known).index(family) + (100 if known is AIMED else 0)])
    tumour, zone = known[family](rng)
    return Phantom(family, tumour, zone, truth_of(tumour, zone))
