from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK
from dicom_files import oblique

from pipelines.formats.voxel_file import read_voxel_file
from planner.errors import InputError

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def save(path, values_kji, lps=None, sform=True, qform=True, **header):
    image = nibabel.Nifti1Image(values_kji.transpose(2, 1, 0), None)
    ras = RAS @ (oblique() if lps is None else lps)
    image.header.set_xyzt_units(header.get("units", "mm"))
    image.header.set_sform(ras, code=2 if sform else 0)
    image.header.set_qform(
        ras if sform is not None and not isinstance(qform, np.ndarray) else qform, code=1 if qform is not False else 0
    )
    nibabel.save(image, path)
    return path


def values(shape=(4, 5, 6), dtype=np.int16):
    return np.random.default_rng(1).integers(-900, 900, shape).astype(dtype)


def refused(path, code):
    with pytest.raises(InputError) as caught:
        read_voxel_file(path)
    assert caught.value.code == code
    assert str(caught.value).startswith("the file: ")
    assert caught.value.where == path.name
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_an_oblique_file_lies_where_simpleitk_puts_it(tmp_path, suffix):
    path = save(tmp_path / f"image{suffix}", values())
    ours, theirs = read_voxel_file(path), SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(ours.values_kji, SimpleITK.GetArrayFromImage(theirs))
    for ijk in [(0, 0, 0), (5, 0, 0), (0, 4, 0), (0, 0, 3), (5, 4, 3)]:
        expected = theirs.TransformIndexToPhysicalPoint(ijk)
        np.testing.assert_allclose(ours.grid.lps_mm(ijk)[0], expected, atol=1e-4)
    assert ours.grid.frame_uid == ""


def test_a_file_written_by_simpleitk_comes_back(tmp_path):
    image = SimpleITK.GetImageFromArray(values())
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((-10, 20, 30))
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii.gz"))
    ours = read_voxel_file(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(ours.values_kji, values())
    np.testing.assert_allclose(ours.grid.lps_mm([1, 2, 3])[0], (-10 + 0.7, 20 + 1.6, 30 + 7.5), atol=1e-5)


@pytest.mark.parametrize(("sform", "qform"), [(True, False), (False, True)])
def test_one_coded_transform_is_enough(tmp_path, sform, qform):
    ours = read_voxel_file(save(tmp_path / "a.nii", values(), sform=sform, qform=qform))
    np.testing.assert_allclose(ours.grid.lps_mm_from_ijk, oblique(), atol=1e-4)


def test_a_sheared_sform_alone_keeps_its_shear(tmp_path):
    sheared = oblique()
    sheared[:3, 2] += (0.3, 0.1, 0)
    ours = read_voxel_file(save(tmp_path / "a.nii", values(), lps=sheared, qform=False))
    np.testing.assert_allclose(ours.grid.lps_mm_from_ijk, sheared, atol=1e-4)


def test_geometry_that_is_missing_contradictory_or_not_finite_is_refused(tmp_path):
    moved = RAS @ oblique()
    moved[0, 3] += 0.01
    refused(save(tmp_path / "a.nii", values(), qform=moved), "bad-affine")
    refused(save(tmp_path / "b.nii", values(), sform=False, qform=False), "no-geometry")
    path = save(tmp_path / "c.nii", values(), qform=False)
    content = bytearray(path.read_bytes())
    content[280:284] = np.float32("nan").tobytes()
    path.write_bytes(content)
    refused(path, "bad-affine")
    refused(save(tmp_path / "d.nii", values(), units="meter"), "bad-units")
    odd = save(tmp_path / "e.nii", values())
    content = bytearray(odd.read_bytes())
    content[123] = 5
    odd.write_bytes(content)
    refused(odd, "bad-units")


def test_an_unknown_unit_of_time_does_not_matter(tmp_path):
    path = save(tmp_path / "t.nii", values())
    content = bytearray(path.read_bytes())
    content[123] = 2 + 56
    path.write_bytes(content)
    assert np.array_equal(read_voxel_file(path).values_kji, values())


def test_a_fourth_dimension_is_refused_unless_it_is_one(tmp_path):
    for count, name in ((2, "two.nii"), (1, "one.nii")):
        image = nibabel.Nifti1Image(np.zeros((6, 5, 4, count), np.uint8), None)
        image.header.set_sform(RAS @ oblique(), code=1)
        nibabel.save(image, tmp_path / name)
    refused(tmp_path / "two.nii", "not-3d")
    assert read_voxel_file(tmp_path / "one.nii").grid.shape_kji == (4, 5, 6)


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.95])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_file_is_refused(tmp_path, kept, suffix):
    path = save(tmp_path / f"a{suffix}", values((20, 30, 30)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    refused(path, "truncated-file")


def test_text_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "a.nii").write_text("x" * 1000)
    assert refused(tmp_path / "a.nii", "not-nifti") == "the file: is not a NIfTI file"
    with gzip.open(tmp_path / "b.nii.gz", "wb") as stream:
        stream.write(b"x" * 1000)
    assert refused(tmp_path / "b.nii.gz", "not-nifti") == "the file: is not a NIfTI file"
    (tmp_path / "c.nii.gz").write_text("plain text")
    said = "the file: is not a gzip file, expected a NIfTI file packed by gzip"
    assert refused(tmp_path / "c.nii.gz", "not-nifti") == said
    refused(tmp_path / "no.nii.gz", "missing")
    (tmp_path / "a.mha").write_text("")
    refused(tmp_path / "a.mha", "unknown-format")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_masks_of_zeros_and_ones_are_masks_in_any_type(tmp_path, dtype):
    truth = values() > 300
    mask = read_voxel_file(save(tmp_path / "a.nii.gz", truth.astype(dtype))).mask("liver")
    np.testing.assert_array_equal(mask.voxels_kji, truth)


def test_a_label_map_is_no_mask_until_labels_are_picked(tmp_path):
    labels = np.random.default_rng(1).integers(0, 4, (4, 5, 6)).astype(np.float32)
    content = read_voxel_file(save(tmp_path / "a.nii.gz", labels))
    with pytest.raises(InputError) as caught:
        content.mask("liver")
    assert caught.value.code == "not-binary"
    np.testing.assert_array_equal(content.mask("liver", [2]).voxels_kji, labels == 2)
    np.testing.assert_array_equal(content.mask("liver", [1, 3]).voxels_kji, (labels == 1) | (labels == 3))
    assert content.labels() == (1, 2, 3)
    fractional = read_voxel_file(save(tmp_path / "b.nii.gz", labels / 3))
    with pytest.raises(InputError):
        fractional.mask("liver", [1])


def test_an_image_with_nan_is_refused(tmp_path):
    image = values(dtype=np.float32)
    image[0, 0, 0] = np.nan
    with pytest.raises(InputError) as caught:
        read_voxel_file(save(tmp_path / "a.nii", image)).volume()
    assert caught.value.code == "bad-image"
