"""The driver of a batch: starts a child per case, watches over them, and keeps what became of each.

It is one thread that looks at its children some twenty times a second: nothing to lock, nothing that a dying child can
block, and an interrupt has one place to arrive at. It never opens an image and writes no shared file.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.batch.case_folder import CaseFolder, KnownResult
from pipelines.batch.child import Child, start
from pipelines.batch.failure import Failure, Reason, reason_of
from pipelines.batch.manifest import Row

EXIT_FINISHED = (0, 4, 8)
"""Exit codes of a child that leaves a result: 4 is a lesion that is not assessable, 8 one of several posts that cannot
be read, and cannot until the inputs change."""

_LOOK_S = 0.05

Command = Callable[[Row, Path], Sequence[str]]
"""Gives the command that reviews a case into a folder."""


@dataclass
class Tally:
    """What became of the cases so far.

    `remarks` holds what results say of their cases as a whole; `unkept` why a failure could not be written down.
    """

    total: int
    skipped: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    remarks: dict[str, tuple[Reason, ...]] = field(default_factory=dict)
    unkept: dict[str, str] = field(default_factory=dict)
    running: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """Return how many cases have not ended."""
        return self.total - len(self.skipped) - len(self.finished) - len(self.failures)

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest takes at the pace so far; None before the first case has ended."""
        done = len(self.finished) + len(self.failures)
        return (time.monotonic() - self.started) / done * self.left if done else None


Report = Callable[[str, Tally], None]
"""Told of each case that ended (its id and a word) and what became of all so far."""


@dataclass(frozen=True)
class Batch:
    """A batch to run.

    Parameters
    ----------
    out
        The folder that gets a folder per case.
    command
        Gives the command of a case.
    key
        Gives what a case rests on; a finished case with an equal key is skipped.
    jobs
        How many cases at a time.
    timeout_s
        Seconds that a case may take.
    known
        What results are known to say, by case id: those are not read again.
    """

    out: Path
    command: Command
    key: Callable[[Row], str]
    jobs: int
    timeout_s: float
    known: Mapping[str, KnownResult] = field(default_factory=dict)

    def run(self, rows: Iterable[Row], report: Report) -> Tally:
        """Run all cases that are not finished, and return what became of each.

        An interrupt ends the children and is passed on; finished cases stay.
        """
        rows = list(rows)
        tally = Tally(len(rows))
        waiting: deque[tuple[Row, str]] = deque()
        for row in rows:
            key = self._grounds(row, tally, report)
            if key is not None:
                waiting.append((row, key))
        report("", tally)
        tally.started = time.monotonic()
        with _no_child_left() as running:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    self._start(*waiting.popleft(), running, tally, report)
                time.sleep(_LOOK_S)
                for child in [child for child in running if self._has_ended(child)]:
                    running.remove(child)
                    tally.running = len(running)
                    self._keep(child, tally, report)
        return tally

    def _grounds(self, row: Row, tally: Tally, report: Report) -> str | None:
        """Return the key of a case that is to run; None where it is finished, or cannot be looked at."""
        folder = CaseFolder(self.out / row.case_id, self.known.get(row.case_id))
        try:
            key = self.key(row)
        except OSError:
            self._fail(row, Reason("unreadable", "the case's inputs cannot be read"), None, 0.0, tally, report)
            return None
        if not folder.is_finished(key):
            return key
        folder.succeeded()
        tally.skipped.append(row.case_id)
        tally.remarks[row.case_id] = folder.remarks()
        return None

    def _start(self, row: Row, key: str, running: list[Child], tally: Tally, report: Report) -> None:
        folder = CaseFolder(self.out / row.case_id)
        try:
            folder.begin(key)
            running.append(start(row, folder.path, self.command(row, folder.path)))
        except OSError as error:
            text = f"could not be started: {error.strerror or type(error).__name__}"
            self._fail(row, Reason("not-started", text), None, 0.0, tally, report)
        tally.running = len(running)

    def _has_ended(self, child: Child) -> bool:
        if child.ended():
            return True
        if child.asked_to_end is None and child.seconds > self.timeout_s:
            child.ask_to_end()
        child.press()
        return False

    def _keep(self, child: Child, tally: Tally, report: Report) -> None:
        """Note what became of a child that ended."""
        exit_code, seconds, said = child.process.returncode, child.seconds, child.stderr()
        child.close()
        folder = CaseFolder(child.folder)
        if exit_code in EXIT_FINISHED and folder.has_result():
            folder.succeeded()
            tally.finished.append(child.row.case_id)
            tally.remarks[child.row.case_id] = remarks = folder.remarks()
            report(f"{child.row.case_id} finished{''.join(f' [{remark.code}]' for remark in remarks)}", tally)
            return
        if child.asked_to_end is not None:
            # How a child answers being ended says nothing: not 130, which is an interruption by the user.
            reason, exit_code = Reason("timeout", f"ended at its time limit of {self.timeout_s:g} s"), None
        else:
            reason = reason_of(0 if exit_code in EXIT_FINISHED else exit_code, said)
        self._fail(child.row, reason, exit_code, seconds, tally, report)

    def _fail(
        self, row: Row, reason: Reason, exit_code: int | None, seconds: float, tally: Tally, report: Report
    ) -> None:
        folder = CaseFolder(self.out / row.case_id)
        shown = exit_code if exit_code is None or exit_code >= 0 else 128 - exit_code
        failure = Failure(row.case_id, reason.code, reason.text, shown, round(seconds, 1), folder.attempts() + 1)
        unkept = folder.failed(failure)
        if unkept:
            tally.unkept[row.case_id] = unkept
        tally.failures.append(failure)
        report(f"{row.case_id} failed [{reason.code}]{', failure.json could not be written' if unkept else ''}", tally)


@contextlib.contextmanager
def _no_child_left() -> Iterator[list[Child]]:
    """Give a list for running children; whoever is in it at the end, as after an interrupt, is ended."""
    running: list[Child] = []
    try:
        yield running
    finally:
        for child in running:
            child.ask_to_end()
        while not all(child.ended() for child in running):
            for child in running:
                child.press()
            time.sleep(_LOOK_S)
        for child in running:
            child.close()
