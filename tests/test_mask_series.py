"""Masks stored as image series (3D-IRCADb's way), by explicit role; and TotalSegmentator's map among other files."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_files import affine, series_datasets, stored_values, write

from pipelines.case_file import CaseFile, read_case_file
from pipelines.formats.totalsegmentator import TOTAL_V2
from pipelines.study import read_study
from planner.errors import FrameMismatchError, InputError

SHAPE = (6, 5, 7)
INSIDE = np.random.default_rng(5).random(SHAPE) > 0.6
ENTRY = {"study": "pre", "role": "tumour_1", "file": "masks/tumour"}


def study(folder, *entries):
    case = CaseFile(mask=list(entries), folder=folder)
    return read_study(folder / "ct", "pre", case, lambda *_: None).study


def written(folder, stored=255 * INSIDE, matrix=None, **changes):
    """Write a CT, and a mask as a CT series of its own: own UIDs, no frame of reference."""
    write(series_datasets(stored_values(SHAPE), affine()), folder / "ct")
    own = {"SeriesInstanceUID": "1.2.3.4", "FrameOfReferenceUID": None, "RescaleIntercept": "0"} | changes
    write(series_datasets(stored, affine() if matrix is None else matrix, **own), folder / "masks" / "tumour")
    return folder


@pytest.mark.parametrize("changes", [{}, {"RescaleIntercept": "-1024"}, {"PhotometricInterpretation": "MONOCHROME1"}])
def test_the_higher_value_is_inside(tmp_path, changes):
    found = study(written(tmp_path, **changes), ENTRY)
    np.testing.assert_array_equal(found.masks["tumour_1"].voxels_kji, INSIDE)
    assert found.masks["tumour_1"].grid.same_lattice(found.image.grid)


def test_slices_in_another_order_are_sorted_by_position(tmp_path):
    turned = affine(origin=(-30.0, 12.0, 112.5), step=(0.0, 0.0, -2.5))
    found = study(written(tmp_path, 255 * INSIDE[::-1], turned), ENTRY)
    np.testing.assert_array_equal(found.masks["tumour_1"].voxels_kji, INSIDE)


@pytest.mark.parametrize(("value", "intercept", "code"), [(0, "0", "empty-mask"), (0, "-1024", "empty-mask")])
def test_an_empty_one_is_empty_whatever_its_rescale(tmp_path, value, intercept, code):
    with pytest.raises(InputError) as caught:
        study(written(tmp_path, np.full(SHAPE, value), RescaleIntercept=intercept), ENTRY)
    assert caught.value.code == code


def test_an_image_is_no_mask(tmp_path):
    with pytest.raises(InputError) as caught:
        study(written(tmp_path, stored_values(SHAPE)), ENTRY)
    assert caught.value.code == "not-binary"


def test_several_series_in_the_folder_need_a_series_uid(tmp_path):
    written(tmp_path)
    write(
        series_datasets(255 * ~INSIDE, affine(), SeriesInstanceUID="1.2.3.777777", RescaleIntercept="0"),
        tmp_path / "masks" / "tumour" / "other",
    )
    with pytest.raises(InputError) as caught:
        study(tmp_path, ENTRY)
    assert caught.value.code == "several-series"
    found = study(tmp_path, ENTRY | {"series_uid": "...777777"})
    np.testing.assert_array_equal(found.masks["tumour_1"].voxels_kji, ~INSIDE)


def test_a_frame_of_reference_of_its_own_on_the_same_lattice_is_taken_over(tmp_path):
    found = study(written(tmp_path, FrameOfReferenceUID="1.2.9"), ENTRY)
    assert found.masks["tumour_1"].grid.frame_uid == found.image.grid.frame_uid
    assert any("its frame of reference is not the image's, taken for it" in note for note in found.notes)


def test_one_of_another_patient_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        study(written(tmp_path, PatientID="somebody else"), ENTRY)
    assert caught.value.code == "different-patients"


@pytest.mark.parametrize(
    ("label", "code"),
    [("0", "bad-case-file"), ("[]", "bad-case-file"), ("true", "bad-case-file"), ("99", "no-such-label")],
)
def test_a_label_that_is_none_of_the_file_is_refused(tmp_path, label, code):
    write(series_datasets(stored_values(SHAPE), affine()), tmp_path / "ct")
    values = INSIDE.astype(np.uint8).transpose(2, 1, 0)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine()), tmp_path / "map.nii.gz")
    case = tmp_path / "case.toml"
    case.write_text(f'[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "map.nii.gz"\nlabel = {label}\n')
    with pytest.raises(InputError) as caught:
        read_study(tmp_path / "ct", "pre", read_case_file(case), lambda *_: None)
    assert caught.value.code == code


def test_a_frame_of_reference_of_its_own_elsewhere_is_refused(tmp_path):
    moved = affine(origin=(-30.0, 12.0, 101.0))
    with pytest.raises(FrameMismatchError):
        study(written(tmp_path, matrix=moved, FrameOfReferenceUID="1.2.9"), ENTRY)


@pytest.mark.parametrize(
    ("more", "code"),
    [({"label": 2}, "bad-case-file"), ({"segment": 2}, "bad-case-file"), ({"file": "nowhere"}, "missing")],
)
def test_what_does_not_go_with_a_folder_is_refused(tmp_path, more, code):
    with pytest.raises(InputError) as caught:
        study(written(tmp_path), ENTRY | more)
    assert caught.value.code == code


def test_a_folder_without_images_is_refused(tmp_path):
    written(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        study(tmp_path, ENTRY | {"file": "empty"})
    assert caught.value.code == "is-a-folder"


def labelled(path: Path) -> None:
    """Write a multi-label map as TotalSegmentator does: with its label table in the header."""
    values = np.zeros(SHAPE[::-1], np.uint8)
    by_name = {name: value for value, name in TOTAL_V2.items()}
    values[1:3], values[4:6], values[6] = by_name["liver"], by_name["colon"], by_name["brain"]
    image = nibabel.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine())
    rows = "".join(f'<Label Key="{v}" Red="1" Green="1" Blue="1" Alpha="1"><![CDATA[{n}]]></Label>'
                   for v, n in TOTAL_V2.items())  # fmt: skip
    table = f"<CaretExtension><VolumeInformation><LabelTable>{rows}</LabelTable></VolumeInformation></CaretExtension>"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, table.encode()))
    nibabel.save(image, path)


def test_a_map_with_its_label_table_is_taken_by_its_names(tmp_path):
    image = nibabel.Nifti1Image(np.zeros(SHAPE[::-1], np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine())
    nibabel.save(image, tmp_path / "image.nii.gz")
    labelled(tmp_path / "everything.nii.gz")
    found = read_study(tmp_path, "post", CaseFile(), lambda *_: None).study
    assert set(found.masks) == {"liver", "colon"}
    assert found.masks["liver"].voxels_kji.sum() == 2 * 5 * 6
    assert any("2 of 3 structures have a role here" in note for note in found.notes)
