from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from dicom_files import FRAME, PATIENT_ID, SERIES, affine, oblique, series_datasets, slice_dataset, stored_values, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, JPEGLosslessSV1

from pipelines.dicom import codecs
from pipelines.dicom.index import index_files
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from planner.errors import AmbiguousInputError, InputError
from planner.marks import uid_mark


def read(folder, uid=""):
    return read_series(choose_series(index_files(regular_files(folder)), uid))


def compress(dataset):
    """Store a slice as JPEG 2000 lossless."""
    coded = encode_array(dataset.pixel_array, photometric_interpretation=2, use_mct=False)
    dataset.PixelData = encapsulate([coded])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless


def refused(folder, code):
    with pytest.raises(InputError) as caught:
        read(folder)
    assert caught.value.code == code
    assert "Mustermann" not in str(caught.value)
    assert PATIENT_ID not in str(caught.value)
    return str(caught.value)


def worst_error_mm(series, datasets):
    """Return the largest distance between the lattice's corners and those of the headers, by PS3.3 C.7.6.2.1.1."""
    grid, worst = series.volume.grid, 0.0
    by_uid = {str(d.SOPInstanceUID): d for d in datasets}
    for k, uid in enumerate(series.sop_uids):
        d = by_uid[uid]
        x, y = np.array(d.ImageOrientationPatient[:3], float), np.array(d.ImageOrientationPatient[3:], float)
        for row in (0, d.Rows - 1):
            for column in (0, d.Columns - 1):
                header = np.array(d.ImagePositionPatient, float)
                header = header + x * float(d.PixelSpacing[1]) * column + y * float(d.PixelSpacing[0]) * row
                worst = max(worst, float(np.linalg.norm(grid.lps_mm([column, row, k])[0] - header)))
    return worst


@pytest.mark.parametrize(
    "matrix", [affine(), oblique(), affine(step=(0.0, 0.8, 2.4))], ids=["axial", "oblique", "tilted"]
)
def test_every_corner_lies_where_the_headers_put_it(tmp_path, matrix):
    stored = stored_values()
    datasets = series_datasets(stored, matrix)
    series = read(write(datasets, tmp_path))
    assert worst_error_mm(series, datasets) < 1e-6
    np.testing.assert_array_equal(series.volume.voxels_kji, stored - 1024)
    assert series.volume.grid.frame_uid == FRAME
    assert series.volume.modality == "CT"


def test_gantry_tilt_is_kept_and_noted(tmp_path):
    series = read(write(series_datasets(stored_values(), affine(step=(0.0, 0.8, 2.4))), tmp_path))
    np.testing.assert_allclose(series.volume.grid.lps_mm_from_ijk[:3, 2], (0, 0.8, 2.4), atol=1e-9)
    assert any("gantry tilt" in note and "18.4" in note for note in series.notes)


