"""How sure a minimal margin is: interval and probabilities, by linearised draws of surface and alignment errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from planner.grid import FloatArray

TRE_MEAN_PER_AXIS_SD = 1.6
"""Mean length of a 3-D normal error over its SD along one axis."""

VOXEL_INFLATION = 1.7
"""Factor on the surface's own SD that covered the harder shapes (evidence, margins, section 4)."""

DRAWS = 1000
Z95 = 1.959964


@dataclass(frozen=True, slots=True, eq=False)
class NearMinimum:
    """The part of a tumour's surface that could hold the minimum, as the draws need it.

    Parameters
    ----------
    margin_mm
        Shape (n,): signed margins; the first is the minimum.
    tumour_lps_mm, zone_lps_mm
        Shape (n, 3): point on the tumour's surface and the point it was measured to.
    tumour_normal, zone_normal
        Shape (n, 3): outward unit normals there.
    """

    margin_mm: FloatArray
    tumour_lps_mm: FloatArray
    zone_lps_mm: FloatArray
    tumour_normal: FloatArray
    zone_normal: FloatArray


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


def margin_interval(near: NearMinimum, doubt: Doubt, seed: int, thresholds_mm: tuple[float, ...]) -> Interval:
    """Return the 95 % interval of a minimal margin and the probability of reaching each threshold.

    Linearised draws d_i* = d_i + u_zone(q_i) - (n_tumour . n_zone) u_tumour(p_i) - n_zone . t, with u smooth normal
    fields of the contours' SDs and t the alignment's error. The minimum of a noisy field reads low: the interval is
    centred on MAM + b, b = MAM - median of the draws' minima, and its width is the SD at the minimum point, voxel part
    included (evidence, margins, section 4).
    """
    rng = np.random.default_rng(seed)
    axis_sd = doubt.registration_error_mm / TRE_MEAN_PER_AXIS_SD
    facing = np.einsum("ij,ij->i", near.tumour_normal, near.zone_normal)
    noise = _field(near.zone_lps_mm, doubt.zone_contour_sd_mm, doubt.correlation_mm, rng)
    noise -= facing * _field(near.tumour_lps_mm, doubt.tumour_contour_sd_mm, doubt.correlation_mm, rng)
    noise -= rng.normal(scale=axis_sd, size=(DRAWS, 3)) @ near.zone_normal.T if axis_sd > 0 else 0.0
    minimum = float(near.margin_mm[0])
    centre = 2.0 * minimum - float(np.median((near.margin_mm + noise).min(axis=1)))
    variance = {
        "contours": doubt.zone_contour_sd_mm**2 + (facing[0] * doubt.tumour_contour_sd_mm) ** 2,
        "registration": axis_sd**2,
        "voxels": (VOXEL_INFLATION * doubt.voxel_sd_mm) ** 2,
    }
    total = sum(variance.values())
    spread = float(np.sqrt(total))
    return Interval(
        low_mm=centre - Z95 * spread,
        high_mm=centre + Z95 * spread,
        p_at_least={t: float(ndtr((centre - t) / spread)) if spread > 0 else float(centre >= t) for t in thresholds_mm},
        assumed=doubt,
        variance_share={name: float(part / total) if total > 0 else 0.0 for name, part in variance.items()},
    )


def _field(points: FloatArray, sd_mm: float, correlation_mm: float, rng: np.random.Generator) -> FloatArray:
    """Return draws, shape (DRAWS, n), of a smooth normal field with a squared-exponential correlation."""
    apart = ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    covariance = np.exp(-0.5 * apart / correlation_mm**2)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(sd_mm * rng.standard_normal((DRAWS, len(points))) @ root.T)
