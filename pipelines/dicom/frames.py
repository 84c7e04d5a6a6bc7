"""The frames of an image series, from single-frame and enhanced multi-frame files, each with its own plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from pipelines.dicom.functional_groups import group_of, plane_of_frame
from pipelines.dicom.geometry import Plane, image_plane, numbers
from pipelines.dicom.index import READ_FAULTS, Instance, quiet_pydicom, text
from pipelines.dicom.items import items_of
from pipelines.dicom.shown import safe_code, safe_text
from planner.errors import InputError, located

LARGEST_INTERCEPT, LARGEST_SLOPE = 1e6, 1e6
"""A rescale intercept or slope beyond this is taken for a malformed header."""

BITS_ALLOCATED = ("8", "16", "32")
"""What a voxel may take; a code that a decoder would have to guess at is refused."""

MOST_FRAMES = 100_000
"""A file that states more frames is taken for malformed."""

SLICE_KEYS = (
    "AcquisitionNumber", "TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "ContentTime", "EchoTime",
    "ImageType", "ConvolutionKernel", "DiffusionBValue",
)  # fmt: skip
"""What may tell volumes of one series apart, in the order in which it is tried: of single-frame files."""

FRAME_KEYS = (
    ("FrameContentSequence", "TemporalPositionIndex"),
    ("FrameContentSequence", "FrameAcquisitionNumber"),
    ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("FrameContentSequence", "FrameAcquisitionDateTime"),
    ("MREchoSequence", "EffectiveEchoTime"),
    ("MRImageFrameTypeSequence", "FrameType"),
    ("CTImageFrameTypeSequence", "FrameType"),
    ("CTReconstructionSequence", "ConvolutionKernel"),
    ("MRDiffusionSequence", "DiffusionBValue"),
)
"""The same of the frames of a multi-frame file: functional group and element."""

_HEADER = (
    "NumberOfFrames", "Rows", "Columns", "RescaleSlope", "RescaleIntercept",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One slice: its file, its number in it (from 0), where it lies, and how stored values become physical ones.

    `keys` are the elements that may tell volumes of one series apart, as text, in the order in which they are tried;
    `rescaled` says whether a slope is stated.
    """

    instance: Instance
    number: int
    plane: Plane
    slope: float
    intercept: float
    keys: Mapping[str, str] = field(default_factory=dict)
    rescaled: bool = True

    @property
    def path(self) -> Path:
        """The file."""
        return self.instance.path


def frames_of(instances: Sequence[Instance]) -> tuple[Frame, ...]:
    """Return the frames of a series in the order of its files.

    Raises
    ------
    InputError
        A frame's geometry or rescale is missing or malformed, or it is no grey-scale image.
    """
    found: list[Frame] = []
    for n, instance in enumerate(instances, start=1):
        name = f"file {n} of {len(instances)} of the series"
        with located(safe_text(instance.path.name)):
            found += _multi(instance, name) if instance.enhanced else [_single(instance, name)]
    return tuple(found)


def _single(instance: Instance, name: str) -> Frame:
    header = instance.header
    _require_grey(header, name)
    if text(header, "NumberOfFrames") not in ("", "0", "1"):
        count = safe_text(text(header, "NumberOfFrames"))
        raise InputError(f"{name}: {count} frames in a single-frame class, expected 1", code="not-grey")
    plane = image_plane(header, name)
    if header.get("ModalityLUTSequence"):
        raise InputError(f"{name}: values by a ModalityLUTSequence, expected RescaleSlope", code="bad-rescale")
    keys = {key: value for key in SLICE_KEYS if (value := _key(header, key))}
    return Frame(instance, 0, plane, *_rescale(header, name), keys, bool(text(header, "RescaleSlope")))


def _multi(instance: Instance, name: str) -> list[Frame]:
    _require_grey(instance.header, name)
    try:
        with quiet_pydicom():
            dataset = pydicom.dcmread(instance.path, stop_before_pixels=True, force=True, specific_tags=list(_HEADER))
            return list(_described(instance, dataset, name))
    except InputError:
        raise
    except READ_FAULTS as error:
        said = f"{name}: malformed functional groups ({type(error).__name__})"
        raise InputError(said, code="bad-image") from error


