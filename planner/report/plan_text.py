"""What a plan says: which limits hold, by how much and how likely. It never says that a plan may be carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import LesionAssessment
from planner.plan.course import Bearing, Course
from planner.plan.needle import Needle
from planner.plan.plan import Plan, PlannedLesion, Trial
from planner.plan.robust import Spread
from planner.plan.setting import MODELS, Setting
from planner.plan.slices import Slices
from planner.report import words
from planner.report.counts import counted
from planner.report.surroundings import structure_words

BANNER = (
    "A plan is a calculation on images: it does not say that a needle may be placed there, or that tissue will die."
)

SIGN = (
    "Margins are in millimetres: positive, the planned zone reaches that far beyond the tumour surface (towards liver);"
    " negative, the tumour surface lies that far outside the planned zone."
)

HEADS = (
    "Lesion", "Setting", "Planned minimal margin, mm", "Asked, mm", "P(at least asked)", "P(>= 0 mm)", "P(>= 5 mm)",
    "P(>= 10 mm)", "Of the target uncovered, ml", "Largest margin of one zone, mm",
)  # fmt: skip

METHOD = (
    "Planned zones are ellipsoids along their needles, of the size that the setting states; how they come out in tissue"
    " is not known. Their margins are measured as those of zones that were made: the signed distance at each point of"
    " the tumour's surface. The target is the tumour grown by the margin asked for, as far as there is"
    " liver. Distances to structures: positive apart, negative overlapping. What has no mask is unknown, not free."
)

COORDINATES = (
    "Points are given by their distances in mm from the origin of the planning scan's patient coordinates, each with"
    " its direction: R or L, A or P, S or I."
)

STANDS_FOR_POST = (
    "In the criteria and findings below, POST stands for the planning scan with the planned zones on it, and an"
    " ablation zone for a planned one."
)

TABLE_TERMS = "Angles hold for a patient who lies on the back: vertical is from front to back."


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A lesion's row of the table."""

    lesion_id: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedleText:
    """What is said of a needle: a heading, then sentences."""

    heading: str
    sentences: tuple[str, ...]


def plan_rows(plan: Plan) -> tuple[PlanRow, ...]:
    """Return a row for each lesion, its cells under `HEADS` from the second on."""
    return tuple(_row(*pair) for pair in zip(plan.lesions, plan.assessment.lesions, strict=True))


def planned_reading(measured: LesionAssessment) -> str:
    """Return what is planned for a lesion, in a few words."""
    margin = measured.margin
    if margin is None or margin.min_mm is None:
        return "no planned margin is known"
    return f"planned minimal margin {words.millimetres(margin.min_mm)} mm"


def lesion_sentences(lesion: PlannedLesion, measured: LesionAssessment) -> tuple[str, ...]:
    """Return what holds for a lesion, by how much and how likely; then what was tried."""
    return (
        *_margin_said(lesion, measured),
        _uncovered_said(lesion, measured),
        *((coverage_sentence(lesion.slices),) if lesion.slices.all else ()),
        *_chances_said(lesion),
        *map(_trial_said, lesion.trials),
    )


def coverage_sentence(slices: Slices) -> str:
    """Return how many slices of the planning scan have all of the target in a zone, and where most is left."""
    whole = sum(one.uncovered_mm2 <= 0.0 for one in slices.all)
    said = f"{whole} of {counted(len(slices.all), 'slice')} of the scan have all of the target in a zone"
    least = slices.least
    if least is None:
        return said
    at = f"{words.coordinate(least.at_mm, slices.axis)} mm (slice {least.index}, counted from 0)"
    return f"{said}; most is left at {at}: {words.percent(least.covered_share)} % of the target are covered there"


