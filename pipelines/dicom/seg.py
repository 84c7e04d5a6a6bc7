"""Masks of a DICOM segmentation, frame by frame, each frame placed by its own plane."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from pipelines.codes import role_of_code
from pipelines.dicom.codecs import decoder_of, state_syntax, stored_frames
from pipelines.dicom.coded import code_key, side_of
from pipelines.dicom.codestreams import require_codestreams
from pipelines.dicom.frames import MOST_FRAMES
from pipelines.dicom.functional_groups import group_of, plane_of_frame
from pipelines.dicom.geometry import Plane
from pipelines.dicom.index import READ_FAULTS, quiet_pydicom, text
from pipelines.dicom.items import items_of
from pipelines.dicom.lattice import Placed, frame_lattice, place_frames
from pipelines.dicom.pixels import MOST_VOXELS
from pipelines.dicom.shown import safe_code, safe_text
from pipelines.limits import Stamp, content_of, within_limits
from pipelines.segments import Drawn, Segment
from planner.errors import InputError, located, private
from planner.grid import Grid
from planner.volume import BoolVoxels, Mask

MOST_SEGMENTS = 2_000
"""TotalSegmentator draws 117; more than this are taken for malformed."""

FRACTION_INSIDE = 0.5
"""A voxel of a fractional segment is inside where its value exceeds this share of MaximumFractionalValue."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """A DICOM SEG as read: segments, and where the frames of each lie.

    Parameters
    ----------
    name
        How messages call it; no patient data.
    frame_uid
        FrameOfReferenceUID.
    segments
        Segments in the order of their numbers, without a label map's background.
    frames
        Segment number -> indices of its frames.
    planes
        Plane of each frame.
    slice_mm
        Slice spacing that the file states, 0 where it states none.
    thickness_mm
        Slice thickness that it states, 0 where it states none.
    sha256
        SHA-256 of the file.
    notes
        What was decided while reading.
    """

    name: str
    frame_uid: str
    segments: tuple[Segment, ...]
    frames: Mapping[int, tuple[int, ...]]
    planes: tuple[Plane, ...]
    slice_mm: float
    thickness_mm: float
    sha256: str
    notes: tuple[str, ...]
    dataset: FileDataset

    def mask(self, number: int, near: Grid | None = None, name: str = "mask") -> Mask:
        """Return the mask of segment `number`.

        Parameters
        ----------
        number
            Segment number.
        near
            Lattice of the segmented series: the mask takes it where the frames lie on it, else the lattice that the
            frames themselves make.
        name
            Name of the mask.

        Raises
        ------
        InputError
            The frames make no lattice, or cannot be decoded.
        """
        if near is not None:
            near.require_same_frame(Grid((1, 1, 1), np.eye(4), self.frame_uid), self.name)
        placed = place_frames(near, self.planes) if near is not None else None
        if placed is None:
            placed = frame_lattice(self.planes, self.slice_mm, self.frame_uid, self.name, self.thickness_mm)
        return Mask(self._voxels(number, placed), placed.grid, name)

    def drawn(self, number: int, near: Grid, name: str) -> Drawn:
        """Return segment `number` as `mask` does."""
        return Drawn(self.mask(number, near, name))

    def on(self, near: Grid) -> bool:
        """Return whether all frames lie on the lattice `near`."""
        return place_frames(near, self.planes) is not None

    def _voxels(self, number: int, placed: Placed) -> BoolVoxels:
        if int(np.prod(placed.grid.shape_kji, dtype=object)) > MOST_VOXELS:
            raise InputError(f"{self.name}: a lattice of {placed.grid.shape_kji} is too large", code="too-large")
        voxels = np.zeros(placed.grid.shape_kji, dtype=bool)
        wanted = list(self.frames.get(number, ()))
        if len({placed.start_kji[frame] for frame in wanted}) < len(wanted):
            raise InputError(f"{self.name}: segment {number} has two frames at one position", code="bad-seg")
        rows, columns = self.planes[0].shape
        try:
            with quiet_pydicom():
                for frame, stored in zip(wanted, _pixels(self.dataset, wanted), strict=True):
                    k, j, i = placed.start_kji[frame]
                    voxels[k, j : j + rows, i : i + columns] |= self._inside(stored, number)
        except InputError:
            raise
        except READ_FAULTS as error:
            raise InputError(
                f"{self.name}: segment {number} cannot be decoded ({type(error).__name__}); is the file truncated?",
                code="cannot-decode",
            ) from error
        return voxels

    def _inside(self, stored: npt.NDArray[np.integer], number: int) -> BoolVoxels:
        """Return which pixels of a frame belong to segment `number`."""
        kind = _type(self.dataset)
        if kind == "LABELMAP":
            self._require_described(stored)
            return np.asarray(stored == number)
        if kind == "FRACTIONAL":
            return np.asarray(stored > FRACTION_INSIDE * int(self.dataset.MaximumFractionalValue))
        return np.asarray(stored != 0)

    def _require_described(self, stored: npt.NDArray[np.integer]) -> None:
        """Raise where a label map holds a value that is no segment's: nobody can say what it is."""
        known = {0, *self.frames}
        if "PixelPaddingValue" in self.dataset:
            known.add(int(self.dataset.PixelPaddingValue))
        unknown = sorted(set(np.unique(stored).tolist()) - known)
        if unknown:
            raise InputError(
                f"{self.name}: voxels of the value {unknown[0]}, which no segment describes, expected one",
                code="bad-seg",
            )


