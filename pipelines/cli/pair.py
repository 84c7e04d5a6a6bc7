"""`ablation pair`: which studies of a tree of DICOM are before and after an ablation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.run import Progress, exit_codes
from planner.errors import printable

if TYPE_CHECKING:
    from pipelines.pairing.run import Paired

EXIT_UNDECIDED = 3


@click.command("pair")
@click.argument("root", metavar="DICOM_ROOT", type=click.Path(path_type=Path))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="Folder for the proposal.")
@click.option("--no-cache", is_flag=True, help="Read every file, and keep nothing for the next time.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(root: Path, out: Path, no_cache: bool, quiet: bool) -> None:
    """Propose the pre/post pairs of a tree of DICOM files (any depth, any file names, patients mixed).

    Writes manifest.csv, which `ablation batch` takes, a case file for each pair in cases/, and ambiguous.csv with the
    scored candidates of what no rule decides. All are meant to be edited, and none is ever overwritten. Headers are
    kept in the user's cache for the next time, without names, ids and birth dates. Exit code 3: something is undecided;
    the manifest holds the rest.
    """
    progress = Progress(quiet)
    with exit_codes(progress):
        paired = proposed(root, out, progress, no_cache=no_cache)
        from pipelines.pairing.run import summary

        click.echo(summary(paired))
    click.echo(printable(f"manifest: {paired.manifest.absolute()}"))
    sys.exit(EXIT_UNDECIDED if paired.proposal.undecided else 0)


def proposed(root: Path, out: Path, progress: Progress, *, no_cache: bool = False) -> Paired:
    """Return the proposal for a tree, written to `out`; what was odd about the tree is said on stderr."""
    from pipelines.pairing.cache import user_folder
    from pipelines.pairing.run import notes, pair_tree

    progress("indexing", 0.0)
    paired = pair_tree(
        root, out, None if no_cache else user_folder(), lambda done, of: progress(f"{done}/{of} files read", 0.0)
    )
    for note in notes(paired.tree):
        click.echo(f"note: {note}", err=True)
    return paired
