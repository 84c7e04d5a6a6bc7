"""Coded concepts in DICOM datasets."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code as PydicomCode

from pipelines.codes import ALSO_TUMOUR, LATERALITY, SEGMENT_CODES, Side
from pipelines.dicom.index import text

KNOWN_CODES = (*(code.type for code in SEGMENT_CODES.values()), *ALSO_TUMOUR, *LATERALITY.values())
"""Every coded concept that decides a role."""


def code_key(item: Dataset) -> tuple[str, str]:
    """Return (designator, value) of a coded concept; a retired SNOMED-RT code as its SNOMED CT successor."""
    code = PydicomCode(text(item, "CodeValue"), text(item, "CodingSchemeDesignator"), "")
    for known in KNOWN_CODES:
        if code == PydicomCode(known.value, known.scheme, ""):  # pydicom compares across SRT and SCT
            return known.key
    return code.scheme_designator, code.value


def side_of(modifiers: Sequence[Dataset]) -> Side | None:
    """Return the side that modifiers state, None where they state none or both."""
    keys = {code_key(m) for m in modifiers}
    left, right = (LATERALITY[side].key in keys for side in ("left", "right"))
    if left == right:
        return None
    return "left" if left else "right"
