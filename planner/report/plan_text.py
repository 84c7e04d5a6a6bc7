"""What a plan says: which limits hold, by how much and how likely. It never says that a plan may be carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import LesionAssessment
from planner.plan.needle import Needle
from planner.plan.plan import Plan, PlannedLesion, Shortfall, Trial
from planner.plan.robust import Spread
from planner.plan.slices import Slices
from planner.report import words
from planner.report.counts import counted
from planner.report.needle_text import needle_text
from planner.report.surroundings import structure_words
from planner.surroundings import CAPSULE

BANNER = (
    "A plan is a calculation on images: it does not say that a needle may be placed there, or that tissue will die."
)

SIGN = (
    "Margins are in millimetres: positive, the planned zone reaches that far beyond the tumour surface (towards liver);"
    " negative, the tumour surface lies that far outside the planned zone."
)

LIMITS_MM = (0.0, 5.0, 10.0)

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


def plan_heads(plan: Plan) -> tuple[str, ...]:
    """Return the heads of the table of lesions."""
    asked = {lesion.asked_mm for lesion in plan.lesions}
    chances = (f"Chance of {limit:g} mm or more{', as asked' if limit in asked else ''}" for limit in _limits(plan))
    return (
        "Lesion", "Setting", "Planned minimal margin, mm", *chances, "Of the target uncovered, ml",
        "Largest margin of one such zone, mm",
    )  # fmt: skip


def plan_rows(plan: Plan) -> tuple[PlanRow, ...]:
    """Return a row for each lesion, its cells under `plan_heads` from the second on."""
    return tuple(_row(*pair, _limits(plan)) for pair in zip(plan.lesions, plan.assessment.lesions, strict=True))


def _limits(plan: Plan) -> tuple[float, ...]:
    return tuple(sorted({*LIMITS_MM, *(lesion.asked_mm for lesion in plan.lesions)}))


def planned_reading(lesion: PlannedLesion, measured: LesionAssessment) -> str:
    """Return what is planned for a lesion, and how likely, in a few words."""
    margin = measured.margin
    if lesion.shortfall is None or margin is None or margin.min_mm is None:
        return "nothing is planned for it" if not measured.zones else "no planned margin is known"
    least = words.millimetres(margin.min_mm)
    if not lesion.needles:
        return f"nothing is planned for it; minimal margin {least} mm of what was made before"
    said = f"planned minimal margin {least} mm"
    if lesion.robustness is None:
        return said
    return f"{said}, {lesion.asked_mm:g} mm or more with a chance of {_chance(lesion, lesion.asked_mm)}"


def lesion_sentences(lesion: PlannedLesion, measured: LesionAssessment) -> tuple[str, ...]:
    """Return what holds for a lesion, by how much and how likely; what its zones meet; then what was tried."""
    if lesion.shortfall is None:
        return (
            f"Neither margin, coverage nor chances are known: {lesion.why_not_robust}",
            *_met_said(measured),
        )
    return (
        *_margin_said(lesion, measured),
        *_made_said(lesion, measured),
        _uncovered_said(lesion, measured, lesion.shortfall),
        *((coverage_sentence(lesion.slices),) if lesion.slices.all else ()),
        *_chances_said(lesion),
        *_met_said(measured),
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


def _row(lesion: PlannedLesion, measured: LesionAssessment, limits: Sequence[float]) -> PlanRow:
    margin = None if lesion.shortfall is None or measured.margin is None else measured.margin.min_mm
    own = {needle.setting for needle in lesion.needles}
    largest = [one.largest_mm for one in lesion.trials if one.largest_mm is not None and one.setting in own]
    return PlanRow(
        lesion.lesion_id,
        (
            "; ".join(needle.setting.label for needle in lesion.needles) or "no zone",
            words.millimetres(margin),
            *(_chance(lesion, limit) for limit in limits),
            words.UNKNOWN if lesion.shortfall is None else _uncovered_ml(lesion.shortfall),
            words.millimetres(max(largest)) if largest else words.UNKNOWN,
        ),
    )


def _chance(lesion: PlannedLesion, limit_mm: float) -> str:
    chances = {} if lesion.robustness is None else lesion.robustness.p_at_least
    return f"{words.percent(chances[limit_mm])} %" if limit_mm in chances else words.UNKNOWN


def _uncovered_ml(short: Shortfall) -> str:
    return "none" if short.where is None else words.millilitres(short.uncovered_ml)


def _margin_said(lesion: PlannedLesion, measured: LesionAssessment) -> Iterator[str]:
    margin = measured.margin
    if margin is None or margin.min_mm is None:
        yield f"Planned minimal margin: not known ({lesion.why_not_robust or 'not measured'})"
        return
    definition = "to liver outside the zone" if margin.definition == "parenchymal" else "to the surface of the zone"
    short = margin.min_mm - lesion.asked_mm
    more = "more" if short >= 0 else "less"
    said = f"{words.millimetres(abs(short))} mm {more} than the {lesion.asked_mm:g} mm asked for"
    lead = "Planned minimal margin" if lesion.needles else "Minimal margin of the zones made before"
    yield f"{lead} {words.millimetres(margin.min_mm)} mm ({definition}), {said}"


def _made_said(lesion: PlannedLesion, measured: LesionAssessment) -> Iterator[str]:
    """Yield that zones were made before, and that they count."""
    planned = {needle.zone_id for needle in lesion.needles}
    made = [zone for zone in measured.zones if zone not in planned]
    if not made:
        return
    zones = f"zone{'s' if len(made) > 1 else ''} {', '.join(made)}"
    if not lesion.needles:
        yield f"Nothing is planned for it: what was made before ({zones}) is all that is measured here"
        return
    yield f"Margin, coverage and chances are those of the planned zones together with what was made before ({zones})"
    yield "What was made before is taken as it was segmented: the chances allow for no error of its contours"


def _uncovered_said(lesion: PlannedLesion, measured: LesionAssessment, short: Shortfall) -> str:
    zone = "zones" if len(measured.zones) > 1 else "zone"
    target = f"the tumour{_target_words(lesion.asked_mm, measured)}"
    if short.where is None:
        return f"{target[:1].upper()}{target[1:]} lies in the {zone}, if all comes out as planned"
    share = f"{words.millilitres(short.uncovered_ml)} ml ({words.percent(short.uncovered_share)} %)"
    return f"Of {target} {share} lie outside the {zone}, {short.where}"


def _met_said(measured: LesionAssessment) -> Iterator[str]:
    """Yield what the zones reach into, of what has a mask."""
    met = [d for d in measured.distances if d.from_ == "ablation" and d.mm is not None and d.mm < 0.0]
    beyond = [d for d in met if d.structure == CAPSULE]
    into = sorted((d for d in met if d.structure != CAPSULE), key=lambda d: d.mm or 0.0)
    if into:
        said = ", ".join(f"{structure_words(d.structure)} {words.millimetres(abs(d.mm or 0.0))} mm" for d in into)
        yield f"The zone reaches into: {said} (how deep the two overlap)"
    if beyond:
        yield f"The zone reaches {words.millimetres(abs(beyond[0].mm or 0.0))} mm beyond the liver"


def _target_words(asked_mm: float, measured: LesionAssessment) -> str:
    """Return what belongs to a target beside the tumour."""
    if asked_mm <= 0.0:
        return ""
    margin = measured.margin
    within = ", within the liver," if margin is not None and margin.definition == "parenchymal" else ""
    return f" with {asked_mm:g} mm around it{within}"


def _chances_said(lesion: PlannedLesion) -> Iterator[str]:
    if lesion.robustness is None:
        yield f"Chances: not known ({lesion.why_not_robust})"
        return
    robust = lesion.robustness
    chances = ", ".join(f"{words.percent(p)} % for {limit:g} mm" for limit, p in sorted(robust.p_at_least.items()))
    yield f"Chance that the margin comes out at least so large: {chances}"
    for limit, share in sorted(robust.expected_covered.items()):
        target = f"the tumour with {limit:g} mm around it" if limit > 0.0 else "the tumour"
        yield f"Of {target} {words.percent(share)} % are covered on average"
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
        return f"{said} holds the target; placed for that, its largest margin is {largest} mm"
    return f"{said} attains at most {largest} mm; for the margin asked it {larger}"
