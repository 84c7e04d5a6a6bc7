"""Enhanced multi-frame images: each frame where its own functional groups put it."""

from __future__ import annotations

from copy import deepcopy

import highdicom
import numpy as np
import pytest
from dicom_files import affine, oblique, series_datasets, stored_values, write

from pipelines.dicom.index import index_files
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from planner.errors import InputError

MATRICES = {"axial": affine(), "oblique": oblique(), "tilted": affine(step=(0.0, 0.8, 2.4))}


def enhanced(datasets):
    """Return a series as one enhanced image, as highdicom converts it."""
    return highdicom.legacy.LegacyConvertedEnhancedCTImage(
        datasets, series_instance_uid="1.2.3", series_number=3, sop_instance_uid="1.2.3.4", instance_number=1
    )


def saved(dataset, folder):
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / "one.dcm", enforce_file_format=True)
    return folder


def read(folder, **kw):
    return read_series(choose_series(index_files(regular_files(folder))), **kw)


def refused(folder, code):
    with pytest.raises(InputError) as caught:
        read(folder)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_a_converted_series_is_the_volume_that_it_was(tmp_path, matrix):
    datasets = series_datasets(stored_values(), matrix)
    single = read(write(datasets, tmp_path / "single"))
    several = read(saved(enhanced(datasets), tmp_path / "several"))
    assert several.volume.grid.same_lattice(single.volume.grid)
    assert several.volume.grid.frame_uid == single.volume.grid.frame_uid
    np.testing.assert_array_equal(several.volume.voxels_kji, single.volume.voxels_kji)
    assert (several.volume.modality, several.patient) == ("CT", single.patient)


def test_the_frames_order_in_the_file_does_not_matter(tmp_path):
    one = enhanced(series_datasets(stored_values(), affine()))
    expected = read(saved(one, tmp_path / "as converted")).volume
    order = [3, 0, 5, 1, 4, 2]
    frames = one.pixel_array[order]
    one.PerFrameFunctionalGroupsSequence = [one.PerFrameFunctionalGroupsSequence[n] for n in order]
    one.PixelData = frames.tobytes()
    found = read(saved(one, tmp_path / "shuffled")).volume
    assert found.grid.same_lattice(expected.grid)
    np.testing.assert_array_equal(found.voxels_kji, expected.voxels_kji)


def test_each_frame_is_rescaled_by_its_own_slope(tmp_path):
    stored = stored_values()
    one = enhanced(series_datasets(stored, affine()))
    shared = one.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    del one.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    heights = []
    for n, frame in enumerate(one.PerFrameFunctionalGroupsSequence):
        item = deepcopy(shared[0])
        item.RescaleSlope = str(n + 1)
        frame.PixelValueTransformationSequence = [item]
        heights.append(float(frame.PlanePositionSequence[0].ImagePositionPatient[2]))
    slopes = np.arange(1, 7)[np.argsort(heights)]
    voxels = read(saved(one, tmp_path)).volume.voxels_kji
    np.testing.assert_allclose(voxels, stored * slopes[:, None, None] - 1024.0)


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda d: setattr(d, "NumberOfFrames", 7), "bad-image"),
        (lambda d: setattr(d, "NumberOfFrames", 2**31 - 1), "bad-image"),
        (lambda d: delattr(d, "PerFrameFunctionalGroupsSequence"), "bad-image"),
        (lambda d: delattr(d.PerFrameFunctionalGroupsSequence[2], "PlanePositionSequence"), "bad-number"),
        (lambda d: delattr(d.SharedFunctionalGroupsSequence[0], "PixelMeasuresSequence"), "bad-number"),
        (lambda d: setattr(d, "PhotometricInterpretation", "RGB"), "not-grey"),
    ],
)
def test_a_malformed_image_is_refused_by_code(tmp_path, break_it, code):
    one = enhanced(series_datasets(stored_values(), affine()))
    break_it(one)
    refused(saved(one, tmp_path), code)


def test_a_cut_file_is_refused(tmp_path):
    folder = saved(enhanced(series_datasets(stored_values((6, 40, 40)), affine())), tmp_path)
    path = folder / "one.dcm"
    path.write_bytes(path.read_bytes()[:-4000])
    assert refused(folder, "truncated-file").startswith("slice ")


def test_more_pixels_than_frames_are_refused(tmp_path):
    one = enhanced(series_datasets(stored_values(), affine()))
    one.NumberOfFrames = 5
    del one.PerFrameFunctionalGroupsSequence[-1]
    assert "420 bytes of pixel data, expected 350" in refused(saved(one, tmp_path), "cannot-decode")


def test_an_enhanced_and_a_single_frame_series_are_two_candidates(tmp_path):
    datasets = series_datasets(stored_values(), affine())
    write(datasets, tmp_path / "single")
    saved(enhanced(datasets), tmp_path / "several")
    assert "2 image series" in refused(tmp_path, "several-series")


def test_a_single_frame_class_with_frames_is_refused(tmp_path):
    datasets = series_datasets(stored_values(), affine(), NumberOfFrames=2)
    assert "2 frames" in refused(write(datasets, tmp_path), "not-grey")
