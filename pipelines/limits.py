"""What reading may take, and that what is read stays as it is: untrusted files are held to both."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from planner.errors import InputError

MOST_BYTES = 2_400_000_000
"""What the voxels of one image or mask may take in memory: 2200 slices of 512 x 512 as 32-bit numbers."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells that a file was changed: its size, the time of its last change, its place on the disk."""

    size: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """Return the stamp in what the operating system says of a file."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


def stamp_of(path: Path) -> Stamp:
    """Return a file's stamp."""
    return Stamp.of(path.stat())


def content_of(path: Path, name: str, stamp: Stamp | None = None) -> bytes:
    """Return a file's bytes, if it still has the stamp that it had before.

    Raises
    ------
    InputError
        It has not.
    OSError
        It cannot be read, or is no regular file: a pipe would be waited for.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as stream:
        content = stream.read()
        now = Stamp.of(os.fstat(stream.fileno()))
    if stamp is not None and stamp != now:
        raise changed(name)
    return content


def changed(name: str) -> InputError:
    """Return the error for a file that changed between two looks at it."""
    return InputError(
        f"{name}: the file changed while it was read, expected one that stays as it is (is it still being copied?)",
        code="file-changed",
    )


def require_bytes(count: int, name: str, what: str) -> None:
    """Raise where `what` would take more memory than reading may.

    Raises
    ------
    InputError
        It would.
    """
    if count > MOST_BYTES:
        size = f"{count / 1e9:.3g} GB, expected at most {MOST_BYTES / 1e9:.2g}"
        raise InputError(f"{name}: {what} are too large ({size})", code="too-large")


@contextmanager
def within_limits(name: str) -> Iterator[None]:
    """Turn what says that memory, or the depth of calls, ran out into the refusal of the file `name`.

    Raises
    ------
    InputError
        It did.
    """
    try:
        yield
    except MemoryError as error:
        raise InputError(f"{name}: needs more memory than reading may take", code="too-large") from error
    except RecursionError as error:
        raise InputError(f"{name}: nests sequences too deep, expected a few", code="too-deep") from error


def is_file(path: Path) -> bool:
    """Return whether there is a regular file; a name that no file system takes is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; a name that no file system takes is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def real(path: Path) -> Path:
    """Return where a path leads, itself where its links lead in a circle."""
    return Path(os.path.realpath(path))
