"""A transform that somebody else found, from a file that ITK reads: it takes points of POST to points of PRE.

Linear transforms are taken over exactly. Others are sampled on a lattice over POST: fine enough that reading it by
linear interpolation stays within 0.1 mm of the file, or as fine as memory allows; how far it is off is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipelines.formats.voxel_file import file_sha256, safe_name
from pipelines.limits import is_file, is_folder
from pipelines.quiet import libraries_silenced
from planner.errors import InputError, located
from planner.grid import FloatArray, Grid
from planner.register.alignment import Displacement, SpatialMap
from planner.register.rigid import matrix_of

NAME = "registration file"
"""What messages call the file, whose own name may be the patient's."""

TRANSFORM_SUFFIXES = (".h5", ".hdf5", ".hdf", ".tfm", ".txt", ".mat", ".xfm")
FIELD_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

WITHIN_MM = 0.1
"""How far the map may lie from the file; finer lattices are tried until it does not."""

LATTICES_MM = (4.0, 3.0, 2.0, 1.5, 1.0)
MOST_NODES = 4_000_000
ROOM_MM = 10.0
"""How far the lattice reaches beyond POST's image."""

PLACES = 2000
SEED = 20130101
SMALLEST_DETERMINANT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class TransformFile:
    """A transform as read.

    Parameters
    ----------
    parts
        ITK transforms, 3-D, in the order in which they are applied to a point of POST.
    sha256
        Of the file's bytes.
    """

    parts: tuple[Any, ...]
    sha256: str

    def over(self, post: Grid, near_lps_mm: FloatArray) -> tuple[SpatialMap, float]:
        """Return the map over POST, and how far it was found from the file at most, mm.

        Parameters
        ----------
        post
            Lattice of POST's image: the map is sampled over all of it.
        near_lps_mm
            Two opposite corners, shape (2, 3), of the box in which it must be exact.

        Raises
        ------
        InputError
            The transform is singular or mirrors.
        """
        if all(part.IsLinear() for part in self.parts):
            return SpatialMap(_product(self.parts)), 0.0
        whole = _whole(self.parts)
        places = _places(near_lps_mm, SEED)
        found = self._as_stored(post, places) or _sampled(whole, post, places)
        # Not the places by which the lattice was chosen.
        fresh = _places(near_lps_mm, SEED + 1)
        off = np.linalg.norm(found.pre_from_post(fresh) - _applied(whole, fresh), axis=1)
        return found, float(off.max())

    def _as_stored(self, post: Grid, places: FloatArray) -> SpatialMap | None:
        """Return the map on the file's own lattice: if a displacement field comes first, then only linear parts."""
        field, *rest = self.parts
        if field.GetTransformEnum() != sitk.sitkDisplacementField or not all(part.IsLinear() for part in rest):
            return None
        image = field.Downcast().GetDisplacementField()
        grid = _grid_of(image)
        if np.prod(grid.shape_kji, dtype=float) > MOST_NODES:
            return None
        vectors = np.asarray(sitk.GetArrayViewFromImage(image))
        if rest:
            return SpatialMap(_product(rest), Displacement(vectors.astype(np.float32), grid))
        if not grid.contains(post.corners_lps_mm()).all():
            return SpatialMap(np.eye(4), Displacement(vectors.astype(np.float32), grid))
        motion = _rigid_fit(places, _applied(field, places))
        return SpatialMap(motion, Displacement(_beyond(motion, vectors, grid), grid))