def read_seg(path: Path, name: str = "SEG", stamp: Stamp | None = None) -> Segmentation:
    """Return the segmentation in a file, which messages call `name`; `stamp` is what it had when it was indexed.

    Raises
    ------
    InputError
        The file is truncated, was changed, is of a kind that is not read, or malformed.
    """
    with quiet_pydicom(), located(safe_text(path.name)), within_limits(name):
        try:
            content = content_of(path, name, stamp)
            dataset = pydicom.dcmread(BytesIO(content), force=True)
            held = dataset.get("PixelData")
        except InputError:
            raise
        except READ_FAULTS as error:
            raise InputError(f"{name}: the file is truncated or unreadable", code="truncated-file") from error
        if not held:
            raise InputError(f"{name}: the file is truncated, it holds no pixel data", code="truncated-file")
        state_syntax(dataset)
        decoder_of(dataset, name)
        require_codestreams(dataset, name)
        try:
            return _segmentation(dataset, name, hashlib.sha256(content).hexdigest())
        except InputError:
            raise
        except READ_FAULTS as error:
            raise InputError(
                f"{name}: malformed segmentation ({type(error).__name__})",
                code="bad-seg",
                where=f"{safe_text(path.name)} {private(safe_text(error))}",
            ) from error


def _segmentation(dataset: FileDataset, name: str, sha256: str) -> Segmentation:
    kind = _type(dataset)
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise InputError(f"{name}: SegmentationType {safe_code(kind) or 'missing'} is not read", code="bad-seg")
    if kind == "FRACTIONAL" and int(dataset.MaximumFractionalValue) < 1:
        raise InputError(f"{name}: MaximumFractionalValue is {dataset.MaximumFractionalValue}", code="bad-seg")
    count = int(dataset.NumberOfFrames)
    if count > MOST_FRAMES:
        raise InputError(f"{name}: {count} frames, expected at most {MOST_FRAMES}", code="too-large")
    per_frame = items_of(dataset, "PerFrameFunctionalGroupsSequence", MOST_FRAMES, f"{name}: frames described")
    if len(per_frame) != count:
        raise InputError(f"{name}: {count} frames, but {len(per_frame)} are described", code="bad-seg")
    segments = described_segments(dataset, name)
    notes = (f"{name} is fractional: more than half counts as inside",) if kind == "FRACTIONAL" else ()
    return Segmentation(
        name=name,
        frame_uid=text(dataset, "FrameOfReferenceUID"),
        segments=segments,
        frames=MappingProxyType(_frames(dataset, segments, kind)),
        planes=tuple(plane_of_frame(dataset, frame, f"{name} frame {n + 1}") for n, frame in enumerate(per_frame)),
        slice_mm=_measure_mm(dataset, "SpacingBetweenSlices"),
        thickness_mm=_measure_mm(dataset, "SliceThickness"),
        sha256=sha256,
        notes=notes,
        dataset=dataset,
    )


