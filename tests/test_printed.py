"""Judged numbers as printed never contradict their verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.guideline.printed import number_words


@pytest.mark.parametrize(
    ("value", "unit", "edges", "printed"),
    [
        (14.96, "mm", [15.0], "14.96 mm"), (15.0, "mm", [15.0], "15.0 mm"), (7.43, "mm", [0.0, 10.0], "7.4 mm"),
        (20.04, "percent", [20.0], "20.04 %"), (10.04, "mm", [0.0, 10.0], "10.04 mm"), (0.04, "mm", [0.0], "0.04 mm"),
        (10.000001, "mm", [10.0], "just above 10 mm"), (9.9999999, "mm", [10.0], "just below 10 mm"),
        (-0.00001, "mm", [], "0.0 mm"), (3.0, "lesions", [3.0], "3 lesions"), (1.0, "yes/no", [1.0], "yes"),
        (0.0, "yes/no", [1.0], "no"), (2, "count", [1.0], "2"), (1.8, "m2", [], "1.8 m\u00b2"),
    ],
)  # fmt: skip
def test_a_number_has_the_decimals_that_its_side_of_the_edge_takes(value, unit, edges, printed):
    assert number_words(value, unit, edges) == printed


@given(st.floats(-60, 120), st.lists(st.sampled_from([0.0, 5.0, 10.0, 15.0, 20.0, 30.0]), min_size=1))
def test_what_is_printed_is_on_the_same_side_of_every_edge(value, edges):
    said = number_words(value, "mm", edges)
    if said.startswith("just "):
        edge = float(said.split()[2])
        assert (value > edge) == ("above" in said)
        assert value != edge
        return
    number = float(said.split()[0])
    assert [(number > e) - (number < e) for e in edges] == [(value > e) - (value < e) for e in edges]
