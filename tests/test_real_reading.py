from __future__ import annotations

import os
import tarfile
from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import zstandard

from pipelines.dicom.index import index_files, quiet_pydicom, regular_files
from pipelines.dicom.seg import read_seg
from pipelines.dicom.series import choose_series, read_series
from pipelines.formats.totalsegmentator import TOTAL_V2
from pipelines.formats.voxel_file import read_voxel_file
from pipelines.source import FolderSource
from pipelines.study import reordered
from planner.errors import InputError

DATA = Path(os.environ.get("ABLATION_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="real test data not found: set ABLATION_TEST_DATA"),
]


def read(folder, uid=""):
    return read_series(choose_series(index_files(regular_files(folder)), uid))


def worst_error_mm(folder):
    """Return the largest distance between voxels and header positions; slices are matched by position."""
    series, worst = read(folder), 0.0
    grid = series.volume.grid
    for path in regular_files(folder):
        with quiet_pydicom():
            d = pydicom.dcmread(path, stop_before_pixels=True)
            origin, cosines = np.array(d.ImagePositionPatient, float), np.array(d.ImageOrientationPatient, float)
        k = round(grid.ijk(origin)[0][2])
        for r, c in ((0, 0), (0, d.Columns - 1), (d.Rows - 1, 0), (d.Rows - 1, d.Columns - 1)):
            header = origin + cosines[:3] * float(d.PixelSpacing[1]) * c + cosines[3:] * float(d.PixelSpacing[0]) * r
            worst = max(worst, float(np.linalg.norm(grid.lps_mm([c, r, k])[0] - header)))
    return worst


@pytest.mark.parametrize(
    "folder",
    [
        "totalseg_ct_j2k",
        "dcmqi/segmentations/ct-3slice",
        "awkward/failing/gantrytilting",
        "ibsi_sts/STS_001/CT/image",
        "ibsi_sts/STS_008/CT/image",
        "ibsi_sts/STS_001/MR_T1/image",
    ],
)
def test_every_voxel_lies_where_the_headers_put_it(folder):
    assert worst_error_mm(DATA / folder) <= 1e-3


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("awkward/failing/sliceincrement/001", "irregular-spacing"),
        ("awkward/failing/sliceincrement/002", "irregular-spacing"),
        ("awkward/failing/slicecount", "too-few-slices"),
        ("awkward/failing/notavolume", "duplicate-positions"),
        ("awkward/failing/sliceorientation", "mixed-orientation"),
        ("awkward/ge_mr_two_volumes_one_series", "duplicate-positions"),
        ("ibsi_sts", "several-series"),
        ("codecs", "duplicate-positions"),
    ],
)
def test_awkward_series_are_refused_by_code(folder, code):
    with pytest.raises(InputError) as caught:
        read(DATA / folder)
    assert caught.value.code == code


@pytest.mark.parametrize("patient", ["STS_001", "STS_008"])
def test_a_ct_equals_the_publishers_own_nifti_of_it(patient):
    path = DATA / "ibsi_sts" / "nifti" / patient / "CT_image.nii.gz"
    ours, theirs = read(DATA / "ibsi_sts" / patient / "CT" / "image").volume, read_voxel_file(path)
    assert ours.grid.same_lattice(theirs.grid)
    np.testing.assert_array_equal(ours.voxels_kji, theirs.values_kji.astype(np.float32))


def test_a_tilted_philips_series_keeps_its_shear_and_a_tilted_ge_series_is_refused(tmp_path):
    packed = DATA / "gantry_tilt_philips_ge.tar.zst"
    with packed.open("rb") as stream:
        unpacked = zstandard.ZstdDecompressor().stream_reader(stream).read()
    with tarfile.open(fileobj=BytesIO(unpacked)) as archive:
        archive.extractall(tmp_path, filter="data")
    index = index_files(regular_files(tmp_path))
    verdicts = {}
    for uid in {i.series_uid for i in index.of_kind("image")}:
        try:
            series = read_series(choose_series(index, uid))
            verdicts[series.volume.grid.shape_kji[0]] = next(n for n in series.notes if "tilt" in n)
        except InputError as error:
            verdicts[sum(i.series_uid == uid for i in index.instances)] = error.code
    assert verdicts[28] == "irregular-spacing"
    assert "16.5 degrees" in verdicts[58]


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("segmentations/liver.dcm", [107098]),
        ("segmentations/partial_overlaps.dcm", [9602, 11888, 10743, 6693, 4713]),
        ("segmentations/23x38x3/seg/label.seg", [322]),
        ("segmentations/24x38x3/seg/label.seg", [315]),
        ("segmentations/sparse-labelmap-noppv.dcm", [630]),
        ("segmentations/sparse-labelmap-ppv5.dcm", [630]),
    ],
)
def test_segments_hold_as_many_voxels_as_dcmqi_counts(file, counts):
    seg = read_seg(DATA / "dcmqi" / file)
    assert [int(seg.mask(s.number).voxels_kji.sum()) for s in seg.segments] == counts


def test_dcmqis_own_conversions_hold_the_same_voxels_at_the_same_places():
    folder = DATA / "dcmqi" / "segmentations"
    ct = read(folder / "ct-3slice").volume.grid
    ours = read_seg(folder / "liver.dcm").mask(1, ct)
    theirs = reordered(read_voxel_file(folder / "liver_seg.nrrd").mask("liver"), ct)
    assert ours.grid is ct
    np.testing.assert_array_equal(ours.voxels_kji, theirs.voxels_kji)


def test_the_built_in_label_table_is_the_one_totalsegmentator_writes():
    content = read_voxel_file(DATA / "totalseg_ct_j2k_seg_117class.nii.gz")
    assert dict(content.label_names) == dict(TOTAL_V2)


def test_both_totalsegmentator_studies_are_read(tmp_path):
    case = tmp_path / "case.toml"
    case.write_text(
        f'[[mask]]\nstudy = "pre"\nfile = "{DATA}/totalseg_ct_j2k_seg_117class.nii.gz"\nlabel = "totalsegmentator"\n'
    )
    intake = FolderSource(DATA / "totalseg_ct_j2k", DATA / "totalseg_ct_3mm", case).read(lambda what, done: None)
    pre, post = intake.case.pre, intake.case.post
    raw = np.asarray(nibabel.load(DATA / "totalseg_ct_j2k_seg_117class.nii.gz").dataobj)
    assert int(pre.liver.voxels_kji.sum()) == int((raw == 5).sum())
    assert pre.liver.grid.same_lattice(pre.image.grid)
    assert post.liver.volume_ml == pytest.approx(1123.254, abs=0.01)
    for study in (pre, post):
        hounsfield = study.image.voxels_kji
        assert hounsfield.min() >= -1300
        assert hounsfield.max() <= 4000
        assert 30 < hounsfield[study.liver.voxels_kji].mean() < 150
        assert study.liver.centres_lps_mm()[:, 0].mean() < study.masks["aorta"].centres_lps_mm()[:, 0].mean()
        assert {"liver", "portal_vein", "ivc"} <= set(study.masks)
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        assert any(note.startswith(keyword) for note in pre.notes)
    assert any("are empty" in note for note in post.notes)
