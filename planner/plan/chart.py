"""Charts of device settings as TOML text: those that come with the program and a site's own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from planner.errors import EvidenceError
from planner.evidence.document import CitationTable, Table, parsed
from planner.plan.setting import Model, Setting

LARGEST_MM = 150.0
"""No single zone is larger."""


class _SettingTable(Table):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    device: str = Field(min_length=1, max_length=80)
    modality: Literal["microwave", "radiofrequency", "cryoablation", "irreversible_electroporation", ""]
    power_w: float | None = Field(default=None, gt=0, le=1000)
    duration_s: float | None = Field(default=None, gt=0, le=7200)
    length_mm: float = Field(gt=0, le=LARGEST_MM)
    width_mm: float = Field(gt=0, le=LARGEST_MM)
    length_sd_mm: float | None = Field(default=None, ge=0, le=LARGEST_MM)
    width_sd_mm: float | None = Field(default=None, ge=0, le=LARGEST_MM)
    tip_beyond_mm: float | None = Field(default=None, ge=-LARGEST_MM, le=LARGEST_MM)
    model: Model = "user"
    count: int | None = Field(default=None, ge=1)
    averaged: bool = False
    note: str = Field(default="", max_length=400)
    source: CitationTable | None = None


class _Document(Table):
    schema_version: Literal[1]
    setting: list[_SettingTable] = Field(min_length=1)


def load_chart(text: str, file: str) -> tuple[Setting, ...]:
    """Return the settings of a TOML text; `file` names it in errors.

    Raises
    ------
    EvidenceError
        The text is no TOML, a row is malformed, is published without a source, or has the id of another.
    """
    rows = parsed(text, file, _Document).setting
    ids = [row.id for row in rows]
    for row in rows:
        if row.model != "user" and row.source is None:
            raise EvidenceError(f"{file}: {row.id}: measured on {row.model}, expected its source")
        if ids.count(row.id) > 1:
            raise EvidenceError(f"{file}: {row.id}: stands there twice, expected an id of its own for each row")
    return tuple(_setting(row) for row in rows)


def _setting(row: _SettingTable) -> Setting:
    return Setting(
        row.id, row.device, row.modality, row.power_w, row.duration_s, row.length_mm, row.width_mm, row.length_sd_mm,
        row.width_sd_mm, row.tip_beyond_mm, row.model, row.count, None if row.source is None else row.source.citation(),
        row.note, row.averaged,
    )  # fmt: skip
