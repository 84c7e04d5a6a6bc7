"""The folders of several posts within that of their case: `post_1`, `post_2`, ..., each with a result of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"post_[1-9][0-9]?")


def is_post_name(name: str) -> bool:
    """Return whether a folder of that name may hold one of several posts."""
    return _NAME.fullmatch(name) is not None


def holds_one_of_several(folder: Path, result: str) -> bool:
    """Return whether a folder holds a result, in a file of that name, that says it is one of several posts."""
    if not is_post_name(folder.name):
        return False
    try:
        timing = json.loads((folder / result).read_bytes()).get("timing")
    except (OSError, ValueError, AttributeError):
        return False
    posts = timing.get("posts") if isinstance(timing, dict) else None
    return isinstance(posts, int) and posts > 1


def post_folders(out: Path) -> Iterator[Path]:
    """Yield the folders of `out` that have the name of a post's."""
    if out.is_dir():
        yield from sorted(path for path in out.iterdir() if is_post_name(path.name) and path.is_dir())


def clear_posts(out: Path, names: Sequence[str]) -> None:
    """Remove files of these names, the result's first, from the folders of an earlier review of several posts.

    Folders of such a name that hold anything else, as a study or the result of another review, are left alone.
    """
    for folder in post_folders(out):
        if not holds_one_of_several(folder, names[0]):
            continue
        for name in names:
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # it holds more than that
            folder.rmdir()
