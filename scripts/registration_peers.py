"""Other ways to find the deformation, for bench_registration.py: all start from the same rigid motion."""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from planner.grid import FloatArray
from planner.register.alignment import Displacement, SpatialMap
from planner.register.deformable import faded
from planner.register.prepare import Working, itk_image
from planner.register.second import bspline_vectors_mm
from planner.register.threads import one_thread
from planner.volume import BoolVoxels, FloatVoxels

DEMONS_LEVELS = ((4, 30), (2, 20), (1, 10))
DEMONS_SMOOTHING_MM = 5.0
BSPLINE_CONTROL_MM = (80.0, 40.0)
BSPLINE_ITERATIONS = 20
BSPLINE_SAMPLED = 0.2
SEED = 20130101
ELASTIX_SCRIPT = Path(__file__).with_name("elastix_peer.py")


@dataclass(frozen=True, eq=False)
class Pair:
    """POST and the rigidly moved PRE on POST's working lattice, and where a metric may look."""

    post: Working
    pre_on_post: FloatVoxels
    region: BoolVoxels

    def mapped(self, rigid: SpatialMap, vectors_mm: FloatArray) -> SpatialMap:
        """Return the map of a displacement, shape (k, j, i, 3), on POST's working lattice."""
        found = faded(Displacement(vectors_mm.astype(np.float32), self.post.grid))
        return SpatialMap(rigid.rigid_pre_from_post, found)


def demons(pair: Pair) -> FloatArray:
    """Return the displacement by SimpleITK's fast symmetric demons after histogram matching; it takes no mask."""
    fixed = itk_image(pair.post.image, pair.post.grid)
    moving = sitk.HistogramMatching(itk_image(pair.pre_on_post, pair.post.grid), fixed, 256, 12, True)
    field: sitk.Image | None = None
    with one_thread():
        for shrink, iterations in DEMONS_LEVELS:
            smooth = [sitk.SmoothingRecursiveGaussian(i, 0.5 * shrink * i.GetSpacing()[0]) for i in (fixed, moving)]
            small, other = (sitk.Shrink(i, [shrink] * 3) for i in smooth)
            if field is None:
                field = sitk.Image(small.GetSize(), sitk.sitkVectorFloat64)
                field.CopyInformation(small)
            else:
                field = sitk.Resample(field, small)
            method = sitk.FastSymmetricForcesDemonsRegistrationFilter()
            method.SetNumberOfIterations(iterations)
            method.SetStandardDeviations(DEMONS_SMOOTHING_MM / small.GetSpacing()[0] if shrink == 1 else 1.5)
            field = method.Execute(small, other, field)
        return np.asarray(sitk.GetArrayFromImage(sitk.Resample(field, fixed)), dtype=np.float64)


def bspline(pair: Pair) -> FloatArray:
    """Return the displacement by SimpleITK's B-spline, correlation in the region, LBFGSB, coarse then fine."""
    fixed, moving = (itk_image(i.astype(np.float32), pair.post.grid) for i in (pair.post.image, pair.pre_on_post))
    mask = itk_image(pair.region.astype(np.uint8), pair.post.grid)
    total: sitk.Transform | None = None
    with one_thread():
        for level, control_mm in enumerate(BSPLINE_CONTROL_MM):
            size = [n * s for n, s in zip(fixed.GetSize(), fixed.GetSpacing(), strict=True)]
            mesh = [max(1, round(length / control_mm)) for length in size]
            warped = moving if total is None else sitk.Resample(moving, fixed, total, sitk.sitkLinear, -50.0)
            method = sitk.ImageRegistrationMethod()
            method.SetMetricAsCorrelation()
            method.SetMetricFixedMask(mask)
            method.SetMetricSamplingStrategy(method.REGULAR)
            method.SetMetricSamplingPercentage(BSPLINE_SAMPLED, SEED)
            method.SetInterpolator(sitk.sitkLinear)
            method.SetOptimizerAsLBFGSB(1e-5, BSPLINE_ITERATIONS, 5, 200, 1e7)
            method.SetShrinkFactorsPerLevel([2 - level])
            method.SetSmoothingSigmasPerLevel([1.0 - level])
            method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
            method.SetInitialTransform(sitk.BSplineTransformInitializer(fixed, mesh), inPlace=True)
            found = method.Execute(fixed, warped)
            total = found if total is None else sitk.CompositeTransform([total, found])
        field = sitk.TransformToDisplacementField(
            total, sitk.sitkVectorFloat64, fixed.GetSize(), fixed.GetOrigin(), fixed.GetSpacing(), fixed.GetDirection()
        )
    return np.asarray(sitk.GetArrayFromImage(field), dtype=np.float64)


def bspline_information(pair: Pair) -> FloatArray:
    """Return the displacement by SimpleITK's B-spline on mutual information: our second opinion, with more samples."""
    return bspline_vectors_mm(pair.post, pair.pre_on_post, pair.region, SEED, BSPLINE_SAMPLED).astype(np.float64)


def elastix(python: Path) -> Callable[[Pair], FloatArray]:
    """Return the peer that runs itk-elastix by the Python of an environment of its own."""

    def run(pair: Pair) -> FloatArray:
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder) / "given.npz", Path(folder) / "found.npy"
            np.savez(
                given, post=pair.post.image, pre=pair.pre_on_post, region=pair.region,
                spacing=pair.post.grid.spacing_kji_mm[0], origin=pair.post.grid.lps_mm_from_ijk[:3, 3],
            )  # fmt: skip
            subprocess.run(  # noqa: S603 (the user's own Python)
                [str(python), str(ELASTIX_SCRIPT), str(given), str(found)], check=True, cwd=folder, capture_output=True
            )
            return np.asarray(np.load(found), dtype=np.float64)

    return run


def timed(method: Callable[[Pair], FloatArray], pair: Pair, rigid: SpatialMap) -> tuple[SpatialMap, float]:
    """Return a peer's map and the CPU seconds of its own step, child processes included."""
    start = _cpu_s()
    vectors = method(pair)
    return pair.mapped(rigid, vectors), _cpu_s() - start


def _cpu_s() -> float:
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
