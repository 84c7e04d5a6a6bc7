"""The bench of the registration judges maps by the known motion: maps of a known error get just that."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
import pytest
from analytic import Points
from ball_source import made, script, source
from cli_runs import ROOT, python

from planner.grid import Grid
from planner.register.alignment import Alignment, Displacement, SpatialMap
from planner.register.prepare import working_scan
from planner.register.settings import RegistrationSettings

COARSE = RegistrationSettings(working_mm=4.0)
MOTIONS = ("ring_mm", "ring_p95_mm", "tumour_mm", "tumour_max_mm", "liver_mm")


@dataclass(frozen=True)
class Known:
    """A map off by a constant: the true motion after a shift of POST's points."""

    motion: object
    shift_mm: Points
    displacement: None = None

    def pre_from_post(self, points: Points) -> Points:
        return self.motion.pre_from_post(points - self.shift_mm)

    def post_from_pre(self, points: Points) -> Points:
        return self.motion.post_from_pre(points) + self.shift_mm


@pytest.fixture(scope="module")
def bench():
    return script("bench_registration")


@pytest.fixture(scope="module")
def case():
    return made(1)


def judge_of(case):
    post, pre = (working_scan(scan, COARSE) for scan in (case.post, case.pre))
    return script("bench_registration").Judge.of(case, post, pre)


@pytest.fixture(scope="module")
def judge(case):
    return judge_of(case)


def sampled(case, grid: Grid) -> SpatialMap:
    """The true motion as a displacement on a lattice of POST, as a registration would give it."""
    post = grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T)
    vectors = (case.motion.pre_from_post(post) - post).reshape(*grid.shape_kji, 3)
    return SpatialMap(np.eye(4), Displacement(vectors.astype(np.float32), grid))


def test_the_true_map_has_no_error(judge, case) -> None:
    found = judge.errors(Known(case.motion, np.zeros(3)))
    assert [found[name] for name in MOTIONS] == pytest.approx([0.0] * len(MOTIONS), abs=1e-4)
    assert found["margin_error_mm"] == pytest.approx(0.0, abs=1e-6)
    assert found["folds"] == 0.0
    without = judge.errors(Known(case.motion.uncontracted(), np.zeros(3)))
    assert case.contraction > 0.0
    assert without["margin_error_mm"] == pytest.approx(found["of_contraction_mm"])
    assert found["of_contraction_mm"] < 0.0  # without it the tumour is taken for larger than it has become
    assert 0.88 < found["dice"] < 1.0  # both masks have errors of their own


def test_the_true_map_on_a_lattice_has_next_to_none(judge, case) -> None:
    found = judge.errors(sampled(case, judge.post.grid))
    assert found["ring_mm"] < 0.15
    assert found["tumour_mm"] < 0.15
    assert abs(found["margin_error_mm"]) < 0.2
    assert found["folds"] < 0.01


@pytest.mark.parametrize("shift_mm", [(0.0, 0.0, 3.0), (-2.0, 1.0, 2.0)])
def test_a_map_off_by_a_shift_has_that_error_at_the_tumour_and_about_that_in_the_liver(judge, case, shift_mm) -> None:
    shift = np.array(shift_mm)
    found = judge.errors(Known(case.motion, shift))
    assert found["tumour_mm"] == pytest.approx(3.0, abs=1e-4)
    assert found["tumour_max_mm"] == pytest.approx(3.0, abs=1e-4)
    assert found["ring_mm"] == pytest.approx(3.0, rel=0.15)  # in PRE: tissue is stretched a little
    assert found["liver_mm"] == pytest.approx(3.0, rel=0.15)
    assert found["margin_mm"] == pytest.approx(case.margin_mm(judge.tumour_mm[1]))
    moved = case.margin_mm(case.motion.post_from_pre(judge.tumour_mm[0]) + shift)
    assert found["margin_error_mm"] == pytest.approx(moved - found["margin_mm"], abs=1e-6)
    assert abs(found["margin_error_mm"]) <= 3.0


def test_a_rigid_map_alone_is_off_by_what_it_does_not_follow(judge, case) -> None:
    """Identity: the mean distance that the points moved."""
    found = judge.errors(SpatialMap.identity())
    assert found["liver_mm"] == pytest.approx(np.linalg.norm(np.subtract(*judge.liver_mm), axis=1).mean())
    assert found["liver_mm"] > 4.0
    assert found["dice"] < judge.errors(Known(case.motion, np.zeros(3)))["dice"] - 0.05


@pytest.mark.parametrize("away_mm", [0.0, 150.0])
def test_the_ring_is_liver_near_the_zone_that_both_scans_show(away_mm) -> None:
    case = made(2, 0.0, away_mm, turned_deg=0.15 * away_mm)
    before, after = judge_of(case).ring_mm
    assert len(before) > 100
    assert case.motion.pre_from_post(after) == pytest.approx(before, abs=1e-4)
    gap = np.linalg.norm(case.motion.near(after) - case.zone.centre_mm, axis=1)
    zone = case.zone.samples(500).points_mm
    radius = np.linalg.norm(zone - case.zone.centre_mm, axis=1)
    assert gap.min() > radius.min() + 4.5
    assert gap.max() < radius.max() + 30.5
    assert case.post.image.grid.contains(after).all()


def test_a_map_that_turns_space_inside_out_folds_everywhere_and_has_no_margin(bench, judge) -> None:
    grid = judge.post.grid
    post = grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T).reshape(*grid.shape_kji, 3)
    inside_out = SpatialMap(np.eye(4), Displacement((-2.5 * post).astype(np.float32), grid))
    assert bench.folded(inside_out, judge.post) == 1.0
    found = judge.errors(inside_out)
    assert np.isnan(found["margin_error_mm"])
    assert np.isnan(found["tumour_mm"])


