"""The day of a study's scan, found without reading its images: to bring several posts into their order."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines.case_tables import StudyTable
from pipelines.dicom.dates import scanned_on
from pipelines.dicom.index import index_files, regular_files
from pipelines.dicom.series import choose_series


def scan_day(path: Path, stated: StudyTable) -> date | None:
    """Return the day that is stated of a study, else that of its DICOM headers; None where neither states one.

    Raises
    ------
    InputError
        The headers cannot be read, or nothing chooses one of several series.
    """
    if stated.scanned_on is not None or not path.is_dir():
        return stated.scanned_on
    index = index_files(regular_files(path))
    return scanned_on(choose_series(index, stated.series_uid).instances) if index.of_kind("image") else None
