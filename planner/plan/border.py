"""The border of what several zones must hold together, meshed, so that between its points nothing is overlooked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.surface import Surface, outside_of

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Depth = Callable[[FloatArray], FloatArray]
Onto = Callable[[FloatArray], FloatArray]

MOST_POINTS = 4000
"""A surface of more vertices is made coarser before it is used."""

KNOWN_POINTS = 300
SURE_MM = 3.0
"""How deep so many points lie in the liver tells the side of others; nearer than this to where it ends each is asked.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """The border of a body as curved triangles; some of them may lie within the body.

    Parameters
    ----------
    points_lps_mm
        Corners, shape (n, 3).
    edges
        Indices of their ends, shape (m, 2).
    middles_lps_mm
        The point of the border above the middle of each edge, shape (m, 3).
    triangles, sides
        Indices of corners, and of the edges from each corner to the next, shape (k, 3).
    """

    points_lps_mm: FloatArray
    edges: IntArray
    middles_lps_mm: FloatArray
    triangles: IntArray
    sides: IntArray

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to hold."""
        return not len(self.points_lps_mm)


class Bordered:
    """The borders of what is left of a tumour that is grown by one margin after another.

    Parameters
    ----------
    tumour
        Its surface in the planning scan.
    liver
        With it, tissue outside the closed liver is no target.
    most_mm
        No larger margin will be asked for.
    made
        Zones that stay; what they hold is no target any more.
    """

    def __init__(
        self, tumour: Surface, liver: ClosedLiver | None, most_mm: float, made: Sequence[Surface] = ()
    ) -> None:
        self._tumour, self._liver, self._made = tumour, liver, made
        self._free = _outside(made)
        if liver is not None:
            self._capsule = _near(liver.surface, tumour, most_mm)
            self._in_liver = _InLiver(liver, tumour.vertices_lps_mm)

    def by(self, margin_mm: float) -> Border:
        """Return the border of the target of a margin, mm, without what was made: nothing where all of it is held."""
        own = self._of_target(margin_mm)
        if all(piece.is_empty for piece in own):
            return _joined(own)
        target = self._depth(margin_mm)
        walls = [
            _piece(zone, _both(target, _outside([*self._made[:n], *self._made[n + 1 :]])), _onto(zone))
            for n, zone in enumerate(self._made)
        ]
        return _joined([*own, *walls])

    def _of_target(self, margin_mm: float) -> list[Border]:
        """Return the parts of the target's border that lie outside what was made."""
        if margin_mm <= 0.0:
            return [_piece(self._tumour, self._free, _onto(self._tumour))]
        grown, onto_grown = _grown(self._tumour, margin_mm), _onto(self._tumour, margin_mm)
        if self._liver is None:
            return [_piece(grown, self._free, onto_grown)]
        bounds = [_piece(grown, _both(self._in_liver, self._free), onto_grown), self._beyond_liver]
        if self._capsule is not None:
            within = _both(self._within(margin_mm), self._free)
            bounds.append(_piece(self._capsule, within, _onto(self._capsule)))
        return bounds

    @cached_property
    def _beyond_liver(self) -> Border:
        """The part of the tumour's surface that lies outside the liver, where nothing grows."""
        return _piece(self._tumour, _both(lambda points: -self._in_liver(points), self._free), _onto(self._tumour))

    def _depth(self, margin_mm: float) -> Depth:
        """Return how deep points lie in the target, mm: its sign is exact, and what it is near the border."""
        within, tumour = self._within(margin_mm), self._within(0.0)
        if self._liver is None or margin_mm <= 0.0:
            return within
        grown = _both(within, self._in_liver)
        return lambda points: np.maximum(tumour(points), grown(points))

    def _within(self, margin_mm: float) -> Depth:
        return lambda points: self._tumour.signed_depth_mm(points) + margin_mm


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """What is cut away of a surface: where a depth is negative."""

    depth_mm: Depth

    def contains(self, points: FloatArray, /) -> BoolArray:
        return self.depth_mm(points) < 0.0

    def signed_depth_mm(self, points: FloatArray, /) -> FloatArray:
        return -self.depth_mm(points)


def _both(first: Depth, second: Depth) -> Depth:
    return lambda points: np.minimum(first(points), second(points))


def _outside(zones: Sequence[Surface]) -> Depth:
    """Return how far points lie outside all of some zones, mm; everything does where there is none."""
    if not zones:
        return lambda points: np.full(len(points), np.inf)
    return lambda points: -np.max([zone.signed_depth_mm(points) for zone in zones], axis=0)


