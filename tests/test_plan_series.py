"""Tumours of 20 to 50 mm, the three of the sample, a real CT: a zone that holds the target, or what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from cli_runs import ROOT, ablation
from moved_pair import DATA
from plan_cases import stretched_ball

from pipelines.catalogue import packaged_chart
from planner.plan.place import best_placement, largest_margin
from planner.plan.shortfall import filled_target, shortfall_of
from planner.plan.target import Growing

pytestmark = pytest.mark.slow

ZONES = ((40.0, 30.0), (45.0, 37.0), (50.0, 40.0))


@pytest.mark.parametrize("asked_mm", [5.0, 10.0])
@pytest.mark.parametrize("diameter_mm", [20.0, 30.0, 40.0, 50.0])
def test_a_ball_is_held_by_one_zone_or_the_shortfall_is_told(diameter_mm, asked_mm):
    """One zone of width w holds a ball of diameter d with a margin m exactly if d + 2 m is at most w."""
    tumour = stretched_ball((10.0, -20.0, 30.0), diameter_mm / 2.0)
    growing = Growing(tumour, None, 30.0)
    filled, size_ml = filled_target(tumour, asked_mm, None)
    for length_mm, width_mm in ZONES:
        found = best_placement(growing.by(asked_mm), length_mm, width_mm)
        needed_mm = diameter_mm + 2.0 * asked_mm
        assert found.scale == pytest.approx(needed_mm / width_mm, rel=0.01)
        short = shortfall_of(tumour, filled, size_ml, [found.zone])
        assert found.covers == (found.scale <= 1.0)
        if needed_mm < 0.99 * width_mm:
            assert (found.covers, short.uncovered_ml, short.where) == (True, 0.0, None)
        if needed_mm > 1.05 * width_mm:
            assert not found.covers
            assert short.uncovered_ml > 0.0
            assert short.where is not None
        largest = largest_margin(growing.by, length_mm, width_mm, 30.0)
        reserve_mm = (width_mm - diameter_mm) / 2.0
        assert (largest is None) == (reserve_mm < 0.0)
        assert largest is None or largest[0] == pytest.approx(reserve_mm, abs=0.05)


def test_the_three_lesions_of_the_sample_get_a_zone_each_that_holds_the_target(tmp_path):
    sample = ROOT / "sample_data"
    ran = ablation(
        "plan", sample / "pre", "-o", tmp_path / "out", "--case", sample / "case.toml", "--quiet", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert [lesion["lesion_id"] for lesion in document["lesions"]] == ["1", "2", "3"]
    for lesion in document["lesions"]:
        plan, margin = lesion["plan"], lesion["margin"]["min_mm"]
        assert [trial["setting"] for trial in plan["trials"]] == [
            one.id for one in packaged_chart() if not one.averaged
        ]
        assert margin > 5.0 - 0.15  # a ball's corners and a fitted surface differ by that
        assert plan["uncovered_ml"] == pytest.approx(0.0, abs=0.02)
        for trial in plan["trials"]:
            assert trial["covers"] is (trial["scale_needed_ratio"] <= 1.0)
            assert not trial["covers"] or trial["largest_margin_mm"] >= 5.0
        chances = [plan["p_at_least"][limit] for limit in ("0", "5", "10")]
        assert chances == sorted(chances, reverse=True)
        assert 0.0 < chances[1] < 1.0
    ran = ablation(
        "plan", sample / "pre", "-o", tmp_path / "far", "--case", sample / "case.toml", "--margin", "10", "--quiet",
        "--json", "--setting", "cool-tip-12min",
    )  # fmt: skip
    for lesion in json.loads(ran.stdout)["lesions"]:
        (trial,) = lesion["plan"]["trials"]
        assert trial["covers"] is False
        assert lesion["margin"]["min_mm"] == pytest.approx(trial["largest_margin_mm"], abs=0.2)
        assert lesion["plan"]["uncovered_ml"] > 0.0
        assert lesion["plan"]["uncovered_towards"]


@pytest.mark.real_data
@pytest.mark.skipif(not DATA.is_dir(), reason="real test data not found: set ABLATION_TEST_DATA")
def test_real_anatomy_is_planned_without_a_refusal_and_what_it_does_not_show_is_unknown(tmp_path):
    """A CT at 3 mm with TotalSegmentator's masks; the tumour is painted into its liver."""
    real = DATA / "totalseg_ct_3mm"
    pre = tmp_path / "pre"
    (pre / "segmentations").mkdir(parents=True)
    for mask in (real / "segmentations").iterdir():
        (pre / "segmentations" / mask.name).write_bytes(mask.read_bytes())
    (pre / "image.nii.gz").write_bytes((real / "image.nii.gz").read_bytes())
    liver = nibabel.load(real / "segmentations" / "liver.nii.gz")
    voxels = np.asarray(liver.dataobj) > 0
    points = nibabel.affines.apply_affine(liver.affine, np.argwhere(voxels)) * (-1.0, -1.0, 1.0)
    middle = points[np.argmin(np.linalg.norm(points - points.mean(axis=0), axis=1))]
    ball = np.zeros(voxels.shape, dtype=np.uint8)
    every = nibabel.affines.apply_affine(liver.affine, np.argwhere(np.ones(voxels.shape, bool))) * (-1.0, -1.0, 1.0)
    ball[(np.linalg.norm(every - middle, axis=1) <= 9.0).reshape(voxels.shape)] = 1
    nibabel.save(nibabel.Nifti1Image(ball, liver.affine), pre / "tumour_1.nii.gz")
    entry = middle + np.array([-60.0, -90.0, 0.0])
    plan = Path(tmp_path, "p.toml")
    plan.write_text(
        '[[needle]]\nlesion = 1\nsetting = "cool-tip-12min"\n'
        f"entry_lps_mm = {entry.tolist()}\ntarget_lps_mm = {middle.tolist()}\n"
    )
    ran = ablation("plan", pre, "-o", tmp_path / "out", "--plan", plan, "--quiet", "--json")
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    (needle,) = document["needles"]
    (lesion,) = document["lesions"]
    drawn = {d["structure"] for d in needle["distances"]}
    assert {"colon", "stomach", "gallbladder", "kidney_right"} <= drawn
    assert any(name.startswith("rib") for name in drawn)
    assert any(name.startswith("lung") for name in drawn)
    assert all(d["mm"] is not None for d in needle["distances"])
    assert {"hepatic_vein", "hepatic_artery", "bile_duct", "diaphragm"} <= set(needle["unknown_structures"])
    assert not {"colon", "stomach", "rib", "lung", "heart", "ivc", "portal_vein"} & set(needle["unknown_structures"])
    assert lesion["margin"]["min_mm"] == pytest.approx(15.1 - 9.0, abs=1.5)
    proposed = ablation("plan", pre, "-o", tmp_path / "proposed", "--quiet", "--json")
    assert proposed.code == 0, proposed.stderr
    assert json.loads(proposed.stdout)["lesions"][0]["margin"]["min_mm"] >= 4.5
