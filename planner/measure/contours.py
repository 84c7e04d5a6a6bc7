"""What errors of a contour do to a surface, and how much of what a surface shows they explain.

A contour's error is taken for a smooth random displacement along the normal, of a known standard deviation, alike over
a known distance. What is drawn is split, by how its distance from a ball varies with direction, into its size, its
place, its flattening and the rest. Size and place stay as they were drawn. Of the flattening and of the rest it is
asked how much the error alone would make: where all of it, the true surface is taken to be a ball there, where little
of it, to be as drawn, each with the doubt that remains; what stands out in one place stays whatever the rest is like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky
from scipy.spatial.distance import cdist
from scipy.special import expit

from planner.grid import FloatArray
from planner.surface import Ellipsoid, Surface, spread_indices

EVEN_POINTS = 160
"""A surface's shape is judged by so many points spread over it."""

JITTER = 1e-6

SHAPE_SD_MM = np.concatenate([[0.0], np.exp(np.linspace(np.log(0.02), np.log(6.0), 20))])
"""How strongly a true shape may vary, each as likely beforehand: not at all, or by 0.02 to 6 mm."""


@dataclass(frozen=True, eq=False)
class TrueShape:
    """Draws of where a true surface lies at some points, less where it was drawn, along the outward normal.

    Parameters
    ----------
    change_mm
        Shape (draws, n): without the displacement of the surface as a whole.
    shift_sd_mm
        Standard deviation, along each axis, of that displacement of the whole.
    """

    change_mm: FloatArray
    shift_sd_mm: float


@dataclass(frozen=True, eq=False)
class Seen:
    """A drawn surface's distance from a ball of its size at some points: flattening and rest, shape (n,) each, mm."""

    flattening_mm: FloatArray
    rest_mm: FloatArray


def true_shape(
    surface: Surface,
    at_lps_mm: FloatArray,
    scatter: FloatArray,
    sd_mm: float,
    correlation_mm: float,
    draws: int,
    rng: np.random.Generator,
) -> TrueShape:
    """Return draws of the true surface's displacement from the drawn one.

    Parameters
    ----------
    surface
        As drawn; open surfaces will do.
    at_lps_mm
        Shape (n, 3): points on it.
    scatter
        Shape (n,): the share of the error's standard deviation that counts there (see `Roughness`).
    sd_mm, correlation_mm
        Of the contour's error: its standard deviation, and the distance r over which it stays alike: its correlation
        is exp(-d^2 / (2 r^2)).
    """
    if sd_mm == 0.0:
        return TrueShape(np.zeros((draws, len(at_lps_mm))), 0.0)
    even = surface.vertices_lps_mm[spread_indices(surface.vertices_lps_mm, EVEN_POINTS)]
    points = np.concatenate([even, at_lps_mm])
    judged, asked = slice(0, len(even)), slice(len(even), None)
    modes = _modes(surface, points)
    solve: FloatArray = np.asarray(np.linalg.pinv(modes[judged]).T, dtype=np.float64)
    seen = _seen(surface, points, modes, solve)
    error = sd_mm * smooth_fields(points, correlation_mm, draws, rng)
    sizes = error[:, judged] @ solve
    flattening, rest = sizes[:, 4:] @ modes[:, 4:].T, error - sizes @ modes.T
    change = -sizes[:, :1] * scatter
    for drawn, noise in ((seen.flattening_mm, flattening), (seen.rest_mm, rest)):
        by_error = (noise[:, judged] ** 2).mean(axis=1)
        kept = _kept(float((drawn[judged] ** 2).mean()), by_error, rng)
        kept = _kept_here(kept, drawn[asked], float(by_error.mean()), rng)
        change += (kept - 1.0) * drawn[asked] + np.sqrt(kept) * scatter * noise[:, asked]
    return TrueShape(change, float(np.sqrt(sizes[:, 1:4].var(axis=0).mean())))


def smooth_fields(points: FloatArray, correlation_mm: float, draws: int, rng: np.random.Generator) -> FloatArray:
    """Return draws, shape (draws, n), of a field of standard deviation 1, correlated as exp(-d^2 / (2 r^2))."""
    covariance = np.exp(-0.5 * cdist(points, points, "sqeuclidean") / correlation_mm**2)
    covariance[np.diag_indices_from(covariance)] += JITTER
    root = cholesky(covariance, lower=True, check_finite=False)
    return np.asarray(rng.standard_normal((draws, len(points))) @ root.T)


def _modes(surface: Surface, points: FloatArray) -> FloatArray:
    """Return constant, first and second order of the directions from the surface's middle, shape (n, 9)."""
    away = points - surface.centroid_lps_mm
    x, y, z = (away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)).T
    return np.column_stack([np.ones(len(points)), x, y, z, x * y, y * z, z * x, x * x - y * y, 3.0 * z * z - 1.0])


