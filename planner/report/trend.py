"""Several studies after one ablation side by side: one page, one row per lesion and study.

It compares numbers. A zone that shrinks over weeks is expected; nothing here is a finding about the tumour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from planner.assessment import Assessment, LesionAssessment, LesionStatus, Reason
from planner.caution import Caution
from planner.register.alignment import Alignment
from planner.report import words
from planner.report.answer import band
from planner.report.figure import Figure
from planner.report.page import environment, picture, style_of
from planner.report.timing import flag_sentences
from planner.timing import Timing

Order = Literal["days_since_ablation", "scan_dates", "call"]
Gate = Literal["pass", "warn", "fail"]

ORDERS: dict[Order, str] = {
    "days_since_ablation": "The studies are in the order of the days since the ablation.",
    "scan_dates": "The day of the ablation is not known: the studies are in the order of their scan dates.",
    "call": "The days are not known for every study: the studies are in the order in which they were given, which may"
    " not be that of time.",
}

EXPECTED = (
    "Ablated tissue contracts: that a zone, and with it a margin, is smaller weeks later is expected, and by itself"
    " says nothing about the tumour. Each study was registered to the pre-ablation study on its own, and its zone was"
    " drawn on its own; the tumour's contour is the same in all. Each interval is that of one study, not of the"
    " difference between two."
)

TO = {"parenchymal": "unablated liver", "geometric": "the zone's surface", None: words.UNKNOWN}

GATE: dict[Gate, str] = {
    "pass": "no check failed",
    "warn": "no check failed, with a warning",
    "fail": "a check failed",
}


@dataclass(frozen=True, slots=True)
class LesionAt:
    """A lesion as one study shows it; `gate` is None where no zone treats it."""

    lesion_id: str
    status: LesionStatus
    min_mm: float | None
    ci95_mm: tuple[float, float] | None
    definition: str | None
    tumour_ml: float | None
    ablation_ml: float | None
    residual_ml: float | None
    registration_error_mm: float | None
    gate: Gate | None
    reading: str


@dataclass(frozen=True, slots=True)
class PostAt:
    """One study after the ablation: what became of its review, and its lesions.

    `failure` says why it has no result; then `timing` is None and there are no lesions.
    """

    number: int
    status: Literal["assessed", "not_assessable", "failed"]
    timing: Timing | None = None
    lesions: tuple[LesionAt, ...] = ()
    cautions: tuple[Caution, ...] = ()
    failure: Reason | None = None

    @property
    def folder(self) -> str:
        """Return the folder of its own result, within that of the case."""
        return f"post_{self.number}"


@dataclass(frozen=True, slots=True)
class Trend:
    """All studies after one ablation, in order."""

    case_id: str
    patient_key: str
    posts: tuple[PostAt, ...]
    order: Order

    @property
    def lesion_ids(self) -> tuple[str, ...]:
        """Return the lesions of all studies: they are those of the one pre-ablation study."""
        return tuple(dict.fromkeys(lesion.lesion_id for post in self.posts for lesion in post.lesions))


@dataclass(frozen=True, slots=True)
class _Row:
    lesion_id: str
    number: int
    folder: str
    cells: tuple[str, ...]
    band: str
    min_mm: str
    reading: str


HEADS = ("Lesion", "Study", "Days since ablation", "Minimal margin, mm", "95 % interval, mm", "Measured to",
         "Tumour, ml", "Zone, ml", "Tumour outside the zone, ml", "Registration", "Reading")  # fmt: skip


def post_at(assessment: Assessment) -> PostAt:
    """Return what a common report shows of one study's assessment."""
    lesions = tuple(_lesion_at(lesion, assessment.alignment) for lesion in assessment.lesions)
    timing = assessment.timing
    return PostAt(timing.post_number, assessment.status, timing, lesions, assessment.cautions)


def _lesion_at(lesion: LesionAssessment, alignment: Alignment) -> LesionAt:
    margin, coverage = lesion.margin, lesion.coverage
    interval = None if margin is None else margin.interval
    return LesionAt(
        lesion.lesion_id,
        lesion.status,
        None if margin is None else margin.min_mm,
        None if interval is None or margin is None or margin.min_mm is None else (interval.low_mm, interval.high_mm),
        None if margin is None else margin.definition,
        lesion.tumour_ml,
        lesion.ablation_ml,
        None if coverage is None else coverage.residual_ml,
        lesion.registration_error_mm,
        _gate(lesion.zones, alignment),
        words.reading(lesion),
    )


def _gate(zones: tuple[str, ...], alignment: Alignment) -> Gate | None:
    verdicts = [alignment.verdict(zone) for zone in zones]
    return next((gate for gate in ("fail", "warn", "pass") if gate in verdicts), None)


