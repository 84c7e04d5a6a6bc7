"""The viewer of a review as its page holds it: library, script, style, and the data as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipelines.bundled import text
from pipelines.figures import style
from pipelines.figures.scene import OUT_OF_PLANE_MM, LesionScene, lesion_scene
from pipelines.figures.sections import ORIENTATIONS
from pipelines.ports import ReportVolume
from pipelines.viewer import encoded
from pipelines.viewer.region import OUTSIDE, region_around, region_of_all, stored, values_in
from pipelines.viewer.shapes import STROKES, Shape, name_of, shapes_of, short_name, sources_words
from planner.assessment import Assessment, LesionAssessment
from planner.case import Case, Study
from planner.grid import Grid
from planner.report import words
from planner.report.viewer import Viewer
from planner.surface import surface_of
from planner.volume import Volume

LIBRARY = "assets/niivue.umd.js"
SCRIPTS = ("viewer_shapes.js", "viewer_drawing.js", "viewer.js")

USUAL_LIVER_HU = 60.0

NO_LIBRARY = (
    "Pictures are stills: NiiVue, the library of the interactive viewer, was not installed when this report was made"
    " (scripts/assets fetches it)."
)
NOT_WANTED = "Pictures are stills: this report was made without image volumes (--report-volume none)."
NOTHING_TO_SHOW = "Pictures are stills: no tumour of this case has a place in POST that a viewer could go to."


@dataclass(frozen=True, slots=True)
class Subject:
    """What a viewer shows.

    Parameters
    ----------
    scenes
        The lesions, at least one.
    studies
        Name and study: the one that the scenes lie in, and where there is another, that one, moved by the alignment.
    shapes
        Return the surfaces around a lesion, in a region.
    strokes, names
        How each kind of surface is drawn, in the order of a legend, and what it is called there.
    outlines
        Whose outlines a picture of the second study shows, in words; "" without one.
    reading, beyond, surface
        What is said of a lesion, and what a margin is measured to: of 0 or more, and below 0.
    in_3d
        Kinds that the 3-D picture shows beside the tumour from the start.
    camera
        The kind that the 3-D picture takes in.
    """

    scenes: Sequence[LesionScene]
    studies: tuple[tuple[str, Study], ...]
    shapes: Callable[[LesionScene, Grid], Iterator[Shape]]
    strokes: Mapping[str, style.Stroke]
    names: Callable[[str], str]
    outlines: Callable[[Sequence[str]], str]
    reading: Callable[[LesionAssessment], str] = words.reading
    beyond: str = "the nearest unablated liver"
    surface: str = "the surface of the ablation zone"
    in_3d: tuple[str, ...] = ()
    camera: str = "tumour"


def made_viewer(case: Case, assessment: Assessment, volume: ReportVolume) -> tuple[Viewer | None, str]:
    """Return the viewer of a case, or None and a sentence that says why there is none."""

    def subject() -> Subject:
        return Subject(
            scenes=_scenes(case, assessment),
            studies=(("POST", case.post), ("PRE", case.pre)),
            shapes=shapes_of,
            strokes=STROKES,
            names=lambda kind: name_of(kind, case),
            outlines=lambda kinds: sources_words(kinds, case),
        )

    return viewer_of(subject, volume, NOTHING_TO_SHOW)


def viewer_of(subject: Callable[[], Subject], volume: ReportVolume, nothing_to_show: str) -> tuple[Viewer | None, str]:
    """Return the viewer of a subject, which is only made where it can be shown, or None and why there is none."""
    if volume == "none":
        return None, NOT_WANTED
    try:
        library = text(LIBRARY)
    except FileNotFoundError:
        return None, NO_LIBRARY
    shown = subject()
    if not shown.scenes:
        return None, nothing_to_show
    data = json.dumps(_data(shown, volume), separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
    scripts = (library, *(text(name) for name in SCRIPTS))
    return Viewer(scripts, text("viewer.css"), data, (text("notices_niivue.txt"),)), ""


def _scenes(case: Case, assessment: Assessment) -> list[LesionScene]:
    surfaces = {zone: surface_of(mask) for zone, mask in case.post.ablations.items() if not mask.is_empty}
    found = (lesion_scene(case, assessment.alignment, lesion, surfaces) for lesion in assessment.lesions)
    return [scene for scene in found if scene is not None]


def _data(subject: Subject, volume: ReportVolume) -> dict[str, Any]:
    scenes = subject.scenes
    regions = _regions(scenes, volume)
    first = min(range(len(scenes)), key=lambda n: _worst(scenes[n].min_mm))
    lesions = [
        _lesion(subject, scene, region, list(dict.fromkeys(regions)).index(region))
        for scene, region in zip(scenes, regions, strict=True)
    ]
    present = {shape["kind"] for lesion in lesions for shape in lesion["shapes"]}
    kinds = [kind for kind in subject.strokes if kind in present]
    return {
        "outside": OUTSIDE,
        "first": first,
        "volumes": [_volume(subject, region) for region in dict.fromkeys(regions)],
        "lesions": lesions,
        "strokes": [
            {
                "kind": kind,
                "name": subject.names(kind),
                "short": short_name(one),
                "colour": one.colour,
                "dashes": one.dashes,
                "width": one.width,
                "rim": one.rim,
            }
            for kind, one in subject.strokes.items()
        ],
        "in3d": subject.in_3d,
        "camera": subject.camera,
        "outlines": subject.outlines(kinds),
        "bands": [{"colour": band.colour, "name": band.words} for band in style.BANDS],
        "studies": [_study(name, study.image, simulated=study.simulated) for name, study in subject.studies],
        "windows": _windows(subject, regions),
    }


def _study(name: str, image: Volume, *, simulated: bool) -> dict[str, Any]:
    unit = "HU" if _is_ct(image) else ""
    return {"name": name, "unit": unit, "note": "simulated contrast" if simulated else ""}


def _is_ct(image: Volume) -> bool:
    return image.modality in {"", "CT"}


def _windows(subject: Subject, regions: Sequence[Grid]) -> list[dict[str, Any]]:
    """Return the presets: name, and lowest and highest value shown of each study."""
    images = [study.image for _, study in subject.studies]
    own = [_own_range(image) for image in images]
    if not all(_is_ct(image) for image in images):
        wide = [[float(image.voxels_kji.min()), float(image.voxels_kji.max())] for image in images]
        return [{"name": "1st to 99th percentile", "ranges": own}, {"name": "whole range", "ranges": wide}]
    of_liver = _liver_level(subject.studies[0][1], regions)
    named = (("abdomen", 400.0, 40.0), ("liver", 150.0, of_liver), ("wide", 1500.0, 0.0), ("lung", 1500.0, -600.0))
    each = len(images)
    return [
        {"name": f"{name}, width {width:g}, level {level:g}", "ranges": [[level - width / 2, level + width / 2]] * each}
        for name, width, level in named
    ]


def _liver_level(study: Study, regions: Sequence[Grid]) -> float:
    """Return the mean of a study's liver in what is shown, to 5 HU; without a liver mask a usual one."""
    liver = study.liver
    if liver is None or liver.is_empty:
        return USUAL_LIVER_HU
    found = np.concatenate([values_in(study.image, liver, region) for region in dict.fromkeys(regions)])
    return 5.0 * round(float(found.mean()) / 5.0) if found.size else USUAL_LIVER_HU


