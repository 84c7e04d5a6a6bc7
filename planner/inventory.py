"""Every registered quantity of an assessed case: its value with its doubt, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from planner import findings as registry
from planner.assessment import Distance, LesionAssessment, Passage
from planner.case import VESSELS, Case
from planner.findings import Bound, Finding, Quantity
from planner.guideline.measured import Measured, nearest_of
from planner.inflow import JOINT_VEIN, VEINS, preserved_findings
from planner.lobes import bilobar
from planner.register.alignment import Alignment
from planner.remnant import liver_findings
from planner.scene import Scene
from planner.timing import Timing
from planner.vanished import NO_BASELINE, SinceBaseline

MAJOR_DUCTS = ("common_bile_duct", "left_hepatic_duct", "right_hepatic_duct")
BOWEL = ("stomach", "small_bowel", "colon")
MORE_BOWEL = ("duodenum",)
UNDIVIDED_DUCT = "bile_duct"
VEINS_AND_INFLOW = ("portal_vein", "ivc")
"""Vessels without whose masks, and those of the hepatic veins, the nearest vessel is only a bound. The artery runs with
the portal vein and counts where it is drawn."""

HEART = "heart"
VULNERABLE = (*BOWEL, "gallbladder", "diaphragm", HEART, "kidney_left", "kidney_right")

NEAREST: Mapping[Quantity, tuple[tuple[str, ...], tuple[str, ...]]] = {
    registry.TUMOUR_TO_BOWEL_MM: (BOWEL, MORE_BOWEL),
    registry.TUMOUR_TO_VULNERABLE_MM: (VULNERABLE, MORE_BOWEL),
}
ZONE_NEAREST: Mapping[Quantity, tuple[tuple[str, ...], tuple[str, ...]]] = {
    registry.ZONE_TO_BOWEL_MM: (BOWEL, MORE_BOWEL),
    registry.ZONE_TO_VULNERABLE_MM: (VULNERABLE, MORE_BOWEL),
}
"""Distances of tumour and zones to the nearest of several structures: which must be known, which count if they are."""

OF_ZONES = (*ZONE_NEAREST, registry.ZONE_TO_DUCT_MM, registry.ZONE_TO_VESSEL_MM, registry.VESSEL_CONTACT_MM)
NO_ZONE = "no ablation zone treats this tumour"


def findings_of(
    case: Case,
    scene: Scene,
    alignment: Alignment,
    lesions: Sequence[LesionAssessment],
    passages: Sequence[Passage] = (),
    since_baseline: SinceBaseline = NO_BASELINE,
) -> tuple[Finding, ...]:
    """Return every registered quantity: those of the patient and the session, then those of each lesion."""
    of_lesions = [finding for lesion in lesions for finding in lesion_findings(lesion)]
    of_livers = (*liver_findings(case, scene, alignment), *preserved_findings(passages))
    return (*_of_patient(case, lesions), since_baseline.vanished, *of_livers, *of_lesions)


def _of_patient(case: Case, lesions: Sequence[LesionAssessment]) -> Iterator[Finding]:
    yield Finding(registry.N_LESIONS, float(len(lesions)))
    yield from _extremes(lesions)
    yield Finding(registry.N_TREATED, float(sum(lesion.status != "not_treated" for lesion in lesions)))
    yield _covered_count(lesions)
    yield _residual(lesions)
    yield from _days(case.timing)
    yield _is_mr(case)
    yield bilobar(case.pre)


def _extremes(lesions: Sequence[LesionAssessment]) -> Iterator[Finding]:
    """Yield the largest and the smallest tumour's diameters; their intervals end where the extreme of all ends lies."""
    every = [finding for lesion in lesions for finding in lesion_findings(lesion)]
    for quantity, of, extreme in (
        (registry.LARGEST_MM, registry.AXIAL_DIAMETER_MM, max),
        (registry.LARGEST_3D_MM, registry.DIAMETER_MM, max),
        (registry.SMALLEST_MM, registry.AXIAL_DIAMETER_MM, min),
    ):
        found = [finding for finding in every if finding.quantity == of]
        values = [f.value for f in found if f.value is not None]
        if not values:
            yield Finding(quantity, None, reason="no tumour has a diameter")
            continue
        if unknown := dict.fromkeys(f.reason or "" for f in found if f.value is None):
            bound: Bound = "at_least" if extreme is max else "at_most"
            yield Finding(quantity, extreme(values), reason="; ".join(unknown), bound=bound)
            continue
        ends = [f.ci95 for f in found if f.ci95 is not None]
        ci95 = (extreme(low for low, _ in ends), extreme(high for _, high in ends)) if len(ends) == len(found) else None
        yield Finding(quantity, extreme(values), ci95=ci95)


