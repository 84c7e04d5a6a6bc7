"""In which draws several zones together hold a border: at its points and, exactly, between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.plan.border import Border
from planner.plan.robust import LEAST_MM
from planner.plan.zone import PlannedZone

BoolArray = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

FEW_POINTS = 200
"""Points of a border that are held against every draw first."""

AT_ONCE = 512
"""Draws that are looked at together: memory, not results, depends on it."""

ROWS = 5
ROUNDS = 3
CLOSER = 1.0 / 3.0
"""A triangle whose corners are held by no two zones is looked at in so many rows of points, and so often, each time in
so much of its size around the point that is farthest from being held."""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Where the zones of each draw lie, and how large they are.

    Parameters
    ----------
    zones
        As planned.
    shifts_mm
        How far each zone is off, shape (zones, draws, 3).
    growths_mm
        By how much its radii grow, shape (zones, draws).
    """

    zones: tuple[PlannedZone, ...]
    shifts_mm: FloatArray
    growths_mm: FloatArray

    @property
    def count(self) -> int:
        """How many draws there are."""
        return int(self.growths_mm.shape[1])

    def only(self, wanted: IntArray | slice) -> Draws:
        """Return some of the draws."""
        return Draws(self.zones, self.shifts_mm[:, wanted], self.growths_mm[:, wanted])

    def blocks(self) -> Iterator[tuple[slice, Draws]]:
        """Return the draws some at a time, each time with where they stand."""
        for start in range(0, self.count, AT_ONCE):
            yield slice(start, start + AT_ONCE), self.only(slice(start, start + AT_ONCE))


