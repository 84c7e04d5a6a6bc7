"""What a paper is made of: headings, paragraphs, lists, tables and pictures, as values that turn into JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from planner.report.figure import Figure
from planner.report.page import visible

NAMES = ("kind", "style", "tone", "band", "name")
"""What of a block is no text for a reader."""

SHARES = {
    "strip": 0.65, "planes": 0.88, "distribution": 0.7, "polar": 0.7, "solid": 0.75, "checkerboard": 0.72,
    "edges": 0.72, "displacement": 0.72,
}  # fmt: skip
"""How much of the sheet's width a picture of each kind takes; any other takes all of it."""

Style = Literal["plain", "strong", "small", "name"]


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one style."""

    text: str
    style: Style = "plain"


Text = tuple[Run, ...]
"""Pieces of text that follow each other on a line."""


def plain(text: str) -> Text:
    """Return text as it is."""
    return (Run(text),)


def strong(text: str) -> Text:
    """Return text that stands out."""
    return (Run(text, "strong"),)


def small(text: str) -> Text:
    """Return text that stands back."""
    return (Run(text, "small"),)


def named(text: str) -> Text:
    """Return a name that somebody gave: it stands out, and may end a line anywhere where it is long."""
    return (Run(text, "name"),)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; one that `starts_page` begins a new page."""

    text: str
    level: int
    starts_page: bool = False
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Notice:
    """A line in a frame, above everything that it is about."""

    text: Text
    tone: Literal["banner", "caution"] = "banner"
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; one that `keeps_next` stays on the page of what follows it."""

    text: Text
    keeps_next: bool = False
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list, with those below it."""

    text: Text
    below: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without an order."""

    items: tuple[Item, ...]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its lines, and the band of margins whose colour it bears beside its words ("" for none)."""

    lines: tuple[Text, ...]
    numeric: bool = False
    band: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head over every column.

    Parameters
    ----------
    caption
        What it shows.
    heads
        One for each column.
    rows
        Cells, as many in each row as there are heads.
    column_share
        How the columns divide the width among them.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    column_share: tuple[float, ...]
    kind: Literal["table"] = "table"

    def __post_init__(self) -> None:
        """Refuse rows of another length.

        Raises
        ------
        ValueError
            The heads, the shares and some row are not equally many.
        """
        lengths = {len(self.heads), len(self.column_share), *map(len, self.rows)}
        if len(lengths) != 1:
            raise ValueError(f"table {self.caption!r}: heads, shares and rows of lengths {sorted(lengths)}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, by the name of its figure, with a caption or ""; it takes this share of the sheet's width."""

    name: str
    caption: str
    alt: str
    share: float
    kind: Literal["picture"] = "picture"

    @classmethod
    def of(cls, figure: Figure) -> Picture:
        """Return a figure as a block."""
        return cls(figure.name, figure.caption, figure.alt, SHARES.get(figure.kind, 1.0))


@dataclass(frozen=True, slots=True)
class Key:
    """The colours of the bands: each in the colour of its `band`, with its words."""

    cells: tuple[Cell, ...]
    kind: Literal["key"] = "key"


Block = Heading | Notice | Paragraph | Bullets | Table | Picture | Key


def bullets(sentences: Iterable[str]) -> Bullets:
    """Return sentences as a list."""
    return Bullets(tuple(Item(plain(sentence)) for sentence in sentences))


def paragraphs(sentences: Iterable[str]) -> Iterator[Paragraph]:
    """Yield a paragraph for each sentence."""
    return (Paragraph(plain(sentence)) for sentence in sentences)


@dataclass(frozen=True, slots=True)
class Paper:
    """A report on paper: its title, what stands at the head and foot of every page, and its blocks in reading order."""

    title: str
    head: str
    version: str
    foot: str
    blocks: tuple[Block, ...]


def document(paper: Paper) -> dict[str, object]:
    """Return a paper as JSON takes it, every text so that it reads as it is stored."""
    return with_texts(asdict(paper), lambda text: str(visible(_single_spaced(text))))


def with_texts(value: Mapping[str, object], change: Callable[[str], str]) -> dict[str, object]:
    """Return a document with its texts changed, and its names as they are."""
    return {name: part if name in NAMES else _changed(part, change) for name, part in value.items()}


def _changed(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return with_texts(value, change)
    if isinstance(value, Sequence):
        return [_changed(part, change) for part in value]
    return value


def _single_spaced(text: str) -> str:
    """Return text with every line break and tabulator as a space, as HTML shows them."""
    return "".join(" " if character in "\n\r\t" else character for character in text)
