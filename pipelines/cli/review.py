"""`ablation review`: two studies in, a report out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.baseline import baseline_option, require_baseline
from pipelines.cli.given_plan import plan_options
from pipelines.cli.posts import review_posts
from pipelines.cli.registration import (
    different_patients_option,
    kind_and_file,
    landmarks_option,
    phi_option,
    registration_options,
)
from pipelines.cli.report_volume import report_volume_option
from pipelines.cli.run import EXIT_GATE_FAILED, Progress, exit_codes
from pipelines.cli.site_rules import rules_option, site_lines
from planner.errors import printable

if TYPE_CHECKING:
    from pipelines.ports import ReportVolume, Review
    from pipelines.settings import RegistrationKind


@click.command("review")
@click.argument("pre", type=click.Path(path_type=Path))
@click.argument("posts", metavar="POST...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="Folder for the result.")
@click.option("--case", "case_file", type=click.Path(path_type=Path), help="case.toml: what the files cannot say.")
@registration_options
@landmarks_option
@different_patients_option
@baseline_option
@rules_option
@report_volume_option
@plan_options
@phi_option
@click.option("--case-id", default="", hidden=True, help="The case's id, before what the case file states (batch).")
@click.option("--patient-key", default="", hidden=True, help="A pseudonym of the patient, before the studies' (batch).")
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    pre: Path,
    posts: tuple[Path, ...],
    out: Path,
    case_file: Path | None,
    registration: RegistrationKind | Path,
    registration_error: float | None,
    landmarks: tuple[Path, ...],
    allow_different_patients: bool,
    baseline: str | None,
    rules: Path | None,
    report_volume: ReportVolume,
    plan_file: Path | None,
    chart: Path | None,
    phi: bool,
    case_id: str,
    patient_key: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Review one case: PRE and POST are a DICOM folder, a folder of NIfTI or NRRD files, or an image file.

    Several POSTs are studies after one ablation: each is reviewed against PRE into OUT/post_1, OUT/post_2, ... in the
    order of time, and OUT/report.html shows them together. Exit code 8: some of them could not be read.
    """
    run_review(
        pre, posts, out, case_file, registration,
        as_json=as_json, quiet=quiet, case_id=case_id, patient_key=patient_key,
        registration_error_mm=registration_error, allow_different_patients=allow_different_patients,
        landmarks=landmarks, phi=phi, baseline=baseline, rules=rules, report_volume=report_volume,
        plan=plan_file, chart=chart,
    )  # fmt: skip


def run_review(
    pre: Path,
    posts: tuple[Path, ...],
    out: Path,
    case_file: Path | None,
    registration: RegistrationKind | Path,
    *,
    as_json: bool,
    quiet: bool,
    case_id: str = "",
    patient_key: str = "",
    registration_error_mm: float | None = None,
    allow_different_patients: bool = False,
    landmarks: tuple[Path, ...] = (),
    phi: bool = False,
    baseline: str | None = None,
    rules: Path | None = None,
    report_volume: ReportVolume = "roi",
    plan: Path | None = None,
    chart: Path | None = None,
) -> None:
    """Review, print the result to stdout and exit with the code that fits."""
    progress = Progress(quiet, phi)
    progress("starting", 0.0)
    from pipelines.limits import real
    from pipelines.post_order import sources_of
    from pipelines.settings import with_registration
    from pipelines.site_rules import site_rules
    from pipelines.source import FolderSource
    from pipelines.wire import folder_store, review_folders

    store = folder_store(out, progress.log)
    kind, transform = kind_and_file(registration)
    source = FolderSource(
        pre, posts[0], case_file, real(out).name, case_id, patient_key, transform, registration_error_mm,
        allow_different_patients, landmarks, phi, plan=plan, chart=chart,
    )  # fmt: skip
    with exit_codes(progress):
        require_baseline(baseline)
        site = site_rules(rules)
        settings = with_registration(
            kind, baseline=baseline, site_rules_sha256=site.sha256, report_volume=report_volume
        )
        sources = sources_of(source, posts)
        for one in sources:
            one.require_outside(out)
    if len(sources) > 1:
        review_posts(sources, out, settings, progress, site.catalogue, as_json=as_json)
    with exit_codes(progress, store.abandon):
        finished = review_folders(source, store, settings, progress, site.catalogue)
    print_review(finished, out, as_json=as_json)
    sys.exit(0 if gate_passed(finished) else EXIT_GATE_FAILED)


def gate_passed(finished: Review) -> bool:
    """Return whether no lesion failed the registration gate."""
    return all(lesion.status != "not_assessable" for lesion in finished.assessment.lesions)


def print_review(finished: Review, out: Path, *, as_json: bool) -> None:
    """Print the table and where the report is, or the result document."""
    from pipelines.store.result import result_bytes, result_document
    from planner.report.table import table_text

    if as_json:
        click.echo(result_bytes(result_document(finished)).decode("utf-8"), nl=False)
        return
    click.echo(table_text(finished.assessment))
    for line in site_lines(finished.assessment):
        click.echo(printable(line))
    if (out / "report.pdf").is_file():
        click.echo(printable(f"on paper: {out.absolute() / 'report.pdf'}"))
    click.echo(printable(f"report: {out.absolute() / 'report.html'}"))
