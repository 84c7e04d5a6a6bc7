"""Which segmentations and structure sets of a folder belong to an image series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from pipelines.dicom.index import Index, Instance, quiet_pydicom, text
from pipelines.dicom.segmented import KINDS
from pipelines.dicom.series import Chosen
from pipelines.dicom.shown import safe_text
from planner.errors import FrameMismatchError
from planner.marks import uid_mark


@dataclass(frozen=True, slots=True, eq=False)
class Belonging:
    """The files with masks that belong to a series, by what messages call them, and why each does or does not."""

    instances: Mapping[str, Instance]
    notes: tuple[str, ...]


def belonging(index: Index, chosen: Chosen) -> Belonging:
    """Return the SEG and RTSTRUCT files of a folder that belong to the chosen series.

    One belongs by a reference to the series, else by an equal frame of reference. One that references another image
    series of the folder, lies in the frame of reference of another one, states another patient, is a copy, or states
    neither is left out with a note.

    Raises
    ------
    FrameMismatchError
        One lies in another frame of reference.
    """
    taken: dict[str, Instance] = {}
    notes = []
    patient = chosen.instances[0].patient
    for name, instance in _named(index):
        belongs, said = _rule(index, chosen, name, instance)
        if not belongs:
            notes.append(f"{name} {said} and was not read")
            continue
        copied = next((other for other, held in taken.items() if _is_copy(instance, held)), "")
        if copied:
            notes.append(f"{name} is a copy of {copied} and was not read")
            continue
        if _differ(instance.patient, patient):
            notes.append(f"{name} states another patient (PatientID) than the image")
        notes.append(f"{name} belongs to the image by {said}")
        taken[name] = instance
    return Belonging(taken, tuple(notes))


def _rule(index: Index, chosen: Chosen, name: str, instance: Instance) -> tuple[bool, str]:
    """Return whether a file with masks belongs to the chosen series, and by which rule, or what it does instead."""
    frame_uid = text(chosen.instances[0].header, "FrameOfReferenceUID")
    references, frames = referenced_series(instance.header), referenced_frames(instance.header)
    by_reference = bool(chosen.series_uid) and chosen.series_uid in references
    elsewhere = bool(frames and frame_uid) and frame_uid not in frames
    images = index.of_kind("image")
    if not by_reference and references & ({i.series_uid for i in images} - {""}):
        return False, "belongs to another image series"
    if not by_reference and elsewhere and _differ(instance.patient, chosen.instances[0].patient):
        return False, "states another patient (PatientID) than the image"
    if not by_reference and elsewhere and frames & {text(i.header, "FrameOfReferenceUID") for i in images}:
        return False, "lies in the frame of reference of another image series"
    if elsewhere:
        raise FrameMismatchError(
            f"{name}: its frame of reference {uid_mark(min(frames))} is not the image's, {uid_mark(frame_uid)}",
            where=safe_text(instance.path.name),
        )
    if not by_reference and not (frames and frame_uid):
        return False, "states neither this series nor its frame of reference"
    return True, "a reference to the series" if by_reference else "an equal frame of reference"


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _is_copy(one: Instance, other: Instance) -> bool:
    """Return whether two files are one SOP instance, byte by byte."""
    uid = text(one.header, "SOPInstanceUID")
    same = bool(uid) and one.kind == other.kind and uid == text(other.header, "SOPInstanceUID")
    return same and one.path.read_bytes() == other.path.read_bytes()


def referenced_series(header: Dataset) -> set[str]:
    """Return the SeriesInstanceUIDs that a segmentation or a structure set references."""
    with quiet_pydicom():
        own = {text(item, "SeriesInstanceUID") for item in header.get("ReferencedSeriesSequence") or []}
        studies = [s for f in _frames(header) for s in f.get("RTReferencedStudySequence") or []]
        series = [item for study in studies for item in study.get("RTReferencedSeriesSequence") or []]
        return (own | {text(item, "SeriesInstanceUID") for item in series}) - {""}


def referenced_frames(header: Dataset) -> set[str]:
    """Return the frames of reference that a segmentation or a structure set lies in."""
    with quiet_pydicom():
        listed = {text(item, "FrameOfReferenceUID") for item in _frames(header)}
        return (listed or {text(header, "FrameOfReferenceUID")}) - {""}


def _frames(header: Dataset) -> Sequence[Dataset]:
    return header.get("ReferencedFrameOfReferenceSequence") or []


def _named(index: Index) -> Iterator[tuple[str, Instance]]:
    """Yield the instances that hold masks, with what messages call each: its file's name may be the patient's."""
    for kind, called in KINDS.items():
        found = index.of_kind(kind)
        for n, instance in enumerate(found, start=1):
            yield f"{called} {n} of {len(found)}", instance
