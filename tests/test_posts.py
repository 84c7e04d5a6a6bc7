"""Several studies after one ablation: one result each, in the order of time, and one report of all."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from cli_runs import (
    LEFT_BEHIND,
    MIDDLE_MM,
    SPACING_KJI_MM,
    Ran,
    ablation,
    anatomy,
    anatomy_after,
    ball,
    post_study,
    pre_study,
)
from dicom_files import affine, series_datasets, write, write_seg
from test_seg import code_of

from planner.report.trend import EXPECTED, ORDERS

pytestmark = pytest.mark.slow

IDENTITY = ("--registration", "identity")
ABLATED = "[facts]\nablation_date = 2024-03-01\n"
REPORTS = tuple(f"post_{number}report.{kind}" for number in (1, 2) for kind in ("html", "pdf"))
DATES = ("20240110", "20240302", "20240415", "2024-03-01", "2024-01-10")


def result(out: Path) -> dict:
    return json.loads((out / "result.json").read_text())


def case_of(folder: Path, text: str) -> tuple[str, Path]:
    path = folder / "case.toml"
    path.write_text(text)
    return "--case", path


def ball_study(folder: Path, day: str | None, **masks: np.ndarray) -> Path:
    """Write a DICOM study of that day with its masks as a SEG."""
    matrix = affine(origin=(0.0, 0.0, 0.0), spacing=(SPACING_KJI_MM[2], SPACING_KJI_MM[1], SPACING_KJI_MM[0]))
    image = anatomy_after() if "ablation" in masks else anatomy()
    slices = series_datasets(image.astype(np.int32) + 1024, matrix, StudyDate="", AcquisitionDate=day)
    write(slices, folder / "ct")
    write_seg(folder / "seg.dcm", slices, masks, {role: code_of(role) for role in masks})
    return folder


@pytest.fixture(scope="module")
def dicom(tmp_path_factory) -> Path:
    """Return a folder with PRE of 10 January and three POSTs: 15 April (a smaller zone), 2 March, and no known day."""
    folder = tmp_path_factory.mktemp("dicom")
    ball_study(folder / "pre", "20240110", tumour=ball(MIDDLE_MM, 9.0))
    ball_study(folder / "late", "20240415", ablation=ball(MIDDLE_MM, 8.0))
    ball_study(folder / "early", "20240302", ablation=ball(MIDDLE_MM, 14.0))
    ball_study(folder / "undated", None, ablation=ball(MIDDLE_MM, 13.0))
    return folder


@pytest.fixture(scope="module")
def two(dicom) -> tuple[Path, Ran]:
    """Return the result of the two dated posts, given in the wrong order."""
    out = dicom / "runs" / "two"
    call = ("review", dicom / "pre", dicom / "late", dicom / "early", "-o", out, *IDENTITY)
    return out, ablation(*call, *case_of(dicom, ABLATED))


def test_each_post_has_a_whole_result_in_the_order_of_days(two):
    out, ran = two
    assert ran.code == 0, ran.stderr
    assert {p.name for p in out.iterdir()} == {"result.json", "report.html", "log.txt", "post_1", "post_2"}
    for number, days, smallest in ((1, 1.0, 3.0), (2, 45.0, -3.0)):
        folder = out / f"post_{number}"
        assert {p.name for p in folder.iterdir()} == LEFT_BEHIND
        timing = result(folder)["timing"]
        assert (timing["post_number"], timing["posts"], timing["days_since_ablation"]) == (number, 2, days)
        assert timing["pre_days_before_ablation"] == 51.0
        assert timing["flags"] == ["old_pre_scan"]
        assert result(folder)["lesions"][0]["margin"]["min_mm"] == pytest.approx(smallest, abs=2.5)
        assert result(folder)["lesions"][0]["ltp"]["population"]["scan_days"] == ("mismatch", "match")[number - 1]
        assert f"study {number} of 2 after the ablation" in (folder / "log.txt").read_text()


def test_the_common_result_lists_the_posts_without_lesions_of_its_own(two):
    out, _ = two
    whole = result(out)
    assert (whole["schema_version"], whole["case_id"], whole["status"]) == (1, "two", "assessed")
    assert whole["patient_key"] == result(out / "post_1")["patient_key"]
    assert "lesions" not in whole
    assert whole["order"] == "days_since_ablation"
    assert [post["folder"] for post in whole["posts"]] == ["post_1", "post_2"]
    for post in whole["posts"]:
        (short,), (lesion,) = post["lesions"], result(out / post["folder"])["lesions"]
        assert short["min_mm"] == lesion["margin"]["min_mm"]
        assert short["ci95_mm"] == lesion["margin"]["ci95_mm"]
        assert short["ablation_ml"] == lesion["ablation_ml"]
        assert post["timing"] == result(out / post["folder"])["timing"]
        assert short["gate"] in ("pass", "warn")


def test_the_common_report_shows_the_trend_and_calls_it_nothing(two):
    out, ran = two
    page = (out / "report.html").read_text()
    assert ORDERS["days_since_ablation"] in page
    assert EXPECTED.split("'")[0] in page
    assert "not covered on these images" in page
    assert page.count("<img ") == 1
    for number in (1, 2):
        assert f'href="post_{number}/report.html"' in page
        assert f'href="post_{number}/report.html#lesion-1"' in page
    text = re.sub('<style>.*?</style>|data:[^"]*', "", page, flags=re.DOTALL).lower()
    for word in ("progress", "recur", "relapse", "advise", "recommend", "should"):
        assert word not in text
    assert "Lesion 1, minimal margin: day 1: " in ran.stdout
    assert "; day 45: -" in ran.stdout
    assert ran.stdout.splitlines()[-1] == f"report: {out / 'report.html'}"


def test_no_date_reaches_the_terminal_or_any_file_but_a_report(two, dicom):
    out, ran = two
    texts = [ran.stdout, ran.stderr]
    for path in (p for p in out.rglob("*") if p.is_file() and p.parent.name + p.name not in REPORTS):
        texts += [
            path.name,
            re.sub(r'"written_at": "[^"]*"|<td>20\d\d-[^<]*</td>', "", path.read_text(errors="replace")),
        ]
    for text in texts:
        assert not any(day in text for day in DATES)


def test_the_same_call_gives_the_same_result(two, dicom, tmp_path):
    out, _ = two
    again = tmp_path / "two"
    call = ("review", dicom / "pre", dicom / "early", dicom / "late", "-o", again, *IDENTITY, "--quiet")
    assert ablation(*call, *case_of(dicom, ABLATED)).code == 0
    first, second = result(out), result(again)
    for document in (first, second):
        document["provenance"].pop("written_at")
    assert first == second
    assert [lesion["margin"] for lesion in result(out / "post_1")["lesions"]] == [
        lesion["margin"] for lesion in result(again / "post_1")["lesions"]
    ]


def test_where_a_day_is_not_known_the_order_is_that_of_the_call(dicom, tmp_path):
    out = tmp_path / "out"
    ran = ablation("review", dicom / "pre", dicom / "late", dicom / "undated", "-o", out, *IDENTITY, "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout) == result(out)
    assert result(out)["order"] == "call"
    assert [post["timing"]["days_between_studies"] for post in result(out)["posts"]] == [96.0, None]
    assert ORDERS["call"] in (out / "report.html").read_text()


def test_without_a_day_of_ablation_the_order_is_that_of_the_scans(dicom, tmp_path):
    out = tmp_path / "out"
    ran = ablation("review", dicom / "pre", dicom / "late", dicom / "early", "-o", out, *IDENTITY, "--quiet")
    assert ran.code == 0, ran.stderr
    assert result(out)["order"] == "scan_dates"
    assert [post["timing"]["days_between_studies"] for post in result(out)["posts"]] == [52.0, 96.0]
    assert [post["days_since_ablation"] for post in result(out)["posts"]] == [None, None]
    assert ORDERS["scan_dates"] in (out / "report.html").read_text()


def test_a_post_that_cannot_be_read_leaves_the_others_their_results(dicom, tmp_path):
    broken = shutil.copytree(dicom / "late", tmp_path / "zebedee")
    path = sorted((broken / "ct").iterdir())[3]
    path.write_bytes(path.read_bytes()[:-30])
    out = tmp_path / "out"
    ran = ablation("review", dicom / "pre", broken, dicom / "early", "-o", out, *IDENTITY, "--quiet")
    assert ran.code == 8
    assert {p.name for p in out.iterdir()} == {"result.json", "report.html", "log.txt", "post_1"}
    first, second = result(out)["posts"]
    assert (first["folder"], first["status"], second["folder"], second["status"]) == (
        "post_1", "assessed", None, "failed"
    )  # fmt: skip
    assert second["reason"]["code"] == "truncated-file"
    assert second["timing"] is None
    assert [reason["code"] for reason in result(out)["reasons"]] == ["post-failed"]
    said, where = ran.stderr.splitlines()
    assert said.startswith("error [truncated-file]: study 2 after the ablation: POST: ")
    assert where == f"  where: {path.name}"
    page = (out / "report.html").read_text()
    assert "study 2 after the ablation has no result" in page
    assert said in (out / "log.txt").read_text()
    assert "zebedee" not in page + (out / "result.json").read_text() + (out / "log.txt").read_text()


def test_where_no_post_can_be_read_the_log_alone_is_left(dicom, tmp_path):
    out = tmp_path / "out"
    call = ("review", dicom / "pre", tmp_path / "no", tmp_path / "none", "-o", out, *IDENTITY, "--quiet")
    ran = ablation(*call)
    assert ran.code == 3
    assert "error [missing]: POST: no such folder" in ran.stderr
    assert {p.name for p in out.iterdir()} == {"log.txt"}


def test_a_bug_or_an_interrupt_keeps_nothing(dicom, tmp_path, monkeypatch):
    import pipelines.store.posts

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipelines.store.posts, "sync_folder", interrupted)
    out = tmp_path / "out"
    ran = ablation("review", dicom / "pre", dicom / "late", dicom / "early", "-o", out, *IDENTITY, "--quiet")
    assert ran.code == 130
    assert [p.name for p in out.rglob("result.json")] == []
    assert (out / "log.txt").read_text().endswith("interrupted\n")


def test_a_later_review_into_the_folder_takes_the_posts_back(dicom, tmp_path):
    out = tmp_path / "out"
    both = ("review", dicom / "pre", dicom / "late", dicom / "early", "-o", out, *IDENTITY, "--quiet")
    assert ablation(*both).code == 0
    (out / "post_2" / "mine.txt").write_text("kept")
    assert ablation("review", dicom / "pre", dicom / "early", "-o", out, *IDENTITY, "--quiet").code == 0
    assert {p.name for p in out.iterdir()} == {*LEFT_BEHIND, "post_2"}
    assert {p.name for p in (out / "post_2").iterdir()} == {"mine.txt"}
    assert result(out)["timing"]["posts"] == 1
    assert ablation(*both).code == 0
    assert {p.name for p in (out / "post_2").iterdir()} == {*LEFT_BEHIND, "mine.txt"}


def test_a_result_of_another_review_is_not_overwritten(dicom, tmp_path):
    out = tmp_path / "out"
    assert ablation("review", dicom / "pre", dicom / "early", "-o", out / "post_1", *IDENTITY, "--quiet").code == 0
    before = (out / "post_1" / "result.json").read_bytes()
    ran = ablation("review", dicom / "pre", dicom / "late", dicom / "early", "-o", out, *IDENTITY, "--quiet")
    assert ran.code == 5
    assert "post_1 there holds another result" in ran.stderr
    assert (out / "post_1" / "result.json").read_bytes() == before


def test_a_study_where_a_result_is_to_go_is_refused(dicom, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(dicom / "early", out / "post_2")
    ran = ablation("review", dicom / "pre", dicom / "late", out / "post_2", "-o", out, *IDENTITY, "--quiet")
    assert ran.code == 3
    assert "error [input-in-output]: POST number 2: lies in OUT" in ran.stderr
    assert (out / "post_2" / "seg.dcm").exists()


@pytest.fixture(scope="module")
def voxels(tmp_path_factory) -> Path:
    """Return a folder with PRE and two POSTs as NIfTI, the second one's zone under a name of no role."""
    folder = tmp_path_factory.mktemp("nifti")
    pre_study(folder / "pre")
    post_study(folder / "post")
    post_study(folder / "later", ablation=ball(MIDDLE_MM, 11.0))
    (folder / "later" / "ablation.nii.gz").rename(folder / "drawn.nii.gz")
    return folder


