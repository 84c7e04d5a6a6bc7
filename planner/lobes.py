"""The lobes of the liver: in which of them the tumours of PRE lie, where masks of the lobes or segments are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.spatial import cKDTree
from scipy.special import expit

from planner.case import LOBES, Study
from planner.findings import BILOBAR, Finding
from planner.grid import FloatArray
from planner.volume import Mask

BoolArray = npt.NDArray[np.bool_]

SEGMENTS_OF = {
    "liver_left": ("liver_segment_2", "liver_segment_3", "liver_segment_4", "liver_segment_4a", "liver_segment_4b"),
    "liver_right": ("liver_segment_5", "liver_segment_6", "liver_segment_7", "liver_segment_8"),
}
"""Couinaud's segments of each lobe, as Cantlie's line parts them; segment 1, the caudate lobe, belongs to neither."""

CAUDATE = "liver_segment_1"

LEAST_SHARE = 0.25
"""A tumour lies in each lobe that holds at least this share of it. This line is ours: no source draws one."""

NEAR_MM = 10.0
"""Automatic masks leave tumours out. What of a tumour lies in no mask, but this near to one, is told by the plane that
parts the two lobes around the tumour."""

MOST_POINTS = 4_000
"""Voxels of a tumour, and of a lobe around it, that are looked at."""

SOFT_MM = 1.0
WEIGHT = 1e-5
"""How sharply a plane parts the lobes, and how little is put on its steepness."""


@dataclass(frozen=True, slots=True)
class InLobes:
    """The share of a tumour in each lobe; the rest lies in the caudate lobe or near none of the masks."""

    left_share: float
    right_share: float
    caudate_share: float

    @property
    def lobes(self) -> tuple[str, ...]:
        """Return the lobes that the tumour counts for."""
        shares = {"left": self.left_share, "right": self.right_share}
        return tuple(lobe for lobe, share in shares.items() if share >= LEAST_SHARE)

    @property
    def known(self) -> bool:
        """Whether its place is known: what lies near no mask would not make it count for a further lobe."""
        return 1.0 - self.left_share - self.right_share - self.caudate_share < LEAST_SHARE

    @property
    def words(self) -> str:
        """Return where the tumour lies, in words."""
        if not self.known:
            return "not told by the masks of the lobes, which lie too far away or overlap"
        return " and ".join(self.lobes) or ("caudate lobe" if self.caudate_share >= 0.5 else "in no lobe for the most")


def lobe_masks(study: Study) -> dict[str, tuple[Mask, ...]]:
    """Return the masks that make up each lobe: its own, else those of its segments; and the caudate lobe's."""
    masks = {role: mask for role, mask in study.masks.items() if not mask.is_empty}
    found = {}
    for lobe in LOBES:
        parts = (lobe,) if lobe in masks else SEGMENTS_OF[lobe]
        found[lobe] = tuple(masks[role] for role in parts if role in masks)
    return found | {CAUDATE: (masks[CAUDATE],) if CAUDATE in masks else ()}


def tumours_in_lobes(study: Study) -> dict[str, InLobes]:
    """Return where each tumour of a study lies, by lesion id; empty unless both lobes are known."""
    masks = lobe_masks(study)
    if not all(masks[lobe] for lobe in LOBES):
        return {}
    return {lesion_id: _in_lobes(tumour.centres_lps_mm(), masks) for lesion_id, tumour in study.tumours.items()}


def lobes_of_points(points_lps_mm: FloatArray, study: Study) -> InLobes | None:
    """Return in which lobes of a study some points lie, shape (n, 3); None unless both lobes are known."""
    masks = lobe_masks(study)
    return _in_lobes(points_lps_mm, masks) if all(masks[lobe] for lobe in LOBES) else None


