"""`ablation batch`: many cases, a process each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.baseline import baseline_option, require_baseline
from pipelines.cli.registration import different_patients_option, kind_and_file, phi_option, registration_options
from pipelines.cli.report_volume import report_volume_option
from pipelines.cli.run import EXIT_INTERRUPTED, EXIT_PARTLY_FAILED, Progress, exit_codes
from pipelines.cli.site_rules import rules_option

if TYPE_CHECKING:
    from pipelines.batch.manifest import Row
    from pipelines.batch.runner import Batch, Tally
    from pipelines.ports import ReportVolume
    from pipelines.settings import RegistrationKind


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@click.command("batch")
@click.argument("manifest", metavar="MANIFEST|DICOM_ROOT", type=click.Path(path_type=Path))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="Folder for the results.")
@click.option("--jobs", type=click.IntRange(min=1), help="Cases at a time. [default: the number of cores]")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=1800.0, show_default=True, metavar="SECONDS",
    help="Time limit of a case.",
)  # fmt: skip
@registration_options
@different_patients_option
@baseline_option
@rules_option
@report_volume_option
@phi_option
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    manifest: Path,
    out: Path,
    jobs: int | None,
    timeout: float,
    registration: RegistrationKind | Path,
    registration_error: float | None,
    allow_different_patients: bool,
    baseline: str | None,
    rules: Path | None,
    report_volume: ReportVolume,
    phi: bool,
    quiet: bool,
) -> None:
    """Review the cases of MANIFEST, a CSV file with the columns case_id,patient,pre,post,case.

    A folder instead, DICOM_ROOT, is paired first as `ablation pair` does, into OUT/pairs, and what is decided is run; a
    proposal that lies there already is taken as it is.

    Paths are relative to the manifest; patient (a pseudonym) and case (a case.toml) may be left out. Each case gets
    the folder OUT/case_id, and OUT/index.html lists all of them, the worst margin first. Finished cases are skipped
    while their software version, settings, manifest row and input files stay the same; failed ones (failure.json) are
    tried again. A transform file given here is used for every case whose case.toml names none of its own. Exit code 8:
    some cases failed, or a patient is undecided; 5: and why, or the list, could not be written to OUT.
    """
    progress = Progress(quiet)
    with exit_codes(progress):
        from pipelines.batch.manifest import read_manifest
        from pipelines.batch.out_folder import held
        from pipelines.site_rules import site_rules

        require_baseline(baseline)
        site = site_rules(rules)
        undecided = False
        if manifest.is_dir():
            manifest, undecided = _paired(manifest, out, progress)
        rows = read_manifest(manifest)
        batch = _batch(
            out.resolve(), jobs or _cores(), timeout, registration, registration_error,
            allow_different_patients=allow_different_patients, phi=phi, baseline=baseline,
            rules=None if rules is None else rules.resolve(), site_rules_sha256=site.sha256,
            report_volume=report_volume,
        )  # fmt: skip
        with held(out), _listed(out, rows):
            tally = _run(batch, rows, progress)
        if tally.unkept:
            from pipelines.batch.summary import unkept_words
            from planner.errors import OutputError

            raise OutputError(f"OUT: {out}: {unkept_words(tally)}")
    sys.exit(EXIT_PARTLY_FAILED if tally.failures or undecided else 0)


@contextmanager
def _listed(out: Path, rows: tuple[Row, ...]) -> Iterator[None]:
    """Write the worklist, however the batch ends; what ended it outweighs that the list cannot be written."""
    from pipelines.batch.worklist import write_worklist
    from planner.errors import OutputError

    asked = [row.case_id for row in rows]
    try:
        yield
    except BaseException:
        with suppress(OutputError):
            write_worklist(out, asked)
        raise
    write_worklist(out, asked)


def _paired(root: Path, out: Path, progress: Progress) -> tuple[Path, bool]:
    """Return the manifest of a tree, proposed now or before, and whether anything is undecided; end if all is."""
    from pipelines.cli.pair import proposed
    from pipelines.pairing.kept import PAIRS, kept_manifest, open_entries
    from pipelines.pairing.run import summary

    kept = kept_manifest(out / PAIRS, root)
    if kept is not None:
        left = open_entries(out / PAIRS)
        said = f"{left} lines of ambiguous.csv are left; remove the folder to have the tree paired anew"
        click.echo(f"note: the proposal in OUT/{PAIRS} is taken as it is; {said}", err=True)
        return kept, left > 0
    paired = proposed(root, out / PAIRS, progress)
    click.echo(summary(paired))
    if not paired.proposal.pairs:
        sys.exit(EXIT_PARTLY_FAILED)
    return paired.manifest, bool(paired.proposal.undecided)


def _batch(
    out: Path,
    jobs: int,
    timeout_s: float,
    registration: RegistrationKind | Path,
    error_mm: float | None,
    *,
    allow_different_patients: bool,
    phi: bool,
    baseline: str | None,
    rules: Path | None,
    site_rules_sha256: tuple[str, ...],
    report_volume: ReportVolume,
) -> Batch:
    from pipelines.batch import child, key
    from pipelines.batch.runner import Batch
    from pipelines.provenance import software_version
    from pipelines.settings import with_registration

    kind, transform = kind_and_file(registration)
    if transform is not None:
        from pipelines.formats.itk_transform import require_file

        require_file(transform)
        transform = transform.resolve()
    settings = with_registration(kind, error_mm, baseline, site_rules_sha256, report_volume)
    settings_sha256 = settings.sha256() + (" and patient data" if phi else "")
    grounds = partial(
        key.row_key, software_version=software_version(), settings_sha256=settings_sha256, transform=transform
    )
    command = partial(
        child.review_command, registration=str(transform or kind), registration_error_mm=error_mm,
        allow_different_patients=allow_different_patients, phi=phi, baseline=baseline, rules=rules,
        report_volume=report_volume,
    )  # fmt: skip
    return Batch(out, command, grounds, jobs, timeout_s)


def _run(batch: Batch, rows: tuple[Row, ...], progress: Progress) -> Tally:
    from pipelines.batch.summary import closing, finished_words, progress_line
    from pipelines.batch.worklist import known_results

    latest: list[Tally] = []

    def report(what: str, tally: Tally) -> None:
        latest[:] = [tally]
        progress.note(progress_line(what, tally))

    try:
        tally = replace(batch, known=known_results(batch.out)).run(rows, report)
    except KeyboardInterrupt:
        kept = f": {finished_words(latest[0])}" if latest else ""
        click.echo(f"interrupted{kept}; the same call goes on from there", err=True)
        sys.exit(EXIT_INTERRUPTED)
    click.echo(closing(tally))
    return tally
