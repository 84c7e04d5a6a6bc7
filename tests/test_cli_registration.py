"""`--registration FILE` as a user calls it: two small studies that lie 16 mm apart, and the way between them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cli_runs import LEFT_BEHIND, MIDDLE_MM, Ran, ablation, ball, liver, pre_study, study
from transform_files import written

from pipelines.batch.key import row_key
from pipelines.batch.manifest import Row

SHIFT_MM = (7.0, -11.0, 9.0)
"""POST lies this far from PRE."""


def shift(sign: float = -1.0) -> sitk.Transform:
    return sitk.TranslationTransform(3, [sign * value for value in SHIFT_MM])


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    pre_study(folder / "pre")
    study(folder / "post", SHIFT_MM, liver=liver(), ablation=ball(MIDDLE_MM, 14.0))
    written(folder / "zebedee_1933.h5", shift())
    return folder


def review(studies: Path, out: Path, file: object, *more: object) -> Ran:
    return ablation("review", studies / "pre", studies / "post", "-o", out, "--registration", file, "--quiet", *more)


def result_of(out: Path) -> dict:
    return json.loads((out / "result.json").read_text())


@pytest.fixture(scope="module")
def reviewed(studies, tmp_path_factory) -> tuple[Path, Ran, dict]:
    out = tmp_path_factory.mktemp("runs") / "out"
    ran = review(studies, out, studies / "zebedee_1933.h5")
    assert ran.code == 0, ran.stderr
    return out, ran, result_of(out)


def test_the_margin_is_that_of_the_studies_brought_together(reviewed):
    out, _, result = reviewed
    # A ball of radius 9 in one of 14 about the same centre: 5 mm, to the half voxel that rasters of 3 x 3 x 4 mm leave.
    assert result["lesions"][0]["margin"]["min_mm"] == pytest.approx(5.0, abs=1.5)
    assert result["registration"]["transform"] == "file"
    assert result["registration"]["passed"] is True
    assert {p.name for p in out.iterdir()} == LEFT_BEHIND
    assert sitk.ReadTransform(str(out / "transform.h5")).TransformPoint((1.0, 2, 3)) == pytest.approx((-6.0, 13, -6))


def test_the_error_that_was_assumed_is_in_the_result_the_report_and_the_terminal(reviewed):
    out, ran, result = reviewed
    assert result["lesions"][0]["registration_error_mm"] == 2.0
    assert result["lesions"][0]["margin"]["assumed"]["registration_error_mm"] == 2.0
    (check,) = [c for c in result["registration"]["checks"] if c["name"] == "given_error"]
    assert check["passed"] is None
    for text in (check["text"], ran.stdout, (out / "report.html").read_text()):
        assert "assumed to be 2.0 mm" in text
        assert "nothing measured" in text


def test_the_provenance_has_the_file_by_its_content_and_no_name_is_written(studies, reviewed):
    out, _, result = reviewed
    content = (studies / "zebedee_1933.h5").read_bytes()
    assert result["provenance"]["inputs_sha256"]["registration"] == hashlib.sha256(content).hexdigest()
    assert result["provenance"]["settings"]["registration"]["kind"] == "file"
    for path in out.iterdir():
        assert b"zebedee" not in path.read_bytes().lower()


@pytest.mark.slow
def test_a_stated_error_is_recorded_and_widens_the_interval(studies, reviewed, tmp_path):
    ran = review(studies, tmp_path / "out", studies / "zebedee_1933.h5", "--registration-error", "4")
    assert ran.code == 0, ran.stderr
    result = result_of(tmp_path / "out")
    assert result["provenance"]["settings"]["registration"]["stated_error_mm"] == 4.0
    low, high = result["lesions"][0]["margin"]["ci95_mm"]
    before = reviewed[2]["lesions"][0]["margin"]["ci95_mm"]
    assert high - low > before[1] - before[0] + 0.5
    assert "4.0 mm as stated by the user, not measured" in ran.stdout


@pytest.mark.slow
def test_a_transform_that_is_turned_round_is_exit_4_and_says_so(studies, tmp_path):
    ran = review(studies, tmp_path / "out", written(tmp_path / "t.tfm", shift(+1.0)))
    assert ran.code == 4
    (lesion,) = result_of(tmp_path / "out")["lesions"]
    assert lesion["margin"]["min_mm"] is None
    assert "registration-direction" in [reason["code"] for reason in lesion["reasons"]]


@pytest.mark.slow
def test_a_case_file_may_state_the_transform_and_its_error_and_wins(studies, tmp_path):
    written(tmp_path / "own.tfm", shift())
    written(tmp_path / "wrong.tfm", shift(+1.0))
    (tmp_path / "case.toml").write_text('[registration]\nfile = "own.tfm"\nerror_mm = 1.25\n')
    ran = review(studies, tmp_path / "out", tmp_path / "wrong.tfm", "--case", tmp_path / "case.toml")
    assert ran.code == 0, ran.stderr
    result = result_of(tmp_path / "out")
    assert result["registration"]["transform"] == result["provenance"]["settings"]["registration"]["kind"] == "file"
    assert result["lesions"][0]["registration_error_mm"] == 1.25


@pytest.mark.parametrize("stated", ["error_mm = 1.0", 'file = ""', 'file = "a.h5"\nerror_mm = 0', 'fiel = "a.h5"'])
def test_a_case_file_that_states_half_a_transform_is_refused(studies, tmp_path, stated):
    (tmp_path / "case.toml").write_text(f"[registration]\n{stated}\n")
    ran = review(studies, tmp_path / "out", "rigid", "--case", tmp_path / "case.toml")
    assert ran.code == 3
    assert ran.stderr.startswith("error [bad-case-file]")


def folded() -> sitk.Transform:
    image = sitk.Image((60, 60, 60), sitk.sitkVectorFloat64)
    image.SetSpacing((2.5, 2.5, 2.5))
    image.SetOrigin((-10.0, -20.0, -10.0))
    vectors = np.zeros((60, 60, 60, 3))
    vectors[..., 0] = 9.0 * np.sin(np.arange(60) * 1.2) - SHIFT_MM[0]
    vectors[..., 1:] = -np.array(SHIFT_MM[1:])
    field = sitk.GetImageFromArray(vectors, isVector=True)
    field.CopyInformation(image)
    return sitk.DisplacementFieldTransform(field)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (sitk.Euler2DTransform, "not-3d"),
        (lambda: sitk.TranslationTransform(3, (900.0, 0.0, 0.0)), "no-shared-space"),
        (lambda: sitk.TranslationTransform(3, (np.nan, 0.0, 0.0)), "bad-number"),
        (lambda: sitk.ScaleTransform(3, (1.0, 1.0, 0.0)), "singular"),
        (folded, "folding"),
    ],
)
def test_a_transform_that_cannot_be_used_is_exit_3_in_one_line(studies, tmp_path, made, code):
    ran = review(studies, tmp_path / "out", written(tmp_path / "zebedee.h5", made()))
    assert ran.code == 3, ran.stderr
    said = ran.stderr.splitlines()[0]
    assert said.startswith(f"error [{code}]: ")
    assert "zebedee" not in said
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"log.txt"}


def test_a_file_that_is_missing_or_no_transform_is_exit_3_before_the_studies_are_read(tmp_path):
    (tmp_path / "bad.h5").write_text("no transform")
    for name, code in {"gone.h5": "missing", "bad.h5": "unreadable"}.items():
        ran = review(tmp_path, tmp_path / "out", tmp_path / name)  # there are no studies
        assert (ran.code, ran.stderr.splitlines()[0].partition(":")[0]) == (3, f"error [{code}]")
        assert ran.stderr.splitlines()[1:] == [f"  where: {name}"]


@pytest.mark.parametrize(
    "more",
    [
        ["--registration", "magic"],
        ["--registration", "t.h5", "--registration-error", "0"],
        ["--registration", "t.h5", "--registration-error", "nan"],
        ["--registration", "t.h5", "--registration-error", "inf"],
        ["--registration", "rigid", "--registration-error", "2"],
    ],
)
def test_a_call_that_makes_no_sense_is_exit_2_and_leaves_an_earlier_result(tmp_path, more):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text("{}")
    ran = ablation("review", tmp_path / "pre", tmp_path / "post", "-o", tmp_path / "out", *more)
    assert ran.code == 2, ran.stderr
    assert (tmp_path / "out" / "result.json").exists()


def test_the_transform_of_an_earlier_review_is_not_deleted_before_it_is_read(studies, tmp_path):
    (tmp_path / "out").mkdir()
    path = written(tmp_path / "out" / "transform.h5", shift())
    ran = review(studies, tmp_path / "out", path)
    assert (ran.code, ran.stderr.splitlines()[0].partition(":")[0]) == (3, "error [input-in-output]")
    assert path.exists()


@pytest.mark.slow
def test_a_batch_takes_one_for_all_or_each_case_its_own(studies, tmp_path):
    all_of_them = written(tmp_path / "all.tfm", shift())
    written(tmp_path / "own.tfm", shift())
    (tmp_path / "own.toml").write_text('[registration]\nfile = "own.tfm"\nerror_mm = 1.5\n')
    pre, post = studies / "pre", studies / "post"
    (tmp_path / "m.csv").write_text(f"case_id,pre,post,case\na,{pre},{post},\nb,{pre},{post},own.toml\n")
    call = ["batch", tmp_path / "m.csv", "-o", tmp_path / "out", "--jobs", "1", "--quiet", "--registration"]
    ran = ablation(*call, all_of_them, "--registration-error", "3")
    assert ran.code == 0, ran.stdout + ran.stderr
    errors = [result_of(tmp_path / "out" / case)["lesions"][0]["registration_error_mm"] for case in "ab"]
    assert errors == [3.0, 1.5]
    assert ablation(*call, all_of_them, "--registration-error", "3").stdout.startswith("2 cases: 0 finished now")


def test_a_batch_whose_transform_is_missing_starts_nothing(studies, tmp_path):
    (tmp_path / "m.csv").write_text(f"case_id,pre,post\na,{studies / 'pre'},{studies / 'post'}\n")
    ran = ablation("batch", tmp_path / "m.csv", "-o", tmp_path / "out", "--registration", tmp_path / "gone.h5")
    assert (ran.code, ran.stderr.splitlines()[0].partition(":")[0]) == (3, "error [missing]")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("own", [False, True])
def test_a_finished_case_of_a_batch_rests_on_its_transform(tmp_path, own):
    (tmp_path / "case.toml").write_text('[registration]\nfile = "t.tfm"\n')
    row = Row("a", "", tmp_path / "pre", tmp_path / "post", tmp_path / "case.toml" if own else None, ())
    path = tmp_path / "t.tfm"
    keys = [row_key(row, "1", "s", None if own else path)]
    for sign in (1.0, 12.25):
        written(path, shift(sign))
        keys.append(row_key(row, "1", "s", None if own else path))
    assert len(set(keys)) == 3
