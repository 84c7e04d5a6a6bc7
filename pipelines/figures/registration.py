"""The pictures that show how well PRE was brought onto POST at a lesion, with their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure as Canvas

from pipelines.figures import displacement
from pipelines.figures.checkerboard import draw_checkerboard
from pipelines.figures.displacement import draw_displacement
from pipelines.figures.edges import draw_edges
from pipelines.figures.pair import Pair, pairs_of
from pipelines.figures.scene import LesionScene
from planner.report import words


class Drawn(NamedTuple):
    """A picture before it is encoded: its kind, what is drawn, caption and text alternative."""

    kind: str
    canvas: Canvas
    caption: str
    alt: str


def registration_pictures(scene: LesionScene) -> Iterator[Drawn]:
    """Return checkerboard, edge overlay and, where a deformation moves anything, the displacement map."""
    pairs = pairs_of(scene)
    deformed = displacement.largest_mm(pairs) >= displacement.NOTHING_MM
    without = "" if deformed else f" There is no displacement map: {_why_no_map(scene, pairs)}."
    lesion_id, where = scene.lesion.lesion_id, _where(scene)
    yield Drawn(
        "checkerboard", draw_checkerboard(scene, pairs),
        f"Tiles of POST and of PRE as moved by the registration, in turn, in planes through {where}. Borders of organs"
        " and vessels should run on from tile to tile; a step is registration error. Inside the ablation zone the"
        f" tissue itself has changed. Blue-grey lies outside a volume.{without}",
        f"Axial and coronal checkerboard of both studies through {where} of lesion {lesion_id};"
        f" {_predicted(scene)}.",
    )  # fmt: skip
    yield Drawn(
        "edges", draw_edges(scene, pairs), _edges_caption(scene) + without,
        f"Axial and coronal plane of POST through {where} of lesion {lesion_id}, with edges of the moved PRE;"
        f" {_predicted(scene)}.",
    )  # fmt: skip
    if deformed:
        yield Drawn(
            "displacement", draw_displacement(scene, pairs), _displacement_caption(scene),
            f"Axial and coronal map of the local displacement through {where} of lesion {lesion_id}:"
            f" {_lengths(scene, pairs)}.",
        )  # fmt: skip


def strip_words(scene: LesionScene) -> tuple[str, str]:
    """Return caption and text alternative of the small checkerboard."""
    return (
        f"Tiles of POST and of the moved PRE in turn, through {_ringed(scene)}: the border of the liver and the vessels"
        " should run on from tile to tile. Small crosses mark the corners of the tiles.",
        f"Small axial, coronal and sagittal checkerboard of both studies through {_where(scene)} of lesion"
        f" {scene.lesion.lesion_id}: look whether liver border and vessels run on from tile to tile, or step;"
        f" {_predicted(scene)}.",
    )


def _edges_caption(scene: LesionScene) -> str:
    return (
        f"POST in planes through {_ringed(scene)}. The thin lines are edges in the image of PRE, as moved by the"
        " registration. They should lie on the borders of liver and vessels that POST shows; where they run beside"
        " them, that is registration error. The ablation zone was not there yet in PRE, and a vessel that only one"
        " contrast phase shows has no partner. Blue-grey: PRE or POST has no image."
    )


def _displacement_caption(scene: LesionScene) -> str:
    linear = displacement.linear_words(scene)
    return (
        f"How far the deformation moved the tissue of PRE beyond {linear}, in planes of POST through {_ringed(scene)}."
        " Colour: the length in 3D, in bands with thin lines between them. Arrows: the part in the plane, from where"
        f" {linear} alone would have put the tissue to where it was put, at the scale that the title names; none where"
        f" it would be too short to see. {_carried_on(scene)}A deformation that went wrong looks like arrows that cross"
        " or swirl, a sudden change of colour within the liver, or arrows that point from all sides into the zone or"
        " out of it. Blue-grey: PRE or POST has no image."
    )


def _carried_on(scene: LesionScene) -> str:
    """Return where no image told the deformation; nothing of a map that was given, for who knows."""
    if scene.alignment.kind == "file":
        return ""
    away = "" if scene.case.post.liver is None else ", and away from the liver,"
    return f"In the ablation zone{away} the images are not compared: there the deformation is carried on smoothly. "


def _lengths(scene: LesionScene, pairs: Sequence[Pair]) -> str:
    here_mm, least_mm, most_mm = displacement.at_lesion_mm(scene)
    in_liver_mm = displacement.largest_in_liver_mm(scene, pairs)
    in_liver = "" if in_liver_mm is None else f", {in_liver_mm:.1f} mm in the liver"
    return (
        f"at most {displacement.largest_mm(pairs):.1f} mm in the picture{in_liver}; {here_mm:.1f} mm at"
        f" {_where(scene)}, {least_mm:.1f} to {most_mm:.1f} mm on the tumour's surface"
    )


def _ringed(scene: LesionScene) -> str:
    return f"{_where(scene)} (ringed)" if scene.foot_lps_mm is not None else _where(scene)


def _where(scene: LesionScene) -> str:
    return "the thin spot" if scene.foot_lps_mm is not None else "the tumour's centre"


def _predicted(scene: LesionScene) -> str:
    error_mm = scene.lesion.registration_error_mm
    if scene.alignment.kind == "identity":
        return "PRE and POST were taken as aligned"
    if error_mm is None:
        return "the registration error there is not known"
    if scene.alignment.kind == "file":
        return f"registration error there, stated or assumed, {words.millimetres(error_mm)} mm"
    return f"predicted registration error there {words.millimetres(error_mm)} mm"


def _why_no_map(scene: LesionScene, pairs: Sequence[Pair]) -> str:
    alignment, linear = scene.alignment, displacement.linear_words(scene)
    if alignment.kind == "identity":
        return "PRE and POST were taken as aligned, and nothing was moved"
    if alignment.map.displacement is None:
        return f"the registration is {linear} alone, without a deformation"
    if not any(pair.shared.any() for pair in pairs):
        return "in these planes there is no place where both studies have an image"
    return f"in these planes the deformation adds less than {displacement.NOTHING_MM:g} mm to {linear}"
