"""What DICOM files a folder holds, from a bounded set of header elements."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from pipelines.dicom.deflated import require_bounded
from pipelines.dicom.elements import require_readable
from pipelines.dicom.shown import safe_code, safe_text
from pipelines.limits import Stamp, within_limits
from planner.errors import InputError, located
from planner.marks import keyed_hash

Kind = Literal["image", "localizer", "seg", "rtstruct", "other"]

SINGLE_FRAME = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
}
"""Single-frame image storage classes that are read, and their modality."""

ENHANCED = {
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
}
"""Enhanced multi-frame classes (and those of converted single frames), and their modality."""

IMAGE_CLASSES = SINGLE_FRAME | ENHANCED

RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"

SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation storage and label map segmentation storage."""

KEYWORDS = (  # noqa: SIM905 - so many quoted words are harder to read than a sentence of them
    "SOPClassUID SOPInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality SeriesNumber ImageType"
    " ImagePositionPatient ImageOrientationPatient PixelSpacing Rows Columns SamplesPerPixel PhotometricInterpretation"
    " BitsAllocated BitsStored HighBit PixelRepresentation NumberOfFrames RescaleSlope RescaleIntercept"
    " LossyImageCompression ReferencedSeriesSequence ReferencedFrameOfReferenceSequence BodyPartExamined Laterality"
    " ImageLaterality DerivationDescription"
    " AcquisitionNumber TemporalPositionIdentifier TriggerTime AcquisitionTime ContentTime EchoTime ConvolutionKernel"
    " DiffusionBValue ModalityLUTSequence AcquisitionDate AcquisitionDateTime SeriesDate StudyDate"
).split()
"""The only elements that an index keeps."""

PATIENT = ("PatientID", "IssuerOfPatientID", "PatientBirthDate")
"""Elements that are read to leave a keyed hash."""

_TAGS: list[BaseTag] = [Tag(keyword) for keyword in (*KEYWORDS, *PATIENT)]

READ_FAULTS = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
    BytesLengthException,
    InvalidDicomError,
)
"""What pydicom, its decoders and nibabel raise on files they cannot read; that memory ran out is not their fault."""

HEAD_BYTES = 1024
"""The file meta header lies within these."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One DICOM file: where it is, what it is, and a few header elements.

    `patient` is a keyed hash of PatientID and its issuer, empty where there is no id; `enhanced` says whether it is of
    an enhanced multi-frame class, whose geometry is in functional groups; `syntax` is its transfer syntax as stated,
    and `pixels_at` where its pixel data element begins, in bytes, 0 in a deflated file. `born` is a keyed hash of
    PatientBirthDate, for comparison alone; `stamp` tells whether the file was changed since.
    """

    path: Path
    kind: Kind
    modality: str
    series_uid: str
    header: Dataset
    patient: str
    enhanced: bool = False
    syntax: str = ""
    pixels_at: int = 0
    born: str = ""
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The DICOM instances of a folder, in the order of their paths, and the files that are not DICOM."""

    instances: tuple[Instance, ...]
    others: tuple[Path, ...]

    def of_kind(self, kind: Kind) -> tuple[Instance, ...]:
        """Return the instances of `kind`."""
        return tuple(i for i in self.instances if i.kind == kind)

    def notes(self) -> tuple[str, ...]:
        """Return sentences on what the folder holds that is not read."""
        found = []
        if self.others:
            found.append(f"{len(self.others)} files that are not DICOM were not read")
        unread = Counter(i.modality or "unnamed" for i in self.of_kind("other"))
        found += [f"{count} {name} objects were not read" for name, count in sorted(unread.items())]
        localizers = len(self.of_kind("localizer"))
        if localizers:
            found.append(f"{localizers} localizer images were left out")
        return tuple(found)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Hold back pydicom's checks of values and its warnings: what matters of them is checked by the readers."""
    settings = pydicom.config.settings
    mode = settings.reading_validation_mode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings.reading_validation_mode = pydicom.config.IGNORE
        try:
            yield
        finally:
            settings.reading_validation_mode = mode


def index_files(paths: list[Path], on_file: Callable[[int, int], None] = lambda _k, _n: None) -> Index:
    """Return what `paths` hold; `on_file` is called with (file, number of files) as each is read.

    Raises
    ------
    InputError
        A file begins as DICOM does and cannot be read on.
    """
    instances, others = [], []
    with quiet_pydicom():
        for n, path in enumerate(paths, start=1):
            instance = read_instance(path, f"file {n} of {len(paths)}")
            on_file(n, len(paths))
            if instance is None:
                others.append(path)
            else:
                instances.append(instance)
    return Index(tuple(instances), tuple(others))


