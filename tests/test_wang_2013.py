"""Wang et al., Cardiovasc Intervent Radiol 2013;36:166-175: the paper's own numbers against the relation we load."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm

from pipelines.catalogue import packaged_hazards
from planner.evidence.ratio import ORIGINS

WANG = packaged_hazards()[0]
TWO_YEAR_FREE_OF_PROGRESSION = {(0, 0): 0.26, (1, 5): 0.46, (6, 10): 0.74, (11, 15): 0.80}


def cumulative_hazards() -> list[float]:
    return [-math.log(share) for share in TWO_YEAR_FREE_OF_PROGRESSION.values()]


def test_wang_2013_the_catalogue_holds_the_papers_four_rates():
    loaded = {row.margin_mm: row.free_at_2_years_percent / 100 for row in WANG.observed}
    assert loaded == TWO_YEAR_FREE_OF_PROGRESSION


def test_wang_2013_two_year_rates_agree_with_the_slope():
    hazards = cumulative_hazards()
    step_ratio = (hazards[-1] / hazards[0]) ** (1 / 3)
    assert step_ratio == pytest.approx(0.549, abs=5e-4)
    assert step_ratio == pytest.approx(WANG.ratio, abs=0.02)


def test_wang_2013_proportional_hazards_from_the_0_mm_rate_come_near_the_observed_classes():
    hazards = cumulative_hazards()
    free = {m: math.exp(-hazards[0] * WANG.relative(m) / WANG.relative(0)) for m in (5, 10, 15)}
    assert free == pytest.approx({5: 0.48, 10: 0.67, 15: 0.81}, abs=0.006)
    for margin, observed in zip((5, 10, 15), (0.46, 0.74, 0.80), strict=True):
        assert free[margin] == pytest.approx(observed, abs=0.08)


def test_wang_2013_is_cited_with_its_doi_and_studied_population():
    assert WANG.source.doi == "10.1007/s00270-012-0377-1"
    assert (WANG.population.patients, WANG.population.lesions) == (73, 94)
    assert WANG.valid_mm == (0.0, 15.0)


def test_wang_2013_the_boundaries_of_the_rules_page():
    against_0_mm = {m: WANG.relative(m) / WANG.relative(0) for m in (1, 5, 10, 15)}
    assert against_0_mm == pytest.approx({1: 0.8841, 5: 0.54, 10: 0.2916, 15: 0.1575}, abs=5e-5)
    assert WANG.relative(-5) is None


def wald(ratio: float, p: float) -> tuple[float, float]:
    """Return the interval that a ratio and its two-sided p imply, by scipy's normal distribution."""
    half = norm.isf(0.025) * abs(math.log(ratio)) / norm.isf(p / 2)
    return math.exp(math.log(ratio) - half), math.exp(math.log(ratio) + half)


@pytest.mark.parametrize(
    ("stated", "ratio", "p", "ends"),
    [(WANG.per_step, 0.54, 0.002, (0.37, 0.80)), (WANG.size.per_step, 1.22, 0.028, (1.02, 1.46))],
    ids=["margin", "size"],
)
def test_wang_2013_the_intervals_are_those_that_the_p_values_imply_and_say_so(stated, ratio, p, ends):
    assert (stated.ratio, stated.step_mm) == (ratio, 5.0)
    assert (stated.ci95.low_ratio, stated.ci95.high_ratio) == ends
    assert ends == pytest.approx(wald(ratio, p), abs=0.005)
    assert ORIGINS[stated.ci95.origin] == "back-calculated from the p-value, not published"


def test_wang_2013_the_relations_own_interval_has_no_width_at_the_reference_and_is_held_beyond_15_mm():
    at_reference = WANG.model_interval(5.0)
    assert (at_reference.low_ratio, at_reference.high_ratio) == (1.0, 1.0)
    at_10 = WANG.model_interval(10.0)
    assert (at_10.low_ratio, at_10.high_ratio) == (pytest.approx(0.37), pytest.approx(0.80))
    at_0 = WANG.model_interval(0.0)
    assert (at_0.low_ratio, at_0.high_ratio) == (pytest.approx(1 / 0.80), pytest.approx(1 / 0.37))
    assert WANG.model_interval(40.0) == WANG.model_interval(15.0)
    assert WANG.model_interval(-0.1) is None
    assert WANG.model_interval(None) is None


def test_wang_2013_the_hazard_rises_by_22_percent_per_5_mm_of_tumour_size():
    size = WANG.size
    assert size.at(size.reference_mm).ratio == 1
    assert size.at(size.reference_mm + 5).ratio == pytest.approx(1.22)
    assert size.at(size.reference_mm - 5).ratio == pytest.approx(1 / 1.22)
    found = size.at(30.0)
    assert found.interval.low_ratio == pytest.approx(1.02**2)
    assert found.interval.high_ratio == pytest.approx(1.46**2)
    assert "is not multiplied into it" in found.notes[0]
