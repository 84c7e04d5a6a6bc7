"""`--landmarks` as a user calls it: two small studies that lie 16 mm apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cli_runs import MIDDLE_MM, Ran, ablation, ball, liver, pre_study, study
from transform_files import written

SHIFT_MM = (7.0, -11.0, 9.0)
AROUND_MM = np.array([[14.0, 0, 0], [-14, 3, 0], [0, 15, -4], [2, -14, 5], [0, 4, 13]])
HEADER = "pre_x_mm,pre_y_mm,pre_z_mm,post_x_mm,post_y_mm,post_z_mm,used_for_fitting"


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    pre_study(folder / "pre")
    study(folder / "post", SHIFT_MM, liver=liver(), ablation=ball(MIDDLE_MM, 14.0))
    written(folder / "given.h5", sitk.TranslationTransform(3, [-value for value in SHIFT_MM]))
    return folder


def table(path: Path, before: np.ndarray, after: np.ndarray) -> Path:
    rows = [",".join(f"{v:.3f}" for v in (*a, *b)) + ",no" for a, b in zip(before, after, strict=True)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def points(off_mm: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    before = np.asarray(MIDDLE_MM) + AROUND_MM
    return before + np.array([off_mm, 0.0, 0.0]), before + SHIFT_MM


def review(studies: Path, out: Path, *more: object) -> Ran:
    return ablation(
        "review", studies / "pre", studies / "post", "-o", out, "--registration", studies / "given.h5", "--quiet", *more
    )


@pytest.mark.slow
def test_a_measured_error_stands_in_result_and_report(studies, tmp_path):
    path = table(tmp_path / "zebedee.csv", *points(1.25))
    ran = review(studies, tmp_path / "out", "--landmarks", path)
    assert ran.code == 0, ran.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["lesions"][0]["registration_error_mm"] == pytest.approx(1.25)
    (zone,) = result["registration"]["zones"].values()
    (check,) = [c for c in zone["checks"] if c["name"] == "landmarks"]
    assert check["passed"] is True
    assert zone["gate"] == "pass"
    assert zone["error_ci90_mm"][0] < 1.25 < zone["error_ci90_mm"][1]
    assert "landmarks" in result["provenance"]["inputs_sha256"]
    assert "5 pairs of landmarks" in (tmp_path / "out" / "report.html").read_text()
    for file in (tmp_path / "out").iterdir():
        assert b"zebedee" not in file.read_bytes()


@pytest.mark.slow
def test_a_map_that_landmarks_disprove_has_no_margin(studies, tmp_path):
    path = table(tmp_path / "a.csv", *points(9.0))
    ran = review(studies, tmp_path / "out", "--landmarks", path)
    assert ran.code == 4
    (lesion,) = json.loads((tmp_path / "out" / "result.json").read_text())["lesions"]
    assert lesion["margin"]["min_mm"] is None
    assert "registration-landmarks" in [reason["code"] for reason in lesion["reasons"]]


@pytest.mark.parametrize("fault", ["swapped", "outside", "missing"])
def test_landmarks_that_cannot_be_meant_are_exit_3_and_one_line(studies, tmp_path, fault):
    before, after = points()
    if fault == "swapped":
        path = table(tmp_path / "a.csv", after, before)
    elif fault == "outside":
        path = table(tmp_path / "a.csv", before + 900.0, after)
    else:
        path = tmp_path / "none.csv"
    ran = review(studies, tmp_path / "out", "--landmarks", path)
    assert ran.code == 3
    code = {"swapped": "landmarks-swapped", "outside": "landmarks-outside", "missing": "missing"}[fault]
    assert ran.stderr.startswith(f"error [{code}]")
    assert ran.stderr.splitlines()[1:] == (["  where: none.csv"] if fault == "missing" else [])
    assert not (tmp_path / "out" / "result.json").exists()


def test_a_case_file_may_name_the_landmarks(studies, tmp_path):
    table(tmp_path / "own.csv", *points())
    (tmp_path / "case.toml").write_text('[landmarks]\nfiles = ["none.csv"]\n')
    ran = review(studies, tmp_path / "out", "--landmarks", tmp_path / "own.csv", "--case", tmp_path / "case.toml")
    assert ran.code == 3
    assert ran.stderr.startswith("error [missing]")