def read_instance(path: Path, name: str = "the file", more: Sequence[str] = ()) -> Instance | None:
    """Return the instance in `path`, which messages call `name`, or None if that is not a DICOM file.

    `more` are keywords of elements that its header is to hold beside `KEYWORDS`.

    Raises
    ------
    InputError
        It begins as DICOM does and cannot be read on.
    """
    with located(safe_text(path.name)), within_limits(name):
        return _read_instance(path, name, more)


def _read_instance(path: Path, name: str, more: Sequence[str]) -> Instance | None:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        return _described(path, head, name, more) if _looks_like_dicom(head) else None
    except (InputError, RecursionError):
        raise
    except PermissionError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})", code="unreadable") from error
    except READ_FAULTS as error:
        raise InputError(
            f"{name}: the DICOM header cannot be read ({type(error).__name__}); is the file truncated?",
            code="truncated-file",
        ) from error


def _described(path: Path, head: bytes, name: str, more: Sequence[str]) -> Instance:
    require_bounded(path, head, name)
    with path.open("rb") as stream:
        stamp = Stamp.of(os.fstat(stream.fileno()))
        require_readable(stream, head, name)
        stream.seek(0)
        tags = [*_TAGS, *map(Tag, more)]
        full = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=tags)
        at = stream.tell()
        ends = not stream.read(1)
    patient = patient_hash(str(full.get("PatientID") or ""), str(full.get("IssuerOfPatientID") or ""))
    birth = str(full.get("PatientBirthDate") or "").strip()
    for keyword in PATIENT:
        if keyword in full and keyword not in more:
            del full[keyword]
    for _ in full:  # each element is converted here, where what cannot be is caught
        pass
    meta_class = str(full.file_meta.get("MediaStorageSOPClassUID", ""))
    syntax = str(full.file_meta.get("TransferSyntaxUID", ""))
    deflated = syntax == DeflatedExplicitVRLittleEndian
    instance = replace(
        _instance(path, name, Dataset(full), patient, meta_class),
        syntax=syntax, pixels_at=0 if deflated else at, born=keyed_hash(birth) if birth else "", stamp=stamp,
    )  # fmt: skip
    with_pixels = instance.kind not in ("other", "rtstruct") or meta_class in (*IMAGE_CLASSES, *SEG_CLASSES)
    if ends and with_pixels and not deflated:
        raise InputError(f"{name}: the file ends before its pixel data", code="truncated-file")
    return instance


def text(header: Dataset, keyword: str) -> str:
    """Return an element as text, empty where it is missing, empty or has several values."""
    value = header.get(keyword)
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def _looks_like_dicom(head: bytes) -> bool:
    """Return whether a file has the DICOM prefix, or begins with a group 0002 or 0008 as files without one do."""
    bare = head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\x00"
    return head[128:132] == b"DICM" or bare


def _instance(path: Path, name: str, header: Dataset, patient: str, meta_class: str) -> Instance:
    if not header and meta_class != MediaStorageDirectoryStorage:
        raise InputError(f"{name}: holds no DICOM element that can be read", code="truncated-file")
    sop_class = text(header, "SOPClassUID")
    modality = text(header, "Modality") or IMAGE_CLASSES.get(sop_class or meta_class, "")
    modality = "DICOMDIR" if meta_class == MediaStorageDirectoryStorage else modality
    kind = _kind(sop_class, modality, meta_class, header)
    enhanced = (sop_class or meta_class) in ENHANCED
    uid = text(header, "SeriesInstanceUID")
    return Instance(path, kind, safe_code(modality), uid, header, patient, enhanced)


def _kind(sop_class: str, modality: str, meta_class: str, header: Dataset) -> Kind:
    """Return what an instance is: by SOPClassUID, else by Modality and image elements, else by the file meta header."""
    if not sop_class:
        if modality == "SEG":
            sop_class = SEG_CLASSES[0]
        elif modality in SINGLE_FRAME.values() and "Rows" in header and "NumberOfFrames" not in header:
            sop_class = next(uid for uid, name in SINGLE_FRAME.items() if name == modality)
        else:
            sop_class = meta_class
    if sop_class in SEG_CLASSES:
        return "seg"
    if sop_class == RTSTRUCT_CLASS:
        return "rtstruct"
    if sop_class not in IMAGE_CLASSES:
        return "other"
    return "localizer" if "LOCALIZER" in str(header.get("ImageType", "")) else "image"


def patient_hash(patient: str, issuer: str) -> str:
    """Return what stands for a PatientID and its issuer: a keyed hash, empty where there is no id."""
    return keyed_hash(f"{issuer}\0{patient}")[:16] if patient else ""
