"""Several studies after one ablation: which there are, and in which order a report shows them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipelines.case_file import CaseFile
from pipelines.isolated import isolated
from pipelines.ports import Observe
from pipelines.scan_day import ScanDay
from pipelines.source import FolderSource
from pipelines.stated_days import stated_facts
from planner.errors import InputError, UsageError
from planner.report.trend import Order
from planner.timing import timing_of


@dataclass(frozen=True, slots=True)
class Ordered:
    """The sources of one case's posts in their order, numbered, and what they are in the order of."""

    sources: tuple[FolderSource, ...]
    by: Order


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a post before it is read; `readable` is False where its headers are not."""

    since_days: float | None = None
    scanned_on: date | None = None
    readable: bool = True


def sources_of(first: FolderSource, posts: tuple[Path, ...]) -> tuple[FolderSource, ...]:
    """Return a source for each POST: those of the call, and those that the case file adds to them.

    Parameters
    ----------
    first
        The source of the first POST.
    posts
        The POSTs of the call.

    Raises
    ------
    InputError
        There are several, and the case file cannot be used.
    """
    stated = CaseFile()
    try:
        stated = first.stated()
    except InputError:
        if len(posts) > 1:
            raise  # of a single one whoever reads it refuses the case file
    count = max(len(posts), len(stated.posts))
    paths = [*posts, *(None for _ in range(count - len(posts)))]
    return tuple(replace(first, post=path, which=n, posts=count) for n, path in enumerate(paths, start=1))


def in_order(sources: tuple[FolderSource, ...], observe: Observe) -> Ordered:
    """Return the posts by days since the ablation, else by scan date; where one's day is not known, as they were given.

    A post whose headers cannot be read comes last.

    Raises
    ------
    InputError
        The case file cannot be used.
    UsageError
        There is a transform file, or landmarks: they go with one POST.
    """
    stated = sources[0].stated()
    if sources[0].transform or sources[0].landmarks or stated.transform or stated.landmark_files:
        raise UsageError("a transform file and landmarks go with one POST: review each of several apart")
    known = {source.which: _known(source, observe) for source in sources}
    by = _order([one for one in known.values() if one.readable])
    ordered = sorted(sources, key=lambda source: (not known[source.which].readable, _place(known[source.which], by)))
    return Ordered(tuple(replace(source, number=n) for n, source in enumerate(ordered, start=1)), by)


def _known(source: FolderSource, observe: Observe) -> _Known:
    stated = source.stated()
    facts = stated_facts(stated, source.posts)
    path = stated.path_of("post") or source.post
    if path is None:
        raise UsageError(f"POST number {source.which}: no folder given, neither in the call nor in the case file")
    with suppress(InputError):
        day = isolated(ScanDay(path, stated.its_post).read, observe)
        return _Known(timing_of(None, day, facts).days_since_ablation, day)
    return _Known(readable=False)


def _order(known: list[_Known]) -> Order:
    if all(one.since_days is not None for one in known):
        return "days_since_ablation"
    return "scan_dates" if all(one.scanned_on is not None for one in known) else "call"


def _place(known: _Known, by: Order) -> float:
    """Return what posts are sorted by; equal ones stay as they were given."""
    if by == "days_since_ablation" and known.since_days is not None:
        return known.since_days
    return float(known.scanned_on.toordinal()) if by == "scan_dates" and known.scanned_on is not None else 0.0
