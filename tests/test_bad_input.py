"""Input that cannot be used: one clear line, the right exit code, and a folder that says "not done"."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from cli_runs import LEFT_BEHIND, MIDDLE_MM, SHAPE, ablation, ball, lattice, liver, post_study, pre_study, save, study
from dicom_files import affine, series_datasets, write, write_seg
from test_seg import code_of

from planner.marks import uid_mark

NONE = np.zeros(SHAPE, bool)
NAME, PATIENT, BIRTH, SCANNED, WORDS = "Quitzow^Adelheid", "KV-8812-77", "19330217", "20210923", "Quitzow pancreas?"
PLANTED = ("Quitzow", "Adelheid", PATIENT, BIRTH, SCANNED, "134509", "ACC-55501")


def refused(out: Path, code: str, exit_code: int, *arguments) -> str:
    """Run, see that one line says why (and at most another one where), and return what was said."""
    ran = ablation(*arguments, "--quiet")
    lines = ran.stderr.splitlines()
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  where: ")), ran.stderr
    assert lines[0].startswith(f"error [{code}]: "), ran.stderr
    assert ran.code == exit_code
    assert ran.stdout == ""
    assert len(lines[0]) < 400
    if out.is_dir():
        assert {p.name for p in out.iterdir()} <= {"log.txt"}
    return ran.stderr


@pytest.fixture
def case(tmp_path):
    """Return a function that reviews `pre` and `post` of this folder and expects a refusal."""

    def run(code, exit_code=3, *more, pre="pre", post="post"):
        out = tmp_path / "out"
        said = refused(out, code, exit_code, "review", tmp_path / pre, tmp_path / post, "-o", out, *more)
        if exit_code == 3:
            log = (out / "log.txt").read_text()
            assert said.splitlines()[0] in log
            assert "where: " not in log
        return said

    return run


def test_a_missing_folder(tmp_path, case):
    post_study(tmp_path / "post")
    assert "PRE" in case("missing")


@pytest.mark.parametrize("files", [[], ["notes.txt", "scan.jpg"]])
def test_a_folder_without_an_image(tmp_path, case, files):
    post_study(tmp_path / "post")
    (tmp_path / "pre").mkdir()
    for name in files:
        (tmp_path / "pre" / name).write_text("nothing to see")
    line = case("no-image")
    assert "DICOM" in line
    assert "PRE" in line


def test_masks_without_an_image(tmp_path, case):
    post_study(tmp_path / "post")
    save(tmp_path / "pre" / "tumour.nii.gz", ball(MIDDLE_MM, 9.0))
    case("no-image")


def dicom_study(folder: Path, masks=None, seg_changes=None, **changes) -> Path:
    """Write a DICOM study with planted patient data; `seg_changes` are those of the SEG's own sources."""
    stored = np.random.default_rng(1).integers(900, 1200, (8, 9, 10))
    planted = {
        "PatientName": NAME, "PatientID": PATIENT, "PatientBirthDate": BIRTH, "StudyDate": SCANNED,
        "SeriesDate": SCANNED, "StudyTime": "134509", "AccessionNumber": "ACC-55501", "SeriesDescription": WORDS,
    }  # fmt: skip
    slices = series_datasets(stored, affine(), **(planted | changes))
    write(slices, folder / "ct")
    if masks:
        if seg_changes:
            slices = series_datasets(stored, affine(), **(planted | changes | seg_changes))
        codes = {"Liver": code_of("liver"), "Tumour": code_of("tumour"), "Ablation": code_of("ablation")}
        write_seg(folder / "seg.dcm", slices, masks, codes)
    return folder


def block(*bounds) -> np.ndarray:
    mask = np.zeros((8, 9, 10), bool)
    mask[tuple(slice(a, b) for a, b in bounds)] = True
    return mask


TUMOUR, ZONE = block((3, 5), (3, 5), (3, 5)), block((2, 6), (2, 6), (2, 6))


def test_a_seg_of_another_frame_of_reference(tmp_path, case):
    dicom_study(tmp_path / "pre", {"Tumour": TUMOUR}, {"FrameOfReferenceUID": "1.2.3.4"})
    dicom_study(tmp_path / "post", {"Ablation": ZONE})
    assert "frame of reference" in case("frame-mismatch")


