"""The benches run and say what they promise."""

from __future__ import annotations

import importlib.util
import json

import pytest
from cli_runs import ROOT, python

pytestmark = pytest.mark.slow

ROW = {
    "grid",
    "family",
    "method",
    "cases",
    "bias_mm",
    "sd_mm",
    "p95_abs_mm",
    "max_abs_mm",
    "share_over_1mm_high",
    "cpu_s",
}


BENCHES = sorted(path.stem for path in (ROOT / "scripts").glob("bench_*.py"))


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_margin_bench_writes_tables_and_their_rows(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(
        ROOT / "scripts" / "bench_margin.py", "--cases", 1, "--families", "balls", "--grids", "0.8x0.8x3", "sheared",
        "--json", out,
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    assert ran.stderr == ""
    document = json.loads(out.read_text())
    assert document["seed"] == 5000
    pooled = document["pooled"]
    assert all(set(row) == ROW for row in pooled + document["families"])
    methods = {grid: {row["method"] for row in pooled if row["grid"] == grid} for grid in ("0.8x0.8x3", "sheared")}
    assert methods["0.8x0.8x3"] >= {"ablation-planner", "QAM-like", "scipy transform", "surface-distance"}
    assert methods["sheared"] == {"ablation-planner", "QAM-like", "surface nets (VTK)", "marching cubes"}
    ours = next(row for row in pooled if row["method"] == "ablation-planner")
    assert ours["max_abs_mm"] <= 0.5
    assert f"{ours['bias_mm']:.3f}" in next(line for line in ran.stdout.splitlines() if "ablation-planner" in line)
    assert [row["cases"] for row in document["beside"]] == [1, 1]


def test_the_distance_bench_writes_its_rows(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(ROOT / "scripts" / "bench_distances.py", "--cases", 1, "--grids", "1x1x1", "--json", out)
    assert ran.code == 0, ran.stderr
    rows = json.loads(out.read_text())["rows"]
    assert {row["structure"] for row in rows} == {"ball", "plane", "tube"}
    assert all(row["max_abs_mm"] <= 0.5 for row in rows if row["method"] == "ablation-planner")


def test_the_volume_bench_holds_every_method_against_the_truth(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(
        ROOT / "scripts" / "bench_volumes.py", "--cases", 1, "--grids", "0.8x0.8x5", "--families", "ball", "--json", out
    )
    assert ran.code == 0, ran.stderr
    rows = json.loads(out.read_text())["rows"]
    assert {row["method"] for row in rows} == {"ablation-planner", "voxel count", "marching cubes"}
    assert all(row["max_abs_percent"] <= 0.5 for row in rows if row["method"] == "ablation-planner")


def test_the_bench_of_structures_writes_its_rows(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(ROOT / "scripts" / "bench_structures.py", "--seed", 3, "--cases", 1, "--only", "ball-ball", "tube",
                 "ball on tube", "--json", out)  # fmt: skip
    assert ran.code == 0, ran.stderr
    rows = json.loads(out.read_text())["rows"]
    assert {row["phantom"] for row in rows} == {"ball-ball", "tube", "ball on tube"}
    assert {row["method"] for row in rows} == {"ablation-planner", "scipy", "SimpleITK"}
    assert all(row["max_over_mm"] <= row["half_slice_mm"] for row in rows
               if row["method"] == "ablation-planner" and row["asked"] == "distance")  # fmt: skip


def test_the_interval_bench_counts_both_constructions_in_every_stratum(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(
        ROOT / "scripts" / "bench_interval.py", "--seed", 3, "--cases", 1, "--errors", 0, 2,
        "--families", "concentric", "aimed_lobulated", "--json", out,
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    document = json.loads(out.read_text())
    every = {row["construction"]: row for row in document["strata"] if row["stratum"] == "all"}
    assert {name: row["cases"] for name, row in every.items()} == {"ours": 4, "section 4": 4}
    assert {"TRE 0 mm", "TRE 2 mm", "concentric", "aimed_lobulated"} <= {row["stratum"] for row in document["strata"]}
    assert sum(row["statements"] for row in document["reliability"] if row["construction"] == "ours") == 12
    for row in document["rows"]:
        assert row["ours"]["low_mm"] < row["ours"]["high_mm"]
        assert abs(row["measured_mm"] - row["true_mm"]) < 12.0


def test_the_margin_bench_limits_margins_by_the_liver(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(
        ROOT / "scripts" / "bench_margin.py", "--suite", "capsule", "--cases", 1, "--grids", "0.8x0.8x3", "--json", out
    )
    assert ran.code == 0, ran.stderr
    ours = [row for row in json.loads(out.read_text())["pooled"] if row["method"] == "ablation-planner"]
    assert len(ours) == 1
    assert ours[0]["max_abs_mm"] < 0.6


def test_the_table_of_roughness_is_what_its_bench_draws(tmp_path):
    out = tmp_path / "rows.json"
    ran = python(ROOT / "scripts" / "bench_roughness.py", "--seed", 1, "--cases", 200, "--json", out)
    assert ran.code == 0, ran.stderr
    for row in json.loads(out.read_text())["rows"]:
        assert row["lowering"] == pytest.approx(row["used"], abs=4.0 * row["standard_error"])
        assert row["scatter"] == pytest.approx(row["used_scatter"], rel=0.2)


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_explains_its_options(name):
    ran = python(ROOT / "scripts" / f"{name}.py", "--help")
    assert ran.code == 0, ran.stderr
    assert all(option in ran.stdout for option in ("--seed", "--cases", "--json"))


def row(true, margin, low, high, given, tre=1.0):
    return {
        "true_mm": true, "margin_mm": margin, "low_mm": low, "high_mm": high, "rigid_margin_mm": margin,
        "margin_true_map_mm": given, "tre_mm": tre, "tre_ring_mm": tre, "tre_rigid_mm": 2 * tre,
        "predicted_tre_mm": 1.5, "cpu_s": 9.0,
        "distance_errors_mm": [0.2, -1.6], "distance_intervals_hold": 1, "distances_known": 3,
    }  # fmt: skip


def test_the_review_bench_counts_what_it_says():
    rows = [row(5.0, 5.5, 4.0, 6.0, 5.2), row(2.0, 1.0, 0.5, 1.5, 3.5, tre=3.0), row(-1.0, None, None, None, -1.1)]
    found = script("bench_review").summary(rows)
    assert (found["lesions"], found["assessed"]) == (3, 2)
    assert found["abs_error_median_mm"] == pytest.approx(0.75)
    assert found["bias_mm"] == pytest.approx(-0.25)
    assert found["interval_holds_truth"] == 1
    assert found["interval_width_median_mm"] == pytest.approx(1.5)
    assert found["true_map_within_1mm"] == 2
    assert found["true_map_abs_error_median_mm"] == pytest.approx(0.2)
    assert found["tre_lesion_mean_mm"] == pytest.approx(5 / 3)
    assert found["tre_rigid_mean_mm"] == pytest.approx(10 / 3)
    assert (found["distances"], found["distances_known"], found["distances_within_1.5mm"]) == (6, 9, 3)
    assert found["distance_abs_error_median_mm"] == pytest.approx(0.9)
    assert found["distance_intervals_hold"] == 3
