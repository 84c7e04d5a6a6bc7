"""The known motion between the studies: rigid, plus smooth incompressible waves, plus slight contraction at zones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from pipelines.sample.shapes import FloatArray, norm, unit

MODES = 9
MAX_STRAIN = 0.42
CONTRACTION_RADIUS_MM = 32.0


@dataclass(frozen=True, eq=False)
class Field:
    """`pre_from_post(y) = R (y + waves(y) + contraction(y) - centre) + centre + translation`, LPS mm."""

    rotation: FloatArray
    centre_mm: FloatArray
    translation_mm: FloatArray
    wave_vectors_per_mm: FloatArray
    phases: FloatArray
    amplitudes_mm: FloatArray
    contraction_centres_mm: FloatArray
    contraction_fractions: FloatArray
    contraction_radius_mm: float = CONTRACTION_RADIUS_MM

    def displacement_mm(self, points_mm: FloatArray) -> FloatArray:
        """Return the local (non-rigid) displacement at points of POST."""
        dtype = points_mm.dtype
        waves = np.sin(points_mm @ self.wave_vectors_per_mm.T.astype(dtype) + self.phases.astype(dtype))
        total = waves @ self.amplitudes_mm.astype(dtype)
        for centre, fraction in zip(self.contraction_centres_mm, self.contraction_fractions, strict=True):
            offset = points_mm - centre.astype(dtype)
            decay = np.exp(-((norm(offset) / self.contraction_radius_mm) ** 4)) * float(fraction)
            total = total + offset * decay[..., None]
        return np.asarray(total)

    def pre_from_post(self, points_mm: FloatArray) -> FloatArray:
        """Return the points of PRE that hold the tissue at these points of POST."""
        dtype = points_mm.dtype
        moved = points_mm + self.displacement_mm(points_mm)
        shift = (self.centre_mm + self.translation_mm - self.rotation @ self.centre_mm).astype(dtype)
        return np.asarray(moved @ self.rotation.T.astype(dtype) + shift)

    def post_from_pre(self, points_mm: npt.ArrayLike, tolerance_mm: float = 1e-8) -> FloatArray:
        """Return the points of POST whose tissue was at these points of PRE, by fixed-point iteration."""
        points = np.asarray(points_mm, dtype=np.float64)
        rigid = (points - self.centre_mm - self.translation_mm) @ self.rotation + self.centre_mm
        found = rigid
        for _ in range(200):
            better = rigid - self.displacement_mm(found)
            change = float(np.abs(better - found).max(initial=0))
            found = better
            if change < tolerance_mm:
                return found
        msg = f"sample: the field's inverse did not converge (last change {change:.2g} mm, wanted {tolerance_mm} mm)"
        raise ArithmeticError(msg)

    def jacobian(self, points_mm: FloatArray, step_mm: float = 1e-3) -> FloatArray:
        """Return d pre / d post, (..., 3, 3), by central differences."""
        steps = np.eye(3) * step_mm
        columns = [self.pre_from_post(points_mm + s) - self.pre_from_post(points_mm - s) for s in steps]
        return np.stack(columns, axis=-1) / (2 * step_mm)

    def as_dict(self) -> dict[str, object]:
        """Return all parameters as plain lists."""
        return {
            "formula": "pre = R (post + sum_m a_m sin(k_m . post + phase_m)"
            " + sum_c f_c exp(-(|post - c|/radius)^4) (post - c) - centre) + centre + translation",
            "rotation": self.rotation.tolist(),
            "centre_mm": self.centre_mm.tolist(),
            "translation_mm": self.translation_mm.tolist(),
            "wave_vectors_per_mm": self.wave_vectors_per_mm.tolist(),
            "phases_rad": self.phases.tolist(),
            "amplitudes_mm": self.amplitudes_mm.tolist(),
            "contraction_centres_mm": self.contraction_centres_mm.tolist(),
            "contraction_fractions": self.contraction_fractions.tolist(),
            "contraction_radius_mm": self.contraction_radius_mm,
        }


def _waves(rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return wave vectors, phases and transverse amplitudes (so that each wave keeps volume)."""
    directions = unit(rng.normal(size=(MODES, 3)))
    vectors = directions * (2 * np.pi / rng.uniform(54, 80, size=(MODES, 1)))
    sideways = unit(np.cross(directions, rng.normal(size=(MODES, 3))))
    return vectors, rng.uniform(0, 2 * np.pi, MODES), sideways * rng.uniform(0.5, 1.0, size=(MODES, 1))


def make_field(rng: np.random.Generator, centre_mm: FloatArray, sites_pre_mm: FloatArray) -> Field:
    """Return a random field about `centre_mm`; tissue contracts slightly towards each site."""
    angles = rng.uniform(-1, 1, 3) * np.array([3.0, 3.0, 4.0])
    rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    sign = 1.0 if rng.uniform() < 0.5 else -1.0
    shift = np.array([rng.uniform(-4, 4), rng.uniform(-6, 6), sign * rng.uniform(8, 23)])
    vectors, phases, amplitudes = _waves(rng)
    none = np.zeros((0, 3))
    raw = Field(rotation, centre_mm, shift, vectors, phases, amplitudes, none, np.zeros(0))
    probe = centre_mm + np.random.default_rng(0).uniform(-1, 1, (4000, 3)) * np.array([90.0, 80.0, 80.0])
    largest = float(norm(raw.displacement_mm(probe)).max())
    strain = raw.rotation.T @ raw.jacobian(probe) - np.eye(3)
    steepest = float(np.linalg.norm(strain, ord=2, axis=(1, 2)).max())
    gain = min(float(rng.uniform(3.5, 7.5)) / largest, MAX_STRAIN / steepest)
    smooth = Field(rotation, centre_mm, shift, vectors, phases, amplitudes * gain, none, np.zeros(0))
    return Field(
        rotation,
        centre_mm,
        shift,
        vectors,
        phases,
        amplitudes * gain,
        smooth.post_from_pre(sites_pre_mm),
        rng.uniform(0, 0.04, len(sites_pre_mm)),
    )
