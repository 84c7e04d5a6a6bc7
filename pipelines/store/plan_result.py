"""The machine-readable result of a plan: `result.json`, its `kind` "plan".

Unknown values are null with a reason. Lengths are mm, volumes ml, shares and chances from 0 to 1, angles degrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from pipelines.ports import FinishedPlan
from pipelines.store.distances import distance_document, passage_document
from pipelines.store.held_against import judged_documents
from pipelines.store.numbers import number
from pipelines.store.plan_names import KIND
from pipelines.store.result import (
    SCHEMA_VERSION,
    caution_reasons,
    finding_document,
    lesion_documents,
    plain_values,
    reason_document,
)
from planner.assessment import Reason
from planner.grid import FloatArray
from planner.plan.course import Course
from planner.plan.needle import Needle
from planner.plan.plan import Plan, PlannedLesion, Trial
from planner.plan.setting import Setting
from planner.plan.slices import Slice

Json = Any

OF_A_REVIEW = ("ltp", "tissue_change", "sensitivity", "registration_error_mm", "pairing")
"""What a review tells of a lesion and a plan does not: it speaks of a zone that was made, or of two studies."""

CHANCES = "an interval of the contours alone says nothing of where needles come out: see plan.p_at_least"


def plan_document(finished: FinishedPlan) -> dict[str, Json]:
    """Return the content of a plan's `result.json`: plain values only, without infinities or NaN."""
    plan, assessment = finished.plan, finished.plan.assessment
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "case_id": assessment.case_id,
        "patient_key": assessment.patient_key,
        "reasons": [reason_document(reason) for reason in caution_reasons(assessment)],
        "asked_mm": number(finished.plan.lesions[0].asked_mm),
        "spread": _spread(plan),
        "liver_used": {"post": "pre"}.get(assessment.liver_used, assessment.liver_used),
        "needles": [_needle(*pair) for pair in zip(plan.needles, plan.courses, strict=True)],
        "lesions": _lesions(plan),
        "vessels": [passage_document(passage) for passage in assessment.passages],
        "findings": [finding_document(finding) for finding in assessment.findings],
        **judged_documents(assessment.judged, assessment.unlocking),
        "notes": list(assessment.notes),
        "timings_s": {step: number(seconds) for step, seconds in finished.timings_s.items()},
        "provenance": plain_values(_provenance(finished)),
    }
    if finished.intake.identities:
        document["identities"] = {study: asdict(who) for study, who in finished.intake.identities.items()}
    return document


def _spread(plan: Plan) -> dict[str, Json]:
    spread = plan.spread
    lengths = ("tip_sd_mm", "radius_sd_mm", "registration_sd_mm", "breathing_sd_mm")
    return {**{name: number(getattr(spread, name)) for name in lengths}, "seed": spread.seed, "draws": spread.draws}


def _needle(needle: Needle, course: Course) -> dict[str, Json]:
    zone, bearing = needle.zone, course.bearing
    stated = needle.setting.tip_beyond_mm is not None
    document: dict[str, Json] = {
        "needle": needle.zone_id,
        "zone": needle.zone_id,
        "lesion_id": needle.lesion_id,
        "setting": _setting(needle.setting),
        "zone_centre_lps_mm": _point(zone.centre_lps_mm),
        "axis_lps": _point(zone.axis_lps),
        "zone_length_mm": number(zone.length_mm),
        "zone_width_mm": number(zone.width_mm),
        "zone_ml": number(zone.volume_ml),
        "entry_lps_mm": None if needle.entry_lps_mm is None else _point(needle.entry_lps_mm),
        "target_lps_mm": _point(needle.target_lps_mm),
        "target_is": "tip" if stated else "middle_of_zone",
        "depth_mm": number(needle.depth_mm),
        "from_vertical_degrees": number(bearing.from_vertical_degrees),
        "tip_towards_side": bearing.tip_side,
        "tilt_degrees": number(bearing.tilt_degrees),
        "tip_towards_end": bearing.tip_end,
        "outside_scan_mm": number(course.outside_scan_mm),
        "distances": [distance_document(distance) for distance in course.distances],
        "unknown_structures": list(course.unknown),
    }
    document["reasons"] = [reason_document(reason) for reason in _needle_reasons(needle, course)]
    return document


def _needle_reasons(needle: Needle, course: Course) -> Iterable[Reason]:
    if course.why_unknown:
        for field in ("entry_lps_mm", "depth_mm", "outside_scan_mm", "distances"):
            yield Reason(field, "no-entry", course.why_unknown)
    if course.bearing.from_vertical_degrees is None:
        yield Reason(
            "from_vertical_degrees", "along-patient", "the needle runs along the patient: it has no such angle"
        )
    if needle.setting.tip_beyond_mm is None:
        text = "how far the tip lies beyond the middle of the zone is not stated: the target is the middle of the zone"
        yield Reason("setting.tip_beyond_mm", "not-stated", text)
    if course.outside_scan_mm:
        yield Reason("distances", "outside-scan", f"{course.outside_scan_mm:.1f} mm of the shaft lie outside the scan")
    if course.unknown:
        text = f"no mask of: {', '.join(course.unknown)}; where these lie is unknown, not free"
        yield Reason("unknown_structures", "no-mask", text)


