"""A second opinion on the deformation by a library: SimpleITK's free B-spline, which knows nothing of tissue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from planner.register.prepare import Working, itk_image
from planner.register.threads import one_thread
from planner.volume import BoolVoxels, FloatVoxels

CONTROL_MM = (60.0, 30.0)
"""Control point distance of each level, on images at half and at full resolution."""

ITERATIONS = 20
BINS = 32


def bspline_vectors_mm(
    post: Working, pre_on_post: FloatVoxels, region: BoolVoxels, seed: int, sampled: float
) -> npt.NDArray[np.float32]:
    """Return the displacement, shape (k, j, i, 3) on POST's lattice, that takes POST onto the rigidly moved PRE.

    Mutual information in the region, L-BFGS-B, no regularisation but the distance of the control points.

    Parameters
    ----------
    post
        POST on its working lattice.
    pre_on_post
        PRE, rigidly moved, on the same lattice.
    region
        Where the metric looks.
    seed
        Of the metric's samples.
    sampled
        Share of the region's voxels that are looked at.
    """
    fixed, moving = (itk_image(i.astype(np.float32), post.grid) for i in (post.image, pre_on_post))
    mask = itk_image(region.astype(np.uint8), post.grid)
    total: sitk.Transform | None = None
    with one_thread():
        for level, control_mm in enumerate(CONTROL_MM):
            size = [n * s for n, s in zip(fixed.GetSize(), fixed.GetSpacing(), strict=True)]
            mesh = [max(1, round(length / control_mm)) for length in size]
            warped = moving if total is None else sitk.Resample(moving, fixed, total, sitk.sitkLinear, -50.0)
            method = sitk.ImageRegistrationMethod()
            method.SetMetricAsMattesMutualInformation(BINS)
            method.SetMetricFixedMask(mask)
            method.SetMetricSamplingStrategy(method.REGULAR)
            method.SetMetricSamplingPercentage(sampled, seed)
            method.SetInterpolator(sitk.sitkLinear)
            method.SetOptimizerAsLBFGSB(1e-5, ITERATIONS, 5, 200, 1e7)
            method.SetShrinkFactorsPerLevel([2 - level])
            method.SetSmoothingSigmasPerLevel([1.0 - level])
            method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
            method.SetInitialTransform(sitk.BSplineTransformInitializer(fixed, mesh), inPlace=True)
            found = method.Execute(fixed, warped)
            total = found if total is None else sitk.CompositeTransform([total, found])
        field = sitk.TransformToDisplacementField(
            total, sitk.sitkVectorFloat64, fixed.GetSize(), fixed.GetOrigin(), fixed.GetSpacing(), fixed.GetDirection()
        )
    return np.asarray(sitk.GetArrayFromImage(field), dtype=np.float32)
