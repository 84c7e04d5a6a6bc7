"""Pairs of landmarks from files: one table (CSV) with both studies' points, or two lists of points of 3D Slicer."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.formats.csv_table import CsvRow, read_csv
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import content_of
from planner.errors import InputError, located
from planner.grid import FloatArray
from planner.register.landmarks import Landmarks

NAME = "landmark file"
"""What messages call the file, whose own name may be the patient's."""

PRE_COLUMNS = ("pre_x_mm", "pre_y_mm", "pre_z_mm")
POST_COLUMNS = ("post_x_mm", "post_y_mm", "post_z_mm")
FITTED_COLUMN = "used_for_fitting"
YES_NO = {"": None, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
SLICER_SUFFIX = ".json"
UNITS = ("", "mm")
SIGNS = {"LPS": (1.0, 1.0, 1.0), "1": (1.0, 1.0, 1.0), "RAS": (-1.0, -1.0, 1.0), "0": (-1.0, -1.0, 1.0)}
"""Slicer's names of its two systems, and the numbers that old releases wrote for them."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkFiles:
    """Landmarks as read, and the SHA-256 of each file by a name that holds no patient data."""

    landmarks: Landmarks
    sha256: dict[str, str]


def read_landmarks(paths: Sequence[Path], *, map_given: bool) -> LandmarkFiles:
    """Return pairs of landmarks.

    Parameters
    ----------
    paths
        One CSV file (columns pre_x_mm, pre_y_mm, pre_z_mm, post_x_mm, post_y_mm, post_z_mm: LPS millimetres; optional
        used_for_fitting, yes or no), or two files of 3D Slicer (.mrk.json), PRE's first, whose points of equal labels
        are pairs.
    map_given
        Whether the map between the studies is the user's own: then it may have been fitted to every pair of which the
        table does not deny it.

    Raises
    ------
    InputError
        A file cannot be read, holds something else, or no pairs.
    """
    if len(paths) == 1:
        return _read_table(paths[0], map_given=map_given)
    if len(paths) != 2:
        raise InputError(f"landmarks: {len(paths)} files, expected one CSV or two .mrk.json", code="landmarks")
    (pre, pre_sha), (post, post_sha) = (_read_slicer(path) for path in paths)
    labels = [label for label in pre if label in post]
    if not labels:
        raise InputError("landmarks: no label stands in both files, expected pairs of equal labels", code="landmarks")
    points = [np.array([study[label] for label in labels]) for study in (pre, post)]
    found = Landmarks(points[0], points[1], np.full(len(labels), map_given))
    return LandmarkFiles(found, {"landmarks/pre": pre_sha, "landmarks/post": post_sha})


def _read_table(path: Path, *, map_given: bool) -> LandmarkFiles:
    if path.name.lower().endswith(SLICER_SUFFIX):
        text = f"{NAME}: one list of 3D Slicer, expected two (PRE, then POST) or one CSV"
        raise InputError(text, code="landmarks", where=safe_name(path))
    table = read_csv(path, NAME, (*PRE_COLUMNS, *POST_COLUMNS), (FITTED_COLUMN,), more_columns=True)
    with located(safe_name(path)):
        if table.faults:
            raise InputError(f"{NAME}: {table.faults[0]}", code="landmarks")
        if not table.rows:
            raise InputError(f"{NAME}: no pair in it", code="landmarks")
        pre, post = (np.array([_point(row, names) for row in table.rows]) for names in (PRE_COLUMNS, POST_COLUMNS))
        fitted = [_fitted(row, map_given=map_given) for row in table.rows]
    return LandmarkFiles(Landmarks(pre, post, np.array(fitted)), {"landmarks": table.sha256})


def _point(row: CsvRow, names: Sequence[str]) -> FloatArray:
    return np.array([_number(row.cells[name], f"line {row.line}, {name}") for name in names])


def _number(cell: object, place: str) -> float:
    try:
        value = float(cell)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{NAME}: {place}: no finite number, expected millimetres", code="bad-number")
    return value


def _fitted(row: CsvRow, *, map_given: bool) -> bool:
    cell = row.cells[FITTED_COLUMN].lower()
    if cell not in YES_NO:
        raise InputError(f"{NAME}: line {row.line}, {FITTED_COLUMN}: expected yes or no", code="landmarks")
    stated = YES_NO[cell]
    return map_given if stated is None else stated


def _read_slicer(path: Path) -> tuple[dict[str, FloatArray], str]:
    """Return the points of a `.mrk.json` by label, LPS mm, and the file's SHA-256."""
    with located(safe_name(path)):
        if not path.name.lower().endswith(SLICER_SUFFIX):
            raise InputError(f"{NAME}: of two files each must be a .mrk.json of 3D Slicer", code="landmarks")
        try:
            content = content_of(path, NAME)
            lists = json.loads(content.decode("utf-8-sig"))["markups"]
            points = [point for markup in lists for point in _points(markup)]
        except OSError as error:
            code = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
            raise InputError(f"{NAME}: {error.strerror or type(error).__name__}", code=code) from error
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{NAME}: no list of markups of 3D Slicer", code="unknown-format") from error
        labels = [label for label, _ in points]
        if len(set(labels)) < len(labels):
            raise InputError(f"{NAME}: a label stands there twice, expected each once", code="landmarks")
        if not points:
            raise InputError(f"{NAME}: no point in it", code="landmarks")
    return dict(points), hashlib.sha256(content).hexdigest()


def _points(markup: dict[str, Any]) -> list[tuple[str, FloatArray]]:
    system, units = str(markup.get("coordinateSystem", "")), str(markup.get("coordinateUnits", ""))
    if system not in SIGNS:
        raise InputError(f"{NAME}: it does not say LPS or RAS (coordinateSystem)", code="landmarks")
    if units not in UNITS:
        raise InputError(f"{NAME}: coordinateUnits are not mm", code="landmarks")
    found = []
    for number, point in enumerate(markup["controlPoints"], start=1):
        if point.get("positionStatus", "defined") != "defined":
            continue
        position = point["position"]
        if len(position) != 3:
            raise InputError(f"{NAME}: point {number}: {len(position)} coordinates, expected 3", code="landmarks")
        values = np.array([_number(value, f"point {number}") for value in position])
        found.append((str(point["label"]), values * SIGNS[system]))
    return found
