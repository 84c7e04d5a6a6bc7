"""How far apart two structures are: + apart, - overlapping, with the nearest pair of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray
from planner.surface import Surface

Z95 = 1.959964
TRE_MEAN_PER_AXIS_SD = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """The distance between two surfaces.

    Parameters
    ----------
    mm
        + apart: the least distance; - overlapping: how deep one's surface lies in the other at most.
    at_first_lps_mm, at_second_lps_mm
        The pair of points, shape (3,) each: one on each surface.
    """

    mm: float
    at_first_lps_mm: FloatArray
    at_second_lps_mm: FloatArray


def gap_between(first: Surface, second: Surface) -> Gap:
    """Return the distance from one surface to another, mm, with the pair of points that it lies between."""
    onto_second = second.depths(first.vertices_lps_mm)
    onto_first = first.depths(second.vertices_lps_mm)
    a, b = int(np.argmax(onto_second.signed_mm)), int(np.argmax(onto_first.signed_mm))
    if onto_second.signed_mm[a] >= onto_first.signed_mm[b]:
        return Gap(-float(onto_second.signed_mm[a]), first.vertices_lps_mm[a], onto_second.foot_lps_mm[a])
    return Gap(-float(onto_first.signed_mm[b]), onto_first.foot_lps_mm[b], second.vertices_lps_mm[b])


def gap_interval_mm(
    gap: Gap, voxel_sd_mm: float, contour_sd_mm: float, registration_error_mm: float
) -> tuple[float, float]:
    """Return the 95 % interval of a distance from independent errors of both contours, sampling and registration.

    `contour_sd_mm` is that of one contour; two lie in a distance. `registration_error_mm` is a mean 3-D length, 0 where
    both structures come from one study.
    """
    axis_sd = registration_error_mm / TRE_MEAN_PER_AXIS_SD
    spread = float(np.sqrt(2.0 * contour_sd_mm**2 + voxel_sd_mm**2 + axis_sd**2))
    return gap.mm - Z95 * spread, gap.mm + Z95 * spread
