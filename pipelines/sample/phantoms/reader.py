"""Masks as a reader draws them: every slice's contour displaced by itself."""

from __future__ import annotations

import numpy as np

from pipelines.sample.phantoms.bodies import Body, BoolArray, FloatArray

WAVES = 6
WAVES_SD = 2.0
"""Along a contour the displacement is a sum of so many waves, whose strengths fall off as a normal curve of this SD."""


def drawn_mask_of(
    body: Body,
    shape_kji: tuple[int, int, int],
    lps_mm_from_ijk: FloatArray,
    sd_mm: float,
    rng: np.random.Generator,
) -> BoolArray:
    """Return which voxel centres lie inside a body whose contours a reader drew slice by slice, shape (k, j, i).

    In each slice (index k) the contour moves to and fro along the rays from the body's middle, smoothly along the
    contour, unlike from slice to slice, by a standard deviation of `sd_mm`.
    """
    kji = np.indices(shape_kji).reshape(3, -1)
    points = kji[::-1].T @ lps_mm_from_ijk[:3, :3].T + lps_mm_from_ijk[:3, 3]
    along = lps_mm_from_ijk[:3, 0] / np.linalg.norm(lps_mm_from_ijk[:3, 0])
    across = lps_mm_from_ijk[:3, 1] - along * (along @ lps_mm_from_ijk[:3, 1])
    across /= np.linalg.norm(across)
    away = points - body.samples(2000).points_mm.mean(axis=0)
    x, y = away @ along, away @ across
    moved = sd_mm * _displacement(np.arctan2(y, x), kji[0], shape_kji[0], rng)
    share = moved / np.maximum(np.hypot(x, y), 1e-6)
    drawn = points - (share * x)[:, None] * along - (share * y)[:, None] * across
    return body.inside(drawn).reshape(shape_kji)


def _displacement(
    angle: FloatArray, k: np.ndarray[tuple[int, ...], np.dtype[np.int64]], slices: int, rng: np.random.Generator
) -> FloatArray:
    """Return a displacement of standard deviation 1 at angles of slices `k`."""
    strength = np.exp(-0.5 * (np.arange(WAVES) / WAVES_SD) ** 2)
    strength /= np.sqrt((strength**2).sum())
    cosines, sines = rng.normal(size=(2, slices, WAVES))
    found = np.zeros(len(angle))
    for wave in range(WAVES):
        found += strength[wave] * (cosines[k, wave] * np.cos(wave * angle) + sines[k, wave] * np.sin(wave * angle))
    return found
