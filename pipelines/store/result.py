"""The machine-readable result of a review: `result.json`.

Unknown values are null with an entry among the reasons. Lengths are mm, volumes ml, shares from 0 to 1; floats are
rounded to 4 decimals, so that the same review gives the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pipelines.ports import Review
from pipelines.store.distances import distance_document, distance_reasons, passage_document
from pipelines.store.held_against import judged_documents, no_risk_document, risk_document, risk_reasons
from pipelines.store.numbers import number, pair, point
from pipelines.store.plan_outcome import plan_document, plan_reasons
from pipelines.store.registration import registration_document
from pipelines.store.sizes import sizes_document
from pipelines.store.timing import timing_document
from pipelines.store.tissue import sensitivity_documents, tissue_document, tissue_reasons
from pipelines.store.treatment import treatment_document
from pipelines.store.vanished import baseline_document
from planner.assessment import Assessment, LesionAssessment, Reason
from planner.findings import Finding
from planner.grid import FloatArray
from planner.measure.interval import Interval
from planner.measure.margin import Margin

SCHEMA_VERSION = 1
THRESHOLDS_MM = (0.0, 5.0, 10.0)
GROWTHS_MM = (5.0, 10.0)

Json = Any


def result_document(review: Review) -> dict[str, Json]:
    """Return the content of `result.json`: plain values only, without infinities or NaN.

    It holds no patient data, but for `identities` where they were asked for (`--phi`).
    """
    document = assessment_document(review.assessment, _provenance(review), review.timings_s)
    if not review.intake.identities:
        return document
    return document | {"identities": {study: asdict(who) for study, who in review.intake.identities.items()}}


def assessment_document(
    assessment: Assessment, provenance: Mapping[str, object], timings_s: Mapping[str, float]
) -> dict[str, Json]:
    """Return the same for an assessment by itself."""
    return {
        "schema_version": SCHEMA_VERSION,
        "case_id": assessment.case_id,
        "patient_key": assessment.patient_key,
        "status": assessment.status,
        "reasons": [reason_document(reason) for reason in (*caution_reasons(assessment), *assessment.reasons)],
        "timing": timing_document(assessment.timing),
        "registration": registration_document(assessment.alignment),
        "baseline": baseline_document(assessment.since_baseline),
        "liver_used": assessment.liver_used,
        "lesions": lesion_documents(assessment),
        "vessels": [passage_document(passage) for passage in assessment.passages],
        "findings": [finding_document(finding) for finding in assessment.findings],
        **judged_documents(assessment.judged, assessment.unlocking),
        "notes": list(assessment.notes),
        "timings_s": {step: number(seconds) for step, seconds in timings_s.items()},
        "provenance": plain_values(provenance),
    }


def caution_reasons(assessment: Assessment) -> Iterable[Reason]:
    """Return what stands above every number, as reasons of the whole result."""
    return (Reason(None, caution.code, caution.text) for caution in assessment.cautions)


def lesion_documents(assessment: Assessment) -> list[dict[str, Json]]:
    """Return the `lesions` of the result."""
    return [_lesion(lesion, assessment.days_since_ablation) for lesion in assessment.lesions]


def result_bytes(document: Mapping[str, Json]) -> bytes:
    """Return a document as UTF-8 JSON; a value that JSON cannot hold is an error, never a made-up one."""
    return (json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode("utf-8")


def _lesion(lesion: LesionAssessment, days: float | None) -> dict[str, Json]:
    document: dict[str, Json] = {
        "lesion_id": lesion.lesion_id,
        "status": lesion.status,
        "reasons": [],
        "zones": list(lesion.zones),
        "pairing": treatment_document(lesion.treatment),
        "max_axial_diameter_mm": number(lesion.max_axial_diameter_mm),
        "max_diameter_mm": number(lesion.max_diameter_mm),
        "tumour_ml": number(lesion.tumour_ml),
        **sizes_document(lesion.sizes),
        "ablation_ml": number(lesion.ablation_ml),
        "registration_error_mm": number(lesion.registration_error_mm),
        "margin": _margin(lesion),
        "sensitivity": sensitivity_documents(lesion.sensitivity),
        "tissue_change": tissue_document(lesion.tissue, days),
        "distances": [distance_document(distance) for distance in lesion.distances],
        "planned": plan_document(lesion.planned),
        "ltp": no_risk_document() if lesion.risk is None else risk_document(lesion.risk, lesion.beside),
    }
    document["reasons"] = _reasons(lesion, document, days)
    return document


def _margin(lesion: LesionAssessment) -> dict[str, Json]:
    margin, coverage = lesion.margin, lesion.coverage
    interval = None if margin is None else margin.interval
    return {
        **_numbers(margin),
        "ci95_mm": pair(None if interval is None else (interval.low_mm, interval.high_mm)),
        "p_at_least": _by_limit(None if interval is None else interval.p_at_least, THRESHOLDS_MM),
        "surface_fraction_below": _by_limit(None if margin is None else margin.surface_fraction_below, THRESHOLDS_MM),
        "target_covered": _by_limit(None if coverage is None else coverage.target_covered, GROWTHS_MM),
        "residual_ml": None if coverage is None else number(coverage.residual_ml),
        "residual_mm": None if coverage is None else number(coverage.residual_mm),
        "flags": [] if margin is None else list(margin.flags),
        "off_side_lps_mm": {} if margin is None else _points_of(margin.off_side_lps_mm),
        "rigid_min_mm": number(lesion.rigid_min_mm),
        **_assumptions(interval),
    }


def _numbers(margin: Margin | None) -> dict[str, Json]:
    keys = ("min_mm", "geometric_min_mm", "without_vessel_facing_mm", "q01_mm", "q05_mm", "median_mm",
            "capsule_facing_fraction")  # fmt: skip
    found: dict[str, Json] = {key: None if margin is None else number(getattr(margin, key)) for key in keys}
    return found | {
        "definition": None if margin is None else margin.definition,
        "at_lps_mm": point(None if margin is None else margin.at_lps_mm),
        "foot_lps_mm": point(None if margin is None else margin.foot_lps_mm),
        "direction": None if margin is None else margin.direction,
        "foot_direction": None if margin is None else margin.foot_direction,
    }


def _points_of(points: Mapping[str, FloatArray]) -> dict[str, Json]:
    return {name: [[number(x), number(y), number(z)] for x, y, z in found] for name, found in points.items()}


def _assumptions(interval: Interval | None) -> dict[str, Json]:
    if interval is None:
        return {"assumed": None, "variance_share": None}
    doubt = interval.assumed
    names = ("tumour_contour_sd_mm", "zone_contour_sd_mm", "correlation_mm", "registration_error_mm", "voxel_sd_mm",
             "slice_sd_mm", "liver_contour_sd_mm")  # fmt: skip
    return {
        "assumed": {name: number(getattr(doubt, name)) for name in names},
        "variance_share": {source: number(share) for source, share in interval.variance_share.items()},
    }


def _reasons(lesion: LesionAssessment, document: Mapping[str, Json], days: float | None) -> list[dict[str, Json]]:
    """Return the lesion's own reasons and one for every further null."""
    given = [reason_document(reason) for reason in lesion.reasons]
    said = {reason["field"] for reason in given}
    found = given + [reason_document(reason) for reason in _margin_reasons(lesion) if reason.field not in said]
    explained = {reason["field"] for reason in found}
    if None in explained or "margin" in explained:
        explained |= {f"margin.{key}" for key in document["margin"]}
    around = risk_reasons(lesion.risk, lesion.beside)
    further = (*around, *distance_reasons(lesion), *tissue_reasons(lesion, days), *plan_reasons(lesion.planned))
    found += [reason_document(reason) for reason in further]
    for field, value in _fields(document):
        if _is_unknown(value) and field not in explained:
            found.append(reason_document(Reason(field, "not-known", f"{_sentence(field)} was not determined")))
    return found


