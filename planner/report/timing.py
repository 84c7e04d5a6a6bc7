"""When the studies were made, in a reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from planner.report.counts import counted
from planner.timing import CONTRADICTIONS, FLAGS, Timing


def timing_sentences(timing: Timing) -> tuple[str, ...]:
    """Return every day count, or why it is not known, then what is flagged."""
    why = {unknown.field: unknown.text for unknown in timing.unknown}
    counts = (
        ("PRE", "pre_days_before_ablation", "before the ablation", "after the ablation"),
        ("POST", "days_since_ablation", "after the ablation", "before the ablation"),
        ("From PRE to POST", "days_between_studies", "", "backwards"),
    )
    found = [_which(timing)] if timing.posts > 1 else []
    for name, field, forward, backward in counts:
        days = getattr(timing, field)
        said = f"not known ({why.get(field, 'no reason given')})" if days is None else _days(days, forward, backward)
        found.append(f"{name}: {said}.")
    return (*found, *(f"Flagged: {FLAGS[flag]}." for flag in timing.flags))


def date_sentences(scan_dates: Mapping[str, date]) -> tuple[str, ...]:
    """Return when the studies were scanned, for the report alone: no result, log or table shows it."""
    if not scan_dates:
        return ()
    listed = ", ".join(f"{study.upper()} {day.isoformat()}" for study, day in scan_dates.items())
    return (f"Scanned on: {listed} (the report is the only file that holds these dates).",)


def flag_sentences(timing: Timing) -> tuple[str, ...]:
    """Return what is flagged of the timing and is no caution already."""
    return tuple(f"{FLAGS[flag]}." for flag in timing.flags if flag not in CONTRADICTIONS)


def _which(timing: Timing) -> str:
    return (
        f"This is study {timing.post_number} of {timing.posts} after the ablation, in the order of the common report."
    )


def _days(days: float, forward: str, backward: str) -> str:
    """Return a count in words; a half day keeps its decimals."""
    size = counted(int(abs(days)), "day") if float(days).is_integer() else f"{abs(days):g} days"
    return f"{size} {backward if days < 0 else forward}".strip()
