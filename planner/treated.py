"""Which ablation zone treats which tumour: those entered, else every one whose space meets the tumour's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np

from planner.surface import Surface

TOUCH_MM = 0.05
"""Surfaces this close touch: those of two equal masks do."""

How = Literal["entered", "overlap", "contact", "none"]


@dataclass(frozen=True, slots=True)
class Treatment:
    """The zones that treat a tumour.

    Parameters
    ----------
    zones
        Their ids. Where several meet the tumour, all of them: none is picked.
    how
        Whether they were entered, overlap the tumour, or touch it only; "none" where there is no zone.
    shared
        For each of them that treats other tumours, too: the ids of those.
    met
        Ids of the zones whose space meets the tumour's, whatever was entered.
    """

    zones: tuple[str, ...] = ()
    how: How = "none"
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    met: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Keep what is shared read-only."""
        object.__setattr__(self, "shared", MappingProxyType(dict(self.shared)))

    def sentences(self) -> tuple[str, ...]:
        """Return what a reader must know of the pairing; nothing where one zone overlaps one tumour."""
        found = []
        if self.how == "entered" and set(self.zones) != set(self.met):
            found.append(f"{_zones(self.zones)} entered for this tumour; on these images it meets {_zones(self.met)}")
        if len(self.zones) > 1:
            found.append(f"{_zones(self.zones)} count together for this tumour")
        if self.how == "contact":
            found.append(f"{_zones(self.zones)} only touch{'es' if len(self.zones) == 1 else ''} this tumour")
        for zone, others in self.shared.items():
            found.append(f"zone {zone} is shared with {_lesions(others)}")
        return tuple(found)


UNTREATED = Treatment()
"""No zone."""


def treatments(
    tumours: Mapping[str, Surface], zones: Mapping[str, Surface], entered: Mapping[str, Sequence[str]]
) -> dict[str, Treatment]:
    """Return for each tumour the zones that treat it.

    Parameters
    ----------
    tumours, zones
        Surfaces in one frame, by lesion id and by zone id.
    entered
        Lesion id -> ids of its zones, which count whatever meets it.
    """
    depths = {lesion: {zone: _depth_mm(tumour, zones[zone]) for zone in zones} for lesion, tumour in tumours.items()}
    met = {lesion: tuple(z for z, depth in found.items() if depth > -TOUCH_MM) for lesion, found in depths.items()}
    of = {lesion: tuple(entered.get(lesion, met[lesion])) for lesion in tumours}
    return {
        lesion: Treatment(
            of[lesion], _how(of[lesion], depths[lesion], given=lesion in entered), _shared(lesion, of), met[lesion]
        )
        for lesion in tumours
    }


def _how(zones: Sequence[str], depths: Mapping[str, float], *, given: bool) -> How:
    if given:
        return "entered"
    if not zones:
        return "none"
    return "overlap" if max(depths[zone] for zone in zones) > TOUCH_MM else "contact"


def _shared(lesion: str, of: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    others = {zone: tuple(x for x, zones in of.items() if x != lesion and zone in zones) for zone in of[lesion]}
    return {zone: found for zone, found in others.items() if found}


def _depth_mm(a: Surface, b: Surface) -> float:
    """Return how deep one surface reaches into the other at most, mm: + overlapping, - apart."""
    if _boxes_apart_mm(a, b) > TOUCH_MM:
        return -np.inf
    return float(max(a.signed_depth_mm(b.vertices_lps_mm).max(), b.signed_depth_mm(a.vertices_lps_mm).max()))


def _boxes_apart_mm(a: Surface, b: Surface) -> float:
    low = np.maximum(a.vertices_lps_mm.min(axis=0), b.vertices_lps_mm.min(axis=0))
    high = np.minimum(a.vertices_lps_mm.max(axis=0), b.vertices_lps_mm.max(axis=0))
    return float((low - high).max())


def _zones(zones: Sequence[str]) -> str:
    if not zones:
        return "no ablation zone"
    return f"zone {zones[0]}" if len(zones) == 1 else f"zones {', '.join(zones)}"


def _lesions(lesions: Sequence[str]) -> str:
    return f"lesion {lesions[0]}" if len(lesions) == 1 else f"lesions {', '.join(lesions)}"
