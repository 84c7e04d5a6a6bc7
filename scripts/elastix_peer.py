"""itk-elastix as a peer of bench_registration.py, in an environment of its own: elastix_peer.py GIVEN.npz FOUND.npy."""

from __future__ import annotations

import sys

import itk
import numpy as np

SETTINGS = {
    "Registration": ["MultiMetricMultiResolutionRegistration"],
    "Metric": ["AdvancedNormalizedCorrelation", "TransformBendingEnergyPenalty"],
    "Metric0Weight": ["1.0"],
    "Metric1Weight": ["10.0"],
    "Transform": ["BSplineTransform"],
    "FinalGridSpacingInPhysicalUnits": ["16.0"],
    "NumberOfResolutions": ["3"],
    "GridSpacingSchedule": ["4.0", "2.0", "1.0"],
    "MaximumNumberOfIterations": ["250"],
    "NumberOfSpatialSamples": ["2048"],
    "NewSamplesEveryIteration": ["true"],
    "ImageSampler": ["RandomCoordinate"],
    "Optimizer": ["AdaptiveStochasticGradientDescent"],
    "Interpolator": ["LinearInterpolator"],
    "ErodeMask": ["false"],
    "RandomSeed": ["20130101"],
    "WriteResultImage": ["false"],
}


def image(values, spacing, origin):
    """Return an ITK image of voxels (k, j, i)."""
    made = itk.image_from_array(np.ascontiguousarray(values))
    made.SetSpacing([float(spacing)] * 3)
    made.SetOrigin([float(v) for v in origin])
    return made


def main():
    """Register and write the displacement, shape (k, j, i, 3)."""
    given = np.load(sys.argv[1])
    where = given["spacing"], given["origin"]
    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap({name: tuple(value) for name, value in SETTINGS.items()})
    fixed = image(given["post"].astype(np.float32), *where)
    moving = image(given["pre"].astype(np.float32), *where)
    mask = image(given["region"].astype(np.uint8), *where)
    itk.set_nthreads(1)
    _, found = itk.elastix_registration_method(
        fixed, moving, parameter_object=parameters, fixed_mask=mask, log_to_console=False, number_of_threads=1
    )
    field = itk.transformix_deformation_field(moving, found)
    np.save(sys.argv[2], itk.array_from_image(field))


if __name__ == "__main__":
    main()
