"""What one DICOM file says that pairing needs."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.tag import Tag

from pipelines.dicom.belonging import referenced_frames, referenced_series
from pipelines.dicom.index import (
    READ_FAULTS,
    SINGLE_FRAME,
    patient_hash,
    quiet_pydicom,
    read_instance,
)
from pipelines.dicom.rtstruct import listed_regions, read_rtstruct
from pipelines.dicom.seg import described_segments, read_seg
from pipelines.pairing.seen import File, Head, Part
from pipelines.pairing.words import phase_of, says_reformat, words_of
from pipelines.roles import role_of_segment
from pipelines.segments import Segment
from planner.errors import InputError
from planner.marks import keyed_hash, uid_mark

MORE = (  # noqa: SIM905 - as KEYWORDS
    "StudyInstanceUID StudyDate SeriesDate AcquisitionDate AcquisitionDateTime StudyDescription SeriesDescription"
    " ProtocolName ContrastBolusAgent ContrastBolusStartTime LongitudinalTemporalInformationModified PatientBirthDate"
    " PatientSex SegmentationType SegmentSequence StructureSetROISequence RTROIObservationsSequence"
).split()
"""Elements that an index of a tree reads beside those of every index; of text and birth date only what is said here."""

REFORMATS = frozenset({"MPR", "MIP", "MINIP", "REFORMATTED", "PROJECTION IMAGE", "CSA MPR", "VRT", "CURVED"})
"""Values of ImageType that say that pixels were cut or projected from others."""

HEAD_BYTES = 8192
_BEHIND = 0x00290000
_PIXELS = 0x7FE00010
_PLAIN_SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.2(\.1|\.4\.[0-9]+|\.5)?")
"""Little endian, not deflated: implicit, explicit, and all encapsulated ones."""

_FAST = {
    keyword: int(Tag(keyword))
    for keyword in (
        *MORE[:12], "PatientSex", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
        "Modality", "ImageType", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns",
        "NumberOfFrames", "AcquisitionTime", "ContentTime", "PatientID", "IssuerOfPatientID",
    )
}  # fmt: skip

Get = Callable[[str], str]
"""Gives an element as text, several values joined by a backslash; empty where it is missing."""


def read_file(root: Path, path: str, size: int) -> File:
    """Return what a file below `root` says; one that cannot be read is of kind `broken`, whatever is wrong with it."""
    try:
        with quiet_pydicom():
            fast = None
            with suppress(*READ_FAULTS):  # an element may reach beyond the first bytes
                fast = _fast(root, path, size)
            return fast or _whole(root, path, size)
    except (InputError, *READ_FAULTS):
        return File(path, size, Head("broken"))


def _fast(root: Path, path: str, size: int) -> File | None:
    """Return what a plain single-frame image says, from the first bytes alone; None where it takes more."""
    with (root / path).open("rb") as stream:
        first = stream.read(HEAD_BYTES)
    if first[128:132] != b"DICM" or first[132:136] != b"\x02\0\0\0":
        return None
    body = 144 + int.from_bytes(first[140:144], "little")
    meta, _ = _elements(first[132:body], explicit=True)
    syntax = _ascii(meta.get(0x00020010, b""))
    if syntax is None or not _PLAIN_SYNTAX.fullmatch(syntax):
        return None
    values, end = _elements(first[body:], explicit=syntax != "1.2.840.10008.1.2")
    if not end or (end[0] == _PIXELS and end[1] != 0xFFFFFFFF and body + end[1] > size):
        return None
    said = _texts(values)
    if said is None or said["SOPClassUID"] not in SINGLE_FRAME or not said["Rows"] or not said["Columns"]:
        return None
    if said["NumberOfFrames"] or "LOCALIZER" in said["ImageType"]:
        return None
    patient = patient_hash(said["PatientID"], said["IssuerOfPatientID"])
    return _file(path, size, _image_head(said.__getitem__, "image", said["Modality"], patient), said.__getitem__)


def _elements(raw: bytes, *, explicit: bool) -> tuple[dict[int, bytes], tuple[int, int]]:
    """Return raw values by tag, and the tag and length of the first element behind the image module (0, 0: none)."""
    found: list[tuple[int, int]] = []

    def stop(tag: int, _vr: str | None, length: int) -> bool:
        if tag < _BEHIND:
            return False
        found.append((int(tag), length))
        return True

    stream = BytesIO(raw)
    elements = data_element_generator(stream, not explicit, True, stop_when=stop)
    values = {int(e.tag): e.value for e in elements if isinstance(e.value, bytes)}
    return values, found[0] if found else (0, 0)


def _texts(values: Mapping[int, bytes]) -> dict[str, str] | None:
    """Return the elements as text; None where one that becomes a hash is not plain ASCII."""
    said = {}
    for keyword, tag in _FAST.items():
        raw = values.get(tag) or b""
        if keyword in ("Rows", "Columns"):
            said[keyword] = str(int.from_bytes(raw, "little")) if len(raw) == 2 else ""
            continue
        value = _ascii(raw)
        if value is None:
            if keyword in ("PatientID", "IssuerOfPatientID"):
                return None
            value = raw.decode("latin-1").strip(" \0")
        said[keyword] = value
    ids = (said["PatientID"], said["IssuerOfPatientID"])
    return None if any("\\" in one or one != one.strip() for one in ids) else said


def _ascii(raw: bytes) -> str | None:
    return raw.decode("ascii").rstrip(" \0") if raw.isascii() else None


def _whole(root: Path, path: str, size: int) -> File:
    """Return what any file says, read as every index reads it."""
    instance = read_instance(root / path, more=MORE)
    if instance is None:
        return File(path, size, Head("none"))
    header = instance.header

    def get(keyword: str) -> str:
        value = header.get(keyword)
        if value is None or isinstance(value, (str, int, float)):
            return "" if value is None else str(value).strip()
        return "\\".join(str(v) for v in value)

    if instance.kind not in ("seg", "rtstruct"):
        return _file(path, size, _image_head(get, instance.kind, instance.modality, instance.patient), get)
    references = referenced_series(header)
    full = root / path
    head = replace(
        _shared(get, instance.kind, instance.modality, instance.patient),
        references=tuple(sorted(map(uid_mark, references))),
        frames_of_reference=tuple(sorted(map(uid_mark, referenced_frames(header)))),
        parts=parts_of(header, instance.kind),
        sha256=hashlib.sha256(full.read_bytes()).hexdigest()[:32],
        box=() if references else box_of(full, instance.kind),
    )
    return _file(path, size, head, get)


def _shared(get: Get, kind: str, modality: str, patient: str) -> Head:
    texts = tuple(get(k) for k in ("StudyDescription", "SeriesDescription", "ProtocolName"))
    phase, rule = phase_of((
        ("series description", texts[1]), ("protocol name", texts[2]), ("contrast agent", get("ContrastBolusAgent")),
    ))  # fmt: skip
    return Head(
        kind=kind,
        modality=modality,
        patient=patient,
        check=_check(patient, get("PatientBirthDate"), get("PatientSex")),
        study=_mark(get("StudyInstanceUID")),
        series=_mark(get("SeriesInstanceUID")),
        frame=_mark(get("FrameOfReferenceUID")),
        date=date_of(get("StudyDate")) or date_of(get("SeriesDate")),
        acquired=date_of(get("AcquisitionDate")) or date_of(get("AcquisitionDateTime")[:8]),
        contrast_s=time_of(get("ContrastBolusStartTime")),
        modified=get("LongitudinalTemporalInformationModified").upper() in ("MODIFIED", "REMOVED"),
        words=words_of(texts),
        phase=phase,
        phase_rule=rule,
    )


def _image_head(get: Get, kind: str, modality: str, patient: str) -> Head:
    types = {value.strip().upper() for value in get("ImageType").split("\\")}
    return replace(
        _shared(get, kind, modality, patient),
        original="ORIGINAL" in types,
        reformatted=bool(types & REFORMATS) or says_reformat(get("SeriesDescription")),
        orientation=_numbers(get("ImageOrientationPatient"), 6),
        spacing_mm=_numbers(get("PixelSpacing"), 2),
        rows=_whole_number(get("Rows")),
        columns=_whole_number(get("Columns")),
        frames=_whole_number(get("NumberOfFrames")),
    )


def _file(path: str, size: int, head: Head, get: Get) -> File:
    time_s = time_of(get("AcquisitionTime"))
    if time_s < 0:
        time_s = time_of(get("AcquisitionDateTime")[8:])
    return File(path, size, head, _mark(get("SOPInstanceUID")), _numbers(get("ImagePositionPatient"), 3), time_s)


def parts_of(header: Dataset, kind: str) -> tuple[Part, ...]:
    """Return what a SEG or an RTSTRUCT holds, roles by code, else by label; a label itself is not kept."""
    segments = listed_regions(header) if kind == "rtstruct" else described_segments(header)
    return tuple(_part(segment) for segment in segments)


def _part(segment: Segment) -> Part:
    try:
        role = role_of_segment("a mask", segment)
    except InputError:
        return Part(segment.number, "", 0, unclear=True)
    return Part(segment.number, "") if role is None else Part(segment.number, role.kind, role.number or 0)


def box_of(path: Path, kind: str) -> tuple[float, ...]:
    """Return where a mask lies that references no series; empty where it holds nothing."""
    if kind == "rtstruct":
        points = [p for roi in read_rtstruct(path).rois.values() for contour in roi.contours for p in contour.tolist()]
    else:
        points = []
        for plane in read_seg(path).planes:
            rows, columns = plane.shape
            far = plane.origin_lps_mm + plane.column_step_mm * (columns - 1) + plane.row_step_mm * (rows - 1)
            points += [plane.origin_lps_mm.tolist(), far.tolist()]
    if not points:
        return ()
    axes = list(zip(*points, strict=True))
    return (*(min(a) for a in axes), *(max(a) for a in axes))


@lru_cache(maxsize=100_000)
def _mark(uid: str) -> str:
    return uid_mark(uid) if uid else ""


def date_of(value: str) -> str:
    """Return a date as YYYYMMDD, empty where it is none that a scan can have."""
    digits = value.replace(".", "")[:8]
    plausible = re.fullmatch(r"(19[89]|20[0-9])[0-9](0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", digits)
    return digits if plausible else ""


def time_of(value: str) -> float:
    """Return a time of day in seconds, -1 where it is none."""
    found = re.match(r"([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9](?:\.[0-9]+)?)?", value.replace(":", ""))
    return -1.0 if found is None else 3600.0 * int(found[1]) + 60.0 * int(found[2]) + float(found[3] or 0)


def _numbers(value: str, count: int) -> tuple[float, ...]:
    try:
        found = tuple(round(float(v), 4) for v in value.split("\\"))
    except ValueError:
        return ()
    return found if len(found) == count and all(map(math.isfinite, found)) else ()


def _whole_number(value: str) -> int:
    return int(value) if re.fullmatch("[0-9]{1,6}", value) else 0


def _check(patient: str, born: str, sex: str) -> str:
    """Return two digits that differ for most persons of one PatientID, too few to lead back to a birth date."""
    if not patient or not born:
        return ""
    return keyed_hash(f"{patient}\0{born}\0{sex}")[:2]
