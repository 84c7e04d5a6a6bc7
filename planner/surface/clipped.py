"""The part of a surface that lies outside others, its triangles cut where it enters them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.surface.mesh import IntArray, PickedSd, Surface

BoolArray = npt.NDArray[np.bool_]

ROUNDS = 3
"""A crossing of an edge is looked for so often, each time between what is known to lie inside and outside."""


class Body(Protocol):
    """What has an inside: a closed surface, or what several of them bound together."""

    def contains(self, points: FloatArray, /) -> BoolArray:
        """Return which points, shape (n, 3), lie inside, shape (n,)."""
        ...

    def signed_depth_mm(self, points: FloatArray, /) -> FloatArray:
        """Return how deep points lie inside, mm (- outside), shape (n,)."""
        ...


def outside_of(surface: Surface, others: Sequence[Body]) -> Surface:
    """Return the part of a surface that lies in none of some other bodies, open where it enters them.

    The vertices that are new lie on the surface; each has the standard deviation of the nearer end of its edge.
    """
    hidden = _in_any(others, surface.vertices_lps_mm)
    corners_hidden = hidden[surface.triangles].sum(axis=1)
    mixed = (corners_hidden > 0) & (corners_hidden < 3)
    whole = surface.triangles[~mixed]
    whole = whole[~_in_any(others, surface.triangle_centres_lps_mm[~mixed])]
    if not mixed.any():
        return replace(surface, triangles=whole)
    odd_first = _odd_first(surface.triangles[mixed], hidden)
    edges = np.concatenate([odd_first[:, (0, 1)], odd_first[:, (0, 2)]])
    edges, places = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    crossings, nearer = _crossings(surface, others, edges, hidden)
    first, second = (len(surface.vertices_lps_mm) + places.reshape(2, -1)).astype(np.int64)
    odd, left, right = odd_first.T
    tips = ~hidden[odd]
    kept = [
        whole,
        np.stack([odd, first, second], axis=1)[tips],
        np.stack([left, right, first], axis=1)[~tips],
        np.stack([right, second, first], axis=1)[~tips],
    ]
    sd_of = surface.sd_of
    return replace(
        surface,
        vertices_lps_mm=np.concatenate([surface.vertices_lps_mm, crossings]),
        triangles=np.concatenate(kept),
        sd_of=None if sd_of is None else PickedSd(sd_of, np.concatenate([np.arange(len(hidden)), nearer])),
    )


def _odd_first(triangles: IntArray, hidden: BoolArray) -> IntArray:
    """Return triangles turned so that the corner that is hidden alone, or free alone, comes first."""
    states = hidden[triangles]
    alone = np.where(states.sum(axis=1) == 1, states.argmax(axis=1), states.argmin(axis=1))
    return np.asarray(np.take_along_axis(triangles, (alone[:, None] + np.arange(3)) % 3, axis=1))


def _crossings(
    surface: Surface, others: Sequence[Body], edges: IntArray, hidden: BoolArray
) -> tuple[FloatArray, IntArray]:
    """Return where edges, shape (n, 2), with one hidden end each, enter the others, and their nearer ends.

    The points lie on the surface, above the edges' chords, shape (n, 3); the ends are indices, shape (n,).
    """
    inner = np.where(hidden[edges[:, 0]], edges[:, 0], edges[:, 1])
    outer = edges.sum(axis=1) - inner
    start, along = surface.vertices_lps_mm[outer], surface.vertices_lps_mm[inner] - surface.vertices_lps_mm[outer]
    low, high = np.zeros(len(edges)), np.ones(len(edges))
    at_low, at_high = (_depth(others, surface.vertices_lps_mm[ends]) for ends in (outer, inner))
    points, share = start, low
    for _ in range(ROUNDS):
        # Both ends on the other surface, as of one zone given twice: any point between them is on it as well.
        flat = at_high - at_low <= 0.0
        share = low + (high - low) * np.where(flat, 0.5, np.clip(-at_low / np.where(flat, 1.0, at_high - at_low), 0, 1))
        points = surface.depths(start + share[:, None] * along).foot_lps_mm
        found = _depth(others, points)
        inside = found > 0.0
        low, at_low = np.where(inside, low, share), np.where(inside, at_low, found)
        high, at_high = np.where(inside, share, high), np.where(inside, found, at_high)
    return points, np.where(share < 0.5, outer, inner)


def _in_any(bodies: Sequence[Body], points: FloatArray) -> BoolArray:
    return np.asarray(np.any([body.contains(points) for body in bodies], axis=0))


def _depth(bodies: Sequence[Body], points: FloatArray) -> FloatArray:
    """Return how deep points lie in the one that holds them deepest, mm (- outside all), shape (n,)."""
    return np.asarray(np.max([body.signed_depth_mm(points) for body in bodies], axis=0))
