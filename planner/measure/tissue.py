"""By how much the tissue around an ablation zone has changed its volume since PRE, as the registration saw it.

It is reported and nothing is corrected by it. The registration prefers maps that keep volumes, so a real change may be
larger than what it finds. Inside the zone it sees nothing: what is given there is carried over by smoothness. And a
zone can shrink without any change around it, where the liver only moves in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.zone import Zone
from planner.register.alignment import Alignment
from planner.register.jacobian import volume_change_percent
from planner.register.map_checks import box_points
from planner.surface import Surface

NEAREST_MM, FARTHEST_MM = 5.0, 20.0
"""The surroundings of a zone: nearer than the first, the metric does not look."""

MOST_AROUND, MOST_INSIDE = 4_000, 1_000
LEAST_POINTS = 30
"""So many points of the lattice at least must lie in the surroundings."""

FLAT_MM = 1e-3


@dataclass(frozen=True, slots=True)
class TissueChange:
    """Change of volume from PRE to POST. Negative: shrunk, positive: swollen, in % of the volume in PRE.

    Parameters
    ----------
    surroundings_percent
        Of the liver 5 to 20 mm from the zones that treat a lesion, and as far from every other; None with a `reason`.
    zone_percent
        Of what lies inside those zones: carried over by smoothness from around, not seen.
    reason
        Why it is not known.
    """

    surroundings_percent: float | None
    zone_percent: float | None
    reason: str | None = None

    @classmethod
    def unknown(cls, reason: str) -> TissueChange:
        """Return that nothing is known, and why."""
        return cls(None, None, reason)


NOT_LOOKED_AT = TissueChange.unknown("no margin was measured, so no change of tissue either")


def tissue_change(
    alignment: Alignment, zone: Zone, every_zone: Iterable[Surface], liver: ClosedLiver | None
) -> TissueChange:
    """Return by how much the tissue around a lesion's zones has changed its volume.

    Parameters
    ----------
    alignment
        The map from which it is read.
    zone
        The union of the zones that treat the lesion, in POST.
    every_zone
        Surfaces of all zones of POST: the metric looked near none of them.
    liver
        The closed liver; without one nobody says which of the surroundings is liver.
    """
    if alignment.map.displacement is None:
        return TissueChange.unknown(f"the alignment is {alignment.kind}: it keeps every volume and shows no change")
    if liver is None:
        return TissueChange.unknown("no liver mask tells which tissue around the zone is liver")
    corners = np.concatenate([surface.vertices_lps_mm for surface in zone.surfaces])
    around = _surroundings(box_points(corners, FARTHEST_MM, MOST_AROUND), zone, every_zone, liver)
    inside = box_points(corners, FLAT_MM, MOST_INSIDE)
    of_zone = volume_change_percent(alignment.map, inside[zone.contains(inside)])
    if len(around) < LEAST_POINTS:
        text = f"hardly any liver lies {NEAREST_MM:.0f} to {FARTHEST_MM:.0f} mm from the zone"
        return TissueChange(None, of_zone, text)
    found = volume_change_percent(alignment.map, around)
    return TissueChange(found, of_zone, None if found is not None else "the map folds around the zone")


def _surroundings(points: FloatArray, zone: Zone, every_zone: Iterable[Surface], liver: ClosedLiver) -> FloatArray:
    depth = zone.depths(points).signed_mm
    points = points[(depth <= -NEAREST_MM) & (depth >= -FARTHEST_MM)]
    for surface in every_zone:
        if len(zone.surfaces) == 1 and surface is zone.surfaces[0]:
            continue
        points = points[surface.signed_depth_mm(points) <= -NEAREST_MM] if len(points) else points
    return points[liver.contains(points)] if len(points) else points
