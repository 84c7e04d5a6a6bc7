"""What is looked at to judge an alignment as a whole, and how much of a zone's surroundings both scans show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from planner.grid import FloatArray, Grid
from planner.register.alignment import Check, SpatialMap
from planner.register.compared import Compared
from planner.register.prepare import Working, grown
from planner.register.settings import RegistrationSettings
from planner.surface import Surface
from planner.volume import BoolVoxels, FloatVoxels

LEAST_CORRELATION = 0.3
"""Two aligned CTs of one body resemble each other at least this much around the liver."""

AROUND_ZONE_MM = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The maps of one case: the one in use, the rigid one, and a library's where one was asked."""

    used: SpatialMap
    rigid: SpatialMap
    library: SpatialMap | None = None


def second_opinion(answers: Answers, zone: Surface) -> tuple[Check, ...]:
    """Return how far the library's map lies from the one in use at a zone; nothing where there is none."""
    if answers.library is None:
        return ()
    ours, theirs = (_apart_mm(used, answers.rigid, zone) for used in (answers.used, answers.library))
    apart = _apart_mm(answers.used, answers.library, zone)
    text = (
        f"second opinion (SimpleITK's B-spline) at the zone: {apart:.1f} mm from the map in use; from the rigid one"
        f" it lies {theirs:.1f} mm, the map in use {ours:.1f} mm (shown, decides nothing)"
    )
    return (Check("second_opinion", round(apart, 4), "mm", None, text),)


def _apart_mm(one: SpatialMap, other: SpatialMap, zone: Surface) -> float:
    points = zone.vertices_lps_mm
    return float(np.linalg.norm(one.pre_from_post(points) - other.pre_from_post(points), axis=1).mean())


def shared_view_check(
    zone: BoolVoxels, post: Working, pre_scan: Grid, used: SpatialMap, settings: RegistrationSettings
) -> Check:
    """Return how much of the liver around one zone lies in both scans; too little fails."""
    around = grown(zone, AROUND_ZONE_MM, settings.working_mm) & post.seen
    if post.liver is not None:
        around &= post.liver | zone
    points = post.grid.lps_mm(np.argwhere(around)[:, ::-1]) if around.any() else np.empty((0, 3))
    share = float(pre_scan.contains(used.pre_from_post(points)).mean()) if len(points) else 0.0
    text = (
        f"{share:.0%} of the liver within {AROUND_ZONE_MM:.0f} mm of the zone lies in both scans"
        f" (at least {settings.shared_share:.0%} needed)"
    )
    return Check("shared_field_of_view", round(share, 4), "fraction", share >= settings.shared_share, text)


def case_checks(
    post: Working,
    moved_rigid: FloatVoxels | None,
    moved_used: FloatVoxels,
    moved_liver: BoolVoxels | None,
    region: BoolVoxels,
    *,
    both_ct: bool,
) -> tuple[Check, ...]:
    """Return what was looked at for the whole case: similarity before (where known) and after, liver overlap.

    None of it proves an alignment; only two CTs that hardly resemble each other disprove it.
    """
    used = correlation(post.image, moved_used, region)
    checks: list[Check] = []
    if moved_rigid is not None:
        before = correlation(post.image, moved_rigid, region)
        checks.append(_shown("correlation_rigid", before, "similarity after the rigid step"))
    if both_ct:
        text = (
            f"similarity of two CTs {used:.2f} (at least {LEAST_CORRELATION} for one body; a high one proves nothing)"
        )
        checks.append(Check("correlation", round(used, 4), "ratio", used >= LEAST_CORRELATION, text))
    else:
        checks.append(_shown("correlation", used, "similarity with the map in use"))
    if moved_liver is not None and post.liver is not None:
        both = 2.0 * float((moved_liver & post.liver).sum())
        dice = both / float(max(1, moved_liver.sum() + post.liver.sum()))
        checks.append(_shown("liver_dice", dice, "overlap of the two liver masks"))
    return tuple(checks)


def _shown(name: str, value: float, text: str) -> Check:
    return Check(name, round(value, 4), "ratio", None, f"{text}: {value:.3f} (shown, decides nothing)")


def correlation(a: FloatVoxels, b: FloatVoxels, where: BoolVoxels) -> float:
    """Return the linear correlation of two images over a region; 0 where either is constant."""
    x, y = a[where].astype(np.float64), b[where].astype(np.float64)
    if len(x) < 2 or x.std() == 0.0 or y.std() == 0.0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def likeness(a: FloatVoxels, b: FloatVoxels, where: BoolVoxels, compared: Compared) -> float:
    """Return the mean correlation of what is compared of two images over a region."""
    pairs = zip(compared(a), compared(b), strict=True)
    return float(np.mean([correlation(one, other, where) for one, other in pairs]))


def moved_onto(values: npt.NDArray[np.generic], source: Grid, target: Grid, used: SpatialMap, order: int) -> FloatArray:
    """Return voxels of PRE's working lattice read at the places that POST's lattice maps to."""
    kji = np.indices(target.shape_kji).reshape(3, -1)
    points = used.pre_from_post(target.lps_mm(kji[::-1].T))
    places = source.ijk(points)[:, ::-1].T
    found = ndimage.map_coordinates(np.asarray(values, dtype=np.float32), places, order=order, mode="nearest")
    return np.asarray(found.reshape(target.shape_kji))


def shown_on_post(post: Working, pre: Working, used: SpatialMap) -> tuple[FloatVoxels, BoolVoxels]:
    """Return PRE on POST's working lattice by a map, and where it shows something."""
    image = moved_onto(pre.image, pre.grid, post.grid, used, 1).astype(np.float32)
    return image, moved_onto(pre.seen, pre.grid, post.grid, used, 0) > 0.5
