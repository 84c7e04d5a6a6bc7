"""A needle with the zone that a setting makes at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.errors import InputError
from planner.grid import FloatArray
from planner.plan.setting import Setting
from planner.plan.zone import PlannedZone


@dataclass(frozen=True, slots=True, eq=False)
class Needle:
    """A needle with the zone that a setting makes at its end.

    Parameters
    ----------
    zone_id, lesion_id
        Its zone, and the lesion that it is for.
    setting
        As charted, or stated.
    zone
        The ellipsoid.
    entry_lps_mm
        Where it enters the skin, shape (3,); None where no entry was given: access is not planned.
    target_lps_mm
        Where its tip goes as far as the setting says how far that lies beyond the zone's middle; else the middle.
    """

    zone_id: str
    lesion_id: str
    setting: Setting
    zone: PlannedZone
    entry_lps_mm: FloatArray | None
    target_lps_mm: FloatArray

    @property
    def depth_mm(self) -> float | None:
        """Length from entry to target; None without an entry."""
        if self.entry_lps_mm is None:
            return None
        return float(np.linalg.norm(self.target_lps_mm - self.entry_lps_mm))


def needle_of(
    zone_id: str, lesion_id: str, setting: Setting, entry_lps_mm: FloatArray, target_lps_mm: FloatArray
) -> Needle:
    """Return the needle from an entry to a target, with the zone that a setting makes there.

    Raises
    ------
    InputError
        Entry and target are one point.
    """
    entry, target = np.array(entry_lps_mm, dtype=np.float64), np.array(target_lps_mm, dtype=np.float64)
    along = target - entry
    if float(np.linalg.norm(along)) < 1e-6:
        raise InputError(f"needle {zone_id}: entry and target are one point, expected two", code="bad-needle")
    axis = along / np.linalg.norm(along)
    centre = target - (setting.tip_beyond_mm or 0.0) * axis
    return Needle(
        zone_id, lesion_id, setting, PlannedZone(centre, axis, setting.length_mm, setting.width_mm), entry, target
    )


def needle_without_entry(zone_id: str, lesion_id: str, setting: Setting, zone: PlannedZone) -> Needle:
    """Return the needle of a zone whose access is not planned: its tip as far beyond the zone's middle as stated."""
    tip = np.asarray(zone.centre_lps_mm + (setting.tip_beyond_mm or 0.0) * zone.axis_lps)
    return Needle(zone_id, lesion_id, setting, zone, None, tip)


def needle_along(
    zone_id: str, lesion_id: str, setting: Setting, axis_lps: FloatArray, target_lps_mm: FloatArray
) -> Needle:
    """Return the needle to a target along an axis (towards the tip), without an entry."""
    axis, target = np.array(axis_lps, dtype=np.float64), np.array(target_lps_mm, dtype=np.float64)
    shape = PlannedZone(target, axis, setting.length_mm, setting.width_mm)
    centre = target - (setting.tip_beyond_mm or 0.0) * shape.axis_lps
    return Needle(
        zone_id, lesion_id, setting, PlannedZone(centre, shape.axis_lps, setting.length_mm, setting.width_mm), None,
        target,
    )  # fmt: skip
