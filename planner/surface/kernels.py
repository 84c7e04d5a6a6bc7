"""Sums of Matern 5/2 kernels at a few inducing points, with their gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray

AnyFloats = npt.NDArray[np.floating[Any]]

AT_ONCE = 60_000
"""Covariances are worked out for so many pairs of points at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Block:
    """One set of inducing points with a Matern 5/2 kernel."""

    points_mm: FloatArray
    length_mm: float
    amplitude_mm: float

    def prior(self) -> FloatArray:
        """Return the covariances, shape (m, m), of values at the inducing points, in double precision."""
        return np.asarray(self._kernel(*_scaled_distances(self.points_mm, self.points_mm, self.length_mm)))

    def kernel(self, points: FloatArray) -> FloatArray:
        """Return the covariances, shape (n, m), of values at `points` with those at the inducing points."""
        found = np.empty((len(points), len(self.points_mm)))
        single = self._single(points)
        for part in self._parts(points):
            found[part] = self._kernel(*_scaled_distances(single.points_mm[part], single.inducing_mm, self.length_mm))
        return found

    def value(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the weighted sum of kernels at `points`, shape (n,)."""
        found = np.empty(len(points))
        single = self._single(points)
        weights = weights.astype(np.float32)
        for part in self._parts(points):
            r, fading = _scaled_distances(single.points_mm[part], single.inducing_mm, self.length_mm)
            found[part] = self._kernel(r, fading) @ weights
        return found

    def value_and_gradient(self, points: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the weighted sum of kernels at `points` and its gradient, shapes (n,) and (n, 3)."""
        value, slope = np.empty(len(points)), np.empty((len(points), 3))
        single = self._single(points)
        steepness = -(5.0 / 3.0) * (self.amplitude_mm / self.length_mm) ** 2 * weights
        weighted = np.column_stack([steepness, steepness[:, None] * single.inducing_mm, weights]).astype(np.float32)
        for part in self._parts(points):
            r, fading = _scaled_distances(single.points_mm[part], single.inducing_mm, self.length_mm)
            pull = ((1.0 + r) * fading) @ weighted[:, :4]
            value[part] = self._kernel(r, fading) @ weighted[:, 4]
            slope[part] = single.points_mm[part] * pull[:, :1] - pull[:, 1:]
        return value, slope

    def _single(self, points: FloatArray) -> Single:
        """Return what a sum at many points is worked out from: single precision is enough there, to 0.001 mm."""
        middle = self.points_mm.mean(axis=0)
        return Single((points - middle).astype(np.float32), (self.points_mm - middle).astype(np.float32))

    def _parts(self, points: FloatArray) -> list[slice]:
        step = max(1, AT_ONCE // len(self.points_mm))
        return [slice(start, start + step) for start in range(0, len(points), step)]

    def _kernel(self, r: AnyFloats, fading: AnyFloats) -> AnyFloats:
        """Return amplitude^2 (1 + r + r^2 / 3) exp(-r)."""
        kernel = r * (1.0 / 3.0)
        kernel += 1.0
        kernel *= r
        kernel += 1.0
        kernel *= fading
        kernel *= self.amplitude_mm**2
        return kernel


@dataclass(frozen=True, eq=False)
class Single:
    """Points and inducing points around the middle of the latter, in single precision."""

    points_mm: npt.NDArray[np.float32]
    inducing_mm: npt.NDArray[np.float32]


def _scaled_distances(a: AnyFloats, b: AnyFloats, length: float) -> tuple[AnyFloats, AnyFloats]:
    """Return r = sqrt(5) |a - b| / length and exp(-r), shape (n, m) each. In place: this is where the time goes."""
    scale = float(np.sqrt(5.0)) / length
    a, b = a * scale, b * scale
    r = a @ (-2.0 * b.T)
    r += np.einsum("ij,ij->i", a, a)[:, None]
    r += np.einsum("ij,ij->i", b, b)[None, :]
    np.maximum(r, 0.0, out=r)
    np.sqrt(r, out=r)
    return r, np.exp(-r)
