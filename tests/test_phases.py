"""Several volumes in one series: split by the first element that gives equal, complete groups, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import affine, series_datasets, stored_values, write
from pydicom.uid import generate_uid

from pipelines.case_file import read_case_file
from pipelines.dicom.index import index_files
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from pipelines.study import read_study
from planner.errors import AmbiguousInputError, InputError

ARTERIAL, PORTAL = stored_values(seed=1), stored_values(seed=2)


def volumes(*several, **by_keyword):
    """Return the slices of several volumes of one series; each keyword has a value per volume."""
    found = []
    for n, stored in enumerate(several):
        changes = {keyword: values[n] for keyword, values in by_keyword.items()}
        for k, dataset in enumerate(series_datasets(stored, affine(), **changes)):
            dataset.SOPInstanceUID = generate_uid(entropy_srcs=[str(n), str(k)])
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            found.append(dataset)
    return found


def read(folder, volume=None):
    return read_series(choose_series(index_files(regular_files(folder))), volume=volume)


def caught(folder, volume=None):
    with pytest.raises(InputError) as error:
        read(folder, volume)
    return error.value


@pytest.mark.parametrize(
    ("keyword", "values", "shown"),
    [
        ("AcquisitionNumber", ["2", "10"], "1 (2), 2 (10)"),
        ("TemporalPositionIdentifier", ["1", "2"], "1 (1), 2 (2)"),
        ("TriggerTime", ["35.5", "70"], "1 (35.5), 2 (70)"),
        ("EchoTime", ["1.2", "2.4"], "1 (1.2), 2 (2.4)"),
        ("ConvolutionKernel", ["B20f", "B60f"], "1 (B20f), 2 (B60f)"),
        ("ImageType", [["ORIGINAL", "PRIMARY", "W"], ["ORIGINAL", "PRIMARY", "F"]], ": 1 (ORIGINAL"),
        ("AcquisitionTime", ["101010", "101045"], ": 1, 2"),
    ],
)
def test_each_element_tells_volumes_apart_and_a_user_chooses(tmp_path, keyword, values, shown):
    write(volumes(ARTERIAL, PORTAL, **{keyword: values}), tmp_path)
    error = caught(tmp_path)
    assert isinstance(error, AmbiguousInputError)
    assert error.code == "duplicate-positions"
    assert f"12 slices at 6 positions: 2 volumes by {keyword}, choose one by volume in the case file" in str(error)
    assert shown in str(error)
    first = 2 if keyword == "ImageType" else 1  # "...\\F" sorts before "...\\W"
    np.testing.assert_array_equal(read(tmp_path, first).volume.voxels_kji, ARTERIAL - 1024.0)
    np.testing.assert_array_equal(read(tmp_path, 3 - first).volume.voxels_kji, PORTAL - 1024.0)
    assert any("number 2 was chosen" in note for note in read(tmp_path, 2).notes)


def test_a_time_of_day_is_not_shown(tmp_path):
    write(volumes(ARTERIAL, PORTAL, AcquisitionTime=["101010", "101045"]), tmp_path)
    assert "1010" not in str(caught(tmp_path))


def test_the_first_element_that_divides_evenly_is_taken(tmp_path):
    """Each slice has an acquisition number of its own, which makes no complete volume; the echo time does."""
    made = volumes(ARTERIAL, PORTAL, EchoTime=["1.2", "2.4"])
    for n, dataset in enumerate(made):
        dataset.AcquisitionNumber = n
    assert "2 volumes by EchoTime" in str(caught(write(made, tmp_path)))


def test_volumes_that_nothing_tells_apart_are_refused(tmp_path):
    error = caught(write(volumes(ARTERIAL, PORTAL), tmp_path))
    assert not isinstance(error, AmbiguousInputError)
    assert error.code == "duplicate-positions"
    assert "12 slices at 6 positions, and no element tells volumes apart" in str(error)
    assert caught(tmp_path, 1).code == "duplicate-positions"


def test_an_incomplete_volume_is_refused(tmp_path):
    made = volumes(ARTERIAL, PORTAL, AcquisitionNumber=["1", "2"])
    assert "11 slices at 6 positions" in str(caught(write(made[:-1], tmp_path)))


def test_two_slices_at_one_place_make_no_volumes(tmp_path):
    made = volumes(ARTERIAL[:1], PORTAL[:1], AcquisitionNumber=["1", "2"])
    assert caught(write(made, tmp_path)).code == "duplicate-positions"


@pytest.mark.parametrize(("number", "count"), [(3, 2), (2, 1)])
def test_a_volume_that_there_is_not_is_refused(tmp_path, number, count):
    write(volumes(*[ARTERIAL, PORTAL][:count], AcquisitionNumber=["1", "2"][:count]), tmp_path)
    assert caught(tmp_path, number).code == "no-such-volume"


def test_the_only_volume_may_be_chosen(tmp_path):
    write(volumes(ARTERIAL), tmp_path)
    assert read(tmp_path, 1).volume.grid.shape_kji[0] == 6


def test_a_case_file_chooses_a_volume(tmp_path):
    write(volumes(ARTERIAL, PORTAL, AcquisitionNumber=["1", "2"]), tmp_path / "ct")
    case = tmp_path / "case.toml"
    case.write_text("[pre]\nvolume = 2\n", encoding="utf-8")
    found = read_study(tmp_path / "ct", "pre", read_case_file(case), lambda *_: None).study
    np.testing.assert_array_equal(found.image.voxels_kji, PORTAL - 1024.0)
    assert any("number 2 was chosen" in note for note in found.notes)


@pytest.mark.parametrize("value", ["0", "true", '"2"', "1.5"])
def test_a_case_files_volume_is_a_number_from_one(tmp_path, value):
    case = tmp_path / "case.toml"
    case.write_text(f"[pre]\nvolume = {value}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_case_file(case)
    assert error.value.code == "bad-case-file"


@pytest.mark.parametrize("shift_mm", [1.25, 15.0])
def test_volumes_that_share_no_position_are_told_apart_by_what_they_show(tmp_path, shift_mm):
    """Half a slice beside each other, or one above the other, two echoes would make one even stack."""
    made = volumes(ARTERIAL, PORTAL, EchoTime=["1.2", "2.4"])
    for dataset in made[6:]:
        x, y, z = map(float, dataset.ImagePositionPatient)
        dataset.ImagePositionPatient = [x, y, z + shift_mm]
    write(made, tmp_path)
    assert "12 slices at 12 positions: 2 volumes by EchoTime" in str(caught(tmp_path))
    assert caught(tmp_path).code == "several-volumes"
    np.testing.assert_array_equal(read(tmp_path, 2).volume.voxels_kji, PORTAL - 1024.0)


def test_slices_acquired_in_two_goes_are_one_volume(tmp_path):
    """Interleaved acquisition: odd slices first, then the even ones."""
    made = volumes(ARTERIAL)
    for k, dataset in enumerate(made):
        dataset.AcquisitionNumber = k % 2 + 1
    np.testing.assert_array_equal(read(write(made, tmp_path)).volume.voxels_kji, ARTERIAL - 1024.0)


def test_two_elements_that_divide_differently_are_refused(tmp_path):
    made = volumes(ARTERIAL, PORTAL, TemporalPositionIdentifier=["1", "2"])
    for n, dataset in enumerate(made):
        dataset.AcquisitionNumber = (n + n // 6) % 2
    error = caught(write(made, tmp_path), 1)
    assert "AcquisitionNumber and TemporalPositionIdentifier tell volumes apart, and differently" in str(error)


def test_a_volume_without_the_element_says_so(tmp_path):
    made = volumes(ARTERIAL, PORTAL, EchoTime=["1.2", "2.4"])
    for dataset in made[6:]:
        del dataset.EchoTime
    assert "1 (1.2), 2 (none stated)" in str(caught(write(made, tmp_path)))
