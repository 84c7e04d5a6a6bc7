"""The table that answers first: one row per lesion, the least margin first, with the doubt beside the number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from planner.assessment import Assessment, Distance, LesionAssessment
from planner.case import VESSELS
from planner.inventory import MAJOR_DUCTS, UNDIVIDED_DUCT
from planner.measure.margin import THRESHOLDS_MM
from planner.register.alignment import Alignment
from planner.report import words
from planner.report.criterion import lesion_words
from planner.report.surroundings import structure_words

Gate = Literal["passed", "warned", "failed", "unchecked", "none"]
"""How the checks of a registration went where a lesion lies; "none" where no zone treats it."""

GATES: dict[Gate, str] = {
    "passed": "no check failed",
    "warned": "passed, with a warning",
    "failed": "a check failed",
    "unchecked": "nothing checked that could fail",
    "none": "not judged: no zone treats it",
}


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a column: identifier, heading and unit."""

    key: str
    heading: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row says under a head, and a second line that qualifies it ("" without)."""

    key: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A lesion's row: its cells in the order of the heads, the band of its margin and how its registration went."""

    lesion_id: str
    band: str
    gate: Gate
    cells: tuple[Cell, ...]
    flags: tuple[str, ...]


HEADS = (
    Head("lesion_id", "Lesion"),
    Head("min_mm", "Minimal margin", "mm"),
    Head("ci95_mm", "95 % interval", "mm"),
    Head("direction", "Thin spot", "side of the tumour"),
    Head("below_0", "Surface < 0 mm", "%"),
    Head("below_5", "Surface < 5 mm", "%"),
    Head("below_10", "Surface < 10 mm", "%"),
    Head("registration_error_mm", "Registration error", "mm, predicted"),
    Head("tumour_ml", "Tumour", "ml"),
    Head("ablation_ml", "Zone", "ml"),
    Head("vessel", "Nearest vessel", "mm from the tumour"),
    Head("duct", "Nearest bile duct", "mm from the tumour"),
    Head("capsule", "Faces the capsule", "% of its surface"),
)

EXPLAINED = (
    "Least margin first. Interval: where the true minimal margin lies with 95 % probability, if the assumed errors are"
    " right. Surface: share of the tumour surface, by area, whose margin is below the limit. Vessel and bile duct: the"
    " nearest of those that were drawn; below them, in small print, the same from the ablation zone."
)

_BANDS = ((0.0, "below-0"), (5.0, "below-5"), (10.0, "below-10"))


