"""What `case.toml` says: it always wins over what files and names suggest.

::

    [case]
    id = "patient-007"
    [pre]                            # and [post]; all keys optional; [[post]] for each of several posts (posts.py)
    path = "pre-study"               # relative to the case file
    series_uid = "uid-7f3a91bc2d"    # as an error message marks it; or the UID, whole or its end
    volume = 2                       # where one series holds several (phases, echoes): as an error message numbers them
    modality = "CT"                  # or "MR": an image that states another one is refused; NIfTI and NRRD state none
    scanned_on = 2024-12-31          # counts before what the images state; of [post] also: days_since_ablation = 1
    [baseline]                       # an earlier study with the tumours seen then (before chemotherapy); keys of [pre]
    path = "first-study"
    [[mask]]
    study = "pre"                    # "baseline", "post", of several posts "post_2", ... in the order they are given
    role = "tumour_1"
    file = "lesion.nii.gz"           # NIfTI, NRRD, DICOM SEG or RTSTRUCT, or a folder; relative to the case file
    segment = 2                      # of a DICOM SEG, an RTSTRUCT or a .seg.nrrd: number or label
    series_uid = "uid-0b1c..."       # of a folder with a mask stored as an image series, where it holds several
    label = 3                        # of a label map: a value, several, or the name of a TotalSegmentator structure
    [[mask]]
    study = "pre"
    file = "all.nii.gz"
    label = "totalsegmentator"       # without a role: every structure of TotalSegmentator's multi-label map
    [[pair]]
    lesion = "1"
    zones = ["1", "2"]
    [registration]
    file = "pre_from_post.h5"        # an ITK transform, points of POST to points of PRE, relative to the case file
    error_mm = 1.5                   # optional: what is known of its mean 3-D error at the zones
    [landmarks]
    files = ["landmarks.csv"]        # pairs of points; or PRE's and POST's list of 3D Slicer (.mrk.json), in this order
    [facts]                          # what may be entered: planner/facts.py; an empty one is unknown
    primary = "colorectal"
    ablation_date = 2024-12-31       # or "2024-12-31"
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pipelines.case_tables import (
    Document,
    MaskEntry,
    OnePost,
    PostTable,
    SeveralPosts,
    StudyName,
    StudyTable,
    post_number,
)
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import content_of
from pipelines.stated_toml import checked, tables_of
from planner.errors import InputError, located


class CaseFile(Document):
    """A case file as read, seen from one of its posts.

    `folder` is where it lies: paths in it are relative to that. `sha256` is that of its bytes. Of its posts number
    `which`, from 1, is meant by "post".
    """

    which: int = 1
    folder: Path = Path()
    sha256: str = ""

    def of_post(self, number: int) -> CaseFile:
        """Return the same, seen from another post."""
        return self.model_copy(update={"which": number})

    @property
    def posts(self) -> tuple[PostTable, ...]:
        """The tables of its posts, in the order they stand there."""
        return tuple(self.post) if isinstance(self.post, list) else (self.post,)

    @property
    def its_post(self) -> PostTable:
        """The table of the post that is meant; an empty one where none is stated."""
        return self.posts[self.which - 1] if self.which <= len(self.posts) else PostTable()

    def study(self, name: StudyName) -> StudyTable:
        """Return the table of a study."""
        if name == "baseline":
            return self.baseline or StudyTable()
        return self.pre if name == "pre" else self.its_post

    def path_of(self, name: StudyName) -> Path | None:
        """Return the path that the case file states for a study, or None."""
        stated = self.study(name).path
        return self.folder / stated if stated else None

    @property
    def transform(self) -> Path | None:
        """The path of the registration's file, or None."""
        return None if self.registration is None else self.folder / self.registration.file

    @property
    def landmark_files(self) -> tuple[Path, ...]:
        """Paths of the files with landmarks."""
        return () if self.landmarks is None else tuple(self.folder / name for name in self.landmarks.files)

    def masks_of(self, name: StudyName) -> tuple[MaskEntry, ...]:
        """Return the mask entries of a study."""
        if name != "post":
            return tuple(m for m in self.mask if m.study == name)
        return tuple(m for m in self.mask if post_number(m.study) == self.which)

    def file_of(self, entry: MaskEntry) -> Path:
        """Return the path of an entry's file."""
        return self.folder / entry.file

    def place_of(self, entry: MaskEntry) -> str:
        """Return what messages call an entry: its place, as its file's name may be the patient's."""
        return f"[[mask]] number {self.mask.index(entry) + 1}"

    @property
    def pairs(self) -> Mapping[str, tuple[str, ...]]:
        """Lesion id -> zone ids."""
        return MappingProxyType({p.lesion: tuple(p.zones) for p in self.pair if post_number(p.study) == self.which})

    @property
    def empty_facts(self) -> tuple[str, ...]:
        """Names of the facts that are stated without a value: such a fact counts as not entered."""
        return tuple(name for name, value in self.facts.items() if value in ("", []))


def read_case_file(path: Path) -> CaseFile:
    """Return what a case file says.

    Raises
    ------
    InputError
        The file is missing, no TOML, or holds an unknown key or a malformed value; one line.
    """
    with located(safe_name(path)):
        return _read(path)


def _read(path: Path) -> CaseFile:
    name = "case file"
    try:
        content = content_of(path, name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})", code="missing") from error
    tables = tables_of(content, name, "bad-case-file")
    several = isinstance(tables.get("post"), list)
    document = checked(tables, SeveralPosts if several else OnePost, name, "bad-case-file", safe_name(path))
    if document.baseline is None and any(m.study == "baseline" for m in document.mask):
        raise InputError(
            f"{name}: a [[mask]] of study 'baseline', and no [baseline] with its path", code="bad-case-file"
        )
    _require_once([f"{_of_later(p.study)}{p.lesion}" for p in document.pair], f"{name}: [[pair]] lesion")
    _require_once([f"{m.study} {m.role}" for m in document.mask if m.role], f"{name}: [[mask]]")
    return CaseFile(**dict(document), folder=path.parent, sha256=hashlib.sha256(content).hexdigest())


def _of_later(study: str) -> str:
    return "" if post_number(study) == 1 else f"{study} "


def _require_once(values: list[str], what: str) -> None:
    twice = next((v for v in values if values.count(v) > 1), None)
    if twice is not None:
        raise InputError(f"{what} {twice} is stated twice", code="bad-case-file")