def _pixels(dataset: FileDataset, wanted: Sequence[int]) -> Iterator[npt.NDArray[np.integer]]:
    """Yield frames `wanted`. Uncompressed bits are unpacked here: pydicom 3.0.2 fails on frames that share a byte."""
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    if int(dataset.BitsAllocated) != 1 or syntax.is_compressed:
        yield from stored_frames(dataset, wanted, "SEG")
        return
    if not syntax.is_little_endian:
        raise NotImplementedError("big-endian bits")
    packed = np.frombuffer(dataset.PixelData, dtype=np.uint8)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    for frame in wanted:
        first, past = frame * rows * columns, (frame + 1) * rows * columns
        bits = np.unpackbits(packed[first // 8 : -(-past // 8)], bitorder="little")
        yield bits[first % 8 :][: rows * columns].reshape(rows, columns)


def _type(dataset: Dataset) -> str:
    return text(dataset, "SegmentationType").upper()


def described_segments(dataset: Dataset, name: str = "SEG") -> tuple[Segment, ...]:
    """Return the segments that a header describes, in the order of their numbers.

    Raises
    ------
    InputError
        Two share a number.
    """
    kind = _type(dataset)
    items = items_of(dataset, "SegmentSequence", MOST_SEGMENTS, f"{name}: segments")
    found = [
        Segment(int(item.SegmentNumber), safe_text(item.get("SegmentLabel") or ""), _role(item))
        for item in items
        if not (kind == "LABELMAP" and int(item.SegmentNumber) == 0)
    ]
    numbers = [s.number for s in found]
    if len(set(numbers)) < len(numbers):
        raise InputError(f"two segments share a number: {numbers}", code="bad-seg")
    return tuple(sorted(found, key=lambda s: s.number))


def _frames(dataset: Dataset, segments: Sequence[Segment], kind: str) -> dict[int, tuple[int, ...]]:
    """Return the frames of each segment: those that name it, or every frame of a label map."""
    per_frame = dataset.PerFrameFunctionalGroupsSequence
    if kind == "LABELMAP":
        return {s.number: tuple(range(len(per_frame))) for s in segments}
    named = [group_of(dataset, frame, "SegmentIdentificationSequence") for frame in per_frame]
    of_frame = [int(item.ReferencedSegmentNumber) for item in named]
    unknown = set(of_frame) - {s.number for s in segments}
    if unknown:
        raise InputError(f"frames of segment {min(unknown)}, which is not described", code="bad-seg")
    return {s.number: tuple(n for n, number in enumerate(of_frame) if number == s.number) for s in segments}


def _measure_mm(dataset: Dataset, keyword: str) -> float:
    """Return a length of the pixel measures, else 0."""
    measures = group_of(dataset, dataset.PerFrameFunctionalGroupsSequence[0], "PixelMeasuresSequence")
    value = text(measures, keyword)
    return abs(float(value)) if value else 0.0


def _role(item: Dataset) -> str | None:
    """Return the role that a segment's coded type means, with its side."""
    types = item.get("SegmentedPropertyTypeCodeSequence") or []
    if not types:
        return None
    regions = item.get("AnatomicRegionSequence") or []
    modifiers = list(types[0].get("SegmentedPropertyTypeModifierCodeSequence") or [])
    modifiers += list(regions[0].get("AnatomicRegionModifierSequence") or []) if regions else []
    return role_of_code(code_key(types[0]), side_of(modifiers))
