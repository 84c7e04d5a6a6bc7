"""A needle as a line of 3D Slicer (`.mrk.json`): its entry, then its target."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.formats.landmarks import SIGNS
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import small_content_of
from planner.errors import InputError, located
from planner.grid import FloatArray

NAME = "needle file"
"""What messages call the file, whose own name may be the patient's."""

SUFFIX = ".mrk.json"
SCHEMA = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
"""The markups format that is written."""

MOST_BYTES = 1_000_000
FARTHEST_MM = 10_000.0
"""No point of a patient lies farther from the origin."""

UNITS: tuple[object, ...] = ("", "mm", ["mm", "UCUM", "millimeter"])


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Two points, LPS mm, shape (3,) each, and the SHA-256 of the file that they stood in."""

    entry_lps_mm: FloatArray
    target_lps_mm: FloatArray
    sha256: str


def read_line(path: Path) -> Line:
    """Return the line in a markups file of 3D Slicer; labels in it are not looked at.

    Raises
    ------
    InputError
        The file cannot be read, or holds anything but one line of two defined points, LPS or RAS, in mm.
    """
    with located(safe_name(path)):
        content = small_content_of(path, NAME, MOST_BYTES)
        try:
            entry, target = _ends(json.loads(content.decode("utf-8-sig"))["markups"])
        except InputError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise InputError(f"{NAME}: no list of markups of 3D Slicer", code="unknown-format") from error
    return Line(entry, target, hashlib.sha256(content).hexdigest())


def line_bytes(entry_lps_mm: FloatArray, target_lps_mm: FloatArray, name: str, labels: tuple[str, str]) -> bytes:
    """Return a line as a markups file of 3D Slicer: LPS, mm, its two points defined, and not to be moved by chance.

    Parameters
    ----------
    entry_lps_mm, target_lps_mm
        The first point, and the last; shape (3,).
    name
        What Slicer lists it by.
    labels
        What Slicer prints beside the points.
    """
    ends = zip((entry_lps_mm, target_lps_mm), labels, strict=True)
    points = [
        {
            "id": str(number),
            "label": label,
            "description": "",
            "associatedNodeID": "",
            "position": [float(value) for value in point],
            "orientation": [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined",
        }
        for number, (point, label) in enumerate(ends, start=1)
    ]
    line = {
        "type": "Line", "name": name, "coordinateSystem": "LPS", "coordinateUnits": "mm", "locked": True,
        "fixedNumberOfControlPoints": True, "labelFormat": "%N-%d", "lastUsedControlPointNumber": 2,
        "controlPoints": points,
    }  # fmt: skip
    document = {"@schema": SCHEMA, "markups": [line]}
    return (json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode("utf-8")


def _ends(markups: list[Any]) -> tuple[FloatArray, FloatArray]:
    if len(markups) != 1 or markups[0]["type"] != "Line":
        raise InputError(
            f"{NAME}: {len(markups)} markups, expected one of type Line: entry, then target", code="needle"
        )
    line = markups[0]
    system, units = str(line.get("coordinateSystem", "")), line.get("coordinateUnits", "")
    if system not in SIGNS:
        raise InputError(f"{NAME}: it does not say LPS or RAS (coordinateSystem)", code="needle")
    if units not in UNITS:
        raise InputError(f"{NAME}: coordinateUnits are not mm", code="needle")
    defined = [point for point in line["controlPoints"] if point.get("positionStatus", "defined") == "defined"]
    if len(defined) != 2:
        said = f"{NAME}: {len(defined)} defined points, expected two: entry, then target"
        raise InputError(said, code="needle")
    entry, target = (_position(point["position"], number) * SIGNS[system] for number, point in enumerate(defined, 1))
    return entry, target


def _position(values: list[Any], number: int) -> FloatArray:
    place = f"{NAME}: point {number}"
    if not isinstance(values, list) or len(values) != 3:
        raise InputError(f"{place}: expected 3 coordinates", code="needle")
    if not all(_is_length(value) for value in values):
        raise InputError(f"{place}: expected 3 finite numbers, millimetres", code="bad-number")
    return np.array(values, dtype=np.float64)


def _is_length(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= FARTHEST_MM  # so of none that is not finite; a whole number may be too large for a float
