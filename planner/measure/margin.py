"""The ablative margin: how far the ablation zone reaches beyond the tumour, at every point of its surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from planner.grid import FloatArray
from planner.measure.interval import Interval, MarginPoints
from planner.measure.liver import ClosedLiver
from planner.measure.margin_map import MarginMap
from planner.measure.ruler import Ruler
from planner.measure.zone import Zone
from planner.surface import PointMap, Surface, spread_indices, surface_of
from planner.volume import Mask

Definition = Literal["parenchymal", "geometric"]
BoolArray = npt.NDArray[np.bool_]

VESSEL_FACING_MM = 5.0
"""Tumour surface nearer to a vessel than this faces it."""

LOWEST_VERTICES = 6
"""The minimum is looked for on all triangles around so many of the lowest vertices."""

EVEN_POINTS = 150
LOW_POINTS = 150
LOW_SHARE = 0.25
"""The draws use so many points of the whole surface, and so many of the share of it with the least margin."""

NO_LIVER_LEFT = (
    "all of the tumour's surface faces the liver capsule:"
    " the liver mask shows no liver beside the zone that was not ablated"
)

THRESHOLDS_MM = (0.0, 5.0, 10.0)
"""The margins that bands, fractions and probabilities are reported for."""


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """The minimal margin with its place, its doubt and its distribution. Sign: + covered, - not covered, mm.

    `at_lps_mm` lies on the tumour's surface and `direction` is that from the tumour's centroid; `foot_lps_mm` is the
    point that the margin was measured to, and `foot_direction` the one from the zone's centroid. `off_side_lps_mm`
    holds the voxel centres of "tumour" and "ablation" that their surfaces leave on the wrong side.
    `min_mm` and what depends on it are None where all of the surface faces the capsule: `reason` says so.
    """

    map: MarginMap
    definition: Definition
    geometric_min_mm: float
    min_mm: float | None = None
    without_vessel_facing_mm: float | None = None
    at_lps_mm: tuple[float, float, float] | None = None
    foot_lps_mm: tuple[float, float, float] | None = None
    direction: str | None = None
    q01_mm: float | None = None
    q05_mm: float | None = None
    median_mm: float | None = None
    surface_fraction_below: Mapping[float, float] = field(default_factory=dict)
    capsule_facing_fraction: float | None = None
    interval: Interval | None = None
    flags: tuple[str, ...] = ()
    reason: str | None = None
    voxel_sd_mm: float = 0.0
    foot_direction: str | None = None
    zone: Surface | None = None
    off_side_lps_mm: Mapping[str, FloatArray] = field(default_factory=dict)

    def points(self) -> MarginPoints | None:
        """Return the points that the interval's draws need; None without a minimum."""
        if self.min_mm is None or self.zone is None:
            return None
        order = np.argsort(self.map.primary_mm, kind="stable")
        order = order[np.isfinite(self.map.primary_mm[order])]
        vertices = self.map.tumour.vertices_lps_mm
        low = order[: max(1, int(LOW_SHARE * len(order)))]
        even = order[spread_indices(vertices[order], EVEN_POINTS)]
        rest = np.union1d(even, low[spread_indices(vertices[low], LOW_POINTS)])
        chosen = np.concatenate([order[:1], rest])
        margin_mm = self.map.primary_mm[chosen]
        tumour_lps_mm, zone_lps_mm = vertices[chosen], self.map.foot_lps_mm[chosen]
        margin_mm[0], tumour_lps_mm[0], zone_lps_mm[0] = self.min_mm, self.at_lps_mm, self.foot_lps_mm
        return MarginPoints(
            margin_mm=margin_mm,
            tumour_lps_mm=tumour_lps_mm,
            zone_lps_mm=zone_lps_mm,
            tumour_normal=self.map.tumour.vertex_normals[chosen],
            zone_normal=self.map.foot_normal[chosen],
            tumour=self.map.tumour,
            zone=self.zone,
        )