def held_in(draws: Draws, border: Border, inner: FloatArray) -> BoolArray:
    """Return in which draws the zones hold a border, and some points within it, shape (draws,)."""
    points = np.concatenate([border.points_lps_mm, inner])
    held = np.ones(draws.count, dtype=bool)
    if not len(points):
        return held
    few = points[:: max(1, len(points) // FEW_POINTS)]
    for block, some in draws.blocks():
        held[block] = _unpacked(np.bitwise_and.reduce(_in_any(_inside(some, few))), some.count)
    left = np.flatnonzero(held)
    rest = draws.only(left)
    for block, some in rest.blocks():
        held[left[block]] = _holds_all(some, border, points)
    return held


def _holds_all(draws: Draws, border: Border, points: FloatArray) -> BoolArray:
    """Return in which of a few draws the zones hold points, and the edges and triangles between them, shape (draws,).

    What one convex zone holds the ends of, it holds. An edge whose ends are held by different zones is held if their
    parts of it meet. A triangle whose edges are held by two zones is held: two convex zones leave no hole in a plane.
    """
    inside = _inside(draws, points)
    held = np.bitwise_and.reduce(_in_any(inside))
    start, end = border.edges.T
    loose = ~_in_any(inside[:, start] & inside[:, end]) & held
    held &= ~_where(*_missed_edges(draws, border, *_pairs(loose, draws.count)), len(held))
    if len(draws.zones) > 2:
        a, b, c = border.triangles.T
        loose = np.broadcast_to(held, (len(a), len(held))).copy()
        for pair in combinations(inside, 2):
            both = np.bitwise_or(*pair)
            loose &= ~(both[a] & both[b] & both[c])
        held &= ~_where(*_missed_triangles(draws, border, *_pairs(loose, draws.count)), len(held))
    return _unpacked(held, draws.count)


def _inside(draws: Draws, points: FloatArray) -> Bits:
    """Return which zone of which draw holds which point, shape (zones, points, draws / 8): a bit for each draw.

    The square of the scale at which a zone reaches a point is a sum of products of the point's and the draw's terms.
    """
    found = []
    for zone, shifts, growths in zip(draws.zones, draws.shifts_mm, draws.growths_mm, strict=True):
        across, longer = _shape(zone, growths)
        offset = points - zone.centre_lps_mm
        along = offset @ zone.axis_lps
        off_along = shifts @ zone.axis_lps
        of_point = np.column_stack([(offset**2).sum(axis=1), along**2, offset, np.ones(len(points))])
        linear = -2.0 * (across[:, None] * shifts + (longer * off_along)[:, None] * zone.axis_lps)
        constant = across * (shifts**2).sum(axis=1) + longer * off_along**2
        of_draw = np.vstack([across, longer, linear.T, constant])
        found.append(np.packbits(of_point @ of_draw <= 1.0, axis=1))
    return np.stack(found)


def _shape(zone: PlannedZone, growths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return 1 / half width squared of each draw, and what to add to it along the axis, 1 / mm squared."""
    half_length = np.maximum(zone.length_mm / 2.0 + growths, LEAST_MM)
    half_width = np.maximum(zone.width_mm / 2.0 + growths, LEAST_MM)
    return 1.0 / half_width**2, 1.0 / half_length**2 - 1.0 / half_width**2


def _in_any(inside: Bits) -> Bits:
    return np.asarray(np.bitwise_or.reduce(inside, axis=0))


def _unpacked(bits: Bits, count: int) -> BoolArray:
    return np.unpackbits(bits, count=count).astype(bool)


def _pairs(bits: Bits, count: int) -> tuple[IntArray, IntArray]:
    """Return the rows and draws whose bits are set."""
    rows = np.flatnonzero(bits.any(axis=1))
    row, draw = np.nonzero(np.unpackbits(bits[rows], axis=1, count=count))
    return rows[row], draw


def _where(draws: IntArray, missed: BoolArray, size: int) -> Bits:
    """Return bits of the draws in which something is missed."""
    found = np.zeros(8 * size, dtype=bool)
    found[draws[missed]] = True
    return np.packbits(found)


def _missed_edges(draws: Draws, border: Border, edges: IntArray, of: IntArray) -> tuple[IntArray, BoolArray]:
    """Return the draws, and whether the zones leave out some of an edge in each: either half of it is a chord."""
    first, last = border.points_lps_mm[border.edges[edges]].swapaxes(0, 1)
    middle = border.middles_lps_mm[edges]
    return of, _gap(draws, of, first, middle) | _gap(draws, of, middle, last)


def _gap(draws: Draws, of: IntArray, first: FloatArray, last: FloatArray) -> BoolArray:
    """Return whether zones leave out some of the chord from one point to another, each of a draw, shape (n,)."""
    spans = [_span(draws, number, of, first, last - first) for number in range(len(draws.zones))]
    reached = np.zeros(len(of))
    for _ in spans:
        for enter, leave in spans:
            reached = np.where(enter <= reached, np.maximum(reached, leave), reached)
    return np.asarray(reached < 1.0)


def _span(
    draws: Draws, number: int, of: IntArray, start: FloatArray, along: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return between which shares of a way, from its start, it runs in a zone: the first is infinite where nowhere."""
    zone = draws.zones[number]
    across, longer = (values[of] for values in _shape(zone, draws.growths_mm[number]))
    offset = start - zone.centre_lps_mm - draws.shifts_mm[number][of]
    on_axis, step = offset @ zone.axis_lps, along @ zone.axis_lps
    a = across * np.einsum("nk,nk->n", along, along) + longer * step**2
    b = across * np.einsum("nk,nk->n", offset, along) + longer * on_axis * step
    c = across * np.einsum("nk,nk->n", offset, offset) + longer * on_axis**2 - 1.0
    root = b**2 - a * c
    half = np.sqrt(np.maximum(root, 0.0))
    a = np.maximum(a, 1e-300)
    return np.where(root < 0.0, np.inf, (-b - half) / a), (-b + half) / a


def _missed_triangles(draws: Draws, border: Border, triangles: IntArray, of: IntArray) -> tuple[IntArray, BoolArray]:
    """Return the draws, and whether the zones leave out a point of a curved triangle in each.

    The point that the zones would have to grow most for is looked for ever nearer to the one found so far.
    """
    corners, sides = border.points_lps_mm[border.triangles[triangles]], border.middles_lps_mm[border.sides[triangles]]
    nodes = np.concatenate([corners, sides], axis=1)
    grid = np.array([(i, j, ROWS - i - j) for i in range(ROWS + 1) for j in range(ROWS + 1 - i)]) / ROWS
    shares = np.broadcast_to(grid, (len(of), *grid.shape))
    missed = np.zeros(len(of), dtype=bool)
    for closer in range(1, ROUNDS + 1):
        scale = _scale(draws, of, np.einsum("nsc,ncj->nsj", _quadratic(shares), nodes))
        missed |= scale.max(axis=1, initial=0.0) > 1.0
        worst = np.take_along_axis(shares, scale.argmax(axis=1)[:, None, None], axis=1)
        shares = np.maximum(worst + (grid - 1.0 / 3.0) * CLOSER**closer, 0.0)
        shares /= shares.sum(axis=2, keepdims=True)
    return of, missed


def _scale(draws: Draws, of: IntArray, points: FloatArray) -> FloatArray:
    """Return the square of the scale at which the first of the zones reaches points, shape (n, s) for (n, s, 3)."""
    least = np.full(points.shape[:2], np.inf)
    for number, zone in enumerate(draws.zones):
        across, longer = (values[of][:, None] for values in _shape(zone, draws.growths_mm[number]))
        offset = points - zone.centre_lps_mm - draws.shifts_mm[number][of][:, None]
        scale = across * np.einsum("nsj,nsj->ns", offset, offset) + longer * (offset @ zone.axis_lps) ** 2
        least = np.minimum(least, scale)
    return least


def _quadratic(shares: FloatArray) -> FloatArray:
    """Return the weights of a curved triangle's corners and middles of sides, shape (..., 6), at shares of corners."""
    return np.concatenate([shares * (2.0 * shares - 1.0), 4.0 * shares * np.roll(shares, -1, axis=-1)], axis=-1)


def mean_share(draws: Draws, points: FloatArray) -> float:
    """Return the mean share of points in the zones, 1 of none; a tenth of the draws tells it well enough."""
    if not len(points):
        return 1.0
    some = draws.only(slice(0, max(1, draws.count // 10)))
    held = [
        np.unpackbits(_in_any(_inside(block, points)), axis=1, count=block.count).sum() for _, block in some.blocks()
    ]
    return float(np.sum(held)) / (len(points) * some.count)