def read_transform(path: Path) -> TransformFile:
    """Return the transform in a file: what ITK reads as a transform, or a displacement field as an image.

    Raises
    ------
    InputError
        The file is missing, a folder, of another kind, malformed, not 3-D, holds several transforms or numbers that are
        not finite.
    """
    with located(safe_name(path)):
        require_file(path)
        name = path.name.lower()
        if name.endswith(FIELD_SUFFIXES):
            whole = _field(path)
        elif name.endswith(TRANSFORM_SUFFIXES):
            whole = _transform(path)
        else:
            known = ", ".join((*TRANSFORM_SUFFIXES, *FIELD_SUFFIXES))
            raise InputError(f"{NAME}: expected an ITK transform ending in {known}", code="unknown-format")
        if whole.GetDimension() != 3:
            raise InputError(f"{NAME}: a {whole.GetDimension()}-D transform, expected 3-D", code="not-3d")
        parts = tuple(_parts(whole))
        if not parts:
            raise InputError(f"{NAME}: holds no transform, expected one", code="empty-transform")
        for part in parts:
            _require_finite(_numbers(part))
        return TransformFile(parts, file_sha256(path))


def _numbers(part: Any) -> npt.NDArray[np.float64]:
    if part.GetTransformEnum() == sitk.sitkDisplacementField:
        return np.asarray(sitk.GetArrayViewFromImage(part.Downcast().GetDisplacementField()))
    return np.array((*part.GetParameters(), *part.GetFixedParameters()), dtype=np.float64)


def require_file(path: Path) -> None:
    """Raise unless there is such a file.

    Raises
    ------
    InputError
        There is none, or a folder.
    """
    with located(safe_name(path)):
        if is_folder(path):
            raise InputError(f"{NAME}: is a folder, expected an ITK transform", code="is-a-folder")
        if not is_file(path):
            raise InputError(f"{NAME}: no such file, expected an ITK transform", code="missing")


def _transform(path: Path) -> Any:
    try:
        with libraries_silenced():
            whole = sitk.ReadTransform(str(path)).Downcast()
    except RuntimeError as error:
        raise InputError(f"{NAME}: cannot be read, expected an ITK transform, whole", code="unreadable") from error
    if path.suffix.lower() in (".tfm", ".txt") and whole.GetTransformEnum() != sitk.sitkComposite:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        count = sum(line.startswith("Transform:") for line in lines)
        if count > 1:  # ITK would take the first
            raise InputError(f"{NAME}: {count} transforms, expected one or a composite", code="ambiguous")
    return whole


def _field(path: Path) -> Any:
    try:
        with libraries_silenced():
            image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{NAME}: cannot be read, expected a displacement field, whole", code="unreadable") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 3:
        raise InputError(
            f"{NAME}: a {image.GetDimension()}-D image of {image.GetNumberOfComponentsPerPixel()} values a voxel,"
            " expected a displacement field: 3-D, 3 values (LPS mm)",
            code="not-a-field",
        )
    return sitk.DisplacementFieldTransform(sitk.Cast(image, sitk.sitkVectorFloat64))


def _places(box_lps_mm: FloatArray, seed: int) -> FloatArray:
    return np.random.default_rng(seed).uniform(box_lps_mm[0], box_lps_mm[1], (PLACES, 3))


def _parts(whole: Any) -> Sequence[Any]:
    """Return the parts of a transform in the order of application: ITK applies what was added last first."""
    if whole.GetTransformEnum() != sitk.sitkComposite:
        return (whole,)
    count = whole.GetNumberOfTransforms()
    nested = [_parts(whole.GetNthTransform(n).Downcast()) for n in reversed(range(count))]
    return [part for parts in nested for part in parts]