def needle_text(needle: Needle, course: Course) -> NeedleText:
    """Return what somebody at the CT table needs of a needle."""
    end = "the tip" if needle.setting.tip_beyond_mm is not None else "the middle of the zone"
    entry = "not planned" if needle.entry_lps_mm is None else words.point(needle.entry_lps_mm)
    depth = "" if needle.depth_mm is None else f"; depth from the entry {words.millimetres(needle.depth_mm)} mm"
    return NeedleText(
        f"Needle {needle.zone_id}, lesion {needle.lesion_id}: {needle.setting.label}",
        (
            f"Entry: {entry}. Target ({end}): {words.point(needle.target_lps_mm)}{depth}",
            f"Direction: {bearing_words(course.bearing)}",
            f"Zone {words.millimetres(needle.zone.length_mm)} x {words.millimetres(needle.zone.width_mm)} mm,"
            f" {words.millilitres(needle.zone.volume_ml)} ml, middle at {words.point(needle.zone.centre_lps_mm)}",
            *_course_said(course),
            setting_sentence(needle.setting),
        ),
    )


def bearing_words(bearing: Bearing) -> str:
    """Return a needle's direction in words: its angle in the axial plane, then its tilt out of it."""
    tilt = f"{abs(bearing.tilt_degrees):.1f} degrees out of the axial plane"
    end = "in the axial plane" if bearing.tip_end == "neither" else f"{tilt}, tip towards the {bearing.tip_end}"
    turn = bearing.from_vertical_degrees
    if turn is None:
        return f"along the patient, tip towards the {bearing.tip_end}"
    if bearing.tip_side == "neither":
        return f"{'straight from the front' if turn < 90.0 else 'straight from behind'}; {end}"
    whence = "from the front" if turn <= 90.0 else "from behind"
    least = min(turn, 180.0 - turn)
    return f"{least:.1f} degrees from vertical, {whence}, tip towards the patient's {bearing.tip_side}; {end}"


def setting_sentence(setting: Setting) -> str:
    """Return what a zone's size rests on."""
    counted = "" if setting.count is None else f", n = {setting.count}"
    source = "" if setting.source is None else f" Source: {setting.source.text}"
    note = f" {setting.note}" if setting.note else ""
    return f"Size of the zone: {MODELS[setting.model]}{counted}.{note}{source}".rstrip(".")


def spread_sentence(spread: Spread) -> str:
    """Return what a plan was tried against."""
    sds = (
        f"the needle {spread.tip_sd_mm:g} mm along each axis", f"the zone's radius {spread.radius_sd_mm:g} mm",
        f"the scan against the patient {spread.registration_sd_mm:g} mm along each axis",
        f"the liver from head to feet {spread.breathing_sd_mm:g} mm",
    )  # fmt: skip
    return (
        f"Chances are shares of {spread.draws} trials that differ from the plan by these standard deviations, which are"
        f" assumptions: {'; '.join(sds)}. Of several zones each needle is off and each zone is large or small by"
        " itself: whether zones of one device are too small together is not known"
    )


def plan_table_text(plan: Plan) -> str:
    """Return a plan as lines for a terminal."""
    lines = []
    for lesion, measured in zip(plan.lesions, plan.assessment.lesions, strict=True):
        lines.append(f"lesion {lesion.lesion_id}: " + "; ".join(n.setting.label for n in lesion.needles))
        lines += [f"  {one}" for one in lesion_sentences(lesion, measured)]
    for needle, course in zip(plan.needles, plan.courses, strict=True):
        said = needle_text(needle, course)
        lines += [said.heading, *(f"  {one}" for one in said.sentences[:2])]
    return "\n".join([*lines, spread_sentence(plan.spread)])


def _row(lesion: PlannedLesion, measured: LesionAssessment) -> PlanRow:
    margin = None if measured.margin is None else measured.margin.min_mm
    chances = {} if lesion.robustness is None else lesion.robustness.p_at_least
    largest = [trial.largest_mm for trial in lesion.trials if trial.largest_mm is not None]
    limits = (lesion.asked_mm, 0.0, 5.0, 10.0)
    return PlanRow(
        lesion.lesion_id,
        (
            "; ".join(needle.setting.label for needle in lesion.needles) or "no zone",
            words.millimetres(margin),
            f"{lesion.asked_mm:g}",
            *(f"{words.percent(chances[limit])} %" if limit in chances else words.UNKNOWN for limit in limits),
            words.millilitres(lesion.shortfall.uncovered_ml),
            words.millimetres(max(largest)) if largest else words.UNKNOWN,
        ),
    )