def render_trend(trend: Trend, figure: Figure | None, *, templates: Mapping[str, str], css: str) -> str:
    """Return the common report of several studies as one HTML document without scripts or outside references.

    Parameters
    ----------
    trend
        The studies.
    figure
        The margins over time; None where there is none.
    templates, css
        Jinja templates by name, among them "trend.html.jinja", and the style sheet.
    """
    return (
        environment(templates)
        .get_template("trend.html.jinja")
        .render(
            trend=trend,
            words=words,
            style=style_of(css),
            heads=HEADS,
            rows=_rows(trend),
            order=ORDERS[trend.order],
            expected=EXPECTED,
            post_rows=[_post_row(post) for post in trend.posts],
            cautions=cautions_of(trend),
            figure=None if figure is None else picture(figure),
        )
    )


def trend_lines(trend: Trend) -> tuple[str, ...]:
    """Return the trend as lines for a terminal, a lesion each; the order first."""
    lines = [ORDERS[trend.order]]
    for lesion_id in trend.lesion_ids:
        parts = [
            f"{_when(post)}: {_margin_words(lesion)}"
            for post in trend.posts for lesion in post.lesions if lesion.lesion_id == lesion_id
        ]  # fmt: skip
        lines.append(f"Lesion {lesion_id}, minimal margin: {'; '.join(parts)}.")
    return (*lines, words.SIGN)


def cautions_of(trend: Trend) -> tuple[Reason, ...]:
    """Return what stands above every number: cautions of each study, and which have no result."""
    found = []
    for post in trend.posts:
        found += [Reason(None, c.code, f"study {post.number} after the ablation: {c.text}") for c in post.cautions]
        if post.failure is not None:
            text = f"study {post.number} after the ablation has no result: {post.failure.text}"
            found.append(Reason(None, "post-failed", text))
    return tuple(found)


def _when(post: PostAt) -> str:
    days = None if post.timing is None else post.timing.days_since_ablation
    return f"study {post.number}" if days is None else f"day {days:g}"


def _margin_words(lesion: LesionAt) -> str:
    if lesion.min_mm is None:
        return f"{words.UNKNOWN} ({words.STATUS[lesion.status]})"
    low_high = "" if lesion.ci95_mm is None else f" ({_interval(lesion)})"
    outside = ", not covered on these images" if lesion.min_mm < 0 else ""
    return f"{words.millimetres(lesion.min_mm)} mm{low_high}{outside}"


def _interval(lesion: LesionAt) -> str:
    if lesion.ci95_mm is None:
        return words.UNKNOWN
    return f"{words.millimetres(lesion.ci95_mm[0])} to {words.millimetres(lesion.ci95_mm[1])}"


def _rows(trend: Trend) -> list[_Row]:
    """Return a row for each lesion and study: a lesion's studies below each other."""
    return [
        _row(post, lesion)
        for lesion_id in trend.lesion_ids
        for post in trend.posts
        for lesion in post.lesions
        if lesion.lesion_id == lesion_id
    ]


def _row(post: PostAt, lesion: LesionAt) -> _Row:
    cells = (
        _interval(lesion),
        {"parenchymal": "unablated liver", "geometric": "the zone's surface"}.get(
            lesion.definition or "", words.UNKNOWN
        ),
        words.millilitres(lesion.tumour_ml),
        words.millilitres(lesion.ablation_ml),
        words.millilitres(lesion.residual_ml),
        words.UNKNOWN if lesion.gate is None else GATE[lesion.gate],
    )
    return _Row(
        lesion.lesion_id, post.number, post.folder, (_days(post), *cells), band(lesion.min_mm),
        words.millimetres(lesion.min_mm), lesion.reading,
    )  # fmt: skip


def _days(post: PostAt) -> str:
    days = None if post.timing is None else post.timing.days_since_ablation
    return "not known" if days is None else f"{days:g}"


def _post_row(post: PostAt) -> tuple[str, str, str, str, str]:
    """Return number, folder ("" without a result), days since the ablation and since PRE, and status with remarks."""
    between = None if post.timing is None else post.timing.days_between_studies
    if post.failure is not None:
        return str(post.number), "", "not known", "not known", f"no result: {post.failure.text}"
    flags = () if post.timing is None else flag_sentences(post.timing)
    status = words.STATUS[post.status] if post.status != "failed" else "no result"
    said = "; ".join((status, *(flag.rstrip(".") for flag in flags)))
    return str(post.number), post.folder, _days(post), "not known" if between is None else f"{between:g}", said