def task(bench, **changes):
    return replace(bench.Task("sample", 1, 0.0, 0.0, 0.0, "", peers=False, full=False), **changes)


def test_a_case_has_a_row_of_ours_and_one_of_the_rigid_motion(bench, case, monkeypatch) -> None:
    """With a registration that finds the truth, and a rigid motion that finds nothing."""
    seen = []

    def found(pre, post, zones, settings) -> Alignment:
        seen.append((pre, post, set(zones)))
        true = Known(case.motion, np.zeros(3))
        return Alignment("deformable", true, SpatialMap.identity(), error_at_zone_mm={"1": 1.5})

    monkeypatch.setattr(bench, "source_of", lambda _: source())
    monkeypatch.setattr(bench, "make_after", lambda *_: case)
    monkeypatch.setattr(bench, "register", found)
    ours, rigid = bench.measure(task(bench))
    assert seen == [(case.pre, case.post, {"1"})]
    assert (ours["method"], rigid["method"]) == ("ablation-planner", "rigid (ours)")
    for row in (ours, rigid):
        assert (row["source"], row["seed"], row["kind"]) == ("sample", 1, "deformable")
        assert (row["contraction"], row["predicted_mm"]) == (case.contraction, 1.5)
    assert ours["tumour_mm"] == pytest.approx(0.0, abs=1e-4)
    assert ours["cpu_s"] >= 0.0
    assert np.isnan(rigid["cpu_s"])
    assert rigid["tumour_mm"] > 4.0


def row(method: str, seed: int, tumour_mm: float, margin_error_mm: float, source_name: str = "sample"):
    return {
        "source": source_name, "seed": seed, "method": method, "ring_mm": tumour_mm + 1.0, "ring_p95_mm": 4.0,
        "tumour_mm": tumour_mm, "tumour_max_mm": 2.0 * tumour_mm, "liver_mm": 3.0, "margin_error_mm": margin_error_mm,
        "of_contraction_mm": -0.25, "dice": 0.9, "folds": 0.01 * seed, "cpu_s": 8.0, "memory_mb": 100.0 * seed,
    }  # fmt: skip


def test_the_table_pools_the_cases_of_a_source_by_method(bench) -> None:
    ours, rigid = "ablation-planner", "rigid (ours)"
    rows = [row(ours, 1, 1.0, -0.5), row(rigid, 1, 4.0, 2.0), row(ours, 2, 3.0, 1.5), row(rigid, 2, 2.0, -1.0)]
    table = bench.table([*rows, row(ours, 1, 99.0, 99.0, "real"), row(rigid, 1, 9.0, 9.0, "real")], "sample")
    by_method = {found["method"]: found for found in table}
    assert set(by_method) == {ours, rigid}
    found = by_method[ours]
    assert (found["cases"], found["tumour_mm"], found["ring_mm"], found["tumour_max_mm"]) == (2, 2.0, 3.0, 6.0)
    assert (found["margin_median_mm"], found["margin_bias_mm"]) == (1.0, 0.5)
    assert (found["of_contraction_mm"], found["besides_median_mm"]) == (-0.25, 1.0)  # of 0.25 and 1.75
    assert (found["worse_than_rigid"], by_method[rigid]["worse_than_rigid"]) == (1, 0)
    assert (found["folds"], found["memory_mb"]) == (0.02, 200.0)
    assert bench.table(rows, "real") == []


def options(**changes) -> argparse.Namespace:
    plain = {"cases": 2, "real": 0, "seed": 40, "away": 0.0, "turned": 0.0, "missing": None, "elastix": "",
             "no_peers": False, "full": False}  # fmt: skip
    return argparse.Namespace(**plain | changes)


def test_the_options_become_cases(bench) -> None:
    tasks = bench.tasks_of(options(real=1, away=80.0, turned=20.0, no_peers=True))
    assert [(t.source, t.seed) for t in tasks] == [("sample", 40), ("sample", 41), ("real", 40)]
    assert {(t.away_mm, t.turned_deg, t.missing, t.peers) for t in tasks} == {(80.0, 20.0, None, False)}
    assert all(t.peers for t in bench.tasks_of(options()))


def test_every_fourth_case_lacks_a_part_of_the_liver_unless_a_share_is_asked_for(bench) -> None:
    wanted = [bench.wanted_of(task(bench, seed=seed, missing=None, away_mm=9.0)) for seed in range(40, 60)]
    lacks = [abs(one.missing) for one in wanted]
    assert all(0.1 <= share <= 0.4 for share in lacks[::4])
    assert not any(share for n, share in enumerate(lacks) if n % 4)
    assert {one.missing > 0 for one in wanted[::4]} == {True, False}
    assert {one.pre_kji_mm[0] for one in wanted} <= {1.0, 1.5, 2.0, 3.0, 5.0}
    assert {one.away_mm for one in wanted} == {9.0}
    assert bench.wanted_of(task(bench, seed=40, missing=-0.25)).missing == -0.25
    assert bench.wanted_of(task(bench, source="real", seed=41)).post_kji_mm in ((3.0, 3.0, 3.0), (5.0, 2.7, 2.7))


def test_real_cases_without_the_real_ct_are_refused_in_one_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ABLATION_TEST_DATA", str(tmp_path))
    ran = python(ROOT / "scripts" / "bench_registration.py", "--real", 1)
    assert ran.code == 2
    assert "ABLATION_TEST_DATA" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr


def test_a_case_without_room_for_a_lesion_is_left_out(bench, monkeypatch) -> None:
    def none(*_: object) -> None:
        raise bench.NoSiteError("no room")

    monkeypatch.setattr(bench, "source_of", lambda _: source())
    monkeypatch.setattr(bench, "make_after", none)
    assert bench.measure(task(bench)) == []
