"""MR of simulated contrast, from DICOM to report: CT before and MR after, and two sequences."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pydicom
import pytest
from cli_runs import ablation

from pipelines.case_file import CaseFile
from pipelines.sample import write_sample
from pipelines.sample.palettes import CT, HEPATOBILIARY, T2
from pipelines.study import read_study

pytestmark = pytest.mark.slow

COARSE_MM = (4.0, 2.6, 2.6)
SEED = 7
PAIRS = {"CT-T1": (CT, HEPATOBILIARY), "T1-T2": (HEPATOBILIARY, T2)}
DCIODVFY = shutil.which("dciodvfy")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name, palettes in PAIRS.items():
        made[name] = tmp_path_factory.mktemp(name)
        write_sample(SEED, made[name], spacing_kji_mm=COARSE_MM, palettes=palettes)
    return made


@pytest.fixture(scope="module", params=list(PAIRS))
def reviewed(request, folders, tmp_path_factory):
    folder, out = folders[request.param], tmp_path_factory.mktemp("out") / "case"
    ran = ablation("review", folder / "pre", folder / "post", "--case", folder / "case.toml", "-o", out)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return ran, out, truth["lesions"]


def read(folder, study):
    return read_study(folder / study, study, CaseFile(), lambda *_: None)


def test_an_mr_study_is_read_as_one_of_simulated_contrast(folders):
    pre, post = (read(folders["CT-T1"], study) for study in ("pre", "post"))
    assert (pre.study.image.modality, pre.study.simulated, pre.cautions) == ("CT", False, ())
    assert (post.study.image.modality, post.study.simulated) == ("MR", True)
    assert [(c.code, c.text[:25]) for c in post.cautions] == [("simulated-contrast", "POST: simulated contrast:")]


def test_the_masks_are_those_of_the_ct_sample(folders):
    ct, mr = (read(folders[pair], "pre").study for pair in ("CT-T1", "T1-T2"))
    assert ct.masks.keys() == mr.masks.keys()
    assert all((ct.masks[role].voxels_kji == mr.masks[role].voxels_kji).all() for role in ct.masks)


def test_the_contrast_is_that_of_the_sequence(folders):
    """Hepatobiliary: a bright liver, dark vessels and tumours. T2: a dark liver, brighter tumours, dark vessels."""

    def means(study):
        found = read(folders["T1-T2"], study).study
        return {
            role: float(found.image.voxels_kji[mask.voxels_kji].mean())
            for role, mask in found.masks.items()
            if mask.grid.same_lattice(found.image.grid)
        }

    before, after = means("pre"), means("post")
    assert before["portal_vein"] < before["liver"]
    assert before["tumour_1"] < before["liver"]
    assert after["portal_vein"] < after["liver"] < before["liver"] / 2
    assert after["ablation_1"] < after["liver"]


@pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy is not installed (Debian package dicom3tools)")
@pytest.mark.parametrize(("pair", "study"), [("CT-T1", "post"), ("T1-T2", "pre"), ("T1-T2", "post")])
@pytest.mark.parametrize("name", ["MR_0010.dcm", "seg.dcm"])
def test_the_mr_sample_has_no_error_for_dciodvfy(folders, pair, study, name):
    found = subprocess.run(
        [DCIODVFY, "-new", folders[pair] / study / name], capture_output=True, text=True, check=False
    )
    said = (found.stdout + found.stderr).splitlines()
    assert any("MRImage" in line or "Segmentation" in line for line in said)
    assert [line for line in said if line.startswith("Error")] == []


def test_every_mr_file_says_that_it_was_simulated(folders):
    for path in (*folders["CT-T1"].glob("post/MR_*.dcm"), *folders["T1-T2"].glob("*/MR_*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert header.DerivationDescription.startswith("Simulated contrast")
        assert header.SeriesDescription.startswith("Simulated contrast")


def test_a_review_of_mr_ends_in_a_report_whose_pictures_are_labelled(reviewed):
    ran, out, _ = reviewed
    assert ran.code == 0
    assert "simulated contrast: the images were computed" in ran.stdout
    page = (out / "report.html").read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.DOTALL)
    assert len(captions) >= 15
    assert all("simulated contrast" in caption for caption in captions)
    assert "validated on MR" not in page
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert "simulated-contrast" in {reason["code"] for reason in result["reasons"]}


def test_mr_is_never_deformed_without_saying_why(reviewed):
    ran, out, _ = reviewed
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    proof = next(c for c in result["registration"]["checks"] if c["name"] == "proof")
    assert ("deformed, as that proved itself" in proof["text"]) == (result["registration"]["transform"] == "deformable")
    said = " ".join(ran.stdout.split())
    assert "simulated contrast only, never on MR of patients" in said
    assert "between contrasts" in said.lower()


def test_the_margins_of_mr_come_out(reviewed):
    _, out, truth = reviewed
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    for lesion, known in zip(result["lesions"], truth, strict=True):
        assert lesion["margin"]["min_mm"] == pytest.approx(known["min_mm"], abs=2.5)
