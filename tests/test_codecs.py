"""Pixels as stored: every transfer syntax that a hospital sends, exact or refused."""

from __future__ import annotations

import zlib

import numpy as np
import pydicom
import pytest
from dicom_files import affine, series_datasets, slice_dataset, stored_values, write
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, RLELossless

from pipelines.dicom.deflated import MOST_INFLATED
from pipelines.dicom.index import index_files
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from planner.errors import InputError

SHAPE = (4, 33, 29)


def read(folder):
    return read_series(choose_series(index_files(regular_files(folder)))).volume.voxels_kji


def refused(folder, code):
    with pytest.raises(InputError) as caught:
        read(folder)
    assert caught.value.code == code
    return str(caught.value)


def changed(change, **elements):
    datasets = series_datasets(stored_values(SHAPE), affine(), **elements)
    for dataset in datasets:
        change(dataset)
    return datasets


def rle(dataset):
    dataset.compress(RLELossless)


def jpeg_ls(dataset):
    dataset.compress(JPEGLSLossless)


def deflated(dataset):
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian


def implicit(dataset):
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian


@pytest.mark.parametrize("change", [rle, jpeg_ls, deflated, implicit])
def test_every_value_comes_back(tmp_path, change):
    np.testing.assert_array_equal(read(write(changed(change), tmp_path)), stored_values(SHAPE) - 1024.0)


@pytest.mark.parametrize("change", [implicit, rle])
def test_bits_beyond_those_stored_do_not_count(tmp_path, change):
    """Twelve bits are stored; a scanner put overlay bits above them, and of negative values the sign is in bit 11."""
    values = np.random.default_rng(3).integers(-2048, 2048, SHAPE)
    datasets = series_datasets((values & 0xFFF) | 0x5000, affine(), BitsStored=12, HighBit=11, RescaleIntercept="0")
    for dataset in datasets:
        change(dataset)
    np.testing.assert_array_equal(read(write(datasets, tmp_path)), values)


@pytest.mark.parametrize("change", [rle, jpeg_ls])
def test_a_cut_stream_is_refused_not_filled_up(tmp_path, change):
    datasets = changed(change)
    stream = pydicom.encaps.get_frame(datasets[1].PixelData, 0, number_of_frames=1)
    datasets[1].PixelData = encapsulate([stream[: len(stream) // 2]])
    datasets[1]["PixelData"].is_undefined_length = True
    refused(write(datasets, tmp_path), "cannot-decode")


def test_pixel_data_of_another_length_are_never_taken(tmp_path):
    datasets = series_datasets(stored_values(SHAPE), affine())
    datasets[2].PixelData += datasets[2].PixelData
    refused(write(datasets, tmp_path), "cannot-decode")


def test_a_deflated_file_that_inflates_too_far_is_refused_before_it_is_read(tmp_path):
    folder = write(changed(deflated), tmp_path)
    path = folder / "002.dcm"
    head = path.read_bytes()
    begins = 144 + int.from_bytes(head[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(2**24)) for _ in range(MOST_INFLATED // 2**24 + 1)) + packer.flush()
    path.write_bytes(head[:begins] + bomb)
    assert len(bomb) < 2**20
    assert "MB inflated" in refused(folder, "too-large")


def test_a_deflated_file_cut_short_is_refused(tmp_path):
    folder = write(changed(deflated), tmp_path)
    path = folder / "002.dcm"
    path.write_bytes(path.read_bytes()[:-40])
    refused(folder, "truncated-file")


def test_values_that_do_not_begin_at_the_lowest_bit_are_refused(tmp_path):
    refused(write(series_datasets(stored_values(SHAPE), affine(), BitsStored=12, HighBit=15), tmp_path), "bad-number")


@pytest.mark.parametrize("slope", ["0", "-1"])
def test_a_slope_that_is_not_positive_is_refused(tmp_path, slope):
    refused(write(series_datasets(stored_values(SHAPE), affine(), RescaleSlope=slope), tmp_path), "bad-rescale")


def test_a_modality_lut_is_refused(tmp_path):
    datasets = series_datasets(stored_values(SHAPE), affine())
    table = pydicom.Dataset()
    table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [2, 0, 16], "HU", b"\0\0\1\0"
    for dataset in datasets:
        del dataset.RescaleSlope, dataset.RescaleIntercept
        dataset.ModalityLUTSequence = [table]
    refused(write(datasets, tmp_path), "bad-rescale")


def test_a_file_that_changed_since_it_was_indexed_is_not_misread(tmp_path):
    write(series_datasets(stored_values(SHAPE), affine()), tmp_path)
    index = index_files(regular_files(tmp_path))
    replaced = slice_dataset(stored_values(SHAPE)[1], affine(), 1, SeriesDescription="longer than it was before")
    replaced.save_as(tmp_path / "001.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_series(choose_series(index)).volume.voxels_kji, stored_values(SHAPE) - 1024.0)
