"""What lies around a lesion: the distances of tumour and zone to every vessel, duct and organ that was drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from planner.assessment import Distance
from planner.case import STRUCTURES, VESSELS, Case, Study
from planner.grid import FloatArray
from planner.measure.calibre import calibre_at
from planner.measure.centreline import centreline_of
from planner.measure.contact import Contact, contact_along, touch_mm
from planner.measure.distances import Body, Gap, Shaft, gap_between, gap_interval_mm, registration_sd_mm
from planner.measure.enclosing import Enclosing, body_of
from planner.measure.structures import Outline, beyond, nearest_part
from planner.register.alignment import Alignment
from planner.scene import Scene, capsules_of
from planner.surface import Surface
from planner.volume import Mask

ALIKE_MM = 25.0
"""Two places of one study this far apart, or farther, are taken to be moved with unlike registration errors."""

UNKNOWN_VOXEL_SD = 0.25
"""SD of a distance that voxel sampling leaves, in units of the coarsest spacing."""

CAPSULE = "liver_capsule"
"""Name of what lies outside the closed liver, as a structure: + within the liver, - beyond its capsule."""

AROUND_ZONE_MM = 30.0
"""So much of a vessel around the zones is thinned to its centreline."""

UNUSABLE = "drawn in {} only, and the registration cannot be used at this lesion"
"""Why a structure of the other study has no distance."""

IN_PARTS = ("lung", "heart")
"""Structures that may be drawn in parts, each a role that begins so."""

Structure = Outline | Enclosing
Start = Literal["tumour", "ablation", "shaft"]


@dataclass(frozen=True, eq=False)
class Around:
    """The structures of both studies, each in its own frame, by role. Build it with `Around.of`."""

    pre: Mapping[str, Structure]
    post: Mapping[str, Structure]

    @classmethod
    def of(cls, case: Case, scene: Scene | None = None) -> Around:
        """Return what was drawn in a case; with its scene the liver's capsule, too."""
        capsules = (None, None) if scene is None else capsules_of(case, scene)
        pre, post = (_with_capsule(_drawn(s), c) for s, c in zip((case.pre, case.post), capsules, strict=True))
        return cls(pre, post)

    def with_ribs(self, study: Study) -> Around:
        """Return the same with the ribs of a study, taken as POST: a needle meets them, a lesion does not."""
        ribs = {
            role: Outline(mask) for role, mask in study.masks.items() if role.startswith("rib") and not mask.is_empty
        }
        return Around(self.pre, {**self.post, **ribs})

    @property
    def roles(self) -> tuple[str, ...]:
        """The structures that either study has."""
        return tuple(sorted({**self.pre, **self.post}))


def _drawn(study: Study) -> dict[str, Structure]:
    found: dict[str, Structure] = {}
    for role, mask in study.masks.items():
        if (role in STRUCTURES or role.startswith(IN_PARTS)) and role != "liver" and not mask.is_empty:
            found[role] = _structure(role, mask)
    return found


def _structure(role: str, mask: Mask) -> Structure:
    if role == "skin":
        return body_of(mask)
    return Enclosing(mask, mask) if role == "diaphragm" else Outline(mask)


def _with_capsule(drawn: dict[str, Structure], closed: Mask | None) -> dict[str, Structure]:
    return drawn if closed is None else drawn | {CAPSULE: beyond(closed)}


def structures_of(case: Case) -> tuple[str, ...]:
    """Return the roles of vessels, ducts and organs that either study has a mask of."""
    return Around.of(case).roles


