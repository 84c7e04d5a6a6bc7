"""Checkerboard, edge overlay and displacement map against motions and shapes that are known exactly."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.quiver import Quiver
from review_fixture import assessed, lattice, not_treated, rotation, sphere

from pipelines.figures import displacement, strip, style
from pipelines.figures.checkerboard import TILES, tiled
from pipelines.figures.edges import edge_lines
from pipelines.figures.pair import HALF_MM, Pair, local_displacement_mm, pair_on, pairs_of
from pipelines.figures.registration import registration_pictures
from pipelines.figures.scene import LesionScene
from planner.case import Case, Study
from planner.grid import Grid
from planner.register.alignment import Alignment, Displacement, Kind, SpatialMap
from planner.volume import Mask, Volume

CENTRE = np.array([-35.0, 8.0, 22.0])
TUBE = CENTRE + np.array([20.0, -14.0, 0.0])
"""A bright tube runs through here, in the direction of the patient's length."""

SLOPES = np.array([[0.010, 0.004, -0.006], [-0.008, 0.012, 0.003], [0.005, -0.007, 0.009]])
OFFSET_MM = np.array([2.0, -1.0, 3.0])
"""u(x) = SLOPES (x - CENTRE) + OFFSET_MM: linear, so that linear interpolation reads it exactly."""


def points_of(grid: Grid) -> np.ndarray:
    return grid.lps_mm(np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1])


def tube(grid: Grid, noise: float = 0.0, at: np.ndarray = TUBE) -> Volume:
    """A tube of 160 HU and radius 8 mm in tissue of 60 HU, its wall a mm or two thick."""
    points = points_of(grid)
    depth = 8.0 - np.hypot(*(points - at)[:, :2].T)
    values = 60.0 + 100.0 / (1.0 + np.exp(-2.0 * depth)) + np.random.default_rng(5).normal(0.0, noise, len(points))
    return Volume(values.reshape(grid.shape_kji), grid, "CT")


WIDE = lattice((60, 110, 110), (2.0, 2.0, 3.0), np.eye(3))
THICK_OBLIQUE = lattice((44, 150, 150), (1.5, 1.5, -5.0), rotation(0, 12.0) @ rotation(2, -9.0))
FIELD = lattice((60, 60, 60), (10.0, 10.0, 10.0), rotation(1, 7.0))


def turned() -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(2, 5.0) @ rotation(0, -4.0)
    matrix[:3, 3] = (6.0, -3.0, 8.0)
    return matrix


def deformation(slopes: np.ndarray, offset_mm: np.ndarray) -> Displacement:
    vectors = (points_of(FIELD) - CENTRE) @ slopes.T + offset_mm
    return Displacement(vectors.reshape(*FIELD.shape_kji, 3), FIELD)


def scene(
    pre: Volume,
    post: Volume,
    there: SpatialMap,
    kind: Kind = "deformable",
    livers: tuple[Mask | None, ...] = (None,) * 2,
) -> LesionScene:
    studies = [
        Study(image, {} if liver is None else {"liver": liver})
        for image, liver in zip((pre, post), livers, strict=True)
    ]
    alignment = Alignment(kind, there, SpatialMap(there.rigid_pre_from_post))
    tumour = sphere(CENTRE, 9.0)
    return LesionScene(Case("c", "p", *studies), alignment, not_treated(), tumour, (), CENTRE, None)


@pytest.fixture(scope="module")
def linear() -> LesionScene:
    return scene(tube(WIDE), tube(WIDE), SpatialMap(turned(), deformation(SLOPES, OFFSET_MM)))


def test_the_local_displacement_is_what_takes_the_rigid_answer_to_the_map(linear: LesionScene) -> None:
    # By landmarks of PRE and the inverse maps, not the way it is computed.
    landmarks = CENTRE + np.random.default_rng(1).uniform(-40.0, 40.0, (50, 3))
    final = linear.alignment.map.post_from_pre(landmarks)
    rigid = linear.alignment.rigid.post_from_pre(landmarks)
    assert np.linalg.norm(final - rigid, axis=1).min() > 1.0
    assert np.abs(local_displacement_mm(linear, final) - (final - rigid)).max() < 1e-3


def test_each_sample_of_a_plane_has_the_displacement_of_its_own_place(linear: LesionScene) -> None:
    for pair in pairs_of(linear):
        x, y = pair.section.axes_mm
        for row, column in ((10, 200), (250, 30), (150, 150)):
            place = CENTRE + x[column] * pair.section.right + y[row] * pair.section.up
            expected = -(SLOPES @ (place - CENTRE) + OFFSET_MM)
            assert np.abs(pair.local_mm[row, column] - expected).max() < 1e-4


