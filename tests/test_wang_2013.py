"""Wang et al., Cardiovasc Intervent Radiol 2013;36:166-175: the paper's own numbers against the relation we load."""

from __future__ import annotations

import math

import pytest

from pipelines.catalogue import packaged_hazards

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
