"""What pairing proposes, and what it leaves to a person."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.pairing.series import Series


@dataclass(frozen=True, slots=True)
class Pair:
    """A study before and one after an ablation, and the rules by which they were found.

    `days` is the time from PRE to POST and `days_since_ablation` that from the ablation to POST, None where unknown;
    `energy` what the descriptions say the tissue was destroyed with.
    """

    pre: Series
    post: Series
    rules: tuple[str, ...]
    days: int | None = None
    days_since_ablation: int | None = None
    energy: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """A case: the pairs of one PRE with each of its POSTs, in the order of time."""

    pairs: tuple[Pair, ...]

    @property
    def pre(self) -> Series:
        """The study before the ablation."""
        return self.pairs[0].pre

    @property
    def series(self) -> tuple[tuple[str, Series], ...]:
        """Every series of the case, with the name of its study in a case file."""
        posts = [("post" if n == 1 else f"post_{n}", pair.post) for n, pair in enumerate(self.pairs, start=1)]
        return ("pre", self.pre), *posts


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

    @property
    def courses(self) -> tuple[Course, ...]:
        """The pairs, those of one PRE together."""
        found: dict[tuple[str, str], list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault((pair.pre.head.patient, pair.pre.mark), []).append(pair)
        return tuple(Course(tuple(sorted(pairs, key=_moment))) for pairs in found.values())


def _moment(pair: Pair) -> tuple[str, float, str]:
    return str(pair.post.day or ""), pair.post.time_s, pair.post.mark
