"""A file that holds several masks: its segments, and what reads one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from planner.grid import Grid
from planner.volume import Mask


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its number, label, and the role its coded type means (`tumour` and `ablation` without number)."""

    number: int
    label: str
    role: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The mask of a segment, and what a reader should know of how it came about."""

    mask: Mask
    notes: tuple[str, ...] = ()


class Segmented(Protocol):
    """A file of several masks as read: a DICOM SEG, an RTSTRUCT, a segmentation of 3D Slicer."""

    @property
    def name(self) -> str:
        """How messages call it; no patient data."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Its segments in the order of their numbers."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided while reading."""

    def drawn(self, number: int, near: Grid, name: str) -> Drawn:
        """Return segment `number` as the mask `name`, on the lattice `near` where it lies on that, else on its own."""
