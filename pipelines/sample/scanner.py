"""What a scanner adds to a picture: noise; for MR also a bias field, which varies smoothly over the body."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

Values = npt.NDArray[np.float32]

NOISE_HU = 11.0
NOISE_SIGNAL = 5.0
"""Standard deviation of each of the two parts of an MR signal."""

BIAS = 0.12
BIAS_LENGTHS_MM = (220.0, 420.0)
BIAS_WAVES = 4
"""log(bias) is a sum of so many waves of these lengths, each of this amplitude."""


def scanned(values: Values, spacing_kji_mm: tuple[float, float, float], modality: str, seed: int) -> Values:
    """Return a picture, shape (k, j, i), as a scanner of a modality ("CT", "MR") shows it."""
    if modality == "CT":
        return np.asarray(values + _noise(values.shape, seed), dtype=np.float32)
    rng = np.random.default_rng([seed, 1])
    signal = values * np.exp(_log_bias(values.shape, spacing_kji_mm, rng))
    real, imaginary = (
        gaussian_filter(rng.standard_normal(values.shape, dtype=np.float32), [0.0, 0.5, 0.5]) for _ in range(2)
    )
    noise = NOISE_SIGNAL / float(real.std())
    return np.asarray(np.hypot(signal + noise * real, noise * imaginary), dtype=np.float32)


def _noise(shape_kji: tuple[int, ...], seed: int) -> Values:
    """Return correlated scanner noise of a CT, stronger in the middle of the body."""
    white = np.random.default_rng(seed).standard_normal(shape_kji, dtype=np.float32)
    # A soft-tissue kernel correlates neighbours over about 1 mm in the plane.
    smooth = gaussian_filter(white, [0.35, 0.75, 0.75])
    rows, columns = shape_kji[1:]
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    profile = 1.12 - 0.35 * np.minimum(x * x + y * y, 1.2)
    return np.asarray(smooth / smooth.std() * profile * NOISE_HU, dtype=np.float32)


def _log_bias(
    shape_kji: tuple[int, ...], spacing_kji_mm: tuple[float, float, float], rng: np.random.Generator
) -> Values:
    """Return the logarithm of a bias field in the scanner's frame."""
    axes = [(np.arange(n) - n / 2) * s for n, s in zip(shape_kji, spacing_kji_mm, strict=True)]
    total = np.zeros(shape_kji, dtype=np.float32)
    for _ in range(BIAS_WAVES):
        way = rng.normal(size=3)
        way *= 2 * np.pi / (float(rng.uniform(*BIAS_LENGTHS_MM)) * np.linalg.norm(way))
        phase = float(rng.uniform(0, 2 * np.pi))
        where = phase + sum(
            np.reshape(way[n] * axes[n], [-1 if m == n else 1 for m in range(3)]).astype(np.float32) for n in range(3)
        )
        total += np.float32(BIAS) * np.cos(where)
    return total
