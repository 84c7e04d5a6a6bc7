"""What a review and a batch are told of the cohort whose observed rates may stand beside a margin."""

from __future__ import annotations

from collections.abc import Callable

import click


def baseline_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--baseline` to a command."""
    return click.option(
        "--baseline",
        metavar="NAME",
        help="Show beside each margin what this published cohort observed (`ablation rules` lists them). Without it no "
        "absolute rate is shown.",
    )(command)


def require_baseline(name: str | None) -> None:
    """Raise unless a cohort of that name is known, where one is named.

    Raises
    ------
    planner.errors.UsageError
        It is not.
    """
    if name is not None:
        from pipelines.catalogue import named_baseline

        named_baseline(name)
