"""A batch's worklist: what is known of each study in a few values, and which of them worry first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from planner.report.answer import band

State = Literal["assessed", "not_assessable", "failed", "unreadable", "unfinished", "not_begun"]
Gate = Literal["pass", "warn", "fail", "unchecked"]

WITH_RESULT: tuple[State, ...] = ("assessed", "not_assessable")
"""States of a study that has a result."""


@dataclass(frozen=True, slots=True)
class LesionItem:
    """What a worklist knows of a lesion.

    Parameters
    ----------
    lesion_id, status
        Which, and "assessed", "not_assessable" or "not_treated".
    min_mm, ci95_mm
        Its minimal margin, positive where covered, with the 95 % interval; None where not known.
    direction, definition
        Where on the tumour the thin spot lies, and what the margin was measured to; "" where not known.
    registration_error_mm
        Registration error predicted at it.
    flags
        What to keep in mind of the margin, as codes.
    reasons
        Why there is no margin, sentences.
    """

    lesion_id: str
    status: str
    min_mm: float | None = None
    ci95_mm: tuple[float, float] | None = None
    direction: str = ""
    definition: str = ""
    registration_error_mm: float | None = None
    flags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """What a worklist knows of one study after an ablation.

    Parameters
    ----------
    case_id, state
        Which case, and what became of it.
    why
        Why there is no result: a code and a sentence; () where there is one.
    post_number, posts, days_since_ablation
        Which study after the ablation it is, of how many, and how many days later; None where not known.
    lesions, gate
        Its lesions, and what the checks of its registration say; None where there is no result.
    outside, short, borderline
        Published criteria that it is outside of, or short of, and how many verdicts are borderline.
    remarks
        Cautions, and why the case as a whole was not assessed, sentences.
    report, pdf, overview
        Links to its reports and to that of all studies of its case, quoted as in a URL; "" where there is none.
    software_version
        What made the result.
    """

    case_id: str
    state: State
    why: tuple[str, ...] = ()
    post_number: int = 1
    posts: int = 1
    days_since_ablation: float | None = None
    lesions: tuple[LesionItem, ...] = ()
    gate: Gate | None = None
    outside: int = 0
    short: int = 0
    borderline: int = 0
    remarks: tuple[str, ...] = ()
    report: str = ""
    pdf: str = ""
    overview: str = ""
    software_version: str = ""

    @property
    def worst(self) -> LesionItem | None:
        """Return the lesion with the least margin; None where none has a margin."""
        known = [(lesion.min_mm, at, lesion) for at, lesion in enumerate(self.lesions) if lesion.min_mm is not None]
        return min(known)[2] if known else None

    @property
    def band(self) -> str:
        """Return the band of its worst margin; "unknown" without one."""
        return band(None if self.worst is None else self.worst.min_mm)

    @property
    def has_result(self) -> bool:
        """Return whether its review came to a result."""
        return self.state in WITH_RESULT

    @property
    def without_margin(self) -> int:
        """Return how many of its lesions have no minimal margin."""
        return sum(lesion.min_mm is None for lesion in self.lesions)


_RANKS: dict[State, int] = {
    "assessed": 0, "not_begun": 1, "unfinished": 2, "unreadable": 3, "failed": 4, "not_assessable": 5,
}  # fmt: skip


def state_rank(study: Study) -> int:
    """Return how much a study's state worries: the more the higher."""
    return _RANKS[study.state]


def worst_first(studies: Iterable[Study]) -> tuple[Study, ...]:
    """Return studies by their worst margin; behind all of them those without one, an ablation that missed first."""
    return tuple(sorted(studies, key=_order))


def _order(study: Study) -> tuple[bool, float, bool, int, tuple[tuple[int, int, str], ...], int]:
    least = None if study.worst is None else study.worst.min_mm
    untreated = any(lesion.status == "not_treated" for lesion in study.lesions)
    return (
        least is None, 0.0 if least is None else least, not (untreated and least is None), -state_rank(study),
        _natural(study.case_id), study.post_number,
    )  # fmt: skip


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts "case 9" before "case 10"."""
    parts: Sequence[str] = re.split("([0-9]+)", text)
    return tuple((0, int(part), part) if part.isdecimal() and part.isascii() else (1, 0, part) for part in parts)
