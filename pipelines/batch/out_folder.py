"""The folder of a batch: writable, and one driver's at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from planner.errors import OutputError

LOCK = ".batch.lock"


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Make the folder and hold it against other drivers; the hold ends with this process, however it ends.

    Raises
    ------
    OutputError
        It cannot be made or written, or another batch is writing there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"OUT: {out}: cannot be written: {reason}") from error
    try:
        _lock(handle, out)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, out: Path) -> None:
    if os.name != "posix":
        return
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"OUT: {out}: another batch is writing there", code="busy") from error
    except OSError:
        return  # some network file systems hold no locks
