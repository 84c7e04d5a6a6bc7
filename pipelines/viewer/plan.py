"""The viewer of a plan: the planning scan with target, zones and needles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from pipelines.figures import style
from pipelines.figures.plan_scene import PlanScene, shaft_ends
from pipelines.figures.scene import LesionScene
from pipelines.ports import ReportVolume
from pipelines.viewer.page import Subject, viewer_of
from pipelines.viewer.shapes import Shape, structures_of
from planner.grid import FloatArray, Grid
from planner.plan.needle import Needle
from planner.plan.target import in_target
from planner.report.plan_text import planned_reading
from planner.report.viewer import Viewer
from planner.surface import Surface, nets_surface
from planner.volume import Mask

NOTHING_TO_SHOW = "Pictures are stills: this plan has no tumour that a viewer could go to."

STROKES = {
    "tumour": style.TUMOUR_HERE,
    "target": style.TARGET,
    "zone": style.PLANNED_ZONE,
    "made": style.MADE_ZONE,
    "needle": style.NEEDLE,
    "vessels": style.VESSEL,
    "ducts": style.DUCT,
    "liver": style.LIVER,
}
"""How each kind of surface is drawn, in the order of a legend."""

TARGET_POINTS = 40_000
"""The target's surface is made of a lattice of about so many points."""

NEEDLE_MM = 1.6
"""A needle is drawn as thick as this: its own thickness is not known."""

SIDES = 12


def made_plan_viewer(scenes: Sequence[PlanScene], volume: ReportVolume) -> tuple[Viewer | None, str]:
    """Return the viewer of a plan, or None and a sentence that says why there is none."""

    def subject() -> Subject:
        shown = {one.lesion.lesion_id: one for one in scenes}
        return Subject(
            scenes=[one.scene for one in shown.values()],
            studies=tuple(("PRE", one.plan.case.pre) for one in scenes[:1]),
            shapes=lambda scene, region: _shapes(shown[scene.lesion.lesion_id], scene, region),
            strokes=STROKES,
            names=lambda kind: STROKES[kind].words,
            outlines=lambda _: "",
            reading=lambda measured: planned_reading(shown[measured.lesion_id].lesion, measured),
            beyond="the nearest liver outside the planned zones",
            surface="the surface of the planned zones",
            in_3d=("zone", "made", "needle"),
            camera="zone",
        )

    return viewer_of(subject, volume, NOTHING_TO_SHOW)


def _shapes(shown: PlanScene, scene: LesionScene, region: Grid) -> Iterator[Shape]:
    margin = scene.lesion.margin
    bands = None if margin is None or scene.min_mm is None else style.band_of(margin.map.primary_mm)
    yield Shape("tumour", f"tumour of lesion {scene.lesion.lesion_id}", scene.tumour, bands)
    yield Shape("target", f"target of lesion {scene.lesion.lesion_id}", target_surface(shown))
    yield from (Shape("zone", "planned zone", surface) for surface in shown.planned)
    yield from (Shape("made", "zone made before", surface) for surface in shown.made)
    yield from (Shape("needle", f"needle {needle.zone_id}", tube(needle)) for needle in shown.needles)
    yield from structures_of(shown.plan.case.pre, region)


def target_surface(shown: PlanScene) -> Surface:
    """Return the surface of a lesion's target."""
    asked_mm, tumour = shown.lesion.asked_mm, shown.scene.tumour
    low = tumour.vertices_lps_mm.min(axis=0) - asked_mm
    high = tumour.vertices_lps_mm.max(axis=0) + asked_mm
    step = float((np.prod(high - low) / TARGET_POINTS) ** (1.0 / 3.0))
    counts = np.ceil((high - low) / step).astype(int) + 5  # two cells more on every side
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = (low + high) / 2.0 - step * (counts - 1) / 2.0
    grid = Grid((int(counts[2]), int(counts[1]), int(counts[0])), affine, "")
    indices = list(product(*(range(int(count)) for count in counts[::-1])))
    inside = in_target(grid.lps_mm(np.array(indices)[:, ::-1]), tumour, asked_mm, shown.plan.liver)
    return nets_surface(Mask(inside.reshape(grid.shape_kji), grid, "target"))


def tube(needle: Needle) -> Surface:
    """Return a needle as a closed tube from where it enters, or 100 mm out along its axis, to its target."""
    start, end = shaft_ends(needle)
    along = needle.zone.axis_lps
    aside = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    aside /= np.linalg.norm(aside)
    turns = 2.0 * np.pi * np.arange(SIDES) / SIDES
    ring = NEEDLE_MM / 2.0 * (np.outer(np.cos(turns), aside) + np.outer(np.sin(turns), np.cross(along, aside)))
    vertices: FloatArray = np.concatenate([start + ring, end + ring, start[None], end[None]])
    here, after = np.arange(SIDES), (np.arange(SIDES) + 1) % SIDES
    first, last = np.full(SIDES, 2 * SIDES), np.full(SIDES, 2 * SIDES + 1)
    triangles = np.concatenate([
        np.stack([here, after, here + SIDES], axis=1),
        np.stack([after, after + SIDES, here + SIDES], axis=1),
        np.stack([after, here, first], axis=1),
        np.stack([here + SIDES, after + SIDES, last], axis=1),
    ])  # fmt: skip
    return Surface(vertices, triangles, (NEEDLE_MM, NEEDLE_MM, NEEDLE_MM))