def test_two_image_series(tmp_path, case):
    dicom_study(tmp_path / "pre", {"Tumour": TUMOUR})
    dicom_study(tmp_path / "pre" / "more", SeriesInstanceUID="1.2.826.0.1.3680043.8.498.2009")
    dicom_study(tmp_path / "post", {"Ablation": ZONE})
    line = case("several-series")
    assert "8.498.2009" not in line
    assert uid_mark("1.2.826.0.1.3680043.8.498.2009") in line


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_truncated_dicom_file(tmp_path, case, keep):
    dicom_study(tmp_path / "pre", {"Tumour": TUMOUR})
    dicom_study(tmp_path / "post", {"Ablation": ZONE})
    path = tmp_path / "pre" / "ct" / "003.dcm"
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    assert "003.dcm" in case("truncated-file")


def test_a_truncated_seg(tmp_path, case):
    dicom_study(tmp_path / "pre", {"Tumour": TUMOUR})
    dicom_study(tmp_path / "post", {"Ablation": ZONE})
    path = tmp_path / "post" / "seg.dcm"
    path.write_bytes(path.read_bytes()[:-20])
    assert "seg.dcm" in case("cannot-decode")


@pytest.mark.parametrize("name", ["image.nii.gz", "tumour.nii.gz"])
@pytest.mark.parametrize("keep", [0.0, 0.5])
def test_a_truncated_nifti_file(tmp_path, case, name, keep):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    path = tmp_path / "pre" / name
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    assert name in case("truncated-file")


def test_bytes_that_are_no_nifti(tmp_path, case):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    (tmp_path / "pre" / "image.nii.gz").write_bytes(gzip.compress(b"not an image" * 100))
    assert "image.nii.gz: is not a NIfTI file" in case("not-nifti")


def test_an_image_that_is_no_volume(tmp_path, case):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    path = tmp_path / "pre" / "image.nii.gz"
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.stack([image.dataobj, image.dataobj], axis=-1), image.affine), path)
    assert "4 dimensions" in case("not-3d")


def test_an_image_that_holds_nothing_to_align_by(tmp_path, case):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    save(tmp_path / "pre" / "image.nii.gz", np.full(SHAPE, 40, np.int16))
    assert "constant" in case("cannot-register", 3, "--registration", "rigid")


def test_a_truncated_nrrd_mask(tmp_path, case):
    study(tmp_path / "pre", liver=liver())
    post_study(tmp_path / "post")
    path = save(tmp_path / "pre" / "tumour.nrrd", ball(MIDDLE_MM, 9.0))
    path.write_bytes(path.read_bytes()[:-40])
    assert "tumour.nrrd" in case("truncated-file")


def test_an_empty_tumour_mask(tmp_path, case):
    pre_study(tmp_path / "pre", tumour=NONE)
    post_study(tmp_path / "post")
    assert "tumour_1" in case("empty-mask")


def test_an_empty_zone_mask(tmp_path, case):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post", ablation=NONE)
    assert "ablation_1" in case("empty-mask")


def test_no_tumour_at_all(tmp_path, case):
    study(tmp_path / "pre", liver=liver())
    post_study(tmp_path / "post")
    assert "PRE" in case("no-tumour")


def test_no_zone_at_all(tmp_path, case):
    pre_study(tmp_path / "pre")
    study(tmp_path / "post", liver=liver())
    assert "POST" in case("no-ablation")


@pytest.mark.parametrize("text", [None, '[[pair]]\nlesion = "1"\nzones = ["1"]\n'])
def test_studies_in_the_wrong_order_are_said_to_be_swapped(tmp_path, case, text):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    more = []
    if text is not None:
        (tmp_path / "case.toml").write_text(text)
        more = ["--case", tmp_path / "case.toml"]
    line = case("swapped-studies", 3, *more, pre="post", post="pre")
    assert all(word in line for word in ("PRE", "POST", "swapped"))


def test_nothing_is_said_to_be_swapped_where_post_has_zones_too(tmp_path, case):
    study(tmp_path / "pre", ablation=ball(MIDDLE_MM, 14.0))
    post_study(tmp_path / "post", tumour=ball(MIDDLE_MM, 9.0))
    assert "swapped" not in case("no-tumour")


