from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from dicom_files import oblique

from pipelines.formats.voxel_file import read_voxel_file, stem_of
from planner.errors import InputError

VALUES = np.random.default_rng(1).integers(-900, 900, (4, 5, 6)).astype("<i2")


def nrrd(path, space="left-posterior-superior", matrix=None, extra="", data=None, directions=None):
    matrix = oblique() if matrix is None else matrix
    vectors = " ".join("(" + ",".join(f"{v:.12g}" for v in matrix[:3, n]) + ")" for n in range(3))
    origin = ",".join(f"{v:.12g}" for v in matrix[:3, 3])
    header = (
        f"NRRD0004\n# a comment: with a colon\ntype: short\ndimension: 3\nspace: {space}\nsizes: 6 5 4\n"
        f"space directions: {directions or vectors}\nkinds: domain domain domain\nendian: little\nencoding: raw\n"
        f"space origin: ({origin})\n{extra}\n"
    )
    path.write_bytes(header.encode() + (VALUES.tobytes() if data is None else data))
    return path


def refused(path, code):
    with pytest.raises(InputError) as caught:
        read_voxel_file(path)
    assert caught.value.code == code
    return str(caught.value)


def test_a_file_written_by_simpleitk_comes_back(tmp_path):
    image = SimpleITK.GetImageFromArray(VALUES)
    matrix = oblique()
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    SimpleITK.WriteImage(image, str(tmp_path / "a.nrrd"), useCompression=True)
    ours = read_voxel_file(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(ours.values_kji, VALUES)
    np.testing.assert_allclose(ours.grid.lps_mm_from_ijk, matrix, atol=1e-9)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
        ("LAS", (1, -1, 1)),
    ],
)
def test_every_space_is_turned_into_lps(tmp_path, space, signs):
    ours = read_voxel_file(nrrd(tmp_path / "a.nrrd", space))
    np.testing.assert_allclose(ours.grid.lps_mm_from_ijk, np.diag([*signs, 1]) @ oblique(), atol=1e-9)
    np.testing.assert_array_equal(ours.values_kji, VALUES)


@pytest.mark.parametrize("key", ["data file", "datafile", "DATA FILE"])
@pytest.mark.parametrize("suffix", [".nhdr", ".nrrd"])
def test_detached_data_are_refused_unread(tmp_path, key, suffix):
    refused(nrrd(tmp_path / f"a{suffix}", extra=f"{key}: /etc/passwd\n"), "detached-data")


def test_an_attached_nhdr_is_read(tmp_path):
    np.testing.assert_array_equal(read_voxel_file(nrrd(tmp_path / "a.nhdr")).values_kji, VALUES)


@pytest.mark.parametrize("units", ['"m" "m" "m"', '"mm" "cm" "mm"'])
def test_other_units_than_millimetres_are_refused(tmp_path, units):
    refused(nrrd(tmp_path / "a.nrrd", extra=f"space units: {units}\n"), "bad-units")


def test_millimetres_are_read(tmp_path):
    path = nrrd(tmp_path / "a.nrrd", extra='space units: "mm" "mm" "mm"\n')
    np.testing.assert_allclose(read_voxel_file(path).grid.lps_mm_from_ijk, oblique(), atol=1e-9)


def test_unusable_headers_are_refused(tmp_path):
    refused(nrrd(tmp_path / "a.nrrd", space="scanner-xyz"), "bad-affine")
    refused(nrrd(tmp_path / "b.nrrd", directions="none (0,1,0) (0,0,1)"), "bad-affine")
    refused(nrrd(tmp_path / "c.nrrd", directions="(nan,0,0) (0,1,0) (0,0,1)"), "bad-affine")
    refused(nrrd(tmp_path / "d.nrrd", data=b"\0" * 10), "truncated-file")
    (tmp_path / "e.nrrd").write_text("hello\n\n")
    refused(tmp_path / "e.nrrd", "truncated-file")
    (tmp_path / "f.nrrd").write_bytes(b"NRRD0004\ntype: short\nsizes: 6 5")
    refused(tmp_path / "f.nrrd", "truncated-file")
    four = nrrd(tmp_path / "g.nrrd")
    four.write_bytes(four.read_bytes().replace(b"sizes: 6 5 4", b"sizes: 6 5 2 2"))
    refused(four, "not-3d")
    huge = nrrd(tmp_path / "h.nrrd")
    huge.write_bytes(huge.read_bytes().replace(b"sizes: 6 5 4", b"sizes: 100000 100000 100000"))
    refused(huge, "too-large")


def test_a_slicer_segmentation_is_named_without_its_second_suffix(tmp_path):
    assert stem_of(tmp_path / "liver.seg.nrrd") == "liver"