def _own_range(image: Volume) -> list[float]:
    window = style.window_of(image)
    return [window.low, window.high]


def _worst(min_mm: float | None) -> float:
    return np.inf if min_mm is None else min_mm


def _regions(scenes: Sequence[LesionScene], volume: ReportVolume) -> list[Grid]:
    """Return the region of each lesion: one and the same for all where the whole field of view is shown."""
    if volume == "full":
        worst = min(scenes, key=lambda scene: _worst(scene.min_mm))
        return [region_of_all(worst.case.post.image.grid, _at(worst))] * len(scenes)
    return [region_around(_points(scene), _at(scene), len(scenes)) for scene in scenes]


def _at(scene: LesionScene) -> Any:
    """Return the point that the views go to: the thin spot where a margin is stated, else the tumour's centre."""
    return scene.tumour.centroid_lps_mm if scene.min_mm is None else scene.at_lps_mm


def _points(scene: LesionScene) -> Any:
    near = scene.zones if scene.lesion.zones else ()
    return np.concatenate([surface.vertices_lps_mm for surface in (scene.tumour, *near)])


def _volume(subject: Subject, region: Grid) -> dict[str, Any]:
    moved = (None, subject.scenes[0].alignment.map.pre_from_post)
    found = [stored(study.image, region, to) for (_, study), to in zip(subject.studies, moved, strict=False)]
    return {
        "step_mm": round(region.spacing_kji_mm[0], 3),
        "images": [encoded.nifti(one, region) for one in found],
        "ends": [one.reaches_not for one in found],
    }


def _lesion(subject: Subject, scene: LesionScene, region: Grid, volume: int) -> dict[str, Any]:
    lesion = scene.lesion
    margin = None if scene.min_mm is None or scene.foot_lps_mm is None else words.millimetres(scene.min_mm)
    return {
        "id": lesion.lesion_id,
        "volume": volume,
        "at": _rounded(encoded.ras(_at(scene))),
        "foot": None if margin is None or scene.foot_lps_mm is None else _rounded(encoded.ras(scene.foot_lps_mm)),
        "out": None if margin is None else _rounded(_outward(scene)),
        "margin": margin,
        "arrow": "" if margin is None else _arrow_words(subject, scene),
        "reading": subject.reading(lesion),
        "where": "" if lesion.margin is None else lesion.margin.direction or "",
        "shapes": [
            {"kind": one.kind, "name": one.name, **asdict(encoded.mesh(one.surface, one.bands))}
            for one in subject.shapes(scene, region)
        ],
    }


def _arrow_words(subject: Subject, scene: LesionScene) -> str:
    """Return what ring and arrow mean, and how far the arrow leaves each plane."""
    out = {orientation: scene.out_of_plane_mm(orientation) for orientation in ORIENTATIONS}
    leaving = ", ".join(f"{depth:.1f} mm ({name})" for name, depth in out.items() if depth > OUT_OF_PLANE_MM)
    least = scene.min_mm or 0.0
    to = subject.surface if least < 0.0 else subject.beyond
    return (
        f"Ring: thin spot. Arrow: from there to {to}, {words.millimetres(abs(least))} mm in 3D"
        + (f"; it leaves the picture's plane by {leaving}." if leaving else ".")
    )  # fmt: skip


def _outward(scene: LesionScene) -> Any:
    """Return the direction, RAS, in which the tumour's surface looks at the thin spot."""
    nearest = np.linalg.norm(scene.tumour.vertices_lps_mm - scene.at_lps_mm, axis=1).argmin()
    return encoded.ras(scene.tumour.vertex_normals[nearest])


def _rounded(point: Any) -> list[float]:
    return [round(float(x), 4) for x in point]
