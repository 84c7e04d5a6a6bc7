"""A textured body whose alignment is known: an analytic image read through a rigid map and a smooth field."""

from __future__ import annotations

from functools import cache

import numpy as np
from analytic import Points, ball, centres, ellipsoid, lattice, moved, rigid, voxelised

from planner.grid import Grid
from planner.register.prepare import Scan
from planner.surface import Surface, surface_of
from planner.volume import Mask, Volume

MATRIX = rigid((0.06, -0.04, 0.09), (7.0, -5.0, 6.0))
"""Pre from post: no axis is like another."""

LIVER = ellipsoid((0, 0, 0), (40, 35, 30))
ZONE_CENTRE, ZONE_RADIUS_MM = np.array((12.0, -8.0, 5.0)), 11.0
ZONE = ball(ZONE_CENTRE, ZONE_RADIUS_MM)


def grid(frame_uid: str = "", spacing: float = 2.8) -> Grid:
    return lattice((50, 48, 44), (spacing, 2.6, 2.6), frame_uid=frame_uid)


def pre_from_post(points: Points) -> Points:
    return points @ MATRIX[:3, :3].T + MATRIX[:3, 3]


def post_from_pre(points: Points) -> Points:
    return (points - MATRIX[:3, 3]) @ MATRIX[:3, :3]


def field(points: Points) -> Points:
    """A smooth displacement of up to about 6 mm, without folds."""
    x, y, z = points.T
    return np.stack([4 * np.sin(y / 22), 3 * np.cos(z / 25) * np.sin(x / 30), 5 * np.sin(x / 24 + 0.4)], axis=1)


def bent_pre_from_post(points: Points) -> Points:
    return pre_from_post(points + field(points))


def bent_post_from_pre(points: Points) -> Points:
    start = post_from_pre(points)
    found = start
    for _ in range(25):
        found = start - field(found)
    return found


def texture(points: Points, seed: int = 3) -> Points:
    """Three hundred soft blobs in a body of 100 HU."""
    rng = np.random.default_rng(seed)
    values = np.full(len(points), 100.0)
    for centre, height, size in zip(
        rng.uniform(-65, 65, (300, 3)), rng.normal(0, 55, 300), rng.uniform(4, 9, 300), strict=True
    ):
        near = np.flatnonzero((np.abs(points - centre) < 3.0 * size).all(axis=1))
        values[near] += height * np.exp(-0.5 * ((points[near] - centre) ** 2).sum(axis=1) / size**2)
    return values


def image(at: Points, where: Grid, noise_seed: int, seed: int = 3) -> Volume:
    noise = np.random.default_rng(noise_seed).normal(0, 8, where.shape_kji)
    return Volume(texture(at, seed).reshape(where.shape_kji) + noise, where, "CT")


@cache
def post() -> tuple[Scan, dict[str, Surface]]:
    where = grid()
    zone = voxelised(ZONE, where, "ablation_1")
    return Scan(image(centres(where), where, 0), voxelised(LIVER, where, "liver"), {"1": zone}), {"1": surface_of(zone)}


@cache
def pre() -> Scan:
    """The same body, carried by the rigid map."""
    where = grid()
    return Scan(image(post_from_pre(centres(where)), where, 1), voxelised(moved(LIVER, MATRIX), where, "liver"), {})


@cache
def bent_pre() -> Scan:
    """The same body, deformed and carried."""
    where = grid()
    at = bent_post_from_pre(centres(where))
    return Scan(image(at, where, 1), Mask(LIVER(at).reshape(where.shape_kji), where, "liver"), {})


@cache
def stranger() -> Scan:
    """Another body altogether."""
    where = grid()
    return Scan(image(centres(where), where, 4, seed=99), voxelised(LIVER, where, "liver"), {})


def in_liver(step_mm: float = 8.0) -> Points:
    points = centres(lattice(40.0, (step_mm,) * 3))
    return points[LIVER(points)]


def contracted_post_from_pre(points: Points, loss: float) -> Points:
    """The zone has lost a share of its volume since PRE, towards its centre; the liver around has only moved in."""
    offset = post_from_pre(points) - ZONE_CENTRE
    before = np.linalg.norm(offset, axis=1, keepdims=True)
    moved_in = np.cbrt(np.maximum(before**3 - ZONE_RADIUS_MM**3 * (1.0 / (1.0 - loss) - 1.0), 0.0))
    after = np.where(before <= ZONE_RADIUS_MM / (1.0 - loss) ** (1 / 3), before * (1.0 - loss) ** (1 / 3), moved_in)
    return ZONE_CENTRE + offset * after / np.maximum(before, 1e-9)


@cache
def contracted_pre(loss: float) -> Scan:
    """The same body before its zone lost a share of its volume, carried by the rigid map."""
    where = grid()
    at = contracted_post_from_pre(centres(where), loss)
    return Scan(image(at, where, 1), Mask(LIVER(at).reshape(where.shape_kji), where, "liver"), {})
