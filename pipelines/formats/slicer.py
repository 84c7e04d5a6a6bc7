"""Segmentations of 3D Slicer (`.seg.nrrd`): segments with names and codes, overlapping ones in layers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from pipelines.codes import LATERALITY, Side, role_of_code
from pipelines.formats.nrrd import grid_of, read_header, read_layers
from pipelines.formats.voxel_file import NRRD_SUFFIXES, file_sha256, safe_name, shown_name, suffix_of
from pipelines.segments import Drawn, Segment
from planner.errors import InputError, located
from planner.grid import Grid
from planner.volume import Mask

LONGEST_LABEL = 60

_KEY = re.compile(r"Segment(\d{1,4})_(?:ID|Name)")
_TERMS = re.compile(r"TerminologyEntry:([^|]*)")


@dataclass(frozen=True, slots=True, eq=False)
class SlicerSegmentation:
    """A segmentation of 3D Slicer as read: segments by number (from 1, in Slicer's order), voxels in layers.

    `places` is the layer and the value of each segment; the frame of reference is not stated in such a file.
    """

    name: str
    segments: tuple[Segment, ...]
    places: Mapping[int, tuple[int, int]]
    layers_kji: npt.NDArray[Any]
    grid: Grid
    sha256: str
    notes: tuple[str, ...] = ()

    def drawn(self, number: int, near: Grid, name: str) -> Drawn:  # noqa: ARG002 - Segmented's signature
        """Return segment `number` as the mask `name`, on its own lattice."""
        layer, value = self.places[number]
        return Drawn(Mask(self.layers_kji[layer] == value, self.grid, name))


def holds_segments(path: Path) -> bool:
    """Return whether an NRRD file's header names segments, as 3D Slicer's do; no file that cannot be read does."""
    if suffix_of(path) not in NRRD_SUFFIXES:
        return False
    with suppress(InputError, OSError):
        return any(_KEY.fullmatch(key) for key in read_header(path, "").values)
    return False


def read_slicer_segmentation(path: Path, name: str = "") -> SlicerSegmentation:
    """Return the segmentation in a file, which messages call `name`, else by its own name if that is plain.

    Raises
    ------
    InputError
        The file is no NRRD with attached data, or truncated, or a segment's entries are missing or malformed.
    """
    name = name or shown_name(path, "the .seg.nrrd file")
    with located(safe_name(path)):
        header = read_header(path, name)
        numbers = sorted({int(key[1]) for text in header.values if (key := _KEY.fullmatch(text))})
        if not numbers:
            raise InputError(f"{name}: no segment is named in its header, expected Segment0_Name", code="bad-seg")
        layers = read_layers(path, header, name)
        places: dict[int, tuple[int, int]] = {}
        segments = []
        for n in numbers:
            place = (_whole(header.values, n, "Layer", 0, name), _whole(header.values, n, "LabelValue", 1, name))
            if place in places.values() or place[1] == 0 or not 0 <= place[0] < len(layers):
                raise InputError(f"{name}: segment {n + 1} has layer {place[0]}, value {place[1]}: another one's, or"
                                 f" none of {len(layers)} layers", code="bad-seg")  # fmt: skip
            places[n + 1] = place
            segments.append(Segment(n + 1, _label(header.values, n), _role(header.values.get(f"Segment{n}_Tags", ""))))
        return SlicerSegmentation(name, tuple(segments), places, layers, grid_of(header, name), file_sha256(path))


def _whole(values: Mapping[str, str], n: int, key: str, otherwise: int, name: str) -> int:
    text = values.get(f"Segment{n}_{key}", str(otherwise))
    if not re.fullmatch(r"\d{1,6}", text):
        raise InputError(f"{name}: Segment{n}_{key} is not a whole number", code="bad-number")
    return int(text)


def _label(values: Mapping[str, str], n: int) -> str:
    text = values.get(f"Segment{n}_Name", "")
    return "".join(c if c.isprintable() else "?" for c in text)[:LONGEST_LABEL]


def _role(tags: str) -> str | None:
    """Return the role that a terminology entry means: context~category~type~modifier~..., each scheme^value^meaning."""
    entry = _TERMS.search(tags)
    parts = entry[1].split("~") if entry else []
    if len(parts) < 4:
        return None
    return role_of_code(_code(parts[2]), _side(_code(parts[3])))


def _code(text: str) -> tuple[str, str]:
    scheme, _, rest = text.partition("^")
    return scheme, rest.partition("^")[0]


def _side(modifier: tuple[str, str]) -> Side | None:
    sides: tuple[Side, Side] = ("left", "right")
    return next((side for side in sides if LATERALITY[side].key == modifier), None)
