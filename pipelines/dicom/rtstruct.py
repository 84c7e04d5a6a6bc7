"""Structures of a DICOM RTSTRUCT: closed contours, matched by frame of reference and plane, never by SOP UID."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from pipelines.codes import role_of_code
from pipelines.dicom.coded import code_key, side_of
from pipelines.dicom.contour_planes import fill_contours
from pipelines.dicom.elements import require_readable
from pipelines.dicom.index import HEAD_BYTES, READ_FAULTS, quiet_pydicom, text
from pipelines.dicom.items import items_of
from pipelines.dicom.shown import safe_code, safe_text
from pipelines.limits import Stamp, content_of, within_limits
from pipelines.segments import Drawn, Segment
from planner.errors import InputError, located
from planner.grid import FloatArray, Grid
from planner.volume import Mask

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
"""Contours that enclose something."""

MOST_BYTES = 400_000_000
"""A larger file is taken for malformed: it would hold ten million points."""

MOST_POINTS = 5_000_000
"""A hundred structures on five hundred slices have half as many; more are taken for malformed."""

MOST_REGIONS, MOST_CONTOURS = 2_000, 100_000
"""Regions of a structure set, and contours of all of them."""

FEWEST_POINTS = 3
"""A contour of fewer points encloses nothing."""

_CONTOUR_DATA = 0x30060050


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """A region of interest: frame of reference (empty where unstated), closed contours in LPS mm, what was left out."""

    frame_uid: str
    contours: tuple[FloatArray, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RtStruct:
    """An RTSTRUCT as read.

    Parameters
    ----------
    name
        How messages call it; no patient data.
    segments
        Its regions of interest, in the order of their numbers.
    rois
        ROI number -> contours.
    sha256
        SHA-256 of the file.
    notes
        What was decided while reading.
    """

    name: str
    segments: tuple[Segment, ...]
    rois: Mapping[int, Roi]
    sha256: str
    notes: tuple[str, ...] = ()

    def drawn(self, number: int, near: Grid, name: str) -> Drawn:
        """Return region `number` as the mask `name`: on the lattice `near` where it was drawn on its slices.

        Raises
        ------
        FrameMismatchError
            It lies in another frame of reference.
        InputError
            Its contours make no mask there.
        """
        roi, what = self.rois[number], f"{self.name} ROI {number}"
        near.require_same_frame(Grid((1, 1, 1), np.eye(4), roi.frame_uid), what)
        if not roi.contours:
            return Drawn(Mask(np.zeros(near.shape_kji, dtype=bool), near, name), roi.left_out)
        filled = fill_contours(roi.contours, near, what)
        return Drawn(Mask(filled.voxels_kji, filled.grid, name), (*roi.left_out, *filled.notes))


def read_rtstruct(path: Path, name: str = "RTSTRUCT", stamp: Stamp | None = None) -> RtStruct:
    """Return the structures in a file, which messages call `name`; `stamp` is what it had when it was indexed.

    Raises
    ------
    InputError
        The file is truncated, too large, no RTSTRUCT, or malformed.
    """
    with quiet_pydicom(), located(safe_text(path.name)), within_limits(name):
        try:
            _require_bounded(path, name)
            content = content_of(path, name, stamp)
            _require_few(content.count(b"\\") // 3, MOST_POINTS, f"{name}: points")
            require_readable(BytesIO(content), content[:HEAD_BYTES], name)
            dataset = pydicom.dcmread(BytesIO(content), force=True)
            return _structures(dataset, name, hashlib.sha256(content).hexdigest())
        except InputError:
            raise
        except READ_FAULTS as error:
            said = f"{name}: malformed or truncated structure set ({type(error).__name__})"
            raise InputError(said, code="bad-rtstruct") from error


def _require_bounded(path: Path, name: str) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{name}: {size // 10**6} MB, expected at most {MOST_BYTES // 10**6}", code="too-large")


def _require_few(count: int, most: int, what: str) -> None:
    if count > most:
        raise InputError(f"{what}: {count}, expected at most {most}", code="too-large")


def _structures(dataset: Dataset, name: str, sha256: str) -> RtStruct:
    items = items_of(dataset, "StructureSetROISequence", MOST_REGIONS, f"{name}: regions")
    if not items:
        raise InputError(f"{name}: no StructureSetROISequence; is the file truncated?", code="bad-rtstruct")
    if "ROIContourSequence" not in dataset:
        raise InputError(f"{name}: no ROIContourSequence; is the file truncated?", code="bad-rtstruct")
    held = items_of(dataset, "ROIContourSequence", MOST_REGIONS, f"{name}: regions with contours")
    drawn = [(int(c.ReferencedROINumber), c) for c in held]
    contours = dict(drawn)
    if len(contours) < len(drawn):
        raise InputError(f"{name}: two sets of contours of one region", code="bad-rtstruct")
    frame_uid = _only_frame(dataset)
    rois: dict[int, Roi] = {}
    for item in items:
        number = int(item.ROINumber)
        if number in rois:
            raise InputError(f"{name}: two regions share the number {number}", code="bad-rtstruct")
        rois[number] = _roi(item, contours.get(number, Dataset()), f"{name} ROI {number}", frame_uid)
    return RtStruct(name, listed_regions(dataset), rois, sha256)


def listed_regions(dataset: Dataset) -> tuple[Segment, ...]:
    """Return the regions that a header lists, in the order of their numbers."""
    observed = {int(o.ReferencedROINumber): o for o in dataset.get("RTROIObservationsSequence") or []}
    found = [
        Segment(number, safe_text(item.get("ROIName") or ""), _role(observed.get(number, Dataset())))
        for item in dataset.get("StructureSetROISequence") or []
        for number in (int(item.ROINumber),)
    ]
    return tuple(sorted(found, key=lambda s: s.number))


def _only_frame(dataset: Dataset) -> str:
    """Return the one frame of reference that the whole structure set states, empty where it is none or several."""
    listed = {text(f, "FrameOfReferenceUID") for f in dataset.get("ReferencedFrameOfReferenceSequence") or []} - {""}
    return listed.pop() if len(listed) == 1 else ("" if listed else text(dataset, "FrameOfReferenceUID"))


def _roi(item: Dataset, contour_item: Dataset, name: str, frame_uid: str) -> Roi:
    kept: list[FloatArray] = []
    ignored: Counter[str] = Counter()
    for n, contour in enumerate(items_of(contour_item, "ContourSequence", MOST_CONTOURS, f"{name} contours"), start=1):
        kind = text(contour, "ContourGeometricType").upper()
        points = _points(contour, f"{name} contour {n}")
        if any(float(v) != 0 for v in contour.get("ContourOffsetVector") or []):
            raise InputError(f"{name} contour {n}: a ContourOffsetVector, expected none", code="bad-rtstruct")
        if kind not in CLOSED:
            ignored[f"of type {safe_code(kind) or 'unstated'}"] += 1
        elif len(points) < FEWEST_POINTS:
            ignored[f"of fewer than {FEWEST_POINTS} points"] += 1
        else:
            kept.append(points)
    left_out = tuple(f"{name}, contours {what} that were left out: {count}" for what, count in sorted(ignored.items()))
    return Roi(text(item, "ReferencedFrameOfReferenceUID") or frame_uid, tuple(kept), left_out)


def _points(contour: Dataset, name: str) -> FloatArray:
    """Return the points of a contour, LPS mm, shape (n, 3)."""
    if "ContourData" not in contour:
        return np.empty((0, 3))
    element = contour.get_item(_CONTOUR_DATA)
    raw = element.value if isinstance(element, RawDataElement) else contour.ContourData
    try:
        values = np.asarray(_several(raw), dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{name}: ContourData are not numbers", code="bad-number") from error
    if len(values) % 3:
        raise InputError(f"{name}: ContourData hold {len(values)} numbers, expected triples", code="bad-number")
    if not np.isfinite(values).all():
        raise InputError(f"{name}: ContourData are not finite", code="bad-number")
    return values.reshape(-1, 3)


def _several(raw: bytes | Iterable[float] | None) -> Sequence[bytes] | Sequence[float]:
    """Return the numbers of an element as they stand in the file, or as pydicom read them."""
    if isinstance(raw, bytes):
        stripped = raw.strip(b" \0")
        return stripped.split(b"\\") if stripped else []
    return [] if raw is None else [float(v) for v in raw]


def _role(observation: Dataset) -> str | None:
    """Return the role that a region's identification code means, with its side."""
    codes = observation.get("RTROIIdentificationCodeSequence") or []
    if not codes:
        return None
    return role_of_code(code_key(codes[0]), side_of(codes[0].get("SegmentedPropertyTypeModifierCodeSequence") or []))
