"""A report on paper: the content of the page in reading order, the whole answer on its first sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from planner.report import words
from planner.report.answer import EXPLAINED, AnswerRow, Head, flag_sentences
from planner.report.answer import Cell as AnswerCell
from planner.report.blocks import (
    Block,
    Bullets,
    Cell,
    Heading,
    Item,
    Key,
    Notice,
    Paper,
    Paragraph,
    Picture,
    Run,
    Table,
    bullets,
    named,
    plain,
    small,
    strong,
)
from planner.report.content import Content, LesionContent
from planner.report.paper_criteria import criteria_blocks
from planner.report.paper_known import known_blocks, named_values
from planner.report.paper_lesion import lesion_blocks, progression_blocks

SHARES = {
    "lesion_id": 0.9, "min_mm": 2.3, "ci95_mm": 1.05, "direction": 1.35, "below_0": 1.05, "below_5": 1.05,
    "below_10": 1.05, "registration_error_mm": 1.6, "tumour_ml": 1.05, "ablation_ml": 0.8, "vessel": 1.6, "duct": 1.6,
    "capsule": 1.05,
}  # fmt: skip
"""How the columns of the table that answers divide the width of the sheet."""

NUMBER_SHARES = {
    "status": 1.2,
    "min_mm": 1.1,
    "geometric_min_mm": 1.35,
    "q05_mm": 1.15,
    "direction": 1.35,
    "p_at_least_5": 0.9,
    "residual_ml": 1.2,
}
"""How the columns of the table of every number divide it, where one takes more or less than an equal part."""

NUMBERS = ("below_0", "below_5", "below_10", "tumour_ml", "ablation_ml")
"""Columns of that table that are set flush right."""

BANDS = (
    ("below-0", "below 0: not covered"), ("below-5", "0 to below 5 mm"), ("below-10", "5 to below 10 mm"),
    ("from-10", "10 mm and more"),
)  # fmt: skip

NOT_REPEATED = ("written_at",)
"""What of the provenance stays off the paper: it tells two equal runs apart."""

MOST_OF_HEAD = 60
"""Characters of a case's id that the head of every sheet shows."""


def paper(content: Content, *, version: str) -> Paper:
    """Return a report as a paper.

    Parameters
    ----------
    content
        What it says.
    version
        Name and version of the program, for the head of every sheet.
    """
    return Paper(
        title=f"Ablation margin, case {content.case_id}",
        head=f"Case {shortened(content.case_id)}",
        version=version,
        foot=words.BANNER,
        blocks=(
            *_first_sheet(content),
            *_registration(content),
            *criteria_blocks(content.criteria),
            *progression_blocks(content),
            *(block for lesion in content.lesions for block in lesion_blocks(lesion)),
            *_numbers(content),
            *section("When the studies were made", content.timing),
            *known_blocks(content),
            *section("Notes of reading and measuring", content.notes or ("None.",)),
            *_method(content),
            *reference_blocks(content.references),
        ),
    )


def shortened(case_id: str) -> str:
    """Return a case's id as the head of a sheet has room for it."""
    return case_id if len(case_id) <= MOST_OF_HEAD else f"{case_id[: MOST_OF_HEAD - 1]}…"


def section(title: str, sentences: Sequence[str]) -> Iterator[Block]:
    """Yield a heading with sentences below it; nothing without any."""
    if sentences:
        yield Heading(title, 2)
        yield bullets(sentences)


def _first_sheet(content: Content) -> Iterator[Block]:
    """Yield the whole answer: warning, cautions, impression, a row per lesion, registration, and what is missing."""
    title, status = f"Ablation margin, case {content.case_id}", f"Not for decisions about a patient.{content.status}"
    yield from opening_blocks(title, status, content.cautions, content.identities, content.scanned)
    yield Heading("Impression", 2)
    yield bullets(content.impression)
    if content.answer:
        yield _answer(content.heads, content.answer)
        yield from _flags(content.answer)
        yield Key(tuple(Cell((plain(said),), band=name) for name, said in BANDS))
        yield Paragraph(small(words.SIGN))
    if content.reasons:
        yield from section("What could not be assessed, and why", content.reasons)
    else:
        yield Paragraph(small(words.COMPLETE))
    if content.answer:
        yield Paragraph(small(f"{EXPLAINED} {content.assumed}".strip()))


def opening_blocks(
    title: str, said: str, cautions: Sequence[str], identities: Sequence[Sequence[str]], scanned: Sequence[str]
) -> Iterator[Block]:
    """Yield what a paper begins with: title, warning with what else is said there, cautions, who it is of, and when."""
    yield Heading(title, 1)
    yield Notice((*strong(words.BANNER), Run(f" {said}")), "banner")
    for caution in cautions:
        yield Notice((*strong("Caution:"), Run(f" {caution}.")), "caution")
    if identities:
        yield _identities(identities)
    yield from (Paragraph(small(sentence)) for sentence in scanned)


