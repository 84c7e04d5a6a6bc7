"""Several volumes in one series (phases, echoes): told apart by the first element that divides them evenly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.dicom.frames import Frame
from pipelines.dicom.geometry import FEWEST_SLICES, places_of, require_alike, stack
from pipelines.dicom.shown import safe_text
from planner.errors import AmbiguousInputError, InputError

TIMES = ("AcquisitionTime", "ContentTime", "FrameAcquisitionDateTime")
"""Keys of which messages show no value: a time of day, with a date or without, may lead to a patient."""

CONTENT = (
    "TemporalPositionIdentifier", "TemporalPositionIndex", "EchoTime", "EffectiveEchoTime", "ImageType", "FrameType",
    "ConvolutionKernel", "DiffusionBValue",
)  # fmt: skip
"""Keys of which two values in one series mean two volumes, wherever their slices lie."""

MOST_SHOWN = 12


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """The volumes of a series, in the order of the element `key` that tells them apart."""

    key: str
    values: tuple[str, ...]
    members: tuple[tuple[Frame, ...], ...]

    def partition(self) -> frozenset[frozenset[int]]:
        """Return which frames go together."""
        return frozenset(frozenset(map(id, some)) for some in self.members)

    def listed(self) -> str:
        """Return the volumes as messages show them."""
        shown = [str(n) if self.key in TIMES else f"{n} ({safe_text(value, 24) or 'none stated'})"
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
    said = f"{len(frames)} slices at {places} positions"
    if places == 0:
        found = None
    elif places == len(frames):
        found = _side_by_side(frames)
    else:
        found = volumes_in(frames, places)
        if found is None:
            keys = ", ".join(sorted({key for f in frames for key in f.keys})) or "none is stated"
            raise InputError(f"{said}, and no element tells volumes apart ({keys})", code="duplicate-positions")
    if found is None:
        if wanted not in (None, 1):
            raise InputError(f"volume {wanted}: the series holds one volume", code="no-such-volume")
        return tuple(frames), ()
    said = f"{said}: {len(found.members)} volumes by {found.key}"
    if wanted is None:
        code = "several-volumes" if places == len(frames) else "duplicate-positions"
        raise AmbiguousInputError(f"{said}, choose one by volume in the case file: {found.listed()}", code=code)
    if wanted > len(found.members):
        raise InputError(f"volume {wanted}: {said}, found {found.listed()}", code="no-such-volume")
    return found.members[wanted - 1], (f"{said}, number {wanted} was chosen",)


def volumes_in(frames: Sequence[Frame], places: int) -> Volumes | None:
    """Return the volumes by the first key that gives equal groups, each with every place once; None if none does.

    Raises
    ------
    InputError
        Another key gives such groups, too, and other ones.
    """
    if places < FEWEST_SLICES:
        return None
    found = [
        divided
        for key in dict.fromkeys(key for frame in frames for key in frame.keys)
        if len((divided := _divided(frames, key)).members) > 1
        and all(len(some) == places == _places(some) for some in divided.members)
    ]
    for other in found[1:]:
        if other.partition() != found[0].partition():
            raise InputError(
                f"{len(frames)} slices at {places} positions: {found[0].key} and {other.key} tell volumes apart, and"
                " differently",
                code="duplicate-positions",
            )
    return found[0] if found else None


def _side_by_side(frames: Sequence[Frame]) -> Volumes | None:
    """Return volumes that share no position (one half a slice beside the other, or above it); None if there is one.

    Only by what says that the contents differ: the slices of one volume may well be acquired in several goes; and only
    where all of them would make one even stack: others are refused for that.
    """
    try:
        stack([f.plane for f in frames], "")
    except InputError:
        return None
    for key in CONTENT:
        divided = _divided(frames, key)
        if len(divided.members) > 1 and all(len(some) >= FEWEST_SLICES for some in divided.members):
            return divided
    return None


def _divided(frames: Sequence[Frame], key: str) -> Volumes:
    """Return the frames by the value of a key, in its order."""
    groups: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[frame.keys.get(key, "")].append(frame)
    values = sorted(groups, key=_in_order)
    return Volumes(key, tuple(values), tuple(tuple(groups[value]) for value in values))


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
