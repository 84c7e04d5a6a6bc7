from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
import typst
from PIL import Image
from review_fixture import (
    TUMOURS,
    a_case,
    an_assessment,
    assessed,
    asymmetric_map,
    ball_margin,
    lattice,
    rotation,
    sphere,
)  # fmt: skip

from pipelines.figures import MatplotlibIllustrator, style
from pipelines.figures.sections import ORIENTATIONS, Section
from pipelines.figures.solid import CELLS, View, covered, seen
from planner.assessment import Assessment, LesionAssessment
from planner.case import Case
from planner.measure.margin import Margin
from planner.report.figure import Figure
from planner.surface import Surface
from planner.volume import Mask, Volume

SVG = "{http://www.w3.org/2000/svg}"
CENTRE = np.array([-30.0, 12.0, 25.0])


def section(orientation: str) -> Section:
    return Section(orientation, CENTRE, (20.0, 15.0), step_mm=0.5)


def at(plane: Section, x: float, y: float) -> tuple[int, int]:
    columns, rows = plane.axes_mm
    return int(np.argmin(abs(rows - y))), int(np.argmin(abs(columns - x)))


TOWARDS = {"R": (-1, 0, 0), "L": (1, 0, 0), "A": (0, -1, 0), "P": (0, 1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_letters_name_the_patient_direction_of_each_edge(orientation: str) -> None:
    plane = section(orientation)
    left, right, top, bottom = (np.array(TOWARDS[letter]) for letter in plane.letters)
    x, y = plane.project(CENTRE + np.stack([left, right, top, bottom])).T
    assert list(np.rint(x)) == [-1, 1, 0, 0]
    assert list(np.rint(y)) == [0, 0, 1, -1]


def test_axial_pictures_are_radiological() -> None:
    assert section("axial").letters == ("R", "L", "A", "P")
    assert section("coronal").letters == ("R", "L", "S", "I")
    assert section("sagittal").letters == ("A", "P", "S", "I")


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_plane_shows_the_value_at_its_patient_point_on_an_oblique_sheared_flipped_lattice(orientation: str) -> None:
    shear = np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 0.1], [0.0, 0.0, 1.0]])
    grid = lattice((40, 60, 70), (1.5, 1.7, -2.5), rotation(0, 20.0) @ rotation(2, 10.0) @ shear)
    points = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji))[:, ::-1])
    # A linear function is what linear interpolation reproduces exactly.
    slope = np.array([1.0, 3.0, -2.0])
    volume = Volume((points @ slope).reshape(grid.shape_kji), grid)
    plane = section(orientation)
    shown = plane.image(volume).ravel()
    inside = np.isfinite(shown)
    assert inside.mean() > 0.9
    assert np.abs(shown - plane.points_lps_mm() @ slope)[inside].max() < 0.01


def test_what_lies_outside_a_volume_is_not_made_up() -> None:
    grid = lattice((5, 5, 5), (1.0, 1.0, 1.0), np.eye(3))
    far = Section("axial", np.array([500.0, 0.0, 0.0]), (5.0, 5.0))
    assert np.isnan(far.image(Volume(np.zeros((5, 5, 5)), grid))).all()


def test_the_moved_pre_study_is_sampled_where_the_map_says() -> None:
    here = asymmetric_map()
    case = a_case()
    plane = section("axial")
    shown = plane.image(case.pre.image, here.pre_from_post)
    row, column = at(plane, 4.0, -3.0)
    there = here.pre_from_post(CENTRE + 4.0 * plane.right - 3.0 * plane.up)
    nearest = np.rint(case.pre.image.grid.ijk(there)[0]).astype(int)[::-1]
    around = case.pre.image.voxels_kji[tuple(slice(n - 1, n + 2) for n in nearest)]
    assert around.min() <= shown[row, column] <= around.max()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("height_mm", [0.0, 5.0, -7.0])
def test_a_plane_cuts_a_sphere_in_one_closed_circle_of_the_right_radius(orientation: str, height_mm: float) -> None:
    plane = section(orientation)
    ball = sphere(CENTRE + height_mm * plane.normal + 3.0 * plane.right, 10.0, count=4000)
    lines = plane.cut(ball)
    assert len(lines) == 1
    assert np.allclose(lines[0][0], lines[0][-1])
    radius = np.linalg.norm(lines[0] - np.array([3.0, 0.0]), axis=1)
    assert np.abs(radius - np.sqrt(100 - height_mm**2)).max() < 0.1


def test_a_plane_beside_a_sphere_cuts_nothing() -> None:
    assert section("axial").cut(sphere(CENTRE + np.array([0, 0, 10.5]), 10.0)) == []


def test_a_mask_is_outlined_where_it_ends() -> None:
    grid = lattice((60, 60, 60), (1.0, 1.0, 1.0), rotation(1, 15.0))
    points = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji))[:, ::-1])
    ball = Mask((np.linalg.norm(points - CENTRE, axis=1) < 9.0).reshape(grid.shape_kji), grid)
    lines = section("coronal").outlines(ball)
    assert len(lines) == 1
    assert np.abs(np.linalg.norm(lines[0], axis=1) - 9.0).max() < 1.0


