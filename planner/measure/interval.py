"""How sure a minimal margin is: interval and probabilities, by draws of surface and alignment errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import bisect, linprog
from scipy.special import ndtr, ndtri

from planner.grid import FloatArray
from planner.measure.contours import Roughness, TrueShape, roughness, true_shape
from planner.surface import Surface

TRE_MEAN_PER_AXIS_SD = 1.6
"""Mean length of a 3-D normal error over its SD along one axis."""

VOXEL_INFLATION = 1.7
"""Factor on the surface's own SD that covered the harder shapes (evidence, margins, section 4)."""

DRAWS = 1000

NODES = ndtri((np.arange(2000) + 0.5) / 2000)
"""A standard normal in parts of equal probability."""

Z95 = 1.959964

REACH_SD = 8.0
QUANTILE_MM = 1e-6
FARTHEST_SD = 4.0
"""No displacement is allowed for beyond so many of its standard deviations along an axis."""

LOWERED_SD_SHARE = 0.5
"""Of what a displacement lowers the minimum by, so much more or less is allowed for."""

ROOM_SD = 1.5
"""The best aim at a rough surface reads low, too: a perfect one may be better by so many of the shapes' SDs. Both were
chosen on seeds 26-41 of `scripts/bench_interval.py`."""

TOUCHING_MM = 1e-6
CLOSEST_CENTRE_MM = 3.0
"""A zone is never taken to be more strongly curved, seen from a tumour's point, than a ball of this radius."""


