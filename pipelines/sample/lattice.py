"""The voxel grid of a synthetic study, upright or of a tilted gantry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from pipelines.sample.shapes import FloatArray

if TYPE_CHECKING:
    from pipelines.sample.patient import Patient

Study = Literal["pre", "post"]
Block = tuple[slice, slice, slice]

FIELD_OF_VIEW_MM = 332.8


@dataclass(frozen=True)
class Lattice:
    """A study's grid: shape and spacing in k, j, i; the first voxel's centre; how far the gantry is tilted.

    Of a tilted one the columns lean from front to back, the table still moves along z: slices are sheared.
    """

    shape_kji: tuple[int, int, int]
    spacing_kji_mm: tuple[float, float, float]
    origin_lps_mm: tuple[float, float, float]
    tilt_degrees: float = 0.0

    @property
    def column_lps(self) -> tuple[float, float, float]:
        """The direction along a column."""
        if not self.tilt_degrees:
            return 0.0, 1.0, 0.0
        lean = np.radians(self.tilt_degrees)
        return 0.0, float(np.cos(lean)), float(np.sin(lean))

    @property
    def lps_mm_from_ijk(self) -> npt.NDArray[np.float64]:
        """The 4 x 4 matrix from voxel indices i, j, k to LPS mm."""
        matrix = np.diag([*self.spacing_kji_mm[::-1], 1.0])
        matrix[:3, 1] = self.spacing_kji_mm[1] * np.array(self.column_lps)
        matrix[:3, 3] = self.origin_lps_mm
        return matrix

    def points_mm(self) -> npt.NDArray[np.float32]:
        """Return all voxel centres (k, j, i, 3)."""
        if self.tilt_degrees:
            k, j, i = np.meshgrid(*map(np.arange, self.shape_kji), indexing="ij")
            matrix = self.lps_mm_from_ijk
            return (np.stack([i, j, k], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32)
        axes = [self.origin_lps_mm[n] + self.spacing_kji_mm[2 - n] * np.arange(self.shape_kji[2 - n]) for n in range(3)]
        z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
        return np.stack([x, y, z], axis=-1).astype(np.float32)

    def block(self, box_mm: FloatArray) -> Block:
        """Return the voxels whose centres lie in a box (of a tilted grid, the block that holds them)."""
        if self.tilt_degrees:
            return self._block_around(box_mm)
        spacing = np.array(self.spacing_kji_mm)
        origin = np.array(self.origin_lps_mm)[::-1]
        low = np.maximum(np.ceil((box_mm[0, ::-1] - origin) / spacing), 0).astype(int)
        high = np.minimum(np.floor((box_mm[1, ::-1] - origin) / spacing) + 1, self.shape_kji).astype(int)
        low = np.minimum(low, self.shape_kji)
        high = np.maximum(high, low)
        return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])

    def _block_around(self, box_mm: FloatArray) -> Block:
        corners = np.stack(np.meshgrid(*np.asarray(box_mm).T, indexing="ij"), axis=-1).reshape(-1, 3)
        inverse = np.linalg.inv(self.lps_mm_from_ijk)
        kji = (corners @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1]
        low = np.clip(np.ceil(kji.min(axis=0)), 0, self.shape_kji).astype(int)
        high = np.maximum(np.clip(np.floor(kji.max(axis=0)) + 1, 0, self.shape_kji).astype(int), low)
        return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def make_lattice(
    patient: Patient, study: Study, spacing_kji_mm: tuple[float, float, float], tilt_degrees: float = 0.0
) -> Lattice:
    """Return a study's grid: the whole liver with some room, at positions of its own."""
    rng = np.random.default_rng([patient.seed, 2, int(study == "post")])
    box = patient.anatomy.liver.box_mm
    nodes = np.stack(np.meshgrid(*[np.arange(box[0, n], box[1, n], 5.0) for n in range(3)], indexing="ij"), -1)
    inside = nodes[patient.anatomy.liver(nodes) < 0]
    centre: FloatArray = np.zeros(3)
    if study == "post":
        inside, centre = patient.field.post_from_pre(inside), patient.field.post_from_pre(centre)
    low = float(inside[:, 2].min()) - rng.uniform(8, 18)
    high = float(inside[:, 2].max()) + rng.uniform(8, 16)
    count = int(np.ceil((high - low) / spacing_kji_mm[0])) + 1
    rows, columns = (round(FIELD_OF_VIEW_MM / spacing_kji_mm[n]) for n in (1, 2))
    x, y = (float(np.round(centre[n] + rng.uniform(-3, 3) - FIELD_OF_VIEW_MM / 2, 1)) for n in (0, 1))
    if tilt_degrees:
        lean_mm = FIELD_OF_VIEW_MM * abs(np.sin(np.radians(tilt_degrees)))
        count += int(np.ceil(lean_mm / spacing_kji_mm[0]))
        low -= lean_mm if tilt_degrees > 0 else 0.0
    return Lattice((count, rows, columns), spacing_kji_mm, (x, y, round(low, 1)), tilt_degrees)