class _InLiver:
    """How deep points lie in the closed liver, mm; less than that, of the same sign, far from where it ends.

    A point is no farther from where the liver ends than another, by more than the two are apart: far inside, and far
    outside, what is known of a few points tells the side of all others.
    """

    def __init__(self, liver: ClosedLiver, points: FloatArray) -> None:
        known = points[:: max(1, len(points) // KNOWN_POINTS)]
        self._liver, self._tree, self._known_mm = liver, cKDTree(known), self._exact(liver, known)

    def __call__(self, points: FloatArray) -> FloatArray:
        gap, nearest = self._tree.query(points)
        known = self._known_mm[nearest]
        found = np.sign(known) * (np.abs(known) - gap)
        unsure = np.abs(known) < gap + SURE_MM
        if unsure.any():
            found[unsure] = self._exact(self._liver, points[unsure])
        return np.asarray(found)

    @staticmethod
    def _exact(liver: ClosedLiver, points: FloatArray) -> FloatArray:
        return liver.surface.signed_depth_mm(liver.liver_from_post(points))


def _grown(tumour: Surface, margin_mm: float) -> Surface:
    """Return a surface at a distance from the tumour; beside a hollow some of it may lie nearer, so within it."""
    moved = tumour.vertices_lps_mm + margin_mm * tumour.vertex_normals
    return replace(tumour, vertices_lps_mm=moved, sd_of=None, even=False)


def _onto(surface: Surface, away_mm: float = 0.0) -> Onto:
    """Return what brings points that lie nearly there to a distance from a surface."""

    def moved(points: FloatArray) -> FloatArray:
        feet = surface.depths(points).foot_lps_mm
        outward = points - feet
        return np.asarray(feet + away_mm * outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9))

    return moved


def _near(capsule: Surface, tumour: Surface, most_mm: float) -> Surface | None:
    """Return the part of the capsule in the box that the tumour reaches when it is grown the most; None of it."""
    low, high = tumour.vertices_lps_mm.min(axis=0) - most_mm, tumour.vertices_lps_mm.max(axis=0) + most_mm
    inside = ((capsule.vertices_lps_mm >= low) & (capsule.vertices_lps_mm <= high)).all(axis=1)
    return capsule.within(inside) if inside.any() else None


def _piece(surface: Surface, depth: Depth, onto: Onto) -> Border:
    """Return the part of a surface where a depth is positive."""
    cut = outside_of(_coarser(surface), [_Cut(depth)])
    if not len(cut.triangles):
        return _joined([])
    used, triangles = np.unique(cut.triangles, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    ends = np.sort(np.concatenate([triangles[:, (0, 1)], triangles[:, (1, 2)], triangles[:, (2, 0)]]), axis=1)
    edges, sides = np.unique(ends, axis=0, return_inverse=True)
    points = onto(cut.vertices_lps_mm[used])
    return Border(points, edges, onto(points[edges].mean(axis=1)), triangles, sides.reshape(3, -1).T)


def _coarser(surface: Surface) -> Surface:
    """Return a surface with about `MOST_POINTS` of its vertices at most: one for each cell of a lattice."""
    if len(surface.vertices_lps_mm) <= MOST_POINTS:
        return surface
    cell_mm = float(np.sqrt(2.0 * surface.vertex_area_mm2.sum() / MOST_POINTS))
    cells = np.floor(surface.vertices_lps_mm / cell_mm).astype(np.int64)
    _, first, of = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    triangles = of.reshape(-1)[surface.triangles]
    a, b, c = triangles.T
    whole = (a != b) & (b != c) & (c != a)
    return replace(
        surface, vertices_lps_mm=surface.vertices_lps_mm[first], triangles=triangles[whole], sd_of=None, even=False
    )


def _joined(pieces: Sequence[Border]) -> Border:
    """Return pieces side by side; those that meet have the points where they meet each for itself."""
    points, edges = ([0, *np.cumsum([len(values) for values in of])] for of in (
        [piece.points_lps_mm for piece in pieces], [piece.edges for piece in pieces],
    ))  # fmt: skip
    none, no_points = np.zeros((0, 3), dtype=np.int64), np.zeros((0, 3))
    return Border(
        np.concatenate([no_points, *(piece.points_lps_mm for piece in pieces)]),
        np.concatenate([none[:, :2], *(p.edges + start for p, start in zip(pieces, points, strict=False))]),
        np.concatenate([no_points, *(piece.middles_lps_mm for piece in pieces)]),
        np.concatenate([none, *(p.triangles + start for p, start in zip(pieces, points, strict=False))]),
        np.concatenate([none, *(p.sides + start for p, start in zip(pieces, edges, strict=False))]),
    )
