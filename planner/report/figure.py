"""A picture of a report, as bytes with a name and a text alternative."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("strip", "planes", "distribution", "polar", "solid", "checkerboard", "edges", "displacement", "trend")
"""What figures show, in the order in which a reader wants them."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """One picture.

    Parameters
    ----------
    name
        Identifier, unique in a report, fit for a file name: "lesion_1_plane".
    caption
        What it shows, a sentence for the reader.
    alt
        Text alternative for those who cannot see it.
    media_type
        "image/png" or "image/svg+xml".
    content
        The encoded picture.
    lesion_id
        The lesion it belongs to; None for the case.
    kind
        What it shows, for pages that lay out by it: one of `KINDS`, or "" for any other.
    """

    name: str
    caption: str
    alt: str
    media_type: str
    content: bytes
    lesion_id: str | None = None
    kind: str = ""