def _seen(surface: Surface, points: FloatArray, modes: FloatArray, solve: FloatArray) -> Seen:
    """Return how the drawn surface differs from a ball: by its ellipsoid, and by its distance from that."""
    ellipsoid = Ellipsoid.around(surface.vertices_lps_mm, surface.vertex_area_mm2)
    judged = slice(0, len(solve))
    beyond = -ellipsoid.value_and_gradient(points)[0]
    sizes = beyond[judged] @ solve
    flattening = ellipsoid.radius_mm(points) + modes[:, 4:] @ sizes[4:]
    return Seen(flattening - flattening[judged].mean(), beyond - modes @ sizes)


def _kept(seen_mm2: float, by_error_mm2: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return draws of the share of what is seen that is true: true variance over true and error's variance.

    Parameters
    ----------
    seen_mm2
        The mean square of what is seen.
    by_error_mm2
        Shape (draws,): that of what errors alone would show; how it scatters tells how many independent parts it has.
    """
    of_error = float(by_error_mm2.mean())
    parts = max(1.0, 2.0 * of_error**2 / max(float(by_error_mm2.var()), 1e-12))
    total = SHAPE_SD_MM**2 + of_error
    likelihood = -0.5 * parts * (np.log(total) + seen_mm2 / total)
    weights = np.exp(likelihood - likelihood.max())
    true_mm2 = rng.choice(SHAPE_SD_MM**2, size=len(by_error_mm2), p=weights / weights.sum())
    return np.asarray(true_mm2 / (true_mm2 + of_error))


DEFECT_SHARE = 0.02
DEFECT_SD_MM = 4.0
"""Beforehand, so much of a surface belongs to a dent, a hole or a bump of that size, whatever the rest looks like."""


def _kept_here(kept: FloatArray, seen_mm: FloatArray, of_error_mm2: float, rng: np.random.Generator) -> FloatArray:
    """Return draws, shape (draws, n), of the share of what is seen at each point that is true.

    What a smooth error would hardly make in one place is a defect there, and stays: a groove beside a vessel on a zone
    that is otherwise round.

    Parameters
    ----------
    kept
        Shape (draws,): what the surface as a whole says.
    seen_mm
        Shape (n,): what is seen at each point.
    of_error_mm2
        The mean square of what errors alone would show.
    """
    total_mm2 = DEFECT_SD_MM**2 + of_error_mm2
    by_error = np.log((1.0 - DEFECT_SHARE) / DEFECT_SHARE) + 0.5 * np.log(total_mm2 / max(of_error_mm2, 1e-12))
    by_defect = 0.5 * seen_mm**2 * (1.0 / max(of_error_mm2, 1e-12) - 1.0 / total_mm2)
    chance = expit(by_defect - by_error)
    is_defect = rng.uniform(size=len(kept))[:, None] < chance
    return np.where(is_defect, DEFECT_SD_MM**2 / total_mm2, kept[:, None])


STEEPNESS = np.array([0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0, 20.0])
LOWERING = np.array([1.982, 1.659, 1.449, 1.173, 0.915, 0.705, 0.473, 0.326, 0.193, 0.087, 0.025])
SCATTER = np.array([0.555, 0.613, 0.656, 0.719, 0.785, 0.840, 0.902, 0.941, 0.973, 0.990, 0.995])
"""The least value of a parabola of that steepness plus a field of standard deviation 1, alike over 1, lies so much
below the field at the parabola's bottom, and scatters so much: `scripts/bench_roughness.py` prints the three rows."""

MOST_FLAT_MM = 60.0
NEAREST_MM = 0.3
"""Distances below the second, and surfaces flatter around a foot than the first, count as these."""


@dataclass(frozen=True, eq=False)
class Roughness:
    """What a rough zone does to distances: they end in its dents, if the zone is outside, on its bumps.

    Parameters
    ----------
    lowering_mm
        Shape (n,): by how much the distance reads too short.
    scatter_share
        Shape (n,): the share of the contour's standard deviation that a distance to the nearest point keeps.
    """

    lowering_mm: FloatArray
    scatter_share: FloatArray


def roughness(margin_mm: FloatArray, zone_radius_mm: float, sd_mm: float, correlation_mm: float) -> Roughness:
    """Return what an error of the zone's contour, of SD and correlation as given, does to the margins of points.

    Around its foot the distance to a ball's surface rises as a parabola of curvature 1 / margin - 1 / radius (from
    inside; + from outside).
    """
    if sd_mm == 0.0:
        return Roughness(np.zeros_like(margin_mm), np.ones_like(margin_mm))
    nearness = 1.0 / np.maximum(np.abs(margin_mm), NEAREST_MM)
    curvature = np.where(margin_mm > 0.0, nearness - 1.0 / zone_radius_mm, nearness + 1.0 / zone_radius_mm)
    steepness = np.log(correlation_mm**2 * np.maximum(curvature, 1.0 / MOST_FLAT_MM) / sd_mm)
    lowering = sd_mm * np.interp(steepness, np.log(STEEPNESS), LOWERING, right=0.0)
    return Roughness(lowering, np.interp(steepness, np.log(STEEPNESS), SCATTER))
