"""Changes of tissue, and the margins under assumptions that no image can test, in a reader's words."""

from __future__ import annotations

from dataclasses import dataclass

from planner.assessment import LesionAssessment
from planner.measure.sensitivity import Sensitivity
from planner.measure.tissue import FARTHEST_MM, NEAREST_MM
from planner.report import words

ASSUMPTIONS = {
    "zone_shrunk_by_10_percent": "if the zone had shrunk by 10 % of its volume since the pre-ablation study, unseen",
    "zone_swollen_by_10_percent": "if the zone had swollen by 10 % of its volume since the pre-ablation study, unseen",
}


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """One assumption as printed, mm: what is assumed, the minimal margin then, and why it is not known."""

    assumption: str
    min_mm: str
    reason: str


def sensitivity_rows(lesion: LesionAssessment) -> tuple[SensitivityRow, ...]:
    """Return the rows of a lesion's assumptions, the measured margin first."""
    margin = lesion.margin
    measured = None if margin is None else margin.min_mm
    first = SensitivityRow("as measured: no unseen change", words.millimetres(measured), "")
    return (first, *(_row(one) for one in lesion.sensitivity))


def _row(one: Sensitivity) -> SensitivityRow:
    return SensitivityRow(_assumption(one), words.millimetres(one.min_mm), one.reason or "")


def _assumption(one: Sensitivity) -> str:
    return ASSUMPTIONS.get(one.assumption, one.assumption.replace("_", " "))


def assumed_sentences(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return a lesion's assumptions in a sentence; nothing where none of them has a margin."""
    known = [one for one in lesion.sensitivity if one.min_mm is not None]
    if not known:
        return ()
    parts = "; ".join(f"{_assumption(one)}, {words.millimetres(one.min_mm)} mm" for one in known)
    return (f"Assumptions, not corrections; minimal margin in the tissue as it was before: {parts}.",)


def tissue_sentences(lesion: LesionAssessment, days: float | None) -> tuple[str, ...]:
    """Return by how much tissue around a lesion's zones has changed, and how long after the ablation."""
    when = f"Days since the ablation: {'not known' if days is None else f'{days:g}'}."
    found = lesion.tissue
    if found.surroundings_percent is None:
        return (f"Change of the liver's volume around the zone: not known ({found.reason}). {when}",)
    band = f"The liver {NEAREST_MM:.0f} to {FARTHEST_MM:.0f} mm from the zone"
    around = (
        f"{band} {_changed(found.surroundings_percent)}, as the registration found. It prefers maps that keep volumes,"
        f" so a real change may be larger; a zone can also shrink while the liver around it only moves in. {when}"
    )
    inside = "" if found.zone_percent is None else (
        f"What lies inside the zone {_changed(found.zone_percent)} by that map: carried over by smoothness, not"
        " seen. Nothing was corrected by either."
    )  # fmt: skip
    return tuple(sentence for sentence in (around, inside) if sentence)


def _changed(percent: float) -> str:
    if abs(percent) < 0.05:
        return "has kept its volume (0.0 %)"
    return f"has {'shrunk' if percent < 0 else 'swollen'} ({percent:+.1f} %)"