def _margin_reasons(lesion: LesionAssessment) -> Iterable[Reason]:
    margin = lesion.margin
    if margin is None:
        return
    if margin.reason is not None:
        yield Reason("margin.min_mm", "no-margin", margin.reason)
    if margin.without_vessel_facing_mm is None:
        text = "no vessel mask was given" if margin.map.vessel_facing is None else "all of the surface faces a vessel"
        yield Reason("margin.without_vessel_facing_mm", "no-vessel-mask" if margin.map.vessel_facing is None
                     else "all-vessel-facing", text)  # fmt: skip
    if margin.capsule_facing_fraction is None:
        yield Reason("margin.capsule_facing_fraction", "no-liver-mask", "no liver mask was given")
    if margin.interval is None:
        for key in ("ci95_mm", "p_at_least", "assumed", "variance_share"):
            yield Reason(f"margin.{key}", "no-interval", "no interval was computed")


def _fields(document: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
    for key, value in document.items():
        if key == "margin":
            yield from ((f"margin.{name}", part) for name, part in value.items())
        elif key not in {"ltp", "reasons", "distances", "tissue_change", "planned"}:
            yield key, value


def _is_unknown(value: Json) -> bool:
    if isinstance(value, dict):
        return None in value.values()
    return value is None or (isinstance(value, list) and None in value)


def _sentence(field: str) -> str:
    return field.rsplit(".", maxsplit=1)[-1].replace("_", " ")


def reason_document(reason: Reason) -> dict[str, Json]:
    """Return an entry of `reasons`."""
    return {"field": reason.field, "code": reason.code, "text": reason.text}


def finding_document(finding: Finding) -> dict[str, Json]:
    """Return an entry of `findings`."""
    value = number(finding.value)
    unknown = "not determined" if value is None else None
    return {
        "name": finding.quantity.name,
        "scope": finding.quantity.scope,
        "lesion_id": finding.lesion_id,
        "value": value,
        "unit": finding.quantity.unit,
        "bound": finding.bound,
        "ci95": None if finding.ci95 is None else pair(finding.ci95),
        "reason": finding.reason or unknown,
    }


def _provenance(review: Review) -> dict[str, Json]:
    given = {str(name): plain_values(value) for name, value in review.provenance.items()}
    given.setdefault("inputs_sha256", dict(sorted(review.intake.inputs_sha256.items())))
    given.setdefault("facts", plain_values(review.assessment.facts))
    given.setdefault("transform_sha256", review.assessment.alignment.map.parameters_sha256)
    return given


def plain_values(value: object) -> Json:
    """Return a provenance value as JSON holds it; what JSON has no form for becomes its text."""
    if isinstance(value, Mapping):
        return {str(name): plain_values(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _by_limit(values: Mapping[float, float] | None, limits: Iterable[float]) -> dict[str, float | None]:
    known = {} if values is None else values
    keys = sorted({*limits, *known})
    return {f"{key:g}": number(known.get(key)) for key in keys}