def _covered_count(lesions: Sequence[LesionAssessment]) -> Finding:
    """Return how many tumours are covered; a bound where some could not be assessed."""
    covered = [_covered(lesion) for lesion in lesions]
    known = float(sum(value for value in covered if value is not None))
    if unknown := sum(value is None for value in covered):
        text = f"{unknown} of {len(covered)} tumours could not be assessed"
        return Finding(registry.N_COVERED, known, reason=text, bound="at_least")
    return Finding(registry.N_COVERED, known)


def _residual(lesions: Sequence[LesionAssessment]) -> Finding:
    """Return the largest part that zones left out; a bound where a lesion could not be assessed."""
    parts = [_residual_mm(lesion) for lesion in lesions]
    known = [mm for mm in parts if mm is not None]
    if not known:
        return Finding(registry.RESIDUAL_MM, None, reason="no tumour could be assessed")
    if unknown := len(parts) - len(known):
        text = f"{unknown} of {len(parts)} tumours could not be assessed"
        return Finding(registry.RESIDUAL_MM, max(known), reason=text, bound="at_least")
    return Finding(registry.RESIDUAL_MM, max(known))


def _residual_mm(lesion: LesionAssessment) -> float | None:
    if lesion.status == "not_treated":
        return lesion.max_diameter_mm
    return None if lesion.coverage is None else lesion.coverage.residual_mm


def _covered(lesion: LesionAssessment) -> float | None:
    if lesion.status == "not_treated":
        return 0.0
    least = None if lesion.margin is None else lesion.margin.min_mm
    return None if least is None else float(least >= 0.0)


def _days(timing: Timing) -> Iterator[Finding]:
    why = {unknown.field: unknown.text for unknown in timing.unknown}
    before, since = timing.pre_days_before_ablation, timing.days_since_ablation
    yield Finding(registry.PRE_AGE_DAYS, before, reason=None if before is not None else why["pre_days_before_ablation"])
    yield Finding(registry.POST_AGE_DAYS, since, reason=None if since is not None else why["days_since_ablation"])


def _is_mr(case: Case) -> Finding:
    modality = case.pre.image.modality
    if not case.pre.is_scan or not modality:
        return Finding(registry.PRE_IS_MR, None, reason="PRE states no modality")
    return Finding(registry.PRE_IS_MR, float(modality == "MR"))


def lesion_findings(lesion: LesionAssessment) -> tuple[Finding, ...]:
    """Return every registered quantity of a lesion."""
    return tuple(_of_lesion(lesion))


def _of_lesion(lesion: LesionAssessment) -> Iterator[Finding]:
    one = lesion.lesion_id
    sizes = lesion.sizes
    yield _given(
        registry.AXIAL_DIAMETER_MM, lesion.max_axial_diameter_mm, lesion, None if sizes is None else sizes.axial_mm
    )
    yield _given(registry.DIAMETER_MM, lesion.max_diameter_mm, lesion, None if sizes is None else sizes.longest_mm)
    yield _given(registry.LESION_ML, lesion.tumour_ml, lesion, None if sizes is None else sizes.volume_ml)
    yield _given(registry.ZONE_ML, lesion.ablation_ml, lesion)
    yield Finding(registry.TREATED, float(lesion.status != "not_treated"), one)
    covered = _covered(lesion)
    yield Finding(registry.COVERED, covered, one, reason=None if covered is not None else why_no_margin(lesion))
    yield from _margins(lesion)
    for quantity, (required, optional) in NEAREST.items():
        yield _found(quantity, nearest_structure(lesion.distances, "tumour", required, optional), one)
    yield _found(registry.TUMOUR_TO_DUCT_MM, nearest_duct(lesion.distances, "tumour"), one)
    yield _found(registry.TUMOUR_TO_VESSEL_MM, nearest_vessel(lesion.distances, "tumour"), one)
    yield _calibre(lesion)
    if not lesion.zones:
        yield from (Finding(quantity, None, one, reason=NO_ZONE, applies=False) for quantity in OF_ZONES)
        return
    for quantity, (required, optional) in ZONE_NEAREST.items():
        yield _found(quantity, nearest_structure(lesion.distances, "ablation", required, optional), one)
    yield _found(registry.ZONE_TO_DUCT_MM, nearest_duct(lesion.distances, "ablation"), one)
    yield _found(registry.ZONE_TO_VESSEL_MM, nearest_vessel(lesion.distances, "ablation"), one)
    yield _contact(lesion)


def _found(quantity: Quantity, measured: Measured, lesion_id: str) -> Finding:
    return Finding(quantity, measured.value, lesion_id, measured.ci95, measured.reason, measured.bound)


def _margins(lesion: LesionAssessment) -> Iterator[Finding]:
    margin = lesion.margin
    if margin is None or margin.min_mm is None:
        yield Finding(registry.MARGIN_MM, None, lesion.lesion_id, reason=why_no_margin(lesion))
    else:
        ends = None if margin.interval is None else (margin.interval.low_mm, margin.interval.high_mm)
        yield Finding(registry.MARGIN_MM, margin.min_mm, lesion.lesion_id, ends)
    geometric = None if margin is None else margin.geometric_min_mm
    why = None if geometric is not None else why_no_margin(lesion)
    yield Finding(registry.GEOMETRIC_MARGIN_MM, geometric, lesion.lesion_id, reason=why)


