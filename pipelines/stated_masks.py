"""What the case file states of masks, as claims to roles."""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np

from pipelines.case_file import CaseFile
from pipelines.case_tables import MaskEntry, StudyName
from pipelines.dicom.index import IMAGE_CLASSES, index_files, read_instance
from pipelines.dicom.segmented import KINDS, read_segments
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.shown import safe_text
from pipelines.dicom.walk import regular_files
from pipelines.formats.slicer import holds_segments, read_slicer_segmentation
from pipelines.formats.totalsegmentator import TOTAL_V2
from pipelines.formats.voxel_file import VoxelFile, read_voxel_file, safe_name, shown_name, suffix_of
from pipelines.limits import is_file, is_folder
from pipelines.mask_files import whole_map
from pipelines.roles import Claim, Claims, Loaded, choose_segment, segment_claim
from pipelines.segments import Segmented
from planner.errors import InputError, located
from planner.grid import Grid
from planner.volume import Mask, Volume

ANY_MODALITY = tuple(dict.fromkeys(IMAGE_CLASSES.values()))
"""A mask may be stored under the modality of any image."""

MASK_FILE = "a NIfTI, NRRD, DICOM SEG or RTSTRUCT file, or a folder with a mask stored as an image series"


def stated_claims(case: CaseFile, study: StudyName, near: Grid) -> tuple[Claims, Claims]:
    """Return what the case file states for a study: masks with a role, and whole TotalSegmentator maps.

    Raises
    ------
    InputError
        A file is missing or holds no such segment or label.
    """
    stated, maps = [], []
    for entry in case.masks_of(study):
        path = case.file_of(entry)
        with located(safe_name(path)):
            if entry.is_whole_map:
                maps.append(whole_map(path, shown_name(path, case.place_of(entry))))
            else:
                stated.append(_stated(path, case.place_of(entry), entry, near))
    notes = tuple(note for m in maps for note in m.notes)
    return Claims(tuple(stated)), Claims(tuple(c for m in maps for c in m.claims), notes)


def _stated(path: Path, place: str, entry: MaskEntry, near: Grid) -> Claim:
    """Return the claim of a case file's mask entry with a role."""
    what = f"{place} ({entry.role})"
    if is_folder(path):
        return _stated_series(path, what, entry, near)
    if not is_file(path):
        raise InputError(f"{what}: no such file", code="missing")
    if entry.series_uid:
        raise InputError(f"{what}: series_uid is for a folder with a mask stored as images", code="bad-case-file")
    if suffix_of(path) and not (entry.label is None and holds_segments(path)):
        return _stated_voxels(path, shown_name(path, place), entry)
    return _stated_segment(path, place, entry, near)


def _stated_segment(path: Path, place: str, entry: MaskEntry, near: Grid) -> Claim:
    """Return the claim of a segment of a file that holds several masks."""
    if suffix_of(path):
        segmentation: Segmented = read_slicer_segmentation(path, shown_name(path, place))
    else:
        instance = read_instance(path, place)
        if instance is None or instance.kind not in KINDS:
            raise InputError(f"{place} ({entry.role}): expected {MASK_FILE}", code="unknown-format")
        called = KINDS[instance.kind]
        if entry.label is not None:
            raise InputError(
                f"{place} ({entry.role}): a DICOM {called}: state segment, not label", code="bad-case-file"
            )
        segmentation = read_segments(path, instance.kind, f"{place}, {called}")
    return segment_claim(entry.role, path, segmentation, choose_segment(path, segmentation, entry.segment), near)


def _stated_series(path: Path, what: str, entry: MaskEntry, near: Grid) -> Claim:
    """Return the claim of a mask that is stored as an image series."""
    if entry.label is not None or entry.segment is not None:
        raise InputError(f"{what}: a folder: state series_uid, not label or segment", code="bad-case-file")

    def load() -> Loaded:
        index = index_files(regular_files(path))
        if not index.of_kind("image"):
            raise InputError(f"is a folder without a DICOM image series, expected {MASK_FILE}", code="is-a-folder")
        series = read_series(choose_series(index, entry.series_uid, ANY_MODALITY))
        mask, own = mask_of_image(series.volume, entry.role), series.volume.grid
        differ = own.frame_uid and near.frame_uid and own.frame_uid != near.frame_uid and own.same_lattice(near)
        note = f"{what}: its frame of reference is not the image's, taken for it as their voxels lie at the same places"
        return Loaded(mask, series.sha256, (note,) if differ else (), series.patient)

    return Claim(entry.role, what, safe_name(path), load, (path.resolve(), None))


def mask_of_image(image: Volume, name: str) -> Mask:
    """Return the mask that an image of two values is: inside is the higher one, of a single value all or nothing.

    Raises
    ------
    InputError
        It holds more than two values.
    """
    low, high = float(image.voxels_kji.min()), float(image.voxels_kji.max())
    inside = image.voxels_kji == high
    if low == high:
        return Mask(np.full(image.grid.shape_kji, high > 0), image.grid, name)
    if not (inside | (image.voxels_kji == low)).all():
        raise InputError(
            f"{name}: expected an image of two values, found others between {low:g} and {high:g}", code="not-binary"
        )
    return Mask(inside, image.grid, name)


def _stated_voxels(path: Path, name: str, entry: MaskEntry) -> Claim:
    if entry.segment is not None:
        raise InputError(f"{name} ({entry.role}): no file of segments: state label, not segment", code="bad-case-file")

    def load() -> Loaded:
        content = read_voxel_file(path, name)
        labels = _labels(content, entry.label)
        named = isinstance(entry.label, str)  # a structure of the table may be absent
        absent = sorted(set(labels) - set(content.labels())) if labels and not named else []
        if absent:
            raise InputError(f"{name}: no voxel of label {absent[0]}", code="no-such-label")
        return Loaded(content.mask(entry.role, labels), content.sha256)

    label = "" if entry.label is None or isinstance(entry.label, str) else f" label {entry.label}"
    return Claim(entry.role, f"{name}{label}", safe_name(path), load, (path.resolve(), None))


def _labels(content: VoxelFile, label: int | list[int] | str | None) -> tuple[int, ...]:
    """Return the values that a label states: itself, or the value of a TotalSegmentator structure."""
    if label is None:
        return ()
    if not isinstance(label, str):
        return (label,) if isinstance(label, int) else tuple(label)
    table = content.label_names or TOTAL_V2
    values = tuple(value for value, name in table.items() if name == label)
    if not values:
        close = difflib.get_close_matches(label, table.values(), n=1)
        hint = f", did you mean '{close[0]}'?" if close else ""
        message = f"{content.name}: no structure of the stated label{hint}"
        raise InputError(message, code="no-such-label", where=f"label '{safe_text(label)}'")
    return values
