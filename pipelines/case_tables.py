"""The tables that a case file may hold, and what each key of them may be."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from pipelines.case_faults import nearest
from pipelines.formats.folder_name import id_fault
from planner.case import LOBES, STRUCTURES, is_role

WHOLE_MAP = "totalsegmentator"
"""The `label` that takes every structure of a TotalSegmentator multi-label map."""

MOST_ERROR_MM = 100.0
"""More than this is no statement about a registration's error."""

MOST_POSTS = 20
"""Studies after the ablation of one case."""

StudyName = Literal["pre", "post", "baseline"]
Fact = bool | int | float | str | datetime | date | list[str | int | float | bool]


def post_number(study: str) -> int:
    """Return which post a study's name means: 1 for "post" and "post_1", 2 for "post_2"; 0 where it means none."""
    if study == "post":
        return 1
    number = study.removeprefix("post_")
    return int(number) if study.startswith("post_") and re.fullmatch("[1-9][0-9]?", number) else 0


def _as_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_ID = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]*$"}]}
LesionId = Annotated[str, BeforeValidator(_as_id), Field(pattern=r"^[1-9][0-9]*$"), WithJsonSchema(_ID)]


def _as_day(value: object) -> object:
    """Return a day as TOML or text states it; a time of day is left out, and what is none is never repeated."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("expected a date like 2024-12-31") from None


Day = Annotated[date, BeforeValidator(_as_day)]


Label = Annotated[int, Field(strict=True, ge=1)]

LONGEST_NAME = 255
"""Bytes of a file's name; file systems take no more."""


def _can_be_a_path(text: str) -> str:
    if "\0" in text or any(len(part.encode("utf-8", "replace")) > LONGEST_NAME for part in Path(text).parts):
        raise ValueError(f"holds a character or a name (more than {LONGEST_NAME} bytes) that no file has")
    return text


PathText = Annotated[str, AfterValidator(_can_be_a_path)]


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
    scanned_on: Day | None = None


class BaselineTable(StudyTable):
    """`[baseline]`: a study from before PRE, whose tumours are looked for in PRE."""

    path: PathText = Field(min_length=1)


class PostTable(StudyTable):
    """`[post]`, or one of several `[[post]]`: also the days from the ablation to it."""

    days_since_ablation: float | None = Field(default=None, ge=0.0, allow_inf_nan=False, strict=True)


class MaskEntry(_Table):
    """`[[mask]]`: a file, or a part of one, and the role it has in a study."""

    study: str = Field(json_schema_extra={"pattern": "^(pre|post(_[1-9][0-9]?)?)$"})
    file: PathText = Field(min_length=1)
    role: str = Field(default="", examples=["tumour_1", "ablation_1", *STRUCTURES])
    segment: int | str | None = None
    label: Label | list[Label] | str | None = None
    series_uid: str = ""

    @field_validator("study")
    @classmethod
    def _known_study(cls, study: str) -> str:
        """Return the study, "post_1" as "post"."""
        if study not in ("pre", "post", "baseline") and post_number(study) == 0:
            raise ValueError("expected 'pre', 'post', 'baseline', or of several posts 'post_1', 'post_2', ...")
        return "post" if study == "post_1" else study

    @field_validator("role")
    @classmethod
    def _known_role(cls, role: str) -> str:
        """Return the role, an unnumbered tumour or ablation as the first."""
        role = f"{role}_1" if role in ("tumour", "ablation") else role
        if role and not is_role(role):
            raise ValueError(f"{role!r} is not a role{nearest(role, (*STRUCTURES, *LOBES, 'tumour_1', 'ablation_1'))}")
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
    """`[[pair]]`: a lesion and the zones that treat it, of several posts in the one that `study` names."""

    study: Literal["post"] | Annotated[str, Field(pattern=r"^post_[1-9][0-9]?$")] = "post"
    lesion: LesionId
    zones: list[LesionId] = Field(min_length=1)


class RegistrationTable(_Table):
    """`[registration]`: the map between the studies where the user has one, and what is known of its error."""

    file: PathText = Field(min_length=1)
    error_mm: float | None = Field(default=None, gt=0.0, le=MOST_ERROR_MM)


class LandmarksTable(_Table):
    """`[landmarks]`: files with pairs of points of both studies."""

    files: list[Annotated[PathText, Field(min_length=1)]] = Field(min_length=1, max_length=2)


class Document(_Table):
    """A whole case file, with one post or several."""

    case: CaseTable = CaseTable()
    pre: StudyTable = StudyTable()
    post: PostTable | list[PostTable] = PostTable()
    baseline: BaselineTable | None = None
    mask: list[MaskEntry] = []
    pair: list[PairEntry] = []
    registration: RegistrationTable | None = None
    landmarks: LandmarksTable | None = None
    facts: dict[str, Fact] = {}


class OnePost(Document):
    """A case file with at most a table `[post]`."""

    post: PostTable = PostTable()


class SeveralPosts(Document):
    """A case file with tables `[[post]]`."""

    post: list[PostTable] = Field(min_length=1, max_length=MOST_POSTS)
