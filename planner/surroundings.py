"""What lies around a lesion: the distances of tumour and zone to every vessel, duct and organ that was drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from planner.assessment import Distance
from planner.case import STRUCTURES, Case
from planner.grid import FloatArray
from planner.measure.distances import Gap, gap_between, gap_interval_mm
from planner.measure.structures import nearest_part
from planner.register.alignment import Alignment
from planner.surface import Surface
from planner.volume import Mask

ALIKE_MM = 25.0
"""Two places of one study this far apart, or farther, are taken to be moved with unlike registration errors."""

UNKNOWN_VOXEL_SD = 0.25
"""SD of a distance that voxel sampling leaves, in units of the coarsest spacing."""


def structures_of(case: Case) -> tuple[str, ...]:
    """Return the roles of vessels, ducts and organs that either study has a mask of."""
    named = [
        role
        for role in {**case.pre.masks, **case.post.masks}
        if (role in STRUCTURES or role.startswith("lung")) and role != "liver"
    ]
    return tuple(role for role in sorted(named) if _mask(case.pre.masks, role) or _mask(case.post.masks, role))


def tumour_distances(
    tumour: Surface, case: Case, alignment: Alignment, error_mm: float | None, contour_sd_mm: float
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
    for role in structures_of(case):
        in_pre, in_post = _mask(case.pre.masks, role), _mask(case.post.masks, role)
        near = None if in_pre is None else _gap(tumour, in_pre, alignment)
        if near is not None and in_pre is not None and (near.mm < ALIKE_MM or in_post is None or error_mm is None):
            apart_mm = (error_mm or 0.0) * min(1.0, max(0.0, near.mm) / ALIKE_MM)
            own_mm = math.hypot(apart_mm, _extrapolated_mm(near, alignment))
            found.append(_distance(role, "tumour", near, tumour, in_pre, own_mm, contour_sd_mm))
        elif in_post is not None and error_mm is not None:
            gap = _gap(tumour, in_post, None)
            found.append(_distance(role, "tumour", gap, tumour, in_post, error_mm, contour_sd_mm))
    return tuple(sorted(found, key=_by_distance))


def zone_distances(
    zones: Sequence[Surface], case: Case, alignment: Alignment, error_mm: float | None, contour_sd_mm: float
) -> tuple[Distance, ...]:
    """Return the distances of the zones that treat a lesion to every structure, in POST, nearest first.

    POST's own mask of a structure is used where it has one, else PRE's through the registration, with its error.
    """
    found = []
    for role in structures_of(case):
        own = _mask(case.post.masks, role)
        mask = own or _mask(case.pre.masks, role)
        if mask is None or (own is None and error_mm is None):
            continue
        gaps = [(_gap(zone, mask, None if own else alignment), zone) for zone in zones]
        gap, zone = min(gaps, key=lambda pair: pair[0].mm)
        moved_mm = 0.0 if own or error_mm is None else math.hypot(error_mm, _extrapolated_mm(gap, alignment))
        found.append(_distance(role, "ablation", gap, zone, mask, moved_mm, contour_sd_mm))
    return tuple(sorted(found, key=_by_distance))


def _gap(surface: Surface, mask: Mask, alignment: Alignment | None) -> Gap:
    """Return the gap, in POST, to a structure of POST, or to one of PRE where the alignment is given."""
    moved = np.asarray if alignment is None else alignment.map.post_from_pre
    return gap_between(surface, nearest_part(mask, surface.vertices_lps_mm, moved))


def _extrapolated_mm(gap: Gap, alignment: Alignment) -> float:
    """Return a registration error to reckon with far from the lesion: there, nothing may have been compared.

    It is how far the map in use and the rigid one lie apart at the structure; nothing where both ends are close.
    """
    if gap.mm < ALIKE_MM:
        return 0.0
    at = gap.at_second_lps_mm[None]
    return float(np.linalg.norm(alignment.map.pre_from_post(at) - alignment.rigid.pre_from_post(at)))


def _mask(masks: Mapping[str, Mask], role: str) -> Mask | None:
    mask = masks.get(role)
    return None if mask is None or mask.is_empty else mask


def _distance(
    role: str,
    of: Literal["tumour", "ablation"],
    gap: Gap,
    surface: Surface,
    mask: Mask,
    error_mm: float,
    contour_sd_mm: float,
) -> Distance:
    voxel_sd = UNKNOWN_VOXEL_SD * max((*surface.voxel_kji_mm, *mask.grid.spacing_kji_mm))
    interval = gap_interval_mm(gap, voxel_sd, contour_sd_mm, error_mm)
    return Distance(role, of, gap.mm, (_point(gap.at_first_lps_mm), _point(gap.at_second_lps_mm)), interval)


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _by_distance(distance: Distance) -> float:
    return float("inf") if distance.mm is None else distance.mm