def test_the_case_file_states_posts_their_days_masks_and_pairs(voxels, tmp_path):
    text = (
        f'[[post]]\npath = "{voxels}/post"\ndays_since_ablation = 30\n'
        "[[post]]\ndays_since_ablation = 0\n"
        f'[[mask]]\nstudy = "post_2"\nrole = "ablation"\nfile = "{voxels}/drawn.nii.gz"\n'
        '[[pair]]\nlesion = 1\nzones = [1]\n[[pair]]\nstudy = "post_2"\nlesion = 1\nzones = [1]\n'
    )
    out = tmp_path / "out"
    call = ("review", voxels / "pre", voxels / "nowhere", voxels / "later", "-o", out, *IDENTITY, "--quiet")
    ran = ablation(*call, *case_of(tmp_path, text))
    assert ran.code == 0, ran.stderr
    posts = result(out)["posts"]
    assert [post["days_since_ablation"] for post in posts] == [0.0, 30.0]
    assert posts[0]["lesions"][0]["ablation_ml"] < posts[1]["lesions"][0]["ablation_ml"]
    assert result(out / "post_1")["provenance"]["facts"]["days_since_ablation"] == 0.0
    assert posts[0]["timing"]["pre_days_before_ablation"] is None


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('[facts]\ndays_since_ablation = 3\n', "bad-case-file", "fact 'days_since_ablation' speaks of one post"),
        ('[facts]\npost_scan_date = 2024-03-03\n', "bad-case-file", "fact 'post_scan_date' speaks of one post"),
        ('[[mask]]\nstudy = "post_3"\nrole = "liver"\nfile = "a"\n', "bad-case-file", "[[mask]] number 1"),
        ('[[pair]]\nstudy = "post_3"\nlesion = 1\nzones = [1]\n', "bad-case-file", "[[pair]] number 1"),
        ('[[post]]\ndays_since = 3\n[[post]]\n', "bad-case-file", "unknown key in post, number 1"),
        ('[[post]]\ndays_since_ablation = -3\n[[post]]\n', "bad-case-file", "post, number 1, days_since_ablation"),
    ],
)  # fmt: skip
def test_a_case_file_that_speaks_of_the_wrong_post_is_refused(voxels, tmp_path, text, code, said):
    call = ("review", voxels / "pre", voxels / "post", voxels / "later", "-o", tmp_path / "out", *IDENTITY, "--quiet")
    ran = ablation(*call, *case_of(tmp_path, text))
    assert ran.code == 3
    assert f"error [{code}]: " in ran.stderr
    assert said in ran.stderr
    assert "2024" not in ran.stderr


