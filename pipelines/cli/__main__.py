"""`ablation`: the command and its sub-commands, which are imported only when called."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import click

from pipelines.cli.run import EXIT_INTERRUPTED

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # Small matrices: two threads spin on them and take longer than one.
    os.environ.setdefault(_variable, "1")

COMMANDS = {
    "audit": "Gather the lesions of many cases: tables, margins by band, and survival with outcomes.",
    "batch": "Review the cases of a manifest, a process each.",
    "demo": "Review the bundled sample patient.",
    "figures": "Write the figures of a finished case as files, for papers.",
    "margin": "Measure the margin of aligned masks.",
    "pair": "Propose the pre/post pairs of a tree of DICOM, as a manifest.",
    "plan": "Plan ablation zones on a study before the ablation.",
    "review": "Review one case: a study before the ablation and those after it in, a report out.",
    "rules": "List the guideline statements, or explain one.",
}


class LazyGroup(click.Group):
    """A group whose commands are listed here and imported when they are called."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an interrupt that it leaves to us is said in one line."""
        with terminated_as_interrupted():
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                click.echo("interrupted", err=True)
                ctx.exit(EXIT_INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"pipelines.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Make SIGTERM (a scheduler's, a container's) an interrupt like ctrl-C: it cleans up, and the exit code is 130."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python leaves signals to the main thread
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@click.command(cls=LazyGroup, epilog="Not a medical device, for research and audit.")
@click.version_option(package_name="ablation-planner")
def main() -> None:
    """3D ablation margins, with their doubt, from pre- and post-ablation liver CT.

    Exit codes: 0 ok, 1 bug, 2 usage, 3 input unreadable or ambiguous, 4 result produced but the quality gate failed,
    5 output not writable, 8 batch (or posts of a case) partly failed or undecided, 130 interrupted.
    """


if __name__ == "__main__":
    main()
