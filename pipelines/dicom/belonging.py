"""Which segmentation files of a folder belong to an image series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset

from pipelines.dicom.index import Index, Instance, quiet_pydicom, safe_text, text, uid_end
from pipelines.dicom.series import Chosen
from planner.errors import FrameMismatchError


@dataclass(frozen=True, slots=True, eq=False)
class Belonging:
    """The segmentation files that belong to a series, by what messages call them, and why each does or does not."""

    instances: Mapping[str, Instance]
    notes: tuple[str, ...]


def belonging(index: Index, chosen: Chosen) -> Belonging:
    """Return the SEG files of a folder that belong to the chosen series.

    A SEG belongs by a reference to the series, else by an equal frame of reference. One that references another image
    series of the folder, or states neither, is left out with a note.

    Raises
    ------
    FrameMismatchError
        A SEG lies in another frame of reference.
    """
    frame_uid = text(chosen.instances[0].header, "FrameOfReferenceUID")
    series = {i.series_uid for i in index.of_kind("image")} - {""}
    taken, notes = {}, []
    found = index.of_kind("seg")
    for n, instance in enumerate(found, start=1):
        name = f"SEG {n} of {len(found)}"  # its file's name may be the patient's
        references = referenced_series(instance.header)
        own = text(instance.header, "FrameOfReferenceUID")
        by_reference = bool(chosen.series_uid) and chosen.series_uid in references
        if not by_reference and references & series:
            notes.append(f"{name} belongs to another image series and was not read")
            continue
        if own and frame_uid and own != frame_uid:
            raise FrameMismatchError(
                f"{name}: its frame of reference {uid_end(own)} is not the image's, {uid_end(frame_uid)}",
                where=safe_text(instance.path.name),
            )
        if not by_reference and not (own and frame_uid):
            notes.append(f"{name} states neither this series nor its frame of reference and was not read")
            continue
        rule = "a reference to the series" if by_reference else "an equal frame of reference"
        notes.append(f"{name} belongs to the image by {rule}")
        taken[name] = instance
    return Belonging(taken, tuple(notes))


def referenced_series(header: Dataset) -> set[str]:
    """Return the SeriesInstanceUIDs that a segmentation references."""
    with quiet_pydicom():
        return {text(item, "SeriesInstanceUID") for item in header.get("ReferencedSeriesSequence") or []} - {""}
