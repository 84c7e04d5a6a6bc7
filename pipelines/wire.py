"""The one place that chooses adapters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

from pipelines.bundled import templates, text
from pipelines.catalogue import (
    named_baseline,
    packaged_catalogue,
    packaged_comparisons,
    packaged_hazards,
    packaged_standard_volume,
)
from pipelines.figures import MatplotlibIllustrator
from pipelines.figures.plan_illustrator import plan_pictures
from pipelines.figures.plan_scene import plan_scenes
from pipelines.figures.trend import trend_figure
from pipelines.isolated import isolated
from pipelines.paper import printed
from pipelines.plan_source import PlanSource
from pipelines.planning import Wanted, plan
from pipelines.ports import FinishedPlan, Intake, Observe, Pages, ReportVolume, Review
from pipelines.provenance import DISTRIBUTION, software_version
from pipelines.settings import PlanningSettings, Settings
from pipelines.several import Several
from pipelines.source import FolderSource
from pipelines.store import FolderStore
from pipelines.store.plan_folder import PlanFolderStore
from pipelines.store.posts import PostsStore
from pipelines.store.trend import trend_document
from pipelines.viewer import made_plan_viewer, made_viewer
from pipelines.workflow import review
from planner.consult import Evidence
from planner.guideline.catalogue import Catalogue
from planner.report.content import report_content
from planner.report.figure import Figure
from planner.report.html import render_html
from planner.report.paper import paper
from planner.report.plan_content import plan_content
from planner.report.plan_page import render_plan
from planner.report.plan_paper import plan_paper
from planner.report.trend import render_trend


def render(finished: Review, figures: tuple[Figure, ...], report_volume: ReportVolume = "roi") -> Pages:
    """Return the report of a review, holding as much of both studies as is asked for."""
    content = report_content(
        finished.assessment,
        figures,
        finished.provenance,
        finished.timings_s,
        identities={study: astuple(who) for study, who in finished.intake.identities.items()},
        scan_dates={
            name: study.scanned_on
            for name, study in (("pre", finished.intake.case.pre), ("post", finished.intake.case.post))
            if study.scanned_on is not None
        },
    )
    on_paper = printed(paper(content, version=f"{DISTRIBUTION} {software_version()}"), figures)
    if on_paper.why_not:
        content = replace(content, notes=(*content.notes, on_paper.why_not))
    viewer, no_viewer = made_viewer(finished.intake.case, finished.assessment, report_volume)
    html = render_html(content, templates=templates(), css=text("report.css"), viewer=viewer, no_viewer=no_viewer)
    return Pages(html, on_paper.pdf, on_paper.why_not)


@dataclass(slots=True)
class CpuClock:
    """CPU seconds of this process and of those that worked for it."""

    elsewhere_s: float = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return time.process_time() + self.elsewhere_s

    def add(self, seconds: float) -> None:
        """Count the seconds of another process."""
        self.elsewhere_s += seconds


@dataclass(frozen=True, slots=True)
class IsolatedSource:
    """A source that is read in a process of its own, whose time the clock counts."""

    source: FolderSource | PlanSource
    clock: CpuClock

    def read(self, observe: Observe) -> Intake:
        """Return the case.

        Raises
        ------
        planner.errors.InputError
            What the source raises, or that reading it crashed, stalled or took too much memory.
        """
        return isolated(self.source.read, observe, on_cpu=self.clock.add)


def review_folders(
    source: FolderSource, store: FolderStore, settings: Settings, observe: Observe, catalogue: Catalogue | None = None
) -> Review:
    """Review the case in two folders into a third, by a catalogue or by what comes with the program."""
    clock = CpuClock()
    return review(
        IsolatedSource(source, clock),
        store,
        illustrator=MatplotlibIllustrator(),
        render=partial(render, report_volume=settings.report_volume),
        settings=settings,
        clock=clock,
        observe=observe,
        evidence=packaged_evidence(settings.baseline, catalogue),
    )


def render_planned(finished: FinishedPlan, report_volume: ReportVolume = "roi") -> Pages:
    """Return the report of a plan, holding as much of the planning scan as is asked for."""
    scenes = tuple(plan_scenes(finished.plan))
    figures = plan_pictures(scenes)
    intake = finished.intake
    scanned_on = intake.case.pre.scanned_on
    content = plan_content(
        finished.plan,
        figures,
        finished.provenance,
        finished.timings_s,
        identities={study: astuple(who) for study, who in intake.identities.items()},
        scan_dates={} if scanned_on is None else {"pre": scanned_on},
    )
    on_paper = printed(plan_paper(content, version=f"{DISTRIBUTION} {software_version()}"), figures)
    if on_paper.why_not:
        content = replace(content, notes=(*content.notes, on_paper.why_not))
    viewer, no_viewer = made_plan_viewer(scenes, report_volume)
    html = render_plan(content, templates=templates(), css=text("report.css"), viewer=viewer, no_viewer=no_viewer)
    return Pages(html, on_paper.pdf, on_paper.why_not)


def plan_folder(
    source: PlanSource,
    store: PlanFolderStore,
    wanted: Wanted,
    settings: PlanningSettings,
    observe: Observe,
    catalogue: Catalogue | None = None,
) -> FinishedPlan:
    """Plan the case in a folder into another, by a catalogue or by what comes with the program."""
    clock = CpuClock()
    return plan(
        IsolatedSource(source, clock),
        store,
        wanted=wanted,
        render=partial(render_planned, report_volume=settings.report_volume),
        settings=settings,
        clock=clock,
        observe=observe,
        evidence=packaged_evidence(None, catalogue),
    )


def plan_store(out: Path, log: Callable[[], str]) -> PlanFolderStore:
    """Return the store of a plan's folder."""
    return PlanFolderStore(FolderStore(out, log))


def keep_several(several: Several, store: PostsStore) -> None:
    """Keep the common result and report of several posts above their own."""
    page = render_trend(several.trend, trend_figure(several.trend), templates=templates(), css=text("report.css"))
    store.put(trend_document(several.trend, several.provenance), page, several.folders)


def packaged_evidence(baseline: str | None = None, catalogue: Catalogue | None = None) -> Evidence:
    """Return the relations and rules that come with the program, and the baseline cohort of a name.

    A `catalogue` (with a site's rules) stands in place of the packaged one.

    Raises
    ------
    planner.errors.UsageError
        There is no cohort of that name.
    """
    cohort = None if baseline is None else named_baseline(baseline)
    held = catalogue or packaged_catalogue()
    return Evidence(
        packaged_hazards(), held.rules, packaged_comparisons(), cohort, packaged_standard_volume(),
        (*held.references, *held.advisories), held.conflicts,
    )  # fmt: skip


def posts_store(out: Path, log: Callable[[], str]) -> PostsStore:
    """Return the store of a case with several posts."""
    return PostsStore(out, log)


def folder_store(out: Path, log: Callable[[], str]) -> FolderStore:
    """Return the store of a review's folder."""
    return FolderStore(out, log)
