"""What a batch says: a line per case on the way, and a table of failures by reason at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipelines.batch.runner import Tally
from planner.report.counts import counted

IDS_SHOWN = 5


class OfCase(Protocol):
    """A sentence about a case, and a word to group it by."""

    @property
    def case_id(self) -> str:
        """The case."""

    @property
    def code(self) -> str:
        """The word."""

    @property
    def text(self) -> str:
        """The sentence."""


S = TypeVar("S", bound=OfCase)


@dataclass(frozen=True, slots=True)
class Remark:
    """What a result says of its case as a whole."""

    case_id: str
    code: str
    text: str


def progress_line(what: str, tally: Tally) -> str:
    """Return counts and the time left."""
    done = tally.total - tally.left
    parts = [f"{done}/{counted(tally.total, 'case')}", f"{len(tally.failures)} failed", f"{len(tally.skipped)} skipped"]
    if tally.left and tally.seconds_left is not None:
        parts.append(f"about {duration(tally.seconds_left)} left")
    return f"{', '.join(parts)}{f': {what}' if what else ''}"


def finished_words(tally: Tally) -> str:
    """Return what an interrupted batch leaves behind."""
    finished = len(tally.finished)
    return f"{counted(finished, 'case was', 'cases were')} finished and {'is' if finished == 1 else 'are'} kept"


def duration(seconds: float) -> str:
    """Return a length of time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def closing(tally: Tally) -> str:
    """Return the closing words: counts, then what failed and what results say of whole cases, by code."""
    lines = [
        f"{counted(tally.total, 'case')}: {len(tally.finished)} finished now, {len(tally.skipped)} finished before,"
        f" {len(tally.failures)} failed"
    ]
    for failures in grouped(tally.failures):
        lines += _group_lines(failures)
    if tally.unkept:
        lines.append("The same call tries them again.")
    elif tally.failures:
        lines.append("Why is in failure.json of each case's folder; the same call tries them again.")
    remarks = [Remark(case_id, said.code, said.text) for case_id, every in tally.remarks.items() for said in every]
    if remarks:
        lines.append("To keep in mind of cases that have a result:")
    for group in grouped(remarks):
        lines += _group_lines(group)
    return "\n".join(lines)


def unkept_words(tally: Tally) -> str:
    """Return which failures could not be written down, and why."""
    why = ", ".join(dict.fromkeys(tally.unkept.values()))
    cases = f"{counted(len(tally.unkept), 'case')} ({_ids(list(tally.unkept))})"
    return f"failure.json could not be written for {cases}: {why}"


def grouped(said: Sequence[S]) -> list[list[S]]:
    """Return what was said by its code, the most frequent first."""
    groups: dict[str, list[S]] = {}
    for one in said:
        groups.setdefault(one.code, []).append(one)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].code))


def _group_lines(group: Sequence[OfCase]) -> list[str]:
    """Return a code with its cases, then each distinct sentence once, with its cases where there are several."""
    cases: dict[str, list[str]] = {}
    for one in group:
        cases.setdefault(one.text, []).append(one.case_id)
    head = f"{len(group):>5} x {group[0].code}"
    if len(cases) == 1:
        return [f"{head}: {_ids([one.case_id for one in group])}", f"        {group[0].text}"]
    return [head, *(f"        {_ids(ids)}: {text}" for text, ids in cases.items())]


def _ids(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else ""
    return f"{', '.join(ids[:IDS_SHOWN])}{more}"