def _whole(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else sitk.CompositeTransform(list(reversed(parts)))


def _product(parts: Sequence[Any]) -> FloatArray:
    """Return the matrix of linear parts, one after the other.

    Raises
    ------
    InputError
        It is singular or mirrors.
    """
    matrix = np.eye(4)
    for part in parts:
        matrix = matrix_of(part) @ matrix
    determinant = float(np.linalg.det(matrix[:3, :3]))
    if abs(determinant) < SMALLEST_DETERMINANT:
        raise InputError(f"{NAME}: the transform is singular, expected an invertible one", code="singular")
    if determinant < 0:
        raise InputError(f"{NAME}: the transform mirrors the body, expected one that keeps sides", code="mirrored")
    return matrix


def _applied(transform: Any, points: FloatArray) -> FloatArray:
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


def _grid_of(image: Any) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    i, j, k = image.GetSize()
    return Grid((k, j, i), affine)


def _require_finite(numbers: npt.NDArray[np.floating[Any]]) -> None:
    if not np.isfinite(numbers).all():
        raise InputError(f"{NAME}: holds NaN or infinity, expected finite numbers", code="bad-number")


def _sampled(whole: Any, post: Grid, places: FloatArray) -> SpatialMap:
    corners = post.corners_lps_mm()
    low, high = corners.min(axis=0) - ROOM_MM, corners.max(axis=0) + ROOM_MM
    grid = _fine_enough(whole, low, high, places)
    image = sitk.TransformToDisplacementField(
        whole, sitk.sitkVectorFloat64, grid.shape_kji[::-1], low.tolist(), grid.spacing_kji_mm[::-1]
    )
    motion = _rigid_fit(places, _applied(whole, places))
    return SpatialMap(motion, Displacement(_beyond(motion, sitk.GetArrayViewFromImage(image), grid), grid))


def _fine_enough(whole: Any, low: FloatArray, high: FloatArray, places: FloatArray) -> Grid:
    """Return the coarsest lattice whose linear interpolation keeps to the transform, else the finest affordable."""
    spacings = [max(LATTICES_MM[0], float(np.prod(high - low) / MOST_NODES) ** (1 / 3)), *LATTICES_MM[1:]]
    lattices = [_lattice(low, high, spacing) for spacing in spacings]
    affordable = lattices[:1] + [grid for grid in lattices[1:] if np.prod(grid.shape_kji) <= MOST_NODES]
    true = _applied(whole, places)
    for grid in affordable:
        if _off_mm(whole, grid, places, true) <= WITHIN_MM / 2:
            return grid
    return affordable[-1]


def _lattice(low: FloatArray, high: FloatArray, spacing_mm: float) -> Grid:
    i, j, k = (int(n) for n in np.ceil((high - low) / spacing_mm) + 1)
    return Grid.axis_aligned((k, j, i), (spacing_mm,) * 3, low)


def _off_mm(whole: Any, grid: Grid, places: FloatArray, true: FloatArray) -> float:
    """Return how far interpolation between the eight nodes around each place misses what the transform does there."""
    ijk = grid.ijk(places)
    first = np.floor(ijk)
    f = ijk - first
    found = np.zeros_like(true)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, f, 1.0 - f), axis=1)
        found += weight[:, None] * _applied(whole, grid.lps_mm(first + corner))
    return float(np.linalg.norm(found - true, axis=1).max())


def _rigid_fit(here: FloatArray, there: FloatArray) -> FloatArray:
    """Return the rigid motion that takes points closest to others (least squares), 4 x 4."""
    a, b = here.mean(axis=0), there.mean(axis=0)
    u, _, vt = np.linalg.svd((here - a).T @ (there - b))
    side = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    matrix = np.eye(4)
    matrix[:3, :3] = (u @ side @ vt).T
    matrix[:3, 3] = b - matrix[:3, :3] @ a
    return matrix


def _beyond(motion: FloatArray, vectors: npt.NDArray[np.floating[Any]], grid: Grid) -> npt.NDArray[np.float32]:
    """Return the displacement u with motion(x + u) = x + the vector at x, on the nodes of a lattice."""
    back = np.linalg.inv(motion)
    left = np.empty((*grid.shape_kji, 3), dtype=np.float32)
    plane = np.indices(grid.shape_kji[1:])[::-1].reshape(2, -1).T
    for k in range(grid.shape_kji[0]):  # slice by slice, to spare memory
        x = grid.lps_mm(np.column_stack([plane, np.full(len(plane), k)]))
        moved = x + vectors[k].reshape(-1, 3)
        left[k] = (moved @ back[:3, :3].T + back[:3, 3] - x).reshape(left[k].shape)
    return left
