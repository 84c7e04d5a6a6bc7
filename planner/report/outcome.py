"""What became of a lesion's plan, in sentences: what was planned, what was achieved, and where margin was lost."""

from __future__ import annotations

from collections.abc import Iterator

from planner.assessment import LesionAssessment
from planner.measure.achieved import Achieved, PlanOutcome
from planner.report import words
from planner.report.answer import min_mm

NO_JUDGEMENT = (
    "A zone that was made need not be the one that was planned: settings and needles may have been changed for good"
    " reasons, and heated tissue shrinks."
)


def outcome_sentences(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return what became of a lesion's plan; empty where none was given."""
    outcome = lesion.planned
    if outcome is None:
        return ()
    found = [*_margins(outcome, min_mm(lesion)), *_lost(outcome)]
    if outcome.achieved is not None:
        found += _achieved(outcome.achieved)
    if outcome.reason:
        found.append(f"Not known: {outcome.reason}.")
    return (*found, NO_JUDGEMENT) if outcome.zones else tuple(found)


def _margins(outcome: PlanOutcome, achieved_mm: float | None) -> Iterator[str]:
    if outcome.planned_min_mm is not None:
        planned, achieved = words.millimetres(outcome.planned_min_mm), words.millimetres(achieved_mm)
        yield f"Minimal margin planned {planned} mm, achieved {achieved} mm."


def _lost(outcome: PlanOutcome) -> Iterator[str]:
    if outcome.lost_mm is None or outcome.lost_share is None:
        return
    if outcome.lost_mm <= 0.0:
        yield "Nowhere on the tumour surface was less margin achieved than planned."
        return
    lost, share = words.millimetres(outcome.lost_mm), words.percent(outcome.lost_share)
    yield (
        f"Most margin was lost on the {outcome.lost_where} side of the tumour: {lost} mm less than planned"
        f" (at {words.point(outcome.lost_at_lps_mm)}). On {share} % of the surface less was achieved than planned."
    )


def _achieved(found: Achieved) -> Iterator[str]:
    way = "deeper" if found.along_needle_mm >= 0 else "less deep"
    yield (
        f"The achieved zone against the planned one, as registered: Dice {found.dice:.2f}, surfaces"
        f" {words.millimetres(found.mean_apart_mm)} mm apart on average (95 % of them at most"
        f" {words.millimetres(found.p95_apart_mm)} mm), centre {words.millimetres(found.centre_off_mm)} mm off"
        f" ({words.millimetres(abs(found.along_needle_mm))} mm {way} along the planned needle,"
        f" {words.millimetres(found.across_needle_mm)} mm across it){_axis(found)}."
    )
    yield (
        f"It is {words.millimetres(found.length_mm)} mm long and {words.millimetres(found.width_mm)} mm wide:"
        f" {100.0 * found.length_ratio:.0f} % and {100.0 * found.width_ratio:.0f} % of what was planned,"
        f" {100.0 * found.volume_ratio:.0f} % of its volume."
    )


def _axis(found: Achieved) -> str:
    return "" if found.axis_off_degrees is None else f", long axis turned by {found.axis_off_degrees:.0f} degrees"