def flag_sentences(rows: Sequence[AnswerRow]) -> tuple[str, ...]:
    """Return what to keep in mind of the rows, each flag once with the lesions that it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        for flag in row.flags:
            about.setdefault(flag, []).append(row.lesion_id)
    return tuple(f"Of {lesion_words(ids)}: {flag}." for flag, ids in about.items())


def assumed_sentence(assessment: Assessment) -> str:
    """Return what the intervals in the table rest on, in a sentence; empty without an interval."""
    found = [lesion.margin.interval for lesion in assessment.lesions if lesion.margin is not None]
    doubts = [interval.assumed for interval in found if interval is not None]
    if not doubts:
        return ""
    contours = [sd for one in doubts for sd in (one.tumour_contour_sd_mm, one.zone_contour_sd_mm)]
    low, high = words.millimetres(min(contours)), words.millimetres(max(contours))
    return (
        f"The intervals assume contour errors (standard deviation) of {low if low == high else f'{low} to {high}'} mm"
        " and the registration error of each row. That tissue shrinks after heat is not in them: see each lesion."
    )


def answer_rows(assessment: Assessment) -> tuple[AnswerRow, ...]:
    """Return a row per lesion: the least margin first, lesions without one last, else in their own order."""
    return tuple(_row(lesion, assessment.alignment) for lesion in sorted(assessment.lesions, key=least_first))


def least_first(lesion: LesionAssessment) -> tuple[bool, float]:
    """Return what sorts lesions: the least margin first, those without one last."""
    least = min_mm(lesion)
    return least is None, 0.0 if least is None else least


def min_mm(lesion: LesionAssessment) -> float | None:
    """Return the minimal margin of a lesion, mm: + covered, - not covered; None without one."""
    return None if lesion.margin is None else lesion.margin.min_mm


def band(margin_mm: float | None) -> str:
    """Return the name of the band (below 0, 5, 10 mm, or beyond) that a margin falls in; "unknown" without one."""
    if margin_mm is None:
        return "unknown"
    return next((name for limit, name in _BANDS if margin_mm < limit), "from-10")


def gate_of(lesion: LesionAssessment, alignment: Alignment) -> Gate:
    """Return how the checks of the case and of the zones that treat a lesion went: the worst of them."""
    verdicts = {alignment.verdict(zone) for zone in lesion.zones}
    if "fail" in verdicts or not alignment.passed:
        return "failed"
    if not lesion.zones:
        return "none"
    if "warn" in verdicts:
        return "warned"
    checks = [*alignment.checks, *(check for zone in lesion.zones for check in alignment.zone_checks.get(zone, ()))]
    return "passed" if any(check.passed is not None for check in checks) else "unchecked"


def _row(lesion: LesionAssessment, alignment: Alignment) -> AnswerRow:
    margin, gate = lesion.margin, gate_of(lesion, alignment)
    shares = {} if margin is None else margin.surface_fraction_below
    cells = (
        Cell("lesion_id", lesion.lesion_id),
        Cell("min_mm", words.millimetres(min_mm(lesion)), words.reading(lesion)),
        Cell("ci95_mm", interval_words(lesion)),
        Cell("direction", words.UNKNOWN if margin is None else margin.direction or words.UNKNOWN),
        *(Cell(f"below_{limit:g}", words.percent(shares.get(limit))) for limit in THRESHOLDS_MM),
        Cell("registration_error_mm", words.millimetres(lesion.registration_error_mm), GATES[gate]),
        Cell("tumour_ml", words.millilitres(lesion.tumour_ml)),
        Cell("ablation_ml", words.millilitres(lesion.ablation_ml)),
        _nearest("vessel", lesion.distances, VESSELS, "no vessel drawn"),
        _nearest("duct", lesion.distances, (*MAJOR_DUCTS, UNDIVIDED_DUCT), "no bile duct drawn"),
        _capsule(lesion),
    )
    flags = () if margin is None else tuple(words.flag_sentence(flag) for flag in margin.flags)
    return AnswerRow(lesion.lesion_id, band(min_mm(lesion)), gate, cells, flags)


def interval_words(lesion: LesionAssessment) -> str:
    """Return the 95 % interval of a lesion's minimal margin as "0.4 to 4.7"."""
    margin = lesion.margin
    if margin is None or margin.min_mm is None or margin.interval is None:
        return words.UNKNOWN
    return f"{words.millimetres(margin.interval.low_mm)} to {words.millimetres(margin.interval.high_mm)}"


def _nearest(key: str, distances: Sequence[Distance], roles: Iterable[str], absent: str) -> Cell:
    """Return the nearest structure of some roles from the tumour, and below it the nearest from the zone."""
    wanted = set(roles)
    known = [d for d in distances if d.structure in wanted and d.mm is not None]
    if not known:
        measured = any(d.structure in wanted for d in distances)
        return Cell(key, words.UNKNOWN, "drawn, but not measured" if measured else absent)
    tumour, zone = (_least([d for d in known if d.from_ == start]) for start in ("tumour", "ablation"))
    first = structure_words(tumour.structure) if tumour is not None else ""
    other = f" ({structure_words(zone.structure)})" if zone is not None and zone.structure != _role(tumour) else ""
    from_zone = f"zone: {_said(zone)}{other}" if zone is not None else ""
    text = _said(tumour) if tumour is not None else words.UNKNOWN
    return Cell(key, text, "; ".join(part for part in (first, from_zone) if part))


def _role(distance: Distance | None) -> str:
    return "" if distance is None else distance.structure


def _least(distances: Sequence[Distance]) -> Distance | None:
    return min(distances, key=lambda d: d.mm if d.mm is not None else 0.0, default=None)


def _said(distance: Distance) -> str:
    apart = words.millimetres(distance.mm)
    overlapping = "overlapping, " if distance.mm is not None and distance.mm < 0 else ""
    return f"{overlapping}{apart}"


def _capsule(lesion: LesionAssessment) -> Cell:
    margin = lesion.margin
    share = None if margin is None else margin.capsule_facing_fraction
    if share is None:
        without = margin is not None and margin.definition == "geometric"
        return Cell("capsule", words.UNKNOWN, "no liver mask" if without else "")
    return Cell("capsule", "no" if share == 0.0 else words.percent(share))
