"""Case and alignment in, assessment out: the whole argument on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from planner.case import VESSELS, Case, Study
from planner.errors import InputError
from planner.findings import LIVER_ML, Finding
from planner.grid import FloatArray
from planner.measure.coverage import Coverage, measure_coverage
from planner.measure.interval import Doubt, margin_interval
from planner.measure.liver import ClosedLiver, close_liver
from planner.measure.margin import THRESHOLDS_MM, Margin, measure_margin
from planner.measure.volumes import max_axial_diameter_mm, max_diameter_mm
from planner.measure.zone import Zone
from planner.register.alignment import Alignment, Check
from planner.surface import Surface, nets_surface, surface_of
from planner.volume import Mask, Volume

Observe = Callable[[str, float], None]

VESSELS_WITHIN_MM = 30.0
"""Vessels are looked at this far around a tumour."""

LesionStatus = Literal["assessed", "not_assessable", "not_treated"]
CaseStatus = Literal["assessed", "not_assessable"]


@dataclass(frozen=True, slots=True)
class AssessSettings:
    """What an assessment assumes.

    Parameters
    ----------
    tumour_contour_sd_mm, zone_contour_sd_mm, contour_correlation_mm
        Reader-to-reader error of the contours that the interval allows for, and how far it stays similar.
    seed
        Of the interval's draws.
    """

    tumour_contour_sd_mm: float = 0.5
    zone_contour_sd_mm: float = 0.5
    contour_correlation_mm: float = 5.0
    seed: int = 20130101


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is unknown: the result's field it concerns (None for the whole), a code, and a sentence."""

    field: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Distance:
    """Distance from the tumour or its zone to a structure, mm: + apart, - overlapping, with the nearest point pair.

    `points_lps_mm` holds the point on the tumour or zone and the point on the structure, in POST.
    """

    structure: str
    from_: Literal["tumour", "ablation"]
    mm: float | None
    points_lps_mm: tuple[tuple[float, float, float], tuple[float, float, float]] | None
    ci95_mm: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LesionAssessment:
    """What was found out about one lesion. Unknown values are None, each with a reason."""

    lesion_id: str
    status: LesionStatus
    reasons: tuple[Reason, ...]
    zones: tuple[str, ...]
    max_axial_diameter_mm: float | None
    max_diameter_mm: float | None
    tumour_ml: float | None
    ablation_ml: float | None
    registration_error_mm: float | None
    margin: Margin | None
    rigid_min_mm: float | None
    coverage: Coverage | None
    distances: tuple[Distance, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """The result of a case: lesions, findings, how PRE and POST were aligned, and what could not be known."""

    case_id: str
    patient_key: str
    status: CaseStatus
    reasons: tuple[Reason, ...]
    alignment: Alignment
    lesions: tuple[LesionAssessment, ...]
    findings: tuple[Finding, ...]
    liver_used: Literal["post", "pre", "none"]
    notes: tuple[str, ...] = ()


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
    """

    tumours: Mapping[str, Surface]
    zones: Mapping[str, Surface]
    smooth_zones: Mapping[str, Surface]
    vessels: tuple[Surface, ...]
    liver: ClosedLiver | None
    liver_used: Literal["post", "pre", "none"]


def zone_surfaces(post: Study) -> dict[str, Surface]:
    """Return the surface of each ablation zone, by zone id.

    Raises
    ------
    EmptyMaskError
        A zone's mask is empty.
    """
    return {zone_id: surface_of(mask) for zone_id, mask in post.ablations.items()}


def require_lesions(case: Case) -> None:
    """Raise unless there is something to measure: a tumour in PRE and an ablation zone in POST, none of them empty.

    Raises
    ------
    InputError
        There is no such mask.
    EmptyMaskError
        One of them is empty.
    """
    if not case.pre.tumours:
        raise InputError("PRE: no tumour mask found, expected tumour_1 (or tumour)", code="no-tumour")
    if not case.post.ablations:
        raise InputError("POST: no ablation zone mask found, expected ablation_1 (or ablation)", code="no-ablation")
    for mask in (*case.pre.tumours.values(), *case.post.ablations.values()):
        mask.require_some()


def assess(
    case: Case,
    alignment: Alignment,
    zones: Mapping[str, Surface],
    settings: AssessSettings,
    observe: Observe = lambda *_: None,
) -> Assessment:
    """Measure every lesion of a case.

    Parameters
    ----------
    case, alignment
        What is known, and how PRE and POST go together.
    zones
        Surfaces of the ablation zones (`zone_surfaces`).
    settings
        What is assumed.
    observe
        Told which lesion is measured.

    Raises
    ------
    InputError
        Tumours and zones share no space, so that the alignment or the masks cannot be meant.
    """
    scene = _scene(case, alignment, zones)
    lesions = []
    for number, (lesion_id, tumour) in enumerate(scene.tumours.items()):
        observe(f"lesion {lesion_id}", number / len(scene.tumours))
        lesions.append(_lesion(lesion_id, tumour, case, scene, alignment, settings))
    status: CaseStatus = "assessed" if any(x.status != "not_assessable" for x in lesions) else "not_assessable"
    reasons = () if status == "assessed" else (Reason(None, "no-lesion", "no lesion of this case could be assessed"),)
    return Assessment(
        case.case_id, case.patient_key, status, reasons, alignment, tuple(lesions), _findings(case.pre),
        scene.liver_used, (*case.notes, *_labelled("PRE", case.pre), *_labelled("POST", case.post)),
    )  # fmt: skip


def assess_aligned(
    tumour: Mask, ablations: Sequence[Mask], liver: Mask | None, settings: AssessSettings | None = None
) -> Assessment:
    """Measure one tumour whose mask came aligned with those of its ablation zones (and of the liver).

    Raises
    ------
    FrameMismatchError
        The masks state different frames of reference.
    EmptyMaskError
        A mask is empty.
    InputError
        The masks' lattices share no space.
    """
    for other in (*ablations, *(() if liver is None else (liver,))):
        tumour.grid.require_same_frame(other.grid, f"{tumour.name} and {other.name}")
        require_shared_space(tumour, other)
    image = Volume(np.zeros(ablations[0].grid.shape_kji), ablations[0].grid)
    pre = Study(Volume(np.zeros(tumour.grid.shape_kji), tumour.grid), {"tumour_1": tumour})
    masks = {f"ablation_{number}": mask for number, mask in enumerate(ablations, start=1)}
    post = Study(image, masks if liver is None else {**masks, "liver": liver})
    case = Case("margin", "margin", pre, post)
    require_lesions(case)
    alignment = Alignment.as_given("the masks came aligned: no registration, and no registration error")
    return assess(case, alignment, zone_surfaces(post), settings or AssessSettings())


def require_shared_space(tumour: Mask, other: Mask) -> None:
    """Raise if the boxes of two lattices do not meet, so that the masks cannot be of one place.

    Raises
    ------
    InputError
        They share no space.
    """
    a, b = tumour.grid.corners_lps_mm(), other.grid.corners_lps_mm()
    if (a.min(axis=0) > b.max(axis=0)).any() or (b.min(axis=0) > a.max(axis=0)).any():
        raise InputError(
            f"{tumour.name} and {other.name}: their lattices share no space (boxes apart in LPS mm), expected one place",
            code="no-shared-space",
        )


def _scene(case: Case, alignment: Alignment, zones: Mapping[str, Surface]) -> Scene:
    tumours = {lesion_id: surface_of(mask) for lesion_id, mask in case.pre.tumours.items()}
    around = _around(tumours, zones, alignment)
    smooth = {**zones}
    liver, liver_used = _liver(case, alignment, tumours, zones)
    post_liver = case.post.liver
    if liver_used == "post" and post_liver is not None:
        smooth = {zone_id: _unlimited(case.post.ablations[zone_id], post_liver, zones[zone_id]) for zone_id in zones}
    vessels = [_near(mask, around) for role, mask in case.post.masks.items() if role in VESSELS]
    if not vessels:
        moved = [_near(mask, around, alignment) for role, mask in case.pre.masks.items() if role in VESSELS]
        vessels = [surface and surface.moved(alignment.map.post_from_pre) for surface in moved]
    return Scene(tumours, zones, smooth, tuple(v for v in vessels if v is not None), liver, liver_used)


def _around(
    tumours: Mapping[str, Surface], zones: Mapping[str, Surface], alignment: Alignment
) -> tuple[FloatArray, FloatArray]:
    """Return the box (low, high; POST, mm) of all tumours and zones and what lies near them."""
    moved = [alignment.map.post_from_pre(tumour.vertices_lps_mm) for tumour in tumours.values()]
    points = np.concatenate([*moved, *(zone.vertices_lps_mm for zone in zones.values())])
    return points.min(axis=0) - VESSELS_WITHIN_MM, points.max(axis=0) + VESSELS_WITHIN_MM


def _near(
    mask: Mask, around: tuple[FloatArray, FloatArray], alignment: Alignment | None = None
) -> Surface | None:
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
    case: Case, alignment: Alignment, tumours: Mapping[str, Surface], zones: Mapping[str, Surface]
) -> tuple[ClosedLiver | None, Literal["post", "pre", "none"]]:
    """Return the closed liver of POST, else that of PRE read through the alignment, and which it is."""
    mapping = alignment.map
    around = list(zones.values())
    if case.post.liver is not None and not case.post.liver.is_empty:
        moved = [surface.moved(mapping.post_from_pre) for surface in tumours.values()]
        return close_liver(case.post.liver, [*moved, *around], [*moved, *around]), "post"
    if case.pre.liver is not None and not case.pre.liver.is_empty:
        in_pre = [surface.moved(mapping.pre_from_post) for surface in around]
        inner = [*tumours.values(), *in_pre]
        return close_liver(case.pre.liver, inner, inner, mapping.pre_from_post), "pre"
    return None, "none"


def _unlimited(mask: Mask, liver: Mask, as_segmented: Surface) -> Surface:
    """Return the zone's surface fitted without the voxels outside the liver, where the capsule ended it, not the zone."""
    if not mask.grid.same_lattice(liver.grid):
        return as_segmented
    silent = Mask(~liver.voxels_kji & ~mask.voxels_kji, mask.grid, "outside the liver")
    first, last = mask.box_kji()
    box = tuple(slice(max(0, a - 2), b + 3) for a, b in zip(first, last, strict=True))
    return surface_of(mask, silent) if silent.voxels_kji[box].any() else as_segmented


def _lesion(
    lesion_id: str, in_pre: Surface, case: Case, scene: Scene, alignment: Alignment, settings: AssessSettings
) -> LesionAssessment:
    tumour = in_pre.moved(alignment.map.post_from_pre)
    treated_by = _treated_by(lesion_id, tumour, case, scene)
    whole = LesionAssessment(
        lesion_id, "not_treated", (), treated_by, max_axial_diameter_mm(in_pre), max_diameter_mm(in_pre),
        in_pre.volume_ml, None, None, None, None, None,
    )  # fmt: skip
    if not treated_by:
        text = "no ablation zone touches this tumour"
        reasons = tuple(Reason(name, "not-treated", text) for name in ("margin", "ablation_ml", "registration_error_mm"))
        return replace(whole, reasons=reasons, distances=_to_zones(tumour, scene))
    error = max(alignment.error_at_zone_mm.get(zone_id, 0.0) for zone_id in treated_by)
    ablation_ml = _union([scene.zones[z] for z in treated_by], [case.post.ablations[z] for z in treated_by])[1]
    whole = replace(whole, ablation_ml=ablation_ml, registration_error_mm=error)
    failed = [c for z in treated_by for c in alignment.zone_checks.get(z, ()) if c.passed is False]
    failed += [c for c in alignment.checks if c.passed is False]
    if failed:
        return replace(whole, status="not_assessable", reasons=_gate_reasons(failed))
    return _measured(whole, tumour, in_pre, case, scene, alignment, settings)


def _gate_reasons(failed: Sequence[Check]) -> tuple[Reason, ...]:
    return tuple(Reason("margin", f"registration-{check.name}", check.text) for check in failed)


def _measured(
    whole: LesionAssessment,
    tumour: Surface,
    in_pre: Surface,
    case: Case,
    scene: Scene,
    alignment: Alignment,
    settings: AssessSettings,
) -> LesionAssessment:
    masks = [case.post.ablations[zone_id] for zone_id in whole.zones]
    zone = _union([scene.smooth_zones[zone_id] for zone_id in whole.zones], masks, case.post.liver)[0]
    as_segmented = _union([scene.zones[zone_id] for zone_id in whole.zones], masks)[0]
    margin = measure_margin(tumour, zone, liver=scene.liver, as_segmented=as_segmented, vessels=scene.vessels)
    in_rigid = in_pre.moved(alignment.rigid.post_from_pre)
    rigid = measure_margin(in_rigid, zone, liver=scene.liver, as_segmented=as_segmented)
    near = margin.near_minimum()
    if near is not None:
        doubt = Doubt(
            settings.tumour_contour_sd_mm, settings.zone_contour_sd_mm, settings.contour_correlation_mm,
            whole.registration_error_mm or 0.0, margin.voxel_sd_mm,
        )  # fmt: skip
        margin = replace(margin, interval=margin_interval(near, doubt, settings.seed, THRESHOLDS_MM))
    reasons = () if margin.reason is None else (Reason("margin.min_mm", "capsule-only", margin.reason),)
    if margin.without_vessel_facing_mm is None:
        text = "no vessel mask near the tumour" if not scene.vessels else "all of the surface faces a vessel or the capsule"
        reasons = (*reasons, Reason("margin.without_vessel_facing_mm", "no-vessel", text))
    if margin.capsule_facing_fraction is None:
        reasons = (*reasons, Reason("margin.capsule_facing_fraction", "no-liver", "neither study has a liver mask"))
    coverage = measure_coverage(tumour, as_segmented, scene.liver)
    return replace(
        whole, status="assessed", reasons=reasons, margin=margin, rigid_min_mm=rigid.min_mm, coverage=coverage
    )


def _treated_by(lesion_id: str, tumour: Surface, case: Case, scene: Scene) -> tuple[str, ...]:
    """Return the ids of the zones that treat a lesion: those entered, else those whose space meets the tumour's."""
    if lesion_id in case.pairs:
        return case.pairs[lesion_id]
    return tuple(zone_id for zone_id, zone in scene.zones.items() if _meet(tumour, zone))


def _meet(a: Surface, b: Surface) -> bool:
    return bool((a.signed_depth_mm(b.vertices_lps_mm) > 0).any() or (b.signed_depth_mm(a.vertices_lps_mm) > 0).any())


def _to_zones(tumour: Surface, scene: Scene) -> tuple[Distance, ...]:
    found = []
    for zone_id, zone in scene.zones.items():
        depths = zone.depths(tumour.vertices_lps_mm)
        nearest = int(np.argmax(depths.signed_mm))
        pair = (_point(tumour.vertices_lps_mm[nearest]), _point(depths.foot_lps_mm[nearest]))
        found.append(Distance(f"ablation_{zone_id}", "tumour", -float(depths.signed_mm[nearest]), pair))
    return tuple(found)


def _union(
    surfaces: Sequence[Surface], masks: Sequence[Mask], liver: Mask | None = None
) -> tuple[Zone, float]:
    """Return the union of zones and its volume, ml.

    Zones on one lattice are joined as masks first, so that two that only abut leave no seam between them.
    """
    if len(surfaces) == 1:
        return Zone.of(surfaces), surfaces[0].volume_ml
    if all(mask.grid.same_lattice(masks[0].grid) for mask in masks):
        both = Mask(np.any([mask.voxels_kji for mask in masks], axis=0), masks[0].grid, "ablation zones")
        joined = surface_of(both)
        surface = joined if liver is None else _unlimited(both, liver, joined)
        return Zone.of([surface]), joined.volume_ml
    return Zone.of(surfaces), sum(surface.volume_ml for surface in surfaces)


def _findings(pre: Study) -> tuple[Finding, ...]:
    if pre.liver is None or pre.liver.is_empty:
        return (Finding(LIVER_ML, None, reason="PRE has no liver mask"),)
    if pre.liver.touches_edge():
        return (Finding(LIVER_ML, None, reason="the liver mask reaches the border of the scan: truncated"),)
    return (Finding(LIVER_ML, pre.liver.volume_ml),)


def _labelled(study: str, value: Study) -> tuple[str, ...]:
    return tuple(f"{study}: {note}" for note in value.notes)


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
