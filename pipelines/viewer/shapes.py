"""The surfaces that the viewer cuts and shows: tumour, zones, vessels, bile ducts and liver, in POST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from pipelines.figures import style
from pipelines.figures.scene import LesionScene, ducts
from planner.case import Case, Study
from planner.errors import InputError
from planner.grid import FloatArray, Grid
from planner.register.alignment import Alignment
from planner.surface import Surface, nets_surface
from planner.volume import Mask

BEYOND_VOXELS = 3
"""A mask is cut this far outside the region, so that no cut face is seen."""

STROKES = {
    "tumour": style.TUMOUR,
    "zone": style.ZONE,
    "vessels": style.VESSEL,
    "ducts": style.DUCT,
    "liver": style.LIVER,
}
"""How each kind of surface is drawn, in the order of a legend."""

MOVED, IN_POST = "of PRE, moved", "as drawn in POST"


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A surface in POST with its kind (a key of `STROKES`), its name, and the band of each vertex where it has one."""

    kind: str
    name: str
    surface: Surface
    bands: npt.NDArray[np.intp] | None = None


_MASKS: dict[str, Callable[[Study], Mapping[str, Mask]]] = {
    "vessels": lambda study: study.vessels,
    "ducts": ducts,
    "liver": lambda study: {role: mask for role, mask in study.masks.items() if role == "liver"},
}


def shapes_of(scene: LesionScene, region: Grid) -> Iterator[Shape]:
    """Yield the surfaces around a lesion."""
    lesion, case = scene.lesion, scene.case
    # Where no margin is stated none is coloured, though one was measured on the way.
    bands = None if lesion.margin is None or scene.min_mm is None else style.band_of(lesion.margin.map.primary_mm)
    yield Shape("tumour", f"tumour of lesion {lesion.lesion_id}", scene.tumour, bands)
    for zone in scene.zones:
        yield Shape("zone", "ablation zone", zone)
    for kind, masks_of in _MASKS.items():
        if source_of(kind, case) == IN_POST:
            yield from _parts(kind, masks_of(case.post), region, "")
        else:
            yield from _parts(kind, masks_of(case.pre), region, f", {MOVED}", scene.alignment)


def structures_of(study: Study, region: Grid) -> Iterator[Shape]:
    """Yield the surfaces of a study's vessels, bile ducts and liver in and just around a region of it."""
    for kind, masks_of in _MASKS.items():
        yield from _parts(kind, masks_of(study), region, "")


def source_of(kind: str, case: Case) -> str:
    """Return which study's masks the surfaces of a kind come from: `IN_POST`, or `MOVED` where POST holds none."""
    if kind not in _MASKS:
        return MOVED if kind == "tumour" else IN_POST
    return IN_POST if any(not mask.is_empty for mask in _MASKS[kind](case.post).values()) else MOVED


def name_of(kind: str, case: Case) -> str:
    """Return a kind's name in the legend, which says whose outline it is: both studies are seen under it."""
    source = source_of(kind, case)
    return f"{short_name(STROKES[kind])}{' ' if source == MOVED else ', '}{source}"


def short_name(stroke: style.Stroke) -> str:
    """Return what is drawn so is called where nothing is said about its source."""
    return stroke.words.removesuffix(f" {MOVED}")


def sources_words(kinds: Sequence[str], case: Case) -> str:
    """Return whose outlines a picture of PRE shows, in words."""
    moved = [short_name(STROKES[kind]) for kind in kinds if source_of(kind, case) == MOVED]
    others = len(moved) < len(kinds)
    return f"outlines: {', '.join(moved)} of PRE{', the others as drawn in POST' if others else ''}"


def _parts(
    kind: str, masks: Mapping[str, Mask], region: Grid, note: str, alignment: Alignment | None = None
) -> Iterator[Shape]:
    for role, mask in masks.items():
        part = _within(mask, region, alignment)
        if part is None:
            continue
        surface = nets_surface(part.cropped(2))
        if alignment is not None:
            try:
                surface = surface.moved(alignment.map.post_from_pre)
            except InputError:
                # A deformation that folds there: what has no place in POST cannot be drawn in it.
                continue
        yield Shape(kind, role.replace("_", " ") + note, surface)


def _within(mask: Mask, region: Grid, alignment: Alignment | None) -> Mask | None:
    """Return the part of a mask in and just around a region of POST; None where there is none."""
    corners = _spread(region)
    if alignment is not None:
        corners = alignment.map.pre_from_post(corners)
    kji = mask.grid.ijk(corners)[:, ::-1]
    start = np.clip(np.floor(kji.min(axis=0)).astype(int) - BEYOND_VOXELS, 0, None)
    stop = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1 + BEYOND_VOXELS, mask.grid.shape_kji)
    if (stop <= start).any():
        return None
    cut = mask.voxels_kji[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]]
    if not cut.any():
        return None
    first = (int(start[0]), int(start[1]), int(start[2]))
    return Mask(cut, mask.grid.cropped(first, cut.shape), mask.name)


def _spread(region: Grid) -> FloatArray:
    """Return points all over a region's faces: a map that bends takes its corners alone to too small a box."""
    k, j, i = region.shape_kji
    ends = [np.linspace(0, n - 1, 5) for n in (i, j, k)]
    return region.lps_mm(list(product(*ends)))