def _described(instance: Instance, dataset: Dataset, name: str) -> Iterator[Frame]:
    count = int(text(dataset, "NumberOfFrames") or 0)
    per_frame = items_of(dataset, "PerFrameFunctionalGroupsSequence", MOST_FRAMES, f"{name}: frames described")
    if not 0 < count <= MOST_FRAMES or len(per_frame) != count:
        raise InputError(f"{name}: {count} frames, but {len(per_frame)} are described", code="bad-image")
    places = [f"{name}, frame {n + 1}" for n in range(count)]
    planes = [plane_of_frame(dataset, frame, place) for frame, place in zip(per_frame, places, strict=True)]
    indices = _indices_beside_place(dataset, per_frame, planes)
    for n, frame in enumerate(per_frame):
        values = group_of(dataset, frame, "PixelValueTransformationSequence") or dataset
        keys = _frame_keys(dataset, frame) | ({"DimensionIndexValues": indices[n]} if indices[n] else {})
        rescaled = bool(text(values, "RescaleSlope"))
        yield Frame(instance, n, planes[n], *_rescale(values, places[n]), keys, rescaled)


def _frame_keys(dataset: Dataset, frame: Dataset) -> dict[str, str]:
    keys = {}
    for group, keyword in FRAME_KEYS:
        value = _key(group_of(dataset, frame, group), keyword)
        if value:
            keys[keyword] = value
    return keys


def _indices_beside_place(dataset: Dataset, per_frame: Sequence[Dataset], planes: Sequence[Plane]) -> list[str]:
    """Return, of each frame, the dimension indices that differ between frames of one place, as text."""
    contents = [group_of(dataset, frame, "FrameContentSequence") for frame in per_frame]
    rows = [_key(content, "DimensionIndexValues").split("\\") for content in contents]
    if len({len(row) for row in rows}) != 1:
        return [""] * len(rows)
    where = [tuple(np.round(plane.origin_lps_mm, 2)) for plane in planes]
    here: dict[tuple[float, ...], list[str]] = {}
    telling = {
        d
        for place, row in zip(where, rows, strict=True)
        for d, value in enumerate(row)
        if here.setdefault(place, row)[d] != value
    }
    return [" ".join(row[d] for d in sorted(telling)) for row in rows]


def _key(header: Dataset, keyword: str) -> str:
    """Return an element as text; several values joined."""
    value = header.get(keyword)
    if value is None:
        return ""
    several = [value] if isinstance(value, (str, int, float)) else list(value)
    return "\\".join(str(v).strip() for v in several)


def _rescale(header: Dataset, name: str) -> tuple[float, float]:
    """Return slope and intercept."""
    slope = numbers(header, "RescaleSlope", 1, name)[0] if text(header, "RescaleSlope") else 1.0
    intercept = numbers(header, "RescaleIntercept", 1, name)[0] if text(header, "RescaleIntercept") else 0.0
    if not 0 < slope <= LARGEST_SLOPE or abs(intercept) > LARGEST_INTERCEPT:
        said = f"rescale slope {slope:g}, intercept {intercept:g}, expected a slope above 0 and none beyond a million"
        raise InputError(f"{name}: {said}", code="bad-rescale")
    return slope, intercept


def _require_grey(header: Dataset, name: str) -> None:
    photometric = text(header, "PhotometricInterpretation")
    if not photometric.startswith("MONOCHROME"):
        found = safe_code(photometric) or "no PhotometricInterpretation"
        raise InputError(f"{name}: expected a grey-scale image, found {found}", code="not-grey")
    allocated = text(header, "BitsAllocated")
    if allocated not in BITS_ALLOCATED:
        found = safe_text(allocated) or "missing"
        raise InputError(f"{name}: BitsAllocated is {found}, expected {', '.join(BITS_ALLOCATED)}", code="bad-number")
    stored, high = text(header, "BitsStored"), text(header, "HighBit")
    if stored.isdigit() and int(stored) > int(allocated):
        raise InputError(
            f"{name}: BitsStored {stored} of BitsAllocated {allocated}, expected no more", code="bad-number"
        )
    if stored.isdigit() and high.isdigit() and int(high) != int(stored) - 1:
        raise InputError(f"{name}: HighBit {high} of BitsStored {stored}, expected one less", code="bad-number")
