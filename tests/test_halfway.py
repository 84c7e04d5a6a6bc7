"""The mean of two displacements that were found in opposite directions."""

from __future__ import annotations

import numpy as np
import pytest
from analytic import lattice

from planner.register.alignment import Displacement
from planner.register.halfway import carried, halfway

OFF = np.array([0.6, 0.0, 0.0])
GRID = lattice((40.0, 32.0, 32.0), (2.0, 2.0, 2.0))


def points() -> np.ndarray:
    return GRID.lps_mm(np.indices(GRID.shape_kji).reshape(3, -1)[::-1].T)


def displaced(field) -> Displacement:
    return Displacement(field(points()).reshape(*GRID.shape_kji, 3).astype(np.float32), GRID)


def wave(p: np.ndarray) -> np.ndarray:
    fade = np.exp(-(p**2).sum(axis=1, keepdims=True) / 12.0**2)
    return fade * np.column_stack([3.0 * np.sin(p[:, 1] / 9.0), 2.0 * np.cos(p[:, 2] / 8.0), p[:, 0] / 12.0])


def inverse_of_wave(q: np.ndarray) -> np.ndarray:
    """Return what takes points back, found by Newton-like steps on the field itself, not on its lattice."""
    p = q.copy()
    for _ in range(200):
        p = q - wave(p)
    return p - q


def test_a_displacement_and_its_inverse_have_the_displacement_as_their_mean() -> None:
    found = halfway(displaced(wave), displaced(inverse_of_wave))
    inner = (np.abs(points()) < 20.0).all(axis=1)
    off = np.linalg.norm(found.vectors_mm.reshape(-1, 3)[inner] - wave(points()[inner]), axis=1)
    assert off.max() < 0.15


def test_errors_of_opposite_answers_are_averaged() -> None:
    shift = np.array([2.0, -1.0, 0.5])
    there = displaced(lambda p: np.broadcast_to(shift + OFF, p.shape))
    back = displaced(lambda p: np.broadcast_to(-shift + OFF, p.shape))
    found = halfway(there, back)
    middle = tuple(n // 2 for n in GRID.shape_kji)
    assert found.vectors_mm[middle] == pytest.approx(shift, abs=1e-5)


def test_nothing_and_nothing_is_nothing() -> None:
    none = displaced(np.zeros_like)
    assert not halfway(none, none).vectors_mm.any()


def test_a_region_is_carried_to_where_the_displacement_takes_it() -> None:
    shift = np.array([6.0, -4.0, 2.0])
    p = points()
    region = (np.linalg.norm(p, axis=1) < 10.0).reshape(GRID.shape_kji)
    found = carried(region, GRID, displaced(lambda q: np.broadcast_to(shift, q.shape)))
    assert p[found.ravel()].mean(axis=0) == pytest.approx(shift, abs=0.3)
    assert found.sum() == pytest.approx(region.sum(), rel=0.02)
