"""What of two images is compared: their intensities; between contrasts, how each voxel resembles its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from planner.volume import FloatVoxels

Compared = Callable[[FloatVoxels], tuple[FloatVoxels, ...]]
"""Returns the channels, each of the image's shape (k, j, i), that are compared one by one."""

NEIGHBOUR_VOXELS = 2
PATCH_VOXELS = 1.0
"""A voxel is held against its neighbours so many voxels away, over patches of this standard deviation."""

LEAST_SPREAD, MOST_SPREAD = 1e-3, 1e3
"""Limits of the spread that differences are measured in, in units of its mean over the image."""


def intensities(image: FloatVoxels) -> tuple[FloatVoxels, ...]:
    """Return the image itself: what two CTs show alike."""
    return (image,)


def self_similarity(image: FloatVoxels) -> tuple[FloatVoxels, ...]:
    """Return how alike each voxel's surroundings are to those of its six neighbours, 1 where most alike.

    Six channels, exp(-D / V): D the squared difference of patches less the least of the six, V its mean. The idea is
    that of the modality-independent neighbourhood descriptor (Heinrich et al., Medical Image Analysis 2012): edges
    look the same whichever side is bright, and slow changes of brightness cancel.
    """
    differences = np.stack(
        [
            ndimage.gaussian_filter((image - np.roll(image, step, axis=axis)) ** 2, PATCH_VOXELS)
            for axis in range(3)
            for step in (-NEIGHBOUR_VOXELS, NEIGHBOUR_VOXELS)
        ]
    )
    differences -= differences.min(axis=0)
    spread = differences.mean(axis=0)
    typical = max(float(spread.mean()), float(np.finfo(np.float32).tiny))
    spread = np.clip(spread, LEAST_SPREAD * typical, MOST_SPREAD * typical)
    return tuple(np.exp(-differences / spread).astype(np.float32))


def compared_by(*, both_ct: bool) -> Compared:
    """Return what is compared: CT numbers mean the same in both studies, signals of MR do not."""
    return intensities if both_ct else self_similarity
