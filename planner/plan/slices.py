"""How much of a target the zones of a plan hold, slice by slice of the planning scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray, Grid
from planner.measure.liver import ClosedLiver
from planner.plan.target import in_target
from planner.plan.zone import PlannedZone
from planner.surface import Surface

MOST_POINTS = 60_000
"""Points of all slices together: they lie the nearer to each other, the smaller the target."""

FINEST_MM = 0.2
"""But not nearer than this."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice through a target.

    Parameters
    ----------
    index
        Of the scan's slice, from 0, along the third axis (k) of its lattice.
    at_mm
        Where it lies on the patient's axis, LPS.
    target_mm2, uncovered_mm2
        Area of the target in it, and of what of that lies in no zone.
    """

    index: int
    at_mm: float
    target_mm2: float
    uncovered_mm2: float

    @property
    def covered_share(self) -> float:
        """Share of the target's area that the zones hold."""
        return 1.0 - self.uncovered_mm2 / self.target_mm2


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices of a scan through a target.

    Parameters
    ----------
    axis
        The patient's axis that they lie across, of L, P, S: 0, 1 or 2. Of a scan that was taken obliquely the one
        nearest to its own: its slices are then counted where they cross the line through the tumour's middle.
    all
        Those in which there is any of the target, in the scan's order.
    """

    axis: int
    all: tuple[Slice, ...]

    @classmethod
    def nothing(cls, grid: Grid) -> Slices:
        """Return no slices of a scan."""
        return cls(_axis(grid), ())

    @property
    def least(self) -> Slice | None:
        """The slice of which most lies in no zone, by its area; None where everything is held."""
        worst = max(self.all, key=lambda one: one.uncovered_mm2, default=None)
        return worst if worst is not None and worst.uncovered_mm2 > 0.0 else None


def slices_of(
    grid: Grid, tumour: Surface, margin_mm: float, liver: ClosedLiver | None, zones: Sequence[PlannedZone | Surface]
) -> Slices:
    """Return what the zones hold of a target in each slice of a scan.

    Parameters
    ----------
    grid
        The scan's lattice.
    tumour, margin_mm, liver
        The target: the tumour grown by a margin, within the closed liver; all of the tumour belongs to it.
    zones
        What was planned, and what was made before.
    """
    axis = _axis(grid)
    places = _places_mm(grid, tumour.centroid_lps_mm, axis)
    low = tumour.vertices_lps_mm.min(axis=0) - margin_mm
    high = tumour.vertices_lps_mm.max(axis=0) + margin_mm
    met = np.flatnonzero((places > low[axis]) & (places < high[axis]))
    plane, cell_mm2 = _plane(low, high, axis, MOST_POINTS // max(1, len(met)))
    points = np.repeat(plane[None], len(met), axis=0)
    points[:, :, axis] = places[met, None]
    flat = points.reshape(-1, 3)
    inside = in_target(flat, tumour, margin_mm, liver)
    uncovered = inside.copy()
    uncovered[inside] = ~np.any([zone.contains(flat[inside]) for zone in zones], axis=0) if zones else True
    areas = (cell_mm2 * found.reshape(len(met), -1).sum(axis=1) for found in (inside, uncovered))
    found = (Slice(int(k), float(places[k]), float(a), float(b)) for k, a, b in zip(met, *areas, strict=True))
    return Slices(axis, tuple(one for one in found if one.target_mm2 > 0.0))


def _axis(grid: Grid) -> int:
    """Return the patient's axis that is nearest to the one that a scan's slices lie across."""
    return int(np.argmax(np.abs(grid.lps_mm_from_ijk[:3, 2])))


def _places_mm(grid: Grid, through_lps_mm: FloatArray, axis: int) -> FloatArray:
    """Return where each slice crosses the line along a patient's axis through a point, on that axis, LPS."""
    ijk = grid.ijk(through_lps_mm[None] + np.outer((0.0, 1.0), np.eye(3)[axis]))
    per_mm = ijk[1, 2] - ijk[0, 2]
    return np.asarray(through_lps_mm[axis] + (np.arange(grid.shape_kji[0]) - ijk[0, 2]) / per_mm)


def _plane(low: FloatArray, high: FloatArray, axis: int, most: int) -> tuple[FloatArray, float]:
    """Return the points of a regular lattice over a box's middle plane across an axis, and the area of its cells."""
    sides = [(low[other], high[other]) for other in range(3) if other != axis]
    step = max(FINEST_MM, float(np.sqrt(np.prod([b - a for a, b in sides]) / max(1, most))))
    first, second = (np.arange(a + 0.5 * step, b, step) for a, b in sides)
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.insert(points, axis, 0.0, axis=1), step**2
