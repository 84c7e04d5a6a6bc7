"""Sums of Matern 5/2 kernels at a few inducing points, with their gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.grid import FloatArray


@dataclass(frozen=True, eq=False)
class Block:
    """One set of inducing points with a Matern 5/2 kernel."""

    points_mm: FloatArray
    length_mm: float
    amplitude_mm: float

    def kernel(self, points: FloatArray) -> FloatArray:
        """Return the covariances, shape (n, m), of values at `points` with those at the inducing points."""
        return self._kernel(*_scaled_distances(points, self.points_mm, self.length_mm))

    def value_and_gradient(self, points: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the weighted sum of kernels at `points` and its gradient, shapes (n,) and (n, 3)."""
        r, fading = _scaled_distances(points, self.points_mm, self.length_mm)
        value = self._kernel(r, fading) @ weights
        pull = (1.0 + r) * fading
        pull *= -(5.0 / 3.0) * (self.amplitude_mm / self.length_mm) ** 2 * weights
        return value, np.asarray(points * pull.sum(axis=1, keepdims=True) - pull @ self.points_mm)

    def _kernel(self, r: FloatArray, fading: FloatArray) -> FloatArray:
        """Return amplitude^2 (1 + r + r^2 / 3) exp(-r)."""
        kernel = r * (1.0 / 3.0)
        kernel += 1.0
        kernel *= r
        kernel += 1.0
        kernel *= fading
        kernel *= self.amplitude_mm**2
        return kernel


def _scaled_distances(a: FloatArray, b: FloatArray, length: float) -> tuple[FloatArray, FloatArray]:
    """Return r = sqrt(5) |a - b| / length and exp(-r), shape (n, m) each. In place: this is where the time goes."""
    scale = np.sqrt(5.0) / length
    a, b = a * scale, b * scale
    r = a @ (-2.0 * b.T)
    r += (a * a).sum(1)[:, None]
    r += (b * b).sum(1)[None, :]
    np.maximum(r, 0.0, out=r)
    np.sqrt(r, out=r)
    return r, np.exp(-r)
