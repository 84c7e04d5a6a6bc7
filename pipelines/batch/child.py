"""One case's process: a group of its own, one thread, an end at its time limit, and no life beyond its driver's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipelines.batch.manifest import Row

GRACE_S = 3.0
"""How long a process may clean up after it was asked to end."""

_SAID_BYTES = 20_000

_THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)

_DIE_WITH_DRIVER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the driver is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Asks Linux to kill this process when its parent dies (prctl 1 is PR_SET_PDEATHSIG), then becomes the command.

It is a program, not Popen's `preexec_fn`: Python code between fork and exec can deadlock.
"""


def review_command(
    row: Row,
    folder: Path,
    *,
    registration: str,
    registration_error_mm: float | None = None,
    allow_different_patients: bool = False,
    phi: bool = False,
    baseline: str | None = None,
    rules: Path | None = None,
    report_volume: str = "roi",
) -> list[str]:
    """Return the command that reviews one case into a folder; `registration` is a kind or a path, all are absolute."""
    command = [sys.executable, "-P", "-m", "pipelines.cli", "review", str(row.pre), *map(str, row.posts)]
    command += ["-o", str(folder), f"--case-id={row.case_id}", f"--registration={registration}", "--quiet"]
    command.append(f"--report-volume={report_volume}")
    if registration_error_mm is not None:
        command.append(f"--registration-error={registration_error_mm!r}")
    if allow_different_patients:
        command.append("--allow-different-patients")
    if baseline is not None:
        command.append(f"--baseline={baseline}")
    if rules is not None:
        command.append(f"--rules={rules}")
    if phi:
        command.append("--phi")
    if row.patient:
        command.append(f"--patient-key={row.patient}")
    if row.case is not None:
        command += ["--case", str(row.case)]
    return command


@dataclass
class Child:
    """A case under way."""

    row: Row
    folder: Path
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    started: float = field(default_factory=time.monotonic)
    asked_to_end: float | None = None

    @property
    def seconds(self) -> float:
        """Return how long it has been running."""
        return time.monotonic() - self.started

    def ended(self) -> bool:
        """Return whether its process has ended; what that left running in its group is killed with it."""
        if self.process.returncode is None and hasattr(os, "waitid"):
            # Looked at without being reaped, so that its number still names its group and no other process.
            if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return False
            self._signal(signal.SIGKILL)
        return self.process.poll() is not None

    def stderr(self) -> str:
        """Return the end of what it said."""
        size = self.said.seek(0, os.SEEK_END)
        self.said.seek(max(0, size - _SAID_BYTES))
        return self.said.read().decode("utf-8", "replace")

    def ask_to_end(self) -> None:
        """Ask the whole group to end; a process that does not is killed by `press` after a grace."""
        self.asked_to_end = time.monotonic()
        self._signal(signal.SIGTERM)

    def press(self) -> None:
        """Kill a group that has been asked to end and had its grace."""
        if self.asked_to_end is not None and time.monotonic() - self.asked_to_end > GRACE_S:
            self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of it once it has ended."""
        self.process.wait()
        self.said.close()

    def _signal(self, number: int) -> None:
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self.process.pid, number)
            else:
                self.process.terminate()


def start(row: Row, folder: Path, command: Sequence[str]) -> Child:
    """Start the process of a case.

    Raises
    ------
    OSError
        It cannot be started.
    """
    said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child; a pipe would block it when full
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command; the paths in it are arguments, not shell text
            _tied(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, **_THREADS, "PYTHONFAULTHANDLER": "1"},
            start_new_session=True,
        )
    except BaseException:
        said.close()
        raise
    return Child(row, folder, process, said)


def _tied(command: Sequence[str]) -> list[str]:
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_DRIVER, str(os.getpid()), *command]
