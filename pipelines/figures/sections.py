"""Planes through patient space: what lies on them of volumes, masks and surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import find_contours

from planner.grid import Grid
from planner.surface import Surface
from planner.volume import Mask, Volume

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Voxels = npt.NDArray[np.float32] | npt.NDArray[np.uint8]
PointMap = Callable[[FloatArray], FloatArray]

_RIGHT = {"axial": (1.0, 0.0, 0.0), "coronal": (1.0, 0.0, 0.0), "sagittal": (0.0, 1.0, 0.0)}
_UP = {"axial": (0.0, -1.0, 0.0), "coronal": (0.0, 0.0, 1.0), "sagittal": (0.0, 0.0, 1.0)}
_LETTERS = {"axial": ("R", "L", "A", "P"), "coronal": ("R", "L", "S", "I"), "sagittal": ("A", "P", "S", "I")}

ORIENTATIONS = ("axial", "coronal", "sagittal")


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A rectangle of a plane in patient space, seen in radiological orientation.

    Picture coordinates are mm from the centre: x to the picture's right, y up.

    Parameters
    ----------
    orientation
        "axial", "coronal" or "sagittal".
    centre_lps_mm
        The point at the middle of the picture.
    half_mm
        Half the width and half the height.
    step_mm
        Distance between samples.
    shown_every
        Pictures show every so many of the samples: lines are drawn finer than the scan's own sampling.
    """

    orientation: str
    centre_lps_mm: FloatArray
    half_mm: tuple[float, float]
    step_mm: float = 0.5
    shown_every: int = 1

    @property
    def right(self) -> FloatArray:
        """Unit vector to the picture's right, LPS."""
        return np.asarray(_RIGHT[self.orientation])

    @property
    def up(self) -> FloatArray:
        """Unit vector to the picture's top, LPS."""
        return np.asarray(_UP[self.orientation])

    @property
    def normal(self) -> FloatArray:
        """Unit normal of the plane, LPS."""
        return np.asarray(np.cross(self.right, self.up))

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Patient directions at the picture's left, right, top and bottom."""
        return _LETTERS[self.orientation]

    @property
    def axes_mm(self) -> tuple[FloatArray, FloatArray]:
        """Picture coordinates of the sample columns (x) and rows (y), rows from the bottom up."""
        x, y = (np.arange(-half, half + self.step_mm / 2, self.step_mm) for half in self.half_mm)
        return x, y

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge of the sampled pixels."""
        x, y = self.axes_mm
        pad = self.step_mm / 2
        return float(x[0] - pad), float(x[-1] + pad), float(y[0] - pad), float(y[-1] + pad)

    def points_lps_mm(self) -> FloatArray:
        """Return the patient points of the samples, shape (rows * columns, 3)."""
        x, y = self.axes_mm
        across, upward = np.meshgrid(x, y)
        return self.centre_lps_mm + np.outer(across.ravel(), self.right) + np.outer(upward.ravel(), self.up)

    def project(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return the picture coordinates, shape (n, 2), of patient points, dropped onto the plane."""
        offset = np.atleast_2d(np.asarray(points_lps_mm, dtype=np.float64)) - self.centre_lps_mm
        return np.stack([offset @ self.right, offset @ self.up], axis=1)

    def image(self, volume: Volume, volume_from_here: PointMap | None = None) -> FloatArray:
        """Return the volume on the plane by linear interpolation, rows from the bottom up; NaN outside it."""
        return self._sampled(volume.voxels_kji, volume.grid, volume_from_here, np.nan)

    def outlines(self, mask: Mask, mask_from_here: PointMap | None = None) -> list[FloatArray]:
        """Return where the plane cuts the border of a mask: lines of picture coordinates, shape (n, 2) each."""
        return self.lines(find_contours(self._share(mask, mask_from_here), 0.5))

    def inside(self, mask: Mask) -> BoolArray:
        """Return which samples lie in a mask, shape (rows, columns), rows from the bottom up."""
        return self._share(mask, None) >= 0.5

    def lines(self, contours: Iterable[FloatArray]) -> list[FloatArray]:
        """Return contours given in (row, column) of the samples as lines of picture coordinates, shape (n, 2) each."""
        x, y = self.axes_mm
        return [
            np.stack([x[0] + self.step_mm * line[:, 1], y[0] + self.step_mm * line[:, 0]], axis=1) for line in contours
        ]

    def cut(self, surface: Surface) -> list[FloatArray]:
        """Return where the plane cuts a surface: lines of picture coordinates, shape (n, 2) each."""
        height = (surface.vertices_lps_mm - self.centre_lps_mm) @ self.normal
        return [self.project(line) for line in cut_lines(surface, height)]

    def _share(self, mask: Mask, mask_from_here: PointMap | None) -> FloatArray:
        # Bytes as they are: a copy of the whole mask as numbers would cost more than all of the sampling.
        return self._sampled(mask.voxels_kji.view(np.uint8), mask.grid, mask_from_here, 0.0)

    def _sampled(
        self,
        voxels: npt.NDArray[np.float32] | npt.NDArray[np.uint8],
        grid: Grid,
        there_from_here: PointMap | None,
        outside: float,
    ) -> FloatArray:
        kji = self._straight_kji(grid) if there_from_here is None else self._mapped_kji(grid, there_from_here)
        return np.asarray(
            ndimage.map_coordinates(voxels, kji, order=1, mode="constant", cval=outside, output=np.float64)
        )

    def _straight_kji(self, grid: Grid) -> FloatArray:
        """Return the samples' places on a lattice, shape (3, rows, columns): a lattice turns a plane into a plane."""
        steps = np.stack([np.zeros(3), self.right, self.up])
        origin, across, upward = _origin_and_steps(grid.ijk(self.centre_lps_mm + steps))
        x, y = self.axes_mm
        return np.stack([origin[n] + np.add.outer(y * upward[n], x * across[n]) for n in (2, 1, 0)])

    def _mapped_kji(self, grid: Grid, there_from_here: PointMap) -> FloatArray:
        x, y = self.axes_mm
        places = grid.ijk(there_from_here(self.points_lps_mm()))
        return np.asarray(places[:, ::-1].T.reshape(3, len(y), len(x)))

    @property
    def as_shown(self) -> Section:
        """The same plane with no more samples than pictures show."""
        return replace(self, step_mm=self.step_mm * self.shown_every, shown_every=1)

    def thinned(self, samples: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[float, float, float, float]]:
        """Return the samples that a picture shows, every `shown_every`-th, with the edges of their pixels, mm."""
        x, y = (axis[:: self.shown_every] for axis in self.axes_mm)
        pad = self.shown_every * self.step_mm / 2
        edges = float(x[0] - pad), float(x[-1] + pad), float(y[0] - pad), float(y[-1] + pad)
        return samples[:: self.shown_every, :: self.shown_every], edges


