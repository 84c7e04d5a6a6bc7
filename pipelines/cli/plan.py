"""`ablation plan`: a study before the ablation in, zones with their margins out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.registration import phi_option
from pipelines.cli.report_volume import report_volume_option
from pipelines.cli.run import Progress, exit_codes
from pipelines.cli.site_rules import rules_option
from planner.errors import UsageError, printable

if TYPE_CHECKING:
    from pipelines.plan_file import PlanFile
    from pipelines.ports import FinishedPlan, ReportVolume
    from pipelines.settings import PlanningSettings
    from pipelines.site_chart import Chart

MOST_MM = 30.0
"""A larger margin is not looked for, and a larger standard deviation is no statement about a plan."""


class Length(click.FloatRange):
    """A length from 0 to 30 mm."""

    name = "MM"

    def __init__(self) -> None:
        super().__init__(min=0.0, max=MOST_MM)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the length."""
        length_mm = float(super().convert(value, param, ctx))
        if not math.isfinite(length_mm):
            self.fail(f"{value!r} is no length.", param, ctx)
        return length_mm


LENGTH = Length()


@click.command("plan")
@click.argument("pre", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), help="Folder for the result.")
@click.option("--from", "earlier", metavar="REVIEW", type=click.Path(path_type=Path),
              help="The folder of a finished review, POST given as PRE: a zone for what its zones leave.")  # fmt: skip
@click.option("--case", "case_file", type=click.Path(path_type=Path), help="case.toml: what the files cannot say.")
@click.option("--plan", "plan_file", metavar="FILE", type=click.Path(path_type=Path),
              help="plan.toml with needles, or one needle as a line of 3D Slicer (.mrk.json); without it one zone is "
                   "proposed for each tumour.")  # fmt: skip
@click.option("--setting", "setting_ids", metavar="ID", multiple=True,
              help="A charted setting to propose from, or that of a .mrk.json; repeats. Default: all.")  # fmt: skip
@click.option("--lesion", default="1", metavar="ID", help="The lesion that a .mrk.json is for. Default: 1.")
@click.option("--chart", metavar="FILE", type=click.Path(path_type=Path), help="A site's own device settings (TOML).")
@click.option("--chart-template", is_flag=True, help="Print a commented chart to fill in instead.")
@click.option("--margin", "margin_mm", metavar="MM", type=LENGTH,
              help="The margin asked for. Default: 5.")  # fmt: skip
@click.option("--tip-sd", metavar="MM", type=LENGTH, help="SD of the needle's place along each axis. Default: 2.")
@click.option("--radius-sd", metavar="MM", type=LENGTH,
              help="SD of a zone's radius, where its setting states none of this site. Default: 3.")  # fmt: skip
@click.option("--registration-sd", metavar="MM", type=LENGTH, help="SD of the scan against the patient. Default: 0.")
@click.option("--breathing-sd", metavar="MM", type=LENGTH, help="SD of the liver from head to feet. Default: 0.")
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Seed of the trial.")
@rules_option
@phi_option
@report_volume_option
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    pre: Path | None,
    out: Path | None,
    earlier: Path | None,
    case_file: Path | None,
    plan_file: Path | None,
    setting_ids: tuple[str, ...],
    lesion: str,
    chart: Path | None,
    chart_template: bool,
    margin_mm: float | None,
    tip_sd: float | None,
    radius_sd: float | None,
    registration_sd: float | None,
    breathing_sd: float | None,
    seed: int | None,
    rules: Path | None,
    phi: bool,
    report_volume: ReportVolume,
    as_json: bool,
    quiet: bool,
) -> None:
    """Plan ablation zones on PRE, a DICOM folder, a folder of NIfTI or NRRD files, or an image file, with tumours.

    Without --plan, each tumour gets the smallest charted zone that holds it with the margin asked for, or, where none
    does, the zone that comes nearest, with what it leaves out. It says which limits hold, by how much and how likely.
    """
    if chart_template:
        from pipelines.chart_template import chart_template as template

        click.echo(template(), nl=False)
        return
    stated = {"tip_sd_mm": tip_sd, "radius_sd_mm": radius_sd, "registration_sd_mm": registration_sd,
              "breathing_sd_mm": breathing_sd, "seed": seed}  # fmt: skip
    progress = Progress(quiet, phi)
    with exit_codes(progress):
        _require_call(pre, out, case_file)
    if out is not None:
        _run(pre, out, case_file, plan_file, setting_ids, lesion, chart, margin_mm, stated, rules, progress,
             as_json=as_json, earlier=earlier, report_volume=report_volume)  # fmt: skip


