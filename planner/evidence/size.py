"""What a published regression says of the tumour's size, apart from the margin: a factor that stands beside it."""

from __future__ import annotations

from dataclasses import dataclass

from planner.evidence.ratio import PerStep, RatioInterval

APART = "stands beside the hazard by margin and is not multiplied into it"


@dataclass(frozen=True, slots=True)
class SizeTerm:
    """A hazard that changes by a fixed ratio with each step of the tumour's size.

    Parameters
    ----------
    statement
        In our own words.
    quantity, unit
        The registered quantity that we take as the size.
    per_step
        Hazard ratio per so many mm of size.
    reference_mm
        Size at which the factor is 1; ours.
    strength
        Of the term: kind of regression and p-value.
    note
        What is not known of it.
    """

    statement: str
    quantity: str
    unit: str
    per_step: PerStep
    reference_mm: float
    strength: str
    note: str = ""

    def at(self, diameter_mm: float) -> SizeFactor:
        """Return the factor of a tumour whose longest axial diameter is `diameter_mm`."""
        return SizeFactor(
            self.per_step.between(diameter_mm, self.reference_mm), diameter_mm, self.reference_mm, self.per_step,
            self.per_step.interval_between(diameter_mm, self.reference_mm), self.strength,
            tuple(text for text in (APART, self.note) if text),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SizeFactor:
    """A hazard against that of a tumour of the reference size, at equal margin; never a part of the relative hazard.

    `interval` holds the doubt of the published ratio alone.
    """

    ratio: float
    diameter_mm: float
    reference_mm: float
    per_step: PerStep
    interval: RatioInterval | None
    strength: str
    notes: tuple[str, ...]
