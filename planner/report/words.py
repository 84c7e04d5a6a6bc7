"""The words and rounded numbers that a reader sees. Nothing here advises to treat or not to treat."""

from __future__ import annotations

import math
from collections.abc import Iterable

from planner.assessment import LesionAssessment
from planner.measure.margin import Margin
from planner.register.alignment import Alignment, Check

UNKNOWN = "n/a"
"""Stands in a table for a value that is not known; the reason is printed below the table."""

BANNER = "Not a medical device. For research and audit only."

SIGN = (
    "Margins are in millimetres: positive, the ablation zone reaches that far beyond the tumour surface;"
    " negative, the tumour surface lies that far outside the zone (not covered on these images)."
)

COLUMNS_EXPLAINED = (
    "Minimal margin: the smallest over the tumour surface, to liver that was not ablated where a liver mask is known,"
    " else to the surface of the zone (geometric). 5 % quantile: 5 % of the surface, by area, has no larger margin."
    " P(>= 5 mm): probability that the true minimal margin is at least 5 mm, under the assumptions of the interval."
    " A value close to 0, 5 or 10 mm is printed with as many decimals as it takes to stay on its side."
)

PREDICTED = (
    "Predicted error: by how much the registration is expected to be off there (mean length in 3D), from how far other"
    " ways of registering lead elsewhere. No check can prove a registration; look at the pictures."
)

COMPLETE = "Every margin in the table could be measured."

COORDINATES = (
    "Points are given by their distances in mm from the origin of the post-ablation study's patient coordinates, each"
    " with its direction: R or L (the patient's right or left), A or P (anterior or posterior), S or I (superior or"
    " inferior)."
)

METHOD = (
    "The tumour of the pre-ablation study is carried into the post-ablation study by the registration. Surfaces are"
    " built below voxel size on each mask's own lattice. The margin is the signed distance at each point of the tumour"
    " surface."
)

METHOD_DISTANCES = "Distances to structures: positive apart, negative overlapping."

METHOD_PICTURES = (
    "Pictures are in radiological orientation: the patient's right is on the left of axial and coronal pictures,"
    " anterior on the left of sagittal ones. They show resampled images; nothing is measured on them."
)

CHECKERBOARDS = (
    "Checkerboards of the planes through the thin spot: squares of PRE, as registered, between squares of POST; small"
    " crosses mark their corners. Where the two are well registered, vessels and the liver's edge run on from square to"
    " square. A large difference from the margin by the rigid step alone means that the answer depends on how the liver"
    " was deformed."
)

EACH_SOURCE = (
    'Each source speaks for itself: there is no verdict over several of them, and none says what to do. "Short of" is'
    ' below what a source prefers, "outside" beyond what it accepts; where it draws no such line itself, the row says'
    " that the line is ours."
)

FLAGS = {
    "thick_slices": "slices are thicker than 3 mm, so the margin along the slice direction is coarse",
    "few_voxels_across": "the tumour is fewer than 5 voxels across along some axis, so its shape is coarse",
    "surface_fallback": "a contour could not be fitted, so a coarser surface stands in for it",
    "zone_holes": "the ablation mask has holes inside, which count as not ablated",
    "liver_sliver": "the margin hinges on a sliver of liver between zone and capsule that may be the contours' error",
    "liver_truncated": "the liver mask's volume ends before the zone does; the liver was taken to go on there",
    "truncated": "a contour reaches the border of its volume, so the structure may go on outside",
}

KINDS = {
    "identity": "none: the masks came aligned",
    "rigid": "rigid (rotation and shift)",
    "deformable": "deformable (rigid motion, then a local deformation)",
    "file": "a transform that was given as a file",
}

STATUS = {"assessed": "assessed", "not_assessable": "not assessable", "not_treated": "not treated"}

LIVER = {
    "post": "the liver mask of the post-ablation study",
    "pre": "the liver mask of the pre-ablation study, moved by the registration",
    "none": "no liver mask: margins are geometric",
}

