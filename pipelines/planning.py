"""One plan, from source to store: read, plan, measure, hold against rules, render, store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipelines.plan_file import PlanFile
from pipelines.ports import FinishedPlan, Intake, Observe, Pages, PlanStore, Source
from pipelines.provenance import run_record
from pipelines.settings import PlanningSettings
from pipelines.stopwatch import Clock, Stopwatch
from planner.consult import Evidence, consulted
from planner.errors import InputError
from planner.measure.distances import registration_sd_mm
from planner.plan.kept import Kept
from planner.plan.make import planned, proposed
from planner.plan.needle import Needle
from planner.plan.plan import Plan
from planner.plan.setting import Setting

RenderPlan = Callable[[FinishedPlan], Pages]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned: the needles of a plan file, or where there is none a proposal from these settings.

    `registration_stated`: whether the user said how sure the scan's place is; else the error of an earlier review's
    registration counts where its tumours are planned on.
    """

    stated: PlanFile | None
    settings: Sequence[Setting]
    registration_stated: bool = False


def plan(
    source: Source,
    store: PlanStore,
    *,
    wanted: Wanted,
    render: RenderPlan,
    settings: PlanningSettings,
    clock: Clock,
    observe: Observe,
    evidence: Evidence,
) -> FinishedPlan:
    """Plan one case and store the plan whole.

    Parameters
    ----------
    source, store
        Where the case comes from, and where the plan goes.
    wanted
        Needles as stated, or the settings from which to propose them.
    render
        Lays out the report.
    settings
        What is asked, tried and assumed.
    clock
        Seconds, for the times of the steps.
    observe
        Told what is being done.
    evidence
        Rules that the plan is held against. Relations between a margin and progression are left out: they speak of
        margins that were achieved.

    Raises
    ------
    planner.errors.PlannerError
        The input cannot be used (InputError) or the output cannot be written (OutputError).
    """
    watch = Stopwatch(clock)
    store.prepare()
    with watch.step("read"):
        intake = source.read(observe)
        for caution in intake.case.cautions:
            observe(f"caution [{caution.code}]: {caution.text}", 0.0)
        _require_tumours(intake)
    settings = _with_error(settings, intake, wanted)
    made = _planned(intake, wanted, settings, watch, observe)
    with watch.step("rules"):
        made = _held_against(made, replace(evidence, hazards=()))
    hashes = {} if wanted.stated is None else {f"plan/{name}": sha for name, sha in wanted.stated.sha256.items()}
    intake = replace(intake, inputs_sha256={**intake.inputs_sha256, **hashes})
    finished = FinishedPlan(intake, made, run_record(settings, intake.inputs_sha256, None), watch.seconds)
    observe("report", 0.0)
    with watch.step("report"):
        pages = render(finished)
    if pages.no_pdf:
        observe(pages.no_pdf, 0.0)
    store.put_plan(finished, pages)
    return finished


def _require_tumours(intake: Intake) -> None:
    if intake.kept.zones and not intake.case.pre.tumours:
        raise InputError("--from: no lesion of the review can be planned on", code="no-tumour")
    if not intake.case.pre.tumours:
        raise InputError("PRE: no tumour mask found, expected tumour_1 (or tumour)", code="no-tumour")
    for mask in intake.case.pre.tumours.values():
        mask.require_some()


def _planned(intake: Intake, wanted: Wanted, settings: PlanningSettings, watch: Stopwatch, observe: Observe) -> Plan:
    with watch.step("propose"):
        if wanted.stated is None:
            needles, trials = proposed(intake.case, wanted.settings, settings.plan(), observe, intake.kept)
        else:
            needles, trials = _beside(wanted.stated.needles, intake.kept), {}
    with watch.step("measure"):
        return planned(intake.case, needles, settings.plan(), trials, observe, intake.kept)


def _beside(needles: Sequence[Needle], kept: Kept) -> tuple[Needle, ...]:
    """Return needles numbered after the zones that were made."""
    first = kept.first_free - 1
    return tuple(replace(needle, zone_id=str(first + int(needle.zone_id))) for needle in needles)


def _with_error(settings: PlanningSettings, intake: Intake, wanted: Wanted) -> PlanningSettings:
    """Return the settings with the error of an earlier review's registration, where nothing else was stated."""
    if wanted.registration_stated or not intake.kept.error_mm:
        return settings
    spread = replace(settings.spread, registration_sd_mm=registration_sd_mm(intake.kept.error_mm))
    return settings.model_copy(update={"spread": spread})


def _held_against(made: Plan, evidence: Evidence) -> Plan:
    chances = {one.lesion_id: one.robustness.p_at_least for one in made.lesions if one.robustness is not None}
    return replace(made, assessment=consulted(made.assessment, made.case.facts, evidence, "plan", chances))
