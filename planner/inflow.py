"""Which hepatic veins and inflows an ablation leaves: whether their lumen leaves the zones on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from planner.assessment import Passage, PassageKind
from planner.case import Case
from planner.findings import INFLOW_PRESERVED, VEINS_PRESERVED, Finding, Quantity
from planner.grid import FloatArray
from planner.measure.calibre import calibre_at, too_coarse
from planner.measure.centreline import Centreline, centreline_of
from planner.measure.contact import depth_in_any_mm, touch_mm
from planner.measure.structures import Outline
from planner.register.alignment import Alignment
from planner.scene import Scene
from planner.surface import PointMap, Surface
from planner.volume import Mask

VEINS = ("hepatic_vein_left", "hepatic_vein_middle", "hepatic_vein_right")
JOINT_VEIN = "hepatic_vein"
INFLOWS = ("portal_vein", "hepatic_artery")

VEIN_CALIBRE_MM = 3.0
"""A hepatic vein has to leave the zones with at least this calibre; an inflow with any (an artery is thinner)."""

LEAVES_MM = 3.0
"""What follows a zone has to go on for this long, else it is the zone's ragged edge; the calibre is read there."""

LONG_SHARE = 0.5
"""A way through a vessel counts if it is at least this share of the vessel's longest one: a twig is no vessel."""

LEAST_PART_MM = 15.0
"""Parts of a mask of all hepatic veins that are shorter say nothing."""

GAP_SAMPLES = 7
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Lumen:
    """A vessel's centreline in POST, and which of its points the zones hold.

    `dead` are ends that run into a zone and are not seen to come out of it. `calibre_mm` reads a calibre at a point.
    """

    line: Centreline
    held: BoolArray
    dead: BoolArray
    least_mm: float
    mask: Mask
    own_from_post: PointMap

    def calibre_mm(self, point: int) -> float:
        """Return the calibre at a point: about the medial axis of the mask where it is round, else by its volume."""
        at = self.own_from_post(self.line.points_lps_mm[point][None])[0]
        found = calibre_at(self.mask, at).mm
        return 2.0 * float(self.line.radius_mm[point]) if found is None else found


def passages_of(case: Case, scene: Scene, alignment: Alignment) -> tuple[Passage, ...]:
    """Return how each hepatic vein and inflow that was drawn passes the ablation zones, in POST.

    POST's own mask counts where there is one, else PRE's through the registration.
    """
    zones = list(scene.zones.values())
    failed = any(alignment.verdict(zone_id) == "fail" for zone_id in scene.zones)
    found = []
    for role in (*VEINS, JOINT_VEIN, *INFLOWS):
        own, other = _drawn(case.post.masks, role), _drawn(case.pre.masks, role)
        if own is not None:
            found.append(passage(role, own, zones))
        elif other is not None and failed:
            why = "PRE's mask cannot be brought into POST: the registration did not pass"
            found.append(Passage(role, None, "unknown", reason=why))
        elif other is not None:
            found.append(passage(role, other, zones, alignment))
    return tuple(found)


def _drawn(masks: Mapping[str, Mask], role: str) -> Mask | None:
    mask = masks.get(role)
    return None if mask is None or mask.is_empty else mask


def passage(role: str, mask: Mask, zones: Sequence[Surface], alignment: Alignment | None = None) -> Passage:
    """Return how a vessel passes the ablation zones.

    Parameters
    ----------
    role, mask
        The vessel, in its own frame.
    zones
        All ablation zones, in POST.
    alignment
        Brings the vessel into POST; None where it is of POST.
    """
    moved: PointMap = np.asarray if alignment is None else alignment.map.post_from_pre
    own: PointMap = np.asarray if alignment is None else alignment.map.pre_from_post
    outline = Outline(mask)
    if outline.is_empty:
        return Passage(role, None, "unknown", reason="the mask fills its lattice: where the vessel ends is not known")
    touch = touch_mm(mask.grid.spacing_kji_mm, *(zone.voxel_kji_mm for zone in zones))
    points = np.concatenate([zone.vertices_lps_mm for zone in zones])
    apart_mm = outline.nearest_voxel(points, moved, lambda p: depth_in_any_mm(p, zones))[1]
    if apart_mm > touch + max(mask.grid.spacing_kji_mm):
        return Passage(role, True, "apart")
    if why := too_coarse(mask):
        return Passage(role, None, "unknown", reason=f"it meets the zones, and {why}")
    line = centreline_of(mask)
    if line is None:
        return Passage(role, None, "unknown", reason="the mask is too small to have a centreline")
    least = VEIN_CALIBRE_MM if role in (*VEINS, JOINT_VEIN) else 0.0
    lumen = _lumen(line.moved(moved), zones, touch, least, mask, own)
    held_mm = lumen.line.length_where_mm(np.where(lumen.held, 1.0, -1.0))
    if not lumen.held.any() and not lumen.dead.any():
        return Passage(role, True, "touches")
    return _judged(role, lumen, held_mm)


