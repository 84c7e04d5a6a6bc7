"""Bodies whose surfaces, volumes and margins are known in closed form, and lattices to voxelise them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from planner.grid import Grid
from planner.measure.margin import Margin, measure_margin
from planner.measure.zone import Zone
from planner.surface import Surface, surface_of
from planner.volume import Mask

Points = npt.NDArray[np.float64]
Inside = Callable[[Points], npt.NDArray[np.bool_]]

FINE = (1.0, 0.8, 0.8)
"""Spacing k, j, i of the lattices on which claims are checked to a fraction of a millimetre."""


def ball(centre: npt.ArrayLike, radius_mm: float) -> Inside:
    return lambda p: np.linalg.norm(p - np.asarray(centre, dtype=float), axis=1) <= radius_mm


def ellipsoid(centre: npt.ArrayLike, semi_axes_mm: npt.ArrayLike, turned: Points | None = None) -> Inside:
    axes = np.eye(3) if turned is None else turned
    return lambda p: ((((p - np.asarray(centre)) @ axes) / np.asarray(semi_axes_mm)) ** 2).sum(axis=1) <= 1.0


def box(low: npt.ArrayLike, high: npt.ArrayLike) -> Inside:
    return lambda p: ((p >= np.asarray(low)) & (p <= np.asarray(high))).all(axis=1)


def below(axis: int, limit_mm: float) -> Inside:
    """The half-space of points whose coordinate is below a limit."""
    return lambda p: p[:, axis] <= limit_mm


def union(*bodies: Inside) -> Inside:
    return lambda p: np.any([body(p) for body in bodies], axis=0)


def both(*bodies: Inside) -> Inside:
    return lambda p: np.all([body(p) for body in bodies], axis=0)


def without(body: Inside, *others: Inside) -> Inside:
    return lambda p: body(p) & ~np.any([other(p) for other in others], axis=0)


def moved(body: Inside, rigid: Points) -> Inside:
    """The body carried by a 4 x 4 matrix."""
    back = np.linalg.inv(rigid)
    return lambda p: body(p @ back[:3, :3].T + back[:3, 3])


def lattice(
    half_mm: float | Sequence[float] = 24.0,
    spacing_kji: tuple[float, float, float] = FINE,
    turned: Points | None = None,
    shift_mm: npt.ArrayLike = (0.13, -0.21, 0.17),
    frame_uid: str = "",
) -> Grid:
    """A lattice around the origin, its centre shifted so that no body is symmetric on it."""
    spacing = np.asarray(spacing_kji[::-1])
    counts = 2 * np.ceil(np.broadcast_to(half_mm, 3) / spacing).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turned is None else turned) @ np.diag(spacing)
    affine[:3, 3] = np.asarray(shift_mm) - affine[:3, :3] @ ((counts - 1) / 2)
    return Grid((int(counts[2]), int(counts[1]), int(counts[0])), affine, frame_uid)


def centres(grid: Grid) -> Points:
    return grid.lps_mm(np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1])


def voxelised(body: Inside, grid: Grid, name: str = "mask") -> Mask:
    """A mask: true where the voxel's centre lies in the body."""
    return Mask(body(centres(grid)).reshape(grid.shape_kji), grid, name)


def on(grid: Grid, affine: Points) -> Grid:
    return Grid(grid.shape_kji, affine @ grid.lps_mm_from_ijk, grid.frame_uid)


def rigid(rotvec: npt.ArrayLike = (0.0, 0.0, 0.0), shift_mm: npt.ArrayLike = (0.0, 0.0, 0.0)) -> Points:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotvec).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


def ball_ml(radius_mm: float) -> float:
    return 4.0 / 3.0 * np.pi * radius_mm**3 / 1000.0


def lens_ml(a_mm: float, b_mm: float, apart_mm: float) -> float:
    """Volume common to two balls (closed formula), ml."""
    d = apart_mm
    if d >= a_mm + b_mm:
        return 0.0
    if d <= abs(a_mm - b_mm):
        return ball_ml(min(a_mm, b_mm))
    return np.pi * (a_mm + b_mm - d) ** 2 * (d * d + 2 * d * (a_mm + b_mm) - 3 * (a_mm - b_mm) ** 2) / (12 * d) / 1000.0


def margin_of(tumour: Mask, *zones: Mask) -> Margin:
    return measure_margin(surface_of(tumour), Zone.of([surface_of(zone) for zone in zones]))


def sphere(centre: npt.ArrayLike, radius_mm: float, count: int = 1500, voxel_mm: float = 1.0) -> Surface:
    """A triangulated sphere whose vertices lie on it exactly."""
    from scipy.spatial import ConvexHull

    n = np.arange(count) + 0.5
    z, angle = 1 - 2 * n / count, np.pi * (1 + 5**0.5) * n
    unit = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    triangles = ConvexHull(unit).simplices.astype(np.int64)
    a, b, c = (unit[triangles[:, corner]] for corner in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return Surface(np.asarray(centre) + radius_mm * unit, triangles, (voxel_mm,) * 3)
