"""`ablation review --plan`: from a plan's folder and two studies to result, report and audit, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import analytic
import numpy as np
import pytest
from cli_runs import ablation
from plan_cases import write_study

from planner.plan.zone import PlannedZone

GRID = analytic.lattice(60.0, (2.0, 1.5, 1.5), shift_mm=(-70.0, 20.0, 130.0))
LIVER = analytic.ellipsoid((-70.0, 20.0, 130.0), (52.0, 45.0, 42.0))
TUMOUR = np.array([-75.0, 15.0, 135.0])
ENTRY, TARGET = np.array([-115.0, -25.0, 150.0]), np.array([-74.0, 15.5, 134.0])
AXIS = (TARGET - ENTRY) / np.linalg.norm(TARGET - ENTRY)
SHIFT_MM = 5.0
PLAN = f"""
[[needle]]
lesion = 1
length_mm = 40.0
width_mm = 30.0
entry_lps_mm = {ENTRY.tolist()}
target_lps_mm = {TARGET.tolist()}
"""


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A plan, and the review of a zone of its size that was made 5 mm too deep."""
    folder = tmp_path_factory.mktemp("outcome")
    made = PlannedZone(TARGET + SHIFT_MM * AXIS, AXIS, 40.0, 30.0)
    pre = write_study(folder / "pre", GRID, {"liver": LIVER, "tumour_1": analytic.ball(TUMOUR, 8.0)})
    post = write_study(folder / "post", GRID, {"liver": LIVER, "ablation_1": made.contains})
    (folder / "wanted.toml").write_text(PLAN, encoding="utf-8")
    planned = ablation("plan", pre, "-o", folder / "plan", "--plan", folder / "wanted.toml", "--quiet")
    assert planned.code == 0, planned.stderr
    out = folder / "review"
    ran = ablation("review", pre, post, "-o", out, "--registration", "identity", "--plan", folder / "plan",
                   "--report-volume", "none", "--quiet")  # fmt: skip
    assert ran.code == 0, ran.stderr
    return folder, out


def test_the_result_tells_what_became_of_the_plan(reviewed: tuple[Path, Path]) -> None:
    folder, out = reviewed
    found = json.loads((out / "result.json").read_text(encoding="utf-8"))
    lesion = found["lesions"][0]
    planned = lesion["planned"]
    stated = json.loads((folder / "plan" / "result.json").read_text(encoding="utf-8"))["lesions"][0]["margin"]
    assert planned["min_mm"] == pytest.approx(stated["min_mm"], abs=1e-3)
    assert planned["min_mm"] > lesion["margin"]["min_mm"]
    assert planned["achieved"]["along_needle_mm"] == pytest.approx(SHIFT_MM, abs=0.1)
    assert planned["achieved"]["across_needle_mm"] == pytest.approx(0.0, abs=0.1)
    assert planned["achieved"]["length_ratio"] == pytest.approx(1.0, abs=0.01)
    assert planned["achieved"]["width_ratio"] == pytest.approx(1.0, abs=0.01)
    assert planned["achieved"]["axis_off_degrees"] == pytest.approx(0.0, abs=0.5)
    towards = np.array(planned["lost_at_lps_mm"]) - TUMOUR
    assert towards @ -AXIS > 0.8 * np.linalg.norm(towards)
    assert {"plan/plan"} <= set(found["provenance"]["inputs_sha256"])


def test_report_and_audit_tell_it_too(reviewed: tuple[Path, Path]) -> None:
    folder, out = reviewed
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h3>Planned and achieved</h3>" in page
    assert "mm deeper along the planned needle" in page
    ran = ablation("audit", out, "-o", folder / "audit", "--quiet")
    assert ran.code == 0, ran.stderr
    table = next(path for path in (folder / "audit").glob("*.csv") if "plan_dice" in path.read_text(encoding="utf-8"))
    with table.open(encoding="utf-8", newline="") as stream:
        row = next(iter(csv.DictReader(stream)))
    assert not [name for name, value in row.items() if name.startswith("plan_") and not value]
    assert 0.6 < float(row["plan_dice"]) < 0.95
    assert float(row["plan_along_needle_mm"]) == pytest.approx(SHIFT_MM, abs=0.1)


def test_without_a_plan_it_is_null_with_a_reason(reviewed: tuple[Path, Path]) -> None:
    folder, _ = reviewed
    ran = ablation("review", folder / "pre", folder / "post", "-o", folder / "bare", "--registration", "identity",
                   "--report-volume", "none", "--quiet", "--json")  # fmt: skip
    lesion = json.loads(ran.stdout)["lesions"][0]
    assert lesion["planned"] is None
    assert any(reason["field"] == "planned" and reason["code"] == "no-plan" for reason in lesion["reasons"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAN.replace("lesion = 1", "lesion = 4"), "lesion 4"),
        (PLAN.replace(f"{TARGET.tolist()}", "[500.0, 0.0, 0.0]"), "outside PRE"),
        ("[[needle]]\nlesion = 1\n", "plan file"),
    ],
)
def test_a_plan_that_is_not_of_this_scan_is_one_line_and_exit_3(
    reviewed: tuple[Path, Path], tmp_path: Path, text: str, said: str
) -> None:
    folder, _ = reviewed
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    ran = ablation("review", folder / "pre", folder / "post", "-o", tmp_path / "out", "--registration", "identity",
                   "--plan", tmp_path / "plan.toml", "--quiet")  # fmt: skip
    assert ran.code == 3
    assert said in ran.stderr
    assert not (tmp_path / "out" / "result.json").exists()


def test_out_is_never_the_folder_of_the_plan(reviewed: tuple[Path, Path]) -> None:
    folder, _ = reviewed
    ran = ablation("review", folder / "pre", folder / "post", "-o", folder / "plan", "--registration", "identity",
                   "--plan", folder / "plan", "--quiet")  # fmt: skip
    assert ran.code == 3
    assert "lies in OUT" in ran.stderr
    assert (folder / "plan" / "result.json").exists()
