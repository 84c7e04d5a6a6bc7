"""The rigid motion from POST to PRE: rough starts, then mutual information around the liver; blocks choose."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from planner.errors import RegistrationInputError
from planner.grid import FloatArray
from planner.register.alignment import SpatialMap
from planner.register.blocks import block_residual_mm
from planner.register.compared import Compared, intensities
from planner.register.prepare import Working, itk_image
from planner.register.quality import moved_onto
from planner.register.settings import RegistrationSettings
from planner.register.starts import rough_starts
from planner.register.threads import one_thread
from planner.volume import BoolVoxels

FIRST_STARTS, OTHER_STARTS = slice(0, 2), slice(2, 5)
"""Rough motions, best first, that are refined; and those that are where the first ones led nowhere."""

SHRINK = (4, 2, 1)
SMOOTHING_VOXELS = (2.0, 1.0, 0.0)
SAMPLED = (0.8, 0.5, 0.3)


def rigid_pre_from_post(
    post: Working,
    pre: Working,
    region: BoolVoxels,
    settings: RegistrationSettings,
    *,
    same_frame: bool,
    starts: slice = FIRST_STARTS,
    compared: Compared = intensities,
) -> FloatArray:
    """Return the 4 x 4 matrix (LPS mm) that takes points of POST to PRE.

    Starts from the two rough motions that fit best (`rough_starts`; `starts` picks others), and from the identity where
    both studies share a frame of reference. Of the answers, the one is used with which small blocks of POST lie nearest
    to where PRE matches them best, by what is `compared`.

    Raises
    ------
    RegistrationInputError
        No start brings the two scans to overlap.
    """
    fixed, moving = itk_image(post.image, post.grid), itk_image(pre.image, pre.grid)
    mask = itk_image(region.astype(np.uint8), post.grid)
    found: list[FloatArray] = []
    for start in [*([np.eye(4)] if same_frame else []), *rough_starts(post, pre)[starts]]:
        try:
            matrix = _refined(fixed, moving, mask, start, post.middle_lps_mm, settings)
        except RuntimeError:
            continue
        if all(_apart_mm(matrix, other, post) > SAME_MM for other in found):
            found.append(matrix)
    if not found:
        raise RegistrationInputError(
            "PRE and POST: no overlap found between the two scans, expected the same liver", code="no-overlap"
        )
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda matrix: _residual_mm(matrix, post, pre, region, compared))


SAME_MM = 2.0
"""Answers nearer to each other than this, in what the scan shows, are one."""


def _residual_mm(matrix: FloatArray, post: Working, pre: Working, region: BoolVoxels, compared: Compared) -> float:
    used = SpatialMap(matrix)
    moved = moved_onto(pre.image, pre.grid, post.grid, used, 1).astype(np.float32)
    seen = moved_onto(pre.seen, pre.grid, post.grid, used, 0) > 0.5
    return block_residual_mm(post.image, moved, region & seen, post.grid.spacing_kji_mm[0], compared)


def _apart_mm(a: FloatArray, b: FloatArray, post: Working) -> float:
    corners = post.grid.corners_lps_mm()
    return float(np.linalg.norm(corners @ (a - b)[:3, :3].T + (a - b)[:3, 3], axis=1).mean())


def _refined(
    fixed: sitk.Image,
    moving: sitk.Image,
    mask: sitk.Image,
    start: FloatArray,
    centre_lps_mm: FloatArray,
    settings: RegistrationSettings,
) -> FloatArray:
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(v) for v in centre_lps_mm])
    transform.SetMatrix(start[:3, :3].ravel().tolist())
    transform.SetTranslation([float(v) for v in start[:3, :3] @ centre_lps_mm + start[:3, 3] - centre_lps_mm])
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(mask)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentagePerLevel(list(SAMPLED), settings.seed)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0, minStep=0.01, numberOfIterations=120, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(list(SHRINK))
    method.SetSmoothingSigmasPerLevel(list(SMOOTHING_VOXELS))
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(transform, inPlace=False)
    with one_thread():
        return matrix_of(method.Execute(fixed, moving))


def matrix_of(transform: sitk.Transform) -> FloatArray:
    """Return the 4 x 4 matrix of a linear ITK transform."""
    origin = np.asarray(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.asarray(transform.TransformPoint(tuple(np.eye(3)[a]))) - origin for a in range(3)]
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack(columns, axis=1)
    matrix[:3, 3] = origin
    return matrix
