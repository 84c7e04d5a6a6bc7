"""One row per lesion, from the result documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.audit import columns
from pipelines.audit.bands import Band, band_of
from pipelines.audit.cases import Found
from pipelines.audit.columns import Cell, Column
from pipelines.audit.held_against import nearest_cells, nearest_columns, verdict_cells, verdict_columns

Json = Mapping[str, Any]
_WHY = (None, "margin", "margin.min_mm")
"""Fields whose reasons say why there is no margin."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion of the cohort: what the audit counts by, and all its cells."""

    case_id: str
    patient_key: str
    lesion_id: str
    status: str
    min_mm: float | None
    definition: str | None
    cells: Mapping[str, Cell]

    @property
    def band(self) -> Band | None:
        """Return the band of its margin; None without one."""
        return None if self.min_mm is None else band_of(self.min_mm)


@dataclass(frozen=True, slots=True)
class LesionTable:
    """The lesions and the columns of their cells; `later` are the same lesions in later posts, which do not count."""

    columns: tuple[Column, ...]
    lesions: tuple[Lesion, ...]
    later: tuple[Lesion, ...] = ()


def lesion_table(found: Found) -> LesionTable:
    """Return the lesions of all finished cases, by case id and lesion id."""
    cases = [*found.documents.values(), *(case for posts in found.later.values() for case in posts)]
    apart = columns.distance_columns(cases)
    heads = (*columns.FIXED, *columns.DERIVED, *verdict_columns(cases), *nearest_columns(cases), *apart)
    rows = [row for case in found.documents.values() for row in _rows(case, counted=True)]
    later = [
        row for case_id in sorted(found.later) for case in found.later[case_id] for row in _rows(case, counted=False)
    ]
    return LesionTable(heads, tuple(rows), tuple(later))


def _rows(case: Json, *, counted: bool) -> list[Lesion]:
    lesions = sorted(case["lesions"], key=lambda lesion: _in_order(lesion["lesion_id"]))
    return [_lesion(case, lesion, counted=counted) for lesion in lesions]


def _in_order(lesion_id: str) -> tuple[int, str]:
    return (int(lesion_id) if lesion_id.isdecimal() else 0, lesion_id)


def _lesion(case: Json, lesion: Json, *, counted: bool) -> Lesion:
    cells: dict[str, Cell] = {column.name: column.of(case, lesion) for column in columns.FIXED}
    cells["counted"] = counted
    margin = lesion["margin"]
    least = None if margin["min_mm"] is None else float(margin["min_mm"])
    cells["margin_band"] = None if least is None else band_of(least).name
    cells["reason_codes"] = None if least is not None else _reason_codes(lesion)
    for distance in lesion.get("distances") or ():
        name = columns.distance_name(str(distance.get("from")), str(distance.get("structure")))
        cells[name] = distance.get("mm")
    cells |= dict(nearest_cells(lesion)) | dict(verdict_cells(case, lesion["lesion_id"]))
    return Lesion(
        case["case_id"], case["patient_key"], lesion["lesion_id"], lesion["status"], least, margin.get("definition"),
        cells,
    )  # fmt: skip


def _reason_codes(lesion: Json) -> str:
    codes = [str(reason.get("code")) for reason in lesion.get("reasons") or () if reason.get("field") in _WHY]
    return ";".join(dict.fromkeys(codes))
