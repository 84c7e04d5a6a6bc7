"""Along how much of a vessel a surface touches it or holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.measure.centreline import Centreline
from planner.surface import Surface

LEAST_TOUCH_MM = 0.5
TOUCH_VOXELS = 0.5
"""Closer than half of the coarsest spacing (at least half a millimetre), two surfaces touch: masks say no more."""

AROUND = 24
RINGS = (0.5, 1.0)
"""A vessel's section is asked at its middle and at so many points around it, at these shares of its radius."""


THINNEST_VOXELS = 1.5
"""A vessel thinner than so many of its mask's coarsest spacing falls to pieces between the slices."""


THICKEST_MM = 3.0
"""On a coarser lattice no length of contact is told."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The length along a vessel on which something touches or holds it, mm; None with a reason where not known."""

    mm: float | None
    reason: str | None = None


def touch_mm(*spacings_kji_mm: tuple[float, float, float]) -> float:
    """Return how near surfaces from masks of some spacings have to be to touch."""
    return max(LEAST_TOUCH_MM, TOUCH_VOXELS * max(max(spacing) for spacing in spacings_kji_mm))


def contact_along(vessel: Centreline, zones: Sequence[Surface], within_mm: float, coarsest_mm: float) -> Contact:
    """Return the length along a vessel on which some part of its section lies in a zone, or nearly so.

    Parameters
    ----------
    vessel, zones
        In one frame.
    within_mm
        So near counts as touching.
    coarsest_mm
        Spacing of the vessel's mask: a vessel that is too thin for it where it touches cannot be followed.
    """
    if coarsest_mm > THICKEST_MM:
        text = f"the mask's grid is too coarse for a length ({coarsest_mm:.1f} mm, at most {THICKEST_MM:g} mm)"
        return Contact(None, text)
    excess = section_depth_mm(vessel, zones) + within_mm
    touched = excess >= 0.0
    if touched.any() and 2.0 * float(np.median(vessel.radius_mm[touched])) < THINNEST_VOXELS * coarsest_mm:
        text = f"the vessel is too thin there for the spacing of its mask ({coarsest_mm:.1f} mm) to follow it"
        return Contact(None, text)
    return Contact(vessel.length_where_mm(excess))


def section_depth_mm(vessel: Centreline, zones: Sequence[Surface]) -> FloatArray:
    """Return how deep the deepest point of each of a vessel's sections lies in the zones, shape (n,): + inside."""
    middle = depth_in_any_mm(vessel.points_lps_mm, zones)
    near = middle > -(1.5 * vessel.radius_mm + 2.0 * LEAST_TOUCH_MM + 5.0)
    found = middle - vessel.radius_mm
    if near.any():
        sections = _sections(vessel.points_lps_mm[near], vessel.directions()[near], vessel.radius_mm[near])
        depth = depth_in_any_mm(sections.reshape(-1, 3), zones).reshape(sections.shape[:2])
        found[near] = np.maximum(middle[near], depth.max(axis=1))
    return np.asarray(found)


def depth_in_any_mm(points: FloatArray, zones: Sequence[Surface]) -> FloatArray:
    """Return the largest signed depth of points in some surfaces, shape (n,): + inside."""
    return np.asarray(np.max([zone.signed_depth_mm(points) for zone in zones], axis=0))


def _sections(points: FloatArray, along: FloatArray, radius: FloatArray) -> FloatArray:
    """Return points on the sections across a vessel, shape (n, k, 3)."""
    least = np.eye(3)[np.argmin(np.abs(along), axis=1)]
    across = np.cross(along, least)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    other = np.cross(along, across)
    angle = 2.0 * np.pi * np.arange(AROUND) / AROUND
    ring = np.cos(angle)[:, None] * across[:, None] + np.sin(angle)[:, None] * other[:, None]
    rings = [points[:, None] + share * radius[:, None, None] * ring for share in RINGS]
    return np.concatenate(rings, axis=1)
