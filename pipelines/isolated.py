"""Work on files that nobody vouches for, in a process of its own: that may crash, hang or grow, and its caller goes on.

The process guards against accidents (a decoder that aborts, a bomb, an endless file). It is no sandbox: it may do to
files and network what its user may.
"""

from __future__ import annotations

import io
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from planner.errors import InputError, PlannerError, UsageError

Observe = Callable[[str, float], None]
"""Progress: (what is being done, fraction done from 0 to 1)."""

MEMORY_GB, STALL_S = "ABLATION_READER_GB", "ABLATION_READER_SECONDS"
"""Environment variables that set the limits of `Limits`."""

READERS = "pipelines.source"
"""Imported once by the server that the processes are forked from."""

ENDED = ("reader-crashed", "too-large", "timeout")
"""Codes of the errors that say that the process came to an end before its work did."""

_ALIGNED = 64
_PDEATHSIG = 1

T = TypeVar("T")

AVAILABLE = "forkserver" in multiprocessing.get_all_start_methods()
"""Whether this system can fork processes from a server. Where it cannot, work is done in the caller's own."""


class WorkFailedError(RuntimeError):
    """The work met a bug. The message holds its type and where it arose, not what it says: that may be patient data."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much memory the work may take, and how long it may go without any progress.

    Memory is what the process allocates for itself (RLIMIT_DATA, which Linux holds private mappings to).
    """

    memory_gb: float = field(default_factory=lambda: _stated(MEMORY_GB, 3.0))
    stall_s: float = field(default_factory=lambda: _stated(STALL_S, 25.0))


def _stated(variable: str, default: float) -> float:
    """Return a limit that the environment states, or its default.

    Raises
    ------
    UsageError
        It states no positive number.
    """
    said = os.environ.get(variable, "")
    if not said:
        return default
    with suppress(ValueError):
        if 0 < float(said) < float("inf"):
            return float(said)
    raise UsageError(f"{variable}: expected a positive number")


def isolated(
    work: Callable[[Observe], T],
    observe: Observe,
    limits: Limits | None = None,
    *,
    on_cpu: Callable[[float], None] = lambda _seconds: None,
    preload: str = READERS,
) -> T:
    """Return what `work(observe)` returns, done in a process of its own. Work and result must be picklable.

    Large arrays of the result are read-only and lie in memory that both processes share. `on_cpu` is told the CPU
    seconds that the process took; `preload` is the module with the work, which only the first call of a command names.

    Raises
    ------
    InputError
        The process crashed (`reader-crashed`), wanted more memory than it may take (`too-large`), or went on without
        any progress for too long (`timeout`).
    PlannerError
        Whatever the work raised.
    WorkFailedError
        The work met a bug.
    """
    if not AVAILABLE:
        return work(observe)
    bounds = limits or Limits()
    with _shared_file() as shared, _process(work, bounds, shared, preload) as (process, messages):
        seen = ("", 0.0)
        while True:
            if not messages.poll(bounds.stall_s):
                text = f"{_during(*seen)}no progress for {bounds.stall_s:g} s ({STALL_S} sets the limit)"
                raise InputError(text, code="timeout")
            try:
                kind, *content = messages.recv()
            except EOFError:
                process.join()
                raise _death(process.exitcode or 0, _during(*seen), bounds) from None
            if kind == "at":
                seen = (content[0], content[1])
                observe(*seen)
            elif kind == "error":
                raise _error(content[0])
            else:
                found: T = _received(shared, content[0], content[1])
                on_cpu(content[2])
                return found


def _during(what: str, share: float) -> str:
    return f"{what} ({100 * share:.0f} % read): " if what else ""


def _error(content: bytes | str) -> Exception:
    """Return the error that was sent: one of ours, or what is told of a bug."""
    if isinstance(content, str):
        return WorkFailedError(content)
    error: Exception = pickle.loads(content)  # noqa: S301 - written by our own process
    return error


def _death(exit_code: int, during: str, limits: Limits) -> InputError:
    """Return the error for a process that ended without a word."""
    if exit_code == -signal.SIGKILL:
        return _too_large(during, limits)
    name = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    text = f"{during}the process that reads files ended by {name}, as a malformed file can make a decoder do"
    return InputError(text, code="reader-crashed")


def _too_large(during: str, limits: Limits) -> InputError:
    text = f"{during}reading takes more than {limits.memory_gb:g} GB of memory ({MEMORY_GB} sets the limit)"
    return InputError(text, code="too-large")


@contextmanager
def _shared_file() -> Iterator[int]:
    """Give a file that has no name, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("ablation")
        try:
            yield number
        finally:
            os.close(number)
        return
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


@contextmanager
def _process(
    work: Callable[[Observe], Any], limits: Limits, shared: int, preload: str
) -> Iterator[tuple[multiprocessing.process.BaseProcess, Connection]]:
    """Give the process at work, which does not outlive the block, and the messages it sends."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    messages, said = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(work, limits, said, DupFd(shared)), daemon=True)
    try:
        process.start()
        said.close()
        yield process, messages
    finally:
        with suppress(ValueError, AttributeError):  # it never started
            process.kill()
            process.join()
        messages.close()


def _serve(work: Callable[[Observe], object], limits: Limits, messages: Connection, shared: Any) -> None:
    """Do the work and send what came of it. Runs in the process."""
    _bound(limits)
    last = ("", 0.0)

    def observe(what: str, share: float) -> None:
        nonlocal last
        last = (what, share)
        messages.send(("at", what, share))

    try:
        content, sizes = _handed_over(work(observe), shared.detach())
        messages.send(("done", content, sizes, time.process_time()))
    except PlannerError as error:
        messages.send(("error", pickle.dumps(error)))
    except MemoryError:
        messages.send(("error", pickle.dumps(_too_large(_during(*last), limits))))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
        frames = "".join(traceback.format_tb(error.__traceback__))
        messages.send(("error", f"{type(error).__name__} in the process that reads files\n{frames}"))
    except KeyboardInterrupt:
        return  # the caller got it too


def _bound(limits: Limits) -> None:
    """Bound this process: memory, no word to the terminal, no life beyond the server's, ctrl-C ends it."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    size = int(limits.memory_gb * 1e9)
    size = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    with Path(os.devnull).open("r+b") as nowhere:
        for number in (0, 1, 2):  # what a library in C says of a file may hold the patient's name
            os.dup2(nowhere.fileno(), number)


class _Pickler(pickle.Pickler):
    """Pickles read-only mappings too."""

    def reducer_override(self, value: Any) -> Any:
        return (_read_only, (dict(value),)) if isinstance(value, MappingProxyType) else NotImplemented


def _read_only(content: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


def _handed_over(result: object, shared: int) -> tuple[bytes, list[int]]:
    """Return a pickled result without its arrays, which go to the shared file, and the arrays' sizes in bytes."""
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(result)
    with os.fdopen(shared, "wb") as file:
        for buffer in buffers:
            raw = buffer.raw()
            file.write(raw)
            file.write(bytes(-raw.nbytes % _ALIGNED))
    return stream.getvalue(), [buffer.raw().nbytes for buffer in buffers]


def _received(shared: int, content: bytes, sizes: Sequence[int]) -> Any:
    """Return a result whose arrays lie in the shared file."""
    total = sum(size + -size % _ALIGNED for size in sizes)
    held = memoryview(mmap.mmap(shared, total, prot=mmap.PROT_READ)) if total else memoryview(b"")
    views, at = [], 0
    for size in sizes:
        views.append(held[at : at + size])
        at += size + -size % _ALIGNED
    return pickle.loads(content, buffers=views)  # noqa: S301 - written by our own process