def _lumen(
    line: Centreline, zones: Sequence[Surface], touch: float, least_mm: float, mask: Mask, own: PointMap
) -> _Lumen:
    """Return a vessel's lumen beside the zones; what ends in one on both sides of it is taken to go on through it."""
    held = depth_in_any_mm(line.points_lps_mm, zones) > 0.0
    ends = line.ends
    ahead = line.points_lps_mm[ends] + (line.radius_mm[ends] + touch)[:, None] * line.directions()[ends]
    dead = np.zeros(len(held), dtype=bool)
    dead[ends] = held[ends] | (depth_in_any_mm(ahead, zones) > 0.0)
    for a, b in _across(line, np.flatnonzero(dead), zones):
        middle = 0.5 * (line.points_lps_mm[a] + line.points_lps_mm[b])
        radius = min(line.radius_mm[a], line.radius_mm[b])
        new = len(line.points_lps_mm)
        edges = np.concatenate([line.edges, [(a, new), (new, b)]])
        line = Centreline(np.vstack([line.points_lps_mm, middle]), edges, np.append(line.radius_mm, radius))
        held, dead = np.append(held, True), np.append(dead, False)
        dead[[a, b]] = False
    return _Lumen(line, held, dead, least_mm, mask, own)


def _across(line: Centreline, dead: IntArray, zones: Sequence[Surface]) -> Iterator[tuple[int, int]]:
    """Yield pairs of ends of unlike parts, nearest first, between which there is nothing but zone."""
    pairs = [(int(a), int(b)) for n, a in enumerate(dead) for b in dead[n + 1 :] if line.parts[a] != line.parts[b]]
    gaps = [float(np.linalg.norm(line.points_lps_mm[a] - line.points_lps_mm[b])) for a, b in pairs]
    used: set[int] = set()
    share = (np.arange(GAP_SAMPLES) + 1.0) / (GAP_SAMPLES + 1.0)
    for n in np.argsort(gaps):
        a, b = pairs[n]
        between = line.points_lps_mm[a] + share[:, None] * (line.points_lps_mm[b] - line.points_lps_mm[a])
        if not used & {a, b} and np.mean(depth_in_any_mm(between, zones) > 0.0) > 0.5:
            used |= {a, b}
            yield a, b


def _judged(role: str, lumen: _Lumen, held_mm: float) -> Passage:
    """Return the passage of a vessel that meets the zones: of what is wide enough, else of what there is."""
    every = role == JOINT_VEIN
    kind, calibres = _best(lumen, every=every)
    preserved = kind in ("passes", "touches")
    if not preserved and lumen.least_mm > 0.0:
        whatever, narrow = _best(replace(lumen, least_mm=0.0), every=every)
        kind, calibres = ("narrow", narrow) if whatever in ("passes", "touches") else (whatever, calibres)
    return Passage(role, preserved, kind, held_mm=held_mm, calibres_mm=calibres)


def _best(lumen: _Lumen, *, every: bool) -> tuple[PassageKind, tuple[float, ...]]:
    """Return how the best of a vessel's ways passes the zones, and its calibres where it leaves them."""
    usable = _usable(lumen)
    ways = [way for part in _parts(usable.line, every=every) for way in _ways(usable.line, part)]
    kinds = [_way_kind(usable, way) for way in ways]
    return min(kinds, key=lambda found: RANK[found[0]], default=("within", ()))


RANK: Mapping[PassageKind, int] = {
    "apart": 0, "touches": 1, "passes": 2, "narrow": 3, "one_side": 4, "within": 5, "unknown": 6,
}  # fmt: skip


