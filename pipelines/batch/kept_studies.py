"""What was read of each case's folder, kept so that a batch need not read ten thousand results again.

A case's entry counts only while every file that it was read from is the one that was read: by name, size, times of
change and number in the file system. A result that was rewritten, by whom and however alike, is read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.batch.case_folder import FAILURE, KEY, KnownResult
from pipelines.batch.failure import Reason
from pipelines.batch.studies import read_case
from pipelines.store.folder import FILES, RESULT
from pipelines.store.post_folders import is_post_name
from planner.report.worklist import LesionItem, Study

READ_FROM = (RESULT, FAILURE, KEY, *FILES[:2])
"""Files that a case's row is made of; of the reports counts whether they are there."""

SETTLED_NS = 2_000_000_000
"""A file that changed this short a time before it was read may change again without its times telling, ns."""

Seen = list[list[Any]]
"""What tells the files of a case's folder from any others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A case as it was read: from which files, and what they say."""

    seen: Seen
    studies: tuple[Study, ...]
    known: KnownResult


def read(folder: Path, seen: Seen) -> Entry:
    """Return what a case's folder says now."""
    return Entry(seen, *read_case(folder))


def case_folders(out: Path) -> dict[str, Seen]:
    """Return the folders of cases in OUT by name, with what tells their files from others."""
    found: dict[str, Seen] = {}
    with os.scandir(out) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    for name in names:
        seen = list(_seen(out / name))
        if any(part[0] in (RESULT, FAILURE, KEY) for part in seen):
            found[name] = seen
    return found


def _seen(folder: Path, above: str = "") -> Iterator[list[Any]]:
    try:
        with os.scandir(folder) as entries:
            by_name = {entry.name: entry for entry in entries}
    except OSError:
        return
    for name in READ_FROM:
        if name in by_name:
            yield [f"{above}{name}", *_stamp(by_name[name])]
    if not above:
        for name in sorted(filter(is_post_name, by_name)):
            yield from _seen(folder / name, f"{name}/")


def _stamp(entry: os.DirEntry[str]) -> tuple[int, ...]:
    try:
        seen = entry.stat()
    except OSError:
        return ()
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def is_settled(seen: Seen, now_ns: int) -> bool:
    """Return whether none of the files changed just before they were looked at."""
    return all(now_ns - time_ns > SETTLED_NS for part in seen for time_ns in part[2:4])


def load(path: Path, form: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was kept: of each case by name as JSON holds it, and of the page; nothing where it cannot count."""
    try:
        kept = json.loads(path.read_bytes())
        if kept["form"] == form:
            return dict(kept["cases"]), dict(kept["page"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return {}, {}


def entry_of(kept: object, seen: Seen) -> Entry | None:
    """Return a kept entry of a case; None where it is of other files, or not what was kept."""
    if not isinstance(kept, dict) or kept.get("seen") != seen:
        return None
    try:
        return Entry(seen, tuple(_study(study) for study in kept["studies"]), _known(kept))
    except (KeyError, TypeError, ValueError):
        return None


def known_of(kept: object, seen: Seen) -> KnownResult | None:
    """Return what a kept entry of a case says of its result; None where it is of other files."""
    if not isinstance(kept, dict) or kept.get("seen") != seen:
        return None
    try:
        return _known(kept)
    except (KeyError, TypeError, ValueError):
        return None


def _known(kept: Mapping[str, Any]) -> KnownResult:
    return KnownResult(bool(kept["whole"]), tuple(Reason(code, text) for code, text in kept["remarks"]))


def _study(kept: Mapping[str, Any]) -> Study:
    return Study(**{name: _frozen(value) for name, value in kept.items() if name != "lesions"},
                 lesions=tuple(_lesion(lesion) for lesion in kept["lesions"]))  # fmt: skip


def _lesion(kept: Mapping[str, Any]) -> LesionItem:
    return LesionItem(**{name: _frozen(value) for name, value in kept.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def document(form: str, cases: Mapping[str, Entry], page: Mapping[str, Any]) -> bytes:
    """Return what is to be kept."""
    kept = {name: _plain(entry) for name, entry in cases.items()}
    return json.dumps({"form": form, "page": page, "cases": kept}, separators=(",", ":")).encode("ascii")


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "seen": entry.seen,
        "whole": entry.known.whole,
        "remarks": [[remark.code, remark.text] for remark in entry.known.remarks],
        "studies": [asdict(study) for study in entry.studies],
    }
