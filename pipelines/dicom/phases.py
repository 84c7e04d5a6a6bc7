"""Several volumes in one series (phases, echoes): told apart by the first element that divides them evenly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.dicom.frames import Frame
from pipelines.dicom.geometry import FEWEST_SLICES, places_of, require_alike
from pipelines.dicom.index import safe_text
from planner.errors import AmbiguousInputError, InputError

TIMES = ("AcquisitionTime", "ContentTime", "FrameAcquisitionDateTime")
"""Keys of which messages show no value: a time of day, with a date or without, may lead to a patient."""

MOST_SHOWN = 12


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """The volumes of a series, in the order of the element `key` that tells them apart."""

    key: str
    values: tuple[str, ...]
    members: tuple[tuple[Frame, ...], ...]

    def listed(self) -> str:
        """Return the volumes as messages show them."""
        shown = [str(n) if self.key in TIMES else f"{n} ({safe_text(value, 24)})"
                 for n, value in enumerate(self.values, start=1)]  # fmt: skip
        more = f" and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
        return f"{', '.join(shown[:MOST_SHOWN])}{more}"


def volume_of(frames: Sequence[Frame], wanted: int | None) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """Return the frames of one volume and a note on which, where the series holds several.

    `wanted` is the number, from 1, that a user chose; None where nobody did.

    Raises
    ------
    InputError
        Slices share a position and nothing tells them apart, or there is no volume of that number.
    AmbiguousInputError
        Something does, and nobody chose one.
    """
    places = _places(frames)
    if places == len(frames) or places == 0:
        if wanted not in (None, 1):
            raise InputError(f"volume {wanted}: the series holds one volume", code="no-such-volume")
        return tuple(frames), ()
    said = f"{len(frames)} slices at {places} positions"
    found = volumes_in(frames, places)
    if found is None:
        keys = ", ".join(sorted({key for f in frames for key in f.keys})) or "none is stated"
        raise InputError(f"{said}, and no element tells volumes apart ({keys})", code="duplicate-positions")
    said = f"{said}: {len(found.members)} volumes by {found.key}"
    if wanted is None:
        raise AmbiguousInputError(
            f"{said}, choose one by volume in the case file: {found.listed()}", code="duplicate-positions"
        )
    if not 1 <= wanted <= len(found.members):
        raise InputError(f"volume {wanted}: {said}, found {found.listed()}", code="no-such-volume")
    return found.members[wanted - 1], (f"{said}, number {wanted} was chosen",)


def volumes_in(frames: Sequence[Frame], places: int) -> Volumes | None:
    """Return the volumes by the first key that gives equal groups, each with every place once; None if none does."""
    if places < FEWEST_SLICES:
        return None
    for key in dict.fromkeys(key for frame in frames for key in frame.keys):
        groups: dict[str, list[Frame]] = defaultdict(list)
        for frame in frames:
            groups[frame.keys.get(key, "")].append(frame)
        if len(groups) > 1 and all(len(some) == places == _places(some) for some in groups.values()):
            values = sorted(groups, key=_in_order)
            return Volumes(key, tuple(values), tuple(tuple(groups[value]) for value in values))
    return None


def _places(frames: Sequence[Frame]) -> int:
    """Return at how many positions along their normal the frames lie; 0 where they are not parallel."""
    planes = [f.plane for f in frames]
    try:
        require_alike(planes)
    except InputError:
        return 0
    return places_of(np.stack([p.origin_lps_mm for p in planes]) @ planes[0].normal)


def _in_order(value: str) -> tuple[int, float, str]:
    """Return what numbers are sorted by as numbers, and the rest as text."""
    try:
        return 0, float(value), value
    except ValueError:
        return 1, 0.0, value
