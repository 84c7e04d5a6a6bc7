"""`ablation`: the command and its sub-commands, which are imported only when called."""

from __future__ import annotations

import os
from importlib import import_module

import click

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # Small matrices: two threads spin on them and take longer than one.
    os.environ.setdefault(_variable, "1")

COMMANDS = {
    "demo": "Review the bundled sample patient.",
    "margin": "Measure the margin of aligned masks.",
    "review": "Review one case: two studies in, a report out.",
}


class LazyGroup(click.Group):
    """A group whose commands are listed here and imported when they are called."""

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


@click.command(cls=LazyGroup, epilog="Not a medical device, for research and audit.")
@click.version_option(package_name="ablation-planner")
def main() -> None:
    """3D ablation margins, with their doubt, from pre- and post-ablation liver CT.

    Exit codes: 0 ok, 1 bug, 2 usage, 3 input unreadable or ambiguous, 4 result produced but the quality gate failed,
    5 output not writable, 130 interrupted.
    """


if __name__ == "__main__":
    main()
