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
from scipy import ndimage

from pipelines.dicom.frames import frames_of
from pipelines.dicom.index import index_files, quiet_pydicom
from pipelines.dicom.pixels import read_pixels
from pipelines.dicom.rtstruct import read_rtstruct
from pipelines.dicom.seg import read_seg
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from pipelines.formats.totalsegmentator import TOTAL_V2
from pipelines.formats.voxel_file import read_voxel_file
from pipelines.source import FolderSource
from pipelines.study import reordered
from planner.errors import InputError
from planner.grid import Grid
from planner.register.prepare import resampled
from planner.surface import surface_of
from planner.volume import Volume

DATA = Path(os.environ.get("ABLATION_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="real test data not found: set ABLATION_TEST_DATA"),
]


ALL = ("CT", "MR", "PT")
TABLE = "table: real series: file, verdict, largest error of a corner against its header in mm"
TILTED = "gantry_tilt_philips_ge.tar.zst"
READ = {
    "totalseg_ct_j2k": None,
    "dcmqi/segmentations/ct-3slice": None,
    "dcmqi/segmentations/23x38x3/image": None,
    "dcmqi/segmentations/23x38x3/multiframe": None,
    "dcmqi/segmentations/24x38x3/image": None,
    "dcmqi/segmentations/24x38x3/multiframe": None,
    "awkward/failing/gantrytilting": None,
    "awkward/enhanced/philips_anat.dcm": None,
    "awkward/enhanced/philips_dti_4d.dcm": 2,
    f"{TILTED}: Philips": None,
    **{f"ibsi_sts/{p}/{m}/image": None for p in ("STS_001", "STS_008") for m in ("CT", "MR_T1", "PET")},
}
"""Series that are read, and which of their volumes."""

REFUSED = {
    "awkward/failing/sliceincrement/001": ("irregular-spacing", "from 5.000 to 10.000 mm"),
    "awkward/failing/sliceincrement/002": ("irregular-spacing", "from 0.778 to 1.556 mm"),
    "awkward/failing/slicecount": ("too-few-slices", "2 slices"),
    "awkward/failing/notavolume": ("duplicate-positions", "2 slices at 1 positions"),
    "awkward/failing/sliceorientation": ("mixed-orientation", "2 of 4 differ"),
    "awkward/ge_mr_two_volumes_one_series": ("duplicate-positions", "8 slices at 4 positions"),
    "awkward/enhanced/eCT_Supplemental.dcm": ("too-few-slices", "2 slices"),
    "awkward/enhanced/philips_dti_4d.dcm": ("duplicate-positions", "32 slices at 8 positions: 4 volumes by"),
    f"{TILTED}: GE": ("irregular-spacing", "from 1.140 to 7.380 mm"),
    "ibsi_sts/STS_001": ("several-series", "2 image series"),
    "codecs": ("duplicate-positions", "4 slices at 1 positions"),
}
"""Series that are refused: the code, and what the message says was seen."""


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tilted")
    with (DATA / TILTED).open("rb") as stream:
        content = zstandard.ZstdDecompressor().stream_reader(stream).read()
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def files_of(name, unpacked):
    """Return the files of one of the series above."""
    if name.startswith(TILTED):
        maker = name.partition(": ")[2].upper()
        with quiet_pydicom():
            return [p for p in regular_files(unpacked) if maker in _manufacturer(p)]
    path = DATA / name
    return [path] if path.is_file() else regular_files(path)


def _manufacturer(path):
    return str(pydicom.dcmread(path, stop_before_pixels=True, force=True).get("Manufacturer", "")).upper()


def read(folder, uid="", volume=None):
    return read_series(choose_series(index_files(regular_files(folder)), uid, ALL), volume=volume)


def header_corners(path):
    """Yield the four corners of each frame by its headers alone, LPS mm, with column and row; not by our reader."""
    with quiet_pydicom():
        d = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if "ImagePositionPatient" not in d and "PerFrameFunctionalGroupsSequence" not in d:
            return
        shared = d.get("SharedFunctionalGroupsSequence", [pydicom.Dataset()])[0]
        for frame in d.get("PerFrameFunctionalGroupsSequence", [None]):
            if frame is None:
                position = orientation = measures = d
            else:
                position, orientation, measures = (
                    (frame if group in frame else shared)[group].value[0]
                    for group in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
                )
            origin = np.array(position.ImagePositionPatient, float)
            along, down = np.array(orientation.ImageOrientationPatient, float).reshape(2, 3)
            row_mm, column_mm = map(float, measures.PixelSpacing)
            for r, c in ((0, 0), (0, d.Columns - 1), (d.Rows - 1, 0), (d.Rows - 1, d.Columns - 1)):
                yield origin + along * column_mm * c + down * row_mm * r, c, r


def worst_error_mm(grid, paths):
    """Return the largest distance between voxels and header positions; slices are matched by position."""
    worst = 0.0
    for path in paths:
        k = None
        for corner, c, r in header_corners(path):
            k = round(grid.ijk(corner)[0][2]) if (c, r) == (0, 0) else k
            worst = max(worst, float(np.linalg.norm(grid.lps_mm([c, r, k])[0] - corner)))
    return worst


@pytest.mark.parametrize("name", READ)
def test_every_voxel_lies_where_the_headers_put_it(name, unpacked, record_property):
    paths = files_of(name, unpacked)
    series = read_series(choose_series(index_files(paths), "", ALL), volume=READ[name])
    error_mm = worst_error_mm(series.volume.grid, paths)
    record_property(TABLE, f"{name:<45} read {series.volume.grid.shape_kji!s:<16} {error_mm:.6f}")
    assert error_mm <= 1e-3


@pytest.mark.parametrize("name", REFUSED)
def test_awkward_series_are_refused_by_code_and_with_what_was_seen(name, unpacked, record_property):
    code, seen = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read_series(choose_series(index_files(files_of(name, unpacked))))
    record_property(TABLE, f"{name:<45} refused: {caught.value.code}")
    assert caught.value.code == code
    assert seen in str(caught.value)


def test_a_tilted_series_resampled_upright_shows_the_true_voxels(unpacked, record_property):
    """Onto an upright lattice of half its spacing and back, by position. What loses the shear shows something else."""
    paths = files_of(f"{TILTED}: Philips", unpacked)
    whole = read_series(choose_series(index_files(paths))).volume
    part = Volume(whole.voxels_kji[:, 192:320, 192:320].copy(), whole.grid.cropped((0, 192, 192), (58, 128, 128)), "CT")
    corners, spacing = part.grid.corners_lps_mm(), np.array(part.grid.spacing_kji_mm) / (4, 2, 2)
    low = corners.min(axis=0) - 1.0
    shape = tuple(int(n) for n in np.ceil((np.ptp(corners, axis=0)[::-1] + 2.0) / spacing) + 1)
    upright = Grid.axis_aligned(shape, tuple(spacing), low)
    points = part.grid.lps_mm(np.indices(part.grid.shape_kji).reshape(3, -1)[::-1].T)
    ours = looked_up(resampled(part, upright, 0.0, -1000.0), upright, points)
    sheared = np.array(part.grid.lps_mm_from_ijk)
    normal = np.cross(sheared[:3, 0], sheared[:3, 1])
    sheared[:3, 2] = normal / np.linalg.norm(normal) * np.linalg.norm(sheared[:3, 2])
    lost = looked_up(part.voxels_kji, Grid(part.grid.shape_kji, sheared), points)
    inner = np.zeros(part.grid.shape_kji, dtype=bool)
    inner[2:-2, 4:-4, 4:-4] = True
    true = part.voxels_kji[inner]
    with_shear, without = (np.corrcoef(v[inner.ravel()], true)[0, 1] for v in (ours, lost))
    record_property(
        TABLE, f"{TILTED}: resampled upright: correlation {with_shear:.5f}, without the shear {without:.5f}"
    )
    assert with_shear >= 0.999
    assert without < 0.9


def looked_up(voxels, grid, points):
    return ndimage.map_coordinates(voxels, grid.ijk(points)[:, ::-1].T, order=1, mode="nearest")


@pytest.mark.parametrize("codec", ["J2KR", "JLSL", "JPLL", "RLE"])
def test_every_codec_gives_the_uncompressed_voxels(codec):
    def voxels(name):
        frames = frames_of(index_files([DATA / "codecs" / f"CT1_{name}"]).instances)
        return read_pixels(frames, frames[0].plane.shape).voxels_kji

    np.testing.assert_array_equal(voxels(codec), voxels("UNC"))


@pytest.mark.parametrize("rows", [23, 24])
def test_a_converted_series_is_that_of_its_single_frames(rows):
    folder = DATA / "dcmqi" / "segmentations" / f"{rows}x38x3"
    single, converted = read(folder / "image").volume, read(folder / "multiframe").volume
    assert converted.grid.same_lattice(single.grid)
    np.testing.assert_array_equal(converted.voxels_kji, single.voxels_kji)


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
@pytest.mark.parametrize("patient", ["STS_001", "STS_008"])
def test_a_structure_set_is_the_publishers_mask(patient, modality, record_property):
    folder = DATA / "ibsi_sts" / patient / modality
    grid = read(folder / "image").volume.grid
    structures = read_rtstruct(folder / "mask" / "RS.dcm")
    ours = structures.drawn(structures.segments[0].number, grid, "tumour")
    theirs = reordered(
        read_voxel_file(DATA / "ibsi_sts" / "nifti" / patient / f"{modality}_mask.nii.gz").mask("tumour"), grid
    )
    assert theirs is not None
    a, b = ours.mask.voxels_kji, theirs.voxels_kji
    dice = 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))
    meshes = [surface_of(mask) for mask in (ours.mask, theirs)]
    shift_mm = float(np.mean(meshes[1].signed_depth_mm(meshes[0].vertices_lps_mm)))
    record_property(
        TABLE, f"ibsi_sts/{patient}/{modality}/mask/RS.dcm: Dice {dice:.4f}, surface shift {shift_mm:.3f} mm"
    )
    assert ours.mask.grid is grid
    assert dice == 1.0
    assert shift_mm == pytest.approx(0.0, abs=5e-4)


@pytest.mark.parametrize("patient", ["STS_001", "STS_008"])
def test_a_ct_equals_the_publishers_own_nifti_of_it(patient):
    path = DATA / "ibsi_sts" / "nifti" / patient / "CT_image.nii.gz"
    ours, theirs = read(DATA / "ibsi_sts" / patient / "CT" / "image").volume, read_voxel_file(path)
    assert ours.grid.same_lattice(theirs.grid)
    np.testing.assert_array_equal(ours.voxels_kji, theirs.values_kji.astype(np.float32))


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
