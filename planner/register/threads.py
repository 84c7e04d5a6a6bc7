"""One thread for the sums: the same numbers in the same order, whatever the machine offers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Let ITK and the linear algebra beneath numpy and scipy work on one thread.

    ITK's registration sums per thread, and its method's own SetNumberOfThreads does not reach the metric, which takes
    the global default; a scalar product of many threads ends in another last digit, and an optimisation elsewhere.
    """
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
