"""What was read of a tree's files, kept for the next time: JSON of a user's own, without paths, names or ids.

A file is known by a hash of its path below the root, and taken as it was while its size, time of change and inode stay.
The first line is the SHA-256 of the rest: whatever is wrong with the file, it is ignored and written anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from pipelines.pairing.seen import File, Head, Part

SCHEMA = 1
"""Raise it with every change of what `reading` or `words` finds in a file."""

FOLDER = "ablation-planner"


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file as the file system states it: path below the root, size, time of change in ns, inode."""

    path: str
    size: int
    changed_ns: int
    inode: int

    @property
    def key(self) -> str:
        """What stands for the path: a hash, as a path may hold a name."""
        return hashlib.blake2b(os.fsencode(self.path), digest_size=10).hexdigest()

    @property
    def state(self) -> tuple[int, int, int]:
        """What changes when the file does."""
        return self.size, self.changed_ns, self.inode


def user_folder() -> Path:
    """Return the user's cache folder for this program."""
    stated = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(stated) if Path(stated).is_absolute() else Path.home() / ".cache") / FOLDER


def cache_path(folder: Path, root: Path) -> Path:
    """Return where the cache of a tree lies."""
    return folder / f"index-{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.json"


def load(path: Path, entries: Iterable[Entry]) -> tuple[dict[str, File], int]:
    """Return, by path, the files that a cache knows and that have not changed, and how many it knows at all.

    None where it cannot be used.
    """
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
        if digest.decode("ascii", "replace") != hashlib.sha256(body).hexdigest():
            return {}, 0
        document = json.loads(body)
        if document["schema"] != SCHEMA:
            return {}, 0
        heads = [_head(row) for row in document["heads"]]
        kept: dict[str, list[Any]] = document["files"]
        found = {}
        for entry in entries:
            row = kept.get(entry.key)
            if row is not None and (row[0], row[1], row[2]) == entry.state:
                found[entry.path] = File(entry.path, entry.size, heads[row[3]], row[4], tuple(row[5]), row[6])
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return {}, 0
    return found, len(kept)


def save(path: Path, entries: Iterable[Entry], files: Mapping[str, File]) -> None:
    """Write the cache for its user alone.

    Raises
    ------
    OSError
        It cannot be written.
    """
    heads: dict[Head, int] = {}
    rows = {}
    for entry in entries:
        file = files[entry.path]
        if file.head.kind == "broken":
            continue  # it may be readable the next time, without having changed
        number = heads.setdefault(file.head, len(heads))
        rows[entry.key] = [*entry.state, number, file.sop, file.origin_mm, file.time_s]
    document = {"schema": SCHEMA, "heads": [astuple(head) for head in heads], "files": rows}
    body = json.dumps(document, separators=(",", ":")).encode("ascii")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _head(row: list[Any]) -> Head:
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    values[_PARTS] = tuple(Part(*part) for part in row[_PARTS])
    return Head(*values)


_PARTS = list(Head.__dataclass_fields__).index("parts")
