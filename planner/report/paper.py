"""A report on paper: the content of the page in reading order, the whole answer on its first sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.report import words
from planner.report.answer import EXPLAINED, AnswerRow, Head
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
    Text,
    bullets,
    plain,
    small,
    strong,
)
from planner.report.content import Content
from planner.report.figure import Figure
from planner.report.paper_criteria import criteria_blocks
from planner.report.paper_lesion import finding_table, lesion_blocks

SHARES = {
    "lesion_id": 1.0, "min_mm": 1.9, "ci95_mm": 1.05, "direction": 1.35, "below_0": 1.05, "below_5": 1.05,
    "below_10": 1.05, "registration_error_mm": 1.6, "tumour_ml": 1.05, "ablation_ml": 0.8, "vessel": 1.6, "duct": 1.6,
    "capsule": 1.05,
}  # fmt: skip
"""How the columns of the table that answers divide the width of the sheet."""

WORDS_COLUMNS = ("lesion_id", "direction", "vessel", "duct")

BANDS = (
    ("below-0", "below 0: not covered"), ("below-5", "0 to below 5 mm"), ("below-10", "5 to below 10 mm"),
    ("from-10", "10 mm and more"),
)  # fmt: skip

NOT_REPEATED = ("written_at",)
"""What of the provenance stays off the paper: it tells two equal runs apart."""

ON_REGISTRATION = ("checkerboard",)
"""Kinds of a lesion's pictures that stand with the registration."""

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
        head=f"Case {_shortened(content.case_id)}",
        version=version,
        foot=words.BANNER,
        blocks=(
            *_first_sheet(content),
            *_registration(content),
            *criteria_blocks(content.criteria),
            *(block for lesion in content.lesions for block in lesion_blocks(lesion, _own(lesion.figures))),
            *_margins(content),
            *_facts(content),
            *_section("Tumours of the baseline study", content.baseline),
            *_findings(content),
            *_section("Notes of reading and measuring", content.notes or ("None.",)),
            *_method(content),
            *_references(content),
        ),
    )


def _shortened(case_id: str) -> str:
    return case_id if len(case_id) <= MOST_OF_HEAD else f"{case_id[: MOST_OF_HEAD - 1]}…"