@pytest.mark.parametrize(
    ("values", "code"), [((0, 0.4), "not-binary"), ((1, 2), "not-binary"), ((0, np.nan), "bad-mask")]
)
def test_a_mask_that_is_not_binary(tmp_path, case, values, code):
    rough = np.where(ball(MIDDLE_MM, 9.0), 1.0, 0.0).astype(np.float32)
    rough[0, 0, :2] = values
    pre_study(tmp_path / "pre", tumour=rough)
    post_study(tmp_path / "post")
    assert "tumour" in case(code)


def test_studies_that_share_no_space_are_not_taken_as_aligned(tmp_path, case):
    pre_study(tmp_path / "pre")
    study(tmp_path / "post", origin=(900.0, 0.0, 0.0), ablation=ball(MIDDLE_MM, 14.0))
    line = case("no-shared-space", 3, "--registration", "identity")
    assert "PRE" in line
    assert "POST" in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[case]\nidd = "x"\n', ["idd", "did you mean 'id'"]),
        ('[[mask]]\nstudy = "pre"\nrole = "tumor_1"\nfile = "a.nii"\n', ["tumor_1"]),
        ("[case\n", ["not TOML"]),
        ('[[mask]]\nstudy = "pre"\nrole = "tumour_1"\n', ["file", "missing"]),
        ('[[pair]]\nlesion = "2"\nzones = ["1"]\n', None),
    ],
)
def test_a_case_file_that_says_what_cannot_be(tmp_path, case, text, words):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    (tmp_path / "case.toml").write_text(text)
    code = "unknown-lesion" if words is None else "bad-case-file"
    line = case(code, 3, "--case", tmp_path / "case.toml")
    assert all(word in line for word in words or ["lesion 2"])


def test_a_missing_case_file(tmp_path, case):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    assert "  where: case.toml" in case("missing", 3, "--case", tmp_path / "case.toml")


def test_a_mask_that_the_case_file_names_and_nobody_finds(tmp_path, case):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    (tmp_path / "case.toml").write_text('[[mask]]\nstudy = "pre"\nrole = "tumour_2"\nfile = "gone.nii.gz"\n')
    assert "gone.nii.gz" in case("missing", 3, "--case", tmp_path / "case.toml")


@pytest.mark.parametrize("below", ["", "case"])
def test_a_file_where_the_output_folder_should_be(tmp_path, below):
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    (tmp_path / "busy").write_text("mine")
    out = tmp_path / "busy" / below
    line = refused(out, "output", 5, "review", tmp_path / "pre", tmp_path / "post", "-o", out)
    assert "OUT" in line
    assert (tmp_path / "busy").read_text() == "mine"


def test_a_folder_where_the_result_should_be(tmp_path):
    out = tmp_path / "out"
    (out / "result.json").mkdir(parents=True)
    ran = ablation("review", tmp_path / "gone", tmp_path / "gone", "-o", out, "--quiet")
    assert ran.code == 5
    assert ran.stderr.startswith("error [output]: OUT: ")
    assert len(ran.stderr.splitlines()) == 1


def test_an_output_that_is_not_writable_is_said_before_any_reading(tmp_path):
    (tmp_path / "busy").write_text("mine")
    gone = tmp_path / "gone"
    refused(tmp_path / "busy", "output", 5, "review", gone, gone, "-o", tmp_path / "busy")


def test_what_an_earlier_run_left_is_gone_after_one_that_failed(tmp_path, case):
    out = tmp_path / "out"
    out.mkdir()
    for name in LEFT_BEHIND:
        (out / name).write_text("of an earlier run")
    post_study(tmp_path / "post")
    case("missing")
    assert "earlier" not in (out / "log.txt").read_text()


