"""Curves and numbers at risk against lifelines' own on the same table, and a textbook's. Outcomes are synthetic."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import document, lesion, write_case, write_failure, write_outcomes
from lifelines import KaplanMeierFitter

from pipelines.audit.bands import band_of
from pipelines.audit.run import audit
from pipelines.audit.survival import survival

# 6-mercaptopurine arm of Freireich et al. 1963 (in most textbooks, e.g. Kleinbaum & Klein), weeks; + is censored.
SIX_MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()  # noqa: SIM905 - as it is printed
SIX_MP_SURVIVAL = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
SIX_MP_AT_RISK = {6: 21, 7: 17, 10: 15, 13: 12, 16: 11, 22: 7, 23: 6}


def cohort_of(tmp_path, rows, margins):
    """Return the audit of a lesion per row."""
    for number, margin in enumerate(margins):
        write_case(tmp_path / "out", document(f"c{number:03d}", lesion("1", margin)))
    path = write_outcomes(tmp_path / "o.csv", *((f"c{n:03d}", 1, event, days) for n, (event, days) in enumerate(rows)))
    return audit([tmp_path / "out"], path)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """120 synthetic lesions over all bands with events that depend on the margin."""
    rng = np.random.default_rng(5)
    margins = np.round(rng.uniform(-5, 15, 120), 2)
    days = np.ceil(rng.exponential(900 * np.exp(0.12 * margins)))
    events = rng.choice(["ltp", "death"], 120, p=[0.7, 0.3])
    rows = [("none", 1095) if day > 1095 else (event, int(day)) for day, event in zip(days, events, strict=True)]
    return margins, rows, cohort_of(tmp_path_factory.mktemp("made-up"), rows, margins.tolist())


def test_the_curves_equal_lifelines_on_the_same_table(made_up):
    margins, rows, found = made_up
    assert len(found.survival.curves) == 4
    for curve in found.survival.curves:
        mine = [row for margin, row in zip(margins, rows, strict=True) if band_of(margin).name == curve.band.name]
        theirs = KaplanMeierFitter().fit([day for _, day in mine], [event in ("ltp", "death") for event, _ in mine])
        np.testing.assert_array_equal(curve.days, theirs.survival_function_.index)
        np.testing.assert_array_equal(curve.survival, theirs.survival_function_["KM_estimate"])
        np.testing.assert_array_equal(curve.low, theirs.confidence_interval_["KM_estimate_lower_0.95"])
        np.testing.assert_array_equal(curve.high, theirs.confidence_interval_["KM_estimate_upper_0.95"])
        assert (curve.lesions, curve.ltp) == (len(mine), sum(event == "ltp" for event, _ in mine))
        for tick, count in zip(found.survival.ticks_days, curve.at_risk, strict=True):
            assert count == sum(day >= tick for _, day in mine)
        at = dict(zip(theirs.event_table.index, theirs.event_table["at_risk"], strict=True))
        for tick, count in zip(found.survival.ticks_days, curve.at_risk, strict=True):
            assert tick not in at or count == at[tick]


def test_a_textbook_example_comes_out_as_printed_there(tmp_path):
    rows = [("none" if week.endswith("+") else "ltp", int(week.rstrip("+"))) for week in SIX_MP]
    (curve,) = cohort_of(tmp_path, rows, [7.0] * len(rows)).survival.curves
    steps = dict(zip(curve.days, curve.survival, strict=True))
    for week, expected in SIX_MP_SURVIVAL.items():
        assert steps[week] == pytest.approx(expected, abs=6e-4)
    ticks = cohort_of(tmp_path / "again", rows, [7.0] * len(rows)).survival
    assert ticks.ticks_days == (0.0, 7.0, 14.0, 21.0, 28.0, 35.0)
    assert ticks.curves[0].at_risk == (21, SIX_MP_AT_RISK[7], 11, 7, 4, 1)


def test_death_counts_as_an_event_and_the_text_says_so(tmp_path):
    from pipelines.audit.survival import DEFINITION

    (curve,) = cohort_of(tmp_path, [("death", 10), ("none", 20)], [7.0, 7.0]).survival.curves
    assert (curve.ltp, curve.deaths, curve.survival[-1]) == (0, 1, 0.5)
    assert "Death is counted as an event, not censored" in DEFINITION


def test_nothing_is_said_beyond_the_last_follow_up(tmp_path):
    found = cohort_of(tmp_path, [("none", 100), ("none", 400)], [1.0, 7.0]).survival
    short = found.curves[0]
    place = found.ticks_days.index(182.0)
    assert short.at_risk[place] == 0
    assert short.at(place, found.ticks_days) is None
    assert found.curves[1].at(place, found.ticks_days) == (1.0, 1.0, 1.0)


def test_a_curve_that_reached_0_stays_there(tmp_path):
    found = cohort_of(tmp_path, [("ltp", 50), ("death", 100), ("none", 400)], [1.0, 1.0, 7.0]).survival
    gone = found.curves[0]
    for tick in (91.0, 182.0, 364.0):
        place = found.ticks_days.index(tick)
        assert gone.at_risk[place] == (1 if tick < 100 else 0)
        assert gone.at(place, found.ticks_days)[0] == (0.5 if tick < 100 else 0.0)


def test_censored_lesions_are_marked_on_the_curve(tmp_path):
    (curve,) = cohort_of(tmp_path, [("none", 20), ("ltp", 10), ("none", 5), ("none", 20)], [7.0] * 4).survival.curves
    assert curve.censored_days == (5.0, 20.0, 20.0)
    assert curve.survival_at(5.0) == 1.0
    assert curve.survival_at(20.0) == pytest.approx(2 / 3)


def test_the_flow_accounts_for_every_case_and_lesion(tmp_path):
    out = tmp_path / "out"
    write_case(out, document("a", lesion("1", 3.0), lesion("2", 7.0), lesion("3", None, "not_treated")))
    write_case(out, document("b", lesion("1", None, "not_assessable"), status="not_assessable"))
    write_case(out, document("c", lesion("1", None), lesion("2", 2.0)))
    write_failure(out, "f", "timeout")
    found = audit(
        [out], write_outcomes(tmp_path / "o.csv", ("a", 1, "ltp", 9), ("a", 2, "none", 9), ("b", 1, "ltp", 4))
    )
    assert [(step.words, step.count, step.excluded) for step in found.survival.flow] == [
        ("cases found", 4, False),
        ("cases failed: timeout", 1, True),
        ("cases with a result", 3, False),
        ("lesions in them", 6, False),
        ("lesions not assessable", 1, True),
        ("lesions that no zone touches (not treated)", 1, True),
        ("lesions assessed without a margin", 1, True),
        ("lesions without a row in the outcomes file", 1, True),
        ("lesions analysed", 2, False),
    ]
    assert sum(curve.lesions for curve in found.survival.curves) == 2
    assert found.survival.ltp == 1


def test_without_anything_to_analyse_there_is_no_curve(tmp_path):
    write_case(tmp_path / "out", document("a", lesion("1", None, "not_treated")))
    found = audit([tmp_path / "out"], write_outcomes(tmp_path / "o.csv", ("a", 1, "none", 9)))
    assert found.survival.curves == ()
    assert found.survival.flow[-1].count == 0


@pytest.mark.parametrize(("events", "warned"), [(99, True), (100, False)])
def test_few_events_confirm_nothing(tmp_path, events, warned):
    found = cohort_of(tmp_path, [("ltp", 5 + n) for n in range(events)] + [("death", 3)], [7.0] * (events + 1))
    caution = survival(found.cohort, found.table, found.outcomes).caution
    assert (caution is not None) == warned
    assert not warned or "cannot confirm" in caution
