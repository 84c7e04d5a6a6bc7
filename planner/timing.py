"""When the two studies were made, counted in days from the ablation: days only, never a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from planner.facts import ABLATION_DATE, DAYS_SINCE_ABLATION, POST_SCAN_DATE, FactValue, scan_days

OLDEST_PRE_DAYS = 42
"""A PRE older than this before the ablation is flagged: six weeks, in which a tumour may have changed.

It is a convention of this program, asked for by its users, not a published criterion; exactly 42 days are not flagged.
"""

MOST_APART_DAYS = 1.0
"""Entered days and those by the scan dates may differ by as much: a night between scan and ablation."""

FLAGS: Mapping[str, str] = {
    "old_pre_scan": f"the pre-ablation study was made more than {OLDEST_PRE_DAYS} days before the ablation: the tumour"
    " may have changed since",
    "pre_after_ablation": "by the days known, the pre-ablation study was made after the ablation",
    "post_before_ablation": "by the days known, the post-ablation study was made before the ablation",
    "post_before_pre": "by their dates, the post-ablation study was made before the pre-ablation study: are the two"
    " swapped?",
    "days_disagree": "the days entered and those by the scan dates differ by more than a day: those entered count",
}
"""What each flag says, in a sentence."""

CONTRADICTIONS = ("post_before_pre", "pre_after_ablation", "post_before_ablation")
"""Flags of which one side must be wrong: they stand above every number."""

NO_ABLATION = "the day of the ablation is not known (ablation_date or days_since_ablation of the case file)"
NO_PRE = "the scan date of PRE is not known"
NO_POST = "the scan date of POST is not known"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a count of days is not known: its name, and a sentence."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How many days lie between the studies and the ablation.

    Parameters
    ----------
    pre_days_before_ablation, days_since_ablation, days_between_studies
        From PRE to the ablation, from the ablation to POST, and from PRE to POST; None with an entry of `unknown`.
        Negative where the order is the other way round.
    flags
        Names of `FLAGS`.
    unknown
        Why a count is None.
    post_number, posts
        Which study after the ablation this is, from 1 in the order of a report, and of how many.
    """

    pre_days_before_ablation: float | None
    days_since_ablation: float | None
    days_between_studies: float | None
    flags: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    post_number: int = 1
    posts: int = 1

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Return the flags that say that something must be wrong."""
        return tuple(flag for flag in self.flags if flag in CONTRADICTIONS)

    def numbered(self, number: int, of: int) -> Timing:
        """Return the same as the study of that number after the ablation, of so many."""
        return replace(self, post_number=number, posts=of)


def timing_of(pre_on: date | None, post_on: date | None, facts: Mapping[str, FactValue]) -> Timing:
    """Return the day counts of a case.

    What was entered counts before what the images say: `days_since_ablation`, and `post_scan_date` for the POST scan.

    Parameters
    ----------
    pre_on, post_on
        When the studies were scanned, as the images or the case file state it; None where nothing does.
    facts
        As checked by `checked_facts`.

    Raises
    ------
    InputError
        The entered days contradict the entered dates.
    """
    entered, ablated_on = scan_days(facts), _day(facts.get(ABLATION_DATE.name))
    post_day = _day(facts.get(POST_SCAN_DATE.name)) or post_on
    seen = _between(ablated_on, post_day)
    since = seen if entered is None else entered
    between = _between(pre_on, post_day)
    before = _between(pre_on, ablated_on)
    if before is None and between is not None and since is not None:
        before = between - since
    by_images = _between(ablated_on, post_on)
    disagree = entered is not None and by_images is not None and abs(entered - by_images) > MOST_APART_DAYS
    return Timing(
        before, since, between, tuple(_flags(before, since, between, exact=entered is None, disagree=disagree)),
        tuple(_unknown(before, since, between, pre_on, post_day)),
    )  # fmt: skip


def with_days(facts: Mapping[str, object], timing: Timing) -> Mapping[str, object]:
    """Return the facts with the days since the ablation, where only the timing knows them.

    Days before the ablation are left out: no relation and no rule speaks of them.
    """
    days = timing.days_since_ablation
    if days is None or days < 0 or facts.get(DAYS_SINCE_ABLATION.name) not in (None, ""):
        return facts
    return {**facts, DAYS_SINCE_ABLATION.name: days}


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _between(first: date | None, second: date | None) -> float | None:
    return None if first is None or second is None else float((second - first).days)


def _flags(
    before: float | None, since: float | None, between: float | None, *, exact: bool, disagree: bool
) -> Iterator[str]:
    """Yield the flags; days that somebody counted (not `exact`) may be off by one."""
    if before is not None and before > OLDEST_PRE_DAYS:
        yield "old_pre_scan"
    if before is not None and before < (0.0 if exact else -MOST_APART_DAYS):
        yield "pre_after_ablation"
    if since is not None and since < 0:
        yield "post_before_ablation"
    if between is not None and between < 0:
        yield "post_before_pre"
    if disagree:
        yield "days_disagree"


def _unknown(
    before: float | None, since: float | None, between: float | None, pre_on: date | None, post_on: date | None
) -> Iterator[Unknown]:
    """Yield why a count is None. An interval between the studies still bounds the age of PRE."""
    no_scan = [text for day, text in ((pre_on, NO_PRE), (post_on, NO_POST)) if day is None]
    if before is None:
        text = NO_PRE if pre_on is None else NO_ABLATION
        if between is not None:
            text += f"; if POST was made on its day or later, PRE is at most {max(between, 0.0):g} days older"
        yield Unknown("pre_days_before_ablation", text)
    if since is None:
        yield Unknown("days_since_ablation", NO_POST if post_on is None else NO_ABLATION)
    if between is None:
        yield Unknown("days_between_studies", "; ".join(no_scan))


UNKNOWN_TIMING = timing_of(None, None, {})
"""Nothing is known of when the studies were made."""
