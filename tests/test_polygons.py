"""Polygons filled by the even-odd rule at pixel centres, against a slow reference of its own and exact areas."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dicom.polygons import fill_plane, has_keyhole

SQUARE = np.array([[1.5, 1.5], [5.5, 1.5], [5.5, 4.5], [1.5, 4.5]])
INNER = np.array([[2.5, 2.5], [4.5, 2.5], [4.5, 3.5], [2.5, 3.5]])

eighths = st.integers(-16, 96).map(lambda n: n / 8)
polygons = st.lists(st.tuples(eighths, eighths), min_size=3, max_size=12).map(np.array)


def filled(several, shape):
    """Return the pixels of a plane's polygons."""
    return fill_plane(several, shape).inside


def expected_of(several, shape):
    """Return the same by exact arithmetic, polygon after polygon."""
    rows, columns = shape
    pixels = np.zeros(shape, dtype=bool)
    for polygon in several:
        pixels ^= np.array([[inside(polygon, column, row) for column in range(columns)] for row in range(rows)])
    return pixels


def inside(polygon, column, row):
    """Return whether a point lies in a polygon, by exact arithmetic: crossings of the ray to the left, half-open."""
    crossed = False
    edges = np.concatenate([polygon, np.roll(polygon, -1, axis=0)], axis=1).tolist()
    for x0, y0, x1, y1 in ([Fraction(v) for v in edge] for edge in edges):
        if (y0 <= row) != (y1 <= row) and x0 + (row - y0) * (x1 - x0) / (y1 - y0) <= column:
            crossed = not crossed
    return crossed


@settings(max_examples=150, deadline=None)
@given(polygons)
def test_each_pixel_is_inside_as_exact_arithmetic_says(polygon):
    np.testing.assert_array_equal(filled([polygon], (11, 12)), expected_of([polygon], (11, 12)))


@settings(max_examples=50, deadline=None)
@given(polygons)
def test_neither_direction_nor_start_matter(polygon):
    one = filled([polygon], (11, 12))
    np.testing.assert_array_equal(filled([polygon[::-1]], (11, 12)), one)
    np.testing.assert_array_equal(filled([np.roll(polygon, 2, axis=0)], (11, 12)), one)


def test_neighbours_that_share_an_edge_share_no_pixel_and_leave_none_out():
    left, right = np.array([[0, 0], [4, 0], [4, 6], [0, 6]]), np.array([[4, 0], [9, 0], [9, 6], [4, 6]])
    a, b, both = (filled(p, (8, 10)) for p in ([left], [right], [np.array([[0, 0], [9, 0], [9, 6], [0, 6]])]))
    assert not (a & b).any()
    np.testing.assert_array_equal(a | b, both)


def test_a_polygon_within_another_is_a_hole_and_a_third_an_island():
    island = np.array([[2.8, 2.8], [3.2, 2.8], [3.2, 3.2], [2.8, 3.2]])
    assert filled([SQUARE], (7, 8)).sum() == 12
    assert filled([SQUARE, INNER], (7, 8)).sum() == 10
    assert filled([SQUARE, INNER, island], (7, 8)).sum() == 11


def test_a_keyhole_is_a_hole_and_is_seen():
    keyhole = np.array([*SQUARE, SQUARE[0], INNER[0], *INNER[::-1]])
    np.testing.assert_array_equal(filled([keyhole], (7, 8)), filled([SQUARE, INNER], (7, 8)))
    assert has_keyhole(keyhole)
    assert not has_keyhole(SQUARE)
    assert not has_keyhole(np.repeat(SQUARE, 2, axis=0))


def test_nested_and_crossing_polygons_are_told_apart():
    def seen(*polygons):
        fill = fill_plane(polygons, (9, 12))
        np.testing.assert_array_equal(fill.inside, expected_of(polygons, (9, 12)))
        return fill.nested, fill.crossing

    assert seen(SQUARE, INNER) == seen(INNER, SQUARE) == (True, False)
    assert seen(SQUARE, np.add(SQUARE, (2.0, 1.0))) == (False, True)
    assert seen(SQUARE, np.add(SQUARE, (5.0, 0.0))) == (False, False)


def test_a_copy_is_left_out_instead_of_cancelling():
    turned = np.roll(SQUARE[::-1], 1, axis=0)
    for copy in (SQUARE, turned, np.add(SQUARE, (0.01, 0.0)), np.repeat(SQUARE, 2, axis=0)):
        fill = fill_plane([SQUARE, copy], (7, 8))
        assert (fill.copies, fill.nested, fill.is_lost) == (1, False, False)
        np.testing.assert_array_equal(fill.inside, filled([SQUARE], (7, 8)))


def test_a_polygon_that_winds_twice_is_seen_and_one_that_vanishes_is_lost():
    twice = np.concatenate([SQUARE, SQUARE])
    angle = np.pi / 2 + 4 * np.pi / 5 * np.arange(5)
    star = 20 + 15 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert (fill_plane([twice], (7, 8)).looped, fill_plane([twice], (7, 8)).is_lost) == (1, True)
    assert (fill_plane([star], (40, 40)).looped, fill_plane([star], (40, 40)).is_lost) == (1, False)
    assert fill_plane([SQUARE], (7, 8)).looped == 0


@settings(max_examples=80, deadline=None)
@given(st.lists(polygons, min_size=1, max_size=3))
def test_a_plane_is_filled_as_its_polygons_are(several):
    fill = fill_plane(several, (11, 12))
    if not fill.copies:
        np.testing.assert_array_equal(fill.inside, expected_of(several, (11, 12)))


def test_what_lies_outside_the_picture_is_cut_off():
    np.testing.assert_array_equal(
        filled([np.subtract(SQUARE, (3.0, 0.0))], (7, 8)).sum(axis=0), [3, 3, 3, 0, 0, 0, 0, 0]
    )
    assert not filled([np.add(SQUARE, (0.0, 30.0))], (7, 8)).any()


@pytest.mark.parametrize("radius", [6.3, 25.0])
def test_a_circle_has_its_area(radius):
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = 40.17 + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert filled([circle], (80, 80)).sum() == pytest.approx(np.pi * radius**2, rel=0.02)
