"""What a reader needs beside a lesion's margin to judge its registration."""

from __future__ import annotations

from planner.assessment import LesionAssessment
from planner.register.alignment import Alignment, Check
from planner.report import words
from planner.report.answer import band, min_mm
from planner.report.counts import counted

TOLD = {"vessels": "borders of vessels drawn in both studies lie {value} mm apart around the zone (median)"}
"""Values that a reader can check on the pictures."""


def registration_sentences(lesion: LesionAssessment, alignment: Alignment) -> tuple[str, ...]:
    """Return how many checks passed at a lesion, what vessels show, and what the rigid step alone would give."""
    checks = [*alignment.checks, *(check for zone in lesion.zones for check in alignment.zone_checks.get(zone, ()))]
    return tuple(said for said in (_counted(checks), *_values(checks), _by_rigid(lesion, alignment)) if said)


def _counted(checks: list[Check]) -> str:
    decided = [check for check in checks if check.passed is not None]
    if not decided:
        return ""
    failed, warned = sum(check.passed is False for check in decided), sum(check.warned for check in decided)
    said = f"{len(decided) - failed} of {counted(len(decided), 'check')} that can fail passed"
    return f"{said}{f', {warned} with a warning' if warned else ''}."


def _values(checks: list[Check]) -> tuple[str, ...]:
    found = [(TOLD[check.name], check.value) for check in checks if check.name in TOLD and check.value is not None]
    return tuple(f"{said[:1].upper()}{said[1:]}.".format(value=words.millimetres(value)) for said, value in found)


def _by_rigid(lesion: LesionAssessment, alignment: Alignment) -> str:
    """Return what the margin would be without the deformation; empty where there is none to leave out."""
    least, rigid = min_mm(lesion), lesion.rigid_min_mm
    if alignment.kind != "deformable" or least is None or rigid is None:
        return ""
    interval = None if lesion.margin is None else lesion.margin.interval
    same = "same band" if band(rigid) == band(least) else "another band"
    apart = interval is not None and not interval.low_mm <= rigid <= interval.high_mm
    outside = ", outside the interval: the answer depends on how the liver was deformed" if apart else ""
    return f"By the rigid step alone the minimal margin would be {words.millimetres(rigid)} mm ({same}{outside})."
