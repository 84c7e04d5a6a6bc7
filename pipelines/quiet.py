"""Libraries in C that write to the process's stderr whatever their caller asks, kept quiet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Discard what is written to the process's stderr: HDF5 dumps its call stack there, GDCM what it thinks of a file.

    Not for two threads at a time: the second would keep the first one's nowhere.
    """
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        yield  # there is no stderr
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
