"""The impression: what a reader must know first, in a few sentences, before any table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from planner.assessment import Assessment, Distance, LesionAssessment
from planner.case import VESSELS
from planner.guideline.judge import Judged
from planner.measure.margin import THRESHOLDS_MM, VESSEL_FACING_MM
from planner.report import words
from planner.report.answer import GATES, Gate, band, gate_of, interval_words, least_first, min_mm
from planner.report.counts import counted
from planner.report.criterion import lesion_words, verdicts_of
from planner.report.held_against import missing_sentence
from planner.report.surroundings import structure_words

UNTOLD = ("skin", "diaphragm", "liver_capsule", "capsule")
"""Structures that a zone in the liver's edge meets by its place; their distances stand with the lesion."""

MOST_LESIONS = 4
"""Lesions that the impression tells one by one; the others are counted."""

BANDS = {
    "below-0": "not covered on these images (margin below 0 mm)",
    "below-5": "covered by 0 to below 5 mm",
    "below-10": "covered by 5 to below 10 mm",
    "from-10": "covered by 10 mm and more",
}

_GATES_TOLD: tuple[Gate, ...] = ("failed", "warned", "unchecked", "passed")


def impression(assessment: Assessment) -> tuple[str, ...]:
    """Return the impression, sentence by sentence: how many lesions in which band, each of the worst, and how sure."""
    lesions = sorted(assessment.lesions, key=least_first)
    if not lesions:
        return ("No lesions.",)
    return (
        _counts(lesions),
        *(_lesion(lesion, assessment.judged) for lesion in lesions[:MOST_LESIONS]),
        *(_further(lesions[MOST_LESIONS:])),
        _registration(lesions, assessment),
        *(said for said in (missing_sentence(assessment),) if said),
    )


def _counts(lesions: Sequence[LesionAssessment]) -> str:
    in_band = Counter(band(min_mm(lesion)) for lesion in lesions if min_mm(lesion) is not None)
    status = Counter(lesion.status for lesion in lesions)
    without = sum(lesion.status == "assessed" and min_mm(lesion) is None for lesion in lesions)
    said = [f"{in_band[name]} {what}" for name, what in BANDS.items() if in_band[name]]
    if without:
        said.append(f"{without} without a minimal margin")
    if status["not_treated"]:
        said.append(f"{status['not_treated']} not treated (no ablation zone meets it)")
    if status["not_assessable"]:
        said.append(f"{status['not_assessable']} not assessable")
    return f"{counted(len(lesions), 'lesion')}: {', '.join(said)}."


def _lesion(lesion: LesionAssessment, judged: Sequence[Judged]) -> str:
    least, margin = min_mm(lesion), lesion.margin
    if least is None or margin is None:
        return f"Lesion {lesion.lesion_id}: {'; '.join((words.reading(lesion), *_reasons(lesion)))}."
    parts = [
        f"minimal margin {words.millimetres(least)} mm{_outside(least)} ({_doubt(lesion)})",
        *((f"thin spot {margin.direction}",) if margin.direction else ()),
        *_uncovered(lesion),
        *_beside(lesion),
        *_outside_criteria(lesion, judged),
    ]
    return f"Lesion {lesion.lesion_id}: {'; '.join(parts)}."


def _outside(least_mm: float) -> str:
    return ", not covered on these images" if least_mm < 0 else ""


def _reasons(lesion: LesionAssessment) -> Iterator[str]:
    """Yield why a lesion has no margin, once each."""
    yield from dict.fromkeys(reason.text for reason in lesion.reasons if reason.field in (None, "margin"))


def _doubt(lesion: LesionAssessment) -> str:
    """Return the interval, and which of the limits it lies between or reaches across."""
    margin = lesion.margin
    if margin is None or margin.interval is None:
        return "no interval was computed"
    return f"95 % interval {interval_words(lesion)} mm, {_between(margin.interval.low_mm, margin.interval.high_mm)}"


def _between(low_mm: float, high_mm: float) -> str:
    across = [f"{limit:g}" for limit in THRESHOLDS_MM if low_mm < limit <= high_mm]
    if across:
        return f"which reaches across {' and '.join(across)} mm"
    below = [limit for limit in THRESHOLDS_MM if limit <= low_mm]
    above = [limit for limit in THRESHOLDS_MM if limit > high_mm]
    if below and above:
        return f"all of it from {below[-1]:g} to below {above[0]:g} mm"
    return f"all of it below {above[0]:g} mm" if above else f"all of it {below[-1]:g} mm and more"


def _uncovered(lesion: LesionAssessment) -> Iterator[str]:
    margin = lesion.margin
    share = None if margin is None else margin.surface_fraction_below.get(0.0)
    if share:
        yield f"{words.percent(share)} % of its surface is not covered"


def _beside(lesion: LesionAssessment) -> Iterator[str]:
    """Yield the nearest vessel where tumour surface faces it, and each structure that the zone may touch."""
    vessels = [d for d in lesion.distances if d.from_ == "tumour" and d.structure in VESSELS and d.mm is not None]
    nearest = min(vessels, key=lambda d: d.mm or 0.0, default=None)
    if nearest is not None and nearest.mm is not None and nearest.mm <= VESSEL_FACING_MM:
        yield f"the {structure_words(nearest.structure)} lies {words.millimetres(nearest.mm)} mm from the tumour"
    touched = (d for d in lesion.distances if d.from_ == "ablation" and d.structure not in VESSELS and _may_touch(d))
    yield from map(_touching, touched)


def _may_touch(distance: Distance) -> bool:
    if distance.mm is None or distance.structure in UNTOLD:
        return False
    return distance.mm <= 0.0 or (distance.ci95_mm is not None and distance.ci95_mm[0] <= 0.0)


def _touching(distance: Distance) -> str:
    name = structure_words(distance.structure)
    if distance.ci95_mm is not None and distance.ci95_mm[1] <= 0.0:
        return f"its zone overlaps the {name}"
    return f"its zone may touch the {name} (the interval of their distance holds 0 mm)"


def _outside_criteria(lesion: LesionAssessment, judged: Sequence[Judged]) -> Iterator[str]:
    here = [verdict for one in judged if one.here for verdict in verdicts_of(one)]
    count = sum(verdict.lesion_id == lesion.lesion_id and verdict.word == "fail" for verdict in here)
    if count:
        yield f"outside {counted(count, 'published criterion', 'published criteria')} (below)"


def _further(lesions: Sequence[LesionAssessment]) -> Iterator[str]:
    if lesions:
        yield f"{counted(len(lesions), 'further lesion')} in the table: {', '.join(one.lesion_id for one in lesions)}."


def _registration(lesions: Sequence[LesionAssessment], assessment: Assessment) -> str:
    """Return in one sentence whether the registration can be trusted where the lesions lie."""
    by_gate: dict[Gate, list[str]] = {}
    for lesion in lesions:
        by_gate.setdefault(gate_of(lesion, assessment.alignment), []).append(lesion.lesion_id)
    told = [(gate, by_gate[gate]) for gate in _GATES_TOLD if gate in by_gate]
    said = [GATES[gate] if len(by_gate) == 1 else f"{GATES[gate]} at {lesion_words(ids)}" for gate, ids in told]
    errors = [one.registration_error_mm for one in lesions if one.registration_error_mm is not None]
    if errors and any(errors):
        low, high = words.millimetres(min(errors)), words.millimetres(max(errors))
        said.append(f"predicted error {low if low == high else f'{low} to {high}'} mm where the lesions lie")
    kind = words.KINDS[assessment.alignment.kind]
    return f"Registration: {'; '.join((kind, *said))}."
