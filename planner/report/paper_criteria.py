"""Published criteria beside a case's numbers, as a paper prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.report import words
from planner.report.beside_rules import DisputeRow, ShownRow
from planner.report.blocks import (
    Block,
    Bullets,
    Cell,
    Heading,
    Item,
    Paragraph,
    Run,
    Table,
    Text,
    bullets,
    plain,
    small,
    strong,
)
from planner.report.criteria import Criteria, Group
from planner.report.criterion import CriterionRow, Line


def criteria_blocks(criteria: Criteria | None) -> Iterator[Block]:
    """Yield the guideline part of a report; nothing where no rule was held against the case."""
    if criteria is None:
        return
    yield Heading("Published criteria beside these numbers", 2)
    yield Paragraph(plain(words.EACH_SOURCE))
    yield bullets(f"{sentence}." for sentence in criteria.sentences)
    if criteria.first:
        caption = "First: outside a source's criterion, or so near to a line that it may be"
        yield _table(caption, criteria.first, stated=False)
    else:
        yield Paragraph(plain("Nothing that could be judged is outside a source's criterion or near a line."))
    if criteria.unlocking:
        yield Paragraph(plain(f"{criteria.unlocking}."))
    yield Paragraph(small(f"{criteria.counts}."))
    for group in criteria.groups:
        yield from _group(group)
    if criteria.not_applicable:
        yield Heading("What does not apply to this case", 3)
        yield _table("What does not apply to this case, and why", criteria.not_applicable)
    if criteria.elsewhere:
        yield Heading("Not judged here", 3)
        for reason, named in criteria.elsewhere:
            yield Paragraph((*strong(f"{reason}: "), Run(f"{'; '.join(named)}.")))


def _group(group: Group) -> Iterator[Block]:
    yield Heading(f"{group.title}: {group.summary}", 3)
    if group.rows:
        yield _table(f"{group.title}, what each source says", group.rows)
    if group.unknown:
        yield _table(f"{group.title}, what could not be judged, and why", group.unknown)
    for dispute in group.disputes:
        yield from _dispute(dispute)
    if group.shown:
        yield Paragraph(strong(f"{group.title}: figures and advice of the sources"), keeps_next=True)
        yield Bullets(tuple(map(_shown, group.shown)))


def _dispute(dispute: DisputeRow) -> Iterator[Block]:
    yield Paragraph((*strong(f"Sources differ: {dispute.title}. "), Run(dispute.positions)), keeps_next=True)
    yield bullets(dispute.statements)


def _shown(one: ShownRow) -> Item:
    here = f" {one.here[:1].upper()}{one.here[1:]}." if one.here else ""
    note = small(f" {one.note}") if one.note else ()
    said = (*strong(one.title), Run(f" ({one.id}; {one.source}). {one.statement}{here}"), *note)
    return Item(said, tuple(map(plain, one.figures)))


def _table(caption: str, rows: Sequence[CriterionRow], *, stated: bool = True) -> Table:
    heads = ("What the source asks", "This case", "Source (year; strength)")
    return Table(caption, heads, tuple(_row(row, stated) for row in rows), (3.0, 3.0, 1.8))


def _row(row: CriterionRow, stated: bool) -> tuple[Cell, ...]:
    rule = f"{row.rule}; {row.later}" if row.later else row.rule
    asks = (plain(row.title), *((small(row.statement),) if stated else ()), small(rule))
    return Cell(asks), Cell(tuple(text for line in row.lines for text in _line(line))), Cell((plain(row.source),))


def _line(line: Line) -> Iterator[Text]:
    whose = line.lesions if line.lesions in ("", "every lesion") else f"lesion {line.lesions}"
    before = f"{whose}: " if whose else ""
    value = f"{line.value}, " if line.value else ""
    yield (Run(f"{before}{value}"), *strong(line.says))
    if line.why:
        yield small(line.why)
