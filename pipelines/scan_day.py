"""The day of a study's scan, found without reading its images: to bring several posts into their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.case_tables import StudyTable
from pipelines.dicom.dates import scanned_on
from pipelines.dicom.index import index_files
from pipelines.dicom.series import choose_series
from pipelines.dicom.walk import regular_files
from pipelines.ports import Observe


@dataclass(frozen=True, slots=True)
class ScanDay:
    """The day of the study in a folder or file, of which the case file states something: work for `isolated`."""

    path: Path
    stated: StudyTable

    def read(self, observe: Observe) -> date | None:
        """Return the day that is stated of the study, else that of its DICOM headers; None where neither states one.

        Raises
        ------
        InputError
            The headers cannot be read, or nothing chooses one of several series.
        """
        if self.stated.scanned_on is not None or not self.path.is_dir():
            return self.stated.scanned_on
        index = index_files(regular_files(self.path), lambda k, n: observe("scan dates", k / n))
        if not index.of_kind("image"):
            return None
        return scanned_on(choose_series(index, self.stated.series_uid).instances)
