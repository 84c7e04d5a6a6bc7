"""How a needle runs: its depth and angles for whoever stands at the CT table, and what it passes on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.assessment import Distance
from planner.case import Study
from planner.grid import FloatArray
from planner.inventory import MORE_BOWEL, VULNERABLE
from planner.measure.distances import Shaft
from planner.plan.needle import Needle
from planner.surroundings import Around, shaft_distances

Side = Literal["left", "right", "neither"]
End = Literal["head", "feet", "neither"]

LEAST_DEGREES = 0.05
"""A smaller angle has no side: it is printed as 0.0."""

LOOKED_FOR = (
    *VULNERABLE,
    *MORE_BOWEL,
    "portal_vein",
    "hepatic_vein",
    "ivc",
    "hepatic_artery",
    "bile_duct",
    "lung",
    "rib",
)
"""What a needle should not meet; of what has no mask the distance is unknown."""

ONE_OF_SEVERAL = {
    "hepatic_vein": ("hepatic_vein",),
    "bile_duct": ("bile_duct", "common_bile_duct", "left_hepatic_duct", "right_hepatic_duct"),
    "lung": ("lung",),
    "rib": ("rib",),
    "heart": ("heart",),
}
"""Beginnings of the roles, any of which stands for the structure."""

NO_ENTRY = "no entry is planned: access comes later, and what the shaft would pass is unknown"


@dataclass(frozen=True, slots=True)
class Bearing:
    """The direction of a needle, seen from its entry, for a patient who lies on the back.

    Parameters
    ----------
    from_vertical_degrees
        Angle in the axial plane between the needle and the vertical (front to back), 0 to 180: 0 goes straight from
        the front to the back, 90 lies flat, more comes from behind. None where it runs along the patient alone.
    tip_side
        To which of the patient's sides the tip points.
    tilt_degrees
        Angle between the needle and the axial plane, -90 to 90: + the tip points towards the head, - the feet.
    tip_end
        The same in words.
    """

    from_vertical_degrees: float | None
    tip_side: Side
    tilt_degrees: float
    tip_end: End


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How one needle runs.

    Parameters
    ----------
    zone_id
        Of which needle.
    bearing
        Its direction.
    distances
        From the shaft, entry to target, to each structure with a mask; empty without an entry.
    unknown
        Structures that a needle should not meet and that have no mask: where they lie is unknown, never free.
    outside_scan_mm
        Length of the shaft that the scan does not show: what lies there is unknown. None without an entry.
    why_unknown
        Why there are no distances, "" where there are.
    """

    zone_id: str
    bearing: Bearing
    distances: tuple[Distance, ...]
    unknown: tuple[str, ...]
    outside_scan_mm: float | None
    why_unknown: str = ""


def bearing_of(axis_lps: FloatArray) -> Bearing:
    """Return the direction of a needle as angles.

    Parameters
    ----------
    axis_lps
        Its direction from the entry towards the tip, LPS, shape (3,); any length above 0.
    """
    left, back, head = (float(value) for value in axis_lps / np.linalg.norm(axis_lps))
    tilt = float(np.degrees(np.arcsin(np.clip(head, -1.0, 1.0))))
    end: End = "neither" if abs(tilt) < LEAST_DEGREES else "head" if tilt > 0 else "feet"
    if np.hypot(left, back) < np.sin(np.radians(LEAST_DEGREES)):
        return Bearing(None, "neither", tilt, end)
    turn = float(np.degrees(np.arctan2(abs(left), back)))
    straight = min(turn, 180.0 - turn) < LEAST_DEGREES
    return Bearing(turn, "neither" if straight else "left" if left > 0 else "right", tilt, end)


def course_of(needle: Needle, study: Study, around: Around, contour_sd_mm: float) -> Course:
    """Return how a needle runs through a study, and what its shaft passes.

    Parameters
    ----------
    needle
        The needle.
    study
        The planning scan with its masks.
    around
        Its structures.
    contour_sd_mm
        Assumed SD of a contour.
    """
    bearing = bearing_of(needle.zone.axis_lps)
    unknown = tuple(role for role in LOOKED_FOR if not _drawn(role, study))
    if needle.entry_lps_mm is None:
        return Course(needle.zone_id, bearing, (), unknown, None, NO_ENTRY)
    shaft = Shaft(np.stack([needle.entry_lps_mm, needle.target_lps_mm]), 0.0)
    seen = study.image.grid.contains(shaft.vertices_lps_mm)
    outside_mm = float((~seen).mean() * np.linalg.norm(needle.target_lps_mm - needle.entry_lps_mm))
    found = shaft_distances(shaft, around.with_ribs(study), contour_sd_mm)
    return Course(needle.zone_id, bearing, found, unknown, outside_mm)


def _drawn(role: str, study: Study) -> bool:
    beginnings = ONE_OF_SEVERAL.get(role, (role,))
    return any(
        not mask.is_empty and any(name == start or name.startswith(f"{start}_") for start in beginnings)
        for name, mask in study.masks.items()
    )
