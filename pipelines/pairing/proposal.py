"""What pairing proposes, and what it leaves to a person."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.pairing.series import Series


@dataclass(frozen=True, slots=True)
class Pair:
    """A study before and one after an ablation, and the rules by which they were found.

    `days` is the time from PRE to POST and `days_since_ablation` that from the ablation to POST, None where unknown;
    `energy` what the descriptions say the tissue was destroyed with; `further` whether PRE has another POST.
    """

    pre: Series
    post: Series
    rules: tuple[str, ...]
    days: int | None = None
    days_since_ablation: int | None = None
    energy: str = ""
    further: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A series that may be meant: as PRE or POST, with points and what they are for."""

    study: str
    series: Series
    points: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why a patient (or a study of nobody) has no pair, or one less than there may be, and what may be meant."""

    patient: str
    code: str
    reason: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """All pairs of a tree, and all that is undecided."""

    pairs: tuple[Pair, ...]
    undecided: tuple[Undecided, ...]
    patients: int