def why_no_margin(lesion: LesionAssessment) -> str:
    """Return why a lesion has no margin."""
    if lesion.margin is not None and lesion.margin.reason:
        return lesion.margin.reason
    texts = [reason.text for reason in lesion.reasons if reason.field in (None, "margin")]
    return "; ".join(texts) or "the margin was not measured"


def nearest_structure(
    distances: Sequence[Distance], start: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Measured:
    """Return the distance to the nearest of several structures from the tumour or from its zones ("ablation").

    Parts of the heart count as the heart.
    """
    distances = _with_heart([distance for distance in distances if distance.from_ == start])
    known = {d.structure: _measured(d) for d in distances if d.from_ == start and (d.mm is not None or d.reason)}
    return nearest_of(known, required, optional)


def _with_heart(distances: Sequence[Distance]) -> tuple[Distance, ...]:
    parts = [d for d in distances if d.structure.startswith(f"{HEART}_") and d.mm is not None]
    if not parts or any(d.structure == HEART for d in distances):
        return tuple(distances)
    return (*distances, replace(min(parts, key=lambda d: d.mm or 0.0), structure=HEART))


def _measured(distance: Distance) -> Measured:
    return Measured(distance.mm, "mm", distance.ci95_mm, reason=distance.reason)


def nearest_duct(distances: Sequence[Distance], start: str) -> Measured:
    """Return the distance to the nearest major bile duct.

    One mask of all bile ducts counts where the major ones are not drawn each, or where it is nearer than those that
    are: the major ducts lie no nearer than it, but some duct that is none of them may be what is near.
    """
    named = nearest_structure(distances, start, MAJOR_DUCTS)
    joint = nearest_structure(distances, start, (UNDIVIDED_DUCT,))
    nearer = joint.value is not None and (named.value is None or joint.value < named.value)
    if (named.bound == "exact" and named.value is not None) or not nearer:
        return named
    text = "bile duct: one mask of all bile ducts, a major one may lie farther away"
    return replace(joint, reason=text, bound="at_least")


def nearest_vessel(distances: Sequence[Distance], start: str) -> Measured:
    """Return the distance to the nearest vessel: a bound unless portal vein, vena cava and hepatic veins are drawn."""
    drawn = {d.structure for d in distances if d.from_ == start and d.mm is not None}
    veins = (JOINT_VEIN,) if JOINT_VEIN in drawn else VEINS
    return nearest_structure(distances, start, (*VEINS_AND_INFLOW, *veins), VESSELS)


def _calibre(lesion: LesionAssessment) -> Finding:
    one, quantity = lesion.lesion_id, registry.VESSEL_CALIBRE_MM
    near = [d for d in lesion.distances if d.from_ == "tumour" and d.structure in VESSELS and d.mm is not None]
    if not near:
        return Finding(quantity, None, one, reason=nearest_vessel(lesion.distances, "tumour").reason)
    nearest = min(near, key=lambda d: d.mm or 0.0)
    why = None if nearest.calibre_mm is not None else nearest.calibre_reason or "not measured"
    return Finding(quantity, nearest.calibre_mm, one, reason=why)


def _contact(lesion: LesionAssessment) -> Finding:
    one, quantity = lesion.lesion_id, registry.VESSEL_CONTACT_MM
    beside = [d for d in lesion.distances if d.from_ == "ablation" and d.structure in VESSELS and d.mm is not None]
    lengths = [d.contact_mm for d in beside if d.contact_mm is not None]
    unknown = [f"{d.structure.replace('_', ' ')}: {d.contact_reason or 'not measured'}"
               for d in beside if d.contact_mm is None]  # fmt: skip
    absent = nearest_vessel(lesion.distances, "ablation")
    reasons = [*unknown, *((absent.reason,) if absent.bound != "exact" and absent.reason else ())]
    if not lengths or (unknown and max(lengths) == 0.0):
        return Finding(quantity, None, one, reason="; ".join(reasons) or absent.reason)
    text = "; ".join(reasons) or None
    return Finding(quantity, max(lengths), one, reason=text, bound="at_least" if reasons else "exact")


def _given(
    quantity: Quantity, value: float | None, lesion: LesionAssessment, ci95: tuple[float, float] | None = None
) -> Finding:
    if value is not None:
        return Finding(quantity, value, lesion.lesion_id, ci95)
    field = {"volume_ml": "tumour_ml"}.get(quantity.name.rpartition(".")[2], quantity.name.rpartition(".")[2])
    own = [reason.text for reason in lesion.reasons if reason.field == field]
    texts = dict.fromkeys(own or [reason.text for reason in lesion.reasons])
    return Finding(quantity, None, lesion.lesion_id, reason="; ".join(texts) or "not measured")