@dataclass(frozen=True, slots=True, eq=False)
class MarginPoints:
    """The points of a tumour's surface that the draws need: the minimum first, the low ones densely, the rest evenly.

    Parameters
    ----------
    margin_mm
        Shape (n,): signed margins; the first is the minimum.
    tumour_lps_mm, zone_lps_mm
        Shape (n, 3): point on the tumour's surface and the point it was measured to.
    tumour_normal, zone_normal
        Shape (n, 3): outward unit normals there.
    tumour, zone
        The surfaces themselves, as drawn.
    """

    margin_mm: FloatArray
    tumour_lps_mm: FloatArray
    zone_lps_mm: FloatArray
    tumour_normal: FloatArray
    zone_normal: FloatArray
    tumour: Surface
    zone: Surface


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
    slice_sd_mm
        What is added where slices are thick or voxels across the tumour few.
    liver_contour_sd_mm
        Displacement of the liver's contour; it counts where the capsule's rim limits the margin.
    """

    tumour_contour_sd_mm: float
    zone_contour_sd_mm: float
    correlation_mm: float
    registration_error_mm: float
    voxel_sd_mm: float
    slice_sd_mm: float = 0.0
    liver_contour_sd_mm: float = 0.0


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


def margin_interval(points: MarginPoints, doubt: Doubt, seed: int, thresholds_mm: tuple[float, ...]) -> Interval:
    """Return the 95 % interval of a minimal margin of the true surfaces, and the probability to reach each threshold.

    The minimum over a noisy surface reads low. First, what contour errors alone would show is taken off both surfaces
    (`true_shape`), with the doubt that remains, and the lowering of distances to a rough zone with it; the median of
    the draws' minima is the margin without the contours' noise. A displacement of the whole (registration, and each
    contour's own) lowers the minimum, too: by how much, is told by displacing what was seen once more. That is
    added, and half of it doubted: it is right for zones aimed at random, too small for perfectly aimed ones, too large
    where chance made one look so. The width is the standard deviation of all that, and of voxel sampling; but no
    displacement makes a margin larger than the best aim would.
    """
    rng = np.random.default_rng(seed)
    axis_sd = doubt.registration_error_mm / TRE_MEAN_PER_AXIS_SD
    margin = points.margin_mm
    radius = _mean_radius_mm(points.zone)
    rough = roughness(margin, radius, doubt.zone_contour_sd_mm, doubt.correlation_mm)
    onward = _onward(points)
    along_zone = np.einsum("ij,ij->i", onward, points.zone_normal)
    drawn, whole_sd = _without_contour_noise(points, doubt, rough, onward, rng)
    lowest = drawn.min(axis=1)
    shift_sd = float(np.hypot(axis_sd, whole_sd))
    lowered = float(np.median(lowest) - np.median(_shifted(drawn, margin, onward, radius, shift_sd, rng).min(axis=1)))
    centre = float(np.median(lowest)) + lowered
    along_rim = np.sqrt(max(0.0, 1.0 - float(along_zone[0]) ** 2))
    shifted = 1.0 + (LOWERED_SD_SHARE * lowered) ** 2 / shift_sd**2 if shift_sd > 0 else 1.0
    variance = {
        "contours": float(lowest.var()) + shifted * whole_sd**2 + (along_rim * doubt.liver_contour_sd_mm) ** 2,
        "registration": shifted * axis_sd**2,
        "voxels": (VOXEL_INFLATION * doubt.voxel_sd_mm) ** 2 + doubt.slice_sd_mm**2,
    }
    total = sum(variance.values())
    by_shift = shifted * shift_sd**2
    shape_sd = float(np.sqrt(max(0.0, total - by_shift)))
    room = _room(drawn.mean(axis=0), onward, FARTHEST_SD * shift_sd) + ROOM_SD * shape_sd
    belief = _Belief(centre, shape_sd, float(np.sqrt(by_shift)), float(np.median(lowest)) + room)
    return Interval(
        low_mm=belief.quantile(0.025),
        high_mm=belief.quantile(0.975),
        p_at_least={t: belief.at_least(t) for t in thresholds_mm},
        assumed=doubt,
        variance_share={name: float(part / total) if total > 0 else 0.0 for name, part in variance.items()},
    )


@dataclass(frozen=True, slots=True)
class _Belief:
    """A margin: centre + shape + place, both normal, but that centre + place is never above a limit.

    Parameters
    ----------
    centre_mm
        Where both are 0.
    shape_sd_mm, place_sd_mm
        Their standard deviations.
    most_mm
        The limit: no displacement makes the margin of the shapes as they are any larger.
    """

    centre_mm: float
    shape_sd_mm: float
    place_sd_mm: float
    most_mm: float

    def at_least(self, limit_mm: float) -> float:
        """Return the probability of a margin of at least `limit_mm`."""
        still_mm = self.centre_mm + self.shape_sd_mm * NODES - limit_mm
        reached = ndtr(still_mm / self.place_sd_mm) if self.place_sd_mm > 0 else (still_mm >= 0.0).astype(float)
        possible = self.most_mm + self.shape_sd_mm * NODES >= limit_mm
        return float((reached * possible).mean())

    def quantile(self, share: float) -> float:
        """Return what the margin is below with a probability."""
        far = REACH_SD * float(np.hypot(self.shape_sd_mm, self.place_sd_mm))
        if far == 0.0:
            return self.centre_mm
        return float(
            bisect(
                lambda x: self.at_least(x) - (1.0 - share), self.centre_mm - far, self.centre_mm + far, xtol=QUANTILE_MM
            )
        )


def _room(margin: FloatArray, onward: FloatArray, reach_mm: float) -> float:
    """Return by how much displacing the tumour, by up to `reach_mm` along each axis, could raise the minimum at most.

    A linear programme: the most t with margin + onward . shift >= t everywhere; curvature only lowers it.
    """
    if reach_mm == 0.0:
        return 0.0
    rows = np.column_stack([-onward, np.ones(len(margin))])
    bounds = [(-reach_mm, reach_mm)] * 3 + [(None, None)]
    found = linprog([0.0, 0.0, 0.0, -1.0], A_ub=rows, b_ub=margin, bounds=bounds, method="highs")
    return float(found.x[3] - margin.min()) if found.success else np.inf


def _onward(points: MarginPoints) -> FloatArray:
    """Return unit vectors, shape (n, 3), along which moving the zone's surface adds to the margin."""
    margin = np.where(np.abs(points.margin_mm) < TOUCHING_MM, np.inf, points.margin_mm)
    onward = (points.zone_lps_mm - points.tumour_lps_mm) / margin[:, None]
    return np.where(np.isinf(margin)[:, None], points.zone_normal, onward)


def _mean_radius_mm(zone: Surface) -> float:
    away = np.linalg.norm(zone.vertices_lps_mm - zone.centroid_lps_mm, axis=1)
    return float(np.average(away, weights=zone.vertex_area_mm2))


def _without_contour_noise(
    points: MarginPoints, doubt: Doubt, rough: Roughness, onward: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """Return draws of the margins of the true surfaces, (draws, n), and the SD of their whole places along an axis."""
    every = np.ones(len(points.margin_mm))
    zone = _shape(points.zone, points.zone_lps_mm, rough.scatter_share, doubt.zone_contour_sd_mm, doubt, rng)
    tumour = _shape(points.tumour, points.tumour_lps_mm, every, doubt.tumour_contour_sd_mm, doubt, rng)
    along_zone = np.einsum("ij,ij->i", onward, points.zone_normal)
    along_tumour = np.einsum("ij,ij->i", onward, points.tumour_normal)
    seen = points.margin_mm + np.sign(points.margin_mm) * rough.lowering_mm
    drawn = seen + along_zone * zone.change_mm - along_tumour * tumour.change_mm
    return drawn, float(np.hypot(zone.shift_sd_mm, tumour.shift_sd_mm))


def _shape(
    surface: Surface, at: FloatArray, scatter: FloatArray, sd_mm: float, doubt: Doubt, rng: np.random.Generator
) -> TrueShape:
    return true_shape(surface, at, scatter, sd_mm, doubt.correlation_mm, DRAWS, rng)


def _shifted(
    drawn: FloatArray, margin: FloatArray, onward: FloatArray, radius: float, shift_sd: float, rng: np.random.Generator
) -> FloatArray:
    """Return draws of margins after a random displacement of the tumour, to second order in a ball of that radius."""
    shift = shift_sd * rng.standard_normal((len(drawn), 3))
    along = shift @ onward.T
    across = (shift**2).sum(axis=1)[:, None] - along**2
    curved = np.where(margin > 0.0, np.maximum(radius - margin, CLOSEST_CENTRE_MM), radius - margin)
    return np.asarray(drawn + along - across / (2.0 * curved))
