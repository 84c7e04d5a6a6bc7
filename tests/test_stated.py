"""What a study states of itself, and what the case file claims of it."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import affine, series_datasets, write

from pipelines.case_file import read_case_file
from pipelines.study import read_study
from planner.errors import InputError

STORED = np.arange(5 * 6 * 7, dtype=np.uint16).reshape(5, 6, 7)


def read(tmp_path, claim="", **changes):
    write(series_datasets(STORED, affine(), **changes), tmp_path / "study")
    case = tmp_path / "case.toml"
    case.write_text(f"[pre]\n{claim}\n", encoding="utf-8")
    return read_study(tmp_path / "study", "pre", read_case_file(case), lambda *_: None)


@pytest.mark.parametrize("part", ["ABDOMEN", "LIVER", "CHEST", "", None, "SOMETHING"])
def test_a_body_part_that_can_show_the_liver_needs_no_caution(tmp_path, part):
    assert read(tmp_path, BodyPartExamined=part).cautions == ()


@pytest.mark.parametrize("part", ["HEAD", "KNEE"])
def test_another_body_part_is_a_caution(tmp_path, part):
    (caution,) = read(tmp_path, BodyPartExamined=part).cautions
    assert caution.code == "other-body-part"
    assert caution.text.startswith(f"PRE: the images state the body part {part}")


@pytest.mark.parametrize("keyword", ["Laterality", "ImageLaterality"])
def test_a_left_side_is_a_caution_a_right_one_is_not(tmp_path, keyword):
    (caution,) = read(tmp_path / "l", **{keyword: "L"}).cautions
    assert caution.code == "other-side"
    assert read(tmp_path / "r", **{keyword: "R"}).cautions == ()


def test_what_a_derivation_says_beside_is_not_repeated(tmp_path):
    found = read(tmp_path, DerivationDescription="Simulated Contrast of Mustermann")
    assert found.study.simulated
    assert "Mustermann" not in found.cautions[0].text
    assert not read(tmp_path / "b", DerivationDescription="reformatted").study.simulated


def test_the_modality_that_the_case_file_states_must_be_the_image_s(tmp_path):
    assert read(tmp_path / "same", 'modality = "CT"').study.image.modality == "CT"
    with pytest.raises(InputError, match="PRE: the image is CT, the case file states MR") as caught:
        read(tmp_path / "other", 'modality = "MR"')
    assert caught.value.code == "other-modality"


def test_a_modality_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, 'modality = "PET"')
    assert caught.value.code == "bad-case-file"
