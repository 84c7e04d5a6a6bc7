"""Polar map, cumulative curve, bands and colour bar against balls whose margin is known in every direction."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure as Canvas
from review_fixture import TUMOURS, ZONES, ball_margin, rotation, sphere

from pipelines.figures import style
from pipelines.figures.bands import fill_bands
from pipelines.figures.distribution import cumulative_share, draw_distribution
from pipelines.figures.polar import BACK, CELLS, FRONT, Half, draw_polar, least_by_direction
from planner.measure.margin import Margin
from planner.measure.margin_map import MarginMap
from planner.surface import Surface

CENTRE = np.array([-30.0, 12.0, 25.0])
TOWARDS = {"R": (-1, 0, 0), "L": (1, 0, 0), "A": (0, -1, 0), "P": (0, 1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
PLACES = {"R": (-1, 0), "L": (1, 0), "S": (0, 1), "I": (0, -1), "A": (0, 0)}
"""Where the front half, seen from the front, has the directions of the patient; the back half is its mirror image."""


def margin_of(surface: Surface, mm: np.ndarray) -> Margin:
    nothing = np.zeros(len(mm), dtype=bool)
    least = int(np.argmin(mm))
    at = tuple(map(float, surface.vertices_lps_mm[least]))
    margins = MarginMap(surface, mm, mm, np.zeros((len(mm), 3)), np.zeros((len(mm), 3)), nothing)
    return Margin(margins, "geometric", float(mm[least]), float(mm[least]), at_lps_mm=at, direction="somewhere")


def spotted(direction: np.ndarray) -> Margin:
    """A ball with a margin of 12 mm but for a small spot of -2 mm in one direction."""
    ball = sphere(CENTRE, 15.0, count=6000)
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    along = (ball.vertices_lps_mm - CENTRE) @ unit / 15.0
    return margin_of(ball, np.where(along > np.cos(np.radians(8.0)), -2.0, 12.0))


def spot_on(half: Half, margin: Margin) -> np.ndarray:
    """Where the cells below zero lie on a half, by their mean."""
    least = least_by_direction(margin, half)
    row, column = np.nonzero(least < 0.0)
    return (np.array([column.mean(), row.mean()]) - least.shape[0] // 2) / CELLS


@pytest.mark.parametrize("half", [FRONT, BACK], ids=["front", "back"])
def test_letters_stand_where_the_patient_s_directions_fall(half: Half) -> None:
    left, right, middle = half.letters
    found = half.place(np.array([TOWARDS[left], TOWARDS[right], TOWARDS["S"], TOWARDS["I"], TOWARDS[middle]], float))
    assert found == pytest.approx(np.array([(-1, 0), (1, 0), (0, 1), (0, -1), (0, 0)], float), abs=1e-12)


@pytest.mark.parametrize("letters", ["RAS", "LAI", "RPI", "LPS", "LAS", "RPS"])
def test_a_thin_spot_is_where_its_direction_falls_and_on_no_other_half(letters: str) -> None:
    # Weighted unevenly, so that no flip or swap of axes leaves the place as it is.
    direction = sum(weight * np.array(TOWARDS[letter]) for weight, letter in zip((3, 2, 1), letters, strict=True))
    margin = spotted(direction)
    half, other = (FRONT, BACK) if "A" in letters else (BACK, FRONT)
    x, y = spot_on(half, margin)
    unit = direction / np.linalg.norm(direction)
    # Lambert's projection by its angle: the distance from the middle is sqrt(2) sin(angle / 2).
    angle = np.arccos(abs(unit[1]))
    across = unit[0] if "A" in letters else -unit[0]
    expected = np.sqrt(2) * np.sin(angle / 2) * np.array([across, unit[2]]) / np.hypot(unit[0], unit[2])
    assert np.array([x, y]) == pytest.approx(expected, abs=0.02)
    assert np.nanmin(least_by_direction(margin, other)) > 0.0


def test_equal_solid_angles_take_equal_areas() -> None:
    areas = []
    for degrees in (0.0, 30.0, 60.0):
        direction = rotation(2, degrees) @ np.array([0.0, -1.0, 0.0])
        areas.append(int((least_by_direction(spotted(direction), FRONT) < 0.0).sum()))
    expected = (1 - np.cos(np.radians(8.0))) / 2 * 2.0 * np.pi * 2.0 * CELLS**2 / 2
    assert max(areas) / min(areas) < 1.15
    assert np.mean(areas) == pytest.approx(expected, rel=0.25)


def test_the_map_is_full_and_holds_the_margin_of_each_direction() -> None:
    margin = ball_margin("1")
    (centre, radius), (zone, zone_radius) = TUMOURS["1"], ZONES["1"]
    for half in (FRONT, BACK):
        least = least_by_direction(margin, half)
        middle = least.shape[0] // 2
        y, x = (np.indices(least.shape) - middle) / CELLS
        inside = np.hypot(x, y) < 0.97
        assert np.isfinite(least[inside]).mean() > 0.999
        for u, v in ((0.0, 0.0), (0.6, 0.3), (-0.4, -0.7), (-0.8, 0.1)):
            height = 1.0 - (u * u + v * v)
            scale = np.sqrt(2.0 - (u * u + v * v))
            direction = height * half.towards + scale * (u * half.right + v * np.array([0.0, 0.0, 1.0]))
            expected = zone_radius - np.linalg.norm(centre + radius * direction - zone)
            assert np.linalg.norm(direction) == pytest.approx(1.0)
            assert least[round(middle + v * CELLS), round(middle + u * CELLS)] == pytest.approx(expected, abs=0.25)


def test_where_the_surface_lies_more_than_once_in_a_direction_the_least_margin_counts() -> None:
    inner, outer = sphere(CENTRE, 6.0, count=2000), sphere(CENTRE, 15.0, count=4000)
    both = Surface(
        np.concatenate([inner.vertices_lps_mm, outer.vertices_lps_mm]),
        np.concatenate([inner.triangles, outer.triangles + len(inner.vertices_lps_mm)]), inner.voxel_kji_mm,
    )  # fmt: skip
    for first, second in ((3.0, 8.0), (8.0, 3.0)):
        mm = np.repeat([first, second], [len(inner.vertices_lps_mm), len(outer.vertices_lps_mm)])
        least = least_by_direction(margin_of(both, mm), FRONT)
        centre = least.shape[0] // 2
        assert np.nanmax(least[centre - 40 : centre + 40, centre - 40 : centre + 40]) == pytest.approx(3.0)


def test_directions_without_surface_stay_empty() -> None:
    # Two balls beside each other: seen from between them there is nothing in front or behind.
    a, b = sphere(CENTRE - np.array([20.0, 0, 0]), 5.0), sphere(CENTRE + np.array([20.0, 0, 0]), 5.0)
    both = Surface(
        np.concatenate([a.vertices_lps_mm, b.vertices_lps_mm]),
        np.concatenate([a.triangles, b.triangles + len(a.vertices_lps_mm)]), a.voxel_kji_mm,
    )  # fmt: skip
    least = least_by_direction(margin_of(both, np.full(len(both.vertices_lps_mm), 4.0)), FRONT)
    assert 0.01 < np.isfinite(least).mean() < 0.3
    assert draw_polar("1", margin_of(both, np.full(len(both.vertices_lps_mm), 4.0))) is not None


@pytest.mark.parametrize("lesion_id", ["1", "2"])
def test_the_cumulative_curve_is_that_of_a_ball_in_a_ball(lesion_id: str) -> None:
    (centre, radius), (zone, zone_radius) = TUMOURS[lesion_id], ZONES[lesion_id]
    away = float(np.linalg.norm(centre - zone))
    margin = ball_margin(lesion_id)
    at_mm = np.linspace(zone_radius - away - radius + 0.2, zone_radius - abs(away - radius) - 0.2, 25)
    # |v - zone|^2 is linear in the height above the tumour's middle, and so is the area of a cap.
    reach = zone_radius - at_mm
    height = (reach**2 - away**2 - radius**2) / (2.0 * away * radius)
    expected = (1.0 - np.clip(height, -1.0, 1.0)) / 2.0
    assert cumulative_share(margin, at_mm) == pytest.approx(expected, abs=0.01)
    for limit in (0.0, 5.0, 10.0):
        assert cumulative_share(margin, np.array([limit]))[0] == pytest.approx(margin.map.short_of(limit))


def test_the_curve_counts_surface_by_area_and_not_by_vertex() -> None:
    ball = sphere(CENTRE, 10.0, count=3000)
    mm = np.where(ball.vertices_lps_mm[:, 2] > CENTRE[2], 2.0, 8.0)
    uneven = replace(
        ball, vertices_lps_mm=CENTRE + (ball.vertices_lps_mm - CENTRE) * np.where(mm == 2.0, 2.0, 1.0)[:, None]
    )
    share = cumulative_share(margin_of(uneven, mm), np.array([5.0]))[0]
    # A half ball of radius 20 above one of radius 10, and half of the ring between them; half of the vertices.
    ring = np.pi * (20.0**2 - 10.0**2)
    upper, lower = 2.0 * np.pi * 20.0**2, 2.0 * np.pi * 10.0**2
    assert share == pytest.approx((upper + ring / 2) / (upper + lower + ring), abs=0.02)
    assert share == pytest.approx(margin_of(uneven, mm).map.short_of(5.0))


def test_surface_without_end_is_never_below_anything() -> None:
    ball = sphere(CENTRE, 10.0)
    mm = np.where(ball.vertices_lps_mm[:, 2] > CENTRE[2], np.inf, 3.0)
    found = cumulative_share(margin_of(ball, mm), np.array([3.0, 3.001, 1e6]))
    assert found[0] == 0.0
    assert found[1:] == pytest.approx([0.5, 0.5], abs=0.03)
    assert draw_distribution("1", margin_of(ball, mm)) is not None


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_bands_that_are_alike_in_grey_differ_in_their_hatching() -> None:
    # Vermilion and green have nearly one luminance: what tells them apart in a grey print is the hatching.
    for a in style.BANDS:
        for b in style.BANDS:
            if a is not b and abs(luminance(a.colour) - luminance(b.colour)) < 0.15:
                assert a.hatch != b.hatch
    assert len({band.hatch for band in style.BANDS}) == len(style.BANDS)
    assert abs(luminance(style.BANDS[0].colour) - luminance(style.BANDS[3].colour)) < 0.15


def test_hatching_shows_on_every_band() -> None:
    for band in style.BANDS:
        if band.hatch:
            darker, lighter = sorted([luminance(band.colour), luminance(style.HATCH_INK)])
            assert (lighter + 0.05) / (darker + 0.05) >= 3.0


def test_areas_are_filled_with_the_colour_and_hatching_of_their_band() -> None:
    figure = style.canvas(2.0, 2.0)
    ax = figure.subplots()
    axis = np.linspace(-5.0, 15.0, 41)
    fill_bands(ax, axis, axis, np.tile(axis, (41, 1)), ax.patch)
    areas = next(one for one in ax.collections if isinstance(one, QuadContourSet) and one.filled)
    for band, low, high, path, colour, hatch in zip(
        style.BANDS, (-5.0, 0.0, 5.0, 10.0), (0.0, 5.0, 10.0, 15.0), areas.get_paths(), areas.get_facecolor(),
        areas.hatches, strict=True,
    ):  # fmt: skip
        assert (path.vertices[:, 0].min(), path.vertices[:, 0].max()) == pytest.approx((low, high))
        assert tuple(colour[:3]) == pytest.approx(to_rgb(band.colour))
        assert (hatch or "") == band.hatch


def said_in(figure: Canvas) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_every_figure_of_bands_has_the_bar_with_numbers_and_the_meaning_of_the_sign() -> None:
    from pipelines.figures.solid import draw_solid

    margin = ball_margin("2")
    for figure in (draw_solid("2", margin), draw_polar("2", margin), draw_distribution("2", margin)):
        words = " ".join(said_in(figure))
        assert "0 mm 5 mm 10 mm" in re.sub(r"\d+ % of the surface ", "", words)
        assert style.NEGATIVE in words
        assert style.POSITIVE in words


@pytest.mark.parametrize("endless", [0.5, 1.0], ids=["half", "all"])
def test_surface_without_liver_left_to_measure_to_wears_no_band(endless: float) -> None:
    figure = style.canvas(2.0, 2.0)
    ax = figure.subplots()
    axis = np.linspace(0.0, 1.0, 41)
    values = np.where(np.tile(axis, (41, 1)) <= endless, 100.0, 3.0)
    fill_bands(ax, axis, axis, values, ax.patch)
    areas = [one for one in ax.collections if isinstance(one, QuadContourSet) and one.filled]
    if endless == 1.0:
        assert areas == []
        return
    reach = [path.vertices[:, 0].min() for path in areas[0].get_paths() if len(path.vertices)]
    assert min(reach) > 0.5
    assert len(reach) == 1
