"""Other ways to read a minimal margin from two masks, as the peers that PyPI has do it: inputs of bench_margin.py."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from planner.surface import Surface, nets_surface
from planner.volume import BoolVoxels, Mask

try:
    import edt
except ImportError:
    edt = None
try:
    import surface_distance
except ImportError:
    surface_distance = None


def surface_nets(tumour: Mask, zone: Mask) -> float:
    """VTK's surface nets, constrained to a box of one voxel."""
    covering = nets_surface(zone.cropped(2))
    return float(covering.signed_depth_mm(nets_surface(tumour.cropped(2)).vertices_lps_mm).min())


def marched(tumour: Mask, zone: Mask) -> float:
    """Marching cubes on the masks (scikit-image)."""

    def mesh(mask: Mask) -> Surface:
        box = mask.cropped(2)
        v, t, _, _ = marching_cubes(box.voxels_kji.astype(np.float32), 0.5)
        found = Surface(box.grid.lps_mm(v[:, ::-1]), t.astype(np.int64), mask.grid.spacing_kji_mm)
        return found if found.volume_ml > 0 else found.flipped()

    return float(mesh(zone).signed_depth_mm(mesh(tumour).vertices_lps_mm).min())


def _border(mask: Mask) -> BoolVoxels:
    return np.asarray(mask.voxels_kji & ~ndimage.binary_erosion(mask.voxels_kji))


def scipy_transform(tumour: Mask, zone: Mask) -> float:
    """Distance transform inside minus outside (scipy), at the tumour's border voxels."""
    spacing = zone.grid.spacing_kji_mm
    inside = ndimage.distance_transform_edt(zone.voxels_kji, sampling=spacing)
    outside = ndimage.distance_transform_edt(~zone.voxels_kji, sampling=spacing)
    return float((inside - outside)[_border(tumour)].min())


def edt_transform(tumour: Mask, zone: Mask) -> float:
    """The same with the package edt."""
    field = edt.sdf(np.array(zone.voxels_kji), anisotropy=zone.grid.spacing_kji_mm)
    return float(field[_border(tumour)].min())


def maurer(tumour: Mask, zone: Mask) -> float:
    """SimpleITK's signed Maurer map at the tumour's border voxels."""
    image = sitk.GetImageFromArray(zone.voxels_kji.astype(np.uint8))
    image.SetSpacing(tuple(zone.grid.spacing_kji_mm[::-1]))
    field = sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    )
    return float(field[_border(tumour)].min())


def surfels(tumour: Mask, zone: Mask) -> float:
    """The package surface-distance; the sign is ours: the farthest of what lies outside, else the nearest inside."""
    spacing = zone.grid.spacing_kji_mm
    rest = tumour.voxels_kji & ~zone.voxels_kji
    first = rest if rest.any() else tumour.voxels_kji
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package calls scipy by an old name
        found = surface_distance.compute_surface_distances(first, zone.voxels_kji, spacing)["distances_gt_to_pred"]
    return float(-found.max() if rest.any() else found.min())


def qam(tumour: Mask, zone: Mask) -> float:
    """Our own restatement of QAM's convention: from inner border voxel to inner border voxel."""
    to = cKDTree(zone.grid.lps_mm(np.argwhere(_border(zone))[:, ::-1]))
    kji = np.argwhere(_border(tumour))
    away = to.query(tumour.grid.lps_mm(kji[:, ::-1]))[0]
    return float(np.where(zone.voxels_kji[tuple(kji.T)], away, -away).min())


PEERS: dict[str, Callable[[Mask, Mask], float]] = {
    "QAM-like": qam,
    "surface nets (VTK)": surface_nets,
    "marching cubes": marched,
    "scipy transform": scipy_transform,
    "Maurer map (ITK)": maurer,
    **({"edt transform": edt_transform} if edt else {}),
    **({"surface-distance": surfels} if surface_distance else {}),
}
RIGHT_ANGLES = {"scipy transform", "Maurer map (ITK)", "edt transform", "surface-distance"}
"""What knows spacings only, and so cannot read a sheared lattice."""
