"""`ablation audit`: the lesions of many cases."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.run import Progress, exit_codes
from planner.errors import printable


@click.command("audit")
@click.argument("folders", metavar="OUT...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="Folder for the audit.")
@click.option(
    "--outcomes", type=click.Path(path_type=Path),
    help="CSV with case_id,lesion_id,event,days; event is none, ltp or death. Survival by margin band is added.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folders: tuple[Path, ...], out: Path, outcomes: Path | None, quiet: bool) -> None:
    """Gather the lesions of all cases in OUT... (case or batch folders, searched in depth).

    Writes lesions.csv, lesions.parquet, data_dictionary.csv, audit.html and audit.json. In an outcomes file, days count
    from the ablation; a further column synthetic with "yes" has the page say that outcomes are made up.
    """
    progress = Progress(quiet)
    with exit_codes(progress):
        progress("starting", 0.0)
        from pipelines.audit.run import audit, prepare, summary, write
        from planner.report.counts import counted

        finished = audit(folders, outcomes)
        progress(f"{counted(finished.cohort.cases['found'], 'case')} read", 0.5)
        prepare(out)
        write(finished, out)
    click.echo(summary(finished))
    click.echo(printable(f"audit: {out.absolute() / 'audit.html'}"))
