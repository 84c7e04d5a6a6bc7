"""Points of the series that may be meant where no rule decides: for a person to look at, never to pick by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.pairing.proposal import Candidate
from pipelines.pairing.series import FEWEST_SLICES, Series
from pipelines.pairing.words import AFTER, BEFORE

KINDS = {"pre": ("tumour", "ablation", BEFORE, AFTER), "post": ("ablation", "tumour", AFTER, BEFORE)}
"""Of each study: the masks that speak for it and against it, and the words."""

NAMES = {"tumour": "tumour masks", "ablation": "ablation zone masks"}


def candidates(series: Sequence[Series]) -> tuple[Candidate, ...]:
    """Return the series of a patient as PRE and as POST, the likeliest first."""
    found = [_candidate(study, one, series) for study in KINDS for one in series]
    return tuple(sorted(found, key=lambda c: (c.study != "pre", -c.points, c.series.head.date, c.series.mark)))


def _candidate(study: str, series: Series, every: Sequence[Series]) -> Candidate:
    why = [*_by_masks(study, series), *_by_time(study, series, every), *_by_shape(series, every)]
    points = sum(points for points, _ in why)
    return Candidate(study, series, points, tuple(f"{text} ({points:+d})" for points, text in why))


def _by_masks(study: str, series: Series) -> Iterator[tuple[int, str]]:
    speaks_for, against, word, other = KINDS[study]
    if series.parts(speaks_for):
        yield 60, NAMES[speaks_for]
    elif series.parts(against):
        yield -60, f"only {NAMES[against]}"
    if word in series.head.words:
        yield 15, f"described as {word} an ablation"
    if other in series.head.words:
        yield -15, f"described as {other} an ablation"


def _by_time(study: str, series: Series, every: Sequence[Series]) -> Iterator[tuple[int, str]]:
    days = [s.day for s in every if s.day is not None]
    if series.day is None or len(set(days)) < 2:
        return
    if series.day == (min(days) if study == "pre" else max(days)):
        yield 10, "the earliest day" if study == "pre" else "the latest day"


def _by_shape(series: Series, every: Sequence[Series]) -> Iterator[tuple[int, str]]:
    if series.head.reformatted:
        yield -20, "a reformat or projection"
    elif series.head.original:
        yield 10, "ORIGINAL"
    if series.axial:
        yield 10, "axial"
    if series.slices >= FEWEST_SLICES:
        yield 10, f"at least {FEWEST_SLICES} slices"
    if series.phase[0] == "portal venous":
        yield 5, "portal venous"
    rivals = [s.slice_mm for s in every if s.study == series.study and s.slice_mm > 0 and not s.unfit()]
    if rivals and not series.unfit() and 0 < series.slice_mm <= min(rivals):
        yield 5, "the thinnest of its study"
