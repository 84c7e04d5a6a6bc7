"""The deformation that is left after the rigid motion: a cubic B-spline free-form deformation that keeps volume.

Images are compared channel by channel (`compared.py`), as r = post - (a pre + b) under a robust weight
log(1 + r^2 / (2 s)^2); a, b and s are estimated anew at each level.
Smoothness (bending energy) and kept volume carry the answer across the ablation zone, which the metric never sees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, optimize, sparse

from planner.grid import FloatArray
from planner.register.alignment import Displacement
from planner.register.compared import Compared, intensities
from planner.register.energy import bending_energy, volume_change
from planner.register.prepare import Working
from planner.volume import BoolVoxels, FloatVoxels

CONTROL_MM = 32.0
"""Control point distance of the first level; each further level halves it."""

LEVELS = ((2, 30), (1, 20))
"""Per level: shrink factor of the images, iterations."""

QUICK = ((4, 30), (2, 20))
"""The same on every second voxel: a fifth of the cost."""

SMOOTHED = 0.3
"""Images are smoothed by so many of a level's voxels before they are compared."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a deformation beforehand: weights against the robust intensity difference.

    Parameters
    ----------
    bending
        Weight of the bending energy.
    volume
        Weight of the mean squared relative change of volume.
    """

    bending: float
    volume: float


LIVER = Prior(bending=0.001, volume=100.0)
"""Soft tissue is moved and sheared, hardly compressed."""

ANYTHING = Prior(bending=0.003, volume=0.0)
"""Where nobody says which part is liver: lungs and bowel do change their volume."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Control points of a cubic B-spline: `counts` (k, j, i), `spacing_mm` apart, the first one outside the image."""

    counts: tuple[int, int, int]
    spacing_mm: float

    @classmethod
    def over(cls, shape_kji: Sequence[int], voxel_mm: float, spacing_mm: float) -> Lattice:
        """Return the lattice that supports a volume."""
        k, j, i = (int(np.ceil((n - 1) * voxel_mm / spacing_mm)) + 4 for n in shape_kji)
        return cls((k, j, i), spacing_mm)

    def basis(self, places_mm: npt.NDArray[np.floating[Any]], axis: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return for places along one axis the first of four control points and the four weights, shape (n, 4)."""
        t = places_mm / self.spacing_mm
        first = np.clip(np.floor(t).astype(np.int64), 0, self.counts[axis] - 4)
        f = t - first
        weights = np.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], axis=1)
        return first, weights / 6.0

    def matrix(self, places_kji_mm: FloatArray) -> sparse.csr_matrix:
        """Return the sparse map from control values to values at places, shape (n, number of control points)."""
        supports = [self.basis(places_kji_mm[:, axis], axis) for axis in range(3)]
        first, weights = [support[0] for support in supports], [support[1] for support in supports]
        n = len(places_kji_mm)
        columns = np.empty((n, 4, 4, 4), dtype=np.int64)
        for a in range(4):
            for b in range(4):
                row = ((first[0] + a) * self.counts[1] + first[1] + b) * self.counts[2] + first[2]
                columns[:, a, b, :] = row[:, None] + np.arange(4)
        values = weights[0][:, :, None, None] * weights[1][:, None, :, None] * weights[2][:, None, None, :]
        rows = np.arange(0, 64 * n + 1, 64)
        shape = (n, int(np.prod(self.counts)))
        return sparse.csr_matrix((values.ravel(), columns.ravel(), rows), shape=shape)

    def dense(self, control: FloatArray, shape_kji: Sequence[int], voxel_mm: float) -> FloatArray:
        """Return control values (k, j, i, 3) evaluated at every voxel of a volume."""
        field = control
        for axis, size in enumerate(shape_kji):
            first, weights = self.basis(np.arange(size) * voxel_mm, axis)
            full = np.zeros((size, self.counts[axis]))
            for corner in range(4):
                full[np.arange(size), first + corner] = weights[:, corner]
            field = np.moveaxis(np.tensordot(full, field, axes=(1, axis)), 0, axis)
        return np.asarray(field)


def displacement_on_post(
    post: Working,
    pre_on_post: FloatVoxels,
    seen: BoolVoxels,
    region: BoolVoxels,
    prior: Prior = LIVER,
    levels: Sequence[tuple[int, int]] = LEVELS,
    compared: Compared = intensities,
) -> Displacement:
    """Return the displacement, on POST's working lattice, that takes POST onto the rigidly moved PRE.

    Parameters
    ----------
    post
        POST on its working lattice.
    pre_on_post
        PRE, rigidly moved, on the same lattice.
    seen
        Where PRE has values on that lattice.
    region
        Where the metric looks.
    prior
        What is believed of the deformation.
    levels
        Shrink factor of the images and iterations of each level.
    compared
        What of the images is compared.
    """
    voxel = post.grid.spacing_kji_mm[0]
    shape = post.grid.shape_kji
    lattice = Lattice.over(shape, voxel, CONTROL_MM)
    control = np.zeros((*lattice.counts, 3))
    images = tuple(zip(compared(post.image), compared(pre_on_post), strict=True))
    for level, (shrink, iterations) in enumerate(levels):
        if level > 0:
            lattice, control = _halved(lattice, control, shape, voxel)
        pair = _Pair.of(images, region & seen, voxel, shrink)
        control = _fitted(pair, lattice, control, iterations, prior)
    field = lattice.dense(control, shape, voxel)
    return faded(Displacement(field[..., ::-1].astype(np.float32), post.grid))


FADE_MM = 32.0
"""Beyond its lattice a displacement goes on and fades over this length: a sudden end could not be inverted there."""


def faded(found: Displacement) -> Displacement:
    """Return the displacement on a larger lattice, going on from its faces and fading to zero at the new ones."""
    grid = found.grid
    pad = [math.ceil(FADE_MM / spacing) for spacing in grid.spacing_kji_mm]
    vectors = np.pad(found.vectors_mm, [*((n, n) for n in pad), (0, 0)], mode="edge")
    for axis, n in enumerate(pad):
        weight = np.ones(vectors.shape[axis])
        weight[:n] = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
        weight[-n:] = weight[:n][::-1]
        vectors *= weight.reshape([-1 if a == axis else 1 for a in range(4)]).astype(np.float32)
    shape = (vectors.shape[0], vectors.shape[1], vectors.shape[2])
    return Displacement(vectors, grid.cropped((-pad[0], -pad[1], -pad[2]), shape))


@dataclass(frozen=True, slots=True, eq=False)
class _Channel:
    """One channel of both images: values of POST at chosen places, and PRE with its slopes on the lattice."""

    post_values: FloatArray
    pre: FloatArray
    slopes: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def of(
        cls, post: FloatVoxels, pre: FloatVoxels, places: npt.NDArray[np.int64], voxel_mm: float, shrink: int
    ) -> _Channel:
        """Return both, smoothed for a level."""
        smooth = [ndimage.gaussian_filter(image, SMOOTHED * shrink).astype(np.float64) for image in (post, pre)]
        gradient = np.gradient(smooth[1], voxel_mm)
        return cls(smooth[0][tuple(places.T)], smooth[1], (gradient[0], gradient[1], gradient[2]))


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """What one level compares, channel by channel, at places of POST."""

    places_kji_mm: FloatArray
    channels: tuple[_Channel, ...]
    voxel_mm: float

    @classmethod
    def of(
        cls, images: Sequence[tuple[FloatVoxels, FloatVoxels]], where: BoolVoxels, voxel_mm: float, shrink: int
    ) -> _Pair:
        """Return both images' channels smoothed for the level, and every `shrink`-th voxel of the region."""
        coarse = np.zeros_like(where)
        coarse[::shrink, ::shrink, ::shrink] = where[::shrink, ::shrink, ::shrink]
        places = np.argwhere(coarse)
        channels = tuple(_Channel.of(post, pre, places, voxel_mm, shrink) for post, pre in images)
        return cls(np.asarray(places * voxel_mm, dtype=np.float64), channels, voxel_mm)

    def read(self, volume: FloatArray, places_kji_mm: FloatArray) -> FloatArray:
        """Return a volume's values at places, by linear interpolation."""
        return np.asarray(ndimage.map_coordinates(volume, places_kji_mm.T / self.voxel_mm, order=1, mode="nearest"))

    def scales(self, places_kji_mm: FloatArray) -> list[tuple[float, float, float]]:
        """Return of each channel slope and offset of POST on PRE, and how far it scatters about that line."""
        found = []
        for channel in self.channels:
            start = self.read(channel.pre, places_kji_mm)
            slope, offset = _line(start, channel.post_values)
            off = np.abs(channel.post_values - slope * start - offset)
            found.append((slope, offset, 1.4826 * float(np.median(off)) + 1e-6))
        return found

    def cost(self, places_kji_mm: FloatArray, scales: Sequence[tuple[float, float, float]]) -> tuple[float, FloatArray]:
        """Return the mean robust difference with PRE read at places, and its slope by each place, shape (n, 3)."""
        count = len(places_kji_mm) * len(self.channels)
        total, by_place = 0.0, np.zeros((len(places_kji_mm), 3))
        for channel, (scale, offset, spread) in zip(self.channels, scales, strict=True):
            residual = channel.post_values - scale * self.read(channel.pre, places_kji_mm) - offset
            relative = (residual / (2.0 * spread)) ** 2
            pull = -scale * (2.0 * residual / (2.0 * spread) ** 2) / (1.0 + relative) / count
            by_place += np.stack([pull * self.read(slope, places_kji_mm) for slope in channel.slopes], axis=1)
            total += float(np.log1p(relative).mean()) / len(self.channels)
        return total, by_place


def _fitted(pair: _Pair, lattice: Lattice, control: FloatArray, iterations: int, prior: Prior) -> FloatArray:
    matrix = lattice.matrix(pair.places_kji_mm)
    transposed = matrix.T.tocsr()
    scales = pair.scales(pair.places_kji_mm + matrix @ control.reshape(-1, 3))

    def cost(flat: FloatArray) -> tuple[float, FloatArray]:
        values = flat.reshape(-1, 3)
        data, by_place = pair.cost(pair.places_kji_mm + matrix @ values, scales)
        bent, bent_slope = bending_energy(values.reshape(control.shape), lattice.spacing_mm)
        swollen, swollen_slope = volume_change(values.reshape(control.shape), lattice.spacing_mm)
        slope = prior.bending * bent_slope + prior.volume * swollen_slope
        total = data + prior.bending * bent + prior.volume * swollen
        return total, ((transposed @ by_place) + slope.reshape(-1, 3)).ravel()

    found = optimize.minimize(
        cost, control.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 10}
    )
    return np.asarray(found.x).reshape(control.shape)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return slope and offset of y on x, fitted without the farthest tenth of the residuals."""
    keep = np.ones(len(x), dtype=bool)
    slope, offset = 1.0, 0.0
    for _ in range(3):
        centred = x[keep] - x[keep].mean()
        slope = float((centred * y[keep]).sum() / max(float((centred**2).sum()), 1e-9))
        offset = float(y[keep].mean() - slope * x[keep].mean())
        residual = np.abs(y - slope * x - offset)
        keep = residual <= np.quantile(residual, 0.9)
    return slope, offset


def _halved(
    lattice: Lattice, control: FloatArray, shape_kji: Sequence[int], voxel_mm: float
) -> tuple[Lattice, FloatArray]:
    """Return the same deformation on control points half as far apart (B-spline subdivision)."""
    finer = Lattice.over(shape_kji, voxel_mm, 0.5 * lattice.spacing_mm)
    for axis in range(3):
        control = np.moveaxis(_subdivided(np.moveaxis(control, axis, 0)), 0, axis)
        control = np.take(control, np.arange(finer.counts[axis]), axis=axis)
    return finer, control


def _subdivided(values: FloatArray) -> FloatArray:
    """Return cubic B-spline coefficients at half the distance along the first axis, from the same first position."""
    between = 0.5 * (values[:-1] + values[1:])
    at = (values[:-2] + 6.0 * values[1:-1] + values[2:]) / 8.0
    finer = np.empty((len(between) + len(at), *values.shape[1:]))
    finer[0::2] = between
    finer[1::2] = at
    return finer