def test_a_mask_of_a_second_post_needs_one(voxels, tmp_path):
    text = '[[mask]]\nstudy = "post_2"\nrole = "liver"\nfile = "a"\n'
    call = ("review", voxels / "pre", voxels / "post", "-o", tmp_path / "out", *IDENTITY, "--quiet")
    ran = ablation(*call, *case_of(tmp_path, text))
    assert ran.code == 3
    assert "of study 'post_2', the last post is number 1" in ran.stderr


@pytest.mark.parametrize("option", ["--registration", "--landmarks"])
def test_a_map_or_landmarks_of_ones_own_go_with_one_post(voxels, tmp_path, option):
    (tmp_path / "map.tfm").write_text("x")
    call = ("review", voxels / "pre", voxels / "post", voxels / "later", "-o", tmp_path / "out", "--quiet")
    ran = ablation(*call, option, tmp_path / "map.tfm")
    assert ran.code == 2
    assert "go with one POST" in ran.stderr


def test_posts_of_two_patients_are_refused_though_pre_states_none(dicom, tmp_path):
    pre_study(tmp_path / "pre")
    (tmp_path / "pre" / "liver.nii.gz").unlink()
    other = shutil.copytree(dicom / "late", tmp_path / "other")
    for path in other.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.PatientID = "another"
        dataset.save_as(path)
    rigid = ("--registration", "rigid", "--quiet")
    out = tmp_path / "out"
    ran = ablation("review", tmp_path / "pre", dicom / "early", other, "-o", out, *rigid)
    assert ran.code == 8, ran.stderr
    assert "[different-patients]: study 2 after the ablation" in ran.stderr
    assert [post["status"] for post in result(out)["posts"]][1] == "failed"
    assert not (out / "post_2").exists()