def test_arrows_end_at_the_tissue_and_point_its_way_in_the_plane() -> None:
    there = SpatialMap(turned(), deformation(np.zeros((3, 3)), np.array([3.0, -4.0, 12.0])))
    axial, coronal = pairs_of(scene(tube(WIDE), tube(WIDE), there))
    # The tissue of PRE is moved by minus u = (-3, 4, -12): to the right of the patient, posterior, inferior.
    for pair, expected in ((axial, (-3.0, -4.0)), (coronal, (-3.0, -12.0))):
        heads, vectors = displacement.arrows_mm(pair)
        assert len(heads) > 60
        assert np.abs(heads).max() <= HALF_MM
        assert np.abs(vectors - expected).max() < 1e-4


def test_arrows_are_drawn_from_tail_to_head_at_the_scale_of_the_title(linear: LesionScene) -> None:
    pairs = pairs_of(linear)
    canvas = displacement.draw_displacement(linear, pairs)
    said = re.search(r"arrows (true to scale|([\d.]+) times)", canvas.get_suptitle())
    assert said is not None
    factor = float(said.group(2) or 1.0)
    for ax, pair in zip(canvas.axes, pairs, strict=False):
        (drawn,) = (artist for artist in ax.collections if isinstance(artist, Quiver))
        assert (drawn.pivot, drawn.scale, drawn.angles, drawn.scale_units) == ("tip", 1.0, "xy", "xy")
        heads = CENTRE + drawn.XY[:, :1] * pair.section.right + drawn.XY[:, 1:] * pair.section.up
        moved = -((heads - CENTRE) @ SLOPES.T + OFFSET_MM)
        assert np.abs(drawn.U - factor * moved @ pair.section.right).max() < 1e-3
        assert np.abs(drawn.V - factor * moved @ pair.section.up).max() < 1e-3


def numbers(alt: str) -> list[float]:
    return [float(text) for text in re.findall(r"([\d.]+)(?= mm| to)", alt)]


def test_the_text_alternative_says_the_largest_displacement_and_that_at_the_lesion(linear: LesionScene) -> None:
    *_, drawn = registration_pictures(linear)
    assert drawn.kind == "displacement"
    # A linear displacement is longest at a corner of a plane that both studies show.
    span = np.arange(-75.0, 75.1, 0.5)
    across, along = (part.ravel()[:, None] for part in np.meshgrid(span, span))
    longest = 0.0
    for up in (np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])):
        points = CENTRE + across * np.array([1.0, 0.0, 0.0]) + along * up
        there = linear.alignment.map.pre_from_post(points)
        both = WIDE.contains(points) & WIDE.contains(there)
        lengths = np.linalg.norm((points - CENTRE) @ SLOPES.T + OFFSET_MM, axis=1)
        longest = max(longest, float(lengths[both].max()))
    on_tumour = np.linalg.norm((linear.tumour.vertices_lps_mm - CENTRE) @ SLOPES.T + OFFSET_MM, axis=1)
    expected = [longest, float(np.linalg.norm(OFFSET_MM)), on_tumour.min(), on_tumour.max()]
    assert numbers(drawn.alt) == pytest.approx(expected, abs=0.06)
    assert longest > expected[1] + 0.5


def test_the_largest_displacement_in_the_liver_is_told_apart_from_the_picture() -> None:
    ball = np.linalg.norm(points_of(WIDE) - CENTRE, axis=1) < 20.0
    liver = Mask(ball.reshape(WIDE.shape_kji), WIDE, "liver")
    growing = SpatialMap(np.eye(4), deformation(np.diag([0.05, 0.05, 0.05]), np.zeros(3)))
    here = scene(tube(WIDE), tube(WIDE), growing, livers=(None, liver))
    # u = 0.05 (x - CENTRE): 1 mm at the border of the ball.
    assert displacement.largest_in_liver_mm(here, pairs_of(here)) == pytest.approx(1.0, abs=0.08)
    *_, drawn = registration_pictures(here)
    assert re.search(r"in the picture, (0.9|1.0|1.1) mm in the liver; 0.0 mm at the tumour's centre", drawn.alt)


@pytest.mark.parametrize(
    ("kind", "field", "said"),
    [
        ("identity", None, "PRE and POST were taken as aligned"),
        ("rigid", None, "the rigid motion alone"),
        ("file", None, "the linear part of the given transform alone"),
        ("deformable", deformation(np.zeros((3, 3)), np.array([0.02, 0.0, 0.02])), "adds less than 0.05 mm"),
    ],
)
def test_without_a_deformation_there_is_no_map_and_the_captions_say_why(
    kind: Kind, field: Displacement | None, said: str
) -> None:
    there = SpatialMap(np.eye(4) if kind == "identity" else turned(), field)
    drawn = tuple(registration_pictures(scene(tube(WIDE), tube(WIDE), there, kind)))
    assert [picture.kind for picture in drawn] == ["checkerboard", "edges"]
    assert all("There is no displacement map: " in picture.caption and said in picture.caption for picture in drawn)