def _in_lobes(points: FloatArray, masks: Mapping[str, Sequence[Mask]]) -> InLobes:
    points = _thinned(points)
    parts = [masks[lobe] for lobe in (*LOBES, CAUDATE)]
    beside = [_beside(points, part) for part in parts]
    away_mm = np.stack([_away_mm(points, found) for found in beside])
    nearest = away_mm.argmin(axis=0)
    inside = np.stack([np.any([_in_voxel(points, mask) for mask in part] or [nearest < 0], axis=0) for part in parts])
    if len(beside[0]) and len(beside[1]):
        in_left = _on_first_side(points, _thinned(beside[0]), _thinned(beside[1]))
        nearest = np.where(nearest == 2, nearest, np.where(in_left, 0, 1))
    where = np.where(inside.any(axis=0), inside.argmax(axis=0), nearest)
    known = (inside.any(axis=0) | (away_mm.min(axis=0) <= NEAR_MM)) & ~(inside[0] & inside[1])
    left, right, caudate = (float((known & (where == n)).mean()) for n in range(3))
    return InLobes(left, right, caudate)


def _thinned(points: FloatArray) -> FloatArray:
    return points[:: max(1, -(-len(points) // MOST_POINTS))]


def _beside(points: FloatArray, masks: Sequence[Mask]) -> FloatArray:
    """Return the voxel centres of some masks within 10 mm of the box of some points, shape (n, 3)."""
    low, high = points.min(axis=0) - NEAR_MM, points.max(axis=0) + NEAR_MM
    corners = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    found = [np.empty((0, 3))]
    for mask in masks:
        kji = mask.grid.ijk(corners)[:, ::-1]
        start = np.clip(np.floor(kji.min(axis=0)).astype(int), 0, mask.grid.shape_kji)
        stop = np.clip(np.ceil(kji.max(axis=0)).astype(int) + 1, start, mask.grid.shape_kji)
        cut = np.argwhere(mask.voxels_kji[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]])
        found.append(mask.grid.lps_mm((cut + start)[:, ::-1]) if len(cut) else found[0])
    return np.concatenate(found)


def _away_mm(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Return how far points lie from the nearest of some voxel centres, mm; infinite if there are none."""
    return np.asarray(cKDTree(centres).query(points)[0]) if len(centres) else np.full(len(points), np.inf)


def _on_first_side(points: FloatArray, first: FloatArray, second: FloatArray) -> BoolArray:
    """Return which points lie on the first side of the plane that parts two sets of points best (logistic loss)."""
    middle = points.mean(axis=0)
    told = np.column_stack([np.concatenate([first, second]) - middle, np.ones(len(first) + len(second))]) / SOFT_MM
    sign = np.repeat([1.0, -1.0], [len(first), len(second)])

    def loss(plane: FloatArray) -> tuple[float, FloatArray]:
        rise = sign * (told @ plane)
        pull = -sign * expit(-rise)
        own = WEIGHT * plane
        return float(np.logaddexp(0.0, -rise).mean() + 0.5 * own @ plane), told.T @ pull / len(told) + own

    plane = minimize(loss, np.zeros(4), jac=True, method="L-BFGS-B").x
    return np.asarray(np.column_stack([points - middle, np.ones(len(points))]) @ plane > 0.0)


def _in_voxel(points: FloatArray, mask: Mask) -> BoolArray:
    ijk = np.rint(mask.grid.ijk(points)).astype(np.int64)
    within = ((ijk >= 0) & (ijk < np.asarray(mask.grid.shape_kji[::-1]))).all(axis=1)
    inside = np.zeros(len(points), dtype=bool)
    i, j, k = ijk[within].T
    inside[within] = mask.voxels_kji[k, j, i]
    return inside


def bilobar(study: Study) -> Finding:
    """Return whether tumours lie in both lobes; None with a reason where that is not known."""
    missing = [lobe for lobe, masks in lobe_masks(study).items() if lobe in LOBES and not masks]
    if missing:
        names = " and ".join(lobe.removeprefix("liver_") for lobe in missing)
        return Finding(BILOBAR, None, reason=f"PRE has no mask of the {names} lobe, nor of its segments")
    places = tumours_in_lobes(study)
    lobes = {lobe for place in places.values() for lobe in place.lobes}
    said = "; ".join(f"tumour {lesion_id}: {place.words}" for lesion_id, place in places.items())
    if len(lobes) < len(LOBES) and not all(place.known for place in places.values()):
        return Finding(BILOBAR, None, reason=said)
    return Finding(BILOBAR, float(len(lobes) == len(LOBES)), reason=said or None)
