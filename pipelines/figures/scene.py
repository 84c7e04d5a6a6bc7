"""What the pictures of one lesion show: surfaces, planes and the thin spot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.figures.sections import FloatArray, Section
from planner.assessment import LesionAssessment
from planner.case import Case, Study
from planner.errors import InputError
from planner.register.alignment import Alignment
from planner.surface import Surface, surface_of
from planner.volume import Mask

AROUND_MM = 25.0
LARGEST_HALF_MM = 90.0
OUT_OF_PLANE_MM = 0.5
"""An arrow that ends farther than this from a plane is said to be a projection onto it."""

SHOWN_SHARE = 0.8
"""Pictures show a sample of the scan for at least so much of its finest spacing."""

LEAST_SHOWN = 50
"""Pictures never show fewer samples to either side."""


@dataclass(frozen=True, slots=True, eq=False)
class LesionScene:
    """One lesion as pictures need it, in POST.

    Parameters
    ----------
    case, alignment, lesion
        Where the pictures come from.
    tumour
        The tumour's surface, moved into POST.
    zones
        Surfaces of the zones that treat it; of every zone where none does.
    at_lps_mm
        The point that all planes go through: the thin spot, else the tumour's centroid.
    foot_lps_mm
        What the minimal margin was measured to; None without one.
    """

    case: Case
    alignment: Alignment
    lesion: LesionAssessment
    tumour: Surface
    zones: tuple[Surface, ...]
    at_lps_mm: FloatArray
    foot_lps_mm: FloatArray | None

    @property
    def min_mm(self) -> float | None:
        """The minimal margin, mm."""
        return None if self.lesion.margin is None else self.lesion.margin.min_mm

    def overview(self, orientation: str) -> Section:
        """Return the plane through the thin spot that shows the tumour, its zones and 25 mm around them."""
        points = np.concatenate([surface.vertices_lps_mm for surface in (self.tumour, *self.zones[: self._near])])
        low, high = points.min(axis=0), points.max(axis=0)
        half = min(float((high - low).max()) / 2.0 + AROUND_MM, LARGEST_HALF_MM)
        return self._through(orientation, (low + high) / 2.0, half)

    def wide(self, orientation: str, half_mm: float) -> Section:
        """Return a plane through the thin spot of the given half width, for judging the registration."""
        return self._section(orientation, self.at_lps_mm, half_mm, 150)

    def close(self, orientation: str, half_mm: float) -> Section:
        """Return the plane through the thin spot with the thin spot in its middle."""
        return self._section(orientation, self.at_lps_mm, half_mm, 100).as_shown

    def out_of_plane_mm(self, orientation: str) -> float:
        """Return how far out of the plane through the thin spot the margin was measured to; 0 without a margin."""
        if self.foot_lps_mm is None:
            return 0.0
        plane = Section(orientation, self.at_lps_mm, (1.0, 1.0))
        return abs(float((self.foot_lps_mm - self.at_lps_mm) @ plane.normal))

    @property
    def _near(self) -> int:
        """How many of the zones belong into the picture: none of those that do not treat the lesion."""
        return len(self.zones) if self.lesion.zones else 0

    def _through(self, orientation: str, middle: FloatArray, half: float) -> Section:
        plane = Section(orientation, self.at_lps_mm, (half, half))
        centre = middle + plane.normal * float((self.at_lps_mm - middle) @ plane.normal)
        return self._section(orientation, centre, half, 120).as_shown

    def _section(self, orientation: str, centre: FloatArray, half_mm: float, samples: int) -> Section:
        """Return a plane with so many samples to either side, of which pictures show no more than the scan holds."""
        step = half_mm / samples
        native = SHOWN_SHARE * min(self.case.post.image.grid.spacing_kji_mm)
        every = max(n for n in (1, 2, 4) if n == 1 or (n * step <= native and samples / n >= LEAST_SHOWN))
        return Section(orientation, centre, (half_mm, half_mm), step, every)


def lesion_scene(
    case: Case, alignment: Alignment, lesion: LesionAssessment, zone_surfaces: Mapping[str, Surface]
) -> LesionScene | None:
    """Return what there is to show of a lesion; None where its tumour has no place in POST."""
    tumour = _tumour_in_post(case, alignment, lesion)
    if tumour is None:
        return None
    margin = lesion.margin
    chosen = lesion.zones or tuple(zone_surfaces)
    zones = tuple(zone_surfaces[zone] for zone in chosen if zone in zone_surfaces)
    if margin is None or margin.at_lps_mm is None or margin.foot_lps_mm is None:
        return LesionScene(case, alignment, lesion, tumour, zones, tumour.centroid_lps_mm, None)
    at, foot = np.asarray(margin.at_lps_mm), np.asarray(margin.foot_lps_mm)
    return LesionScene(case, alignment, lesion, tumour, zones, at, foot)


def _tumour_in_post(case: Case, alignment: Alignment, lesion: LesionAssessment) -> Surface | None:
    if lesion.margin is not None:
        return lesion.margin.map.tumour
    mask = case.pre.tumours.get(lesion.lesion_id)
    if mask is None or mask.is_empty:
        return None
    try:
        return surface_of(mask).moved(alignment.map.post_from_pre)
    except InputError:
        # A deformation that folds there: the lesion is not assessable for that very reason.
        return None


def ducts(study: Study) -> dict[str, Mask]:
    """Return the bile ducts of a study by role, the left and right hepatic ducts among them."""
    return {role: mask for role, mask in study.masks.items() if role.endswith("bile_duct") or "hepatic_duct" in role}
