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

from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver
from planner.measure.margin import Margin, measure_margin
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
    measured: Margin, zone: Zone, *, liver: ClosedLiver | None = None, as_segmented: Zone | None = None
) -> tuple[Sensitivity, ...]:
    """Return the minimal margin in the tissue as it was before, had the zone changed its size unseen.

    The tumour's surface as carried over is scaled by f about the zone's centroid: there it lies in POST under the
    assumption. The margin is measured to the zone and the liver as drawn, and divided by f: millimetres of before.

    Parameters
    ----------
    measured
        The margin, whose tumour lies in POST.
    zone, liver, as_segmented
        As given to `measure_margin` for it.
    """
    if measured.min_mm is None:
        return unknown(measured.reason or "there is no minimal margin")
    if measured.min_mm < 0.0:
        return unknown(OUTSIDE)
    drawn = as_segmented or zone
    if len(drawn.surfaces) > 1 and not _one_body(drawn):
        return unknown(APART)
    found = []
    for name, percent in ASSUMED_PERCENT.items():
        factor = (1.0 + percent / 100.0) ** (1.0 / 3.0)
        tumour = _scaled(measured.map.tumour, drawn.centroid_lps_mm, factor)
        in_post = measure_margin(tumour, zone, liver=liver, as_segmented=as_segmented)
        if in_post.min_mm is None:
            found.append(Sensitivity(name, percent, None, in_post.reason))
        else:
            found.append(Sensitivity(name, percent, in_post.min_mm / factor))
    return tuple(found)


def _scaled(surface: Surface, centre: FloatArray, factor: float) -> Surface:
    return surface.moved(lambda points: centre + factor * (np.asarray(points) - centre))


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
