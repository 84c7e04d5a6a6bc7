"""The rows of a worklist in words, and what they can be filtered by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from planner.report import words
from planner.report.counts import counted
from planner.report.worklist import Gate, LesionItem, State, Study, state_rank

LONGEST_TEXT = 300
"""Characters of a sentence that a row shows; its report has all of it."""

BANDS = {
    "below-0": "below 0 mm (not covered)",
    "below-5": "0 to below 5 mm",
    "below-10": "5 to below 10 mm",
    "from-10": "10 mm and more",
    "unknown": "no margin known",
}

STATES: dict[State, str] = {
    "assessed": "assessed",
    "not_assessable": "not assessable",
    "failed": "no result: the review failed",
    "unreadable": "the result cannot be read",
    "unfinished": "no result: begun and never ended",
    "not_begun": "not run yet",
}

_COUNTED: dict[State, str] = {
    state: said.removeprefix("no result: ").removeprefix("the review ") for state, said in STATES.items()
}

GATES: dict[Gate, str] = {
    "fail": "a check failed",
    "warn": "no check failed, with a warning",
    "pass": "no check failed",
    "unchecked": "nothing was checked",
}

_GATE_RANKS: dict[Gate | None, int] = {"fail": 4, "warn": 3, "unchecked": 2, "pass": 1, None: 0}

_KINDS: dict[str, tuple[str, Callable[[Study], bool]]] = {
    "no-result": ("no result, or not run yet", lambda study: not study.has_result),
    "not-assessable": (
        "a lesion not assessable",
        lambda study: study.state == "not_assessable" or _any(study, "not_assessable"),
    ),
    "not-treated": ("a lesion not treated", lambda study: _any(study, "not_treated")),
    "across-0": ("worst margin's interval reaches across 0 mm", lambda study: _reaches_across_0(study.worst)),
    "borderline": ("a borderline verdict on a criterion", lambda study: study.borderline > 0),
    "outside": ("outside a published criterion", lambda study: study.outside > 0),
    "caution": ("a caution", lambda study: study.has_result and bool(study.remarks)),
}


@dataclass(frozen=True, slots=True)
class LesionLine:
    """A lesion in a row: its number, what is known of it, and a link to it ("" where there is none)."""

    lesion_id: str
    said: str
    link: str


@dataclass(frozen=True, slots=True)
class Row:
    """A study as the page shows it; what it is sorted and filtered by is text, "" where not known."""

    study: Study
    of_case: str
    status: str
    status_key: str
    band: str
    margin: str
    interval: str
    margin_key: str
    worst: tuple[str, ...]
    lesions: str
    lesions_key: str
    lines: tuple[LesionLine, ...]
    gate: str
    gate_words: str
    gate_key: str
    error: str
    criteria: tuple[str, ...]
    criteria_key: str
    remarks: tuple[str, ...]
    flags: tuple[str, ...]
    kinds: str


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to filter by: its key, its words, and how many studies there are of it."""

    key: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Things of one kind to filter by: a study is shown if any of those chosen holds."""

    key: str
    title: str
    options: tuple[Option, ...]


def row_of(study: Study) -> Row:
    """Return a study as the page shows it."""
    worst = study.worst
    return Row(
        study=study,
        of_case=_of_case(study),
        status=STATES[study.state],
        status_key=str(state_rank(study)),
        band=study.band,
        margin=words.millimetres(None if worst is None else worst.min_mm),
        interval="" if worst is None else _interval(worst),
        margin_key="" if worst is None else repr(worst.min_mm),
        worst=() if worst is None else tuple(_worst_words(worst)),
        lesions=_lesions_words(study),
        lesions_key=str(study.without_margin) if study.has_result else "",
        lines=tuple(_line(lesion, study.report) for lesion in study.lesions),
        gate=study.gate or "none",
        gate_words=words.UNKNOWN if study.gate is None else GATES[study.gate],
        gate_key=str(_GATE_RANKS[study.gate]) if study.gate else "",
        error=_error_words(worst),
        criteria=tuple(_criteria(study)),
        criteria_key=str(study.outside) if study.has_result else "",
        remarks=tuple(map(_short, _remarks(study))),
        flags=tuple(_flags(study.lesions)),
        kinds=" ".join(key for key, (_, holds) in _KINDS.items() if holds(study)),
    )


def filters_of(studies: Sequence[Study]) -> tuple[Filter, ...]:
    """Return what studies can be filtered by, with counts."""
    bands = Counter(study.band for study in studies)
    gates = Counter[str](study.gate or "none" for study in studies)
    of_gate: dict[str, str] = {"none": "not known"}
    of_gate = dict(GATES) | of_gate
    return (
        Filter("band", "Worst margin", tuple(Option(key, said, bands[key]) for key, said in BANDS.items())),
        Filter("gate", "Registration", tuple(Option(key, said, gates[key]) for key, said in of_gate.items())),
        Filter(
            "kind", "With",
            tuple(Option(key, said, sum(map(holds, studies))) for key, (said, holds) in _KINDS.items()),
        ),
    )  # fmt: skip


def summary_sentences(studies: Sequence[Study]) -> Iterator[str]:
    """Yield what the list holds, in sentences."""
    if not studies:
        yield "There is no case here."
        return
    cases = len({study.case_id for study in studies})
    of_cases = f" of {counted(cases, 'case')}" if cases != len(studies) else ""
    states = Counter(study.state for study in studies)
    said = ", ".join(f"{states[state]} {of_state}" for state, of_state in _COUNTED.items() if states[state])
    yield f"{counted(len(studies), 'study', 'studies')} after an ablation{of_cases}: {said}."
    bands = Counter(study.band for study in studies)
    known = len(studies) - bands["unknown"]
    if known:
        yield (
            f"Worst minimal margins below 0 mm (not covered on these images): {bands['below-0']}; from 0 to below 5 mm:"
            f" {bands['below-5']}; known of {counted(known, 'study', 'studies')}."
        )
    untreated = sum(_any(study, "not_treated") for study in studies)
    without = sum(study.without_margin > 0 and study.worst is not None for study in studies)
    if untreated:
        yield f"{counted(untreated, 'study has', 'studies have')} a lesion that no ablation zone treats."
    if without:
        yield (
            f"{counted(without, 'study has', 'studies have')} lesions with a margin beside lesions without: the true"
            " worst may be lower than the one shown."
        )


def _any(study: Study, status: str) -> bool:
    return any(lesion.status == status for lesion in study.lesions)


def _reaches_across_0(lesion: LesionItem | None) -> bool:
    return lesion is not None and lesion.ci95_mm is not None and lesion.ci95_mm[0] < 0.0 <= lesion.ci95_mm[1]


def _of_case(study: Study) -> str:
    if study.posts < 2:
        return ""
    days = "" if study.days_since_ablation is None else f", day {study.days_since_ablation:g}"
    return f"study {study.post_number} of {study.posts}{days}"


def _interval(lesion: LesionItem) -> str:
    return "" if lesion.ci95_mm is None else "({} to {})".format(*map(words.millimetres, lesion.ci95_mm))


def _worst_words(lesion: LesionItem) -> Iterator[str]:
    if lesion.min_mm is not None and lesion.min_mm < 0:
        yield "not covered on these images"
    place = f", {lesion.direction}" if lesion.direction else ""
    yield f"lesion {lesion.lesion_id}{place}"
    if lesion.definition == "geometric":
        yield "to the surface of the zone (geometric)"


def _lesions_words(study: Study) -> str:
    if not study.has_result:
        return words.UNKNOWN
    found = Counter(lesion.status for lesion in study.lesions)
    if len(study.lesions) == found["assessed"]:
        return counted(len(study.lesions), "lesion")
    parts = ", ".join(f"{found[status]} {said}" for status, said in words.STATUS.items() if found[status])
    return f"{counted(len(study.lesions), 'lesion')}: {parts}"


def _line(lesion: LesionItem, report: str) -> LesionLine:
    if lesion.min_mm is None:
        said = _status(lesion)
    else:
        outside = ", not covered" if lesion.min_mm < 0 else ""
        said = f"{words.millimetres(lesion.min_mm)} mm {_interval(lesion)}".rstrip() + outside
    # Other ids hold characters that mean something in a URL: their report opens at its top.
    plain = lesion.lesion_id.isascii() and lesion.lesion_id.replace("_", "").isalnum()
    link = f"{report}#lesion-{lesion.lesion_id}" if report and plain else report
    return LesionLine(lesion.lesion_id, said, link)


def _error_words(worst: LesionItem | None) -> str:
    if worst is None or worst.registration_error_mm is None:
        return ""
    return f"error {words.millimetres(worst.registration_error_mm)} mm at lesion {worst.lesion_id}"


def _criteria(study: Study) -> Iterator[str]:
    if not study.has_result:
        yield words.UNKNOWN
        return
    found = ((study.outside, "outside"), (study.short, "short of"), (study.borderline, "borderline"))
    yield from [f"{count} {said}" for count, said in found if count] or ["none outside, short of or borderline"]


def _remarks(study: Study) -> Iterator[str]:
    """Yield why there is no result; else cautions, and why lesions have no margin."""
    if study.why:
        yield ": ".join(study.why)
    yield from study.remarks
    for lesion in study.lesions:
        if lesion.min_mm is None:
            why = "; ".join(lesion.reasons)
            yield f"lesion {lesion.lesion_id}: {': '.join(filter(None, (_status(lesion), why)))}"


def _status(lesion: LesionItem) -> str:
    return words.STATUS.get(lesion.status, lesion.status)


def _flags(lesions: Iterable[LesionItem]) -> Iterator[str]:
    """Yield each flag once, with its lesions."""
    by_flag: dict[str, list[str]] = {}
    for lesion in lesions:
        for flag in lesion.flags:
            by_flag.setdefault(flag, []).append(lesion.lesion_id)
    for flag, ids in by_flag.items():
        yield _short(f"{'lesion' if len(ids) == 1 else 'lesions'} {', '.join(ids)}: {words.flag_sentence(flag)}")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