AXES = list(permutations(range(3)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    axes=st.sampled_from(AXES),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    order=st.permutations(range(6)),
    folders=st.lists(st.sampled_from(["a", "b/c", "d e"]), min_size=6, max_size=6),
    base=st.sampled_from([affine(), oblique(), affine(step=(0.0, 0.8, 2.4))]),
)
def test_any_axes_flips_order_and_folders_give_the_same_volume(tmp_path_factory, axes, flips, order, folders, base):
    """The same voxels at the same places, whichever way they were cut into slices (of a sheared lattice, its own)."""
    stored = stored_values((6, 6, 6))
    if abs(base[:3, 1] @ base[:3, 2]) > 1e-6 and axes[2] != 2:
        axes = (0, 1, 2)  # rows and columns have to be perpendicular
    index = np.zeros((4, 4))
    index[3, 3] = 1.0
    for new, old in enumerate(axes):
        index[old, new] = -1.0 if flips[new] else 1.0
        index[old, 3] = 5.0 if flips[new] else 0.0
    turned = stored.transpose(2, 1, 0).transpose(axes)
    turned = np.flip(turned, [n for n in range(3) if flips[n]]).transpose(2, 1, 0)
    names = [f"{folder}/{n}" for folder, n in zip(folders, order, strict=True)]
    series = read(write(series_datasets(turned, base @ index), tmp_path_factory.mktemp("s"), names))
    kji = np.indices((6, 6, 6)).reshape(3, -1)
    places = series.volume.grid.ijk(kji[::-1].T @ base[:3, :3].T + base[:3, 3])
    nearest = np.rint(places).astype(int)
    assert np.abs(places - nearest).max() < 1e-5
    found = series.volume.voxels_kji[tuple(nearest[:, ::-1].T)]
    np.testing.assert_array_equal(found.reshape(6, 6, 6), stored - 1024)


def test_content_hash_follows_content_not_names(tmp_path):
    datasets = series_datasets(stored_values(), affine())
    one = read(write(datasets, tmp_path / "1"))
    two = read(write(datasets[::-1], tmp_path / "2"))
    other = read(write(series_datasets(stored_values(seed=1), affine()), tmp_path / "3"))
    assert one.sha256 == two.sha256 != other.sha256


def test_each_slice_is_rescaled_by_its_own_slope(tmp_path):
    stored = stored_values()
    datasets = [
        slice_dataset(stored[k], affine(), k, RescaleSlope=str(k + 0.5), RescaleIntercept=str(-k)) for k in range(6)
    ]
    series = read(write(datasets, tmp_path))
    k = np.arange(6)[:, None, None]
    np.testing.assert_allclose(series.volume.voxels_kji, stored * (k + 0.5) - k, rtol=1e-6)


def test_monochrome1_is_not_inverted(tmp_path):
    stored = stored_values()
    series = read(write(series_datasets(stored, affine(), PhotometricInterpretation="MONOCHROME1"), tmp_path))
    np.testing.assert_array_equal(series.volume.voxels_kji, stored - 1024)


def test_big_endian_values_are_read_as_numbers(tmp_path):
    stored = stored_values()
    for k in range(6):
        dataset = slice_dataset(stored[k], affine(), k, PixelData=stored[k].astype(">i2").tobytes())
        dataset["PixelData"].VR = "OW"
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        dcmwrite(tmp_path / f"{k}", dataset, enforce_file_format=True)
    series = read(tmp_path)
    np.testing.assert_array_equal(series.volume.voxels_kji, stored - 1024)
    assert series.volume.voxels_kji.dtype.isnative


def test_jpeg_2000_lossless_is_read_exactly(tmp_path):
    stored = stored_values((4, 40, 36))
    datasets = series_datasets(stored, affine())
    for dataset in datasets:
        compress(dataset)
    np.testing.assert_array_equal(read(write(datasets, tmp_path)).volume.voxels_kji, stored - 1024)


def test_files_without_the_dicom_prefix_are_read(tmp_path):
    stored = stored_values()
    for k, dataset in enumerate(series_datasets(stored, affine())):
        bare = Dataset()
        bare.update(dataset)
        with (tmp_path / f"{k}").open("wb") as stream:
            dcmwrite(stream, bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert (tmp_path / "0").read_bytes()[:2] == b"\x08\x00"
    np.testing.assert_array_equal(read(tmp_path).volume.voxels_kji, stored - 1024)


def test_emptied_uids_are_tolerated_noted_and_not_taken_for_copies(tmp_path):
    stored = stored_values()
    datasets = series_datasets(stored, affine(), SOPClassUID="", SOPInstanceUID="", SeriesInstanceUID="")
    for n, dataset in enumerate(datasets):
        dataset.save_as(tmp_path / f"{n}.dcm")
    series = read(tmp_path)
    np.testing.assert_array_equal(series.volume.voxels_kji, stored - 1024)
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"):
        assert any(note.startswith(keyword) and "6 of 6" in note for note in series.notes)


def test_a_missing_frame_of_reference_is_unstated_with_a_note(tmp_path):
    series = read(write(series_datasets(stored_values(), affine(), FrameOfReferenceUID=None), tmp_path))
    assert series.volume.grid.frame_uid == ""
    assert any("FrameOfReferenceUID" in note for note in series.notes)


def test_copies_of_a_file_are_left_out_with_a_note(tmp_path):
    datasets = series_datasets(stored_values(), affine())
    write(datasets, tmp_path)
    write(datasets[:2], tmp_path / "copy")
    series = read(tmp_path)
    assert series.volume.grid.shape_kji[0] == 6
    assert any("2 files are copies" in note for note in series.notes)


def test_one_uid_with_other_pixels_is_refused(tmp_path):
    datasets = series_datasets(stored_values(), affine())
    write(datasets, tmp_path)
    other = slice_dataset(stored_values(seed=3)[2], affine(), 2)
    write([other], tmp_path / "other")
    assert "7 slices at 6 positions" in refused(tmp_path, "duplicate-positions")


def test_other_files_are_counted_and_localizers_left_out(tmp_path):
    write(series_datasets(stored_values(), affine()), tmp_path)
    (tmp_path / "notes.txt").write_text("x" * 300)
    (tmp_path / "empty.dcm").write_bytes(b"")
    scout = slice_dataset(stored_values()[0], affine(row=(0, 1, 0), column=(0, 0, -1)), 0)
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    write([scout], tmp_path / "scout")
    index = index_files(regular_files(tmp_path))
    assert len(index.others) == 2
    assert any("2 files that are not DICOM" in note for note in index.notes())
    assert any("1 localizer" in note for note in index.notes())
    assert read(tmp_path).volume.grid.shape_kji == (6, 5, 7)


def edited(k, **changes):
    """Return a series of six slices whose slice `k` differs by `changes`."""
    datasets = series_datasets(stored_values(), affine())
    datasets[k] = slice_dataset(stored_values()[k], affine(), k, **changes)
    return datasets


BAD = {
    "too-few-slices": lambda: series_datasets(stored_values()[:2], affine()),
    "irregular-spacing": lambda: [d for k, d in enumerate(series_datasets(stored_values(), affine())) if k != 3],
    "duplicate-positions": lambda: edited(2, ImagePositionPatient=[-30, 12, 100]),
    "mixed-matrix": lambda: [
        *series_datasets(stored_values(), affine())[:-1],
        slice_dataset(stored_values((1, 4, 7))[0], affine(), 5),
    ],
    "mixed-orientation": lambda: edited(2, ImageOrientationPatient=[1, 0, 0, 0, "0.999", "0.0447"]),
    "mixed-frame-of-reference": lambda: edited(2, FrameOfReferenceUID="1.2.3"),
    "mixed-modality": lambda: edited(2, Modality="MR"),
    "mixed-patient": lambda: edited(2, PatientID="other"),
    "bad-orientation": lambda: edited(2, ImageOrientationPatient=[1, 0, 0, 1, 0, 0]),
    "bad-rescale": lambda: edited(2, RescaleSlope="0"),
    "not-grey": lambda: edited(2, PhotometricInterpretation="RGB"),
    "cannot-decode": lambda: edited(2, PixelData=b"\0" * 700),
    "no-image": lambda: series_datasets(stored_values(), affine(), SOPClassUID="1.2.840.10008.5.1.4.1.1.7"),
}


@pytest.mark.parametrize("code", BAD)
def test_a_series_that_is_no_even_stack_is_refused(tmp_path, code):
    refused(write(BAD[code](), tmp_path), code)


@pytest.mark.parametrize(
    ("keyword", "text", "code"),
    [
        ("PixelSpacing", "0\\0.7", "bad-spacing"),
        ("PixelSpacing", "-1\\0.7", "bad-spacing"),
        ("PixelSpacing", "nan\\0.7", "bad-number"),
        ("PixelSpacing", "0,74\\0.7", "bad-number"),
        ("ImagePositionPatient", "1\\2", "bad-number"),
        ("ImagePositionPatient", "", "bad-number"),
        ("ImageOrientationPatient", "0\\0\\0\\0\\0\\0", "bad-orientation"),
        ("RescaleIntercept", "1e30", "bad-rescale"),
    ],
)
def test_malformed_numbers_are_refused_by_name(tmp_path, keyword, text, code):
    datasets = series_datasets(stored_values(), affine(), **{keyword: None})
    tag = {
        "PixelSpacing": b"\x28\x00\x30\x00",
        "ImagePositionPatient": b"\x20\x00\x32\x00",
        "ImageOrientationPatient": b"\x20\x00\x37\x00",
        "RescaleIntercept": b"\x28\x00\x52\x10",
    }[keyword]
    write(datasets, tmp_path)
    value = text.encode() + b" " * (len(text) % 2)
    element = tag + b"DS" + len(value).to_bytes(2, "little") + value
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        later = (
            content.index(b"\x28\x00\x53\x10" if keyword.startswith("Resc") else b"\x28\x00\x00\x01")
            if keyword in ("RescaleIntercept", "PixelSpacing")
            else content.index(b"\x20\x00\x52\x00")
        )
        path.write_bytes(content[:later] + element + content[later:])
    message = refused(tmp_path, code)
    assert keyword in message or "rescale" in message


def test_several_series_are_listed_without_their_descriptions_and_one_is_chosen(tmp_path):
    write(series_datasets(stored_values(), affine()), tmp_path / "1")
    write(
        series_datasets(stored_values((4, 5, 7), 1), oblique(), SeriesInstanceUID="1.2.3.444555666777", SeriesNumber=9),
        tmp_path / "2",
    )
    with pytest.raises(AmbiguousInputError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert caught.value.code == "several-series"
    for expected in ("CT 6 slices", "CT 4 slices", "0.7 x 0.8 x 2.5 mm", "number 9", uid_mark("1.2.3.444555666777")):
        assert expected in message
    assert "Mustermann" not in message
    assert read(tmp_path, SERIES).volume.grid.shape_kji[0] == 6
    assert "444555666777" not in message
    assert read(tmp_path, "...444555666777").volume.grid.shape_kji[0] == 4
    assert read(tmp_path, uid_mark("1.2.3.444555666777")).volume.grid.shape_kji[0] == 4
    with pytest.raises(InputError) as caught:
        read(tmp_path, "9.9.9")
    assert caught.value.code == "no-such-series"


def test_a_short_second_series_is_left_out_with_a_note(tmp_path):
    write(series_datasets(stored_values(), affine()), tmp_path / "1")
    write(series_datasets(stored_values()[:2], oblique(), SeriesInstanceUID="1.2.3"), tmp_path / "2")
    assert any("fewer than 3 slices" in note for note in read(tmp_path).notes)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_named_with_its_place(tmp_path, kept):
    write(series_datasets(stored_values((6, 40, 40)), affine()), tmp_path)
    path = tmp_path / "002.dcm"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InputError, match=r"^(slice|file) 3 of 6: ") as caught:
        read(tmp_path)
    assert (caught.value.code, caught.value.where) == ("truncated-file", "002.dcm")


@pytest.mark.parametrize("length", [*range(133, 1000, 23), 1000])
def test_a_file_cut_within_its_header_is_never_dropped(tmp_path, length):
    write(series_datasets(stored_values(), affine()), tmp_path)
    path = tmp_path / "000.dcm"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert caught.value.code == "truncated-file"
    assert str(caught.value).startswith(("file 1 of 6: ", "slice 1 of 6: "))
    assert caught.value.where == "000.dcm"


def test_a_missing_decoder_names_the_transfer_syntax(tmp_path, monkeypatch):
    monkeypatch.setitem(codecs.PLUGINS, str(JPEGLosslessSV1), "one that is not installed")
    datasets = series_datasets(stored_values((4, 40, 36)), affine())
    for dataset in datasets:
        compress(dataset)
        dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    assert "1.2.840.10008.1.2.4.70" in refused(write(datasets, tmp_path), "missing-decoder")


def test_the_patient_key_is_a_hash_that_tells_patients_apart(tmp_path):
    one = read(write(series_datasets(stored_values(), affine()), tmp_path / "1")).patient
    two = read(write(series_datasets(stored_values(), affine(), PatientID="ID-4712"), tmp_path / "2")).patient
    issued = read(write(series_datasets(stored_values(), affine(), IssuerOfPatientID="A"), tmp_path / "3")).patient
    none = read(write(series_datasets(stored_values(), affine(), PatientID=""), tmp_path / "4")).patient
    assert len({one, two, issued}) == 3
    assert len(one) == 16
    assert none == ""
