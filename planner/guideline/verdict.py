"""What a rule says of a case: a verdict with what it rests on, what is missing, and how near an edge it lies."""

from __future__ import annotations

from dataclasses import dataclass

from planner.findings import Quantity
from planner.guideline.rule import Rule, Word


@dataclass(frozen=True, slots=True)
class Side:
    """An edge inside the interval of a measured value: the verdicts on both sides and how likely each side is."""

    edge: float
    unit: str
    below: Word
    above: Word
    p_below: float | None
    p_above: float | None
    from_source: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What one part of a rule says: its word, the value it rests on, and what kept it from saying more.

    `missing` names facts that were not entered and would change the word; `reasons` says why a value is unknown, and
    which branch was taken; `may_be` holds the words that a part which could not be judged may turn out to have.
    """

    quantity: Quantity
    word: Word
    value: float | None
    ci95: tuple[float, float] | None
    sides: tuple[Side, ...] = ()
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    may_be: frozenset[Word] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a lesion, or of the case where `lesion_id` is None.

    Parameters
    ----------
    rule, word, lesion_id
        The rule, one of six words, and of which lesion.
    deciding
        The reading that decided; of a rule out of scope None.
    readings
        Those of all parts.
    missing
        Facts that were not entered and are needed.
    reasons
        Why it could not be judged or does not apply, or which branch was taken.
    geometric
        The verdict by the geometric margin, where that is another word.
    in_3d
        The verdict by the longest diameter in 3D instead of the axial one, where that is another word.
    """

    rule: Rule
    word: Word
    lesion_id: str | None
    deciding: Reading | None
    readings: tuple[Reading, ...] = ()
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    geometric: Verdict | None = None
    in_3d: Verdict | None = None

    @property
    def sides(self) -> tuple[Side, ...]:
        """The edges that the interval of the deciding value crosses."""
        decided = self.deciding is not None and self.word == self.deciding.word
        return self.deciding.sides if decided and self.deciding is not None else ()

    @property
    def borderline(self) -> bool:
        """Whether the verdict may be another: the value's interval, or axial and 3D diameter, lie across an edge."""
        return bool(self.sides) or self.in_3d is not None

    @property
    def value(self) -> float | None:
        """The value that decided."""
        return None if self.deciding is None else self.deciding.value

    @property
    def unit(self) -> str:
        """Its unit."""
        return (self.rule.parts[0].quantity if self.deciding is None else self.deciding.quantity).unit
