"""What the minimal margin would be if the zone had changed its size: assumptions with labels, never corrections.

Heated tissue contracts, and early after an ablation it swells. The images show neither inside the zone, which looks
like nothing in PRE; the registration carries the tumour into POST by what it sees around. So the tumour arrives with
the size it had before, and is held against a zone of the size it has after.

For concentric balls, a zone of radius R in POST, f its linear factor since PRE (0.9^(1/3) = 0.965 where it has lost
10 % of its volume) and a tumour of radius r before, carried over as r:

    measured                                     R - r
    (a) in POST, in contracted millimetres       R - f r
    (b) in the tissue as it was before           R / f - r     = (a) / f

(b) is given: how many millimetres of tissue beyond the tumour were destroyed, in the millimetres in which the tumour
grew. Had the zone shrunk, (b) is larger than what was measured, had it swollen, smaller: it is the swelling that is
unsafe to leave out. That holds for an even change about a point from which all of the zone can be seen, of which the
registration saw nothing. The margin in POST, (a), may read too large after a contraction, but only where tissue was
drawn to one side: towards a point of the zone's surface s mm from the tumour, it is (1 - f) s smaller than measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.margin import LOWEST_VERTICES, Margin
from planner.measure.ruler import Ruler
from planner.measure.zone import Zone
from planner.surface import Surface


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The minimal margin under an assumption that nothing on the images tells apart from the contrary.

    Parameters
    ----------
    assumption
        Its name.
    volume_change_percent
        By how much the zone's tissue is assumed to have changed its volume since PRE, unseen: - shrunk, + swollen.
    min_mm
        The minimal margin then, in the tissue as it was before; + covered, - not covered. None with a `reason`.
    reason
        Why it is not known.
    """

    assumption: str
    volume_change_percent: float
    min_mm: float | None
    reason: str | None = None


ASSUMED_PERCENT = {"zone_shrunk_by_10_percent": -10.0, "zone_swollen_by_10_percent": 10.0}

OUTSIDE = "part of the tumour lies outside the zone, and tissue that was not ablated did not change with it"
APART = "several zones that do not form one body treat it, and they have no common centre"


def unknown(reason: str) -> tuple[Sensitivity, ...]:
    """Return every assumption without a margin, and why."""
    return tuple(Sensitivity(name, percent, None, reason) for name, percent in ASSUMED_PERCENT.items())


NOT_MEASURED = unknown("no margin was measured")


def margins_if_zone_changed(
    measured: Margin, zone: Zone, *, liver: ClosedLiver | None = None
) -> tuple[Sensitivity, ...]:
    """Return the minimal margin in the tissue as it was before, had the zone changed its size unseen.

    The tumour's surface as carried over is scaled by f about the zone's centroid: there it lies in POST under the
    assumption. The margin is read to the zone and the liver as drawn, and divided by f: millimetres of before. It is
    read where the surface can be lowest: no margin changes by more than a point moves.

    Parameters
    ----------
    measured
        The margin, whose tumour lies in POST.
    zone, liver
        As given to `measure_margin` for it.
    """
    if measured.min_mm is None:
        return unknown(measured.reason or "there is no minimal margin")
    if measured.min_mm < 0.0:
        return unknown(OUTSIDE)
    if not _one_body(zone):
        return unknown(APART)
    factors = [(1.0 + percent / 100.0) ** (1.0 / 3.0) for percent in ASSUMED_PERCENT.values()]
    least = _least_mm(measured, Ruler(zone, zone, liver), factors)
    return tuple(
        Sensitivity(name, percent, in_post_mm / factor)
        for (name, percent), factor, in_post_mm in zip(ASSUMED_PERCENT.items(), factors, least, strict=True)
    )


def _least_mm(measured: Margin, ruler: Ruler, factors: Sequence[float]) -> list[float]:
    """Return the least margin of the tumour scaled by each factor about the zone's centroid, in POST, mm."""
    tumour, centre = measured.map.tumour, ruler.zone.centroid_lps_mm
    furthest_mm = float(np.linalg.norm(tumour.vertices_lps_mm - centre, axis=1).max())
    moved_mm = max(abs(1.0 - factor) for factor in factors) * furthest_mm
    margin_mm = measured.map.primary_mm
    low = np.flatnonzero(margin_mm <= margin_mm.min() + 2.0 * moved_mm)
    at_vertices = _read(ruler, [_scaled(tumour.vertices_lps_mm[low], centre, factor) for factor in factors])
    lowest = [low[np.argsort(found, kind="stable")[:LOWEST_VERTICES]] for found in at_vertices]
    between = _read(
        ruler,
        [_scaled(tumour.points_around(some), centre, factor) for some, factor in zip(lowest, factors, strict=True)],
    )
    return [float(min(a.min(), b.min())) for a, b in zip(at_vertices, between, strict=True)]


def _read(ruler: Ruler, groups: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the margins at several groups of points."""
    found = ruler.read(np.concatenate(groups)).primary_mm
    return np.split(found, np.cumsum([len(points) for points in groups])[:-1])


def _scaled(points: FloatArray, centre: FloatArray, factor: float) -> FloatArray:
    return np.asarray(centre + factor * (points - centre))


def _one_body(zone: Zone) -> bool:
    """Return whether every surface can be reached from the first over others that it meets."""
    reached, left = [zone.surfaces[0]], list(zone.surfaces[1:])
    while left:
        near = [s for s in left if any(_meet(s, other) for other in reached)]
        if not near:
            return False
        reached += near
        left = [s for s in left if not any(s is other for other in near)]
    return True


def _meet(a: Surface, b: Surface) -> bool:
    return bool(a.contains(b.vertices_lps_mm).any() or b.contains(a.vertices_lps_mm).any())
