"""The body wall: skin, fat, muscle, ribs, spine, lungs and diaphragm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.sample.shapes import Blend, Column, Ellipsoid, FloatArray, HalfSpace, Shape, Tube


@dataclass(frozen=True, eq=False)
class Trunk:
    """The bodies of the wall; `under_diaphragm` is the space below the domes, `cavity` that within the ribs."""

    skin: Shape
    muscle: Shape
    cavity: Blend
    under_diaphragm: Blend
    lung: Blend
    vertebrae: tuple[Shape, ...]
    discs: tuple[Shape, ...]
    canal: Shape
    back_muscles: tuple[Shape, ...]
    ribs: Tube
    arches: Tube


def make_trunk(rng: np.random.Generator, scale: FloatArray) -> Trunk:
    """Return a random patient's body wall."""
    wide, deep = 148 * scale[0], 104 * scale[1]
    fat_mm = rng.uniform(9, 16)
    zero = np.zeros(2)
    inner = Column(np.array([0.0, -2 * scale[1]]), np.array([119 * scale[0], 82 * scale[1]]), 2.4)
    spine_bulge = Column(np.array([0.0, 74 * scale[1]]), np.array([46.0, 34.0]))
    cavity = Blend((inner,), cuts=((spine_bulge, 0.0),), width_mm=14)
    domes = _domes(scale)
    return Trunk(
        skin=Column(zero, np.array([wide, deep]), 2.5),
        muscle=Column(zero, np.array([wide - fat_mm, deep - fat_mm * 0.8]), 2.5),
        cavity=cavity,
        under_diaphragm=domes,
        lung=Blend((inner,), cuts=((spine_bulge, 0.0), (domes, 0.0), (_floor(scale), 0.0)), width_mm=4),
        vertebrae=_vertebrae(scale),
        discs=(Column(np.array([0.0, 50 * scale[1]]), np.array([19.0, 15.0])),),
        canal=Column(np.array([0.0, 72 * scale[1]]), np.array([10.0, 8.0])),
        back_muscles=tuple(_back_muscles(scale)),
        ribs=_ribs(scale, rng.uniform(0, 24)),
        arches=_arches(scale),
    )


def _domes(scale: FloatArray) -> Blend:
    """Return the space under the two domes of the diaphragm, open below."""
    right = Ellipsoid(np.array([-60.0, -4, -34]) * scale, np.array([70.0, 90, 116]) * scale)
    left = Ellipsoid(np.array([62.0, 0, -38]) * scale, np.array([66.0, 86, 108]) * scale)
    middle = Ellipsoid(np.array([0.0, -16, -40]) * scale, np.array([64.0, 76, 112]) * scale)
    below = HalfSpace(np.array([0.0, 0.0, 1.0]), -36 * scale[2])
    return Blend((right, left, middle, below), width_mm=12)


def _floor(scale: FloatArray) -> HalfSpace:
    """Return everything below the deepest recess of the pleura."""
    return HalfSpace(np.array([0.0, 0.0, 1.0]), -12 * scale[2])


def _vertebrae(scale: FloatArray) -> tuple[Shape, ...]:
    """Return vertebral bodies, one every 31 mm."""
    at = np.array([0.0, 50 * scale[1]])
    return tuple(Column(at, np.array([19.5, 15.5]), 2.2, z - 12.5, z + 12.5) for z in np.arange(-170.0, 171, 31))


def _back_muscles(scale: FloatArray) -> list[Shape]:
    """Return the erector muscles and the psoas on both sides."""
    shapes: list[Shape] = []
    for side in (-1.0, 1.0):
        shapes.append(Column(np.array([side * 33.0, 78 * scale[1]]), np.array([27.0, 15.0])))
        shapes.append(Ellipsoid(np.array([side * 32.0, 50 * scale[1], -120]), np.array([15.0, 15.0, 85.0])))
    return shapes


def _ribs(scale: FloatArray, shift_mm: float) -> Tube:
    """Return nine pairs of ribs, each sloping down from the spine to the front."""
    angle = np.linspace(np.deg2rad(14), np.deg2rad(146), 26)
    tubes = []
    for start in np.arange(-80.0, 200.0, 31.0) + shift_mm:
        for side in (-1.0, 1.0):
            x = side * 126 * scale[0] * np.sin(angle) ** 0.85
            y = -2 + 88 * scale[1] * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.85
            z = start - 46 * (angle - angle[0])
            reach = angle < np.deg2rad(146 if start > -20 else 100)
            tubes.append(Tube.along(np.stack([x, y, z], axis=1)[reach], (5.5, 4.8)))
    return Tube.joined(tubes)


def _arches(scale: FloatArray) -> Tube:
    """Return laminae, transverse and spinous processes."""
    tubes = []
    back = 72 * scale[1]
    for z in np.arange(-170.0, 171, 31):
        for side in (-1.0, 1.0):
            tubes.append(
                Tube.along([(side * 14, back - 10, z), (side * 12, back + 4, z - 2), (0, back + 11, z - 6)], 3.6)
            )
            tubes.append(Tube.along([(side * 14, back, z), (side * 34, back + 6, z + 3)], (4.5, 3.0)))
        tubes.append(Tube.along([(0, back + 10, z - 5), (0, back + 22, z - 15)], (4.0, 3.0)))
    return Tube.joined(tubes)