def _own(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Return the pictures of a lesion that stand with it."""
    return tuple(figure for figure in figures if not _on_registration(figure))


def _on_registration(figure: Figure) -> bool:
    return figure.name.rpartition("_")[2] in ON_REGISTRATION


def _section(title: str, sentences: Sequence[str]) -> Iterator[Block]:
    if sentences:
        yield Heading(title, 2)
        yield bullets(sentences)


def _first_sheet(content: Content) -> Iterator[Block]:
    """Yield the whole answer: warning, cautions, impression, a row per lesion, registration, and what is missing."""
    yield Heading(f"Ablation margin, case {content.case_id}", 1)
    yield Notice(
        (*strong(words.BANNER), Run(f" Not for decisions about a patient. Case status: {content.status}.")), "banner"
    )
    for caution in content.cautions:
        yield Notice((*strong("Caution:"), Run(f" {caution}.")), "caution")
    if content.identities:
        yield _identities(content.identities)
    yield Heading("Impression", 2)
    yield bullets(content.impression)
    if content.answer:
        yield _answer(content.heads, content.answer)
        yield Key(tuple(Cell((plain(said),), band=name) for name, said in BANDS))
        yield Paragraph(small(f"{words.SIGN} {EXPLAINED}"))
    yield from _section("What could not be assessed, and why", content.reasons or ("Nothing was left out.",))
    yield from _section("When the studies were made", content.timing)


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
        whole_rows=True,
    )


def _answer_cell(cell: AnswerCell, row: AnswerRow) -> Cell:
    lead = cell.key in ("lesion_id", "min_mm")
    notes = row.flags if cell.key == "min_mm" else ()
    lines: tuple[Text, ...] = (strong(cell.text) if lead else plain(cell.text),)
    if cell.note:
        lines = (*lines, plain(cell.note) if cell.key == "min_mm" else small(cell.note))
    lines = (*lines, *(small(f"Note: {note}") for note in notes))
    return Cell(lines, cell.key not in WORDS_COLUMNS and not cell.note, row.band if cell.key == "min_mm" else "")


def _registration(content: Content) -> Iterator[Block]:
    yield Heading("Registration quality", 2, starts_page=True)
    yield Paragraph(plain(f"{content.alignment} Liver used: {content.liver}."))
    if content.lesions:
        yield Table(
            "What registration means for each lesion, mm",
            ("Lesion", "Predicted registration error", f"Minimal margin, {content.alignment_kind}",
             "Minimal margin, rigid alone"),
            tuple(
                (Cell((strong(one.lesion_id),)), *(Cell((plain(number),), numeric=True) for number in
                 (one.registration_error, one.margin_here, one.margin_rigid)))
                for one in content.lesions
            ),
            (1.0, 1.0, 1.0, 1.0),
        )  # fmt: skip
        yield Paragraph(small(
            "A large difference between the two margins means that the answer depends on how the liver was deformed:"
            " look at the checkerboard, the edges and the displacement map of each lesion."
        ))  # fmt: skip
    for lesion in content.lesions:
        yield from map(Picture.of, filter(_on_registration, lesion.figures))
    yield from map(Picture.of, content.figures)
    if content.checks:
        yield Table(
            "What was looked at",
            ("About", "Check", "Value", "Result", "Meaning"),
            tuple(
                (Cell((plain(one.about),)), Cell((strong(one.name),)), Cell((plain(one.value),), numeric=True),
                 Cell((plain(one.result),)), Cell((plain(one.text),)))
                for one in content.checks
            ),
            (0.6, 1.8, 0.9, 1.1, 3.6),
        )  # fmt: skip
    else:
        yield Paragraph(plain("Nothing was looked at."))


def _margins(content: Content) -> Iterator[Block]:
    """Yield the margin table with every column, which the first sheet has no room for."""
    if not content.lesions:
        return
    yield Heading("Every column of the margin table", 2)
    yield Table(
        "One row per lesion, in their own order",
        tuple(f"{one.heading}, {one.unit}" if one.unit else one.heading for one in content.columns),
        tuple(
            tuple(Cell((plain(cell),), numeric=column.numeric)
                  for cell, column in zip(lesion.cells, content.columns, strict=True))
            for lesion in content.lesions
        ),
        tuple(1.0 if column.numeric else 1.3 for column in content.columns),
        whole_rows=True,
    )  # fmt: skip
    yield Paragraph(small(words.COLUMNS_EXPLAINED))


def two_columns(caption: str, heads: tuple[str, str], rows: Sequence[tuple[str, str]], share: float = 2.0) -> Table:
    """Return names with their values."""
    cells = tuple((Cell((strong(name),)), Cell((plain(value),))) for name, value in rows)
    return Table(caption, heads, cells, (1.0, share))


def _facts(content: Content) -> Iterator[Block]:
    if not content.facts:
        return
    yield Heading("What was entered", 2)
    caption = "Facts that relations and rules rest on, as entered; of dates only the days between them are kept"
    yield two_columns(caption, ("Fact", "Entered"), content.facts, 1.0)
    if content.other_facts:
        lead = strong("Not entered either, and not asked for by what is printed here: ")
        yield Paragraph((*lead, Run(f"{', '.join(content.other_facts)}.")))


def _findings(content: Content) -> Iterator[Block]:
    if not content.findings:
        return
    yield Heading("Findings", 2)
    yield finding_table("Measured of the patient and the session", content.findings)
    if content.passages:
        yield Heading("Hepatic veins and inflow", 3)
        yield bullets(content.passages)
    for lesion in content.lesions:
        if lesion.findings:
            yield finding_table(f"Measured of lesion {lesion.lesion_id}", lesion.findings)


def _method(content: Content) -> Iterator[Block]:
    yield Heading("Method and versions", 2)
    yield Paragraph(plain(f"{words.METHOD} {words.SIGN} {words.COORDINATES} {words.METHOD_DISTANCES}"))
    yield Paragraph(plain(words.METHOD_PICTURES))
    kept = tuple((name, value) for name, value in content.provenance if name not in NOT_REPEATED)
    if kept:
        caption = (
            "Where this result comes from: versions, settings, hashes and seeds. When it was made, and how long each"
            " step took, stand in report.html"
        )
        yield two_columns(caption, ("Name", "Value"), kept)


def _references(content: Content) -> Iterator[Block]:
    if content.references:
        yield Heading("References", 2)
        yield Bullets(tuple(
            Item((*strong(name), Run(f": {citation} Strength: {strength}.")))
            for name, citation, strength in content.references
        ))  # fmt: skip
