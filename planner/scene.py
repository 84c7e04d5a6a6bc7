"""What every lesion of a case is measured against: surfaces in POST, and the liver that limits them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from planner.case import VESSELS, Case, Study
from planner.grid import FloatArray
from planner.measure.liver import ClosedLiver, close_liver, neighbourhood
from planner.measure.zone import Zone
from planner.register.alignment import Alignment
from planner.surface import Surface, nets_surface, surface_of
from planner.volume import Mask

CHANNEL_MM = 8.0
"""Half the width of a channel through the liver that a vessel's mask fills."""

RING_VOXELS = 3
"""The surface of a zone is fitted to the voxels this near to it."""

VESSELS_WITHIN_MM = 30.0
"""Vessels are looked at this far around tumours and zones."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What every lesion of a case is measured against: surfaces in POST, and the alignment that brought them there.

    Parameters
    ----------
    tumours
        Tumour surfaces in PRE, by lesion id.
    zones
        Zone surfaces in POST, by zone id, as segmented.
    smooth_zones
        The same, going on smoothly where the liver ends; equal to `zones` where no liver of POST is known.
    vessels
        Vessel surfaces in POST.
    liver
        The closed liver; None where neither study has one.
    liver_used
        Whose it is.
    limit
        The closed liver of POST; None where POST has no liver.
    """

    tumours: Mapping[str, Surface]
    zones: Mapping[str, Surface]
    smooth_zones: Mapping[str, Surface]
    vessels: tuple[Surface, ...]
    liver: ClosedLiver | None
    liver_used: Literal["post", "pre", "none"]
    limit: ClosedLiver | None


def zone_surfaces(post: Study) -> dict[str, Surface]:
    """Return the surface of each ablation zone, by zone id.

    Raises
    ------
    EmptyMaskError
        A zone's mask is empty.
    """
    return {zone_id: surface_of(mask) for zone_id, mask in post.ablations.items()}


def make_scene(
    case: Case,
    alignment: Alignment,
    zones: Mapping[str, Surface],
    *,
    planned: bool = False,
    kept: Collection[str] = (),
) -> Scene:
    """Return the surfaces of a case, brought together by its alignment.

    Planned zones are no anatomy: they may reach beyond the liver and close no gap in it, and their surfaces are exact.
    Of a plan's zones `kept` were made before: they are anatomy.
    """
    tumours = {lesion_id: surface_of(mask) for lesion_id, mask in case.pre.tumours.items()}
    around = _around(tumours, zones, alignment)
    liver, liver_used = _liver(case, alignment, tumours, zones, planned=planned, kept=kept)
    limit = liver if liver_used == "post" and not planned else None
    smooth = {zone_id: _unlimited(case.post.ablations[zone_id], limit, surface) for zone_id, surface in zones.items()}
    vessels = [_near(mask, around) for role, mask in case.post.masks.items() if role in VESSELS]
    if not vessels:
        moved = [_near(mask, around, alignment) for role, mask in case.pre.masks.items() if role in VESSELS]
        vessels = [surface and surface.moved(alignment.map.post_from_pre) for surface in moved]
    return Scene(tumours, zones, smooth, tuple(v for v in vessels if v is not None), liver, liver_used, limit)


def _around(
    tumours: Mapping[str, Surface], zones: Mapping[str, Surface], alignment: Alignment
) -> tuple[FloatArray, FloatArray]:
    """Return the box (low, high; POST, mm) of all tumours and zones and what lies near them."""
    moved = [alignment.map.post_from_pre(tumour.vertices_lps_mm) for tumour in tumours.values()]
    points = np.concatenate([*moved, *(zone.vertices_lps_mm for zone in zones.values())])
    return points.min(axis=0) - VESSELS_WITHIN_MM, points.max(axis=0) + VESSELS_WITHIN_MM


def _near(mask: Mask, around: tuple[FloatArray, FloatArray], alignment: Alignment | None = None) -> Surface | None:
    """Return the surface of the part of a mask that lies in a box of POST; None where there is none."""
    if mask.is_empty:
        return None
    low, high = around
    corners = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    if alignment is not None:
        corners = alignment.map.pre_from_post(corners)
    kji = mask.grid.ijk(corners)[:, ::-1]
    start = np.clip(np.floor(kji.min(axis=0)).astype(int), 0, None)
    stop = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1, mask.grid.shape_kji)
    if (stop <= start).any():
        return None
    cut = mask.voxels_kji[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]]
    if not cut.any():
        return None
    part = Mask(cut, mask.grid.cropped((int(start[0]), int(start[1]), int(start[2])), cut.shape), mask.name)
    return nets_surface(part.cropped(2))


