"""What a review and a batch are told of a site's own rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click


def rules_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--rules` to a command."""
    return click.option(
        "--rules",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Add the site's own rules in every *.toml of DIR, or put them in place of those that they override; they "
        "are labelled as site policy (`ablation rules --check FILE` proves one).",
    )(command)