def test_files_of_others_in_the_output_folder_are_left_alone(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thoughts.txt").write_text("mine")
    assert ablation("review", tmp_path / "gone", tmp_path / "gone", "-o", out).code == 3
    assert (out / "thoughts.txt").read_text() == "mine"


def everything_said(out: Path, ran) -> str:
    """Return stderr, stdout, and names and text of all files of a folder."""
    files = [p for p in out.rglob("*") if p.is_file()]
    texts = [p.read_bytes().decode("utf-8", "replace") for p in files if p.suffix != ".gz"]
    return "\n".join([ran.stderr, ran.stdout, *map(str, files), *texts])


@pytest.mark.parametrize("fault", ["frame", "series", "truncated", "empty", "no-zone", "position"])
def test_no_refusal_speaks_of_the_patient(tmp_path, fault):
    masks = {"Tumour": block((0, 0), (0, 0), (0, 0)) if fault == "empty" else TUMOUR, "Liver": ZONE}
    changes = {"FrameOfReferenceUID": "1.2.3.4"} if fault == "frame" else None
    dicom_study(tmp_path / "pre", masks, changes)
    dicom_study(tmp_path / "post", {"Liver" if fault == "no-zone" else "Ablation": ZONE})
    if fault == "series":
        dicom_study(tmp_path / "pre" / "b", SeriesInstanceUID="1.2.826.0.1.3680043.8.498.2009")
    path = tmp_path / "pre" / "ct" / "004.dcm"
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[:-30])
    if fault == "position":
        path.unlink()
    ran = ablation("review", tmp_path / "pre", tmp_path / "post", "-o", tmp_path / "out")
    assert ran.code == 3
    said = everything_said(tmp_path / "out", ran)
    assert not [word for word in PLANTED if word in said]


def test_a_finished_review_never_speaks_of_the_patient(tmp_path):
    dicom_study(tmp_path / "pre", {"Tumour": TUMOUR})
    dicom_study(tmp_path / "post", {"Ablation": ZONE})
    out = tmp_path / "out"
    ran = ablation("review", tmp_path / "pre", tmp_path / "post", "-o", out, "--registration", "identity")
    assert ran.code == 0, ran.stderr
    assert {p.name for p in out.iterdir()} == LEFT_BEHIND
    said = everything_said(out, ran)
    assert not [word for word in PLANTED if word in said]
    assert len(json.loads((out / "result.json").read_text())["patient_key"]) == 16


@pytest.mark.parametrize("below", ["", "out", "a/b"])
@pytest.mark.parametrize("study", ["pre", "post", "stated"])
def test_out_in_a_study_is_refused_before_anything_is_written(tmp_path, study, below):
    pre, post, more = pre_study(tmp_path / "pre"), post_study(tmp_path / "post"), []
    if study == "stated":
        pre_study(tmp_path / "stated")
        more = ["--case", tmp_path / "case.toml"]
        (tmp_path / "case.toml").write_text('[pre]\npath = "stated"\n')
    (tmp_path / study / "result.json").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    ran = ablation("review", pre, post, "-o", tmp_path / study / below, "--quiet", *more)
    named = "POST" if study == "post" else "PRE"
    assert ran.code == 3
    assert ran.stderr == f"error [output-in-input]: OUT is {named} or lies in it, expected a folder outside\n"
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / study / "result.json").read_text() == "mine"


def test_a_tumour_that_no_zone_touches_is_not_treated_and_has_distances(tmp_path):
    away = MIDDLE_MM + np.array([24.0, 0.0, 0.0])
    pre_study(tmp_path / "pre", tumour=ball(away, 6.0))
    post_study(tmp_path / "post", ablation=ball(MIDDLE_MM, 8.0))
    out = tmp_path / "out"
    ran = ablation("review", tmp_path / "pre", tmp_path / "post", "-o", out, "--registration", "identity", "--json")
    assert ran.code == 0, ran.stderr
    assert {p.name for p in out.iterdir()} <= LEFT_BEHIND
    (lesion,) = json.loads(ran.stdout)["lesions"]
    assert lesion["status"] == "not_treated"
    assert lesion["margin"]["min_mm"] is None
    distance, capsule = lesion["distances"]
    assert (distance["structure"], distance["from"]) == ("ablation_1", "tumour")
    assert (capsule["structure"], capsule["from"]) == ("liver_capsule", "tumour")
    assert distance["mm"] == pytest.approx(24.0 - 6.0 - 8.0, abs=1.5)
    assert any(reason["code"] == "not-treated" for reason in lesion["reasons"])


def margin(*arguments) -> str:
    """Run `ablation margin`, see that one line refuses, and return what was said with its exit code."""
    ran = ablation("margin", *arguments)
    lines = ran.stderr.splitlines()
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  where: ")), ran.stderr
    assert ran.stdout == ""
    return f"{ran.code} {ran.stderr}"


