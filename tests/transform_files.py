"""Transforms as SimpleITK makes and writes them; none is like its inverse, and no axis is like another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from analytic import lattice, rigid

from planner.grid import Grid

POST = lattice((54.0, 48.0, 44.0), (3.0, 2.5, 2.6), turned=rigid((0.06, -0.1, 0.12))[:3, :3])
"""The lattice of POST's image, turned against the body."""

MIDDLE = np.array([[-25.0, -25.0, -25.0], [25.0, 25.0, 25.0]])


def translation() -> sitk.Transform:
    return sitk.TranslationTransform(3, (6.0, -9.0, 13.0))


def versor() -> sitk.Transform:
    return sitk.VersorRigid3DTransform((0.3, 0.5, -0.8), 0.3, (5.0, -3.0, 8.0), (10.0, 20.0, -15.0))


def euler() -> sitk.Transform:
    return sitk.Euler3DTransform((4.0, -12.0, 7.0), 0.2, -0.1, 0.35, (3.0, 8.0, -5.0))


def similarity() -> sitk.Transform:
    return sitk.Similarity3DTransform(1.1, (0.1, 0.4, 0.2), 0.4, (2.0, 3.0, -6.0), (1.0, -8.0, 4.0))


def affine() -> sitk.Transform:
    return sitk.AffineTransform(
        (1.05, 0.1, 0.0, -0.06, 0.97, 0.03, 0.0, 0.12, 1.02), (5.0, -2.0, 9.0), (3.0, 1.0, -7.0)
    )


def bspline(most_mm: float = 7.0) -> sitk.Transform:
    corners = POST.corners_lps_mm()
    low, high = corners.min(axis=0) - 12.0, corners.max(axis=0) + 12.0
    found = sitk.BSplineTransform(3, 3)
    found.SetTransformDomainOrigin(low.tolist())
    found.SetTransformDomainPhysicalDimensions((high - low).tolist())
    found.SetTransformDomainMeshSize((5, 4, 3))
    count = len(found.GetParameters())
    found.SetParameters(np.random.default_rng(5).uniform(-most_mm, most_mm, count).tolist())
    return found


def waves(points: np.ndarray, most_mm: float = 4.0) -> np.ndarray:
    x, y, z = points.T / 18.0
    return most_mm * np.stack([np.sin(x + 0.3), 0.7 * np.cos(y - 0.5 * z), np.sin(z + 0.4 * x)], axis=1)


def field_image(grid: Grid, vectors: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(vectors, dtype=np.float64).reshape(*grid.shape_kji, 3), isVector=True)
    spacing = np.array(grid.spacing_kji_mm[::-1])
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(grid.lps_mm_from_ijk[:3, 3].tolist())
    image.SetDirection((grid.lps_mm_from_ijk[:3, :3] / spacing).ravel().tolist())
    return image


def nodes(grid: Grid) -> np.ndarray:
    return grid.lps_mm(np.indices(grid.shape_kji)[::-1].reshape(3, -1).T)


FIELD_GRID = lattice((80.0, 74.0, 70.0), (4.0, 5.0, 4.5), turned=rigid((-0.05, 0.1, 0.1))[:3, :3])
"""Holds all of POST."""


def field(grid: Grid = FIELD_GRID) -> sitk.Transform:
    """Return waves and a shift of 20 mm, which a field alone may well hold."""
    return sitk.DisplacementFieldTransform(field_image(grid, np.add(waves(nodes(grid)), (20.0, 0.0, -5.0))))


def composite(*applied: sitk.Transform) -> sitk.Transform:
    """Return a composite that applies these one after the other."""
    return sitk.CompositeTransform(list(reversed(applied)))


def written(path: Path, transform: sitk.Transform) -> Path:
    sitk.WriteTransform(transform, str(path))
    return path


def applied(transform: sitk.Transform, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    return np.array([transform.TransformPoint(point) for point in np.asarray(points, dtype=float).tolist()])