def tumour_distances(
    tumour: Surface, around: Around, alignment: Alignment, error_mm: float | None, contour_sd_mm: float
) -> tuple[Distance, ...]:
    """Return the distances of a tumour to every structure, in POST, nearest first.

    Parameters
    ----------
    tumour
        The tumour's surface as moved into POST. A structure of PRE is moved by the same map, whose errors at the two
        are alike where they are close; farther away POST's own mask of the structure is the better one.
    error_mm
        Predicted registration error at the lesion; None where the registration cannot be used: structures of POST are
        left out then.
    contour_sd_mm
        Assumed SD of a contour.
    """
    found = []
    for role in around.roles:
        in_pre, in_post = around.pre.get(role), around.post.get(role)
        near = None if in_pre is None else _reached(role, "tumour", [tumour], in_pre, alignment)
        within = near is not None and near.gap is not None and near.gap.mm < ALIKE_MM
        if near is not None and (within or in_post is None or error_mm is None):
            gap_mm = ALIKE_MM if near.gap is None else max(0.0, near.gap.mm)
            apart_mm = (error_mm or 0.0) * min(1.0, gap_mm / ALIKE_MM)
            found.append(near.told(math.hypot(apart_mm, near.extrapolated_mm), contour_sd_mm))
        elif in_post is not None and error_mm is not None:
            found.append(_reached(role, "tumour", [tumour], in_post, None).told(error_mm, contour_sd_mm))
        elif in_post is not None:
            found.append(Distance(role, "tumour", None, None, reason=UNUSABLE.format("POST")))
    return tuple(sorted(found, key=_by_distance))


def zone_distances(
    zones: Sequence[Surface], around: Around, alignment: Alignment, error_mm: float | None, contour_sd_mm: float
) -> tuple[Distance, ...]:
    """Return the distances of the zones that treat a lesion to every structure, in POST, nearest first.

    POST's own mask of a structure is used where it has one, else PRE's through the registration, with its error.
    Of vessels, the length in contact with the zones is told, too.
    """
    found = []
    for role in around.roles:
        own = around.post.get(role)
        structure = own or around.pre.get(role)
        if structure is None:
            continue
        if own is None and error_mm is None:
            found.append(Distance(role, "ablation", None, None, reason=UNUSABLE.format("PRE")))
            continue
        reached = _reached(role, "ablation", zones, structure, None if own else alignment)
        moved_mm = 0.0 if own or error_mm is None else math.hypot(error_mm, reached.extrapolated_mm)
        found.append(_with_contact(reached.told(moved_mm, contour_sd_mm), zones, structure, reached.alignment))
    return tuple(sorted(found, key=_by_distance))


def shaft_distances(shaft: Shaft, around: Around, contour_sd_mm: float) -> tuple[Distance, ...]:
    """Return the distances of a needle's shaft to every structure of POST, nearest first.

    The skin and the liver's capsule are left out: a needle goes through both.
    """
    roles = [role for role in around.post if role not in {"skin", CAPSULE}]
    found = (_reached(role, "shaft", [shaft], around.post[role], None).told(0.0, contour_sd_mm) for role in roles)
    return tuple(sorted(found, key=_by_distance))


def distances_to_zones(tumour: Surface, zones: Mapping[str, Surface]) -> tuple[Distance, ...]:
    """Return the distances of a tumour to each ablation zone, by zone id, without an interval."""
    found = []
    for zone_id, zone in zones.items():
        depths = zone.depths(tumour.vertices_lps_mm)
        nearest = int(np.argmax(depths.signed_mm))
        pair = (_point(tumour.vertices_lps_mm[nearest]), _point(depths.foot_lps_mm[nearest]))
        found.append(Distance(f"ablation_{zone_id}", "tumour", -float(depths.signed_mm[nearest]), pair))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Reached:
    """How near a body comes to a structure; no gap where nothing of the structure's border was drawn."""

    role: str
    of: Start
    body: Body
    outline: Outline
    gap: Gap | None
    alignment: Alignment | None

    @property
    def extrapolated_mm(self) -> float:
        """A registration error to reckon with far from the lesion: there, nothing may have been compared.

        It is how far the map in use and the rigid one lie apart at the structure; nothing where both ends are close.
        """
        if self.gap is None or self.alignment is None or self.gap.mm < ALIKE_MM:
            return 0.0
        at = self.gap.at_second_lps_mm[None]
        return float(np.linalg.norm(self.alignment.map.pre_from_post(at) - self.alignment.rigid.pre_from_post(at)))

    def told(self, error_mm: float, contour_sd_mm: float) -> Distance:
        """Return the distance with its doubt, and a vessel's calibre there."""
        if self.gap is None:
            text = "the mask fills its lattice: where the structure ends is not known"
            return Distance(self.role, self.of, None, None, reason=text)
        voxel_sd = UNKNOWN_VOXEL_SD * max((*self.body.voxel_kji_mm, *self.outline.mask.grid.spacing_kji_mm))
        ends = _point(self.gap.at_first_lps_mm), _point(self.gap.at_second_lps_mm)
        interval = gap_interval_mm(self.gap, voxel_sd, contour_sd_mm, error_mm)
        axis_sd = registration_sd_mm(error_mm)
        found = Distance(self.role, self.of, self.gap.mm, ends, interval, voxel_sd, axis_sd)
        if self.role not in VESSELS:
            return found
        wall = self.gap.at_second_lps_mm
        own = wall if self.alignment is None else self.alignment.map.pre_from_post(wall[None])[0]
        calibre = calibre_at(self.outline.mask, own)
        return replace(found, calibre_mm=calibre.mm, calibre_reason=calibre.reason)


