"""The pictures of a plan, lesion by lesion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from matplotlib.figure import Figure as Canvas

from pipelines.figures import style
from pipelines.figures.distribution import draw_distribution
from pipelines.figures.encode import encoded
from pipelines.figures.plan_coverage import draw_coverage
from pipelines.figures.plan_planes import draw_plan_planes, draw_plan_slices
from pipelines.figures.plan_scene import PlanScene
from pipelines.figures.plan_solid import draw_plan_scene
from planner.plan.slices import Slices
from planner.report.figure import Figure
from planner.report.plan_text import coverage_sentence, planned_reading


def plan_pictures(scenes: Iterable[PlanScene]) -> tuple[Figure, ...]:
    """Return the pictures of each lesion: 3-D scene, planes, slices through the target, their areas."""
    return tuple(figure for shown in scenes for figure in _of_lesion(shown))


def _of_lesion(shown: PlanScene) -> Iterator[Figure]:
    lesion_id, slices = shown.lesion.lesion_id, shown.lesion.slices
    margin = shown.scene.lesion.margin
    within = "" if shown.plan.liver is None else ", as far as there is liver"
    target = f"the tumour with {shown.lesion.asked_mm:g} mm around it{within}"
    said = planned_reading(shown.lesion, shown.scene.lesion)
    yield _figure(
        shown, "scene", draw_plan_scene(shown),
        "The plan in 3-D. The tumour is coloured by its planned margin; zones, liver, vessels and bile ducts are seen"
        " through. Of a needle whose entry is not planned the axis is drawn, 100 mm outward. Arrows point to the"
        " patient's left (L), back (P) and head (S); one that points at the reader is left out.",
        f"Planned zones and needles of lesion {lesion_id} in 3-D, from the front, the patient's left and the feet:"
        f" {said}.",
    )  # fmt: skip
    where = "the thin spot" if shown.scene.foot_lps_mm is not None else "the tumour's centre"
    yield _figure(
        shown, "planes", draw_plan_planes(shown),
        f"Planes of the planning scan through {where}. Target: {target}."
        " A needle is a line where it runs along the plane, a dot where it crosses it, and dotted elsewhere."
        f" {style.window_of(shown.plan.case.pre.image).words}. Patient's right on the left of axial and coronal"
        " pictures. Blue-grey lies outside the scan.",
        f"Axial, coronal and sagittal planes through {where} of lesion {lesion_id}: {said}.",
    )  # fmt: skip
    covered = coverage_sentence(slices)
    grid, areas = draw_plan_slices(shown), draw_coverage(lesion_id, slices)
    if grid is not None:
        yield _figure(
            shown, "slices", grid,
            f"Slices of the planning scan through the target, {_order(slices)}, with the share of the target in each"
            " that the zones hold; in bold where most is left. Every slice stands in the table.",
            f"Slices through the target of lesion {lesion_id}: {covered}.",
        )  # fmt: skip
    if areas is not None:
        yield _figure(
            shown, "coverage", areas,
            f"Area of the target ({target}) in every slice of the planning scan: grey, held by a zone; hatched, in no"
            " zone.",
            f"Area of the target of lesion {lesion_id} by slice: {covered}.",
        )  # fmt: skip
    if margin is not None:
        yield _figure(
            shown, "distribution", draw_distribution(lesion_id, margin),
            "Planned margin over the tumour surface, by area. Left: how much of the surface has which margin, with the"
            " minimum and its 95 % interval by the contours. Right: how much of it lies below a margin.",
            f"Histogram and cumulative curve of the planned margin of lesion {lesion_id}: {said}.",
        )  # fmt: skip


def _order(slices: Slices) -> str:
    return ("from left to right", "from back to front", "from head to feet")[slices.axis]


def _figure(shown: PlanScene, kind: str, canvas: Canvas, caption: str, alt: str) -> Figure:
    lesion_id = shown.lesion.lesion_id
    if shown.plan.case.pre.simulated:
        style.sign(canvas, "PRE: simulated contrast")
        caption, alt = f"{caption} PRE: simulated contrast, no scan of a patient.", f"{alt} PRE: simulated contrast."
    return encoded(canvas, f"lesion_{lesion_id}_{kind}", caption, alt, kind=kind, lesion_id=lesion_id)
