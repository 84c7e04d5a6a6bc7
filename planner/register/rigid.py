"""The rigid motion from POST to PRE: liver centroids, then mutual information around the liver, coarse to fine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk

from planner.errors import RegistrationInputError
from planner.grid import FloatArray
from planner.register.prepare import Working, itk_image
from planner.register.settings import RegistrationSettings
from planner.volume import BoolVoxels

SHRINK = (4, 2, 1)
SMOOTHING_VOXELS = (2.0, 1.0, 0.0)
SAMPLED = (0.8, 0.5, 0.3)


def rigid_pre_from_post(
    post: Working, pre: Working, region: BoolVoxels, settings: RegistrationSettings, *, same_frame: bool
) -> FloatArray:
    """Return the 4 x 4 matrix (LPS mm) that takes points of POST to PRE.

    Starts from the liver centroids where both livers are known, from the identity where both studies share a frame
    of reference, else from the intensity centroids; of several starts the one with the better metric is used.

    Raises
    ------
    RegistrationInputError
        No start brings the two scans to overlap.
    """
    fixed, moving = itk_image(post.image, post.grid), itk_image(pre.image, pre.grid)
    mask = itk_image(region.astype(np.uint8), post.grid)
    best: tuple[float, FloatArray] | None = None
    for start in _starts(post, pre, same_frame=same_frame):
        try:
            score, matrix = _refined(fixed, moving, mask, start, settings)
        except RuntimeError:
            continue
        if best is None or score < best[0]:
            best = score, matrix
    if best is None:
        raise RegistrationInputError(
            "PRE and POST: no overlap found between the two scans, expected the same liver", code="no-overlap"
        )
    return best[1]


def _starts(post: Working, pre: Working, *, same_frame: bool) -> list[sitk.Euler3DTransform]:
    pairs = []
    if post.liver is not None and pre.liver is not None:
        pairs.append((_centroid(post.liver, post), _centroid(pre.liver, pre)))
    else:
        pairs.append((_centroid(post.image > post.image.min(), post), _centroid(pre.image > pre.image.min(), pre)))
    if same_frame or not pairs:
        pairs.append((_centroid(post.seen, post), _centroid(post.seen, post)))
    starts = []
    for centre_post, centre_pre in pairs:
        transform = sitk.Euler3DTransform()
        transform.SetCenter([float(v) for v in centre_post])
        transform.SetTranslation([float(v) for v in centre_pre - centre_post])
        starts.append(transform)
    return starts


def _centroid(voxels: BoolVoxels, working: Working) -> FloatArray:
    kji = np.argwhere(voxels).mean(axis=0)
    return np.asarray(working.grid.lps_mm(kji[::-1])[0])


def _refined(
    fixed: sitk.Image,
    moving: sitk.Image,
    mask: sitk.Image,
    start: sitk.Euler3DTransform,
    settings: RegistrationSettings,
) -> tuple[float, FloatArray]:
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
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    with one_thread():
        found = method.Execute(fixed, moving)
    return float(method.GetMetricValue()), matrix_of(found)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let ITK work on one thread: the same sums in the same order, whatever the machine.

    A registration method's own SetNumberOfThreads does not reach its metric, which takes the global default.
    """
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def matrix_of(transform: sitk.Transform) -> FloatArray:
    """Return the 4 x 4 matrix of a linear ITK transform."""
    origin = np.asarray(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.asarray(transform.TransformPoint(tuple(np.eye(3)[a]))) - origin for a in range(3)]
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack(columns, axis=1)
    matrix[:3, 3] = origin
    return matrix
