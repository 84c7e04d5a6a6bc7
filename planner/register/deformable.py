"""The deformation that is left after the rigid motion: a cubic B-spline on local correlation, coarse to fine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from planner.grid import FloatArray
from planner.register.alignment import Displacement
from planner.register.prepare import Working, itk_image
from planner.register.settings import RegistrationSettings
from planner.volume import BoolVoxels, FloatVoxels

SAMPLED = 0.2
ITERATIONS = 20


def displacement_on_post(
    post: Working, pre_on_post: FloatVoxels, seen: BoolVoxels, region: BoolVoxels, settings: RegistrationSettings
) -> Displacement:
    """Return the displacement, on POST's working lattice, that takes POST onto the rigidly moved PRE.

    Parameters
    ----------
    post
        POST on its working lattice.
    pre_on_post
        PRE, rigidly moved, on the same lattice.
    seen
        Where PRE has values on that lattice.
    region
        Where the metric looks.
    """
    fixed = itk_image(post.image, post.grid)
    mask = itk_image((region & seen).astype(np.uint8), post.grid)
    total = np.zeros((*post.grid.shape_kji, 3), dtype=np.float64)
    moving = pre_on_post
    for control in settings.control_mm:
        field = _level(fixed, itk_image(moving, post.grid), mask, control, settings)
        total = _composed(total, field, post)
        moving = _warped(pre_on_post, total, post)
    return Displacement(total.astype(np.float32), post.grid)


def _level(
    fixed: sitk.Image, moving: sitk.Image, mask: sitk.Image, control_mm: float, settings: RegistrationSettings
) -> FloatArray:
    """Return the displacement (k, j, i, 3), mm, of one B-spline level."""
    extent = np.asarray(fixed.GetSize()) * np.asarray(fixed.GetSpacing())
    mesh = [max(1, round(float(e) / control_mm)) for e in extent]
    transform = sitk.BSplineTransformInitializer(fixed, mesh, order=3)
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # the same sums in the same order, whatever the machine
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(mask)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(SAMPLED, settings.seed)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-6, numberOfIterations=ITERATIONS)
    method.SetInitialTransform(transform, inPlace=True)
    found = method.Execute(fixed, moving)
    field = sitk.TransformToDisplacementField(
        found, sitk.sitkVectorFloat64, fixed.GetSize(), fixed.GetOrigin(), fixed.GetSpacing(), fixed.GetDirection()
    )
    return np.asarray(sitk.GetArrayFromImage(field))


def _composed(first: FloatArray, then: FloatArray, post: Working) -> FloatArray:
    """Return the displacement x -> then, followed by the earlier ones: u(x) = then(x) + first(x + then(x))."""
    earlier = Displacement(first.astype(np.float32), post.grid)
    kji = np.indices(post.grid.shape_kji).reshape(3, -1)
    points = post.grid.lps_mm(kji[::-1].T)
    moved = then.reshape(-1, 3)
    return np.asarray((moved + earlier.at(points + moved)).reshape(then.shape))


def _warped(image: FloatVoxels, displacement: FloatArray, post: Working) -> FloatVoxels:
    """Return image(x + u(x)) on the working lattice."""
    from scipy import ndimage

    kji = np.indices(post.grid.shape_kji).astype(np.float64)
    shift = displacement[..., ::-1] / np.asarray(post.grid.spacing_kji_mm)
    return np.asarray(
        ndimage.map_coordinates(image, kji + np.moveaxis(shift, -1, 0), order=1, mode="nearest"), dtype=np.float32
    )


def stiffer(settings: RegistrationSettings) -> RegistrationSettings:
    """Return settings with the coarse control points only: a second opinion on how much deformation is real."""
    return replace(settings, control_mm=settings.control_mm[:1])
