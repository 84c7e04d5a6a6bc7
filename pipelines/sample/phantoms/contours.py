"""Bodies whose surface lies off by a smooth error, as two readers' contours differ, and by a misplaced study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.sample.phantoms.bodies import Body, BoolArray, FloatArray, Samples

WAVES = 400


@dataclass(frozen=True, eq=False)
class SmoothError:
    """A random field of mean 0 with a squared-exponential correlation: exp(-distance^2 / (2 correlation^2)).

    Parameters
    ----------
    waves_per_mm, phases
        Shapes (n, 3) and (n,).
    sd_mm
        Its standard deviation.
    """

    waves_per_mm: FloatArray
    phases: FloatArray
    sd_mm: float

    @classmethod
    def draw(cls, sd_mm: float, correlation_mm: float, rng: np.random.Generator) -> SmoothError:
        """Return a field drawn at random (random Fourier features)."""
        return cls(rng.normal(size=(WAVES, 3)) / correlation_mm, rng.uniform(0, 2 * np.pi, WAVES), sd_mm)

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Return the error at points, mm, shape (n,)."""
        scale = self.sd_mm * np.sqrt(2.0 / len(self.phases))
        return np.asarray(scale * np.cos(points_mm @ self.waves_per_mm.T + self.phases).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Contoured:
    """A body as it was drawn: every point of its surface off by an error along the normal, + outward, then shifted.

    Parameters
    ----------
    body
        What is true.
    error
        Of the contour.
    shift_mm
        Shape (3,): where the drawn body lies, less where the true one does.
    """

    body: Body
    error: SmoothError
    shift_mm: FloatArray

    def inside(self, points_mm: FloatArray) -> BoolArray:
        """Return which points lie inside."""
        return np.asarray(self.depth_mm(points_mm) >= 0.0)

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return how deep points lie below the drawn surface, mm."""
        points = points_mm - self.shift_mm
        depth = self.body.depth_mm(points)
        near = np.abs(depth) < NEAR_SD * max(self.error.sd_mm, 1e-9)
        depth[near] += self.error.at(points[near])
        return depth

    def samples(self, count: int) -> Samples:
        """Return samples of the true surface, shifted and grown by three standard deviations: a box for lattices."""
        found = self.body.samples(count)
        points = found.points_mm + self.shift_mm + 3.0 * self.error.sd_mm * found.normals
        return Samples(points, found.normals, found.area_mm2)


NEAR_SD = 6.0
"""Nowhere is the error larger than so many standard deviations."""
