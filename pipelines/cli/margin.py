"""`ablation margin`: the margin of masks that are already aligned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from pipelines.cli.registration import phi_option
from pipelines.cli.run import Progress, exit_codes


@click.command("margin")
@click.argument("tumour", type=click.Path(path_type=Path))
@click.argument("ablation", type=click.Path(path_type=Path))
@click.option("--ablation", "more", type=click.Path(path_type=Path), multiple=True, help="A further zone; repeats.")
@click.option("--liver", type=click.Path(path_type=Path), help="Liver mask: the margin is to liver not ablated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@phi_option
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    tumour: Path, ablation: Path, more: tuple[Path, ...], liver: Path | None, as_json: bool, phi: bool, quiet: bool
) -> None:
    """Measure the margin of a TUMOUR mask inside an ABLATION zone mask (NIfTI, NRRD or one-segment DICOM SEG).

    The masks must lie in one frame of reference, already aligned; each may have its own lattice.
    """
    progress = Progress(quiet, phi)
    with exit_codes(progress):
        from pipelines.isolated import isolated
        from pipelines.source import MaskFilesSource
        from planner.assess import assess_aligned
        from planner.case import aligned_notes

        target, zones, parenchyma = isolated(MaskFilesSource(tumour, (ablation, *more), liver).read, progress)
        assessment = assess_aligned(target, zones, parenchyma)
        assessment = replace(assessment, notes=(*assessment.notes, *aligned_notes(target, zones)))
    from pipelines.provenance import run_record
    from pipelines.settings import Settings
    from pipelines.store.result import assessment_document, result_bytes
    from planner.report.table import table_text

    for note in assessment.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        provenance = run_record(Settings(), {}, assessment.alignment.map.parameters_sha256)
        click.echo(result_bytes(assessment_document(assessment, provenance, {})).decode("utf-8"), nl=False)
    else:
        click.echo(table_text(assessment))
