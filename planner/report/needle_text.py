"""What somebody at the CT table needs of a needle: where it goes, from where, and what it passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.plan.course import Bearing, Course
from planner.plan.needle import Needle
from planner.plan.setting import MODELS, Setting
from planner.report import words
from planner.report.surroundings import structure_words


@dataclass(frozen=True, slots=True)
class NeedleText:
    """What is said of a needle: a heading, then sentences."""

    heading: str
    sentences: tuple[str, ...]


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
