"""How sure a minimal margin is: 95 % interval and probabilities, by linearised draws of surface and alignment errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doubt:
    """Assumed standard deviations of what makes a margin uncertain.

    Parameters
    ----------
    tumour_contour_sd_mm, zone_contour_sd_mm
        Reader-to-reader displacement of each contour along its normal.
    correlation_mm
        Distance over which a contour's error stays similar.
    registration_error_mm
        Mean 3-D target registration error at the lesion; 0 for masks that came aligned.
    voxel_sd_mm
        What voxel sampling leaves open.
    """

    tumour_contour_sd_mm: float
    zone_contour_sd_mm: float
    correlation_mm: float
    registration_error_mm: float
    voxel_sd_mm: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of the minimal margin of the true surfaces.

    Parameters
    ----------
    low_mm, high_mm
        The interval, mm, + covered. Its centre is not the measured minimum, which reads low on rough contours.
    p_at_least
        Probability that the margin is at least the key (mm).
    assumed
        The standard deviations it rests on.
    variance_share
        Share of each source ("contours", "registration", "voxels") in the variance; sums to 1.
    """

    low_mm: float
    high_mm: float
    p_at_least: Mapping[float, float]
    assumed: Doubt
    variance_share: Mapping[str, float]