def test_with_a_deformation_no_caption_says_that_a_map_is_missing(linear: LesionScene) -> None:
    drawn = tuple(registration_pictures(linear))
    assert [picture.kind for picture in drawn] == ["checkerboard", "edges", "displacement"]
    assert not any("no displacement map" in picture.caption for picture in drawn)


def test_a_given_transform_is_not_called_a_rigid_motion_and_its_error_not_predicted(linear: LesionScene) -> None:
    given = replace(linear, alignment=replace(linear.alignment, kind="file"), lesion=assessed("1"))
    for drawn in registration_pictures(given):
        said = f"{drawn.caption} {drawn.alt} {drawn.canvas.get_suptitle()}"
        assert "rigid" not in said
        assert "predicted" not in said
        assert "not compared" not in said


@pytest.mark.parametrize("largest", [0.05, 0.12, 0.9, 1.0, 5.3, 6.0, 6.01, 47.0, 500.0])
def test_bands_are_few_and_reach_just_beyond_the_largest(largest: float) -> None:
    edges = displacement.band_edges_mm(largest)
    width = edges[1]
    assert edges[0] == 0.0
    assert np.allclose(np.diff(edges), width)
    assert 2 <= len(edges) - 1 <= displacement.MOST_BANDS
    assert edges[-1] >= largest - 1e-9
    assert edges[-1] < largest + width


def outline_centre(lines: list[np.ndarray]) -> np.ndarray:
    points = np.concatenate(lines)
    return (points.min(axis=0) + points.max(axis=0)) / 2.0


def tube_edges(pair: Pair) -> list[np.ndarray]:
    """The edges in an axial picture, all of which must belong to the tube."""
    lines = edge_lines(pair)
    assert lines
    assert np.ptp(np.concatenate(lines), axis=0).max() < 22.0
    return lines


@pytest.mark.parametrize("post_grid", [WIDE, THICK_OBLIQUE], ids=["straight", "thick oblique"])
@pytest.mark.parametrize("shift_mm", [(0.0, 0.0, 0.0), (5.0, 0.0, 0.0), (0.0, -3.0, 2.0)])
def test_edges_lie_where_the_map_puts_the_borders_of_pre(post_grid: Grid, shift_mm: tuple[float, float, float]) -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    axial, _ = pairs_of(scene(tube(WIDE, noise=8.0), tube(post_grid), SpatialMap(matrix), "rigid"))
    lines = tube_edges(axial)
    # pre_from_post adds the shift, so what lies at TUBE in PRE is put to TUBE - shift in POST.
    expected = axial.section.project(TUBE - np.array(shift_mm))[0]
    assert np.abs(outline_centre(lines) - expected).max() < 0.8
    radii = np.linalg.norm(np.concatenate(lines) - expected, axis=1)
    assert np.abs(np.median(radii) - 8.0) < 0.6
    assert np.abs(radii - 8.0).max() < 2.0


def test_edges_are_those_of_pre_and_not_of_post() -> None:
    elsewhere = tube(WIDE, at=TUBE - np.array([45.0, 0.0, 0.0]))
    axial, _ = pairs_of(scene(tube(WIDE), elsewhere, SpatialMap.identity(), "identity"))
    assert np.abs(outline_centre(tube_edges(axial)) - axial.section.project(TUBE)[0]).max() < 0.8


def test_a_ledge_between_two_steps_is_no_edge(linear: LesionScene) -> None:
    pair = pairs_of(linear)[0]
    x, y = pair.section.axes_mm
    up = 0.3 + 0.2 / (1.0 + np.exp(-4.0 * (x + 2.5))) + 0.2 / (1.0 + np.exp(-4.0 * (x - 2.5)))
    found = np.concatenate(edge_lines(replace(pair, pre=np.tile(up, (len(y), 1)))))[:, 0]
    assert np.abs(np.abs(found) - 2.5).max() < 0.5
    assert {-1.0, 1.0} == set(np.sign(found))


def test_the_edge_of_a_small_round_vessel_is_round(linear: LesionScene) -> None:
    pair = pairs_of(linear)[0]
    radius = np.hypot(*np.meshgrid(*pair.section.axes_mm))
    (edge,) = edge_lines(replace(pair, pre=0.4 + 0.3 / (1.0 + np.exp(2.0 * (radius - 3.0)))))
    assert np.ptp(np.linalg.norm(edge, axis=1)) < 0.1


