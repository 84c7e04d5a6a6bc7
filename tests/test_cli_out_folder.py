"""Where `ablation review` says its report is, what it replaces in OUT, and tilted scans from file to report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from cli_runs import (
    LEFT_BEHIND,
    MIDDLE_MM,
    SHAPE,
    ablation,
    anatomy,
    anatomy_after,
    ball,
    lattice,
    post_study,
    pre_study,
)

AWAY_MM = MIDDLE_MM + np.array([24.0, 0.0, 0.0])


def reviewed(pre: Path, post: Path, out: Path | str) -> str:
    """Review studies that came aligned, see that it went well, and return stdout."""
    ran = ablation("review", pre, post, "-o", out, "--registration", "identity", "--quiet")
    assert ran.code == 0, ran.stderr
    return ran.stdout


def test_a_relative_out_is_printed_as_the_absolute_path_of_the_report(tmp_path, monkeypatch):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    monkeypatch.chdir(tmp_path)
    said = reviewed(pre, post, "out").splitlines()[-1]
    assert said == f"report: {tmp_path / 'out' / 'report.html'}"
    assert (tmp_path / "out" / "report.html").is_file()


def test_the_paper_is_told_of_before_the_page_and_does_not_change_from_run_to_run(tmp_path):
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    said = reviewed(pre, post, tmp_path / "first" / "case").splitlines()
    assert said[-2] == f"on paper: {tmp_path / 'first' / 'case' / 'report.pdf'}"
    reviewed(pre, post, tmp_path / "second" / "case")
    first, second = (tmp_path / name / "case" / "report.pdf" for name in ("first", "second"))
    assert first.read_bytes().startswith(b"%PDF-1.7")
    assert first.read_bytes() == second.read_bytes()


def test_a_review_without_a_typesetter_ends_well_and_says_why_it_left_no_paper(tmp_path, monkeypatch):
    pre, post, out = pre_study(tmp_path / "pre"), post_study(tmp_path / "post"), tmp_path / "out"
    reviewed(pre, post, out)
    assert (out / "report.pdf").is_file()
    monkeypatch.setitem(sys.modules, "typst", None)
    ran = ablation("review", pre, post, "-o", out, "--registration", "identity")
    assert ran.code == 0
    assert {p.name for p in out.iterdir()} == LEFT_BEHIND - {"report.pdf"}
    why = "There is no report.pdf: the typesetter typst, or what it needs, cannot be loaded."
    for text in (ran.stderr, (out / "log.txt").read_text(), (out / "report.html").read_text()):
        assert text.count(why) == 1
    assert "on paper" not in ran.stdout


def test_a_review_replaces_an_older_one_whole_and_leaves_the_files_of_others_alone(tmp_path):
    pre, post, out = pre_study(tmp_path / "pre"), post_study(tmp_path / "post"), tmp_path / "out"
    reviewed(pre, post, out)
    older = (out / "report.html").read_bytes()
    mine = {"thoughts.txt": "mine", "dicom/notes.txt": "mine too", "report-1.html": "a copy"}
    for name, text in mine.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(text)
    reviewed(pre_study(tmp_path / "far", tumour=ball(AWAY_MM, 6.0)), post_study(tmp_path / "post2"), out)
    # A tumour that no zone touches has no margin: the older margin map must not stay beside the newer result.
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert found == (LEFT_BEHIND - {"margin_map.vtp"}) | set(mine)
    assert {name: (out / name).read_text() for name in mine} == mine
    assert json.loads((out / "result.json").read_text())["lesions"][0]["status"] == "not_treated"
    assert (out / "report.html").read_bytes() != older


def tilted() -> np.ndarray:
    """Return a lattice whose slices are shifted against each other along y, as by 15 degrees of gantry tilt."""
    matrix = lattice((0.0, -MIDDLE_MM[2] * np.tan(np.radians(15.0)), 0.0))
    matrix[1, 2] = matrix[2, 2] * np.tan(np.radians(15.0))
    return matrix


def save_tilted(folder: Path, **values_kji: np.ndarray) -> Path:
    """Write files whose sform alone, as a quaternion holds no shear, says where the voxels lie."""
    folder.mkdir()
    for name, values in values_kji.items():
        stored = values.astype(np.uint8) if values.dtype == bool else values
        image = nibabel.Nifti1Image(stored.transpose(2, 1, 0), None)
        image.header.set_sform(np.diag([-1.0, -1.0, 1.0, 1.0]) @ tilted(), code=1)
        nibabel.save(image, folder / f"{name}.nii.gz")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("registration", ["identity", "rigid", "deformable"])
def test_a_tilted_scan_is_reviewed_where_it_lies(tmp_path, registration):
    def sphere(radius_mm: float) -> np.ndarray:
        return ball(MIDDLE_MM, radius_mm, SHAPE, tilted())

    pre = save_tilted(tmp_path / "pre", image=anatomy(), liver=sphere(44.0), tumour=sphere(9.0))
    post = save_tilted(tmp_path / "post", image=anatomy_after(), liver=sphere(44.0), ablation=sphere(16.0))
    ran = ablation("review", pre, post, "-o", tmp_path / "out", "--registration", registration, "--json", "--quiet")
    assert ran.code == 0, ran.stderr
    (lesion,) = json.loads(ran.stdout)["lesions"]
    assert lesion["margin"]["min_mm"] == pytest.approx(16.0 - 9.0, abs=1.2)
    assert np.linalg.norm(np.array(lesion["margin"]["at_lps_mm"]) - MIDDLE_MM) == pytest.approx(9.0, abs=1.5)
    labels = nibabel.load(tmp_path / "out" / "tumour_registered.nii.gz")
    hits = np.argwhere(np.asarray(labels.dataobj))
    centre = (labels.affine[:3, :3] @ hits.mean(axis=0) + labels.affine[:3, 3]) * [-1, -1, 1]
    assert np.linalg.norm(centre - MIDDLE_MM) < 1.0
