"""What a paper says of one lesion, and of local tumour progression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.report.blocks import (
    Block,
    Cell,
    Heading,
    Paragraph,
    Picture,
    Table,
    bullets,
    named,
    paragraphs,
    plain,
    small,
    strong,
)
from planner.report.content import Content, LesionContent
from planner.report.surroundings import DistanceRow, DistanceTable

BESIDE_SHARES = (1.2, 1.3, 1.0, 0.9, 0.9, 2.2, 1.6)
"""How the columns of other published figures divide the width of the sheet."""


def lesion_blocks(lesion: LesionContent) -> Iterator[Block]:
    """Yield what a paper says of a lesion, in the order of the page."""
    yield Heading(f"Lesion {lesion.lesion_id}: {lesion.reading}", 2)
    yield from paragraphs(lesion.sentences)
    if lesion.flags:
        yield Heading("To keep in mind", 3)
        yield bullets(lesion.flags)
    if lesion.interval:
        yield Heading("How sure", 3)
        yield from paragraphs(lesion.interval)
    if lesion.figures:
        yield Heading("Pictures", 3)
        yield from map(Picture.of, lesion.figures)
    else:
        yield Paragraph(plain("No picture."))
    if lesion.registration_figures:
        yield Heading("Was the registration good here?", 3)
        yield from map(Picture.of, lesion.registration_figures)
    if lesion.planned:
        yield Heading("Planned and achieved", 3)
        yield from paragraphs(lesion.planned)
    yield from distance_blocks(lesion.lesion_id, lesion.distances)
    yield from _tissue(lesion)


def distance_blocks(lesion_id: str, table: DistanceTable, interval: str = "95 % interval") -> Iterator[Block]:
    """Yield the distances around a lesion; `interval` says what stands in brackets."""
    if not table.heads:
        return
    yield Heading("Distances", 3)
    about = f"lesion {lesion_id}, {table.order_words} ({interval})"
    if table.near:
        yield _distance_table(f"Structures around {about}; negative: how deep the two overlap", table.heads, table.near)
    if table.far:
        yield _distance_table(f"{table.far_words}: structures far from {about}", table.heads, table.far)


def _distance_table(caption: str, heads: Sequence[str], rows: Sequence[DistanceRow]) -> Table:
    cells = tuple(
        (Cell((strong(row.structure),)), *(Cell((plain(cell),), numeric=True) for cell in row.cells)) for row in rows
    )
    return Table(
        caption, ("Structure", *heads), cells, (1.2, *(1.3 if head.startswith("From") else 0.9 for head in heads))
    )


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


def progression_blocks(content: Content) -> Iterator[Block]:
    """Yield what the published relation says of every lesion; nothing where none was asked."""
    found = content.progression
    if found is None:
        return
    yield Heading("Local tumour progression: what the published relation says", 2)
    rows = tuple(
        (Cell((named(row.lesion_id),)), Cell((plain(row.margin),), numeric=True, band=row.band),
         Cell((plain(row.interval),), numeric=True), Cell((plain(row.said), *map(small, row.own))))
        for row in found.rows
    )  # fmt: skip
    yield Table(
        "Relative hazard of local tumour progression by minimal margin; relative only, no absolute risk, and no finding"
        " about the tumour",
        ("Lesion", "Minimal margin, mm", "95 % interval, mm", "What the relation says"), rows, (0.6, 0.9, 1.0, 5.0),
    )  # fmt: skip
    if found.validity:
        yield Heading("For whom it holds, and for this case", 3)
        yield bullets(found.validity)
    for lesion in content.lesions:
        yield from _beside(lesion)


def _beside(lesion: LesionContent) -> Iterator[Block]:
    """Yield what stands beside the relation for a lesion: a cohort, the relation's own doubt, other figures."""
    beside = lesion.beside
    if not (beside.observed or beside.apart or beside.rows):
        return
    yield Heading(f"Lesion {lesion.lesion_id}: the relation's own doubt, tumour size, and other published figures", 3)
    yield from paragraphs((*beside.observed, *beside.apart))
    if beside.rows:
        rows = tuple((Cell((strong(first),)), *(Cell((plain(cell),)) for cell in rest)) for first, *rest in beside.rows)
        yield Table(beside.caption, beside.heads, rows, BESIDE_SHARES)
