"""How much of both images a report carries, as commands are told it."""

from __future__ import annotations

from collections.abc import Callable

import click


def report_volume_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--report-volume` to a command."""
    return click.option(
        "--report-volume",
        type=click.Choice(["none", "roi", "full"]),
        default="roi",
        show_default=True,
        help="What report.html holds of both images for its interactive viewer: nothing, the region around each lesion "
        "(some MB each), or the whole field of view. It changes pictures, never numbers.",
    )(command)
