"""`ablation demo`: the sample patient, reviewed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.report_volume import report_volume_option
from pipelines.cli.review import run_review
from pipelines.cli.run import Progress, exit_codes
from pipelines.cli.site_rules import rules_option

if TYPE_CHECKING:
    from pipelines.ports import ReportVolume

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


@click.command("demo")
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="Folder for the result.")
@rules_option
@report_volume_option
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(out: Path, rules: Path | None, report_volume: ReportVolume, quiet: bool) -> None:
    """Review the bundled synthetic patient (made by this project; no person)."""
    from planner.errors import InputError

    with exit_codes(Progress(quiet)):
        if not (SAMPLE / "pre").is_dir():
            raise InputError(
                f"sample: {SAMPLE} not found; run from a checkout, or make it with scripts/make_sample_data.py",
                code="missing",
            )
    pre, posts, case_file = SAMPLE / "pre", (SAMPLE / "post",), SAMPLE / "case.toml"
    run_review(
        pre, posts, out, case_file, "deformable", as_json=False, quiet=quiet, rules=rules, report_volume=report_volume
    )
    sys.exit(0)