def _setting(setting: Setting) -> dict[str, Json]:
    return {
        "id": setting.id,
        "device": setting.device,
        "modality": setting.modality or None,
        "power_w": number(setting.power_w),
        "duration_s": number(setting.duration_s),
        "length_mm": number(setting.length_mm),
        "width_mm": number(setting.width_mm),
        "length_sd_mm": number(setting.length_sd_mm),
        "width_sd_mm": number(setting.width_sd_mm),
        "radius_sd_mm": number(setting.radius_sd_mm),
        "tip_beyond_mm": number(setting.tip_beyond_mm),
        "measured_on": setting.model,
        "count": setting.count,
        "source": None if setting.source is None else setting.source.text,
        "note": setting.note,
    }


def _lesions(plan: Plan) -> list[dict[str, Json]]:
    measured = lesion_documents(plan.assessment)
    return [_lesion(document, lesion) for document, lesion in zip(measured, plan.lesions, strict=True)]


def _lesion(measured: Mapping[str, Json], lesion: PlannedLesion) -> dict[str, Json]:
    kept = {key: value for key, value in measured.items() if key not in OF_A_REVIEW}
    reasons = [one for one in measured["reasons"] if not str(one["field"]).startswith(OF_A_REVIEW)]
    kept["reasons"] = [{**one, "text": CHANCES} if one["code"] == "no-interval" else one for one in reasons]
    return {**kept, "plan": _planned(lesion)}


def _planned(lesion: PlannedLesion) -> dict[str, Json]:
    robust, short = lesion.robustness, lesion.shortfall
    sds = () if robust is None else robust.radius_sds_mm
    return {
        "asked_mm": number(lesion.asked_mm),
        "needles": [needle.zone_id for needle in lesion.needles],
        "uncovered_ml": None if short is None else number(short.uncovered_ml),
        "uncovered_share": None if short is None else number(short.uncovered_share),
        "uncovered_towards": None if short is None else short.where,
        "slices_across": "LPS"[lesion.slices.axis],
        "slices": [_slice(one) for one in lesion.slices.all],
        "p_at_least": None if robust is None else _by_limit(robust.p_at_least),
        "expected_covered": None if robust is None else _by_limit(robust.expected_covered),
        "radius_sd_mm": number(sds[0]) if len(set(sds)) == 1 else None,
        "radius_sds_mm": [number(sd) for sd in sds],
        "trials": [_trial(trial) for trial in lesion.trials],
        "reasons": [reason_document(one) for one in _reasons(lesion)],
    }


def _reasons(lesion: PlannedLesion) -> Iterable[Reason]:
    robust, short = lesion.robustness, lesion.shortfall
    if short is None:
        for name in ("uncovered_ml", "uncovered_share", "uncovered_towards", "slices", "trials"):
            yield Reason(name, "not-known", lesion.why_not_robust)
    elif short.where is None:
        yield Reason("uncovered_towards", "covered", "nothing of the target is uncovered")
    if robust is None:
        for name in ("p_at_least", "expected_covered", "radius_sd_mm"):
            yield Reason(name, "not-tried", lesion.why_not_robust)
    elif len(set(robust.radius_sds_mm)) > 1:
        yield Reason("radius_sd_mm", "differ", "the zones' differ: see radius_sds_mm")


def _slice(one: Slice) -> dict[str, Json]:
    return {
        "slice_index": one.index,
        "at_mm": number(one.at_mm),
        "target_mm2": number(one.target_mm2),
        "uncovered_mm2": number(one.uncovered_mm2),
        "covered_share": number(one.covered_share),
    }


def _trial(trial: Trial) -> dict[str, Json]:
    reasons = []
    if trial.largest_mm is None:
        reasons.append(reason_document(Reason("largest_margin_mm", "too-small", "one zone does not hold the tumour")))
    return {
        "setting": trial.setting.id,
        "scale_needed_ratio": number(trial.scale),
        "covers": bool(trial.scale <= 1.0),
        "largest_margin_mm": number(trial.largest_mm),
        "reasons": reasons,
    }


def _provenance(finished: FinishedPlan) -> dict[str, object]:
    given = dict(finished.provenance)
    given.setdefault("facts", finished.plan.assessment.facts)
    return given


def _by_limit(values: Mapping[float, float]) -> dict[str, float | None]:
    return {f"{limit:g}": number(values[limit]) for limit in sorted(values)}


def _point(values: FloatArray) -> list[float | None]:
    return [number(float(value)) for value in np.asarray(values)]
