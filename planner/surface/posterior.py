"""The posterior mode of a Gaussian process's weights under labels: Newton steps on a convex loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk
from scipy.special import log_ndtr

from planner.grid import FloatArray

SURE = 4.5
"""A label this many tau from the surface, on its side, pulls no more."""

NEWTON_ROUNDS = 12
SETTLED = 1e-3
"""Steps end when the loss, a log probability, falls by less."""


@dataclass(frozen=True, eq=False)
class Told:
    """The labels (+1, -1) of n centres, and what f is there: f0_mm + kernel @ weights; shapes (n,), (n,), (n, m)."""

    f0_mm: FloatArray
    kernel: FloatArray
    labels: FloatArray

    def value(self, weights: FloatArray) -> FloatArray:
        """Return f at the centres, shape (n,)."""
        return np.asarray(self.f0_mm + self.kernel @ weights)

    def only(self, these: slice | npt.NDArray[np.bool_]) -> Told:
        """Return some of the centres."""
        return Told(self.f0_mm[these], self.kernel[these], self.labels[these])

    def and_kernel(self, more: FloatArray) -> Told:
        """Return the centres with further columns of the kernel."""
        return Told(self.f0_mm, np.concatenate([self.kernel, more], axis=1), self.labels)


def mode(told: Told, prior: FloatArray, tau: float, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the posterior mode and the curvature there, from given weights on.

    Newton steps, halved while the loss would grow. The curvature, the Hessian of the negative log posterior, is that of
    the last step; only its upper triangle is filled.

    Parameters
    ----------
    told
        Centre x lies on its side with probability Phi(label * f(x) / tau).
    prior
        Shape (m, m): the precision of the weights.
    """
    value, pull = told.value(weights), prior @ weights
    now = _loss(told.labels * value / tau) + 0.5 * weights @ pull
    curvature = prior
    for _ in range(NEWTON_ROUNDS):
        z = told.labels * value / tau
        slope = pull - told.kernel.T @ (told.labels * _steepness(z)) / tau
        curvature = _curvature(told, z, prior, tau)
        step = cho_solve(cho_factor(curvature, check_finite=False), slope, check_finite=False)
        along, pull_along = told.kernel @ step, prior @ step
        share = 1.0
        while share > SMALLEST_SHARE:
            at = weights - share * step
            after = _loss(told.labels * (value - share * along) / tau) + 0.5 * at @ (pull - share * pull_along)
            if after <= now:
                break
            share *= 0.5
        else:
            break
        weights, value, pull = at, value - share * along, pull - share * pull_along
        settled = now - after < SETTLED
        now = after
        if settled:
            break
    return weights, curvature


SMALLEST_SHARE = 1e-3


def _loss(z: FloatArray) -> float:
    return -float(log_ndtr(z).sum())


def _steepness(z: FloatArray) -> FloatArray:
    """Return the derivative of log Phi, 0 where the label is sure."""
    near = z < SURE
    ratio = np.zeros_like(z)
    ratio[near] = np.exp(-0.5 * z[near] ** 2 - log_ndtr(z[near])) / np.sqrt(2.0 * np.pi)
    return ratio


def _curvature(told: Told, z: FloatArray, prior: FloatArray, tau: float) -> FloatArray:
    pulling = np.flatnonzero(z < SURE)
    ratio = _steepness(z[pulling])
    rooted = told.kernel[pulling]
    rooted *= np.sqrt(ratio * (ratio + z[pulling]))[:, None] / tau
    return np.asarray(prior + dsyrk(1.0, rooted.T))
