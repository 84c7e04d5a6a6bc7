"""Case and alignment in, assessment out: the whole argument on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.assessment import Assessment, CaseStatus, Distance, LesionAssessment, Reason
from planner.case import Case, Study, twins
from planner.caution import Caution
from planner.errors import InputError
from planner.grid import FloatArray
from planner.inflow import passages_of
from planner.inventory import findings_of
from planner.measure.coverage import measure_coverage
from planner.measure.interval import Doubt, margin_interval
from planner.measure.margin import THRESHOLDS_MM, measure_margin, slice_sd_mm
from planner.measure.sensitivity import margins_if_zone_changed
from planner.measure.tissue import tissue_change
from planner.register.alignment import Alignment
from planner.register.threads import one_thread
from planner.scene import Scene, make_scene, union_of, zone_surfaces
from planner.sized import sized
from planner.surface import Surface
from planner.surroundings import Around, distances_to_zones, tumour_distances, zone_distances
from planner.treated import Treatment, treatments
from planner.unassessable import error_away_mm, unassessable
from planner.vanished import NO_BASELINE, SinceBaseline
from planner.volume import Mask, Volume

Observe = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class AssessSettings:
    """What an assessment assumes.

    Parameters
    ----------
    tumour_contour_sd_mm, zone_contour_sd_mm, contour_correlation_mm
        Reader-to-reader error of the contours that the interval allows for, and how far it stays similar.
    liver_contour_sd_mm
        The same of the liver's, where its capsule limits the margin.
    seed
        Of the interval's draws.
    """

    tumour_contour_sd_mm: float = 0.5
    zone_contour_sd_mm: float = 0.5
    contour_correlation_mm: float = 5.0
    liver_contour_sd_mm: float = 0.5
    seed: int = 20130101


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
    since_baseline: SinceBaseline = NO_BASELINE,
    scene: Scene | None = None,
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
    since_baseline
        What became of the tumours of a study before PRE.
    scene
        What the lesions are measured against; None to build it from the case. A plan's zones are no anatomy: its
        scene closes the liver without them.

    Raises
    ------
    InputError
        The studies share no space, so that the alignment cannot be meant.
    """
    pre, post = case.pre.image.grid.corners_lps_mm(), case.post.image.grid.corners_lps_mm()
    _require_met(alignment.rigid.post_from_pre(pre), post, "PRE as aligned and POST")
    with one_thread():
        return _assessed(
            case, alignment, scene or make_scene(case, alignment, zones), settings, since_baseline, observe
        )


def _assessed(
    case: Case,
    alignment: Alignment,
    scene: Scene,
    settings: AssessSettings,
    since_baseline: SinceBaseline,
    observe: Observe,
) -> Assessment:
    moved = {lesion_id: tumour.moved(alignment.map.post_from_pre) for lesion_id, tumour in scene.tumours.items()}
    treated = treatments(moved, scene.zones, case.pairs)
    lesions, drawn = [], Around.of(case, scene)
    for number, (lesion_id, treatment) in enumerate(treated.items()):
        observe(f"lesion {lesion_id}", number / len(treated))
        lesions.append(_lesion(lesion_id, moved[lesion_id], treatment, case, scene, drawn, alignment, settings))
    status: CaseStatus = "assessed" if any(x.status != "not_assessable" for x in lesions) else "not_assessable"
    passages = passages_of(case, scene, alignment)
    reasons = () if status == "assessed" else (Reason(None, "no-lesion", "no lesion of this case could be assessed"),)
    return Assessment(
        case.case_id, case.patient_key, status, reasons, alignment, tuple(lesions),
        findings_of(case, scene, alignment, lesions, passages, since_baseline), scene.liver_used,
        (*case.notes, *_labelled("PRE", case.pre), *_labelled("POST", case.post), *twins(case)),
        cautions=(*case.cautions, *_nothing_treated(lesions)), timing=case.timing, since_baseline=since_baseline,
        passages=passages,
    )  # fmt: skip


def _nothing_treated(lesions: Sequence[LesionAssessment]) -> tuple[Caution, ...]:
    if any(lesion.status != "not_treated" for lesion in lesions):
        return ()
    text = "no ablation zone touches any tumour: unless that is meant, the two studies do not belong together"
    return (Caution("nothing-treated", text),)


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
    image = Volume(np.zeros(ablations[0].grid.shape_kji, dtype=np.float32), ablations[0].grid)
    made_up = Volume(np.zeros(tumour.grid.shape_kji, dtype=np.float32), tumour.grid)
    pre = Study(made_up, {"tumour_1": tumour}, is_scan=False)
    masks = {f"ablation_{number}": mask for number, mask in enumerate(ablations, start=1)}
    post = Study(image, masks if liver is None else {**masks, "liver": liver}, is_scan=False)
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
    _require_met(tumour.grid.corners_lps_mm(), other.grid.corners_lps_mm(), f"{tumour.name} and {other.name}")


def _require_met(a: FloatArray, b: FloatArray, names: str) -> None:
    if (a.min(axis=0) > b.max(axis=0)).any() or (b.min(axis=0) > a.max(axis=0)).any():
        raise InputError(
            f"{names}: their lattices share no space (boxes apart in LPS), expected one place", code="no-shared-space"
        )


