"""`ablation figures`: the figures of a finished review or plan as files, for papers and talks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from pipelines.cli.run import Progress, exit_codes
from planner.errors import printable

if TYPE_CHECKING:
    from pipelines.figures.export import Format


@click.command("figures")
@click.argument("case", metavar="OUT", type=click.Path(path_type=Path))
@click.option("-o", "--output", "folder", metavar="FIGURES", type=click.Path(path_type=Path), required=True,
              help="Folder for the figures; files of the same names are replaced.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["svg", "png", "pdf"]), default="svg", show_default=True,
              help="SVG and PDF keep lines and text as vectors.")  # fmt: skip
@click.option("--dpi", type=click.IntRange(50, 1200), default=300, show_default=True,
              help="Resolution of a PNG, dots an inch.")  # fmt: skip
@click.option("--lesion", "lesion_id", metavar="ID", help="Only the figures of this lesion.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(case: Path, folder: Path, form: str, dpi: int, lesion_id: str | None, quiet: bool) -> None:
    """Write each figure of the finished case in OUT (the folder of a review or of a plan) into a file of its own.

    They are those in its report.html, of several posts in each one's; captions.csv beside them holds what each shows. A
    batch has a folder for each case: name one of them. File names hold the numbers of lesions and no name of a patient.
    """
    progress = Progress(quiet)
    with exit_codes(progress):
        progress("starting", 0.0)
        from pipelines.figure_files import figures_of, write_figures
        from planner.report.counts import counted

        named = figures_of(case, lesion_id)
        progress(f"{counted(len(named), 'figure')} found", 0.2)
        written = write_figures(named, folder, cast("Format", form), dpi)
    for path in written:
        click.echo(printable(str(path)))
