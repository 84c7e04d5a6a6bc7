"""What a paper says of one lesion, and tables of findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.report.blocks import Block, Cell, Heading, Paragraph, Picture, Table, bullets, paragraphs, plain, strong
from planner.report.content import LesionContent
from planner.report.figure import Figure
from planner.report.findings import FindingRow
from planner.report.surroundings import DistanceRow


def lesion_blocks(lesion: LesionContent, figures: Sequence[Figure]) -> Iterator[Block]:
    """Yield what a paper says of a lesion, in the order of the page, with these of its pictures."""
    yield Heading(f"Lesion {lesion.lesion_id}: {lesion.reading}", 2)
    yield from paragraphs(lesion.sentences)
    if lesion.interval:
        yield Heading("How sure", 3)
        yield from paragraphs(lesion.interval)
    if lesion.flags:
        yield Heading("To keep in mind", 3)
        yield bullets(lesion.flags)
    if figures:
        yield Heading("Pictures", 3)
        yield from map(Picture.of, figures)
    else:
        yield Paragraph(plain("No picture."))
    yield from _distances(lesion)
    yield from _risk(lesion)
    yield from _tissue(lesion)


def _distances(lesion: LesionContent) -> Iterator[Block]:
    table = lesion.distances
    if not table.heads:
        return
    yield Heading("Distances", 3)
    about = f"lesion {lesion.lesion_id}, {table.order_words} (95 % interval)"
    if table.near:
        yield _distance_table(f"Structures around {about}; negative: how deep the two overlap", table.heads, table.near)
    if table.far:
        yield _distance_table(f"{table.far_words}: structures far from {about}", table.heads, table.far)


def _distance_table(caption: str, heads: Sequence[str], rows: Sequence[DistanceRow]) -> Table:
    cells = tuple(
        (Cell((strong(row.structure),)), *(Cell((plain(cell),), numeric=True) for cell in row.cells)) for row in rows
    )
    return Table(caption, ("Structure", *heads), cells, (1.2, *(1.0 for _ in heads)))


def _risk(lesion: LesionContent) -> Iterator[Block]:
    if not lesion.risk:
        return
    beside = lesion.beside
    yield Heading("Relative hazard of local tumour progression", 3)
    yield from paragraphs(lesion.risk)
    if beside.validity:
        yield bullets(beside.validity)
    yield from paragraphs((*beside.observed, *beside.apart))
    if beside.rows:
        rows = tuple((Cell((strong(first),)), *(Cell((plain(cell),)) for cell in rest)) for first, *rest in beside.rows)
        yield Table(beside.caption, beside.heads, rows, (1.2, 1.3, 1.0, 0.9, 0.9, 2.2, 1.6)[: len(beside.heads)])


def _tissue(lesion: LesionContent) -> Iterator[Block]:
    yield Heading("Change of tissue since the first scan", 3)
    yield from paragraphs(lesion.tissue)
    caption = (
        f"Assumptions, not corrections: what the minimal margin of lesion {lesion.lesion_id} would be in the tissue as"
        " it was before. No rule, interval or hazard uses them"
    )
    rows = tuple(
        (Cell((strong(row.assumption),)), Cell((plain(row.min_mm),), numeric=True), Cell((plain(row.reason),)))
        for row in lesion.sensitivity
    )
    yield Table(caption, ("Assumption", "Minimal margin, mm", "Why it is not known"), rows, (2.2, 0.8, 2.0))


def finding_table(caption: str, found: Sequence[FindingRow]) -> Table:
    """Return findings with their values and what they mean."""
    rows = tuple(
        (Cell((strong(row.name),)), Cell((plain(row.value),), numeric=True), Cell((plain(row.text),))) for row in found
    )
    return Table(caption, ("Finding", "Value", "Meaning, and why it is not known or only bounded"), rows, (1.5, 1, 3.5))
