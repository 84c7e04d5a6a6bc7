"""File names, folder names and labels may be the patient's: nothing that is written to disk holds them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cli_runs import MIDDLE_MM, ablation, ball, pre_study, save
from dicom_files import affine, series_datasets, write, write_seg
from paper_read import pdf_text
from test_seg import code_of

from pipelines.batch.failure import reason_of
from pipelines.formats.names import is_plain

SHAPE = (8, 9, 10)
TUMOUR, ZONE = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
TUMOUR[3:5, 3:5, 3:5] = ZONE[2:6, 2:6, 2:6] = True


def segmented(folder: Path, masks: dict[str, np.ndarray], **changes: str) -> Path:
    """Write a SEG whose file and labels bear the patient's name; a label that ends with a role has its code."""
    slices = series_datasets(np.random.default_rng(1).integers(900, 1200, SHAPE), affine(), **changes)
    coded = {label: label.removeprefix("Zebedee ") for label in masks if label.startswith("Zebedee ")}
    codes = {label: code_of(role) for label, role in coded.items() if role in ("liver", "tumour", "ablation")}
    return write_seg(folder / "ZEBEDEE seg.dcm", slices, masks, codes)


def dicom_study(folder: Path, *roles: str) -> Path:
    """Write a study whose folders, files and labels bear the patient's name."""
    slices = series_datasets(np.random.default_rng(1).integers(900, 1200, SHAPE), affine())
    write(slices, folder / "ZEBEDEE ct", [f"ZEBEDEE_CT_{n:04d}.dcm" for n in range(SHAPE[0])])
    segmented(folder, {f"Zebedee {role}": TUMOUR if role in ("tumour", "odd") else ZONE for role in roles})
    return folder


@pytest.fixture
def pre(tmp_path):
    return dicom_study(tmp_path / "zebedee" / "pre", "tumour", "liver", "odd")


@pytest.fixture
def post(tmp_path):
    return dicom_study(tmp_path / "zebedee" / "post", "ablation", "odd")


def case_of(folder: Path, text: str) -> list[object]:
    (folder / "zebedee.toml").write_text(text)
    return ["--case", folder / "zebedee.toml"]


def written(out: Path) -> str:
    """Return names and text of all files of a folder, in lower case."""
    files = [p for p in out.rglob("*") if p.is_file()]
    return "\n".join(p.name + "\n" + p.read_bytes().decode("utf-8", "replace") for p in files).lower()


def test_what_a_finished_review_writes_names_no_file_folder_or_label(tmp_path, pre, post):
    save(tmp_path / "zebedee_map.nii.gz", ZONE.astype(np.uint8) * 3, affine())
    masks = (
        '[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "zebedee_map.nii.gz"\nlabel = 3\n'
        f'[[mask]]\nstudy = "pre"\nrole = "colon"\nfile = "{pre}/ZEBEDEE seg.dcm"\nsegment = "Zebedee odd"\n'
    )
    out = tmp_path / "out"
    ran = ablation("review", pre, post, "-o", out, "--registration", "identity", *case_of(tmp_path, masks))
    assert ran.code == 0, ran.stderr
    assert "zebedee" not in written(out)
    assert "zebedee" not in pdf_text((out / "report.pdf").read_bytes()).lower()
    report = (out / "report.html").read_text()
    assert "SEG 1 of 1 belongs to the image by" in report
    assert "SEG 1 of 1 segment 2 has no role here" in report
    assert "liver is [[mask]] number 1 label 3, by the case file, not SEG 1 of 1 segment 2 (Liver)" in report


def refused(out: Path, where: str, pre: Path, post: Path, *more: object) -> None:
    """See that the terminal names the file, and labels with `--phi`, and that neither the log nor a batch would."""
    ran = ablation("review", pre, post, "-o", out, "--quiet", *more)
    assert ran.code == 3, ran.stderr
    said, shown = ran.stderr.splitlines()
    assert shown == "  where: " + re.sub(r" \([^)]*\)", "", where)
    if "(" in where:
        asked = ablation("review", pre, post, "-o", out, "--quiet", "--phi", *more)
        assert asked.stderr.splitlines() == [said, f"  where: {where}"]
    assert "zebedee" not in said.lower()
    assert said in (out / "log.txt").read_text()
    assert "zebedee" not in written(out)
    kept = reason_of(3, ran.stderr).text  # what a batch would write to failure.json
    assert kept in said


@pytest.mark.parametrize("name", ["zebedee gone", "zebedee empty", "zebedee.txt", "zebedee.nii.gz"])
def test_a_study_that_cannot_be_read(tmp_path, post, name):
    if name == "zebedee empty":
        (tmp_path / name).mkdir()
    elif "." in name:
        (tmp_path / name).write_bytes(b"zebedee")
    refused(tmp_path / "out", name if name.endswith("gz") else f".../{name}", tmp_path / name, post)