def _identities(identities: Sequence[Sequence[str]]) -> Table:
    heads = ("Study", "Patient", "Id", "Born")
    rows = tuple(tuple(Cell((plain(part or "not stated"),)) for part in row) for row in identities)
    caption = "Patients as the studies state them. Shown on request (--phi): this paper holds patient data"
    return Table(caption, heads, rows, (0.5, 2.0, 1.5, 1.0))


def _answer(heads: Sequence[Head], rows: Sequence[AnswerRow]) -> Table:
    names = tuple(f"{head.heading}, {head.unit}" if head.unit else head.heading for head in heads)
    return Table(
        "One row per lesion, the least margin first",
        names,
        tuple(tuple(_answer_cell(cell, row) for cell in row.cells) for row in rows),
        tuple(SHARES.get(head.key, 1.0) for head in heads),
    )


def _flags(rows: Sequence[AnswerRow]) -> Iterator[Block]:
    """Yield what to keep in mind of the rows, each with the lesions that it is about."""
    if said := flag_sentences(rows):
        yield Paragraph(strong("To keep in mind"), keeps_next=True)
        yield bullets(said)


def _answer_cell(cell: AnswerCell, row: AnswerRow) -> Cell:
    if cell.key == "lesion_id":
        return Cell((named(cell.text),))
    if cell.key == "min_mm":
        return Cell((strong(cell.text), plain(cell.note)), band=row.band)
    lines = (plain(cell.text), small(cell.note)) if cell.note else (plain(cell.text),)
    return Cell(lines, cell.key in NUMBERS)


def _registration(content: Content) -> Iterator[Block]:
    yield Heading("Registration quality", 2)
    yield Paragraph(plain(f"{content.alignment} Liver used: {content.liver}."))
    for lesion in content.lesions:
        yield from _strip(lesion)
    if content.lesions:
        yield Paragraph(small(words.CHECKERBOARDS))
    yield Paragraph(small(words.PREDICTED))
    yield from map(Picture.of, content.figures)
    if not content.checks:
        yield Paragraph(plain("Nothing was looked at."))
        return
    rows = tuple(
        (Cell((plain(one.about),)), Cell((strong(one.name),)), Cell((plain(one.value),), numeric=True),
         Cell((plain(one.result),)), Cell((plain(one.text),)))
        for one in content.checks
    )  # fmt: skip
    heads = ("About", "Check", "Value", "Result", "Meaning")
    yield Table("What was looked at", heads, rows, (0.6, 1.8, 0.9, 1.1, 3.7))


def _strip(lesion: LesionContent) -> Iterator[Block]:
    """Yield how the registration went at a lesion, with its small checkerboard."""
    error = _with_unit(lesion.registration_error, ", predicted error ")
    lead = strong(f"Lesion {lesion.lesion_id}: {lesion.registration_gate}{error}. ")
    yield Paragraph((*lead, Run(" ".join(lesion.registration_said))), keeps_next=lesion.strip is not None)
    if lesion.strip is not None:
        yield replace(Picture.of(lesion.strip), caption="")


def _with_unit(length: str, before: str = " ") -> str:
    """Return a length with its unit after some words; empty where it is not known."""
    return "" if length == words.UNKNOWN else f"{before}{length} mm"


def _numbers(content: Content) -> Iterator[Block]:
    """Yield the margin table with every column, for which the first sheet has no room."""
    if not content.lesions:
        return
    yield Heading("Every number of the margins", 2)
    yield Table(
        "One row per lesion",
        tuple(f"{one.heading}, {one.unit}" if one.unit else one.heading for one in content.columns),
        tuple(
            tuple(Cell((named(cell) if column.key == "lesion_id" else plain(cell),), numeric=column.numeric)
                  for cell, column in zip(lesion.cells, content.columns, strict=True))
            for lesion in content.lesions
        ),
        tuple(NUMBER_SHARES.get(column.key, 1.0) for column in content.columns),
    )  # fmt: skip
    yield Paragraph(small(words.COLUMNS_EXPLAINED))


def _method(content: Content) -> Iterator[Block]:
    yield Heading("Method and versions", 2)
    yield Paragraph(plain(f"{words.METHOD} {words.SIGN} {words.COORDINATES} {words.METHOD_DISTANCES}"))
    yield Paragraph(plain(words.METHOD_PICTURES))
    yield from provenance_blocks(content.provenance)


def provenance_blocks(provenance: Sequence[tuple[str, str]]) -> Iterator[Block]:
    """Yield where a result comes from, as names with values."""
    kept = tuple((name, value) for name, value in provenance if name not in NOT_REPEATED)
    if kept:
        caption = (
            "Where this result comes from: versions, settings, hashes and seeds. When it was made, and how long each"
            " step took, stand in report.html"
        )
        yield named_values(caption, ("Name", "Value"), kept)


def reference_blocks(references: Sequence[tuple[str, str, str]]) -> Iterator[Block]:
    """Yield the sources of what a paper says: names, citations and strengths."""
    if references:
        yield Heading("References", 2)
        yield Bullets(tuple(
            Item((*strong(name), Run(f": {citation} Strength: {strength}.")))
            for name, citation, strength in references
        ))  # fmt: skip
