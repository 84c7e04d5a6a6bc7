"""On which day a series was scanned, as its headers state it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from pipelines.dicom.index import Instance, text

KEYWORDS = ("AcquisitionDate", "AcquisitionDateTime", "SeriesDate", "StudyDate")
"""Elements that state the day, the best first: of an enhanced series AcquisitionDateTime alone is the scan's own."""

EARLIEST = date(1971, 10, 1)
"""The first CT of a patient. An earlier day is an anonymiser's filler: taken as a date, it would count wrong days."""


def scanned_on(instances: Sequence[Instance]) -> date | None:
    """Return the earliest valid day of the best element that states one; None where none does."""
    for keyword in KEYWORDS:
        days = list(_days(instances, keyword))
        if days:
            return min(days)
    return None


def _days(instances: Sequence[Instance], keyword: str) -> Iterator[date]:
    for instance in instances:
        day = _day(text(instance.header, keyword), with_time=keyword.endswith("Time"))
        if day is not None:
            yield day


def _day(stated: str, *, with_time: bool) -> date | None:
    """Return a DICOM date (YYYYMMDD, also with dots as before 1993); None where it is none or too early."""
    if not re.fullmatch(r"[0-9]{8}([0-9.+-]*)" if with_time else r"[0-9]{8}|[0-9]{4}\.[0-9]{2}\.[0-9]{2}", stated):
        return None
    try:
        day = date.fromisoformat(stated.replace(".", "")[:8])
    except ValueError:
        return None
    return day if day >= EARLIEST else None
