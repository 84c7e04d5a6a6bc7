"""What `case.toml` says: it always wins over what files and names suggest.

::

    [case]
    id = "patient-007"
    [pre]                            # and [post]; all keys optional
    path = "pre-study"               # relative to the case file
    series_uid = "uid-7f3a91bc2d"    # as an error message marks it; or the UID, whole or its end
    volume = 2                       # where one series holds several (phases, echoes): as an error message numbers them
    modality = "CT"                  # or "MR": an image that states another one is refused; NIfTI and NRRD state none
    [[mask]]
    study = "pre"
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
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from pipelines.case_faults import faults_of, nearest, toml_fault
from pipelines.formats.folder_name import id_fault
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import content_of
from planner.case import STRUCTURES, is_role
from planner.errors import InputError, located, quoted

WHOLE_MAP = "totalsegmentator"
"""The `label` that takes every structure of a TotalSegmentator multi-label map."""

LONGEST_NAME = 255
"""Bytes of a file's name; file systems take no more."""

MOST_ERROR_MM = 100.0
"""More than this is no statement about a registration's error."""

StudyName = Literal["pre", "post"]
Fact = bool | int | float | str | datetime | date | list[str | int | float | bool]


def _as_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


LesionId = Annotated[str, BeforeValidator(_as_id), Field(pattern=r"^[1-9][0-9]*$")]


def _can_be_a_path(text: str) -> str:
    if "\0" in text or any(len(part.encode("utf-8", "replace")) > LONGEST_NAME for part in Path(text).parts):
        raise ValueError(f"holds a character or a name (more than {LONGEST_NAME} bytes) that no file has")
    return text


PathText = Annotated[str, AfterValidator(_can_be_a_path)]

Label = Annotated[int, Field(strict=True, ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CaseTable(_Table):
    """`[case]`: the case's id."""

    id: str = ""

    @field_validator("id")
    @classmethod
    def _names_a_folder(cls, case_id: str) -> str:
        """Return the id; an empty one is none."""
        if case_id and id_fault(case_id):
            raise ValueError(id_fault(case_id))
        return case_id


class StudyTable(_Table):
    """`[pre]` or `[post]`: where the study is, which series and volume of it is meant, and what it should be."""

    path: PathText = ""
    series_uid: str = ""
    volume: int | None = Field(default=None, ge=1, strict=True)
    modality: Literal["", "CT", "MR"] = ""


class MaskEntry(_Table):
    """`[[mask]]`: a file, or a part of one, and the role it has in a study."""

    study: StudyName
    file: PathText = Field(min_length=1)
    role: str = ""
    segment: int | str | None = None
    label: Label | list[Label] | str | None = None
    series_uid: str = ""

    @field_validator("role")
    @classmethod
    def _known_role(cls, role: str) -> str:
        """Return the role, an unnumbered tumour or ablation as the first."""
        role = f"{role}_1" if role in ("tumour", "ablation") else role
        if role and not is_role(role):
            raise ValueError(f"{role!r} is not a role{nearest(role, (*STRUCTURES, 'tumour_1', 'ablation_1'))}")
        return role

    @model_validator(mode="after")
    def _complete(self) -> MaskEntry:
        if self.is_whole_map == bool(self.role):
            raise ValueError(f'expected either a role or label = "{WHOLE_MAP}"')
        if self.label == []:
            raise ValueError("label is an empty list, expected at least one value")
        if self.segment is not None and self.label is not None:
            raise ValueError("segment is for a file of segments, label for a label map: give one of them")
        return self

    @property
    def is_whole_map(self) -> bool:
        """Whether every structure of a TotalSegmentator map is meant."""
        return isinstance(self.label, str) and self.label.lower() == WHOLE_MAP


class PairEntry(_Table):
    """`[[pair]]`: a lesion and the zones that treat it."""

    lesion: LesionId
    zones: list[LesionId] = Field(min_length=1)


class RegistrationTable(_Table):
    """`[registration]`: the map between the studies where the user has one, and what is known of its error."""

    file: PathText = Field(min_length=1)
    error_mm: float | None = Field(default=None, gt=0.0, le=MOST_ERROR_MM)


class LandmarksTable(_Table):
    """`[landmarks]`: files with pairs of points of both studies."""

    files: list[Annotated[PathText, Field(min_length=1)]] = Field(min_length=1, max_length=2)


class _Document(_Table):
    case: CaseTable = CaseTable()
    pre: StudyTable = StudyTable()
    post: StudyTable = StudyTable()
    mask: list[MaskEntry] = []
    pair: list[PairEntry] = []
    registration: RegistrationTable | None = None
    landmarks: LandmarksTable | None = None
    facts: dict[str, Fact] = {}


class CaseFile(_Document):
    """A case file as read.

    `folder` is where it lies: paths in it are relative to that. `sha256` is that of its bytes.
    """

    folder: Path = Path()
    sha256: str = ""

    def study(self, name: StudyName) -> StudyTable:
        """Return the table of a study."""
        return self.pre if name == "pre" else self.post

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
        return tuple(m for m in self.mask if m.study == name)

    def file_of(self, entry: MaskEntry) -> Path:
        """Return the path of an entry's file."""
        return self.folder / entry.file

    def place_of(self, entry: MaskEntry) -> str:
        """Return what messages call an entry: its place, as its file's name may be the patient's."""
        return f"[[mask]] number {self.mask.index(entry) + 1}"

    @property
    def pairs(self) -> Mapping[str, tuple[str, ...]]:
        """Lesion id -> zone ids."""
        return MappingProxyType({p.lesion: tuple(p.zones) for p in self.pair})

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
    try:
        stated = tomllib.loads(content.decode("utf-8"))
        document = _Document.model_validate(stated)
    except ValidationError as error:
        faults = faults_of(error, _Document)
        said, keys = "; ".join(fault for fault, _ in faults), ", ".join(quoted(key) for _, key in faults if key)
        where = f"{safe_name(path)}: {keys}" if keys else safe_name(path)
        raise InputError(f"{name}: {said}", code="bad-case-file", where=where) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not TOML: not UTF-8 text", code="bad-case-file") from error
    except ValueError as error:
        raise InputError(f"{name}: not TOML: {toml_fault(error)}", code="bad-case-file") from error
    _require_once([p.lesion for p in document.pair], f"{name}: [[pair]] lesion")
    _require_once([f"{m.study} {m.role}" for m in document.mask if m.role], f"{name}: [[mask]]")
    return CaseFile(**dict(document), folder=path.parent, sha256=hashlib.sha256(content).hexdigest())


def _require_once(values: list[str], what: str) -> None:
    twice = next((v for v in values if values.count(v) > 1), None)
    if twice is not None:
        raise InputError(f"{what} {twice} is stated twice", code="bad-case-file")