def test_margin_refuses_what_it_cannot_measure(tmp_path):
    tumour, zone = ball(MIDDLE_MM, 9.0), ball(MIDDLE_MM, 14.0)
    good = save(tmp_path / "tumour.nii.gz", tumour), save(tmp_path / "zone.nii.gz", zone)
    empty = save(tmp_path / "empty.nii.gz", NONE)
    far = save(tmp_path / "far.nii.gz", zone, lattice((900.0, 0.0, 0.0)))
    (tmp_path / "zone.txt").write_text("zone")
    (tmp_path / "bad.nii.gz").write_bytes(good[1].read_bytes()[:100])
    (tmp_path / "bad.nrrd").write_bytes(b"NRRD0004\n")
    assert margin(empty, good[1]).startswith("3 error [empty-mask]: tumour")
    assert margin(good[0], empty).startswith("3 error [empty-mask]: ablation_1")
    assert margin(good[0], good[1], "--ablation", empty).startswith("3 error [empty-mask]: ablation_2")
    assert margin(good[0], good[1], "--liver", empty).startswith("3 error [empty-mask]: liver")
    assert margin(good[0], far).startswith("3 error [no-shared-space]: tumour and ablation_1")
    assert margin(good[0], tmp_path / "gone.nii.gz").startswith("3 error [missing]: ablation_1")
    assert margin(good[0], tmp_path).startswith("3 error [is-a-folder]: ablation_1")
    assert margin(good[0], tmp_path / "zone.txt").startswith("3 error [unknown-format]: ablation_1")
    assert margin(good[0], tmp_path / "bad.nii.gz").startswith("3 error [truncated-file]: ablation_1")
    assert margin(good[0], tmp_path / "bad.nrrd").startswith("3 error [truncated-file]: ablation_1")


def test_margin_says_that_a_folder_is_no_mask_file_and_what_would_be_one(tmp_path):
    good = save(tmp_path / "zone.nii.gz", ball(MIDDLE_MM, 14.0))
    (tmp_path / "dicom").mkdir()
    for arguments in ((tmp_path / "dicom", good), (good, tmp_path / "dicom"), (good, good, "--liver", tmp_path)):
        line = margin(*arguments)
        assert "is a folder" in line
        assert "no such file" not in line
        assert all(kind in line for kind in ("mask file", "NIfTI", "NRRD", "DICOM SEG"))
    assert "no such file" in margin(good, tmp_path / "gone.nii.gz")


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ((1, 2, 4), "not-binary", "found 3 others (from 1 to 4)"),
        ((-1000, 40), "not-binary", "found 2 others (from -1000 to 40)"),
        ((0.25, 0.5), "not-binary", "found 2 others (from 0.25 to 0.5)"),
        ((np.nan, 1), "bad-mask", "NaN"),
    ],
)
@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd"])
def test_margin_says_once_which_mask_is_not_binary_and_speaks_of_no_case_file(tmp_path, values, code, words, suffix):
    rough = ball(MIDDLE_MM, 9.0).astype(np.float32) * values[-1]
    rough[0, 0, : len(values)] = values
    path = save(tmp_path / f"map.{suffix}", rough)
    line = margin(path, save(tmp_path / "zone.nii.gz", ball(MIDDLE_MM, 14.0)))
    assert line.startswith(f"3 error [{code}]: tumour: the file: ")
    assert f"  where: .../map.{suffix}" in line or f"  where: map.{suffix}" in line
    assert words in line
    assert line.count("tumour") == 1, line
    assert "case file" not in line


def test_a_mask_that_is_not_binary_in_a_review_may_be_split_by_the_case_file(tmp_path, case):
    pre_study(tmp_path / "pre", tumour=ball(MIDDLE_MM, 9.0).astype(np.uint8) + ball(MIDDLE_MM, 4.0))
    post_study(tmp_path / "post")
    line = case("not-binary")
    assert "PRE: tumour.nii.gz: " in line
    assert "case file" in line


@pytest.mark.parametrize(
    "arguments",
    [["review"], ["review", "pre"], ["review", "pre", "post"], ["margin", "tumour"], ["nothing"], ["demo"],
     ["review", "pre", "post", "-o", "out", "--registration", "magic"], ["margin", "a", "b", "--wide"]],
)  # fmt: skip
def test_a_call_that_is_wrong_in_itself_is_exit_2(arguments):
    ran = ablation(*arguments)
    assert ran.code == 2
    assert ran.stdout == ""
    assert "Error: " in ran.stderr
