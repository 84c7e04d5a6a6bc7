"""What other programs open: the moved tumours, the margin on the tumour's surface, and the transform."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipelines.quiet import libraries_silenced
from planner.assessment import Assessment
from planner.case import Case
from planner.errors import InputError, OutputError
from planner.grid import FloatArray, Grid
from planner.measure.margin import Margin
from planner.register.alignment import SpatialMap
from planner.surface import join, vtp_bytes
from planner.volume import Mask

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

_AFFINE_TOLERANCE = 1e-4
_TRANSFORM_HEAD_BYTES = 65_536


def tumours_in_post(case: Case, pre_from_post: SpatialMap) -> npt.NDArray[np.integer]:
    """Return the tumours on the lattice of POST's image, axes k, j, i: each voxel's lesion number, 0 outside.

    For pictures only. Each voxel's centre is looked up in the tumour's own mask, read by linear interpolation (inside
    from a half on); where tumours overlap the lower number stays.
    """
    grid = case.post.image.grid
    most = max((int(lesion) for lesion in case.pre.tumours), default=0)
    labels = np.zeros(grid.shape_kji, dtype=np.uint8 if most <= 255 else np.uint16)
    for lesion, mask in case.pre.tumours.items():
        if mask.is_empty:
            continue
        box = _box_in_post(mask, grid, pre_from_post)
        if box is None:
            continue
        inside = _inside(mask, grid, box, pre_from_post)
        view = labels[box]
        view[inside & (view == 0)] = int(lesion)
    return labels


Box = tuple[slice, slice, slice]
HALF = 0.5


def _box_in_post(mask: Mask, grid: Grid, pre_from_post: SpatialMap) -> Box | None:
    """Return the part of the lattice that a mask's place in POST can reach; None where it lies outside."""
    try:
        points = pre_from_post.post_from_pre(mask.centres_lps_mm())
    except InputError:
        return slice(None), slice(None), slice(None)  # the map folds there: look everywhere
    kji = grid.ijk(points)[:, ::-1]
    # Half a diagonal of the mask's voxel beyond the outermost centre, and a voxel for rounding.
    reach = np.linalg.norm(mask.grid.spacing_kji_mm) / np.asarray(grid.spacing_kji_mm) + 2.0
    low = np.maximum(np.floor(kji.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(kji.max(axis=0) + reach) + 1, grid.shape_kji).astype(int)
    if (low >= high).any():
        return None
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _inside(mask: Mask, grid: Grid, box: Box, pre_from_post: SpatialMap) -> npt.NDArray[np.bool_]:
    ranges = [range(*part.indices(size)) for part, size in zip(box, grid.shape_kji, strict=True)]
    kji = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    own = mask.cropped(1)
    there = own.grid.ijk(pre_from_post.pre_from_post(grid.lps_mm(kji[:, ::-1])))[:, ::-1]
    share = ndimage.map_coordinates(own.voxels_kji.astype(np.float32), there.T, order=1)
    return np.asarray(share >= HALF).reshape([len(part) for part in ranges])


def nifti_bytes(labels_kji: npt.NDArray[np.integer], grid: Grid) -> bytes:
    """Return a label map as a gzipped NIfTI file (RAS, mm), the same bytes for the same labels."""
    affine = RAS_FROM_LPS @ grid.lps_mm_from_ijk
    image = nibabel.Nifti1Image(np.ascontiguousarray(labels_kji.transpose(2, 1, 0)), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=1)
    # A quaternion holds no shear: such a lattice is stated by the sform alone.
    image.set_qform(affine if _is_orthogonal(grid) else None, code=1 if _is_orthogonal(grid) else 0)
    return gzip.compress(image.to_bytes(), mtime=0)


def _is_orthogonal(grid: Grid) -> bool:
    axes = grid.lps_mm_from_ijk[:3, :3] / np.asarray(grid.spacing_kji_mm[::-1])
    return bool(np.allclose(axes.T @ axes, np.eye(3), atol=_AFFINE_TOLERANCE))


def margin_map_bytes(assessment: Assessment) -> bytes | None:
    """Return the tumours' surfaces with the margin at each vertex as a VTK file; None without any margin."""
    found = [(lesion.lesion_id, lesion.margin) for lesion in assessment.lesions if lesion.margin is not None]
    if not found:
        return None
    maps = [margin.map for _, margin in found]
    arrays = {
        "margin_mm": np.concatenate([_finite(item.primary_mm) for item in maps]),
        "geometric_margin_mm": np.concatenate([_finite(item.geometric_mm) for item in maps]),
        "capsule_facing": np.concatenate([item.capsule_facing.astype(np.float64) for item in maps]),
        "lesion": np.concatenate([_number_of(lesion, margin) for lesion, margin in found]),
    }
    notes = {
        "frame": "LPS (DICOM patient coordinates) of the post-ablation study",
        "unit": "mm",
        "sign": "positive: covered by the ablation zone; negative: not covered on these images",
        "nan": "no unablated liver is left to measure to from there",
        "definition": ", ".join(f"lesion {lesion}: {margin.definition}" for lesion, margin in found),
    }
    return vtp_bytes(join([item.tumour for item in maps]), arrays, notes)


def _finite(values_mm: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values_mm), values_mm, np.nan)


