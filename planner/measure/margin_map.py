"""The margin at every point of a tumour's surface, and what can be asked of its distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.surface import Surface

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class MarginMap:
    """The margin at every vertex of the tumour's surface, in POST. Sign: + covered, - not covered, mm.

    Parameters
    ----------
    tumour
        The tumour's surface as moved into POST.
    primary_mm
        Shape (n,): to liver that was not ablated where a liver is known, else to the zone's surface. Infinite where
        no unablated liver exists at all in that direction or any other.
    geometric_mm
        Shape (n,): to the zone's surface, whatever lies beyond.
    foot_lps_mm
        Shape (n, 3): the point that the primary margin was measured to.
    foot_normal
        Shape (n, 3): outward unit normal of the zone there.
    capsule_facing
        Shape (n,): whether the nearest unablated point lies outside the closed liver.
    vessel_facing
        Shape (n,): whether a vessel lies within 5 mm; None where no vessel mask was given.
    """

    tumour: Surface
    primary_mm: FloatArray
    geometric_mm: FloatArray
    foot_lps_mm: FloatArray
    foot_normal: FloatArray
    capsule_facing: BoolArray
    vessel_facing: BoolArray | None = None

    def fraction(self, where: BoolArray) -> float:
        """Return the share of the tumour's surface, by area, where a condition holds."""
        area = self.tumour.vertex_area_mm2
        return float(area[where].sum() / area.sum())

    def short_of(self, margin_mm: float) -> float:
        """Return the share of the tumour's surface whose primary margin is below `margin_mm`."""
        return self.fraction(self.primary_mm < margin_mm)

    def at(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the primary margin at the points of the tumour's surface nearest to some points, mm, shape (n,)."""
        return self.tumour.between_vertices(points_lps_mm, self.primary_mm)

    def quantile_mm(self, share: float) -> float:
        """Return the primary margin that `share` of the surface, by area, does not exceed."""
        order = np.argsort(self.primary_mm)
        below = np.cumsum(self.tumour.vertex_area_mm2[order])
        place = int(np.searchsorted(below, share * below[-1]))
        return float(self.primary_mm[order[min(place, len(order) - 1)]])
