"""Zones that were made before and stay: what they leave of a target is what a further zone must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.plan.target import Growing, Target, corners_of, in_target
from planner.surface import Surface
from planner.volume import Mask

NEAR_MM = 0.05
"""A point of a grown tumour's hull farther than this from the grown tumour is none of its border."""

STEP_MM = 0.1
"""The margin that kept zones attain is found to this."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Zones that were made before, in the planning scan, by zone id; and which of them treat which lesion.

    `error_mm` is the predicted mean 3-D error of the registration that brought the tumours there; 0 where they were
    drawn there.
    """

    zones: Mapping[str, Mask] = field(default_factory=dict)
    pairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error_mm: float = 0.0

    def of(self, lesion_id: str, surfaces: Mapping[str, Surface]) -> list[Surface]:
        """Return the surfaces of those that treat a lesion."""
        return [surfaces[zone_id] for zone_id in self.pairs.get(lesion_id, ())]

    @property
    def first_free(self) -> int:
        """The number of the first zone that is planned beside them."""
        return 1 + max((int(zone_id) for zone_id in self.zones), default=0)


NOTHING_KEPT = Kept()


class Remaining:
    """What kept zones leave of a tumour that is grown by one margin after another.

    Parameters
    ----------
    tumour, liver, most_mm
        As of `Growing`.
    zones
        What was made; with none of them the whole target is left.
    """

    def __init__(
        self, tumour: Surface, liver: ClosedLiver | None, most_mm: float, zones: Sequence[Surface] = ()
    ) -> None:
        self._tumour, self._liver, self._zones = tumour, liver, zones
        self._growing = Growing(tumour, liver, most_mm)
        self._found: dict[float, Target] = {}

    def by(self, margin_mm: float) -> Target:
        """Return what a further zone must hold for a margin, mm; it has no corners where nothing is left."""
        if not self._zones:
            return self._growing.by(margin_mm)
        if margin_mm not in self._found:
            self._found[margin_mm] = Target(margin_mm, corners_of(self._left(margin_mm)))
        return self._found[margin_mm]

    def attained_mm(self, most_mm: float) -> float:
        """Return the margin that the kept zones attain by themselves, from 0 to `most_mm`, to 0.1 mm."""
        low, high = 0.0, most_mm
        while high - low > STEP_MM:
            middle = (low + high) / 2.0
            low, high = (low, middle) if len(self.by(middle).corners_lps_mm) else (middle, high)
        return low

    def _left(self, margin_mm: float) -> FloatArray:
        """Return points of the border of what is left: of the target outside the zones, of the zones in the target."""
        border = self._growing.points(margin_mm)
        border = border[self._tumour.signed_depth_mm(border) >= -margin_mm - NEAR_MM]
        found = [self._outside(border, self._zones)]
        for number, zone in enumerate(self._zones):
            others = [*self._zones[:number], *self._zones[number + 1 :]]
            border_of_zone = zone.vertices_lps_mm
            inside = border_of_zone[in_target(border_of_zone, self._tumour, margin_mm, self._liver)]
            found.append(self._outside(inside, others))
        # Where nothing of the target's border is left, what of the zones' border touches it from within is no rest.
        return np.concatenate(found) if len(found[0]) else found[0]

    @staticmethod
    def _outside(points: FloatArray, zones: Sequence[Surface]) -> FloatArray:
        for zone in zones:
            if len(points):
                points = points[~np.asarray(zone.contains(points))]
        return points
