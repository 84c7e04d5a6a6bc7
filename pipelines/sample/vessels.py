"""Branching vessels: trunks laid by hand, branches grown inside the liver away from everything already there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from pipelines.sample.shapes import FloatArray, Tube, norm, unit

Level = Callable[[FloatArray], FloatArray]
CAPSULE_GAP_MM = 4.0
BRANCH_GAP_MM = 1.0
NEAR_MM = 12.0
STEPS = 5


def curve(points_mm: npt.ArrayLike, count: int = 12) -> FloatArray:
    """Return `count` points along a cubic spline through the given points."""
    points = np.asarray(points_mm, dtype=np.float64)
    length = np.concatenate([[0.0], np.cumsum(norm(np.diff(points, axis=0)))])
    return np.asarray(CubicSpline(length, points)(np.linspace(0, length[-1], count)))


def _resampled(points_mm: FloatArray, count: int) -> FloatArray:
    """Return `count` points along a polyline, evenly in its index."""
    at = np.linspace(0, len(points_mm) - 1, count)
    return np.stack([np.interp(at, np.arange(len(points_mm)), points_mm[:, n]) for n in range(3)], axis=-1)


@dataclass(frozen=True, eq=False)
class Branch:
    """A stretch of vessel: centre line, radii, owner (the structure it belongs to) and generation (trunk = 1)."""

    owner: str
    generation: int
    points_mm: FloatArray
    radii_mm: FloatArray

    @property
    def tube(self) -> Tube:
        """The body of the branch."""
        return Tube.along(self.points_mm, self.radii_mm)


@dataclass
class Grower:
    """Grows branches one after the other; remembers what is already there."""

    rng: np.random.Generator
    liver: Level
    placed: list[Branch] = field(default_factory=list)
    _spheres: FloatArray = field(default_factory=lambda: np.zeros((0, 5)))

    def lay(self, owner: str, points_mm: npt.ArrayLike, radii_mm: tuple[float, float], count: int = 12) -> Branch:
        """Lay a trunk along a spline, unconditionally."""
        path = curve(points_mm, count)
        branch = Branch(owner, 1, path, np.linspace(radii_mm[0], radii_mm[1], count))
        return self._place(branch)

    def sprout(self, parent: Branch, fraction: float, length_mm: float, ratio: float) -> Branch | None:
        """Grow a child from a parent at a fraction of its length, or return None where there is no room."""
        index = round(fraction * (len(parent.points_mm) - 1))
        start, radius = parent.points_mm[index], float(parent.radii_mm[index]) * ratio
        ahead = unit(parent.points_mm[min(index + 1, len(parent.points_mm) - 1)] - parent.points_mm[max(index - 1, 0)])
        for _ in range(8):
            path = self._path(start, ahead, length_mm * self.rng.uniform(0.8, 1.2))
            branch = Branch(parent.owner, parent.generation + 1, path, np.linspace(radius, radius * 0.7, len(path)))
            if self._fits(branch):
                return self._place(branch)
            length_mm *= 0.9
        return None

    def _path(self, start: FloatArray, ahead: FloatArray, length_mm: float) -> FloatArray:
        sideways = unit(np.cross(ahead, self.rng.normal(size=3)))
        angle = np.deg2rad(self.rng.uniform(30, 65))
        heading = unit(np.cos(angle) * ahead + np.sin(angle) * sideways)
        bend = self.rng.normal(size=3) * 0.10
        points = [start]
        for _ in range(STEPS):
            points.append(points[-1] + heading * (length_mm / STEPS))
            heading = unit(heading + bend + 0.12 * (ahead - heading))
        return np.array(points)

    def _place(self, branch: Branch) -> Branch:
        """Keep a branch, and spheres along it for later questions."""
        points = curve(branch.points_mm, 20)
        radii = np.interp(np.linspace(0, 1, 20), np.linspace(0, 1, len(branch.radii_mm)), branch.radii_mm)
        rows = np.column_stack([points, radii + BRANCH_GAP_MM, np.full(20, len(self.placed))])
        self._spheres = np.concatenate([self._spheres, rows])
        self.placed.append(branch)
        return branch

    def _fits(self, branch: Branch) -> bool:
        path = _resampled(branch.points_mm, 12)
        if float(self.liver(path[2:]).max()) > -CAPSULE_GAP_MM:
            return False
        middle = (path[0] + path[-1]) / 2
        reach = float(norm(path - middle).max()) + NEAR_MM
        near = self._spheres[(np.abs(self._spheres[:, :3] - middle) < reach).all(axis=1)]
        clear = {float(n) for n in np.unique(near[:, 4]) if _must_clear(branch, self.placed[int(n)])}
        near = near[np.isin(near[:, 4], list(clear))]
        if not len(near):
            return True
        gaps = norm(path[3:, None] - near[None, :, :3]) - near[None, :, 3]
        return float(gaps.min()) > float(branch.radii_mm[0])

    def fill(self, trunks: list[Branch], *, seconds_mm: float, depth: int = 4) -> None:
        """Grow side branches and forks from trunks, down to a generation."""
        row = trunks
        while row and row[0].generation < depth:
            row = [child for parent in row for child in self._children(parent, seconds_mm)]

    def _children(self, parent: Branch, seconds_mm: float) -> list[Branch]:
        length = seconds_mm * 0.68 ** (parent.generation - 1)
        if parent.generation == 1:
            places = [(f, 0.62) for f in self.rng.uniform(-0.06, 0.06, 4) + np.array([0.42, 0.6, 0.78, 0.9])]
        else:
            places = [(0.55, 0.6), (1.0, 0.8), (1.0, 0.7)]
        places.append((1.0, 0.8))
        grown = (self.sprout(parent, min(float(f), 1.0), length, ratio) for f, ratio in places)
        return [branch for branch in grown if branch is not None]


def _must_clear(branch: Branch, other: Branch) -> bool:
    """Return whether two branches must not touch: all but close kin of one tree."""
    return other.owner != branch.owner or branch.generation - other.generation > 1


def tube_of(branches: list[Branch], owner: str, generations: int = 99) -> Tube:
    """Return one tube of all branches of an owner up to a generation."""
    return Tube.joined([b.tube for b in branches if b.owner == owner and b.generation <= generations])
