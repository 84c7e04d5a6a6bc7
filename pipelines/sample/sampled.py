"""Levels sampled on a lattice: quick answers while organs and lesions are being placed, never for the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import map_coordinates

if TYPE_CHECKING:
    from pipelines.sample.shapes import FloatArray, Shape


@dataclass(frozen=True, eq=False)
class SampledLevel:
    """A level sampled on a lattice, for quick questions while organs are being placed; outside it is +50 mm."""

    origin_mm: FloatArray
    spacing_mm: float
    values_mm: FloatArray

    @classmethod
    def of(cls, shapes: list[Shape], box_mm: FloatArray, spacing_mm: float) -> SampledLevel:
        """Sample the union of shapes in a box."""
        axes = [np.arange(box_mm[0][n], box_mm[1][n] + spacing_mm, spacing_mm) for n in range(3)]
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32)
        values = reduce(np.minimum, (shape(nodes) for shape in shapes))
        return cls(np.asarray(box_mm[0], dtype=np.float64), spacing_mm, values)

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        """Return the level at points (n, 3) by trilinear interpolation."""
        where = ((points_mm - self.origin_mm) / self.spacing_mm).T
        return np.asarray(map_coordinates(self.values_mm, where, order=1, cval=50.0, output=np.float64))
