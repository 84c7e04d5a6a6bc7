"""The nearest point of a triangle mesh to each of many points, and on which side of it they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.surface.triangles import nearest_on_triangles, spread_shares

IntArray = npt.NDArray[np.int64]

NEAR_SAMPLES = 12
"""The foot is looked for on the triangles that so many nearest samples lie on."""

TIE_MM = 1e-7

SAMPLES_PER_SHORT_EDGE = 0.5
MOST_SPLITS = 8
"""A triangle is sampled this often per length of a typical shortest edge, along each of its sides at most so often."""


@dataclass(frozen=True, eq=False)
class Feet:
    """The nearest points of a mesh.

    Parameters
    ----------
    points_mm, triangles
        Shapes (n, 3) and (n,): the nearest point, and the triangle it lies on.
    signed_mm
        Shape (n,): + inside, - outside.
    """

    points_mm: FloatArray
    triangles: IntArray
    signed_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Finder:
    """What nearest points of a mesh are found with. Build it with `Finder.of`.

    Samples all over the triangles are searched for the nearest ones, and the exact foot is taken on their triangles.
    It can be missed only where more samples than are looked at lie no farther from the point than the foot's own one;
    then the distance is too long by less than the samples are apart, squared, over twice the distance.
    """

    corners_mm: FloatArray
    normals: FloatArray
    samples: cKDTree
    owners: IntArray

    @classmethod
    def of(cls, corners_mm: FloatArray, normals: FloatArray, *, even: bool) -> Finder:
        """Return the finder of triangles, shape (m, 3, 3), with outward unit normals, shape (m, 3).

        `even` says that the triangles are all of about one size, so that a sample at each centre will do.
        """
        owners = np.arange(len(corners_mm))
        if even:
            return cls(corners_mm, normals, cKDTree(corners_mm.mean(axis=1)), owners)
        edges = np.linalg.norm(corners_mm - np.roll(corners_mm, 1, axis=1), axis=2)
        step = float(np.median(edges.min(axis=1))) / SAMPLES_PER_SHORT_EDGE
        splits = np.clip(np.ceil(edges.max(axis=1) / max(step, TIE_MM)), 1, MOST_SPLITS).astype(int)
        found, whose = [], []
        for count in np.unique(splits):
            own = owners[splits == count]
            shares = spread_shares(int(count))
            found.append(np.einsum("sc,ncj->nsj", shares, corners_mm[own]).reshape(-1, 3))
            whose.append(np.repeat(own, len(shares)))
        return cls(corners_mm, normals, cKDTree(np.concatenate(found)), np.concatenate(whose))

    def feet(self, points: FloatArray) -> Feet:
        """Return the nearest points; where several triangles share one, the most squarely faced tells the side."""
        count = min(NEAR_SAMPLES, len(self.owners))
        chosen = self.owners[self.samples.query(points, k=range(1, count + 1))[1]]
        feet = nearest_on_triangles(np.repeat(points, count, axis=0), self.corners_mm[chosen.ravel()])
        feet = feet.reshape(*chosen.shape, 3)
        away = points[:, None] - feet
        lengths = np.sqrt(np.einsum("nkj,nkj->nk", away, away))
        rows, least = np.arange(len(points)), np.argmin(lengths, axis=1)
        length = lengths[rows, least]
        facing = np.einsum("nkj,nkj->nk", away, self.normals[chosen])
        facing[lengths > length[:, None] + TIE_MM] = 0.0
        outward = facing[rows, np.argmax(np.abs(facing), axis=1)]
        signed = np.where(outward > 0.0, -length, length)
        return Feet(feet[rows, least], chosen[rows, least], signed)
