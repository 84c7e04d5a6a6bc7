"""The pictures of a review, lesion by lesion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure as Canvas

from pipelines.figures import style
from pipelines.figures.distribution import HIGHEST_MM, LOWEST_MM, draw_distribution
from pipelines.figures.encode import encoded
from pipelines.figures.planes import draw_planes
from pipelines.figures.polar import draw_polar
from pipelines.figures.registration import registration_pictures, strip_words
from pipelines.figures.scene import OUT_OF_PLANE_MM, LesionScene, lesion_scene
from pipelines.figures.sections import ORIENTATIONS
from pipelines.figures.solid import draw_solid
from pipelines.figures.strip import draw_strip
from planner.assessment import Assessment
from planner.case import Case
from planner.measure.margin import Margin
from planner.report import words
from planner.report.figure import Figure
from planner.surface import surface_of


@dataclass(frozen=True, slots=True)
class MatplotlibIllustrator:
    """Draws of each lesion, as SVG: planes, distribution, 3-D view, and the pictures of the registration."""

    def draw(self, case: Case, assessment: Assessment) -> tuple[Figure, ...]:
        """Return the pictures, lesion by lesion; none of a lesion whose tumour has no place in POST."""
        zones = {zone: surface_of(mask) for zone, mask in case.post.ablations.items() if not mask.is_empty}
        figures: list[Figure] = []
        for lesion in assessment.lesions:
            scene = lesion_scene(case, assessment.alignment, lesion, zones)
            if scene is not None:
                figures += _of_lesion(scene)
        return tuple(figures)


def _of_lesion(scene: LesionScene) -> Iterator[Figure]:
    lesion_id, margin = scene.lesion.lesion_id, scene.lesion.margin
    yield _figure(scene, "strip", draw_strip(scene), *strip_words(scene))
    yield _figure(scene, "planes", draw_planes(scene), _planes_caption(scene), _planes_alt(scene))
    if margin is not None:
        yield _figure(
            scene, "distribution", draw_distribution(lesion_id, margin),
            "Margin over the tumour surface, by area. Left: how much of the surface has which margin, with the minimum"
            " and its 95 % interval. Right: how much of it lies below a margin. Values beyond"
            f" {LOWEST_MM:g} and {HIGHEST_MM:g} mm are drawn at the ends on the left; surface without any unablated"
            " liver left to measure to is counted with 10 mm and more, and not drawn. The minimum's interval is wider"
            " than what the curve shows: it holds the doubt of registration and contours, too.",
            f"Histogram and cumulative curve of the margin of lesion {lesion_id}: {_shares(margin)}.",
        )  # fmt: skip
        yield _figure(
            scene, "polar", draw_polar(lesion_id, margin), _polar_caption(margin),
            f"Map of the margin of lesion {lesion_id} by direction: {_shares(margin)} of the surface;"
            f" thin spot {margin.direction or 'none'}.",
        )  # fmt: skip
        yield _figure(
            scene, "solid", draw_solid(lesion_id, margin),
            "The tumour surface by margin, seen towards the thin spot (ringed) and from the far side. Arrows point to"
            " the patient's left (L), back (P) and head (S); one that points at the reader is left out. Grey: no"
            " unablated liver left to measure to (counted with 10 mm and more).",
            f"Tumour of lesion {lesion_id} in 3-D: {_shares(margin)}; thin spot {margin.direction or 'none'}.",
        )  # fmt: skip
    for kind, canvas, caption, alt in registration_pictures(scene):
        yield _figure(scene, kind, canvas, caption, alt)


def _polar_caption(margin: Margin) -> str:
    ringed = "" if margin.at_lps_mm is None else " The ring marks the thin spot."
    return (
        "The margin in every direction from the tumour's centre, front and back, as on a globe cut in two: the middle"
        " of each half is straight anterior (A) or posterior (P), its rim the plane between them, the dashed circle"
        f" 45 degrees.{ringed} Equal areas of the map are equal solid angles, not equal areas of the surface; size and"
        " shape of the tumour are not shown. Where the surface lies more than once in a direction, the least margin is"
        " drawn; grey: no surface in that direction, or no unablated liver left to measure to (counted with 10 mm and"
        " more)."
    )


def _figure(scene: LesionScene, kind: str, canvas: Canvas, caption: str, alt: str) -> Figure:
    lesion_id = scene.lesion.lesion_id
    if simulated := [n for n, s in (("PRE", scene.case.pre), ("POST", scene.case.post)) if s.simulated]:
        label = f"{' and '.join(simulated)}: simulated contrast"
        style.sign(canvas, label)
        caption, alt = f"{caption} {label}, no scan of a patient.", f"{alt} {label}."
    return encoded(canvas, f"lesion_{lesion_id}_{kind}", caption, alt, kind=kind, lesion_id=lesion_id)


def _planes_caption(scene: LesionScene) -> str:
    where = "the thin spot" if scene.foot_lps_mm is not None else "the tumour's centre"
    windows = {style.window_of(study.image).words for study in (scene.case.post, scene.case.pre)}
    return (
        f"Planes through {where} of POST; below, PRE as moved by the registration, with its own outlines."
        f"{_arrow_words(scene)} Outlines of tumour and zone are surfaces fitted to the masks."
        f" {'. '.join(sorted(windows))}. Patient's right on the left of axial and coronal pictures. Blue-grey lies"
        " outside a volume."
    )


def _arrow_words(scene: LesionScene) -> str:
    """Return what ring and arrow mean, and in which planes the arrow is only a projection of the margin's way."""
    if scene.foot_lps_mm is None:
        return ""
    said = (
        " The ring marks the thin spot. In the close-ups an arrow goes from there to where the margin was measured to;"
        " the printed length is that in 3D."
    )
    out = {orientation: scene.out_of_plane_mm(orientation) for orientation in ORIENTATIONS}
    leaving = [f"{name} by {depth:.1f} mm" for name, depth in out.items() if depth > OUT_OF_PLANE_MM]
    if not leaving:
        return said
    return (
        f"{said} Its end lies out of the plane ({', '.join(leaving)}): there it is drawn as a projection, shorter than"
        " the margin and not always from outline to outline; none is drawn where hardly any of it is left."
    )


def _planes_alt(scene: LesionScene) -> str:
    margin, lesion_id = scene.lesion.margin, scene.lesion.lesion_id
    if margin is None or margin.min_mm is None:
        return f"Axial, coronal and sagittal planes through lesion {lesion_id}: {words.reading(scene.lesion)}."
    return (
        f"Axial, coronal and sagittal planes through the thin spot of lesion {lesion_id}, on its {margin.direction}"
        f" side, with a margin of {words.millimetres(margin.min_mm)} mm."
    )


def _shares(margin: Margin) -> str:
    area = margin.map.tumour.vertex_area_mm2
    places = style.band_of(margin.map.primary_mm)
    return ", ".join(
        f"{words.percent(float(area[places == n].sum() / area.sum()))} % {band.words}"
        for n, band in enumerate(style.BANDS)
    )
