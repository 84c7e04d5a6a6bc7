"""What a plan does not tell: of tumours that the scan cuts, zones beyond it, and where no liver is left."""

from __future__ import annotations

import json

import analytic
import numpy as np
import pytest
from cli_runs import ablation
from plan_cases import case_of, scan, setting, write_study

from pipelines.plan_file import read_plan
from pipelines.site_chart import chart_of
from planner.errors import InputError
from planner.plan.make import planned, proposed
from planner.plan.needle import needle_along, needle_of
from planner.plan.plan import PlanSettings
from planner.plan.robust import Spread
from planner.report.plan_content import plan_content
from planner.report.plan_text import planned_reading

GRID = analytic.lattice(40.0, (2.5, 2.0, 2.0), shift_mm=(0.0, 0.0, 0.0))
TOP = 40.0
WHOLE, CUT = np.array([-14.0, 4.0, -8.0]), np.array([12.0, -6.0, 38.0])
LIVER = analytic.ball((0.0, 0.0, 0.0), 36.0)
ASKED = PlanSettings(asked_mm=5.0, spread=Spread(draws=512))
ZONE = setting(36.0, 30.0)


def bodies(*centres: np.ndarray, radius_mm: float = 7.0) -> dict[str, analytic.Inside]:
    tumours = {f"tumour_{n}": analytic.ball(at, radius_mm) for n, at in enumerate(centres, start=1)}
    return {"liver": LIVER, **tumours}


def said_of(plan) -> list[str]:
    content = plan_content(plan, (), {}, {})
    return [" ".join((lesion.reading, *lesion.sentences)) for lesion in content.lesions]


def test_of_a_tumour_that_the_scan_cuts_nothing_is_told_and_nothing_is_proposed():
    case = case_of(scan(GRID, bodies(WHOLE, CUT)))
    needles, trials = proposed(case, [ZONE], ASKED)
    assert [needle.lesion_id for needle in needles] == ["1"]
    assert set(trials) == {"1"}
    further = needle_along("2", "2", ZONE, np.array([0.0, 1.0, 0.0]), CUT - (0.0, 0.0, 12.0))
    plan = planned(case, (*needles, further), ASKED, trials)
    first, second = plan.lesions
    assert first.shortfall is not None
    assert first.robustness is not None
    assert (second.shortfall, second.robustness, second.trials, second.slices.all) == (None, None, (), ())
    assert "the scan ends in tumour 2" in second.why_not_robust
    of_first, of_second = said_of(plan)
    assert "chance" in of_first.lower()
    assert "Neither margin, coverage nor chances are known" in of_second
    for claim in ("lies in the", "%", "covered"):
        assert claim not in of_second
    row = plan_content(plan, (), {}, {}).rows[1].cells
    assert set(row[1:]) == {"n/a"}


def test_a_zone_that_reaches_beyond_the_scan_is_named_and_nothing_is_told():
    case = case_of(scan(GRID, bodies(WHOLE)))
    beyond = needle_of("1", "1", ZONE, WHOLE - (0.0, 60.0, -30.0), np.array([-14.0, 4.0, TOP - 8.0]))
    plan = planned(case, (beyond,), ASKED)
    assert plan.lesions[0].shortfall is None
    assert "planned zone 1 reaches to the end of the scan or beyond it" in plan.lesions[0].why_not_robust
    reasons = plan.assessment.lesions[0].reasons
    texts = [reason.text for reason in reasons if reason.code == "scan-ends-in-lesion"]
    assert texts == [plan.lesions[0].why_not_robust]
    assert "POST" not in texts[0]


def test_where_no_liver_is_left_to_measure_to_nothing_is_told():
    """A tumour that lies beside the liver, not in it."""
    outside = np.array([0.0, 0.0, 0.0])
    liver = analytic.ball((-36.0, 0.0, 0.0), 12.0)
    case = case_of(scan(GRID, {"liver": liver, "tumour_1": analytic.ball(outside, 7.0)}))
    plan = planned(case, (needle_along("1", "1", ZONE, np.array([0.0, 1.0, 0.0]), outside),), ASKED)
    (lesion,) = plan.lesions
    assert lesion.shortfall is None
    assert "capsule" in lesion.why_not_robust
    assert planned_reading(lesion, plan.assessment.lesions[0]) == "no planned margin is known"