def test_bands_begin_at_their_threshold() -> None:
    assert list(style.band_of([-0.01, 0.0, 4.99, 5.0, 9.99, 10.0, np.inf])) == [0, 1, 1, 2, 2, 3, 3]


def test_the_3d_view_never_loses_the_thin_spot() -> None:
    ball = sphere(CENTRE, 20.0, count=20000)
    margins = np.full(20000, 12.0)
    margins[777] = -1.5
    eye = (ball.vertices_lps_mm[777] - CENTRE) / 20.0
    view = View(eye, CENTRE, 22.4)
    least, bright = seen(ball, margins, view)
    assert np.nanmin(least) == -1.5
    # It faces the reader, and so lies in the middle; nothing else is below the margin of the rest by much.
    row, column = np.unravel_index(np.nanargmin(least), least.shape)
    assert max(abs(row - CELLS // 2), abs(column - CELLS // 2)) <= 1
    assert (least[np.isfinite(least)] < 11.9).mean() < 0.01
    # A ball covers a disc of its own radius, and is brightest on the lit side: above.
    disc = covered(least).sum() * (2 * 22.4 / CELLS) ** 2
    assert disc == pytest.approx(np.pi * 20.0**2, rel=0.03)
    assert np.nanmean(bright[CELLS // 2 + 20 :]) > np.nanmean(bright[: CELLS // 2 - 20]) + 0.1


@pytest.mark.parametrize("letter", sorted(TOWARDS))
def test_the_3d_view_is_not_mirrored(letter: str) -> None:
    view = View(np.array(TOWARDS[letter], dtype=float), CENTRE, 10.0)
    assert np.cross(view.right, view.up) == pytest.approx(view.eye)
    if letter in "AP":
        assert view.up == pytest.approx([0.0, 0.0, 1.0])
        assert view.right[0] == pytest.approx(1.0 if letter == "A" else -1.0)


def test_from_below_the_3d_view_lies_like_an_axial_picture() -> None:
    for tilt in ([0.0, 0.0, 0.0], [0.2, 0.1, 0.0], [-0.1, -0.2, 0.0]):
        eye = np.array([0.0, 0.0, -1.0]) + tilt
        view = View(eye / np.linalg.norm(eye), CENTRE, 10.0)
        assert view.right[0] > 0.95
        assert view.up[1] < -0.95


def test_a_surface_behind_another_is_not_seen() -> None:
    near, far = sphere(CENTRE - np.array([0, 20.0, 0]), 8.0), sphere(CENTRE, 8.0)
    both = Surface(
        np.concatenate([near.vertices_lps_mm, far.vertices_lps_mm]),
        np.concatenate([near.triangles, far.triangles + len(near.vertices_lps_mm)]), near.voxel_kji_mm,
    )  # fmt: skip
    margins = np.repeat([7.0, -3.0], [len(near.vertices_lps_mm), len(far.vertices_lps_mm)])
    from_front, _ = seen(both, margins, View(np.array([0.0, -1.0, 0.0]), CENTRE, 12.0))
    from_behind, _ = seen(both, margins, View(np.array([0.0, 1.0, 0.0]), CENTRE, 12.0))
    assert np.nanmin(from_front) == pytest.approx(7.0)
    assert np.nanmax(from_behind) == pytest.approx(-3.0)


@pytest.fixture(scope="module")
def drawn() -> tuple[Figure, ...]:
    return MatplotlibIllustrator().draw(a_case(), an_assessment())


def test_an_assessed_lesion_has_eight_pictures_and_an_untreated_one_five(drawn: tuple[Figure, ...]) -> None:
    registration = ("checkerboard", "edges", "displacement")
    kinds = ("strip", "planes", "distribution", "polar", "solid", *registration)
    expected = [f"lesion_{lesion}_{kind}" for lesion in ("1", "2") for kind in kinds]
    untreated = [f"lesion_3_{kind}" for kind in ("strip", "planes", *registration)]
    assert [figure.name for figure in drawn] == [*expected, *untreated]
    assert [figure.lesion_id for figure in drawn] == ["1"] * 8 + ["2"] * 8 + ["3"] * 5


def test_pictures_are_svg_without_dates_or_versions(drawn: tuple[Figure, ...]) -> None:
    for figure in drawn:
        root = ET.fromstring(figure.content.decode("utf-8"))  # noqa: S314 - our own bytes
        assert root.tag == f"{SVG}svg"
        assert root.get("id") == figure.name
        assert root.find(f"{SVG}title").text == figure.alt
        assert root.find(f"{SVG}desc").text == figure.caption
        assert not list(root.iter(f"{SVG}text"))
        assert re.search(rb"matplotlib v|20\d\d-\d\d-\d\d|<!--|<metadata", figure.content) is None
        assert figure.name == f"lesion_{figure.lesion_id}_{figure.kind}"
        assert figure.alt
        assert figure.caption


def of_lesion(case: Case, assessment: Assessment, place: int) -> tuple[Figure, ...]:
    return MatplotlibIllustrator().draw(case, replace(assessment, lesions=assessment.lesions[place : place + 1]))


def test_the_same_lesion_gives_the_same_bytes_and_no_global_figure(drawn: tuple[Figure, ...]) -> None:
    again = of_lesion(a_case(), an_assessment(), 1)
    assert [figure.content for figure in again] == [figure.content for figure in drawn[8:16]]
    assert plt.get_fignums() == []


def png_of(content: bytes) -> bytes:
    page = b'#set page(width: auto, height: auto, margin: 0pt)\n#image("one.svg")'
    return typst.compile({"main": page, "one.svg": content}, format="png", ppi=110)


def share_of_colour(content: bytes, colour: str) -> float:
    pixels = np.asarray(Image.open(BytesIO(png_of(content))).convert("RGB")).astype(int)
    rgb = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return float((np.abs(pixels - rgb).max(axis=2) <= 2).mean())


def test_band_colours_reach_the_picture_exactly(drawn: tuple[Figure, ...]) -> None:
    by_name = {figure.name: figure for figure in drawn}
    for band in style.BANDS:
        assert share_of_colour(by_name["lesion_2_distribution"].content, band.colour) > 1e-4
    # Lesion 1 is covered: vermilion is in the colour bar alone.
    covered, uncovered = (by_name[f"lesion_{n}_distribution"].content for n in (1, 2))
    assert share_of_colour(uncovered, "#D55E00") > 3 * share_of_colour(covered, "#D55E00")


def no_minimum(margin: Margin) -> Margin:
    endless = replace(margin.map, primary_mm=np.full_like(margin.map.primary_mm, np.inf))
    return replace(margin, map=endless, min_mm=None, at_lps_mm=None, foot_lps_mm=None, direction=None, interval=None,
                   reason="all of the tumour's surface faces the liver capsule")  # fmt: skip


def test_a_lesion_that_faces_the_capsule_all_round_is_drawn_without_a_thin_spot() -> None:
    lesion = replace(assessed("1"), margin=no_minimum(ball_margin("1")))
    figures = MatplotlibIllustrator().draw(a_case(), replace(an_assessment(), lesions=(lesion,)))
    assert len(figures) == 8
    assert "faces the liver capsule" in figures[1].alt


def with_foot(lesion: LesionAssessment, way_mm: tuple[float, float, float]) -> LesionAssessment:
    margin = lesion.margin
    assert margin is not None
    assert margin.at_lps_mm is not None
    x, y, z = (at + step for at, step in zip(margin.at_lps_mm, way_mm, strict=True))
    return replace(lesion, margin=replace(margin, foot_lps_mm=(x, y, z)))


def test_captions_are_sentences(drawn: tuple[Figure, ...]) -> None:
    for figure in drawn:
        assert all(sentence[0].isupper() for sentence in figure.caption.split(". "))


@pytest.mark.parametrize(
    ("way_mm", "said"),
    [((3.0, -4.0, 0.0), "(coronal by 4.0 mm, sagittal by 3.0 mm)"), ((0.0, 0.3, 2.5), "(axial by 2.5 mm)")],
)  # fmt: skip
def test_a_caption_names_the_planes_that_the_arrow_leaves(way_mm: tuple[float, float, float], said: str) -> None:
    assessment = replace(an_assessment(), lesions=(with_foot(assessed("1"), way_mm),))
    caption = MatplotlibIllustrator().draw(a_case(), assessment)[1].caption
    assert f"Its end lies out of the plane {said}: there it is drawn as a projection" in caption


def test_an_arrow_that_stays_within_half_a_millimetre_of_every_plane_is_no_projection() -> None:
    assessment = replace(an_assessment(), lesions=(with_foot(assessed("1"), (0.3, 0.3, 0.3)),))
    caption = MatplotlibIllustrator().draw(a_case(), assessment)[1].caption
    assert "an arrow goes from there" in caption
    assert "projection" not in caption


def test_a_lesion_without_a_tumour_mask_is_left_out() -> None:
    lesion = replace(an_assessment().lesions[2], lesion_id="9")
    assert MatplotlibIllustrator().draw(a_case(), replace(an_assessment(), lesions=(lesion,))) == ()


def test_an_image_that_is_not_ct_is_shown_in_its_own_range() -> None:
    grid = lattice((8, 8, 8), (1.0, 1.0, 1.0), np.eye(3))
    window = style.window_of(Volume(np.linspace(1000, 2000, 512).reshape(8, 8, 8), grid, "MR"))
    assert 1000 <= window.low < window.high <= 2000
    assert style.window_of(Volume(np.zeros((8, 8, 8)), grid, "CT")).grey([-160.0, 240.0, 40.0]).tolist() == [0, 1, 0.5]


def test_the_fixture_is_what_the_pictures_say() -> None:
    # Independent of all drawing: the tumour of PRE, moved by the map, lies on its ball in POST.
    mask = a_case().pre.tumours["1"]
    moved = asymmetric_map().post_from_pre(mask.centres_lps_mm())
    assert np.linalg.norm(moved.mean(axis=0) - TUMOURS["1"][0]) < 0.3
