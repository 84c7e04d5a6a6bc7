"""What was entered and what was found, as a paper prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from planner.report.blocks import Block, Cell, Heading, Paragraph, Run, Table, bullets, plain, strong
from planner.report.findings import FindingRow


class KnownOfLesion(Protocol):
    """What was found of a lesion."""

    @property
    def lesion_id(self) -> str:
        """Its id."""

    @property
    def findings(self) -> Sequence[FindingRow]:
        """Every quantity that a rule may ask for."""


class Known(Protocol):
    """What was entered and found of a case, as a report of a review or of a plan says it."""

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Facts with what was entered."""

    @property
    def other_facts(self) -> Sequence[str]:
        """Facts that were not entered, and that nothing printed asks for."""

    @property
    def baseline(self) -> Sequence[str]:
        """Sentences about the tumours of the baseline study."""

    @property
    def findings(self) -> Sequence[FindingRow]:
        """What was measured of the patient and the session."""

    @property
    def passages(self) -> Sequence[str]:
        """Sentences about hepatic veins and inflow."""

    @property
    def lesions(self) -> Sequence[KnownOfLesion]:
        """The lesions."""


def known_blocks(content: Known) -> Iterator[Block]:
    """Yield what was entered, the tumours of the baseline study, and every finding."""
    yield from _facts(content)
    if content.baseline:
        yield Heading("Tumours of the baseline study", 2)
        yield bullets(content.baseline)
    yield from _findings(content)


def named_values(caption: str, heads: tuple[str, str], rows: Sequence[tuple[str, str]], share: float = 2.0) -> Table:
    """Return names with their values; the values are given `share` times the width of the names."""
    cells = tuple((Cell((strong(name),)), Cell((plain(value),))) for name, value in rows)
    return Table(caption, heads, cells, (1.0, share))


def _facts(content: Known) -> Iterator[Block]:
    if not content.facts:
        return
    yield Heading("What was entered", 2)
    caption = "Facts that relations and rules rest on, as entered; of dates only the days between them are kept"
    yield named_values(caption, ("Fact", "Entered"), content.facts, 1.0)
    if content.other_facts:
        lead = strong("Not entered either, and not asked for by what is printed here: ")
        yield Paragraph((*lead, Run(f"{', '.join(content.other_facts)}.")))


def _findings(content: Known) -> Iterator[Block]:
    if not content.findings:
        return
    yield Heading("Findings", 2)
    yield _table("Measured of the patient and the session", content.findings)
    if content.passages:
        yield Heading("Hepatic veins and inflow", 3)
        yield bullets(content.passages)
    for lesion in content.lesions:
        if lesion.findings:
            yield _table(f"Measured of lesion {lesion.lesion_id}", lesion.findings)


def _table(caption: str, found: Sequence[FindingRow]) -> Table:
    rows = tuple((Cell((strong(row.name),)), Cell((plain(row.value),)), Cell((plain(row.text),))) for row in found)
    heads = ("Finding", "Value", "Meaning, and why it is not known or only bounded")
    return Table(caption, heads, rows, (1.5, 1.2, 3.3))