def test_if_the_scan_cuts_every_tumour_that_is_said_in_one_line(tmp_path):
    pre = write_study(tmp_path / "pre", GRID, bodies(CUT))
    ran = ablation("plan", pre, "-o", tmp_path / "out", "--quiet")
    assert ran.code == 3
    assert "nothing-to-plan" in ran.stderr
    assert "the scan ends in every tumour" in ran.stderr
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.slow
def test_the_result_says_why_nothing_is_told(tmp_path):
    pre = write_study(tmp_path / "pre", GRID, bodies(WHOLE, CUT))
    ran = ablation("plan", pre, "-o", tmp_path / "out", "--quiet", "--json", "--report-volume", "none")
    assert ran.code == 0, ran.stderr
    first, second = json.loads(ran.stdout)["lesions"]
    assert first["plan"]["p_at_least"] is not None
    assert first["margin"]["ci95_mm"] == [None, None]
    assert set(first["margin"]["p_at_least"].values()) == {None}
    assert "plan.p_at_least" in next(r["text"] for r in first["reasons"] if r["field"] == "margin.p_at_least")
    fields = {"uncovered_ml", "uncovered_share", "uncovered_towards", "p_at_least", "expected_covered"}
    assert {second["plan"][field] for field in fields} == {None}
    assert (second["plan"]["slices"], second["plan"]["trials"]) == ([], [])
    assert fields <= {reason["field"] for reason in second["plan"]["reasons"]}
    assert all("the scan ends in tumour 2" in r["text"] for r in second["plan"]["reasons"])


def test_a_zone_that_is_stated_twice_is_refused(tmp_path):
    needle = "[[needle]]\nlength_mm = 40\nwidth_mm = 30\naxis_lps = [0, 1, 0]\ntarget_lps_mm = [1, 2, {}]\n"
    path = tmp_path / "plan.toml"
    path.write_text(needle.format(3.0) + needle.format(3.0))
    with pytest.raises(InputError, match=r"needle number 2: stands there twice \(number 1\)"):
        read_plan(path, chart_of(None).settings)
    path.write_text(needle.format(3.0) + needle.format(3.5))
    assert len(read_plan(path, chart_of(None).settings).needles) == 2
    path.write_text(needle.format(3.0) + needle.format(3.0).replace("[[needle]]", "[[needle]]\nlesion = '2'"))
    assert len(read_plan(path, chart_of(None).settings).needles) == 2


def test_a_mean_over_many_settings_is_proposed_only_where_it_is_named():
    chart = chart_of(None)
    assert any(row.averaged for row in chart.settings.values())
    assert not any(row.averaged for row in chart.chosen(()))
    assert [row.id for row in chart.chosen(("single-applicator-50kj",))] == ["single-applicator-50kj"]


def test_a_ball_is_reached_from_the_front_and_a_long_tumour_in_the_axial_plane_where_that_holds_it():
    round_zone, long_zone = setting(28.0, 28.0), setting(60.0, 40.0)
    case = case_of(scan(GRID, bodies(WHOLE)))
    (of_ball,), _ = proposed(case, [round_zone], ASKED)
    assert of_ball.zone.axis_lps == pytest.approx((0.0, 1.0, 0.0))
    (of_long,), _ = proposed(case, [long_zone], ASKED)
    assert of_long.zone.axis_lps[2] == pytest.approx(0.0, abs=1e-9)
    assert of_long.zone.axis_lps[1] >= 0.0
    upright = {"liver": LIVER, "tumour_1": analytic.ellipsoid((0.0, 0.0, 0.0), (4.0, 4.0, 14.0))}
    (steep,), trials = proposed(case_of(scan(GRID, upright)), [setting(44.0, 22.0)], ASKED)
    assert trials["1"][0].scale <= 1.0
    assert abs(steep.zone.axis_lps[2]) > 0.8  # in the axial plane it would not be held


def test_what_a_zone_reaches_into_is_said():
    vein = analytic.ball(WHOLE - (-16.0, 0.0, 0.0), 5.0)
    case = case_of(scan(GRID, {**bodies(WHOLE), "portal_vein": vein}))
    plan = planned(case, (needle_along("1", "1", ZONE, np.array([0.0, 1.0, 0.0]), WHOLE),), ASKED)
    (said,) = said_of(plan)
    deep = 15.0 + 5.0 - 16.0
    assert "The zone reaches into: portal vein" in said
    told = float(said.split("portal vein ")[1].split(" mm")[0])
    assert told == pytest.approx(deep, abs=0.5)
