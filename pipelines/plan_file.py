"""What `plan.toml` says: needles, the zones at their ends, and what the plan is asked and tried against.

::

    [plan]
    margin_mm = 5.0                  # optional: the margin asked for; an option of the call wins
    [spread]                         # all optional: standard deviations that the plan is tried against
    tip_sd_mm = 2.0                  # of the needle's place, along each axis
    radius_sd_mm = 3.0               # of the zone's radius; a setting that states its own keeps that
    registration_sd_mm = 0.0
    breathing_sd_mm = 0.0            # from head to feet
    seed = 20130101
    [[needle]]                       # repeats; the zone of the first is "1"
    lesion = "1"
    setting = "pme-80w-5min"         # of a chart; or length_mm and width_mm (tip_beyond_mm, width_sd_mm) of its own
    entry_lps_mm = [-120.0, -40.0, 30.0]
    target_lps_mm = [-60.0, 10.0, 20.0]
    # file = "needle.mrk.json"       # instead of both: a line of 3D Slicer, entry, then target; relative to this file
    # axis_lps = [0.0, 1.0, 0.0]     # instead of an entry that is not planned: the direction towards the tip
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.formats.markup_line import SUFFIX, Line, read_line
from pipelines.formats.voxel_file import safe_name
from pipelines.limits import is_folder, small_content_of
from pipelines.plan_tables import AskedTable, NeedleEntry, PlanDocument, SpreadTable
from pipelines.site_chart import chart_of
from pipelines.stated_toml import checked, tables_of
from pipelines.store.plan_names import PLAN
from planner.errors import InputError, UsageError, located, private
from planner.plan.needle import Needle, needle_along, needle_of
from planner.plan.setting import Setting
from planner.plan.zone import PlannedZone

NAME = "plan file"
"""What messages call the file, whose own name may be the patient's."""

MOST_BYTES = 1_000_000

SAME_MM = 0.01
"""Two zones of one lesion that differ by less are one."""


@dataclass(frozen=True, slots=True, eq=False)
class PlanFile:
    """A plan as read.

    Parameters
    ----------
    needles
        With their zones, numbered from 1.
    asked, spread
        What the file states; None where it states nothing.
    sha256
        Of the file and of the needles' files, by names that hold no patient data.
    """

    needles: tuple[Needle, ...]
    asked: AskedTable
    spread: SpreadTable
    sha256: Mapping[str, str]


def is_line(path: Path) -> bool:
    """Return whether a file's name says that it is a line of 3D Slicer."""
    return path.name.lower().endswith(SUFFIX)


def read_plan(
    path: Path, settings: Mapping[str, Setting], setting: Setting | None = None, lesion: str = "1"
) -> PlanFile:
    """Return the plan in a `plan.toml`, or of one needle in a `.mrk.json`.

    Parameters
    ----------
    path
        The file.
    settings
        The chart, by id.
    setting, lesion
        Of a `.mrk.json`: the setting of its zone, and the lesion that it is for.

    Raises
    ------
    InputError
        A file cannot be read, holds an unknown key or a malformed value, or names an unknown setting; one line.
    UsageError
        A `.mrk.json` comes without a setting.
    """
    if is_line(path):
        if setting is None:
            raise UsageError("--plan: a .mrk.json holds no zone, expected one --setting with it", code="usage")
        line = read_line(path)
        needle = _needle(lambda: needle_of("1", lesion, setting, line.entry_lps_mm, line.target_lps_mm), 1)
        return PlanFile((needle,), AskedTable(), SpreadTable(), {"needle_1": line.sha256})
    with located(safe_name(path)):
        document, sha256 = _document(path)
        files = {f"needle_{n}": path.parent / e.file for n, e in enumerate(document.needle, start=1) if e.file}
        lines = {name: read_line(file) for name, file in files.items()}
        needles = tuple(
            _stated(number, entry, lines.get(f"needle_{number}"), settings)
            for number, entry in enumerate(document.needle, start=1)
        )
        _require_different(needles)
    hashes = {"plan": sha256, **{name: line.sha256 for name, line in lines.items()}}
    return PlanFile(needles, document.plan, document.spread, hashes)


def _require_different(needles: Sequence[Needle]) -> None:
    """Raise where a needle stands there twice: as two zones of one place it would look surer than it is."""
    for n, needle in enumerate(needles):
        for other in needles[:n]:
            if needle.lesion_id == other.lesion_id and _farthest_apart_mm(needle.zone, other.zone) < SAME_MM:
                text = f"{NAME}: needle number {n + 1}: stands there twice (number {other.zone_id}), expected each once"
                raise InputError(text, code="bad-needle")


def _farthest_apart_mm(one: PlannedZone, other: PlannedZone) -> float:
    """Return by how much two zones differ in middle, ends or width, mm."""
    ends = [(zone.centre_lps_mm, zone.axis_lps * zone.length_mm / 2.0, zone.width_mm) for zone in (one, other)]
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in zip(*ends, strict=True))


def _document(path: Path) -> tuple[PlanDocument, str]:
    content = small_content_of(path, NAME, MOST_BYTES)
    tables = tables_of(content, NAME, "bad-plan", "utf-8-sig")
    document = checked(tables, PlanDocument, NAME, "bad-plan", safe_name(path))
    return document, hashlib.sha256(content).hexdigest()


def _stated(number: int, entry: NeedleEntry, line: Line | None, settings: Mapping[str, Setting]) -> Needle:
    setting = _setting(number, entry, settings)
    if line is not None:
        return _needle(
            lambda: needle_of(str(number), entry.lesion, setting, line.entry_lps_mm, line.target_lps_mm), number
        )
    target = np.array(entry.target_lps_mm, dtype=np.float64)
    if entry.entry_lps_mm is not None:
        at = np.array(entry.entry_lps_mm, dtype=np.float64)
        return _needle(lambda: needle_of(str(number), entry.lesion, setting, at, target), number)
    axis = np.array(entry.axis_lps, dtype=np.float64)
    return _needle(lambda: needle_along(str(number), entry.lesion, setting, axis, target), number)


def _needle(made: Callable[[], Needle], number: int) -> Needle:
    try:
        return made()
    except InputError as error:
        raise InputError(f"{NAME}: needle number {number}: {error}", code=error.code) from error


def _setting(number: int, entry: NeedleEntry, settings: Mapping[str, Setting]) -> Setting:
    if entry.length_mm is not None and entry.width_mm is not None:
        return Setting(
            f"own-{number}", "Size stated in the plan file", "", None, None, entry.length_mm, entry.width_mm, None,
            entry.width_sd_mm, entry.tip_beyond_mm, "user", None, None, charted=False,
        )  # fmt: skip
    if entry.setting not in settings:
        raise InputError(
            f"{NAME}: needle number {number}: its setting is in no chart (--chart), known: {', '.join(settings)}",
            code="unknown-setting",
            where=private(entry.setting),
        )
    return settings[entry.setting]


def given_plan(path: Path, chart: Path | None) -> PlanFile:
    """Return the plan that a review is held against: a `plan.toml`, or the folder that `ablation plan` left.

    Raises
    ------
    InputError
        As `read_plan`, or the chart cannot be read.
    UsageError
        It is a `.mrk.json`, which holds no zone.
    """
    file = path / PLAN if is_folder(path) else path
    if is_line(file):
        text = "--plan: a .mrk.json holds no zone, expected a plan.toml or the folder of `ablation plan`"
        raise UsageError(text, code="usage")
    return read_plan(file, chart_of(chart).settings)
