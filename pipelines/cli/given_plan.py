"""The options that name the plan which a review is held against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def plan_options(command: F) -> F:
    """Add `--plan` and `--chart` to a command."""
    path = click.Path(path_type=Path)
    chart = click.option(
        "--chart", metavar="FILE", type=path, help="A site's own device settings (TOML), where the plan names some."
    )
    plan = click.option(
        "--plan", "plan_file", metavar="PLAN", type=path,
        help="What was planned on PRE, to hold what was achieved against: plan.toml, or the OUT of `ablation plan`.",
    )  # fmt: skip
    return plan(chart(command))