def _usable(lumen: _Lumen) -> _Lumen:
    """Return what of a lumen is wide enough, or held by the zones."""
    keep = lumen.held | (2.0 * lumen.line.radius_mm >= lumen.least_mm)
    number = np.cumsum(keep) - 1
    edges = number[lumen.line.edges[keep[lumen.line.edges].all(axis=1)]]
    line = Centreline(lumen.line.points_lps_mm[keep], edges, lumen.line.radius_mm[keep])
    return replace(lumen, line=line, held=lumen.held[keep], dead=lumen.dead[keep])


def _parts(line: Centreline, *, every: bool) -> Iterable[IntArray]:
    """Return the points of the longest part; with `every` those of all that are not too short."""
    lengths = np.bincount(line.parts[line.edges[:, 0]], line.edge_mm, minlength=int(line.parts.max(initial=-1)) + 1)
    if not len(lengths):
        return []
    chosen = np.flatnonzero(lengths >= LEAST_PART_MM) if every else [int(np.argmax(lengths))]
    return [np.flatnonzero(line.parts == part) for part in chosen if lengths[part] > 0.0]


def _ways(line: Centreline, part: IntArray) -> Iterator[IntArray]:
    """Yield the ways from a part's thickest end to its others that are long enough."""
    ends = part[line.degree[part] == 1]
    root = int(ends[np.argmax(line.radius_mm[ends])])
    away, back = line.distances_from(root)
    for end in ends[(ends != root) & (away[ends] >= LONG_SHARE * away[ends].max())]:
        way = [int(end)]
        while way[-1] != root:
            way.append(int(back[way[-1]]))
        yield np.asarray(way[::-1])


def _way_kind(lumen: _Lumen, way: IntArray) -> tuple[PassageKind, tuple[float, ...]]:
    """Return how one way along a vessel passes the zones, with the calibres where it leaves them."""
    held = lumen.held[way]
    if held.all():
        return "within", ()
    if held[0] or held[-1] or lumen.dead[way[0]] or lumen.dead[way[-1]]:
        return "one_side", ()
    if not held.any():
        return "touches", ()
    calibres = []
    for run in _runs(~held):
        at_mm = _along_mm(lumen.line.points_lps_mm[way[run]])
        if at_mm[-1] < LEAVES_MM:
            return "one_side", ()
        sides = [side for side, inner in ((0, run[0] > 0), (-1, run[-1] < len(way) - 1)) if inner]
        for side in sides:
            edge_mm = at_mm[side]
            place = int(np.argmin(np.abs(np.abs(at_mm - edge_mm) - LEAVES_MM)))
            calibres.append(lumen.calibre_mm(int(way[run[place]])))
    kind: Literal["passes", "narrow"] = "passes" if min(calibres) >= lumen.least_mm else "narrow"
    return kind, tuple(calibres)


def _runs(wanted: BoolArray) -> Iterator[IntArray]:
    """Yield the indices of each stretch for which something holds."""
    index = np.flatnonzero(wanted)
    yield from np.split(index, np.flatnonzero(np.diff(index) > 1) + 1)


def _along_mm(points: FloatArray) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def preserved_findings(passages: Sequence[Passage]) -> tuple[Finding, Finding]:
    """Return how many hepatic veins and how many inflows are preserved, or why this is not known."""
    known = {one.vessel: one for one in passages}
    if JOINT_VEIN in known and not any(vein in known for vein in VEINS):
        veins = _of_joint(known[JOINT_VEIN])
    else:
        veins = _counted(VEINS_PRESERVED, VEINS, known)
    return veins, _counted(INFLOW_PRESERVED, INFLOWS, known)


def _of_joint(one: Passage) -> Finding:
    text = "one mask holds all hepatic veins: how many there are is not known"
    if one.preserved:
        return Finding(VEINS_PRESERVED, 1.0, reason=text, bound="at_least")
    return Finding(VEINS_PRESERVED, None, reason=one.reason if one.preserved is None and one.reason else text)


def _counted(quantity: Quantity, wanted: Sequence[str], known: Mapping[str, Passage]) -> Finding:
    answers = [known[name].preserved for name in wanted if name in known]
    found = [answer for answer in answers if answer is not None]
    absent = [
        f"{name.replace('_', ' ')}: {known[name].reason if name in known else 'no mask'}"
        for name in wanted
        if name not in known or known[name].preserved is None
    ]
    if not found:
        return Finding(quantity, None, reason="; ".join(absent))
    bound: Literal["at_least", "exact"] = "at_least" if absent else "exact"
    return Finding(quantity, float(sum(found)), reason="; ".join(absent) or None, bound=bound)
