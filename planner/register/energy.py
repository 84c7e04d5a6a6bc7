"""What a deformation of living tissue costs: bending, and change of volume. Both with their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from planner.grid import FloatArray

REFERENCE_MM = 16.0


def bending_energy(control: FloatArray, spacing_mm: float) -> tuple[float, FloatArray]:
    """Return the mean squared second difference of the control values, per 16 mm, and its gradient.

    Parameters
    ----------
    control
        Control values, shape (k, j, i, 3), mm.
    spacing_mm
        Distance of the control points.
    """
    factor = (REFERENCE_MM / spacing_mm) ** 4 / float(np.prod(control.shape[:3]))
    total = 0.0
    slope = np.zeros_like(control)
    for a in range(3):
        second = np.diff(control, 2, axis=a)
        total += float((second**2).sum())
        slope += 2.0 * _second_adjoint(second, a)
        for b in range(a):
            mixed = np.diff(np.diff(control, axis=a), axis=b)
            total += 2.0 * float((mixed**2).sum())
            slope += 4.0 * _first_adjoint(_first_adjoint(mixed, b), a)
    return factor * total, factor * slope


def _first_adjoint(values: FloatArray, axis: int) -> FloatArray:
    """Return the adjoint of the first difference along an axis."""
    pad = [(1, 1) if n == axis else (0, 0) for n in range(values.ndim)]
    return np.asarray(-np.diff(np.pad(values, pad), axis=axis))


def _second_adjoint(values: FloatArray, axis: int) -> FloatArray:
    return _first_adjoint(_first_adjoint(values, axis), axis)


VALUE = (1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0)
SLOPE = (-0.5, 0.0, 0.5)
"""A uniform cubic B-spline at its control points, and its derivative times their distance, from three neighbours."""


def volume_change(control: FloatArray, spacing_mm: float) -> tuple[float, FloatArray]:
    """Return the mean squared J - 1 over the inner control points, J the determinant of d(x + u)/dx, and its gradient.

    Parameters
    ----------
    control
        Control values of u, shape (k, j, i, 3), components in the order of the axes, mm.
    spacing_mm
        Distance of the control points.
    """
    taps = [[SLOPE if axis == along else VALUE for axis in range(3)] for along in range(3)]
    jacobian = np.stack([_filtered(control, taps[along]) for along in range(3)], axis=-1) / spacing_mm
    jacobian += np.eye(3)
    first, second, third = jacobian[..., 0, :], jacobian[..., 1, :], jacobian[..., 2, :]
    cofactors = np.stack([np.cross(second, third), np.cross(third, first), np.cross(first, second)], axis=-2)
    excess = (jacobian[..., 0, :] * cofactors[..., 0, :]).sum(axis=-1) - 1.0
    by_jacobian = (2.0 / (excess.size * spacing_mm)) * excess[..., None, None] * cofactors
    slope = np.sum([_filtered_adjoint(by_jacobian[..., along], taps[along]) for along in range(3)], axis=0)
    return float((excess**2).mean()), np.asarray(slope)


def _filtered(values: FloatArray, taps: Sequence[Sequence[float]]) -> FloatArray:
    """Return sums over three neighbours along each of the first three axes, without the rims."""
    for axis, weights in enumerate(taps):
        values = ndimage.correlate1d(values, weights, axis, mode="constant")
    return values[1:-1, 1:-1, 1:-1]


def _filtered_adjoint(values: FloatArray, taps: Sequence[Sequence[float]]) -> FloatArray:
    values = np.pad(values, [(1, 1)] * 3 + [(0, 0)] * (values.ndim - 3))
    for axis, weights in enumerate(taps):
        values = ndimage.correlate1d(values, weights[::-1], axis, mode="constant")
    return values