def _liver(
    case: Case,
    alignment: Alignment,
    tumours: Mapping[str, Surface],
    zones: Mapping[str, Surface],
    *,
    planned: bool,
    kept: Collection[str],
) -> tuple[ClosedLiver | None, Literal["post", "pre", "none"]]:
    """Return the closed liver of POST, else that of PRE read through the alignment, and which it is."""
    mapping = alignment.map
    around = list(zones.values())
    if case.post.liver is not None:
        moved = [surface.moved(mapping.post_from_pre) for surface in tumours.values()]
        liver = with_vessels(case.post, case.post.liver, [*moved, *around])
        made = [zone for zone_id, zone in zones.items() if not planned or zone_id in kept]
        return close_liver(liver, [*moved, *made], [*moved, *around]), "post"
    if case.pre.liver is not None:
        in_pre = [surface.moved(mapping.pre_from_post) for surface in around]
        inner = [*tumours.values(), *in_pre]
        liver = with_vessels(case.pre, case.pre.liver, inner)
        return close_liver(liver, inner, inner, mapping.pre_from_post), "pre"
    return None, "none"


def capsules_of(case: Case, scene: Scene) -> tuple[Mask | None, Mask | None]:
    """Return the closed livers of PRE and of POST, each in its own frame, to whose outside a distance can be taken.

    PRE's is closed over its tumours, POST's over its zones and the tumours as moved there; None without a liver.
    """
    post = scene.liver.closed if scene.liver is not None and scene.liver_used == "post" else None
    if case.pre.liver is None:
        return None, post
    inner = list(scene.tumours.values())
    return close_liver(with_vessels(case.pre, case.pre.liver, inner), inner, inner).closed, post


def with_vessels(study: Study, liver: Mask, around: Sequence[Surface]) -> Mask:
    """Return the liver mask with the study's vessels that run through it: the channel of a vein opens no capsule.

    A vessel voxel counts where closing the liver by 8 mm would reach it, so that a vessel that runs along the outside
    of the liver stays outside. Only the neighbourhood of some surfaces is looked at.
    """
    vessels = [mask.voxels_kji for mask in study.vessels.values() if mask.grid.same_lattice(liver.grid)]
    if not vessels:
        return liver
    window = neighbourhood(liver, around)
    part = liver.voxels_kji[window]
    extra = np.any([voxels[window] for voxels in vessels], axis=0) & ~part
    if not extra.any() or not part.any():
        return liver
    spacing = liver.grid.spacing_kji_mm
    grown = ndimage.distance_transform_edt(~part, sampling=spacing) <= CHANNEL_MM
    closed = ndimage.distance_transform_edt(grown, sampling=spacing) > CHANNEL_MM
    voxels = np.array(liver.voxels_kji)
    voxels[window] |= extra & closed
    return Mask(voxels, liver.grid, liver.name)


def _unlimited(mask: Mask, liver: ClosedLiver | None, as_segmented: Surface) -> Surface:
    """Return the zone's surface fitted without the voxels outside the closed liver: there the capsule ended it."""
    if liver is None:
        return as_segmented
    silent = _outside(mask, liver)
    around = ndimage.binary_dilation(mask.voxels_kji) & silent.voxels_kji
    return surface_of(mask, silent) if around.any() else as_segmented


def _outside(mask: Mask, liver: ClosedLiver) -> Mask:
    """Return the voxels around a zone, on its own lattice, whose centres lie outside the closed liver of POST."""
    around = ndimage.binary_dilation(mask.voxels_kji, iterations=RING_VOXELS) & ~mask.voxels_kji
    if mask.grid.same_lattice(liver.closed.grid):
        return Mask(~liver.closed.voxels_kji & ~mask.voxels_kji, mask.grid, "outside the liver")
    kji = np.argwhere(around)
    silent = ~mask.voxels_kji & ~around  # farther voxels are not asked: they say nothing about the surface
    silent[tuple(kji.T)] = ~liver.contains(mask.grid.lps_mm(kji[:, ::-1]))
    return Mask(silent, mask.grid, "outside the liver")


def union_of(
    surfaces: Sequence[Surface], masks: Sequence[Mask], limit: ClosedLiver | None = None
) -> tuple[Zone, float]:
    """Return the union of zones and its volume, ml; with a closed liver, going on smoothly where that ends.

    Zones on one lattice are joined as masks first, so that two that only abut leave no seam between them.
    """
    if len(surfaces) == 1:
        return Zone.of(surfaces), surfaces[0].volume_ml
    if all(mask.grid.same_lattice(masks[0].grid) for mask in masks):
        both = Mask(np.any([mask.voxels_kji for mask in masks], axis=0), masks[0].grid, "ablation zones")
        joined = surface_of(both)
        return Zone.of([_unlimited(both, limit, joined)]), joined.volume_ml
    zone = Zone.of(surfaces)
    return zone, zone.volume_ml