def _reached(
    role: str,
    of: Start,
    bodies: Sequence[Body],
    structure: Structure,
    alignment: Alignment | None,
) -> _Reached:
    """Return how near the nearest of some bodies comes, in POST, to a structure of POST, or of PRE by the alignment."""
    found = []
    for body in bodies:
        points = body.vertices_lps_mm
        own = points if alignment is None else alignment.map.pre_from_post(points)
        outline = structure.facing(own) if isinstance(structure, Enclosing) else structure
        found.append(_Reached(role, of, body, outline, _gap(body, outline, alignment), alignment))
    return min(found, key=lambda one: math.inf if one.gap is None else one.gap.mm)


def _gap(body: Body, outline: Outline, alignment: Alignment | None) -> Gap | None:
    if outline.is_empty:
        return None
    moved = np.asarray if alignment is None else alignment.map.post_from_pre
    return gap_between(body, nearest_part(outline, body.vertices_lps_mm, moved, body.signed_depth_mm))


def _with_contact(
    distance: Distance, zones: Sequence[Surface], structure: Structure, alignment: Alignment | None
) -> Distance:
    if distance.structure not in VESSELS or distance.mm is None or isinstance(structure, Enclosing):
        return distance
    within = touch_mm(structure.mask.grid.spacing_kji_mm, *(zone.voxel_kji_mm for zone in zones))
    contact = Contact(0.0) if distance.mm > within else _contact(zones, structure.mask, alignment, within)
    return replace(distance, contact_mm=contact.mm, contact_reason=contact.reason)


def _contact(zones: Sequence[Surface], mask: Mask, alignment: Alignment | None, within_mm: float) -> Contact:
    points = np.concatenate([zone.vertices_lps_mm for zone in zones])
    near = _near(mask, points if alignment is None else alignment.map.pre_from_post(points))
    line = None if near is None else centreline_of(near)
    if line is None:
        return Contact(None, "the vessel's mask is too small to have a centreline")
    moved = line if alignment is None else line.moved(alignment.map.post_from_pre)
    return contact_along(moved, zones, within_mm, max(mask.grid.spacing_kji_mm))


def _near(mask: Mask, points: FloatArray) -> Mask | None:
    """Return the part of a mask in the box around some points, in its frame; None where there is none."""
    kji = mask.grid.ijk(points)[:, ::-1]
    reach = AROUND_ZONE_MM / np.asarray(mask.grid.spacing_kji_mm)
    low = np.clip(np.floor(kji.min(axis=0) - reach).astype(int), 0, None)
    high = np.minimum(np.ceil(kji.max(axis=0) + reach).astype(int) + 1, mask.grid.shape_kji)
    if (high <= low).any():
        return None
    cut = mask.voxels_kji[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    part = Mask(cut, mask.grid.cropped((int(low[0]), int(low[1]), int(low[2])), cut.shape), mask.name)
    return None if part.is_empty else part


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _by_distance(distance: Distance) -> float:
    return float("inf") if distance.mm is None else distance.mm