FIELDS = {
    "margin": "margin",
    "margin.min_mm": "minimal margin",
    "margin.without_vessel_facing_mm": "minimal margin without the surface that faces a vessel",
    "margin.capsule_facing_fraction": "share of the surface that faces the capsule",
    "ablation_ml": "volume of the zone",
    "registration_error_mm": "registration error",
}

_DIRECTIONS = ("RL", "AP", "IS")
"""Towards which side each LPS axis runs where it is negative, and where it is positive."""

_LIMITS_MM = (0.0, 5.0, 10.0)
_MOST_PLACES = 4


def millimetres(value: float | None) -> str:
    """Return a length or margin to 0.1 mm, with more decimals where rounding would carry it over 0, 5 or 10."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    for places in range(1, _MOST_PLACES):
        rounded = round(value, places)
        if all((rounded >= limit) == (value >= limit) for limit in _LIMITS_MM):
            return _signed(value, places)
    return _signed(value, _MOST_PLACES)


def _signed(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0.0 and value >= 0 else text


def millilitres(value: float | None) -> str:
    """Return a volume with three decimals below 1 ml, two below 10 and one above."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    places = 3 if value < 1 else 2 if value < 10 else 1
    return f"{value:.{places}f}"


def percent(share: float | None) -> str:
    """Return a share as whole percent; "<1" and ">99" where rounding would make it none or all."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    if 0.0 < share < 0.01:
        return "<1"
    if 0.99 < share < 1.0:
        return ">99"
    return f"{100.0 * share:.0f}"


def point(lps_mm: Iterable[float] | None) -> str:
    """Return a patient point as "L 12.0 mm, A 3.5 mm, S 40.1 mm"."""
    if lps_mm is None:
        return UNKNOWN
    return ", ".join(f"{coordinate(value, axis)} mm" for axis, value in enumerate(lps_mm))


def coordinate(lps_mm: float, axis: int, places: int = 1) -> str:
    """Return one of the three coordinates of a point by its direction: "R 71.4" for -71.4 on the first axis."""
    rounded = round(float(lps_mm), places)
    return f"{_DIRECTIONS[axis][rounded >= 0]} {abs(rounded):.{places}f}"


def reading(lesion: LesionAssessment) -> str:
    """Return in a few words what the images show of a lesion's coverage."""
    margin = lesion.margin
    if lesion.status != "assessed" or margin is None:
        return STATUS[lesion.status]
    if margin.min_mm is None:
        return margin.reason or "no minimal margin"
    if margin.min_mm < 0:
        uncovered = "not covered on these images"
        if margin.interval is not None and margin.interval.high_mm >= 0:
            return f"{uncovered}; the interval reaches above 0"
        return uncovered
    covered = f"covered on these images, {_by_how_much(margin.min_mm)}"
    if margin.interval is not None and margin.interval.low_mm < 0:
        return f"{covered}; the interval reaches below 0"
    return covered


def _by_how_much(margin_mm: float) -> str:
    if margin_mm < 5.0:
        return "by 0 to below 5 mm"
    return "by 5 to below 10 mm" if margin_mm < 10.0 else "by 10 mm and more"


