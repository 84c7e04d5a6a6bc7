"""A found registration as others use it: from its file, in SimpleITK; scans of unlike slices; no common tissue."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk
from analytic import centres, lattice
from studies import LIVER, bent_post_from_pre, bent_pre_from_post, image, in_liver, voxelised

from pipelines.store.spatial import write_transform
from planner.grid import Grid
from planner.register.align import register
from planner.register.alignment import Alignment
from planner.register.prepare import Scan
from planner.register.settings import RegistrationSettings
from planner.surface import surface_of
from planner.volume import Mask

SETTINGS = RegistrationSettings(working_mm=3.0)
THIN, THICK = 1.0, 5.0
FINE = (2.6, 2.6)


def sliced(slice_mm: float, half_z_mm: float = 50.0, middle_z_mm: float = 0.0) -> Grid:
    return lattice((half_z_mm, 48, 44), (slice_mm, *FINE), shift_mm=(0.3, -0.2, middle_z_mm))


def pre_on(where: Grid) -> Scan:
    at = bent_post_from_pre(centres(where))
    return Scan(image(at, where, 1), Mask(LIVER(at).reshape(where.shape_kji), where, "liver"), {})


def post_on(where: Grid) -> Scan:
    zone = voxelised(lambda points: np.linalg.norm(points - (12.0, -8.0, 5.0), axis=1) <= 11.0, where, "ablation_1")
    return Scan(image(centres(where), where, 0), voxelised(LIVER, where, "liver"), {"1": zone})


@cache
def found(pre_slice_mm: float, post_slice_mm: float) -> Alignment:
    here = post_on(sliced(post_slice_mm))
    return register(pre_on(sliced(pre_slice_mm)), here, {"1": surface_of(here.lesions["1"])}, SETTINGS)


@pytest.fixture(scope="module")
def reloaded(tmp_path_factory: pytest.TempPathFactory) -> sitk.Transform:
    path = tmp_path_factory.mktemp("transform") / "transform.h5"
    write_transform(found(THICK, THIN).map, path)
    return sitk.ReadTransform(str(path))


@pytest.mark.parametrize("slices_mm", [(THICK, THIN), (THIN, THICK)], ids=["PRE at 5 mm", "POST at 5 mm"])
def test_scans_of_unlike_slices_are_aligned(slices_mm: tuple[float, float]) -> None:
    alignment = found(*slices_mm)
    assert alignment.kind == "deformable"
    errors = np.linalg.norm(alignment.map.pre_from_post(in_liver()) - bent_pre_from_post(in_liver()), axis=1)
    assert errors.mean() < 1.0
    back = np.linalg.norm(alignment.map.post_from_pre(bent_pre_from_post(in_liver())) - in_liver(), axis=1)
    assert back.mean() < 1.0
    assert np.linalg.norm(bent_pre_from_post(in_liver()) - in_liver(), axis=1).min() > 3.0  # the direction matters


def test_the_file_reloads_to_the_same_field(reloaded: sitk.Transform) -> None:
    points = in_liver(5.0)
    theirs = np.array([reloaded.TransformPoint(point) for point in points.tolist()])
    assert np.abs(theirs - found(THICK, THIN).map.pre_from_post(points)).max() < 1e-3


def test_the_resampled_image_shows_what_the_map_says_of_points(reloaded: sitk.Transform) -> None:
    """Bright dots of PRE lie in the resampled image where `post_from_pre` takes them, to a tenth of a voxel."""
    dots = in_liver(26.0)[:12]
    in_pre = found(THICK, THIN).map.pre_from_post(dots)
    where = lattice((75, 75, 75), (1.0, 1.0, 1.0))
    away = np.linalg.norm(centres(where)[:, None] - in_pre[None], axis=2).min(axis=1)
    moving = itk(np.exp(-0.5 * (away / 2.5) ** 2).reshape(where.shape_kji), where)
    target = lattice((50, 50, 50), (1.0, 1.0, 1.0))
    shown = sitk.GetArrayFromImage(
        sitk.Resample(moving, itk(np.zeros(target.shape_kji), target), reloaded, sitk.sitkLinear, 0.0)
    ).ravel()
    places = centres(target)
    for dot, of_pre in zip(found(THICK, THIN).map.post_from_pre(in_pre), in_pre, strict=True):
        near = np.linalg.norm(places - dot, axis=1) < 7.0
        peak = (places[near] * shown[near, None]).sum(axis=0) / shown[near].sum()
        assert np.linalg.norm(peak - dot) < 0.1
        assert np.linalg.norm(peak - of_pre) > 3.0


def itk(values: np.ndarray, where: Grid) -> sitk.Image:
    made = sitk.GetImageFromArray(values.astype(np.float32))
    made.SetSpacing(where.spacing_kji_mm[::-1])
    made.SetOrigin(where.lps_mm_from_ijk[:3, 3].tolist())
    return made


def test_scans_that_show_no_common_tissue_give_no_margin() -> None:
    """PRE ends 10 mm below where POST begins: whatever is found, it is not passed off as an alignment."""
    here = post_on(sliced(2.5, 24.0, 22.0))
    alignment = register(pre_on(sliced(2.5, 20.0, -25.0)), here, {"1": surface_of(here.lesions["1"])}, SETTINGS)
    failed = [check for check in (*alignment.checks, *alignment.zone_checks["1"]) if check.passed is False]
    assert failed, [check.text for check in (*alignment.checks, *alignment.zone_checks["1"])]
