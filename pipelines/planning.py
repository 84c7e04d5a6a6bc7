"""One plan, from source to store: read, plan, measure, hold against rules, render, store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipelines.plan_file import PlanFile
from pipelines.ports import FinishedPlan, Intake, Observe, PlanStore, Source
from pipelines.provenance import run_record
from pipelines.settings import PlanningSettings
from pipelines.stopwatch import Clock, Stopwatch
from planner.consult import Evidence, consulted
from planner.errors import InputError
from planner.plan.make import planned, proposed
from planner.plan.plan import Plan
from planner.plan.setting import Setting

RenderPlan = Callable[[FinishedPlan], str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned: the needles of a plan file, or where there is none a proposal from these settings."""

    stated: PlanFile | None
    settings: Sequence[Setting]


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
        Lays out the page.
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
    made = _planned(intake, wanted, settings, watch, observe)
    with watch.step("rules"):
        made = _held_against(made, replace(evidence, hazards=()))
    hashes = {} if wanted.stated is None else {f"plan/{name}": sha for name, sha in wanted.stated.sha256.items()}
    intake = replace(intake, inputs_sha256={**intake.inputs_sha256, **hashes})
    finished = FinishedPlan(intake, made, run_record(settings, intake.inputs_sha256, None), watch.seconds)
    observe("report", 0.0)
    with watch.step("report"):
        html = render(finished)
    store.put_plan(finished, html)
    return finished


def _require_tumours(intake: Intake) -> None:
    if not intake.case.pre.tumours:
        raise InputError("PRE: no tumour mask found, expected tumour_1 (or tumour)", code="no-tumour")
    for mask in intake.case.pre.tumours.values():
        mask.require_some()


def _planned(intake: Intake, wanted: Wanted, settings: PlanningSettings, watch: Stopwatch, observe: Observe) -> Plan:
    with watch.step("propose"):
        if wanted.stated is None:
            needles, trials = proposed(intake.case, wanted.settings, settings.plan(), observe)
        else:
            needles, trials = wanted.stated.needles, {}
    with watch.step("measure"):
        return planned(intake.case, needles, settings.plan(), trials, observe)


def _held_against(made: Plan, evidence: Evidence) -> Plan:
    chances = {one.lesion_id: one.robustness.p_at_least for one in made.lesions if one.robustness is not None}
    return replace(made, assessment=consulted(made.assessment, made.case.facts, evidence, "plan", chances))