def _require_call(pre: Path | None, out: Path | None, case_file: Path | None) -> None:
    if out is None:
        raise UsageError("missing option -o: the folder for the result", code="usage")
    if pre is None and case_file is None:
        raise UsageError("missing argument PRE: the study before the ablation", code="usage")


def _run(
    pre: Path | None,
    out: Path,
    case_file: Path | None,
    plan_file: Path | None,
    setting_ids: tuple[str, ...],
    lesion: str,
    chart: Path | None,
    margin_mm: float | None,
    spread: dict[str, float | None],
    rules: Path | None,
    progress: Progress,
    *,
    as_json: bool,
    earlier: Path | None,
    report_volume: ReportVolume,
) -> None:
    """Plan, and print the result to stdout."""
    progress("starting", 0.0)
    from pipelines.limits import real
    from pipelines.plan_source import PlanSource
    from pipelines.planning import Wanted
    from pipelines.site_chart import chart_of
    from pipelines.site_rules import site_rules
    from pipelines.wire import plan_folder, plan_store

    store = plan_store(out, progress.log)
    source = PlanSource(pre, case_file, real(out).name, progress.phi, earlier)
    with exit_codes(progress):
        charted = chart_of(chart)
        stated = _stated(plan_file, charted, setting_ids, lesion)
        settings = charted.chosen(setting_ids)
        site = site_rules(rules)
        asked = _settings(stated, margin_mm, spread, setting_ids, charted, site.sha256, report_volume)
        source.require_outside(out, plan_file)
        told = asked.spread.registration_sd_mm > 0.0 or spread["registration_sd_mm"] is not None
    with exit_codes(progress, store.abandon):
        finished = plan_folder(source, store, Wanted(stated, settings, told), asked, progress, site.catalogue)
    _print(finished, out, as_json=as_json)


def _stated(plan_file: Path | None, chart: Chart, setting_ids: tuple[str, ...], lesion: str) -> PlanFile | None:
    from pipelines.plan_file import is_line, read_plan

    if plan_file is None:
        return None
    if not is_line(plan_file) and setting_ids:
        raise UsageError("--setting: the plan file states its own settings", code="usage")
    own = chart.named(setting_ids[0]) if len(setting_ids) == 1 else None
    return read_plan(plan_file, chart.settings, own, lesion)


def _settings(
    stated: PlanFile | None,
    margin_mm: float | None,
    spread: dict[str, float | None],
    setting_ids: tuple[str, ...],
    chart: Chart,
    site_sha256: tuple[str, ...],
    report_volume: ReportVolume,
) -> PlanningSettings:
    """Return the settings: what the call says wins over the plan file, and that over the defaults."""
    from dataclasses import asdict

    from pipelines.settings import PlanningSettings

    defaults = PlanningSettings()
    in_file = {} if stated is None else stated.spread.model_dump(exclude_none=True)
    in_call = {name: value for name, value in spread.items() if value is not None}
    asked = next((m for m in (margin_mm, stated.asked.margin_mm if stated else None) if m is not None), None)
    return PlanningSettings.model_validate({
        "asked_mm": defaults.asked_mm if asked is None else asked,
        "spread": {**asdict(defaults.spread), **in_file, **in_call},
        "chosen": () if stated else setting_ids,
        "chart_sha256": chart.sha256,
        "site_rules_sha256": site_sha256,
        "report_volume": report_volume,
    })  # fmt: skip


def _print(finished: FinishedPlan, out: Path, *, as_json: bool) -> None:
    from pipelines.store.plan_result import plan_document
    from pipelines.store.result import result_bytes
    from planner.report.plan_text import plan_table_text

    if as_json:
        click.echo(result_bytes(plan_document(finished)).decode("utf-8"), nl=False)
        return
    click.echo(printable(plan_table_text(finished.plan)))
    if (out / "report.pdf").is_file():
        click.echo(printable(f"on paper: {out.absolute() / 'report.pdf'}"))
    click.echo(printable(f"report: {out.absolute() / 'report.html'}"))
