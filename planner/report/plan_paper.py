"""The report of a plan on paper: the content of the page in reading order."""

from __future__ import annotations

from collections.abc import Iterator

from planner.report import plan_text, words
from planner.report.blocks import (
    Block,
    Cell,
    Heading,
    Paper,
    Paragraph,
    Picture,
    Table,
    bullets,
    named,
    plain,
    small,
)
from planner.report.paper import opening_blocks, provenance_blocks, reference_blocks, section, shortened
from planner.report.paper_criteria import criteria_blocks
from planner.report.paper_known import known_blocks
from planner.report.paper_lesion import distance_blocks
from planner.report.plan_content import SLICE_HEADS, PlanContent, PlannedContent

SETTING_SHARE = 2.4
"""The column of settings takes so many times as much of the sheet's width as another."""


def plan_paper(content: PlanContent, *, version: str) -> Paper:
    """Return the report of a plan as a paper.

    Parameters
    ----------
    content
        What it says.
    version
        Name and version of the program, for the head of every sheet.
    """
    return Paper(
        title=f"Planned ablation zones, case {content.case_id}",
        head=f"Case {shortened(content.case_id)}, plan",
        version=version,
        foot=words.BANNER,
        blocks=(
            *_first_sheet(content),
            *(block for lesion in content.lesions for block in _lesion(lesion)),
            *_needles(content),
            Paragraph(plain(plan_text.STANDS_FOR_POST)),
            *criteria_blocks(content.criteria),
            *known_blocks(content),
            *section("Notes of reading and measuring", content.notes or ("None.",)),
            Heading("Method and versions", 2),
            Paragraph(plain(plan_text.METHOD)),
            Paragraph(plain(words.METHOD_PICTURES)),
            *provenance_blocks(content.provenance),
            *reference_blocks(content.references),
        ),
    )


def _first_sheet(content: PlanContent) -> Iterator[Block]:
    title = f"Planned ablation zones, case {content.case_id}"
    yield from opening_blocks(title, plan_text.BANNER, content.cautions, content.identities, content.scanned)
    yield Heading("What the planned zones would hold", 2)
    yield Paragraph(plain(plan_text.SIGN))
    rows = tuple(
        (Cell((named(row.lesion_id),)), Cell((plain(row.cells[0]),)), *(Cell((plain(cell),), numeric=True)
                                                                        for cell in row.cells[1:]))
        for row in content.rows
    )  # fmt: skip
    yield Table("One row per lesion", content.heads, rows, (0.6, SETTING_SHARE, *(1.0 for _ in content.heads[2:])))
    yield Paragraph(small(f"{content.spread}."))


def _lesion(lesion: PlannedContent) -> Iterator[Block]:
    yield Heading(f"Lesion {lesion.lesion_id}: {lesion.reading}", 2)
    yield bullets(f"{sentence}." for sentence in lesion.sentences)
    if lesion.figures:
        yield Heading("Pictures", 3)
        yield from map(Picture.of, lesion.figures)
    if lesion.slices:
        yield Heading("Coverage slice by slice", 3)
        caption = (
            f"Target of lesion {lesion.lesion_id} in each slice of the planning scan (numbers from 0), and what of it"
            " lies in no zone"
        )
        rows = tuple(tuple(Cell((plain(cell),), numeric=True) for cell in row) for row in lesion.slices)
        yield Table(caption, SLICE_HEADS, rows, (1.0,) * len(SLICE_HEADS))
    yield from distance_blocks(lesion.lesion_id, lesion.distances, "95 % interval by the contours alone")


def _needles(content: PlanContent) -> Iterator[Block]:
    yield Heading("Needles", 2)
    yield Paragraph(plain(f"{plan_text.TABLE_TERMS} {plan_text.COORDINATES}"))
    if not content.needles:
        yield Paragraph(plain("None is planned."))
    for needle in content.needles:
        yield Heading(needle.heading, 3)
        yield bullets(f"{sentence}." for sentence in needle.sentences)