def _origin_and_steps(three: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return three[0], three[1] - three[0], three[2] - three[0]


def cut_lines(surface: Surface, height: FloatArray) -> list[FloatArray]:
    """Return the lines on a surface where a height given per vertex is zero, as chains of points, shape (n, 3).

    A vertex at height zero counts as above, so that every cut triangle is cut through exactly two edges.
    """
    above = height >= 0.0
    corners = surface.triangles
    count = above[corners].sum(axis=1)
    cut = corners[(count == 1) | (count == 2)]
    edges = []
    for triangle in cut.tolist():
        sides = ((triangle[0], triangle[1]), (triangle[1], triangle[2]), (triangle[2], triangle[0]))
        edges.append([(min(a, b), max(a, b)) for a, b in sides if above[a] != above[b]])
    return [_crossings(surface, height, chain) for chain in _chains(edges)]


Edge = tuple[int, int]


def _crossings(surface: Surface, height: FloatArray, chain: Sequence[Edge]) -> FloatArray:
    a, b = np.asarray(chain).T
    share = height[a] / (height[a] - height[b])
    start, end = surface.vertices_lps_mm[a], surface.vertices_lps_mm[b]
    return np.asarray(start + share[:, None] * (end - start))


def _chains(steps: Sequence[Sequence[Edge]]) -> list[list[Edge]]:
    """Return steps (pairs of edges that one triangle joins) put end to end."""
    joined: dict[Edge, list[Edge]] = {}
    for first, second in steps:
        joined.setdefault(first, []).append(second)
        joined.setdefault(second, []).append(first)
    # Open ends first, so that an open line is not begun in its middle.
    starts = sorted(joined, key=lambda edge: (len(joined[edge]) != 1, edge))
    chains = []
    for start in starts:
        chain = [start]
        while joined[chain[-1]]:
            following = joined[chain[-1]].pop()
            joined[following].remove(chain[-1])
            chain.append(following)
        if len(chain) > 1:
            chains.append(chain)
    return chains
