"""A zone for what a review found uncovered: planned on POST beside the zones that were made."""

from __future__ import annotations

import json
import shutil

import analytic
import numpy as np
import pytest
from cli_runs import ablation
from plan_cases import case_of, scan, setting, stretched_ball, write_study

from planner.plan.kept import Kept, Remaining
from planner.plan.make import planned, proposed
from planner.plan.needle import needle_without_entry
from planner.plan.plan import PlanSettings
from planner.plan.robust import Spread
from planner.plan.zone import PlannedZone

pytestmark = pytest.mark.slow

PLACE = np.array([-70.0, 20.0, 130.0])
GRID = analytic.lattice(60.0, (2.0, 1.5, 1.5), shift_mm=PLACE)
LIVER = analytic.ellipsoid(PLACE, (52.0, 45.0, 42.0))
FIRST, SECOND = PLACE + np.array([-18.0, 4.0, 6.0]), PLACE + np.array([22.0, -6.0, -8.0])
TUMOURS = {"liver": LIVER, "tumour_1": analytic.ball(FIRST, 8.0), "tumour_2": analytic.ball(SECOND, 6.0)}
OFF = np.array([9.0, 0.0, 0.0])
ZONES = {"liver": LIVER, "ablation_1": analytic.ball(FIRST + OFF, 14.0), "ablation_2": analytic.ball(SECOND, 16.0)}


def test_what_one_ball_leaves_of_another_is_bounded_by_their_common_circle():
    """The rest of a target of radius R beside a zone of radius Z, d apart: the smallest ball around it is known."""
    tumour = stretched_ball((0.0, 0.0, 0.0), 8.0)
    zone = PlannedZone((12.0, 0.0, 0.0), (0, 0, 1), 30.0, 30.0).surface()
    corners = Remaining(tumour, None, 30.0, [zone]).by(5.0).corners_lps_mm
    cut = (13.0**2 - 15.0**2 + 12.0**2) / 24.0  # where the two spheres meet
    assert corners[:, 0].max() == pytest.approx(cut, abs=0.3)
    assert corners[:, 0].min() == pytest.approx(-13.0, abs=0.1)
    rim = np.sqrt(13.0**2 - cut**2)
    assert np.linalg.norm(corners[:, 1:], axis=1).max() == pytest.approx(rim if cut < 0 else 13.0, abs=0.2)


def test_the_margin_that_zones_attain_by_themselves():
    zone = PlannedZone((3.0, 0.0, 0.0), (0, 0, 1), 36.0, 36.0).surface()
    left = Remaining(stretched_ball((0.0, 0.0, 0.0), 8.0), None, 30.0, [zone])
    assert left.attained_mm(10.0) == pytest.approx(18.0 - 8.0 - 3.0, abs=0.2)
    assert not len(left.by(6.0).corners_lps_mm)
    assert len(left.by(8.0).corners_lps_mm)


def test_the_zones_that_were_made_count_together_with_the_planned_one():
    study = scan(GRID, {**TUMOURS, **{role: body for role, body in ZONES.items() if role != "liver"}})
    kept = Kept(study.ablations, {"1": ("1",), "2": ("2",)})
    case, asked = case_of(study), PlanSettings(asked_mm=5.0, spread=Spread(tip_sd_mm=1.0, radius_sd_mm=1.0))
    needles, trials = proposed(case, [setting(34.0, 30.0)], asked, kept=kept)
    assert [(needle.zone_id, needle.lesion_id) for needle in needles] == [("3", "1")]
    assert set(trials) == {"1"}
    plan = planned(case, needles, asked, trials, kept=kept)
    first, second = plan.assessment.lesions
    assert (first.zones, second.zones) == (("1", "3"), ("2",))
    assert first.margin.min_mm > 4.7
    assert second.margin.min_mm == pytest.approx(10.0, abs=0.5)
    assert plan.lesions[0].shortfall.uncovered_ml == pytest.approx(0.0, abs=0.05)
    assert plan.lesions[0].robustness.p_at_least[0.0] > 0.9
    assert plan.lesions[1].why_not_robust == "no zone is planned for it"
    alone = planned(case, [], asked, kept=kept)
    assert alone.assessment.lesions[0].margin.min_mm == pytest.approx(14.0 - 8.0 - 9.0, abs=0.5)
    assert alone.lesions[0].shortfall.uncovered_ml > 1.0


def test_two_zones_beside_one_that_was_made_are_no_worse_than_one():
    study = scan(GRID, {**TUMOURS, **{role: body for role, body in ZONES.items() if role != "liver"}})
    kept = Kept(study.ablations, {"1": ("1",), "2": ("2",)})
    case, asked = case_of(study), PlanSettings(asked_mm=5.0, spread=Spread(tip_sd_mm=1.0, radius_sd_mm=1.0))
    how = setting(28.0, 28.0)
    zones = [PlannedZone(FIRST - 0.3 * OFF + [0.0, side, 0.0], (0, 1, 0), 28.0, 28.0) for side in (-3.0, 3.0)]
    needles = [needle_without_entry(str(3 + n), "1", how, zone) for n, zone in enumerate(zones)]
    one, two = (planned(case, needles[:count], asked, kept=kept).lesions[0].robustness for count in (1, 2))
    assert all(two.p_at_least[limit] >= one.p_at_least[limit] - 0.004 for limit in one.p_at_least)
    assert two.p_at_least[5.0] > one.p_at_least[5.0] + 0.05
    assert 1.0 >= two.expected_covered[5.0] > one.expected_covered[5.0]


