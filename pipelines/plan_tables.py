"""The tables that a plan file may hold, and what each key of them may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.case_tables import LesionId, PathText
from pipelines.formats.markup_line import FARTHEST_MM
from planner.plan.chart import LARGEST_MM

MOST_NEEDLES = 50
MOST_MARGIN_MM = 30.0
MOST_SD_MM = 30.0
"""A larger standard deviation is no statement about a plan."""

Coordinate = Annotated[float, Field(ge=-FARTHEST_MM, le=FARTHEST_MM)]
Point = Annotated[list[Coordinate], Field(min_length=3, max_length=3)]
Axis = Annotated[list[Annotated[float, Field(ge=-1000.0, le=1000.0)]], Field(min_length=3, max_length=3)]
Margin = Annotated[float, Field(ge=0.0, le=MOST_MARGIN_MM)]
Sd = Annotated[float, Field(ge=0.0, le=MOST_SD_MM)]
Extent = Annotated[float, Field(gt=0.0, le=LARGEST_MM)]


class _Table(BaseModel):
    """Unknown keys are refused, and values are never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class AskedTable(_Table):
    """`[plan]`: what is asked of the plan."""

    margin_mm: Margin | None = None


class SpreadTable(_Table):
    """`[spread]`: standard deviations that the plan is tried against, and the seed of the trial."""

    tip_sd_mm: Sd | None = None
    radius_sd_mm: Sd | None = None
    registration_sd_mm: Sd | None = None
    breathing_sd_mm: Sd | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class NeedleEntry(_Table):
    """`[[needle]]`: a lesion, a zone by its setting or its own sizes, and where the needle goes."""

    lesion: LesionId = "1"
    setting: str = Field(default="", max_length=40)
    length_mm: Extent | None = None
    width_mm: Extent | None = None
    width_sd_mm: Sd | None = None
    tip_beyond_mm: Annotated[float, Field(ge=-LARGEST_MM, le=LARGEST_MM)] | None = None
    entry_lps_mm: Point | None = None
    target_lps_mm: Point | None = None
    axis_lps: Axis | None = None
    file: PathText = ""

    @model_validator(mode="after")
    def _complete(self) -> NeedleEntry:
        self._require_zone()
        self._require_place()
        return self

    def _require_zone(self) -> None:
        own = (self.length_mm, self.width_mm)
        if (self.setting and any((*own, self.width_sd_mm, self.tip_beyond_mm))) or (not self.setting and None in own):
            raise ValueError("expected either a setting or length_mm and width_mm of its own")

    def _require_place(self) -> None:
        points = (self.entry_lps_mm, self.target_lps_mm, self.axis_lps)
        if self.file and any(point is not None for point in points):
            raise ValueError("expected either a file or target_lps_mm with entry_lps_mm")
        if not self.file and (self.target_lps_mm is None or (self.entry_lps_mm is None) == (self.axis_lps is None)):
            raise ValueError(
                "expected a file, or target_lps_mm with entry_lps_mm (without an entry: with axis_lps, towards the tip)"
            )


class PlanDocument(_Table):
    """A whole plan file."""

    plan: AskedTable = AskedTable()
    spread: SpreadTable = SpreadTable()
    needle: list[NeedleEntry] = Field(min_length=1, max_length=MOST_NEEDLES)
