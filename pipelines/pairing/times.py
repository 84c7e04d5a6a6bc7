"""Whether days, times and words bear out that one study is before an ablation and another after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.pairing.series import Series
from pipelines.pairing.words import AFTER, BEFORE, ENERGIES, SESSION

PRE_DAYS = 60
"""PRE is at most so long before the ablation."""

IMMEDIATE_DAYS = 2
FOLLOW_UP_DAYS = (14, 120)
"""POST is of the day of the ablation or the next two, or of a first follow-up."""

MOST_DAYS = PRE_DAYS + FOLLOW_UP_DAYS[1]
"""Between PRE and POST where the day of the ablation is unknown."""

CONTRADICTED = "dates-contradict-masks"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why two studies are not taken for a pair."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Borne:
    """That nothing speaks against a pair: the rules, the days between, and the days since the ablation."""

    rules: tuple[str, ...]
    days: int | None = None
    days_since_ablation: int | None = None


def in_time(pre: Series, post: Series, every: Sequence[Series]) -> Borne | Doubt:
    """Return whether two studies of a patient, of whom `every` series is known, can be before and after an ablation."""
    if AFTER in pre.head.words or BEFORE in post.head.words:
        said = "a series with tumour masks is described as after an ablation, or one with zones as before it"
        return Doubt("words-contradict-masks", said)
    others = [s for s in every if s.study not in (pre.study, post.study)]
    if pre.day is None or post.day is None:
        return _undated(others, "dates are missing or contradict each other")
    days = (post.day - pre.day).days
    if days < 0:
        return Doubt(CONTRADICTED, f"the zones were scanned {-days} days before the tumours")
    if days == 0:
        order = _same_day(pre, post)
        if isinstance(order, Doubt):
            return order
        if order == "unknown" and pre.study != post.study:
            return _undated(others, "the dates are equal and no time tells them apart")
    return _dated(pre.day, post.day, post, others)


def energy_of(pre: Series, post: Series, every: Sequence[Series]) -> str:
    """Return what descriptions say the tissue was destroyed with; empty where they say nothing, or two things."""
    told = [s for s in every if SESSION in s.head.words or s.study in (pre.study, post.study)]
    found = {word for s in told for word in s.head.words if word in ENERGIES}
    return found.pop() if len(found) == 1 else ""


def _undated(others: Sequence[Series], why: str) -> Borne | Doubt:
    if others:
        return Doubt("no-dates", f"{why}, and there are other studies: nothing says which came first")
    return Borne((f"{why}: by the masks alone, as there are two studies",))


def _same_day(pre: Series, post: Series) -> str | Doubt:
    if pre.time_s < 0 or post.time_s < 0 or pre.time_s == post.time_s:
        return "unknown"
    if pre.time_s > post.time_s:
        return Doubt(CONTRADICTED, "of one day, and the zones were scanned before the tumours")
    return "in order"


def _dated(first: date, last: date, post: Series, others: Sequence[Series]) -> Borne | Doubt:
    days = (last - first).days
    between = [s for s in others if s.day is None or first <= s.day <= last]
    sessions = {s.day for s in between if SESSION in s.head.words and s.day is not None}
    if len(sessions) > 1:
        return Doubt("several-ablations", "between the two lie studies of several ablations")
    told = next(iter(sessions), None)
    told_of = {s.study for s in between if SESSION in s.head.words or s.parts("ablation") or s.parts("tumour")}
    plain = [s for s in between if s.study not in told_of]
    if told is None:
        if plain:
            said = "other studies without masks of lesions lie between the two: they may be of another ablation"
            return Doubt("studies-between", said)
        if SESSION not in post.head.words:
            return _without_ablation(days)
        told = last
    if any(s.day is None or not 0 <= (s.day - told).days <= IMMEDIATE_DAYS for s in plain):
        said = "other studies without masks of lesions lie between the two, not of the days of the ablation"
        return Doubt("studies-between", said)
    return _about(told, first, last, days)


def _without_ablation(days: int) -> Borne | Doubt:
    if days > MOST_DAYS:
        return Doubt("outside-window", f"POST is {days} days after PRE, expected at most {MOST_DAYS}")
    return Borne((f"POST is {_days(days)} after PRE; the day of the ablation is not known",), days)


def _about(ablation: date, pre: date, post: date, days: int) -> Borne | Doubt:
    before, after = (ablation - pre).days, (post - ablation).days
    if before > PRE_DAYS:
        return Doubt("outside-window", f"PRE is {before} days before the ablation, expected at most {PRE_DAYS}")
    if after > IMMEDIATE_DAYS and not FOLLOW_UP_DAYS[0] <= after <= FOLLOW_UP_DAYS[1]:
        expected = f"0 to {IMMEDIATE_DAYS}, or {FOLLOW_UP_DAYS[0]} to {FOLLOW_UP_DAYS[1]}"
        return Doubt("outside-window", f"POST is {after} days after the ablation, expected {expected}")
    what = "immediately" if after <= IMMEDIATE_DAYS else "at follow-up"
    rule = (
        f"PRE {_days(before)} before and POST {_days(after)} ({what}) after the day whose description names an ablation"
    )
    return Borne((rule,), days, after)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
