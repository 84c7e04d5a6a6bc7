"""What a plan leaves in its folder beside result, report and log, and how it is taken back."""

from __future__ import annotations

import re
from pathlib import Path

PLAN = "plan.toml"
NEEDLES, ZONES = "needles", "zones"

KIND = "plan"
"""The `kind` of a plan's result; a review's has none."""

_HEAD = re.compile(rb'\s*\{\s*"schema_version": *\d+,\s*"kind": *"plan"')
_HEAD_BYTES = 200
_OURS = {NEEDLES: re.compile(r"needle_[1-9][0-9]*\.mrk\.json"), ZONES: re.compile(r"zone_[1-9][0-9]*\.(nii\.gz|stl)")}


def is_plan(result: Path) -> bool:
    """Return whether a `result.json` is a plan's."""
    try:
        with result.open("rb") as stream:
            return _HEAD.match(stream.read(_HEAD_BYTES)) is not None
    except OSError:
        return False


def plan_files(folder: Path) -> tuple[str, ...]:
    """Return the files in a folder that a plan writes there beside result, report and log, by their paths in it."""
    inner = [f"{sub}/{name}" for sub, ours in _OURS.items() for name in _names(folder / sub) if ours.fullmatch(name)]
    return (*inner, *((PLAN,) if (folder / PLAN).is_file() else ()))


def clear_plan(folder: Path, result: Path) -> None:
    """Remove what a plan left in a folder, where its result says that there was one; other files are left alone.

    Raises
    ------
    OSError
        A file cannot be removed.
    """
    if not is_plan(result):
        return
    for name in plan_files(folder):
        (folder / name).unlink(missing_ok=True)
    for sub in _OURS:
        if (folder / sub).is_dir() and not any((folder / sub).iterdir()):
            (folder / sub).rmdir()


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()
