"""What the published relation says of each lesion, with what holds for all of them said once."""

from __future__ import annotations

from dataclasses import dataclass

from planner.assessment import Assessment, LesionAssessment
from planner.report import words
from planner.report.answer import band, interval_words, least_first, min_mm
from planner.report.held_against import risk_sentences
from planner.report.risk import beside_section


@dataclass(frozen=True, slots=True)
class ProgressionRow:
    """A lesion's hazard in words, with what is said of this lesion alone."""

    lesion_id: str
    band: str
    margin: str
    interval: str
    said: str
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progression:
    """The relation of margin and local tumour progression: a row per lesion, and for whom it holds."""

    rows: tuple[ProgressionRow, ...]
    validity: tuple[str, ...]


def progression(assessment: Assessment) -> Progression | None:
    """Return what the relation says; None where none was asked."""
    lesions = [lesion for lesion in sorted(assessment.lesions, key=least_first) if lesion.risk is not None]
    if not lesions:
        return None
    notes = [_notes(lesion) for lesion in lesions]
    common = tuple(note for note in notes[0] if all(note in of_lesion for of_lesion in notes))
    rows = (_row(lesion, [n for n in own if n not in common]) for lesion, own in zip(lesions, notes, strict=True))
    return Progression(tuple(rows), common)


def _notes(lesion: LesionAssessment) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*risk_sentences(lesion)[1:], *beside_section(lesion).validity)))


def _row(lesion: LesionAssessment, own: list[str]) -> ProgressionRow:
    least = min_mm(lesion)
    return ProgressionRow(
        lesion.lesion_id, band(least), words.millimetres(least), interval_words(lesion), risk_sentences(lesion)[0],
        tuple(own),
    )  # fmt: skip
