"""What the registration compares: both images on working lattices, and where it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from planner.errors import RegistrationInputError
from planner.grid import FloatArray, Grid
from planner.register.settings import RegistrationSettings
from planner.volume import BoolVoxels, FloatVoxels, Mask, Volume

ROOM_MM = 40.0
"""How far beyond the liver the working lattice reaches."""

OUTSIDE_HU = -1024.0
"""Value read where a scan has no voxel."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What the registration needs of a study.

    Parameters
    ----------
    image
        The image.
    liver
        The liver mask; None where there is none.
    lesions
        Ablation zones (POST) or tumours (PRE) by id: tissue that looks different in the other study.
    vessels
        Vessel masks by role.
    """

    image: Volume
    liver: Mask | None
    lesions: Mapping[str, Mask]
    vessels: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """One study on an isotropic, axis-aligned working lattice.

    Parameters
    ----------
    image
        Clipped intensities, float32.
    seen
        Voxels that lie inside the scan.
    liver
        Liver voxels; None where the study has no liver mask.
    zone
        Voxels of ablation zones (POST) or tumours (PRE).
    grid
        The lattice.
    """

    image: FloatVoxels
    seen: BoolVoxels
    liver: BoolVoxels | None
    zone: BoolVoxels
    grid: Grid

    @property
    def middle_lps_mm(self) -> FloatArray:
        """Centroid of the liver, else of the scan, shape (3,)."""
        inside = self.seen if self.liver is None else self.liver
        return np.asarray(self.grid.lps_mm(np.argwhere(inside)[:, ::-1]).mean(axis=0))


def working_scan(scan: Scan, settings: RegistrationSettings, name: str = "scan") -> Working:
    """Return a scan on its working lattice: the liver's box (else the whole scan) with some room.

    Raises
    ------
    RegistrationInputError
        The image holds nothing to compare (constant), values that are not finite, voxels that are too coarse, or
        another modality than it states.
    """
    image = scan.image
    if not np.isfinite(image.voxels_kji).all():
        raise RegistrationInputError(
            f"{name}: the image holds NaN or infinity, expected finite intensities", code="bad-number"
        )
    _require_fine(image, name)
    _require_as_stated(image, name)
    grid = _lattice(scan, settings.working_mm)
    low, high = settings.window_hu if is_ct(image) else _range_of(image)
    values = resampled(image, grid, settings.working_mm, OUTSIDE_HU)
    seen = image.grid.contains(_centres(grid)).reshape(grid.shape_kji)
    clipped = np.clip(values, low, high).astype(np.float32)
    # The scan's own voxels too: the rim of `seen` mixes in what was read outside the scan.
    if min(float(clipped[seen].std()), float(np.clip(image.voxels_kji, low, high).std())) < 1e-3 * (high - low):
        raise RegistrationInputError(f"{name}: the image is constant over the region to be aligned, expected anatomy")
    liver = None if scan.liver is None else resampled_mask(scan.liver, grid)
    if liver is not None and not liver.any():
        raise RegistrationInputError(f"{name}: the liver mask lies outside the image, expected it on the liver")
    zone = np.zeros(grid.shape_kji, dtype=bool)
    for mask in scan.lesions.values():
        zone |= resampled_mask(mask, grid)
    return Working(clipped, seen, liver, zone, grid)


def _require_as_stated(image: Volume, name: str) -> None:
    """Raise where an image states CT and shows neither fat nor air, or MR and shows air as a CT does.

    Raises
    ------
    RegistrationInputError
        It does.
    """
    lowest, highest = float(image.voxels_kji.min()), float(image.voxels_kji.max())
    if image.modality == "CT" and NO_FAT_HU <= lowest < highest:
        raise RegistrationInputError(
            f"{name}: states CT, but no value lies below {lowest:.0f}, expected Hounsfield units (fat and air lie below"
            f" {NO_FAT_HU:.0f})",
            code="not-hounsfield",
        )

    if image.modality == "MR" and lowest < AIR_BELOW_HU:
        raise RegistrationInputError(
            f"{name}: states MR, but values go down to {lowest:.0f} as of air in a CT, expected signals of MR",
            code="not-mr",
        )


NO_FAT_HU = -20.0

MOST_COARSE_KJI_MM = (12.0, 5.0, 5.0)
"""Larger voxels (k: between slices) show too little of a liver to be aligned by."""


def _require_fine(image: Volume, name: str) -> None:
    """Raise where voxels are too coarse for a registration.

    Raises
    ------
    RegistrationInputError
        They are.
    """
    spacing = image.grid.spacing_kji_mm
    if max(spacing) > MOST_COARSE_KJI_MM[0] or sorted(spacing)[1] > MOST_COARSE_KJI_MM[1]:
        k, j, i = spacing
        raise RegistrationInputError(
            f"{name}: voxels of {i:.1f} x {j:.1f} x {k:.1f} mm, expected at most {MOST_COARSE_KJI_MM[1]:.0f} mm in the"
            f" plane and {MOST_COARSE_KJI_MM[0]:.0f} mm between slices to register by",
            code="too-coarse",
        )


def require_two_images(pre: Volume, post: Volume) -> None:
    """Raise where PRE and POST hold one and the same image.

    Raises
    ------
    RegistrationInputError
        They do.
    """
    if pre.grid.shape_kji == post.grid.shape_kji and np.array_equal(pre.voxels_kji, post.voxels_kji):
        raise RegistrationInputError(
            "PRE and POST: both hold the same image, expected one from before and one from after the ablation",
            code="same-image",
        )


def is_ct(image: Volume) -> bool:
    """Return whether the intensities are Hounsfield units: said, or (NIfTI, NRRD) shown by air far below zero."""
    return image.modality == "CT" or (not image.modality and float(image.voxels_kji.min()) < AIR_BELOW_HU)


AIR_BELOW_HU = -500.0


def _range_of(image: Volume) -> tuple[float, float]:
    low, high = np.percentile(image.voxels_kji, (1.0, 99.0))
    return float(low), max(float(high), float(low) + 1e-6)


def _lattice(scan: Scan, spacing_mm: float) -> Grid:
    points = scan.image.grid.corners_lps_mm()
    if scan.liver is not None:
        scan_low, scan_high = points.min(axis=0), points.max(axis=0)
        around = scan.liver.box_corners_lps_mm()
        points = np.stack(
            [np.maximum(around.min(axis=0) - ROOM_MM, scan_low), np.minimum(around.max(axis=0) + ROOM_MM, scan_high)]
        )
    low, high = points.min(axis=0), points.max(axis=0)
    shape_ijk = np.maximum(np.ceil((high - low) / spacing_mm).astype(int) + 1, 4)
    shape_kji = (int(shape_ijk[2]), int(shape_ijk[1]), int(shape_ijk[0]))
    return Grid.axis_aligned(shape_kji, (spacing_mm,) * 3, low, scan.image.grid.frame_uid)


def _centres(grid: Grid) -> FloatArray:
    kji = np.indices(grid.shape_kji).reshape(3, -1)
    return grid.lps_mm(kji[::-1].T)


def resampled(image: Volume, grid: Grid, spacing_mm: float, outside: float) -> FloatVoxels:
    """Return the image's values on another lattice, smoothed first where that one is coarser. Any affine, shear too."""
    sigma = [0.5 * max(0.0, spacing_mm / s - 1.0) for s in image.grid.spacing_kji_mm]
    smooth = ndimage.gaussian_filter(image.voxels_kji, sigma, mode="nearest") if max(sigma) > 0 else image.voxels_kji
    matrix, offset = _kji_from_kji(image.grid, grid)
    return np.asarray(
        ndimage.affine_transform(
            smooth, matrix, offset, output_shape=grid.shape_kji, order=1, mode="constant", cval=outside
        )
    )