def test_noise_and_the_end_of_pre_are_no_edges() -> None:
    start, shape = (15, 40, 30), (30, 40, 50)
    window = tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))
    noisy = np.random.default_rng(3).normal(50.0, 30.0, WIDE.shape_kji)[window]
    part = Volume(noisy, WIDE.cropped(start, shape), "CT")
    pairs = pairs_of(scene(part, tube(WIDE), SpatialMap.identity(), "identity"))
    assert all(0.2 < np.isnan(pair.pre).mean() < 0.9 for pair in pairs)
    total_mm = sum(
        np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for pair in pairs for line in edge_lines(pair)
    )  # fmt: skip
    assert total_mm < 40.0  # an edge along the end of PRE would be some 500 mm long


def test_where_a_study_has_no_image_nothing_is_coloured_counted_or_pointed_at() -> None:
    # The displacement grows to the patient's left, where PRE ends.
    growing = SpatialMap(np.eye(4), deformation(np.diag([0.1, 0.0, 0.0]), np.zeros(3)))
    whole = tube(WIDE)
    half = Volume(whole.voxels_kji[:, :, :55], WIDE.cropped((0, 0, 0), (60, 110, 55)), "CT")
    here = scene(half, whole, growing)
    pairs = pairs_of(here)
    reach_mm = float(half.grid.lps_mm([[54, 0, 0]])[0, 0] - CENTRE[0]) / 1.1
    assert displacement.largest_mm(pairs) == pytest.approx(max(0.1 * 75.0, 0.1 * abs(reach_mm)), abs=0.1)
    x, _ = pairs[0].section.as_shown.axes_mm
    assert (displacement.arrows_mm(pairs[0])[0][:, 0] < reach_mm + 0.5).all()
    colours = np.asarray(displacement.draw_displacement(here, pairs).axes[0].images[-1].get_array())
    assert (colours[:, x > reach_mm + 1.0, 3] == 0).all()
    assert colours[:, x < reach_mm - 1.0, 3].max() > 0.5


def test_studies_that_share_no_image_there_have_no_map() -> None:
    far = Grid((4, 4, 4), np.diag([1.0, 1.0, 1.0, 1.0]) + 500.0 * np.eye(4, k=3), "1.2.4")
    nowhere = Volume(np.zeros((4, 4, 4)), far, "CT")
    drawn = tuple(
        registration_pictures(scene(nowhere, tube(WIDE), SpatialMap(turned(), deformation(SLOPES, OFFSET_MM))))
    )
    assert [picture.kind for picture in drawn] == ["checkerboard", "edges"]
    assert "no place where both studies have an image" in drawn[1].caption


def test_tiles_alternate_between_post_and_the_registered_pre(linear: LesionScene) -> None:
    pair = replace(pairs_of(linear)[0], post=np.full((301, 301), 0.25), pre=np.full((301, 301), 0.75))
    side = 301 // TILES
    tiles = tiled(pair)[side // 2 :: side, side // 2 :: side][:TILES, :TILES]
    expected = np.where(np.add.outer(np.arange(TILES), np.arange(TILES)) % 2 == 0, 0.25, 0.75)
    assert (tiles == expected).all()


def test_a_strip_marks_where_its_tiles_meet_and_draws_the_lesion_alone(linear: LesionScene) -> None:
    section = linear.close("axial", strip.HALF_MM)
    pair = pair_on(linear, section)
    shape = pair.post.shape
    tiles = tiled(replace(pair, post=np.zeros(shape), pre=np.ones(shape)), strip.TILES)
    x, y = section.axes_mm
    columns = (x[1:] + x[:-1])[np.diff(tiles[0]) != 0] / 2
    rows = (y[1:] + y[:-1])[np.diff(tiles[:, 0]) != 0] / 2
    assert len(columns) == len(rows) == strip.TILES - 1 >= 3  # four tiles and more across
    crosses = strip.corners(section).mean(axis=1)
    assert np.abs(np.unique(crosses[:, 0].round(6)) - columns).max() < section.step_mm
    assert np.abs(np.unique(crosses[:, 1].round(6)) - rows).max() < section.step_mm
    axes = strip.draw_strip(linear).axes
    assert [len([one for one in ax.texts if "mm" in one.get_text()]) for ax in axes] == [0, 0, 1]
    livers = {to_rgb(stroke.colour) for stroke in (style.LIVER, style.LIVER_PRE)}
    drawn = [one for ax in axes for one in ax.collections if isinstance(one, PathCollection)]
    assert len(drawn) == 3  # the tumour in each plane
    assert not livers & {tuple(colour[:3]) for one in drawn for colour in one.get_edgecolor()}


def test_pictures_say_the_predicted_error_but_not_of_masks_that_came_aligned(linear: LesionScene) -> None:
    measured = replace(linear, lesion=assessed("1"))
    assert all(
        "predicted registration error there 1.6 mm" in drawn.alt for drawn in [*registration_pictures(measured)][:2]
    )
    aligned = replace(measured, alignment=Alignment.as_given("aligned"))
    for drawn in registration_pictures(aligned):
        assert "taken as aligned" in drawn.alt
        assert "predicted" not in drawn.alt
