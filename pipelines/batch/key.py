"""What a finished case rests on: where any of it has changed, the case is done again."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.batch.manifest import Row


def row_key(row: Row, software_version: str, settings_sha256: str, transform: Path | None = None) -> str:
    """Return the SHA-256 over software version, settings, manifest row, case file, and the inputs' files.

    `transform` is a registration file that serves the whole batch.

    The case file counts by content; image and mask files by name, size and time of change, since reading them again
    would take as long as many a review. Copying inputs without their times therefore has cases done again: slower,
    never wrong.
    """
    parts = {
        "software_version": software_version,
        "settings_sha256": settings_sha256,
        "row": list(row.written),
        "case_sha256": None if row.case is None else hashlib.sha256(row.case.read_bytes()).hexdigest(),
        "files": [entry for path in _inputs(row, transform) for entry in _files(path)],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()


def _inputs(row: Row, transform: Path | None) -> Iterator[Path]:
    yield from (row.pre, *row.posts)
    if transform is not None:
        yield transform
    if row.case is not None:
        yield from _named_in(row.case)


def _named_in(case_file: Path) -> Iterator[Path]:
    """Yield what a case file names. One that cannot be read is left to the review to refuse."""
    try:
        stated: dict[str, Any] = tomllib.loads(case_file.read_bytes().decode("utf-8-sig"))
        post = stated.get("post", {})
        tables = [stated.get("pre", {}), *(post if isinstance(post, list) else [post])]
        named = [table.get("path", "") for table in tables]
        named.append(stated.get("registration", {}).get("file", ""))
        named += [entry.get("file", "") for entry in stated.get("mask", [])]
    except (ValueError, AttributeError, TypeError):
        return
    yield from (case_file.parent / name for name in named if isinstance(name, str) and name)


def _files(path: Path) -> Iterator[list[object]]:
    """Yield name, bytes and time of change of each file, in a fixed order."""
    if not path.is_dir():
        yield _entry(path, path.name)
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            found = Path(folder) / name
            yield _entry(found, found.relative_to(path).as_posix())


def _entry(path: Path, name: str) -> list[object]:
    try:
        seen = path.stat()
    except OSError:
        return [name, None, None]
    return [name, seen.st_size, seen.st_mtime_ns]
