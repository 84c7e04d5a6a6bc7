"""The table of distances: one row per structure around a lesion, nearest first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.assessment import Distance
from planner.report import words
from planner.report.counts import counted

FAR_MM = 30.0
"""Structures farther than this are folded away."""

CALIBRE, CONTACT = "Calibre of the vessel, mm", "In contact with the zone, mm"
"""Heads of the columns that only vessels fill."""

_STARTS = {
    "tumour": "From the tumour, mm",
    "ablation": "From the ablation zone, mm",
    "shaft": "From the needle's shaft, mm",
}
_ORDERS = {2: "sorted by the smaller of the two distances", 3: "sorted by the smallest distance"}

_SIDES = ("left", "middle", "right")


@dataclass(frozen=True, slots=True)
class DistanceRow:
    """A structure with a cell for each place that distances were measured from."""

    structure: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DistanceTable:
    """The rows of a lesion's structures, nearest first; `far` holds those beyond `FAR_MM` from everywhere.

    Where a vessel is among them, two columns more tell its calibre at the nearest point (from the tumour, if it was
    measured from there) and the length along which the zone touches or holds it.
    """

    heads: tuple[str, ...]
    near: tuple[DistanceRow, ...]
    far: tuple[DistanceRow, ...]

    @property
    def order_words(self) -> str:
        """What the rows are sorted by, in words."""
        return _ORDERS.get(sum(head in _STARTS.values() for head in self.heads), "nearest first")

    @property
    def far_words(self) -> str:
        """How many rows are folded away, in words."""
        return f"{counted(len(self.far), 'structure')} farther than {FAR_MM:g} mm"


def distance_table(distances: Sequence[Distance]) -> DistanceTable:
    """Return the distances of a lesion as a table, with a column for each place that any was measured from."""
    starts = [start for start in _STARTS if any(distance.from_ == start for distance in distances)]
    more = _vessel_heads(distances)
    by_structure: dict[str, dict[str, Distance]] = {}
    for distance in distances:
        by_structure.setdefault(distance.structure, {})[distance.from_] = distance
    ordered = sorted(by_structure.items(), key=lambda item: min(map(_nearness_mm, item[1].values())))
    near: list[DistanceRow] = []
    far: list[DistanceRow] = []
    for role, found in ordered:
        row = DistanceRow(
            structure_words(role), (*(_cell(found.get(start)) for start in starts), *_of_vessel(found, more))
        )
        (far if _all_far(found.get(start) for start in starts) else near).append(row)
    return DistanceTable((*(_STARTS[start] for start in starts), *more), tuple(near), tuple(far))


def _vessel_heads(distances: Sequence[Distance]) -> tuple[str, ...]:
    """Return the heads of what was looked for of vessels, found or not."""
    calibre = any(d.calibre_mm is not None or d.calibre_reason for d in distances)
    contact = any(d.contact_mm is not None or d.contact_reason for d in distances)
    return (*((CALIBRE,) if calibre else ()), *((CONTACT,) if contact else ()))


def _of_vessel(found: Mapping[str, Distance], heads: Sequence[str]) -> Iterable[str]:
    """Yield a structure's cells under the heads of vessels, empty for what is none."""
    for head in heads:
        told = [(d.calibre_mm, d.calibre_reason) if head == CALIBRE else (d.contact_mm, d.contact_reason)
                for start in _STARTS if (d := found.get(start)) is not None]  # fmt: skip
        known = [value for value, _ in told if value is not None]
        unknown = words.UNKNOWN if any(why for _, why in told) else ""
        yield words.millimetres(known[0]) if known else unknown


def structure_words(role: str) -> str:
    """Return the name of a structure as a reader says it: "left hepatic vein" for `hepatic_vein_left`."""
    if role == "ivc":
        return "inferior vena cava"
    if role.startswith("ablation_"):
        return f"ablation zone {role.removeprefix('ablation_')}"
    stem, _, side = role.replace("_", " ").rpartition(" ")
    return f"{side} {stem}" if stem and side in _SIDES else f"{stem} {side}".strip()


def _nearness_mm(distance: Distance) -> float:
    return math.inf if distance.mm is None else distance.mm


def _all_far(found: Iterable[Distance | None]) -> bool:
    """Return whether every distance is known and far: one that is not known may be near."""
    return all(d is not None and d.mm is not None and d.mm > FAR_MM for d in found)


def _cell(distance: Distance | None) -> str:
    if distance is None or distance.mm is None:
        return words.UNKNOWN
    doubt = distance.ci95_mm
    interval = f" ({words.millimetres(doubt[0])} to {words.millimetres(doubt[1])})" if doubt else ""
    return f"{'overlapping, ' if distance.mm < 0 else ''}{words.millimetres(distance.mm)}{interval}"
