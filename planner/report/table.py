"""The margin table: one row per lesion, as text cells for a terminal or a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from planner.assessment import Assessment, LesionAssessment, Reason
from planner.measure.margin import Margin
from planner.report import doubt, words
from planner.report.criteria import criteria
from planner.report.held_against import unlocking_sentence
from planner.report.risk import risk_lines
from planner.report.sensitivity import assumed_sentences
from planner.report.timing import flag_sentences


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the margin table.

    Parameters
    ----------
    key
        Identifier, for tests and style sheets.
    heading, unit
        The two lines of its head; columns of one heading that follow each other share it.
    cell
        The text of a lesion's cell.
    numeric
        Whether the cell is set flush right.
    """

    key: str
    heading: str
    unit: str
    cell: Callable[[LesionAssessment], str]
    numeric: bool = True


def columns() -> tuple[Column, ...]:
    """Return the columns of the margin table, in reading order."""
    return (
        Column("lesion_id", "Lesion", "", lambda lesion: lesion.lesion_id, numeric=False),
        Column("status", "Status", "", lambda lesion: words.STATUS[lesion.status], numeric=False),
        Column("min_mm", "Minimal margin", "mm", _of_margin(lambda m: words.millimetres(m.min_mm))),
        Column("ci95_mm", "95 % interval", "mm", _of_margin(_interval)),
        Column("geometric_min_mm", "Geometric", "mm", _of_margin(lambda m: words.millimetres(m.geometric_min_mm))),
        Column("q05_mm", "5 % quantile", "mm", _of_margin(lambda m: words.millimetres(m.q05_mm))),
        Column("below_0", "% surface", "< 0 mm", _of_margin(_below(0.0))),
        Column("below_5", "% surface", "< 5 mm", _of_margin(_below(5.0))),
        Column("below_10", "% surface", "< 10 mm", _of_margin(_below(10.0))),
        Column("p_at_least_5", "P(>= 5 mm)", "%", _of_margin(_at_least_5)),
        Column("tumour_ml", "Tumour", "ml", lambda lesion: words.millilitres(lesion.tumour_ml)),
        Column("ablation_ml", "Zone", "ml", lambda lesion: words.millilitres(lesion.ablation_ml)),
        Column("residual_ml", "Residual", "ml", _residual),
        Column("direction", "Thin spot", "side", _of_margin(lambda m: m.direction or words.UNKNOWN), numeric=False),
        Column(
            "registration_error_mm", "Registr. error", "mm",
            lambda lesion: words.millimetres(lesion.registration_error_mm),
        ),
    )  # fmt: skip


def rows(assessment: Assessment) -> tuple[tuple[str, ...], ...]:
    """Return the cells of the margin table, one row per lesion, in the order of `columns`."""
    return tuple(tuple(column.cell(lesion) for column in columns()) for lesion in assessment.lesions)


def table_text(assessment: Assessment) -> str:
    """Return the margin table as plain ASCII-ruled text with its reasons and conventions below."""
    lines = [f"Case {assessment.case_id}: {words.STATUS[assessment.status]}"]
    lines += [*(f"CAUTION: {caution.text}" for caution in assessment.cautions), ""]
    lines += _aligned(columns(), rows(assessment)) if assessment.lesions else ["No lesions."]
    lines.append("")
    for lesion in assessment.lesions:
        lines += [
            f"Lesion {lesion.lesion_id}: {_reading_with_flags(lesion)}",
            *(f"  {s}" for s in (*_doubt(lesion), *assumed_sentences(lesion), *risk_lines(lesion))),
        ]
    lines += [f"  {sentence}" for sentence in reason_sentences(assessment)]
    lines += [f"Note: {sentence}" for sentence in flag_sentences(assessment.timing)]
    held = criteria(assessment)
    if held is not None:
        lines += [*(f"{sentence}." for sentence in held.sentences), f"Published criteria: {held.counts}."]
    lines += [f"{sentence}." for sentence in (unlocking_sentence(assessment),) if sentence]
    lines += [f"Liver: {words.LIVER[assessment.liver_used]}.", words.alignment_sentence(assessment.alignment)]
    lines += [words.SIGN, words.BANNER]
    return "\n".join(_one_line(line) for line in lines) + "\n"


def _doubt(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return what the interval of a lesion rests on; nothing where there is none."""
    if lesion.margin is None or lesion.margin.interval is None:
        return ()
    return doubt.interval_assumptions(lesion.margin.interval)


def _reading_with_flags(lesion: LesionAssessment) -> str:
    flags = () if lesion.margin is None else lesion.margin.flags
    return "; ".join((words.reading(lesion), *(f"note: {words.flag_sentence(flag)}" for flag in flags)))


def reason_sentences(assessment: Assessment) -> tuple[str, ...]:
    """Return why something is not known, of the case first and then lesion by lesion."""
    found = [f"Case: {text}" for text in _reason_texts(assessment.reasons)]
    for lesion in assessment.lesions:
        found += [f"Lesion {lesion.lesion_id}: {text}" for text in _reason_texts(lesion.reasons)]
    return tuple(found)


def _reason_texts(reasons: Sequence[Reason]) -> Iterator[str]:
    """Yield each reason once, after what it concerns in words."""
    for text in dict.fromkeys(reason.text for reason in reasons):
        fields = [words.field_words(reason.field) for reason in reasons if reason.text == text and reason.field]
        yield f"{', '.join(fields)}: {text}" if fields else text


def _of_margin(cell: Callable[[Margin], str]) -> Callable[[LesionAssessment], str]:
    return lambda lesion: words.UNKNOWN if lesion.margin is None else cell(lesion.margin)


def _interval(margin: Margin) -> str:
    if margin.interval is None:
        return words.UNKNOWN
    return f"{words.millimetres(margin.interval.low_mm)} to {words.millimetres(margin.interval.high_mm)}"


def _below(limit_mm: float) -> Callable[[Margin], str]:
    return lambda margin: words.percent(margin.surface_fraction_below.get(limit_mm))


def _at_least_5(margin: Margin) -> str:
    return words.percent(None if margin.interval is None else margin.interval.p_at_least.get(5.0))


def _residual(lesion: LesionAssessment) -> str:
    return words.millilitres(None if lesion.coverage is None else lesion.coverage.residual_ml)


def _aligned(heads: Sequence[Column], body: Sequence[Sequence[str]]) -> list[str]:
    lines = [[head.heading for head in heads], [head.unit for head in heads], *body]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    text = [
        "  ".join(
            cell.rjust(width) if head.numeric else cell.ljust(width)
            for cell, width, head in zip(line, widths, heads, strict=True)
        ).rstrip()
        for line in lines
    ]
    rule = "  ".join("-" * width for width in widths)
    return [*text[:2], rule, *text[2:]]


def _one_line(text: str) -> str:
    """Return text without control characters, so that no input can move the terminal's cursor or forge a line."""
    return "".join(character if character.isprintable() else "?" for character in text)
