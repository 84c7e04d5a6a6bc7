"""What the case file states of masks, as claims to roles."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipelines.case_file import CaseFile, MaskEntry, StudyName
from pipelines.dicom.index import read_instance, safe_text
from pipelines.dicom.seg import read_seg
from pipelines.formats.names import role_of_name
from pipelines.formats.totalsegmentator import TOTAL_V2
from pipelines.formats.voxel_file import VoxelFile, read_voxel_file, safe_name, shown_name, suffix_of
from pipelines.roles import Claim, Claims, Loaded, choose_segment, segment_claim
from planner.errors import AmbiguousInputError, InputError, located
from planner.grid import Grid

MASK_FILE = "a NIfTI, NRRD or DICOM SEG file"


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
                maps.append(_whole_map(path, case.place_of(entry)))
            else:
                stated.append(_stated(path, case.place_of(entry), entry, near))
    notes = tuple(note for m in maps for note in m.notes)
    return Claims(tuple(stated)), Claims(tuple(c for m in maps for c in m.claims), notes)


def _stated(path: Path, place: str, entry: MaskEntry, near: Grid) -> Claim:
    """Return the claim of a case file's mask entry with a role."""
    what = f"{place} ({entry.role})"
    if path.is_dir():
        raise InputError(f"{what}: is a folder, expected {MASK_FILE}", code="is-a-folder")
    if not path.is_file():
        raise InputError(f"{what}: no such file", code="missing")
    if suffix_of(path):
        return _stated_voxels(path, shown_name(path, place), entry)
    instance = read_instance(path, place)
    if instance is None or instance.kind != "seg":
        raise InputError(f"{what}: expected {MASK_FILE}", code="unknown-format")
    if entry.label is not None:
        raise InputError(f"{what}: a DICOM SEG: state segment, not label", code="bad-case-file")
    segmentation = read_seg(path, f"{place}, SEG")
    return segment_claim(entry.role, path, segmentation, choose_segment(path, segmentation, entry.segment), near)


def _stated_voxels(path: Path, name: str, entry: MaskEntry) -> Claim:
    if entry.segment is not None:
        raise InputError(f"{name} ({entry.role}): no DICOM SEG: state label, not segment", code="bad-case-file")

    def load() -> Loaded:
        content = read_voxel_file(path, name)
        return Loaded(content.mask(entry.role, _labels(content, entry.label)), content.sha256)

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


def _whole_map(path: Path, place: str) -> Claims:
    """Return the claims of every structure of a TotalSegmentator multi-label map."""
    content = read_voxel_file(path, shown_name(path, place))
    table = content.label_names or TOTAL_V2
    labels = content.labels()
    strange = [v for v in labels if v not in table]
    if strange:
        raise InputError(
            f"{content.name}: value {strange[0]} is no structure of TotalSegmentator's task 'total'", code="bad-mask"
        )
    named = {value: role_of_name(table[value]) for value in labels}
    known = {value: role for value, role in named.items() if role is not None}
    _require_distinct([role.role for role in known.values()], content.name)
    source = "its own label table" if content.label_names else "TotalSegmentator's task 'total', version 2"
    note = f"{content.name}: {len(known)} of {len(labels)} structures have a role here, named by {source}"
    claims = tuple(_label_claim(role.role, path, content, value) for value, role in known.items())
    return Claims(claims, (note,))


def _require_distinct(roles: Sequence[str], name: str) -> None:
    role, count = Counter(roles).most_common(1)[0] if roles else ("", 0)
    if count > 1:
        raise AmbiguousInputError(f"{name}: {count} structures mean {role}")


def _label_claim(role: str, path: Path, content: VoxelFile, value: int) -> Claim:
    def load() -> Loaded:
        return Loaded(content.mask(role, (value,)), content.sha256)

    return Claim(role, f"{content.name} value {value}", safe_name(path), load, (path.resolve(), None))
