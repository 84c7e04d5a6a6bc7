"""The nearest point of a triangle mesh to each of many points, and on which side of it they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from planner.grid import FloatArray
from planner.surface.triangles import nearest_on_triangles, shares_of_corners, spread_shares

IntArray = npt.NDArray[np.int64]

NEAR_SAMPLES = 12
"""The foot is looked for on the triangles that so many nearest samples lie on."""

TIE_MM = 1e-7
ON_EDGE = 1e-6
"""A share of a corner so near to nothing, or to all, lies on an edge, or at a corner."""

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
    triangle_normals: FloatArray
    corner_normals: FloatArray
    samples: cKDTree
    owners: IntArray

    @classmethod
    def of(
        cls, corners_mm: FloatArray, triangle_normals: FloatArray, corner_normals: FloatArray, *, even: bool
    ) -> Finder:
        """Return the finder of m triangles.

        Parameters
        ----------
        corners_mm, triangle_normals, corner_normals
            Shapes (m, 3, 3), (m, 3) and (m, 3, 3): corners (triangle, corner, coordinate), outward unit normals of the
            triangles, and those of the vertices at their corners (weighed by their triangles' angles).
        even
            Whether the triangles are all of about one size, so that a sample at each centre will do.
        """
        owners = np.arange(len(corners_mm))
        if even:
            return cls(
                corners_mm,
                triangle_normals,
                corner_normals,
                cKDTree(corners_mm.mean(axis=1), balanced_tree=False),
                owners,
            )
        edges = np.linalg.norm(corners_mm - np.roll(corners_mm, 1, axis=1), axis=2)
        step = float(np.median(edges.min(axis=1))) / SAMPLES_PER_SHORT_EDGE
        splits = np.clip(np.ceil(edges.max(axis=1) / max(step, TIE_MM)), 1, MOST_SPLITS).astype(int)
        found, whose = [], []
        for count in np.unique(splits):
            own = owners[splits == count]
            shares = spread_shares(int(count))
            found.append(np.einsum("sc,ncj->nsj", shares, corners_mm[own]).reshape(-1, 3))
            whose.append(np.repeat(own, len(shares)))
        return cls(
            corners_mm,
            triangle_normals,
            corner_normals,
            cKDTree(np.concatenate(found), balanced_tree=False),
            np.concatenate(whose),
        )

    def feet(self, points: FloatArray) -> Feet:
        """Return the nearest points, and the side by the outward normal there.

        That of a vertex weighs its triangles by their angles, that of an edge adds its two (Baerentzen and Aanaes 2005:
        no other choice is right on every closed surface).
        """
        count = min(NEAR_SAMPLES, len(self.owners))
        chosen = self.owners[self.samples.query(points, k=range(1, count + 1))[1]]
        feet = nearest_on_triangles(np.repeat(points, count, axis=0), self.corners_mm[chosen.ravel()])
        feet = feet.reshape(*chosen.shape, 3)
        away = points[:, None] - feet
        lengths = np.sqrt(np.einsum("nkj,nkj->nk", away, away))
        rows, least = np.arange(len(points)), np.argmin(lengths, axis=1)
        length = lengths[rows, least]
        foot, triangle = feet[rows, least], chosen[rows, least]
        normals = self.triangle_normals[triangle].copy()
        shares = shares_of_corners(foot, self.corners_mm[triangle])
        corner = np.argmax(shares, axis=1)
        at_corner = shares[rows, corner] > 1.0 - ON_EDGE
        normals[at_corner] = self.corner_normals[triangle[at_corner], corner[at_corner]]
        on_edge = np.flatnonzero((shares.min(axis=1) < ON_EDGE) & ~at_corner)
        tied = lengths[on_edge] <= length[on_edge, None] + TIE_MM
        normals[on_edge] = self._sums(chosen[on_edge], tied)
        outward = np.einsum("nj,nj->n", away[rows, least], normals)
        return Feet(foot, triangle, np.where(outward > 0.0, -length, length))

    def _sums(self, chosen: IntArray, wanted: npt.NDArray[np.bool_]) -> FloatArray:
        """Return the sums of the normals of the wanted among chosen triangles (n, k), each counted once."""
        again = np.tril(chosen[:, :, None] == chosen[:, None, :], -1).any(axis=2)
        return np.asarray(np.einsum("nk,nkj->nj", (wanted & ~again).astype(float), self.triangle_normals[chosen]))