def _lesion(
    lesion_id: str,
    tumour: Surface,
    treatment: Treatment,
    case: Case,
    scene: Scene,
    drawn: Around,
    alignment: Alignment,
    settings: AssessSettings,
) -> LesionAssessment:
    in_pre, treated_by = scene.tumours[lesion_id], treatment.zones
    whole = LesionAssessment(
        lesion_id, "not_treated", (), treated_by, None, None, None, None, None, None, None, None, treatment=treatment
    )
    doubt = settings.tumour_contour_sd_mm, settings.contour_correlation_mm, settings.seed
    whole = sized(whole, in_pre, case.pre, *doubt)
    sd_mm = settings.tumour_contour_sd_mm
    if treated_by:
        masks = [case.post.ablations[zone_id] for zone_id in treated_by]
        ablation_ml = union_of([scene.zones[zone_id] for zone_id in treated_by], masks)[1]
        error = max(alignment.error_at_zone_mm.get(zone_id, 0.0) for zone_id in treated_by)
        whole = replace(whole, ablation_ml=ablation_ml, registration_error_mm=error)
    why = unassessable(lesion_id, treated_by, case, alignment)
    if not why and treated_by:
        return _measured(whole, tumour, in_pre, case, scene, drawn, alignment, settings)
    error_mm = error_away_mm(treated_by, alignment)
    around = tumour_distances(tumour, drawn, alignment, error_mm, sd_mm)
    if why:
        own_zones = [scene.zones[zone_id] for zone_id in treated_by]
        around = (*around, *zone_distances(own_zones, drawn, alignment, error_mm, sd_mm)) if own_zones else around
        return replace(whole, status="not_assessable", reasons=(*whole.reasons, *why), distances=around)
    return _untreated(whole, distances_to_zones(tumour, scene.zones), around, alignment)


def _untreated(
    whole: LesionAssessment, to_zones: tuple[Distance, ...], around: tuple[Distance, ...], alignment: Alignment
) -> LesionAssessment:
    text = "no ablation zone touches this tumour"
    if whole.treatment.how == "entered":
        text = "it was entered that no ablation zone treats this tumour"
    elif near := _within_error(to_zones, alignment):
        text = f"{text} on these images; {near}: a registration error may part them"
    reasons = tuple(Reason(name, "not-treated", text) for name in ("margin", "ablation_ml", "registration_error_mm"))
    return replace(whole, reasons=(*whole.reasons, *reasons), distances=(*to_zones, *around))


def _within_error(to_zones: Sequence[Distance], alignment: Alignment) -> str:
    """Return which zones lie no farther away than the registration is predicted to be off there."""
    off = {f"ablation_{zone}": error_mm for zone, error_mm in alignment.error_at_zone_mm.items()}
    near = [d for d in to_zones if d.mm is not None and d.mm <= off.get(d.structure, 0.0)]
    return ", ".join(f"zone {d.structure.removeprefix('ablation_')} lies {d.mm:.1f} mm away" for d in near)


def _measured(
    whole: LesionAssessment,
    tumour: Surface,
    in_pre: Surface,
    case: Case,
    scene: Scene,
    drawn: Around,
    alignment: Alignment,
    settings: AssessSettings,
) -> LesionAssessment:
    masks = [case.post.ablations[zone_id] for zone_id in whole.zones]
    zone = union_of([scene.smooth_zones[zone_id] for zone_id in whole.zones], masks, scene.limit)[0]
    as_segmented = union_of([scene.zones[zone_id] for zone_id in whole.zones], masks)[0]
    margin = measure_margin(tumour, zone, liver=scene.liver, as_segmented=as_segmented, vessels=scene.vessels)
    rigid_min_mm = None
    if alignment.kind != "identity":
        in_rigid = in_pre.moved(alignment.rigid.post_from_pre)
        rigid_min_mm = measure_margin(in_rigid, zone, liver=scene.liver, as_segmented=as_segmented).min_mm
    points = margin.points()
    if points is not None:
        doubt = Doubt(
            settings.tumour_contour_sd_mm, settings.zone_contour_sd_mm, settings.contour_correlation_mm,
            whole.registration_error_mm or 0.0, margin.voxel_sd_mm, slice_sd_mm(margin),
            0.0 if scene.liver is None else settings.liver_contour_sd_mm,
        )  # fmt: skip
        margin = replace(margin, interval=margin_interval(points, doubt, settings.seed, THRESHOLDS_MM))
    reasons = () if margin.reason is None else (Reason("margin.min_mm", "capsule-only", margin.reason),)
    if margin.without_vessel_facing_mm is None:
        text = (
            "no vessel mask near the tumour"
            if not scene.vessels
            else "all of the surface faces a vessel or the capsule"
        )
        reasons = (*reasons, Reason("margin.without_vessel_facing_mm", "no-vessel", text))
    if margin.capsule_facing_fraction is None:
        reasons = (*reasons, Reason("margin.capsule_facing_fraction", "no-liver", "neither study has a liver mask"))
    coverage = measure_coverage(tumour, as_segmented, scene.liver)
    error_mm, sd_mm = whole.registration_error_mm, settings.tumour_contour_sd_mm
    around = (
        *tumour_distances(tumour, drawn, alignment, error_mm, sd_mm),
        *zone_distances([scene.zones[zone_id] for zone_id in whole.zones], drawn, alignment, error_mm, sd_mm),
    )
    return replace(
        whole, status="assessed", reasons=reasons, margin=margin, rigid_min_mm=rigid_min_mm, coverage=coverage,
        distances=around, tissue=tissue_change(alignment, as_segmented, scene.zones.values(), scene.liver),
        sensitivity=margins_if_zone_changed(margin, zone, liver=scene.liver),
    )  # fmt: skip


def _labelled(study: str, value: Study) -> tuple[str, ...]:
    return tuple(f"{study}: {note}" for note in value.notes)