def _number_of(lesion_id: str, margin: Margin) -> FloatArray:
    return np.full(len(margin.map.primary_mm), float(lesion_id))


def write_transform(pre_from_post: SpatialMap, path: Path) -> None:
    """Write the map of points of POST to points of PRE as an ITK transform (LPS, mm).

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    import SimpleITK

    rigid = SimpleITK.AffineTransform(3)
    rigid.SetMatrix(pre_from_post.rigid_pre_from_post[:3, :3].ravel().tolist())
    rigid.SetTranslation(pre_from_post.rigid_pre_from_post[:3, 3].tolist())
    transform = SimpleITK.CompositeTransform(3)
    # ITK applies the transform that was added last first: the displacement, then the rigid motion.
    transform.AddTransform(rigid)
    if pre_from_post.displacement is not None:
        grid = pre_from_post.displacement.grid
        field = SimpleITK.GetImageFromArray(pre_from_post.displacement.vectors_mm.astype(np.float64), isVector=True)
        spacing = np.asarray(grid.spacing_kji_mm[::-1])
        field.SetSpacing(spacing.tolist())
        field.SetOrigin(grid.lps_mm_from_ijk[:3, 3].tolist())
        field.SetDirection((grid.lps_mm_from_ijk[:3, :3] / spacing).ravel().tolist())
        transform.AddTransform(SimpleITK.DisplacementFieldTransform(field))
    # Looked at before too: HDF5 is not to be left with a file that it cannot close, of which it complains at exit.
    _require_space(path, pre_from_post)
    try:
        with libraries_silenced():
            SimpleITK.WriteTransform(transform, str(path))
    except RuntimeError as error:
        _require_space(path, pre_from_post)
        raise OutputError(f"{path.name}: cannot be written: ITK could not write the transform") from error


def _require_space(path: Path, pre_from_post: SpatialMap) -> None:
    """Raise where the disk cannot hold the transform, which ITK does not say itself."""
    needed = _TRANSFORM_HEAD_BYTES
    if pre_from_post.displacement is not None:
        needed += 8 * pre_from_post.displacement.vectors_mm.size
    try:
        disk = shutil.disk_usage(path.parent)
    except OSError as error:
        raise OutputError(f"{path.name}: cannot be written: {error.strerror or type(error).__name__}") from error
    if disk.total and disk.free < needed:  # some file systems state no size
        free = f"{disk.free / 1e6:.1f} MB free, about {needed / 1e6:.1f} MB needed"
        raise OutputError(f"{path.name}: cannot be written: the disk is full ({free})")
