"""One review, from source to store: read, register, assess, illustrate, render, store."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.ports import Illustrator, Intake, Observe, Pages, Review, Source, Store
from pipelines.provenance import run_record
from pipelines.settings import Settings, as_given
from pipelines.stopwatch import Clock, Stopwatch
from planner.assess import assess, require_lesions
from planner.assessment import Assessment
from planner.consult import Evidence, consulted
from planner.errors import UsageError
from planner.plan.outcome import with_plan
from planner.register.align import register
from planner.register.given import alignment_as_given
from planner.register.landmarks import with_landmarks
from planner.report.figure import Figure
from planner.scene import zone_surfaces
from planner.vanished import NO_BASELINE, against_baseline

NO_EVIDENCE = Evidence()

Render = Callable[[Review, tuple[Figure, ...]], Pages]


def review(
    source: Source,
    store: Store,
    *,
    illustrator: Illustrator,
    render: Render,
    settings: Settings,
    clock: Clock,
    observe: Observe,
    evidence: Evidence = NO_EVIDENCE,
) -> Review:
    """Review one case and store it whole.

    Parameters
    ----------
    source, store, illustrator, render
        Where the case comes from, where the review goes, what draws and what lays out the page.
    settings
        How to register and assess.
    clock
        Seconds, for the times of the steps.
    observe
        Told what is being done.
    evidence
        Relations and rules that the numbers are held against.

    Raises
    ------
    planner.errors.PlannerError
        The input cannot be used (InputError), the settings do not go with it (UsageError) or the output cannot be
        written (OutputError).
    """
    watch = Stopwatch(clock)
    store.prepare()
    with watch.step("read"):
        intake = source.read(observe)
        for caution in intake.case.cautions:
            observe(f"caution [{caution.code}]: {caution.text}", 0.0)
        require_lesions(intake.case)
    if intake.given is None and settings.registration.kind == "file":
        raise UsageError("registration: a file was asked for, and the source gives none")
    if intake.given is not None:
        settings = as_given(settings, intake.given.error_mm)
    measured = _assessed(intake, settings, watch, observe)
    if intake.needles:
        with watch.step("plan"):
            measured = with_plan(measured, intake.case, intake.needles)
    with watch.step("rules"):
        assessment = consulted(measured, intake.case.facts, evidence)
    with watch.step("illustrate"):
        observe("pictures", 0.0)
        figures = illustrator.draw(intake.case, assessment)
    provenance = run_record(settings, intake.inputs_sha256, assessment.alignment.map.parameters_sha256)
    finished = Review(intake, assessment, provenance, watch.seconds)
    observe("report", 0.0)
    with watch.step("report"):
        pages = render(finished, figures)
    if pages.no_pdf:
        observe(pages.no_pdf, 0.0)
    store.put(finished, pages)
    return finished


def _assessed(intake: Intake, settings: Settings, watch: Stopwatch, observe: Observe) -> Assessment:
    case = intake.case
    with watch.step("zone surfaces"):
        zones = zone_surfaces(case.post)
    with watch.step("register"):
        pre, post = case.pre.scan(case.pre.tumours), case.post.scan(case.post.ablations)
        if intake.given is None:
            alignment = register(pre, post, zones, settings.registration, observe)
        else:
            alignment = alignment_as_given(intake.given, pre, post, zones, settings.registration, observe)
        if intake.landmarks is not None:
            alignment = with_landmarks(alignment, intake.landmarks, zones, settings.registration)
    since_baseline = NO_BASELINE
    if case.baseline is not None:
        with watch.step("baseline"):
            since_baseline = against_baseline(case, settings.registration, observe)
    with watch.step("measure"):
        return assess(case, alignment, zones, settings.assess, observe, since_baseline)