def measure_margin(
    tumour: Surface | Mask,
    zones: Zone | Sequence[Mask],
    *,
    post_from_pre: PointMap | None = None,
    liver: ClosedLiver | None = None,
    as_segmented: Zone | None = None,
    vessels: Sequence[Surface] = (),
) -> Margin:
    """Measure the ablative margin of a tumour inside its ablation zone.

    Parameters
    ----------
    tumour
        The tumour: its mask, on a lattice of its own, or its surface.
    zones
        The ablation zones that treat it, in POST: their masks, each on a lattice of its own, or their union; where the
        liver's capsule ended that, going on smoothly.
    post_from_pre
        Takes points of the tumour's frame to POST; None where the tumour lies in POST.
    liver
        The closed liver of POST: with it, the margin is to liver that was not ablated.
    as_segmented
        The union as it was segmented, for the geometric margin; `zones` where left out.
    vessels
        Surfaces of vessels in POST: with them, the margin is also given without the surface that faces a vessel.

    Returns
    -------
    Margin
        Without an interval; `planner.measure.interval` adds it.

    Raises
    ------
    EmptyMaskError
        A mask is empty.
    FrameMismatchError
        Masks state different frames of reference and no `post_from_pre` relates them.
    """
    zone = zones if isinstance(zones, Zone) else Zone.of_masks(_in_one_frame(tumour, zones, post_from_pre))
    tumour = tumour if isinstance(tumour, Surface) else surface_of(tumour)
    tumour = tumour if post_from_pre is None else tumour.moved(post_from_pre)
    ruler = Ruler(zone, as_segmented or zone, liver)
    margins = _margin_map(tumour, ruler, vessels)
    finite = np.isfinite(margins.primary_mm)
    definition: Definition = "geometric" if liver is None else "parenchymal"
    between = ruler.read(tumour.points_around(_lowest(margins)))
    geometric_min = float(min(margins.geometric_mm.min(), between.geometric_mm.min()))
    known = Margin(
        map=margins,
        definition=definition,
        geometric_min_mm=geometric_min,
        surface_fraction_below={limit: margins.short_of(limit) for limit in THRESHOLDS_MM if finite.any()},
        capsule_facing_fraction=None if liver is None else margins.fraction(margins.capsule_facing),
        flags=_flags(tumour, zone, liver),
        off_side_lps_mm={"tumour": tumour.off_side_lps_mm, "ablation": ruler.as_segmented.off_side_lps_mm},
    )
    if not finite.any():
        return replace(known, reason=NO_LIVER_LEFT)
    vertex, best = int(np.argmin(margins.primary_mm)), int(np.argmin(between.primary_mm))
    least, at, foot = margins.primary_mm[vertex], tumour.vertices_lps_mm[vertex], margins.foot_lps_mm[vertex]
    if between.primary_mm[best] < least:
        least, at, foot = between.primary_mm[best], between.points_lps_mm[best], between.foot_lps_mm[best]
    hinges = () if liver is None else _hinging(tumour, ruler, liver, margins, float(least))
    quantiles = [found if np.isfinite(found := margins.quantile_mm(share)) else None for share in (0.01, 0.05, 0.5)]
    return replace(
        known,
        min_mm=float(least),
        without_vessel_facing_mm=_without_vessels(margins, vertex, float(least)),
        at_lps_mm=_point(at),
        foot_lps_mm=_point(foot),
        direction=direction_words(at - tumour.centroid_lps_mm),
        foot_direction=direction_words(foot - ruler.as_segmented.centroid_lps_mm),
        q01_mm=quantiles[0],
        q05_mm=quantiles[1],
        median_mm=quantiles[2],
        voxel_sd_mm=_voxel_sd_mm(tumour, vertex, zone, foot),
        zone=zone.free.surface,
        flags=(*known.flags, *hinges),
    )


SLIVER_MM = 1.5
SLIVER_MATTERS_MM = 2.0
"""Liver thinner than the first between zone and capsule may be the one contour's error; it is flagged where the margin
would be larger by the second without it."""


def _hinging(tumour: Surface, ruler: Ruler, liver: ClosedLiver, margins: MarginMap, least_mm: float) -> tuple[str, ...]:
    """Return the flag "liver_sliver" where the minimum hinges on a sliver of liver beyond the zone."""
    low = np.flatnonzero(margins.primary_mm <= least_mm + SLIVER_MATTERS_MM)
    if least_mm <= 0.0 or not len(low):
        return ()
    thicker = Ruler(ruler.zone, ruler.as_segmented, replace(liver, step_mm=liver.step_mm + SLIVER_MM))
    without = thicker.read(tumour.vertices_lps_mm[low]).primary_mm
    return ("liver_sliver",) if without.min() > least_mm + SLIVER_MATTERS_MM else ()


