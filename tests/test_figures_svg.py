"""What stands in the SVG itself: lines as paths where they belong, scans as small pictures of their own."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from review_fixture import a_case, an_assessment, not_treated, sphere
from skimage.color import rgb2lab

from pipelines.figures import MatplotlibIllustrator, planes, style, trend
from pipelines.figures.encode import svg_text
from pipelines.figures.scene import ducts, lesion_scene
from pipelines.figures.sections import ORIENTATIONS, Section
from planner.report.figure import KINDS, Figure
from planner.report.page import picture
from planner.volume import Mask

CENTRE = np.array([-30.0, 12.0, 25.0])
PX_PT = 0.75
"""A pixel of CSS, in points."""

HALF_MM, SIDE_PT = 20.0, 216.0


@pytest.fixture(scope="module")
def drawn() -> tuple[Figure, ...]:
    return MatplotlibIllustrator().draw(a_case(), an_assessment())


def one_panel(section: Section, grey: np.ndarray) -> tuple[object, object]:
    """A figure of 3 inches that a plane fills."""
    figure = style.canvas(3.0, 3.0)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    planes.show(ax, section, grey)
    ax.set(xlim=(-HALF_MM, HALF_MM), ylim=(-HALF_MM, HALF_MM))
    return figure, ax


def points_of_path(data: str) -> np.ndarray:
    return np.array([float(number) for number in re.findall(r"-?\d+\.?\d*", data)]).reshape(-1, 2)


def used_paths(document: str, colour: str) -> list[np.ndarray]:
    """The points, on the page, of each path that is used with a stroke of a colour."""
    found = []
    for name, x, y, style_ in re.findall(
        r'<use xlink:href="#([^"]+)" x="([^"]+)" y="([^"]+)" style="([^"]+)"', document
    ):
        if f"stroke:{colour.lower()}" not in style_:
            continue
        data = re.search(rf'<path id="{name}" d="([^"]+)"', document)
        assert data is not None
        found.append(points_of_path(data.group(1)) + np.array([float(x), float(y)]))
    return found


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("offset_mm", [(0.0, 0.0), (6.3, -4.7)])
def test_a_contour_lies_on_the_circle_where_the_plane_cuts_a_ball(
    orientation: str, offset_mm: tuple[float, float]
) -> None:
    section = Section(orientation, CENTRE, (HALF_MM, HALF_MM), 0.5)
    right, up = offset_mm
    middle = CENTRE + right * section.right + up * section.up + 3.0 * section.normal
    figure, ax = one_panel(section, np.full((81, 81), 0.5))
    planes.outline(ax, section.cut(sphere(middle, 10.0, count=60000)), style.TUMOUR, {})
    (line,) = used_paths(svg_text(figure), style.TUMOUR.colour)
    scale = SIDE_PT / (2.0 * HALF_MM)
    # Points of the page run down; the picture's up is the other way.
    centre = np.array([SIDE_PT / 2 + right * scale, SIDE_PT / 2 - up * scale])
    radius = np.linalg.norm(line - centre, axis=1) / scale
    assert np.abs(radius - np.sqrt(100.0 - 9.0)).max() * scale < 0.2 * PX_PT
    # Nor do the straight parts between the points leave it by more.
    halfway = (line[:-1] + line[1:])[np.linalg.norm(np.diff(line, axis=0), axis=1) < 20.0] / 2.0
    off = np.abs(np.linalg.norm(halfway - centre, axis=1) - np.sqrt(91.0) * scale)
    assert off.max() < 0.2 * PX_PT
    assert len(line) > 30


def test_a_scan_lies_where_its_samples_are() -> None:
    section = Section("axial", CENTRE, (HALF_MM, HALF_MM), 0.5, shown_every=2)
    figure, _ = one_panel(section, np.tile(np.linspace(0.0, 1.0, 81), (81, 1)))
    document = svg_text(figure)
    (image,) = re.findall(r"<image [^>]*>", document)
    a, b, c, d, e, f = map(float, re.search(r"matrix\(([^)]*)\)", image).group(1).split())
    scale = SIDE_PT / (2.0 * HALF_MM)
    # 41 samples a millimetre apart: the first pixel's centre is the left edge, the last one's the right edge.
    assert (a, b, c, d) == pytest.approx((scale, 0.0, 0.0, -scale), rel=1e-4)
    assert (e + 0.5 * a, e + 40.5 * a) == pytest.approx((0.0, SIDE_PT), abs=0.01)
    assert (f + 0.5 * d, f + 40.5 * d) == pytest.approx((SIDE_PT, 0.0), abs=0.01)  # rows run upwards
    pixels = pixels_of(image)
    assert pixels.shape[:2] == (41, 41)
    assert pixels[0, 0].max() == 0
    assert pixels[0, -1].max() == 255


def pixels_of(image: str) -> np.ndarray:
    data = re.search(r"base64,([^\"]*)", image)
    assert data is not None
    with Image.open(BytesIO(base64.b64decode(data.group(1)))) as opened:
        return np.asarray(opened.convert("RGBA").convert("RGB"))


def test_what_lies_outside_a_scan_keeps_its_colour_in_the_small_picture() -> None:
    section = Section("axial", CENTRE, (HALF_MM, HALF_MM), 0.5)
    grey = np.tile(np.linspace(0.0, 1.0, 81), (81, 1))
    grey[:, :20] = np.nan
    figure, _ = one_panel(section, grey)
    (image,) = re.findall(r"<image [^>]*>", svg_text(figure))
    pixels = pixels_of(image)
    assert (pixels[:, :20] == [int(planes.OUTSIDE[n : n + 2], 16) for n in (1, 3, 5)]).all()
    inside = pixels[:, 20:].astype(int)
    assert (np.ptp(inside, axis=2) == 0).all()
    assert np.abs(inside[0, :, 0] - np.linspace(0, 255, 81)[20:]).max() <= 2.0


def test_no_picture_is_one_big_raster(drawn: tuple[Figure, ...]) -> None:
    for figure in drawn:
        document = figure.content.decode("utf-8")
        assert document.count("<path") + document.count("<use") > 60, figure.name
        for image in re.findall(r"<image [^>]*>", document):
            assert max(pixels_of(image).shape[:2]) <= 301
    by_kind = {figure.kind: figure.content.count(b"<image") for figure in drawn if figure.lesion_id == "1"}
    assert by_kind["planes"] == 9
    assert by_kind["strip"] == 3
    assert by_kind["solid"] == 2
    assert by_kind["distribution"] == by_kind["polar"] == 0


def test_rings_have_no_fill_rather_than_one_that_cannot_be_seen(drawn: tuple[Figure, ...]) -> None:
    # A PDF made from the latter was printed without the ring (Ghostscript).
    for figure in drawn:
        assert re.search(rb'fill-opacity: ?0[;"]', figure.content) is None
    solid = next(figure for figure in drawn if figure.name == "lesion_1_solid")
    assert re.search(rb'style="fill:none;stroke:#ffffff;stroke-width:2.4"', solid.content)


def test_every_figure_is_of_a_known_kind_and_in_the_order_of_reading(drawn: tuple[Figure, ...]) -> None:
    for lesion in ("1", "2", "3"):
        kinds = [figure.kind for figure in drawn if figure.lesion_id == lesion]
        assert kinds == sorted(kinds, key=KINDS.index)


def test_the_figures_of_a_lesion_stay_below_a_megabyte(drawn: tuple[Figure, ...]) -> None:
    for lesion in ("1", "2", "3"):
        assert sum(len(picture(figure).source) for figure in drawn if figure.lesion_id == lesion) < 1_000_000


def test_a_picture_is_held_in_the_shorter_of_its_forms(drawn: tuple[Figure, ...]) -> None:
    for figure in drawn:
        source = picture(figure).source
        assert len(source) < 1.25 * len(figure.content)
        assert not re.search(r"https?:|//[a-z]|url\(", source)
    raw = Figure("x", "", "", "image/svg+xml", b"<svg>" + b"<" * 300)
    assert picture(raw).source.startswith("data:image/svg+xml;base64,")


def test_ducts_are_drawn_with_a_stroke_of_their_own() -> None:
    case = a_case()
    vein = case.post.masks["hepatic_vein"]
    masks = {**case.post.masks, "common_bile_duct": Mask(vein.voxels_kji, vein.grid, "common_bile_duct")}
    del masks["hepatic_vein"]
    changed = replace(case, post=replace(case.post, masks=masks))
    assert set(ducts(changed.post)) == {"common_bile_duct"}
    scene = lesion_scene(changed, an_assessment().alignment, an_assessment().lesions[0], {})
    assert scene is not None
    figure = planes.draw_planes(scene)
    assert style.DUCT.words in {text.get_text() for text in figure.legends[0].get_texts()}
    lines = used_paths(svg_text(figure), style.DUCT.colour.lower())
    assert lines


def test_strokes_differ_by_colour_and_by_dash_and_by_word() -> None:
    assert len({stroke.colour for stroke in style.STROKES}) == len(style.STROKES)
    assert len({stroke.words for stroke in style.STROKES}) == len(style.STROKES)
    together = (style.TUMOUR, style.ZONE, style.LIVER, style.VESSEL, style.DUCT)
    assert len({(stroke.dashes, stroke.width) for stroke in together}) == len(together)
    dashed = [stroke for stroke in style.STROKES if stroke.dashes]
    assert len({stroke.dashes for stroke in dashed}) == len(dashed)


def test_the_longest_legend_stays_within_its_figure() -> None:
    figure = style.canvas(9.6, 5.0)
    in_planes = [stroke for stroke in style.STROKES if stroke is not style.EDGE]
    planes.add_legend(figure, {stroke.words: stroke for stroke in in_planes})
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 6
    box = legend.get_window_extent(figure.canvas.get_renderer())
    assert box.x0 > 0.0
    assert box.x1 < figure.bbox.width


def test_a_plans_legend_of_every_stroke_stays_within_its_figure() -> None:
    figure = style.canvas(9.6, 5.0)
    planes.add_legend(figure, {stroke.words: stroke for stroke in style.PLAN_STROKES}, style.PLAN_STROKES)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [stroke.words for stroke in style.PLAN_STROKES]
    box = legend.get_window_extent(figure.canvas.get_renderer())
    assert box.x0 > 0.0
    assert box.x1 < figure.bbox.width


def test_a_plans_strokes_differ_by_colour_and_by_word_and_by_dash() -> None:
    assert len({stroke.colour for stroke in style.PLAN_STROKES}) == len(style.PLAN_STROKES)
    assert len({stroke.words for stroke in style.PLAN_STROKES}) == len(style.PLAN_STROKES)
    dashed = [stroke for stroke in style.PLAN_STROKES if stroke.dashes]
    assert len({stroke.dashes for stroke in dashed}) == len(dashed)


@pytest.mark.parametrize(
    "colour", [*(stroke.colour for stroke in (*style.STROKES, *style.PLAN_STROKES)), style.THIN_SPOT, *trend.COLOURS]
)
def test_a_colour_of_a_band_means_a_band_and_nothing_else(colour: str) -> None:
    """Every other colour is told from each band's at a glance: CIE 1976 colour differences."""
    of_bands = lab([band.colour for band in style.BANDS])
    assert np.linalg.norm(of_bands - lab([colour]), axis=1).min() > 25.0


def lab(colours: list[str]) -> np.ndarray:
    return np.asarray(rgb2lab(np.array([to_rgb(colour) for colour in colours])))


@pytest.mark.slow
def test_twelve_lesions_and_one_without_a_zone_are_drawn() -> None:
    base = an_assessment()
    many = tuple(replace(base.lesions[n % 2], lesion_id=str(n + 4)) for n in range(11))
    figures = MatplotlibIllustrator().draw(a_case(), replace(base, lesions=(*many, not_treated())))
    assert len({figure.name for figure in figures}) == len(figures) == 11 * 8 + 5
    assert sum(len(picture(figure).source) for figure in figures) < 12 * 1_000_000
