"""The tumours of a study before PRE: which of them have no counterpart in PRE, and where they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from planner.case import Case, Study
from planner.errors import InputError
from planner.findings import N_VANISHED, Finding
from planner.lobes import lobes_of_points
from planner.measure.distances import gap_between
from planner.measure.volumes import max_axial_diameter_mm
from planner.register.align import register
from planner.register.alignment import Alignment
from planner.register.prepare import Observe
from planner.register.settings import RegistrationSettings
from planner.surface import Surface, surface_of

OWN_KINDS = ("rigid", "deformable")
"""What the baseline can be registered by; other settings speak of PRE and POST alone."""


@dataclass(frozen=True, slots=True)
class BaselineLesion:
    """A tumour of the baseline study.

    Parameters
    ----------
    lesion_id, volume_ml, max_axial_diameter_mm
        Its id and size in the baseline.
    vanished
        Whether no tumour of PRE meets it; None where that is not known: `reason` says why.
    at_pre_lps_mm
        Where its centroid lies in PRE; None where the registration failed.
    place
        In which lobe that is, in words; "" where the lobes are not known.
    nearest, gap_mm
        The tumour of PRE nearest to it, and how far its surface is, + apart, - overlapping.
    error_mm
        How far apart the two may be by the registration alone: the upper end of its predicted error.
    """

    lesion_id: str
    volume_ml: float
    max_axial_diameter_mm: float
    vanished: bool | None
    at_pre_lps_mm: tuple[float, float, float] | None = None
    place: str = ""
    nearest: str | None = None
    gap_mm: float | None = None
    error_mm: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SinceBaseline:
    """What became of the tumours of a baseline study; without any, `reason` says why nothing is known.

    `alignment` brings the two together: the baseline stands as its POST, so that `pre_from_post` takes it to PRE.
    """

    lesions: tuple[BaselineLesion, ...] = ()
    reason: str | None = None
    alignment: Alignment | None = None

    @property
    def vanished(self) -> Finding:
        """Return how many tumours have vanished: a bound where one's fate is not known."""
        if self.reason is not None:
            return Finding(N_VANISHED, None, reason=self.reason)
        known = [lesion.vanished for lesion in self.lesions if lesion.vanished is not None]
        if not known:
            return Finding(N_VANISHED, None, reason="; ".join(sorted({str(x.reason) for x in self.lesions})))
        if unknown := len(self.lesions) - len(known):
            text = f"of {unknown} of {len(self.lesions)} tumours of the baseline it is not known"
            return Finding(N_VANISHED, float(sum(known)), reason=text, bound="at_least")
        return Finding(N_VANISHED, float(sum(known)))


NO_BASELINE = SinceBaseline(reason="no baseline study was given")


def against_baseline(case: Case, settings: RegistrationSettings, observe: Observe = lambda *_: None) -> SinceBaseline:
    """Register the baseline study of a case with PRE and return what became of its tumours.

    Parameters
    ----------
    case
        With a baseline or without.
    settings
        How PRE and POST are registered: the baseline likewise, deformably where they are taken as aligned or a map was
        given, as that speaks of those two.
    observe
        Told what is being done.
    """
    if case.baseline is None:
        return NO_BASELINE
    if not case.baseline.tumours:
        return SinceBaseline(reason="the baseline study has no tumour mask")
    surfaces = {lesion_id: surface_of(mask) for lesion_id, mask in case.baseline.tumours.items()}
    own = settings if settings.kind in OWN_KINDS else replace(settings, kind="deformable", stated_error_mm=None)
    try:
        alignment = register(
            case.pre.scan(case.pre.tumours), case.baseline.scan(case.baseline.tumours), surfaces, own,
            lambda what, done: observe(f"baseline: {what}", done),
        )  # fmt: skip
    except InputError as error:
        return SinceBaseline(reason=f"the baseline study could not be registered with PRE ({error.code})")
    return compared(case.pre, surfaces, alignment)


def compared(pre: Study, tumours: Mapping[str, Surface], alignment: Alignment) -> SinceBaseline:
    """Return what became of the tumours of a baseline study, given how it goes together with PRE.

    Parameters
    ----------
    pre
        The study in which they are looked for.
    tumours
        Their surfaces in the baseline, by lesion id.
    alignment
        The baseline stands as its POST, its tumours as the zones.
    """
    now = {lesion_id: surface_of(mask) for lesion_id, mask in pre.tumours.items()}
    found = tuple(_lesion(lesion_id, surface, pre, now, alignment) for lesion_id, surface in tumours.items())
    return SinceBaseline(found, alignment=alignment)


def _lesion(
    lesion_id: str, surface: Surface, pre: Study, now: Mapping[str, Surface], alignment: Alignment
) -> BaselineLesion:
    seen = BaselineLesion(lesion_id, surface.volume_ml, max_axial_diameter_mm(surface), None)
    failed = [c.name for c in (*alignment.checks, *alignment.zone_checks.get(lesion_id, ())) if c.passed is False]
    if failed:
        return replace(seen, reason=f"the registration with the baseline failed there ({', '.join(failed)})")
    moved = surface.moved(alignment.map.pre_from_post)
    x, y, z = (float(value) for value in moved.centroid_lps_mm)
    lobes = lobes_of_points(moved.vertices_lps_mm, pre)
    there = replace(seen, at_pre_lps_mm=(x, y, z), place="" if lobes is None else lobes.words)
    if not pre.image.grid.contains(moved.vertices_lps_mm).all():
        return replace(there, reason="the scan of PRE does not hold its place")
    error_mm = alignment.error_interval90_mm.get(lesion_id, (0.0, alignment.error_at_zone_mm.get(lesion_id, 0.0)))[1]
    gaps = {name: gap_between(moved, tumour).mm for name, tumour in now.items()}
    if not gaps:
        return replace(there, vanished=True, error_mm=error_mm)
    nearest = min(gaps, key=lambda name: gaps[name])
    return replace(
        there, vanished=gaps[nearest] > error_mm, nearest=nearest, gap_mm=gaps[nearest], error_mm=error_mm
    )  # fmt: skip
