"""What every sub-command shares: progress on stderr, a log, and the exit code of whatever went wrong."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from planner.errors import PlannerError, shown_where

EXIT_GATE_FAILED = 4
EXIT_PARTLY_FAILED = 8
EXIT_INTERRUPTED = 130


@dataclass
class Progress:
    """Tells stderr and the log what is being done; callable as `observe(what, share)`.

    `phi` is whether patient data may be shown at the terminal.
    """

    quiet: bool = False
    phi: bool = False
    started: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)

    def __call__(self, what: str, share: float) -> None:
        """Note a step; a step already noted is not repeated."""
        line = what
        if self.lines and self.lines[-1].endswith(f"] {line}"):
            return
        self.note(line)

    def note(self, line: str) -> None:
        """Note a line."""
        stamped = f"[{time.monotonic() - self.started:6.1f} s] {line}"
        self.lines.append(stamped)
        if not self.quiet:
            click.echo(stamped, err=True)

    def failed(self, error: PlannerError, what: str = "") -> None:
        """Note what failed of several, whether quiet or not; where it arose is for the terminal, not for the log."""
        line = f"error [{error.code}]: {what}{error}"
        self.lines.append(line)
        click.echo(line, err=True)
        if error.where:
            click.echo(f"  where: {shown_where(error.where, phi=self.phi)}", err=True)

    def log(self) -> str:
        """Return the log so far."""
        return "".join(f"{line}\n" for line in self.lines)


@contextmanager
def exit_codes(progress: Progress, on_failure: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Turn an error of ours into one line on stderr and its exit code; `on_failure` cleans up first.

    Where it arose is a second line, which the log leaves out.
    Anything unforeseen is a bug (exit 1): its type is said, its traceback only without `--quiet`.
    """
    try:
        yield
    except PlannerError as error:
        progress.lines.append(f"error [{error.code}]: {error}")
        on_failure()
        click.echo(f"error [{error.code}]: {error}", err=True)
        if error.where:  # names files: for the terminal, not for the log
            click.echo(f"  where: {shown_where(error.where, phi=progress.phi)}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        progress.lines.append("interrupted")
        on_failure()
        click.echo("interrupted: nothing was kept", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in a line and an exit code
        progress.lines.append(f"bug: {type(error).__name__}")
        on_failure()
        hint = "; run again without --quiet for its origin" if progress.quiet else ""
        if not progress.quiet:
            _tell_origin(error)
        click.echo(f"bug: {type(error).__name__}{hint}", err=True)
        sys.exit(1)


def _tell_origin(error: Exception) -> None:
    """Say where a bug arose, without the error's own words: they may hold what was read."""
    from pipelines.isolated import WorkFailedError

    click.echo("".join(traceback.format_tb(error.__traceback__)), err=True, nl=False)
    if isinstance(error, WorkFailedError):
        click.echo(str(error), err=True)
