"""The claims of NIfTI and NRRD files: by name, by the segments of 3D Slicer, by TotalSegmentator's label table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipelines.formats.names import hints_at_lesion, role_of_name
from pipelines.formats.nifti import has_label_table
from pipelines.formats.slicer import SlicerSegmentation, holds_segments, read_slicer_segmentation
from pipelines.formats.totalsegmentator import TOTAL_V2
from pipelines.formats.voxel_file import VoxelFile, read_voxel_file, safe_name, shown_name, stem_of
from pipelines.roles import Claim, Claims, Loaded, Part, claims_of_segments, role_of_segment, unclear
from planner.errors import AmbiguousInputError, InputError, located
from planner.grid import Grid
from planner.report.counts import counted


def claims_of_files(paths: Sequence[Path], near: Grid, taken: frozenset[Part]) -> Claims:
    """Return the claims of mask files, leaving out the files and segments in `taken`.

    A `.seg.nrrd` of 3D Slicer claims by its segments' codes and names, a NIfTI file with TotalSegmentator's label table
    by that, any other by its own name.

    Raises
    ------
    InputError
        A name speaks of a tumour or an ablation zone without saying which.
    """
    claims: list[Claim] = []
    notes: list[str] = []
    unknown = 0
    segmentations: list[tuple[Path, SlicerSegmentation]] = []
    for n, path in enumerate(paths, start=1):
        if (path.resolve(), None) in taken:
            continue
        name = shown_name(path, f"mask file {n} of {len(paths)}")
        segmentation = read_slicer_segmentation(path, name) if holds_segments(path) else None
        if segmentation is not None and not _named_by_file(path, segmentation):
            segmentations.append((path, segmentation))
            continue
        with located(safe_name(path)):
            named = role_of_name(stem_of(path))
            if named is None and hints_at_lesion(stem_of(path)):
                raise unclear(name)
        if named is not None:
            claims.append(_file_claim(named.role, path, name))
        elif has_label_table(path):
            found = whole_map(path, name)
            claims, notes = [*claims, *found.claims], [*notes, *found.notes]
        else:
            unknown += 1
    if unknown:
        notes.append(f"not read: {counted(unknown, 'mask file')} of structures without a role here")
    segments = claims_of_segments(segmentations, near, taken)
    return Claims((*claims, *segments.claims), (*notes, *segments.notes))


def _named_by_file(path: Path, segmentation: SlicerSegmentation) -> bool:
    """Return whether a file's name says the role of its only segment, which says none itself."""
    if len(segmentation.segments) != 1 or role_of_name(stem_of(path)) is None:
        return False
    only = segmentation.segments[0]
    return not hints_at_lesion(only.label) and role_of_segment("the file's only segment", only) is None


def _file_claim(role: str, path: Path, name: str) -> Claim:
    def load() -> Loaded:
        content = read_voxel_file(path, name)
        return Loaded(content.mask(role), content.sha256)

    return Claim(role, name, safe_name(path), load, (path.resolve(), None))


def whole_map(path: Path, name: str) -> Claims:
    """Return the claims of every structure of a TotalSegmentator multi-label map, which messages call `name`.

    Raises
    ------
    InputError
        It holds a value that is no structure.
    """
    content = read_voxel_file(path, name)
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
