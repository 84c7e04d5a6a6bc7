"""What reading may take, and that what is read stays as it is: untrusted files are held to both."""

from __future__ import annotations

import errno
import os
import stat
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


def small_content_of(path: Path, name: str, most_bytes: int) -> bytes:
    """Return the bytes of a small file that somebody wrote by hand; one that is larger is not read whole.

    Raises
    ------
    InputError
        It is no regular file (a link, a pipe, a folder), larger than `most_bytes`, or cannot be read.
    """
    try:
        found = path.lstat().st_mode
        kind, content = found, b""
        if stat.S_ISREG(found):
            kind, content = _opened(path, most_bytes + 1)
    except OSError as error:
        code = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        raise InputError(f"{name}: cannot be read ({error.strerror or type(error).__name__})", code=code) from error
    if not stat.S_ISREG(kind):
        what = "a symbolic link" if stat.S_ISLNK(kind) else "a folder" if stat.S_ISDIR(kind) else "a pipe or device"
        raise InputError(f"{name}: {what}, expected a regular file", code="not-a-file")
    if len(content) > most_bytes:
        raise InputError(f"{name}: larger than {most_bytes / 1e6:g} MB, expected a small text file", code="too-large")
    return content


def _opened(path: Path, most_bytes: int) -> tuple[int, bytes]:
    """Return the kind of what is opened and its first bytes; a link or pipe that took its place is not waited for."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, os.O_RDONLY | flags), "rb") as stream:
        kind = os.fstat(stream.fileno()).st_mode
        return kind, stream.read(most_bytes) if stat.S_ISREG(kind) else b""


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
