"""What the pictures of a plan show of one lesion: the study that it is planned on, target, zones and needles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipelines.figures import style
from pipelines.figures.scene import LesionScene, ducts, lesion_scene
from pipelines.figures.sections import FloatArray, Section
from planner.case import Study
from planner.plan.needle import Needle
from planner.plan.plan import Plan, PlannedLesion
from planner.plan.target import at_depth_in_target
from planner.surface import Surface, surface_of

FIELD_MM = 1.0
"""The target is looked at on a plane at points that lie so near to each other at most."""

FIELD_POINTS = 60
"""And at so many to either side at least."""

AXIS_OUT_MM = 100.0
"""So much of the axis of a needle is drawn whose entry is not planned."""

IntArray = npt.NDArray[np.int64]
Border = tuple[str, FloatArray, float]


@dataclass(frozen=True, slots=True, eq=False)
class PlanScene:
    """One lesion of a plan as pictures need it.

    Parameters
    ----------
    plan, lesion
        The plan, and what it holds of the lesion.
    scene
        The lesion in the planning scan; its zones are those that are planned for it, and those made before.
    planned
        Surfaces of the zones that are planned for it: exact.
    made
        Surfaces of the zones that were made for it before.
    around
        Liver, vessels and bile ducts: "liver", "vessels" or "ducts" with points of the border, shape (n, 3), and
        how far these lie apart, mm.
    """

    plan: Plan
    lesion: PlannedLesion
    scene: LesionScene
    planned: tuple[Surface, ...]
    made: tuple[Surface, ...]
    around: tuple[Border, ...]

    @property
    def needles(self) -> tuple[Needle, ...]:
        """The needles that are planned for the lesion."""
        return self.lesion.needles

    def zones(self) -> Iterator[tuple[Surface, style.Stroke]]:
        """Yield the surface of each zone with its stroke."""
        yield from ((surface, style.PLANNED_ZONE) for surface in self.planned)
        yield from ((surface, style.MADE_ZONE) for surface in self.made)

    def fields(self, section: Section) -> tuple[Section, FloatArray, FloatArray]:
        """Return on a plane where the target lies, and what of it lies in no zone: each where values are above 0.

        Rows from the bottom up, on a coarser raster of the same plane, which is returned first; between its points
        borders lie where the values are 0.
        """
        step = min(FIELD_MM, section.half_mm[0] / FIELD_POINTS)
        coarse = Section(section.orientation, section.centre_lps_mm, section.half_mm, step)
        points = coarse.points_lps_mm()
        target = np.full(len(points), -step)
        near = self._near(points, step)
        target[near] = self._target(points[near], step)
        left = target.copy()
        left[near] = np.minimum(target[near], self._outside(points[near], step))
        shape = tuple(len(axis) for axis in coarse.axes_mm[::-1])
        return coarse, target.reshape(shape), left.reshape(shape)

    def _near(self, points: FloatArray, step: float) -> IntArray:
        tumour, room = self.scene.tumour.vertices_lps_mm, self.lesion.asked_mm + 2.0 * step
        inside = (points >= tumour.min(axis=0) - room) & (points <= tumour.max(axis=0) + room)
        return np.flatnonzero(inside.all(axis=1))

    def _target(self, points: FloatArray, step: float) -> FloatArray:
        asked_mm = self.lesion.asked_mm
        depth = self.scene.tumour.signed_depth_mm(points)
        held = at_depth_in_target(points, depth, asked_mm, self.plan.liver)
        inner = np.clip(depth + asked_mm, -step, step)
        return np.where(held | (inner < 0.0), inner, -step)

    def _outside(self, points: FloatArray, step: float) -> FloatArray:
        """Return how far points lie outside all zones, at most one step; below 0 inside one."""
        left = np.full(len(points), step)
        for needle in self.needles:
            zone = needle.zone
            left = np.minimum(left, (zone.reach(points) - 1.0) * min(zone.length_mm, zone.width_mm) / 2.0)
        for surface in self.made:
            left = np.minimum(left, np.where(surface.contains(points), -step, step))
        return left


def plan_scenes(plan: Plan) -> Iterator[PlanScene]:
    """Yield what there is to show of each lesion."""
    exact = {needle.zone_id: needle.zone.surface() for needle in plan.needles}
    made = {zone: surface_of(mask) for zone, mask in plan.case.post.ablations.items() if zone not in exact}
    around = tuple(_borders(plan.case.pre))
    for lesion, measured in zip(plan.lesions, plan.assessment.lesions, strict=True):
        own = {zone: surface for zone, surface in {**exact, **made}.items() if zone in measured.zones}
        scene = lesion_scene(plan.case, plan.assessment.alignment, measured, own)
        if scene is not None:
            yield PlanScene(
                plan, lesion, scene,
                tuple(surface for zone, surface in own.items() if zone in exact),
                tuple(surface for zone, surface in own.items() if zone in made),
                around,
            )  # fmt: skip


def _borders(study: Study) -> Iterator[Border]:
    livers = {} if study.liver is None else {"liver": study.liver}
    for kind, masks in (("liver", livers), ("vessels", study.vessels), ("ducts", ducts(study))):
        for mask in masks.values():
            if not mask.is_empty:
                border = mask.voxels_kji & ~ndimage.binary_erosion(mask.voxels_kji)
                points = mask.grid.lps_mm(np.argwhere(border)[:, ::-1])
                yield kind, points, max(mask.grid.spacing_kji_mm)


def shaft_ends(needle: Needle) -> tuple[FloatArray, FloatArray]:
    """Return where a needle's line begins and where it ends: at its target. Without an entry, out along its axis."""
    entry = needle.entry_lps_mm
    if entry is None:
        entry = np.asarray(needle.target_lps_mm - AXIS_OUT_MM * needle.zone.axis_lps)
    return entry, needle.target_lps_mm
