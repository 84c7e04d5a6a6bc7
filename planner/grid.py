"""The voxel lattice in patient space: LPS millimetres, general affine, shear allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.errors import FrameMismatchError, InputError
from planner.marks import uid_mark

FloatArray = npt.NDArray[np.float64]

SAME_PLACE_MM = 1e-3
"""Two lattices are the same if no corner differs by more than this."""

SMALLEST_VOXEL_MM3 = 1e-9
"""A lattice whose voxels are smaller than this is degenerate."""


def as_points(points: npt.ArrayLike) -> FloatArray:
    """Return `points` as a float array of shape (n, 3).

    Raises
    ------
    InputError
        If the array has another shape.
    """
    array = np.atleast_2d(np.asarray(points, dtype=np.float64))
    if array.ndim != 2 or array.shape[1] != 3:
        raise InputError(f"points: expected shape (n, 3), got {array.shape}", code="bad-points")
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Voxel lattice in DICOM patient space (LPS, mm).

    Parameters
    ----------
    shape_kji
        Number of slices, rows, columns: the shape of the voxel array.
    lps_mm_from_ijk
        4 x 4 map of (column, row, slice) indices, homogeneous, to the patient point of the voxel's centre, mm.
    frame_uid
        Frame of reference the points belong to; empty where the source states none.
    """

    shape_kji: tuple[int, int, int]
    lps_mm_from_ijk: FloatArray
    frame_uid: str = ""

    def __post_init__(self) -> None:
        """Check the lattice and keep a read-only copy of the affine."""
        shape = tuple(int(n) for n in self.shape_kji)
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(f"grid: expected three positive sizes, got {shape}", code="bad-shape")
        affine = np.array(self.lps_mm_from_ijk, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise InputError("grid: expected a finite 4 x 4 affine", code="bad-affine")
        if not np.allclose(affine[3], (0, 0, 0, 1)) or abs(np.linalg.det(affine[:3, :3])) < SMALLEST_VOXEL_MM3:
            raise InputError("grid: the affine is singular or not affine", code="bad-affine")
        affine.setflags(write=False)
        object.__setattr__(self, "shape_kji", shape)
        object.__setattr__(self, "lps_mm_from_ijk", affine)

    @classmethod
    def axis_aligned(
        cls,
        shape_kji: tuple[int, int, int],
        spacing_kji_mm: tuple[float, float, float],
        origin_lps_mm: npt.ArrayLike = (0.0, 0.0, 0.0),
        frame_uid: str = "",
    ) -> Grid:
        """Return a lattice whose i, j, k axes run along +L, +P, +S from `origin_lps_mm` (centre of voxel 0, 0, 0)."""
        affine = np.diag([*spacing_kji_mm[::-1], 1.0])
        affine[:3, 3] = np.asarray(origin_lps_mm, dtype=np.float64)
        return cls(shape_kji, affine, frame_uid)

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along k, j and i, mm."""
        i, j, k = np.linalg.norm(self.lps_mm_from_ijk[:3, :3], axis=0)
        return float(k), float(j), float(i)

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel, mm³."""
        return float(abs(np.linalg.det(self.lps_mm_from_ijk[:3, :3])))

    @property
    def ijk_from_lps_mm(self) -> FloatArray:
        """4 x 4 map of patient points to continuous (column, row, slice) indices."""
        return np.asarray(np.linalg.inv(self.lps_mm_from_ijk))

    def lps_mm(self, ijk: npt.ArrayLike) -> FloatArray:
        """Return the patient points, shape (n, 3), of continuous (column, row, slice) indices."""
        return as_points(ijk) @ self.lps_mm_from_ijk[:3, :3].T + self.lps_mm_from_ijk[:3, 3]

    def ijk(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the continuous (column, row, slice) indices, shape (n, 3), of patient points."""
        inverse = self.ijk_from_lps_mm
        return as_points(points_lps_mm) @ inverse[:3, :3].T + inverse[:3, 3]

    def contains(self, points_lps_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which points lie within the lattice, voxel edges included."""
        ijk = self.ijk(points_lps_mm)
        size_ijk = np.asarray(self.shape_kji[::-1])
        return np.asarray(((ijk >= -0.5) & (ijk <= size_ijk - 0.5)).all(axis=1))

    def corners_lps_mm(self) -> FloatArray:
        """Return the centres of the eight corner voxels, shape (8, 3)."""
        ends = [(0, n - 1) for n in self.shape_kji[::-1]]
        return self.lps_mm([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]])

    def cropped(self, start_kji: tuple[int, int, int], shape_kji: tuple[int, int, int]) -> Grid:
        """Return the sub-lattice of `shape_kji` voxels that begins at voxel `start_kji`."""
        affine = np.array(self.lps_mm_from_ijk)
        affine[:3, 3] = self.lps_mm(start_kji[::-1])[0]
        return Grid(shape_kji, affine, self.frame_uid)

    def same_lattice(self, other: Grid) -> bool:
        """Return whether shape and all eight corners agree to 1e-3 mm; frames of reference are not compared."""
        if self.shape_kji != other.shape_kji:
            return False
        return bool(np.abs(self.corners_lps_mm() - other.corners_lps_mm()).max() <= SAME_PLACE_MM)

    def require_same_frame(self, other: Grid, what: str = "two volumes") -> None:
        """Raise unless both lattices may be read in one frame of reference (an unstated one fits any).

        Raises
        ------
        FrameMismatchError
            Both state a frame of reference and they differ.
        """
        if self.frame_uid and other.frame_uid and self.frame_uid != other.frame_uid:
            raise FrameMismatchError(
                f"{what}: frames of reference {uid_mark(self.frame_uid)} and {uid_mark(other.frame_uid)} differ"
                " and no transform relates them"
            )

    def require_same(self, other: Grid, what: str = "two volumes") -> None:
        """Raise unless both are the same lattice in the same frame.

        Raises
        ------
        FrameMismatchError
            Frames of reference differ.
        InputError
            Shapes or positions differ.
        """
        self.require_same_frame(other, what)
        if not self.same_lattice(other):
            raise InputError(
                f"{what}: lattices differ (shapes {self.shape_kji} and {other.shape_kji}, or positions by more than"
                f" {SAME_PLACE_MM} mm)",
                code="grid-mismatch",
            )