def _margin_said(lesion: PlannedLesion, measured: LesionAssessment) -> Iterator[str]:
    margin = measured.margin
    if margin is None or margin.min_mm is None:
        why = margin.reason if margin is not None and margin.reason else lesion.why_not_robust or "not measured"
        yield f"Planned minimal margin: not known ({why})"
        return
    definition = "to liver outside the zone" if margin.definition == "parenchymal" else "to the surface of the zone"
    short = margin.min_mm - lesion.asked_mm
    more = "more" if short >= 0 else "less"
    said = f"{words.millimetres(abs(short))} mm {more} than the {lesion.asked_mm:g} mm asked for"
    yield f"Planned minimal margin {words.millimetres(margin.min_mm)} mm ({definition}), {said}"


def _uncovered_said(lesion: PlannedLesion, measured: LesionAssessment) -> str:
    short = lesion.shortfall
    zone = "planned zones" if len(lesion.needles) > 1 else "planned zone"
    target = f"the tumour with {_target_words(lesion.asked_mm, measured)}"
    if short.where is None:
        return f"{target[:1].upper()}{target[1:]} lies in the {zone}"
    share = f"{words.millilitres(short.uncovered_ml)} ml ({words.percent(short.uncovered_share)} %)"
    return f"Of {target} {share} lie outside the {zone}, {short.where}"


def _target_words(asked_mm: float, measured: LesionAssessment) -> str:
    """Return what belongs to a target beside the tumour."""
    margin = measured.margin
    within = ", within the liver," if margin is not None and margin.definition == "parenchymal" else ""
    return f"{asked_mm:g} mm around it{within}"


def _chances_said(lesion: PlannedLesion) -> Iterator[str]:
    if lesion.robustness is None:
        yield f"Chances: not known ({lesion.why_not_robust})"
        return
    robust = lesion.robustness
    chances = ", ".join(f"{words.percent(p)} % for {limit:g} mm" for limit, p in sorted(robust.p_at_least.items()))
    yield f"Chance that the margin comes out at least so large: {chances}"
    for limit, share in sorted(robust.expected_covered.items()):
        yield f"Of the tumour with {limit:g} mm around it, {words.percent(share)} % are covered on average"
    yield _radius_said(lesion.needles, robust.radius_sds_mm)


def _radius_said(needles: Sequence[Needle], radius_sds_mm: Sequence[float]) -> str:
    if len(set(radius_sds_mm)) == 1:
        of = "the zone's" if len(needles) == 1 else "each zone's"
        return f"Standard deviation of {of} radius: {radius_sds_mm[0]:g} mm"
    each = ", ".join(f"zone {n.zone_id} {sd:g} mm" for n, sd in zip(needles, radius_sds_mm, strict=True))
    return f"Standard deviation of the zones' radii: {each}"


def _trial_said(trial: Trial) -> str:
    said, larger = f"Tried: {trial.setting.label}: one zone", f"would have to be {trial.scale:.2f} times as large"
    largest = words.millimetres(trial.largest_mm)
    if trial.largest_mm is None:
        return f"{said} holds it at no place, without any margin; for the margin asked it {larger}"
    if trial.scale <= 1.0:
        return f"{said} holds the target; its largest margin is {largest} mm"
    return f"{said} attains at most {largest} mm; for the margin asked it {larger}"


def _course_said(course: Course) -> Iterator[str]:
    if course.why_unknown:
        yield f"What the shaft passes: {course.why_unknown}"
        return
    near = [d for d in course.distances if d.mm is not None][:5]
    said = ", ".join(f"{structure_words(d.structure)} {words.millimetres(d.mm)} mm" for d in near)
    yield f"Nearest to the shaft, of what has a mask (negative: it goes through): {said or 'nothing has a mask'}"
    if course.outside_scan_mm:
        outside = words.millimetres(course.outside_scan_mm)
        yield f"{outside} mm of the shaft lie outside the scan: what lies there is unknown"
    if course.unknown:
        yield f"Unknown, not free (no mask): {_listed(course.unknown)}"


def _listed(roles: Sequence[str]) -> str:
    return ", ".join(structure_words(role) for role in roles)
