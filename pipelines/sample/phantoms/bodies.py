"""Analytic bodies: which points lie inside, and points spread over their surfaces with normals and areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Samples:
    """Points spread over a surface.

    Parameters
    ----------
    points_mm, normals
        Shape (n, 3): points on the surface and outward unit normals.
    area_mm2
        Shape (n,): the share of the surface that each stands for.
    """

    points_mm: FloatArray
    normals: FloatArray
    area_mm2: FloatArray

    def where(self, keep: BoolArray) -> Samples:
        """Return the samples that are to be kept."""
        return Samples(self.points_mm[keep], self.normals[keep], self.area_mm2[keep])


class Body(Protocol):
    """A solid whose surface is known in closed form."""

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points, shape (n, 3), lie inside."""
        ...

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return how deep points lie below the surface, + inside: right to first order near it, of the right sign."""
        ...

    def samples(self, count: int) -> Samples:
        """Return about `count` points spread over the surface."""
        ...


@dataclass(frozen=True, eq=False)
class Star:
    """A star-shaped body: radius(u) = base(u) * (1 + sum of bumps), u a unit direction from the centre.

    Parameters
    ----------
    centre_mm
        Shape (3,).
    shape_per_mm2
        Shape (3, 3): the ellipsoid {x: x' A x <= 1} that the bumps sit on.
    bumps
        Shape (n, 5): direction (3), height as a share of the radius, sharpness.
    """

    centre_mm: FloatArray
    shape_per_mm2: FloatArray
    bumps: FloatArray

    def radius_at(self, directions: FloatArray) -> FloatArray:
        """Return the radius, mm, along unit directions, shape (n,)."""
        heights = np.zeros(len(directions))
        for *axis, height, sharpness in self.bumps:
            heights += height * np.exp(sharpness * (directions @ np.asarray(axis) - 1.0))
        level = np.einsum("ij,jk,ik->i", directions, self.shape_per_mm2, directions)
        return np.asarray((1.0 + heights) / np.sqrt(level))

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        return np.asarray(self._level(points_mm) <= 0.0)

    def samples(self, count: int) -> Samples:
        """Return points along `count` directions that are spread evenly over the sphere."""
        u = _fibonacci(count)
        radius = self.radius_at(u)
        points = self.centre_mm + radius[:, None] * u
        gradient = self._slope(points)
        normals = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
        area = 4.0 * np.pi / count * radius**2 / np.einsum("ij,ij->i", normals, u)
        return Samples(points, normals, area)

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return the depths of points, mm."""
        return np.asarray(-self._level(points_mm) / np.linalg.norm(self._slope(points_mm), axis=1))

    def _slope(self, points_mm: FloatArray) -> FloatArray:
        gradient = np.zeros_like(points_mm)
        step = 1e-4
        for axis in range(3):
            shift = np.zeros(3)
            shift[axis] = step
            gradient[:, axis] = (self._level(points_mm + shift) - self._level(points_mm - shift)) / (2 * step)
        return gradient

    def _level(self, points_mm: FloatArray) -> FloatArray:
        offset = points_mm - self.centre_mm
        length = np.linalg.norm(offset, axis=1)
        # At the very centre any direction will do.
        direction = np.where(length[:, None] > 1e-9, offset / np.maximum(length, 1e-9)[:, None], [0.0, 0.0, 1.0])
        return np.asarray(length - self.radius_at(direction))


def ball(centre_mm: npt.ArrayLike, radius_mm: float, bumps: FloatArray | None = None) -> Star:
    """Return a ball, with bumps or without."""
    return ellipsoid(centre_mm, np.full(3, radius_mm), np.eye(3), bumps)


def ellipsoid(
    centre_mm: npt.ArrayLike, half_axes_mm: npt.ArrayLike, turned: FloatArray, bumps: FloatArray | None = None
) -> Star:
    """Return an ellipsoid whose axes are the columns of the rotation `turned`."""
    shape = turned @ np.diag(1.0 / np.asarray(half_axes_mm, dtype=np.float64) ** 2) @ turned.T
    return Star(np.asarray(centre_mm, dtype=np.float64), shape, np.zeros((0, 5)) if bumps is None else bumps)


def lobes(rng: np.random.Generator, count: int, height: float, sharpness: tuple[float, float]) -> FloatArray:
    """Return bumps of a star at random: some dents, most of them lobes of up to `height` radii, shape (count, 5)."""
    axes = rng.normal(size=(count, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    heights = rng.uniform(-0.4, 1.0, size=(count, 1)) * height
    return np.concatenate([axes, heights, rng.uniform(*sharpness, size=(count, 1))], axis=1)


@dataclass(frozen=True, eq=False)
class Arc:
    """A tube with round ends around an arc of a circle (a C); a long radius makes it a nearly straight one.

    Parameters
    ----------
    centre_mm
        Shape (3,): centre of the circle.
    frame
        Shape (3, 3): rows are the direction to the arc's middle, the tangent there, and the circle's axis.
    circle_mm, tube_mm
        Radius of the circle and of the tube; the tube is the thinner.
    half_angle_rad
        The arc spans twice this angle.
    """

    centre_mm: FloatArray
    frame: FloatArray
    circle_mm: float
    tube_mm: float
    half_angle_rad: float

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        return np.asarray(self.depth_mm(points_mm) >= 0.0)

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return the depths of points, mm."""
        away = (points_mm - self.centre_mm) @ self.frame.T
        angle = np.clip(np.arctan2(away[:, 1], away[:, 0]), -self.half_angle_rad, self.half_angle_rad)
        return np.asarray(self.tube_mm - np.linalg.norm(away - self._line(angle), axis=1))

    def samples(self, count: int) -> Samples:
        """Return points over the tube and its two half balls."""
        wall = 4.0 * np.pi * self.half_angle_rad * self.tube_mm * self.circle_mm
        caps = 4.0 * np.pi * self.tube_mm**2
        along = max(8, int(np.sqrt(count * wall / (wall + caps) * self.half_angle_rad * self.circle_mm
                                   / (np.pi * self.tube_mm))))  # fmt: skip
        around = max(8, int(count * wall / (wall + caps) / along))
        step = 2.0 * self.half_angle_rad / along
        angle, phi = (
            a.ravel()
            for a in np.meshgrid(
                -self.half_angle_rad + step * (np.arange(along) + 0.5),
                2.0 * np.pi * (np.arange(around) + 0.5) / around,
                indexing="ij",
            )
        )
        radial = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
        normal = np.cos(phi)[:, None] * radial + np.sin(phi)[:, None] * np.array([0.0, 0.0, 1.0])
        area = self.tube_mm * (2.0 * np.pi / around) * step * (self.circle_mm + self.tube_mm * np.cos(phi))
        sphere = _fibonacci(max(16, int(count * caps / (wall + caps))))
        ends = []
        for sign in (-1.0, 1.0):
            tip = np.array([sign * self.half_angle_rad])
            onward = sign * np.array([-np.sin(tip[0]), np.cos(tip[0]), 0.0])
            half = sphere[sphere @ onward > 0.0]
            ends.append((self._line(tip) + self.tube_mm * half, half, np.full(len(half), caps / len(sphere))))
        local = np.concatenate([self._line(angle) + self.tube_mm * normal, *(e[0] for e in ends)])
        normals = np.concatenate([normal, *(e[1] for e in ends)])
        areas = np.concatenate([area, *(e[2] for e in ends)])
        return Samples(self.centre_mm + local @ self.frame, normals @ self.frame, areas)

    def _line(self, angle: FloatArray) -> FloatArray:
        return self.circle_mm * np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)


@dataclass(frozen=True, eq=False)
class Cut:
    """A body without another (a groove beside a vessel)."""

    body: Body
    tool: Body

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        return np.asarray(self.body.inside(points_mm) & ~self.tool.inside(points_mm))

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return the depths of points, mm."""
        return np.asarray(np.minimum(self.body.depth_mm(points_mm), -self.tool.depth_mm(points_mm)))

    def samples(self, count: int) -> Samples:
        """Return the samples of the body outside the tool, and of the tool inside the body, turned around."""
        outer, inner = self.body.samples(count), self.tool.samples(count)
        outer = outer.where(~self.tool.inside(outer.points_mm))
        inner = inner.where(self.body.inside(inner.points_mm))
        return Samples(
            np.concatenate([outer.points_mm, inner.points_mm]),
            np.concatenate([outer.normals, -inner.normals]),
            np.concatenate([outer.area_mm2, inner.area_mm2]),
        )


@dataclass(frozen=True, eq=False)
class Union:
    """Several bodies as one."""

    bodies: tuple[Body, ...]

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        return np.asarray(np.any([body.inside(points_mm) for body in self.bodies], axis=0))

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return the depths of points, mm."""
        return np.asarray(np.max([body.depth_mm(points_mm) for body in self.bodies], axis=0))

    def samples(self, count: int) -> Samples:
        """Return of each body's samples those that no other covers."""
        kept = []
        for index, body in enumerate(self.bodies):
            own = body.samples(count)
            others = [other.inside(own.points_mm) for n, other in enumerate(self.bodies) if n != index]
            kept.append(own.where(~np.any(others, axis=0)) if others else own)
        return Samples(*(np.concatenate([getattr(k, name) for k in kept]) for name in Samples.__annotations__))


def _fibonacci(count: int) -> FloatArray:
    index = np.arange(count) + 0.5
    z = 1.0 - 2.0 * index / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * index
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
