"""What was looked at to judge an alignment, in a reader's words."""

from __future__ import annotations

import math

from planner.register.alignment import Check
from planner.report import words

NAMES = {
    "alignment": "alignment",
    "block_residual": "how far structures near the zone lie apart",
    "contrast": "contrast of the two studies",
    "correlation": "image similarity with the map in use",
    "correlation_rigid": "image similarity after the rigid step",
    "folded_near_zone": "share of points near the zone where the map folds",
    "folded_share": "share of points where the map folds",
    "inverse_largest": "largest distance after a trip there and back",
    "inverse_mean": "mean distance after a trip there and back",
    "jacobian_minimum": "smallest local change of volume",
    "jacobian_q01": "1 % quantile of the local change of volume",
    "jacobian_q99": "99 % quantile of the local change of volume",
    "direction": "image similarity with the map turned round",
    "file_read": "how far the map in use lies from the file",
    "given_error": "registration error, not measured",
    "landmarks": "error measured at landmarks",
    "liver_dice": "overlap of the two liver masks",
    "other_starts": "other starts",
    "proof": "rigid or deformed between contrasts",
    "predicted_error": "predicted registration error",
    "rigid_only": "rigid map alone",
    "same_frame_of_reference": "same frame of reference",
    "second_opinion": "distance to SimpleITK's B-spline",
    "shared_field_of_view": "shared field of view",
    "vessels": "how far vessels drawn in both studies lie apart",
    "spread": "other answers, weighed",
}
"""The checks of a registration as a reader sees them."""


def check_name(check: Check) -> str:
    """Return what was looked at, in words."""
    return NAMES.get(check.name, check.name.replace("_", " "))


def check_value(check: Check) -> str:
    """Return a check's value as printed; a dash where it has none."""
    if check.value is None or not math.isfinite(check.value):
        return "-"
    match check.unit:
        case "fraction":
            return f"{words.percent(check.value)} %"
        case "ratio":
            return f"{check.value:.2f} of 1"
        case "times":
            return f"{check.value:.2f} times"
        case "mm":
            return f"{words.millimetres(check.value)} mm"
        case _:
            return f"{check.value:.3g} {check.unit}".strip()


def check_result(check: Check) -> str:
    """Return whether a check decided anything, in words."""
    if check.passed is None:
        return "shown only"
    if check.warned:
        return "check passed, with a warning"
    return "check passed" if check.passed else "check failed"
