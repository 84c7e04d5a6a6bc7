"""The DICOM objects that hold several masks, by kind."""

from __future__ import annotations

from pathlib import Path

from pipelines.dicom.index import Kind
from pipelines.dicom.rtstruct import read_rtstruct
from pipelines.dicom.seg import read_seg
from pipelines.limits import Stamp
from pipelines.segments import Segmented

KINDS: dict[Kind, str] = {"seg": "SEG", "rtstruct": "RTSTRUCT"}
"""Kinds of instances that hold masks, and what messages call them."""


def read_segments(path: Path, kind: Kind, name: str, stamp: Stamp | None = None) -> Segmented:
    """Return what a SEG or an RTSTRUCT holds; messages call it `name`, `stamp` is what it had when it was indexed.

    Raises
    ------
    InputError
        The file is truncated, malformed, or of a type that is not read.
    """
    return read_rtstruct(path, name, stamp) if kind == "rtstruct" else read_seg(path, name, stamp)
