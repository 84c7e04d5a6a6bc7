"""A tree of files as an index: what changed since the last time is read, the rest comes from the cache."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pipelines.isolated import ENDED, isolated
from pipelines.pairing.cache import Entry, cache_path, load, save
from pipelines.pairing.seen import File, Head, Tree
from planner.errors import InputError

STEP = 1000
"""Files that one process reads; progress is told after as many."""

TOLD_EACH = 20
"""The process tells of every so many files that it goes on: where it ends, one of the next ones is why."""

READING = "pipelines.pairing.reading"


def index_tree(
    root: Path, cache_folder: Path | None, observe: Callable[[int, int], None] = lambda _done, _of: None
) -> Tree:
    """Return what the files below `root` are.

    No file stops it: one that cannot be read is noted as broken. Links to folders are not followed, and what is no
    regular file (a pipe, a device) is not opened.

    Parameters
    ----------
    root
        The folder.
    cache_folder
        Where caches lie, or None to read everything and keep nothing.
    observe
        Called with how many of how many files were read.

    Raises
    ------
    InputError
        There is no such folder, or it holds no file.
    """
    if not root.is_dir():
        raise InputError("DICOM_ROOT: no such folder", code="missing", where=f".../{root.name}")
    root = root.resolve()
    entries, unread_folders, passed_over = regular_entries(root)
    if not entries:
        raise InputError("DICOM_ROOT: holds no file that can be read", code="no-image")
    kept = None if cache_folder is None else cache_path(cache_folder, root)
    known, cached = ({}, 0) if kept is None else load(kept, entries)
    missing = [entry for entry in entries if entry.path not in known]
    read, ended = _read(root, missing, observe)
    files = known | read
    trouble = "" if kept is None or not (missing or cached > len(entries)) else _saved(kept, entries, files)
    found = tuple(files[e.path] for e in entries)
    return Tree(str(root), found, unread_folders, len(missing), trouble, passed_over, ended)


def regular_entries(root: Path) -> tuple[list[Entry], int, int]:
    """Return the regular files below a folder in the order of their paths.

    Also how many folders cannot be listed, and how many entries are no file that can be opened.
    """
    found: list[Entry] = []
    unread = passed_over = 0

    def note(_error: OSError) -> None:
        nonlocal unread
        unread += 1

    base = os.fspath(root)
    for parent, _, names in os.walk(base, onerror=note):
        below = os.path.relpath(parent, base)
        for name in names:
            path = name if below == "." else f"{below}{os.sep}{name}"
            try:
                seen = os.stat(f"{parent}{os.sep}{name}")  # noqa: PTH116 - a Path for each takes as long as the call
            except (OSError, ValueError):
                passed_over += 1  # a dangling link is no file
                continue
            if stat.S_ISREG(seen.st_mode):
                found.append(Entry(path, seen.st_size, seen.st_mtime_ns, seen.st_ino))
            else:
                passed_over += 1
    return sorted(found, key=lambda entry: entry.path), unread, passed_over


def _read(root: Path, entries: list[Entry], observe: Callable[[int, int], None]) -> tuple[dict[str, File], int]:
    """Return what files say, read in a process of its own; a file at which that ends is broken, and is counted."""
    ended = 0
    found: dict[str, File] = {}
    left = [tuple(entries[at : at + STEP]) for at in range(0, len(entries), STEP)]
    while left:
        part, done = left.pop(0), 0

        def seen(_what: str, share: float) -> None:
            nonlocal done
            done = int(share)

        try:
            found |= isolated(partial(read_part, root, part), seen, preload=READING)
        except InputError as error:
            if error.code not in ENDED:
                raise
            if len(part) == 1:
                ended += 1
                found[part[0].path] = File(part[0].path, part[0].size, Head("broken"))
            else:
                close = [(entry,) for entry in part[done : done + TOLD_EACH]]
                left[:0] = [some for some in (part[:done], *close, part[done + TOLD_EACH :]) if some]
        observe(len(found), len(entries))
    return found, ended


def read_part(root: Path, entries: Sequence[Entry], observe: Callable[[str, float], None]) -> dict[str, File]:
    """Return what files say; `observe` is told how many were read."""
    from pipelines.pairing.reading import read_file

    found: dict[str, File] = {}
    heads: dict[Head, Head] = {}
    for n, entry in enumerate(entries, start=1):
        file = read_file(root, entry.path, entry.size)
        head = heads.setdefault(file.head, file.head)
        found[entry.path] = File(file.path, file.size, head, file.sop, file.origin_mm, file.time_s)
        if n % TOLD_EACH == 0:
            observe("", n)
    return found


def _saved(path: Path, entries: list[Entry], files: dict[str, File]) -> str:
    """Write the cache; return why that failed, "" where it did not."""
    try:
        save(path, entries, files)
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""