def margin_sentences(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return what was measured of a lesion's margin, in sentences."""
    margin = lesion.margin
    if margin is None:
        return ()
    return tuple(s for s in (_minimum(margin), _surface(margin), _vessels(margin), _capsule(margin)) if s)


def _minimum(margin: Margin) -> str:
    if margin.min_mm is None:
        return f"No minimal margin: {margin.reason}. Geometric minimum {millimetres(margin.geometric_min_mm)} mm."
    to = "to liver that was not ablated" if margin.definition == "parenchymal" else "to the surface of the zone"
    words = " (not covered on these images)" if margin.min_mm < 0 else ""
    place = f" on the {margin.direction} side of the tumour" if margin.direction else ""
    return (
        f"Minimal margin {millimetres(margin.min_mm)} mm{words}, measured {to},{place}"
        f" (at {point(margin.at_lps_mm)}). To the zone's surface alone (geometric):"
        f" {millimetres(margin.geometric_min_mm)} mm."
    )


def _surface(margin: Margin) -> str:
    shares = [
        f"{percent(share)} % below {limit:g} mm" for limit, share in sorted(margin.surface_fraction_below.items())
    ]
    if not shares:
        return ""
    quantiles = (
        f"; 1 % quantile {millimetres(margin.q01_mm)} mm, 5 % quantile {millimetres(margin.q05_mm)} mm,"
        f" median {millimetres(margin.median_mm)} mm"
    )
    return "Of the tumour surface, by area, " + ", ".join(shares) + quantiles + "."


def _vessels(margin: Margin) -> str:
    if margin.map.vessel_facing is None:
        return "No vessel mask was given, so vessels beside the tumour are not considered."
    if not margin.map.vessel_facing.any():
        return "No tumour surface lies within 5 mm of a vessel mask."
    rest = millimetres(margin.without_vessel_facing_mm)
    return f"Without the tumour surface within 5 mm of a vessel: {rest} mm."


def _capsule(margin: Margin) -> str:
    if margin.capsule_facing_fraction is None:
        return ""
    return f"{percent(margin.capsule_facing_fraction)} % of the tumour surface faces the liver capsule."


def coverage_sentences(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return how much of the tumour and of the tumour grown by a margin lies inside the zone, in sentences."""
    if lesion.coverage is None:
        return ()
    left = lesion.coverage.residual_ml
    first = f"Tumour volume outside the zone on these images: {millilitres(left)} ml."
    grown = ", ".join(
        f"{percent(share)} % with {growth:g} mm" for growth, share in sorted(lesion.coverage.target_covered.items())
    )
    return (first, f"Share of the tumour grown by a margin that lies inside the zone: {grown}.") if grown else (first,)


def size_sentences(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return how large the tumour and the zones that treat it are, in a sentence."""
    zones = f"zone {', '.join(lesion.zones)}: {millilitres(lesion.ablation_ml)} ml" if lesion.zones else "no zone"
    return (
        f"Tumour {millilitres(lesion.tumour_ml)} ml, largest diameter {millimetres(lesion.max_diameter_mm)} mm"
        f" ({millimetres(lesion.max_axial_diameter_mm)} mm in an axial plane); {zones}.",
        *(f"{text[0].upper()}{text[1:]}." for text in lesion.treatment.sentences()),
    )


def field_words(field: str) -> str:
    """Return what a field of the result holds, in words; of one without words of its own its name."""
    return FIELDS.get(field, field.rpartition(".")[2].replace("_", " "))


def flag_sentence(flag: str) -> str:
    """Return a flag in words; one without words of its own as it is."""
    return FLAGS.get(flag, flag.replace("_", " "))


def alignment_sentence(alignment: Alignment) -> str:
    """Return how the studies were aligned and whether the checks held, in a sentence."""
    kind, doubt = KINDS[alignment.kind], _said_of(alignment)
    failed = [f"zone {zone}" for zone, checks in alignment.zone_checks.items() if _any_failed(checks)]
    if not alignment.passed:
        failed.insert(0, "the case as a whole")
    if failed:
        return f"Alignment: {kind}. A check failed for {', '.join(failed)}.{doubt}"
    checks = [*alignment.checks, *(check for zone in alignment.zone_checks.values() for check in zone)]
    decided = any(check.passed is not None for check in checks)
    warned = [f"zone {zone}" for zone, of_zone in alignment.zone_checks.items() if any(c.warned for c in of_zone)]
    held = f"No check failed, with a warning for {', '.join(warned)}." if warned else "No check failed."
    return f"Alignment: {kind}. {held if decided else 'Nothing was checked that could fail.'}{doubt}"


SAID = ("given_error", "proof", "contrast")
"""Checks a reader meets beside the alignment: what nobody measured, and how two contrasts were brought together."""


def _said_of(alignment: Alignment) -> str:
    return "".join(f" {check.text[:1].upper()}{check.text[1:]}." for check in alignment.checks if check.name in SAID)


def _any_failed(checks: Iterable[Check]) -> bool:
    return any(check.passed is False for check in checks)
