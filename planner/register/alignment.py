"""The map between the frames of two studies, and what is known of its quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from planner.errors import InputError
from planner.grid import FloatArray, Grid, as_points

Verdict = Literal["pass", "warn", "fail"]

Kind = Literal["identity", "rigid", "deformable", "file"]

INVERSE_TOLERANCE_MM = 1e-4
INVERSE_ROUNDS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Displacement:
    """Displacement vectors on a lattice, read by linear interpolation, zero outside it (as ITK reads them).

    Parameters
    ----------
    vectors_mm
        Shape (k, j, i, 3): LPS components of the displacement, mm.
    grid
        Lattice of the vectors, in the frame of the points that they displace.
    """

    vectors_mm: npt.NDArray[np.float32]
    grid: Grid

    def __post_init__(self) -> None:
        """Check the shape and keep the vectors read-only."""
        vectors = np.array(self.vectors_mm, dtype=np.float32, order="C")
        if vectors.shape != (*self.grid.shape_kji, 3):
            raise InputError(f"displacement: vectors of shape {vectors.shape} on {self.grid.shape_kji}")
        vectors.setflags(write=False)
        object.__setattr__(self, "vectors_mm", vectors)

    def at(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the displacement at each point, shape (n, 3), mm."""
        kji = self.grid.ijk(points_lps_mm)[:, ::-1].T
        parts = [
            ndimage.map_coordinates(self.vectors_mm[..., axis], kji, order=1, mode="constant", output=np.float64)
            for axis in range(3)
        ]
        return np.stack(parts, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class SpatialMap:
    """A map of points between the two frames: first a displacement in POST, then a rigid motion to PRE.

    `pre_from_post(x) = rigid(x + u(x))`. This is what ITK's resampler takes; `post_from_pre` is its inverse.

    Parameters
    ----------
    rigid_pre_from_post
        4 x 4 matrix, LPS mm.
    displacement
        `u`, on a lattice in POST; None where the map is rigid.
    """

    rigid_pre_from_post: FloatArray
    displacement: Displacement | None = None

    def __post_init__(self) -> None:
        """Check the matrix and keep it read-only."""
        matrix = np.array(self.rigid_pre_from_post, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
            raise InputError("transform: expected a finite, invertible 4 x 4 matrix")
        matrix.setflags(write=False)
        object.__setattr__(self, "rigid_pre_from_post", matrix)

    @classmethod
    def identity(cls) -> SpatialMap:
        """Return the map that leaves every point where it is."""
        return cls(np.eye(4))

    def pre_from_post(self, points_post_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the points of PRE, shape (n, 3), that the points of POST correspond to."""
        points = as_points(points_post_lps_mm)
        if self.displacement is not None:
            points = points + self.displacement.at(points)
        return _apply(self.rigid_pre_from_post, points)

    def post_from_pre(self, points_pre_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the points of POST, shape (n, 3), that the points of PRE correspond to (fixed-point inverse).

        Raises
        ------
        InputError
            The displacement folds there, so that no inverse was found to 1e-4 mm.
        """
        start = _apply(np.asarray(np.linalg.inv(self.rigid_pre_from_post)), as_points(points_pre_lps_mm))
        if self.displacement is None:
            return start
        points = start
        for _ in range(INVERSE_ROUNDS):
            moved = start - self.displacement.at(points)
            change = float(np.abs(moved - points).max(initial=0.0))
            points = moved
            if change < INVERSE_TOLERANCE_MM:
                return points
        raise InputError("transform: the deformation folds, so points of PRE have no place in POST", code="folding")

    @property
    def parameters_sha256(self) -> str:
        """SHA-256 of the map's parameters."""
        digest = sha256(np.ascontiguousarray(self.rigid_pre_from_post).tobytes())
        if self.displacement is not None:
            digest.update(np.ascontiguousarray(self.displacement.grid.lps_mm_from_ijk).tobytes())
            digest.update(self.displacement.vectors_mm.tobytes())
        return digest.hexdigest()


def _apply(matrix: FloatArray, points: FloatArray) -> FloatArray:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at to judge an alignment.

    `passed` is None where the value is shown but nothing is decided by it. `text` is a sentence for a reader. `warned`
    where it passed, but hardly.
    """

    name: str
    value: float | None
    unit: str
    passed: bool | None
    text: str
    warned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """How PRE and POST were brought together, and how far that can be trusted.

    Parameters
    ----------
    kind
        Which class of map was used.
    map
        The map in use.
    rigid
        The rigid answer, kept beside a deformable one.
    checks
        What was looked at for the case as a whole.
    error_at_zone_mm
        Predicted mean 3-D registration error at each ablation zone, by zone id, mm. 0 for masks that came aligned.
    zone_checks
        What was looked at for each zone, by zone id. A zone with a failed check cannot be assessed.
    error_interval90_mm
        90 % interval of that error, low and high, by zone id, mm; none where nothing is known of it.
    """

    kind: Kind
    map: SpatialMap
    rigid: SpatialMap
    checks: tuple[Check, ...] = ()
    error_at_zone_mm: Mapping[str, float] = field(default_factory=dict)
    zone_checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    error_interval90_mm: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the mappings read-only."""
        for name in ("error_at_zone_mm", "zone_checks", "error_interval90_mm"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @classmethod
    def as_given(cls, text: str) -> Alignment:
        """Return the alignment of masks that came aligned: identity, without an error of its own."""
        check = Check("alignment", None, "", None, text)
        return cls("identity", SpatialMap.identity(), SpatialMap.identity(), (check,))

    def verdict(self, zone_id: str) -> Verdict:
        """Return how the checks of the case and of a zone went: the worst of them."""
        checks = (*self.checks, *self.zone_checks.get(zone_id, ()))
        if any(check.passed is False for check in checks):
            return "fail"
        return "warn" if any(check.warned for check in checks) else "pass"

    @property
    def passed(self) -> bool:
        """Whether no check of the case failed (zones have their own)."""
        return all(check.passed is not False for check in self.checks)