def test_a_missed_needle_beside_a_zone_that_holds_everything_changes_nothing():
    study = scan(GRID, {**TUMOURS, **{role: body for role, body in ZONES.items() if role != "liver"}})
    kept = Kept(study.ablations, {"2": ("2",)})
    far = PlannedZone(SECOND + np.array([0.0, 20.0, 0.0]), (0, 1, 0), 30.0, 30.0)
    plan = planned(
        case_of(study), [needle_without_entry("3", "2", setting(30.0, 30.0), far)], PlanSettings(), kept=kept
    )
    robust = plan.lesions[1].robustness
    assert robust.p_at_least[0.0] == robust.p_at_least[5.0] == 1.0
    assert robust.expected_covered[5.0] == 1.0


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("next")
    pre, post = write_study(folder / "pre", GRID, TUMOURS), write_study(folder / "post", GRID, ZONES)
    ran = ablation("review", pre, post, "-o", folder / "review", "--registration", "identity", "--quiet")
    assert ran.code == 0, ran.stderr
    return folder


def test_the_next_zone_is_planned_for_what_the_review_found_uncovered(reviewed):
    out = reviewed / "next"
    call = [
        "plan",
        reviewed / "post",
        "--from",
        reviewed / "review",
        "--setting",
        "cool-tip-12min",
        "--quiet",
        "--json",
    ]
    ran = ablation(*call, "-o", out)
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    review = json.loads((reviewed / "review" / "result.json").read_text())
    before = {lesion["lesion_id"]: lesion["margin"]["min_mm"] for lesion in review["lesions"]}
    after = {lesion["lesion_id"]: lesion["margin"]["min_mm"] for lesion in document["lesions"]}
    assert before["1"] < 0.0
    assert [(needle["needle"], needle["lesion_id"]) for needle in document["needles"]] == [("3", "1")]
    assert after["1"] > 4.5
    assert after["2"] == pytest.approx(before["2"], abs=0.5)
    assert any("moved to this scan" in note for note in document["notes"])
    assert (out / "zones" / "zone_3.stl").is_file()
    again = ablation(*call[:4], "--plan", out / "plan.toml", "--quiet", "--json", "-o", reviewed / "again")
    margins = [one["margin"] for one in json.loads(again.stdout)["lesions"]]
    assert margins == [one["margin"] for one in document["lesions"]]


def test_the_error_of_the_reviews_registration_is_part_of_the_chances(reviewed, tmp_path):
    shutil.copytree(reviewed / "review", tmp_path / "review")
    path = tmp_path / "review" / "result.json"
    document = json.loads(path.read_text())
    document["lesions"][0]["registration_error_mm"] = 3.0
    path.write_text(json.dumps(document))
    call = [
        "plan",
        reviewed / "post",
        "--from",
        tmp_path / "review",
        "--setting",
        "cool-tip-12min",
        "--quiet",
        "--json",
    ]
    found = json.loads(ablation(*call, "-o", tmp_path / "a").stdout)["spread"]["registration_sd_mm"]
    assert found == pytest.approx(3.0 / np.sqrt(8.0 / np.pi), rel=0.01)
    stated = json.loads(ablation(*call, "--registration-sd", "0", "-o", tmp_path / "b").stdout)["spread"]
    assert stated["registration_sd_mm"] == 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(kind="plan"), "holds no result of one review"),
        (lambda d: d.pop("lesions"), "holds no result of one review"),
        (lambda d: d["provenance"]["inputs_sha256"].update({"post/image": "0"}), "another POST or of other zones"),
        (lambda d: d["provenance"]["inputs_sha256"].update({"post/ablation_3": "0"}), "another POST or of other zones"),
        (
            lambda d: [one.update(status="not_assessable") for one in d["lesions"]],
            "no lesion of the review can be planned",
        ),
    ],
)
def test_a_review_that_does_not_fit_is_refused(reviewed, tmp_path, change, said):
    shutil.copytree(reviewed / "review", tmp_path / "review")
    path = tmp_path / "review" / "result.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    ran = ablation("plan", reviewed / "post", "--from", tmp_path / "review", "-o", tmp_path / "out", "--quiet")
    assert (ran.code, ran.stdout) == (3, "")
    assert said in ran.stderr


def test_the_folder_of_the_review_is_not_written_into(reviewed):
    ran = ablation("plan", reviewed / "post", "--from", reviewed / "review", "-o", reviewed / "review", "--quiet")
    assert ran.code == 3
    assert "OUT is the folder of the review" in ran.stderr
    assert (reviewed / "review" / "result.json").is_file()
