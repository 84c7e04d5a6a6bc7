"""What a margin is read from: the signed distance of points to the zone's surface, or to liver not ablated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.zone import Patches, Zone

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The margin at some points: shapes (n, 3), (n,), (n,), (n, 3) and (n,)."""

    points_lps_mm: FloatArray
    primary_mm: FloatArray
    geometric_mm: FloatArray
    foot_lps_mm: FloatArray
    capsule_facing: BoolArray


@dataclass(frozen=True, eq=False)
class Ruler:
    """What the margin at a point is read from: the zone, the zone as segmented, and the liver where one is known."""

    zone: Zone
    as_segmented: Zone
    liver: ClosedLiver | None

    def read(self, points: FloatArray) -> Readings:
        """Return the margins at points of POST, shape (n, 3)."""
        geometric = self.as_segmented.depths(points)
        if self.liver is None:
            facing = np.zeros(len(points), dtype=bool)
            return Readings(points, geometric.signed_mm, geometric.signed_mm, geometric.foot_lps_mm, facing)
        found = geometric if self.as_segmented is self.zone else self.zone.depths(points)
        inside = found.signed_mm > 0
        normals = self.zone.normals_at(found.foot_lps_mm)
        facing = inside & ~self.liver.goes_on_beyond(found.foot_lps_mm, normals)
        to_liver = self._beside_liver.distances(points)
        primary_mm = np.where(inside, to_liver.signed_mm, found.signed_mm)
        foot = np.where(inside[:, None], to_liver.foot_lps_mm, found.foot_lps_mm)
        return Readings(points, primary_mm, geometric.signed_mm, foot, facing)

    @cached_property
    def _beside_liver(self) -> Patches:
        """The parts of the zone's surface beyond which liver goes on."""
        return self.zone.free if self.liver is None else self.zone.only(self.liver.goes_on_beyond)
