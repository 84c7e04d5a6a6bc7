"""Planning scans with tumours and livers of known shape, and needles to plan on them."""

from __future__ import annotations

from pathlib import Path

import analytic
import nibabel
import numpy as np

from planner.case import Case, Study
from planner.grid import Grid
from planner.plan.setting import Setting
from planner.surface import Surface
from planner.volume import Volume

NO_ENTRY = "no entry is planned: access comes later, and what the shaft would pass is unknown"


def setting(
    length_mm: float, width_mm: float, *, name: str = "made-up", tip_mm: float | None = None, sd_mm: float | None = None
) -> Setting:
    return Setting(
        name, "Made up", "", None, None, length_mm, width_mm, None, sd_mm, tip_mm, "user", None, None,
    )  # fmt: skip


def stretched_ball(centre: object, radius_mm: float, stretch: object = (1.0, 1.0, 1.0), count: int = 6000) -> Surface:
    """A sphere's surface, its vertices stretched along the axes: an ellipsoid without error of a lattice."""
    ball = analytic.sphere((0.0, 0.0, 0.0), radius_mm, count)
    return ball.moved(lambda p: np.asarray(p) * np.asarray(stretch) + np.asarray(centre))


def scan(grid: Grid, bodies: dict[str, analytic.Inside], *, is_scan: bool = True) -> Study:
    masks = {role: analytic.voxelised(body, grid, role) for role, body in bodies.items()}
    return Study(Volume(np.zeros(grid.shape_kji, dtype=np.float32), grid), masks, is_scan=is_scan)


def case_of(study: Study, facts: dict[str, object] | None = None) -> Case:
    return Case("made-up", "made-up", study, study, {}, facts or {})


def write_study(folder: Path, grid: Grid, bodies: dict[str, analytic.Inside]) -> Path:
    """Write a planning scan as NIfTI files: a CT of nothing, and a mask per role."""
    folder.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.lps_mm_from_ijk
    masks = {role: analytic.voxelised(body, grid, role).voxels_kji for role, body in bodies.items()}
    image = np.full(grid.shape_kji, 40, dtype=np.int16)
    for number, mask in enumerate(masks.values()):
        image[mask] += 10 * (number + 1)
    for name, voxels in {"image": image, **masks}.items():
        data = np.ascontiguousarray(voxels.astype(np.int16).transpose(2, 1, 0))
        nibabel.save(nibabel.Nifti1Image(data, affine), folder / f"{name}.nii.gz")
    return folder