def resampled_mask(mask: Mask, grid: Grid) -> BoolVoxels:
    """Return a mask on another lattice by its nearest voxel: for pictures and metrics, never to be measured."""
    matrix, offset = _kji_from_kji(mask.grid, grid)
    values = ndimage.affine_transform(
        mask.voxels_kji.astype(np.uint8), matrix, offset, output_shape=grid.shape_kji, order=0, mode="constant"
    )
    return np.asarray(values > 0)


def _kji_from_kji(source: Grid, target: Grid) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return matrix and offset that take (k, j, i) indices of `target` to those of `source`."""
    ijk = source.ijk_from_lps_mm @ target.lps_mm_from_ijk
    return ijk[:3, :3][::-1, ::-1], ijk[:3, 3][::-1]


def grown(voxels: BoolVoxels, by_mm: float, spacing_mm: float) -> BoolVoxels:
    """Return a mask grown by a distance."""
    if not voxels.any():
        return voxels
    return np.asarray(ndimage.distance_transform_edt(~voxels, sampling=spacing_mm) <= by_mm)


def metric_region(post: Working, settings: RegistrationSettings) -> BoolVoxels:
    """Return where the metric looks, on POST's lattice: (liver + 5 mm) minus (zone + 5 mm), inside the scan."""
    spacing = settings.working_mm
    where = post.seen if post.liver is None else grown(post.liver, settings.liver_margin_mm, spacing) & post.seen
    return where & ~grown(post.zone, settings.zone_margin_mm, spacing)


def itk_image(voxels: npt.NDArray[np.generic], grid: Grid) -> sitk.Image:
    """Return an ITK image (LPS) of voxels on an axis-aligned lattice."""
    image = sitk.GetImageFromArray(np.asarray(voxels))
    image.SetSpacing(tuple(grid.spacing_kji_mm[::-1]))
    image.SetOrigin(tuple(float(v) for v in grid.lps_mm_from_ijk[:3, 3]))
    return image


Observe = Callable[[str, float], None]
"""Progress: (what is being done, share done)."""
