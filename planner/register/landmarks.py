"""What pairs of landmarks say of an alignment: a measured error, where enough of them lie near a zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from scipy.stats import chi2

from planner.errors import InputError
from planner.grid import FloatArray, Grid, as_points
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.register.settings import RegistrationSettings
from planner.surface import Surface
from planner.volume import BoolVoxels

NEAR_MM = 50.0
ENOUGH = 4
"""A measured error replaces the predicted one with so many pairs so near to the zone that no fit used."""

OUTSIDE_MM = 5.0
"""A point may lie so far outside its scan: landmarks sit on its rim, too."""

SUSPECT_MM = 5.0
FAR_BETTER = 0.5
"""Landmarks that are further off than this, and less than half of it when read otherwise, were written otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Points of PRE and POST that show the same place, LPS mm.

    Parameters
    ----------
    pre_lps_mm, post_lps_mm
        Shape (n, 3).
    fitted
        Shape (n,): whether the map in use may have been fitted to the pair.
    """

    pre_lps_mm: FloatArray
    post_lps_mm: FloatArray
    fitted: BoolVoxels

    def __post_init__(self) -> None:
        """Check the shapes and keep the arrays read-only."""
        pre, post = as_points(self.pre_lps_mm).copy(), as_points(self.post_lps_mm).copy()
        fitted = np.array(self.fitted, dtype=bool)
        if len(pre) != len(post) or len(pre) != len(fitted) or not len(pre):
            raise InputError(f"landmarks: {len(pre)} points of PRE and {len(post)} of POST, expected pairs")
        if not (np.isfinite(pre).all() and np.isfinite(post).all()):
            raise InputError("landmarks: a coordinate is not finite, expected mm", code="bad-number")
        for name, values in (("pre_lps_mm", pre), ("post_lps_mm", post), ("fitted", fitted)):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def errors_mm(self, used: SpatialMap) -> FloatArray:
        """Return how far a map takes each point of POST from its partner in PRE, mm, shape (n,)."""
        return _lengths(used.pre_from_post(self.post_lps_mm) - self.pre_lps_mm)

    def distinct(self) -> Landmarks:
        """Return the landmarks without pairs whose point in POST repeats an earlier one: they say nothing new."""
        kept: list[int] = []
        for n, point in enumerate(self.post_lps_mm):
            if not kept or float(_lengths(self.post_lps_mm[kept] - point).min()) > SAME_PLACE_MM:
                kept.append(n)
        return replace(
            self, pre_lps_mm=self.pre_lps_mm[kept], post_lps_mm=self.post_lps_mm[kept], fitted=self.fitted[kept]
        )

    def require_inside(self, pre: Grid, post: Grid) -> None:
        """Raise unless all points lie in their scans.

        Raises
        ------
        InputError
            Some do not: they are of another frame, in other units, or PRE and POST are exchanged.
        """
        for name, points, grid in (("PRE", self.pre_lps_mm, pre), ("POST", self.post_lps_mm, post)):
            room = OUTSIDE_MM / np.asarray(grid.spacing_kji_mm[::-1])
            ijk = grid.ijk(points)
            last = np.asarray(grid.shape_kji[::-1]) - 1
            outside = int(((ijk < -0.5 - room) | (ijk > last + 0.5 + room)).any(axis=1).sum())
            if outside:
                raise InputError(
                    f"landmarks: {outside} of {len(points)} points of {name} lie outside its scan, expected LPS"
                    f" millimetres in the frame of {name}",
                    code="landmarks-outside",
                )

    def require_as_written(self, used: SpatialMap) -> None:
        """Raise where the pairs would fit the map far better if their columns meant something else.

        Raises
        ------
        InputError
            PRE and POST seem exchanged, axes swapped or signs those of RAS.
        """
        as_read = float(self.errors_mm(used).mean())
        if as_read <= SUSPECT_MM or len(self.fitted) < ENOUGH:
            return
        others = {}
        for what, misread in _MISREAD.items():
            pre, post = misread(self.pre_lps_mm, self.post_lps_mm)
            others[what] = float(_lengths(used.pre_from_post(post) - pre).mean())
        best = min(others, key=lambda what: others[what])
        if others[best] < FAR_BETTER * as_read:
            raise InputError(
                f"landmarks: {as_read:.1f} mm off as written, {others[best]:.1f} mm with {best}; expected LPS"
                " millimetres, PRE's points in PRE's columns",
                code="landmarks-swapped",
            )


SAME_PLACE_MM = 1.0
"""Landmarks of one study nearer to each other than this are one."""

_RAS = np.array([-1.0, -1.0, 1.0])
_Misread = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


def _reordered(order: tuple[int, ...]) -> _Misread:
    columns = list(order)
    return lambda pre, post: (pre[:, columns], post[:, columns])


_MISREAD: dict[str, _Misread] = {
    "PRE and POST exchanged": lambda pre, post: (post, pre),
    "PRE's points taken for RAS": lambda pre, post: (pre * _RAS, post),
    "POST's points taken for RAS": lambda pre, post: (pre, post * _RAS),
    "all points taken for RAS": lambda pre, post: (pre * _RAS, post * _RAS),
    **{
        f"the axes in the order {''.join('xyz'[n] for n in order)}": _reordered(order)
        for order in permutations(range(3))
        if order != (0, 1, 2)
    },
}


def with_landmarks(
    alignment: Alignment,
    landmarks: Landmarks,
    zones: Mapping[str, Surface],
    settings: RegistrationSettings,
) -> Alignment:
    """Return an alignment whose error at each zone is what landmarks measured, where enough of them lie near.

    With at least four pairs within 50 mm of a zone (in POST) to which the map was not fitted, their mean distance
    replaces the predicted error; with fewer, the larger of both counts.

    Parameters
    ----------
    alignment
        As found or given.
    landmarks
        In the frames of the two studies.
    zones
        Surfaces of the ablation zones in POST, by id.
    settings
        `worst_error_mm` is the largest error that is accepted.

    Raises
    ------
    InputError
        The pairs fit far better when read otherwise.
    """
    landmarks = landmarks.distinct()
    landmarks.require_as_written(alignment.map)
    errors, checks = dict(alignment.error_at_zone_mm), dict(alignment.zone_checks)
    intervals = dict(alignment.error_interval90_mm)
    off_mm = landmarks.errors_mm(alignment.map)
    for zone_id, zone in zones.items():
        near = -zone.signed_depth_mm(landmarks.post_lps_mm) <= NEAR_MM
        some = off_mm[near & ~landmarks.fitted]
        measured = float(off_mm[near].mean()) if near.any() else None
        predicted = errors.get(zone_id, 0.0)
        enough = len(some) >= ENOUGH
        if enough:
            errors[zone_id] = float(some.mean())
            intervals[zone_id] = _interval_mm(some)
        elif measured is not None and measured > predicted:
            errors[zone_id] = measured
            intervals.pop(zone_id, None)
        own = [_shown(c) if enough and c.name == PREDICTED else c for c in checks.get(zone_id, ())]
        checks[zone_id] = (*own, _check(some, off_mm[near], predicted, settings))
    return replace(alignment, error_at_zone_mm=errors, error_interval90_mm=intervals, zone_checks=checks)


PREDICTED = "predicted_error"


def _check(independent: FloatArray, near: FloatArray, predicted_mm: float, settings: RegistrationSettings) -> Check:
    limit = settings.worst_error_mm
    if len(independent) >= ENOUGH:
        mean = float(independent.mean())
        text = (
            f"target registration error at {len(independent)} pairs of landmarks within {NEAR_MM:.0f} mm of the zone:"
            f" mean {mean:.1f}, largest {independent.max():.1f} mm (at most {limit:.0f} mm accepted); it replaces the"
            " predicted error"
        )
        return Check("landmarks", round(mean, 4), "mm", mean <= limit, text)
    if not len(near):
        text = f"no pair of landmarks lies within {NEAR_MM:.0f} mm of the zone"
        return Check("landmarks", None, "mm", None, text)
    mean = float(near.mean())
    why = f"fewer than {ENOUGH} that no fit used" if len(near) >= ENOUGH else f"fewer than {ENOUGH}"
    counts = "it counts, being larger than" if mean > predicted_mm else "it does not replace"
    text = (
        f"target registration error at {len(near)} pairs of landmarks within {NEAR_MM:.0f} mm of the zone ({why}):"
        f" mean {mean:.1f} mm; {counts} the predicted {predicted_mm:.1f} mm"
    )
    return Check("landmarks", round(mean, 4), "mm", None if mean <= limit else False, text)


def _shown(check: Check) -> Check:
    return replace(check, passed=None, text=f"{check.text}; replaced by what landmarks measured")


def _interval_mm(off_mm: FloatArray) -> tuple[float, float]:
    """Return a 90 % interval of the mean error: as of a length of three equal normal parts, chi-square."""
    degrees = 3 * len(off_mm)
    mean = float(off_mm.mean())
    low, high = (float(np.sqrt(degrees / chi2.ppf(p, degrees))) for p in (0.95, 0.05))
    return mean * low, mean * high


def _lengths(vectors: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(vectors, axis=1))