def _in_one_frame(tumour: Surface | Mask, zones: Sequence[Mask], post_from_pre: PointMap | None) -> Sequence[Mask]:
    """Return the zones if all masks may be read in one frame of reference."""
    for zone in zones:
        fixed = zones[0] if post_from_pre is not None or isinstance(tumour, Surface) else tumour
        fixed.grid.require_same_frame(zone.grid, f"{fixed.name} and {zone.name}")
    return zones


def _margin_map(tumour: Surface, ruler: Ruler, vessels: Sequence[Surface]) -> MarginMap:
    points = tumour.vertices_lps_mm
    found = ruler.read(points)
    facing = None
    if vessels:
        nearest = np.max([vessel.signed_depth_mm(points) for vessel in vessels], axis=0)
        facing = nearest > -VESSEL_FACING_MM
    return MarginMap(
        tumour, found.primary_mm, found.geometric_mm, found.foot_lps_mm, ruler.zone.normals_at(found.foot_lps_mm),
        found.capsule_facing, facing,
    )  # fmt: skip


def _lowest(margins: MarginMap) -> npt.NDArray[np.int64]:
    """Return the vertices with the lowest primary and geometric margins."""
    orders = [np.argsort(values, kind="stable") for values in (margins.primary_mm, margins.geometric_mm)]
    return np.unique(np.concatenate([order[:LOWEST_VERTICES] for order in orders]))


def _voxel_sd_mm(tumour: Surface, at: int, zone: Zone, foot: FloatArray) -> float:
    """Return what voxel sampling leaves open at the minimum: both surfaces' own SDs there, as independent."""
    return float(np.hypot(tumour.sd_mm(at)[0], zone.sd_mm_at(foot)))


def _without_vessels(margins: MarginMap, lowest: int, min_mm: float) -> float | None:
    if margins.vessel_facing is None:
        return None
    if not margins.vessel_facing[lowest]:
        return min_mm
    rest = margins.primary_mm[~margins.vessel_facing]
    rest = rest[np.isfinite(rest)]
    return float(rest.min()) if rest.size else None


def _flags(tumour: Surface, zone: Zone, liver: ClosedLiver | None) -> tuple[str, ...]:
    thick = max((*tumour.voxel_kji_mm, *zone.voxel_kji_mm)) > THICK_SLICE_MM + ROUNDING_MM
    few = tumour.voxels_across < FEW_VOXELS
    truncated = tumour.truncated or zone.truncated
    fallback = any("fallback" in surface.flags for surface in (tumour, *zone.surfaces))
    holes = any("holes" in surface.flags for surface in zone.surfaces)
    raised = {"thick_slices": thick, "few_voxels_across": few, "truncated": truncated, "surface_fallback": fallback,
              "zone_holes": holes, "liver_truncated": liver is not None and liver.goes_on}  # fmt: skip
    return tuple(name for name, holds in raised.items() if holds)


THICK_SLICE_MM = 3.0
ROUNDING_MM = 1e-3
"""Slices thicker than this are flagged; the affine of a tilted scan states 3 mm with rounding errors."""

FEW_VOXELS = 5
"""A tumour of fewer voxels than this along some axis is flagged."""

SLICE_SD_PER_MM = 0.04
"""SD that an interval allows for per mm of slice thickness where a flag says that slices are thick or voxels few: the
error at 5 mm slices is 0.2 mm (`scripts/bench_margin.py`, clean suite)."""


def slice_sd_mm(margin: Margin) -> float:
    """Return what an interval allows for beyond the fit's own doubt where sampling is coarse, mm."""
    if margin.zone is None or not {"thick_slices", "few_voxels_across"} & set(margin.flags):
        return 0.0
    return SLICE_SD_PER_MM * max((*margin.map.tumour.voxel_kji_mm, *margin.zone.voxel_kji_mm))


_WORDS = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))
_NAMED_ABOVE = 0.4


def direction_words(vector_lps: npt.ArrayLike) -> str:
    """Return an LPS direction in words, for example "anterior-left": each axis that carries over 0.4 of the length."""
    vector = np.asarray(vector_lps, dtype=np.float64)
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        return "centre"
    parts = [
        _WORDS[axis][0 if vector[axis] > 0 else 1] for axis in (1, 0, 2) if abs(vector[axis]) / length > _NAMED_ABOVE
    ]
    return "-".join(parts)


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
