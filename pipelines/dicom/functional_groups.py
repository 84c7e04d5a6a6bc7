"""Functional groups of multi-frame objects: what is said of one frame, else of all (DICOM PS3.3 C.7.6.16)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from pipelines.dicom.geometry import Plane, plane_of


def group_of(dataset: Dataset, frame: Dataset, keyword: str) -> Dataset:
    """Return a functional group's only item: the frame's own, else the shared one, else an empty one."""
    shared = dataset.get("SharedFunctionalGroupsSequence") or [Dataset()]
    items = frame.get(keyword) or shared[0].get(keyword) or [Dataset()]
    item: Dataset = items[0]
    return item


def plane_of_frame(dataset: Dataset, frame: Dataset, name: str) -> Plane:
    """Return where a frame lies.

    Raises
    ------
    InputError
        Its position, orientation or pixel spacing is missing or malformed.
    """
    return plane_of(
        group_of(dataset, frame, "PlanePositionSequence"),
        group_of(dataset, frame, "PlaneOrientationSequence"),
        group_of(dataset, frame, "PixelMeasuresSequence"),
        (int(dataset.Rows), int(dataset.Columns)),
        name,
    )
