"""What a batch says: a line per case on the way, and a table of failures by reason at the end."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.batch.failure import Failure
from pipelines.batch.runner import Tally
from planner.report.counts import counted

IDS_SHOWN = 5


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
    """Return the closing words: counts, then failures grouped by reason, the most frequent first."""
    lines = [
        f"{counted(tally.total, 'case')}: {len(tally.finished)} finished now, {len(tally.skipped)} finished before,"
        f" {len(tally.failures)} failed"
    ]
    for group in grouped(tally.failures):
        first = group[0]
        ids = [failure.case_id for failure in group]
        more = f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else ""
        lines.append(f"{len(group):>5} x {first.code}: {', '.join(ids[:IDS_SHOWN])}{more}")
        lines.append(f"        {first.text}")
    if tally.failures:
        lines.append("Why is in failure.json of each case's folder; the same call tries them again.")
    return "\n".join(lines)


def grouped(failures: Sequence[Failure]) -> list[list[Failure]]:
    """Return failures by their code, the most frequent first."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.code, []).append(failure)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].code))
