"""Who a study is of, read on request only (`--phi`)."""

from __future__ import annotations

from pathlib import Path

import pydicom

from pipelines.dicom.index import READ_FAULTS, quiet_pydicom
from pipelines.dicom.shown import safe_text
from pipelines.ports import Identity
from planner.errors import InputError

LONGEST = 120
_KEYWORDS = ["PatientName", "PatientID", "PatientBirthDate"]


def read_identity(path: Path) -> Identity:
    """Return the patient that a DICOM file states, each element printable and of bounded length.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    with quiet_pydicom():
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(_KEYWORDS))
            name, patient_id, birth_date = (safe_text(header.get(keyword) or "", LONGEST) for keyword in _KEYWORDS)
        except READ_FAULTS as error:
            raise InputError("the patient cannot be read", code="truncated-file") from error
    return Identity(name, patient_id, birth_date)