@pytest.mark.parametrize("kept", [300, -30])
def test_a_slice_that_is_truncated(tmp_path, pre, post, kept):
    path = pre / "ZEBEDEE ct" / "ZEBEDEE_CT_0003.dcm"
    path.write_bytes(path.read_bytes()[:kept])
    refused(tmp_path / "out", path.name, pre, post)


def test_a_slice_with_a_malformed_header(tmp_path, pre, post):
    slices = series_datasets(np.random.default_rng(1).integers(900, 1200, SHAPE), affine(), RescaleSlope="0")
    write(slices[3:4], pre / "ZEBEDEE ct", ["ZEBEDEE_CT_0003.dcm"])
    refused(tmp_path / "out", "ZEBEDEE_CT_0003.dcm", pre, post)


def test_a_seg_that_is_truncated(tmp_path, pre, post):
    path = pre / "ZEBEDEE seg.dcm"
    path.write_bytes(path.read_bytes()[:-30])
    refused(tmp_path / "out", "ZEBEDEE seg.dcm segment 2 (Zebedee liver)", pre, post)


def test_a_seg_of_another_frame_of_reference(tmp_path, pre, post):
    segmented(pre, {"Zebedee tumour": TUMOUR}, FrameOfReferenceUID="1.2.3.4")
    refused(tmp_path / "out", "ZEBEDEE seg.dcm", pre, post)


@pytest.mark.parametrize(
    "labels",
    [("Zebedee liver", "liver"), ("Zebedee tumour", "Tumour 2"), ("Zebedee tumour", "Zebedee lesion left")],
)
def test_segments_whose_role_is_unclear(tmp_path, pre, post, labels):
    segmented(pre, dict.fromkeys(labels, ZONE))
    listed = [f"ZEBEDEE seg.dcm segment {n} ({label})" for n, label in enumerate(labels, start=1)]
    refused(tmp_path / "out", listed[1] if labels[1] == "Zebedee lesion left" else ", ".join(listed), pre, post)


@pytest.mark.parametrize(
    ("file", "more", "where"),
    [
        ("zebedee_gone.nii.gz", "", "zebedee_gone.nii.gz"),
        ("zebedee_map.nii.gz", 'label = "zebedee"', "label 'zebedee'"),
        ("zebedee_map.nii.gz", "segment = 1", "zebedee_map.nii.gz"),
        ("zebedee", "", "zebedee"),
        (
            "zebedee/pre/ZEBEDEE seg.dcm",
            'segment = "Zebedee colon"',
            "ZEBEDEE seg.dcm: 1 (Zebedee tumour), 2 (Zebedee liver), 3 (Zebedee odd)",
        ),
        ("x", "[[mask", "zebedee.toml"),
    ],
)
def test_what_the_case_file_states_and_nobody_finds(tmp_path, pre, post, file, more, where):
    save(tmp_path / "zebedee_map.nii.gz", ZONE, affine())
    text = f'[[mask]]\nstudy = "pre"\nrole = "colon"\nfile = "{file}"\n{more}\n'
    refused(tmp_path / "out", where, pre, post, *case_of(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[zebedee]\n", "zebedee.toml: 'zebedee'"),
        ("[facts]\nzebedee = 1\n", "fact 'zebedee'"),
        ("[facts]\nzebedee = {a = 1}\n", "zebedee.toml: 'zebedee'"),
        ("[zebedee]\n[zebedee]\n", "zebedee.toml"),
    ],
)
def test_a_key_of_the_case_file_that_nobody_knows(tmp_path, pre, post, text, where):
    refused(tmp_path / "out", where, pre, post, *case_of(tmp_path, text))


@pytest.mark.parametrize("stem", ["zebedee_tumour_left", "Zebedee lesion"])
def test_a_mask_file_whose_role_is_unclear(tmp_path, post, stem):
    pre = pre_study(tmp_path / "zebedee nifti", **{stem: ball(MIDDLE_MM, 5.0)})
    refused(tmp_path / "out", f"{stem}.nii.gz", pre, post)


def test_a_mask_file_whose_role_is_clear_keeps_its_name(tmp_path, post):
    pre = pre_study(tmp_path / "pre")
    (pre / "tumour.nii.gz").write_bytes(b"")
    ran = ablation("review", pre, post, "-o", tmp_path / "out", "--quiet")
    assert ran.stderr.startswith("error [truncated-file]: PRE: tumour.nii.gz: cannot be read")
    assert "tumour.nii.gz" in (tmp_path / "out" / "log.txt").read_text()


@pytest.mark.parametrize(
    "stem", ["image", "Liver", "tumour_1", "Tumor-2 seg", "ablation", "rib_left_7", "lung_left", "IVC"]
)
def test_names_of_roles_and_structures_are_plain(stem):
    assert is_plain(stem)


@pytest.mark.parametrize(
    "stem", ["zebedee", "liver_zebedee", "tumour_19330217", "lung_zebedee", "ribzebedee", "\u738b_liver", "1933", ""]
)
def test_names_that_say_anything_more_are_not(stem):
    assert not is_plain(stem)
