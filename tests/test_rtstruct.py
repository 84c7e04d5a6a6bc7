"""RTSTRUCT: contours filled on the image's lattice, by frame of reference and plane."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from dicom_files import FRAME, SERIES, affine, oblique, series_datasets, stored_values, write
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

from pipelines.dicom.belonging import belonging
from pipelines.dicom.index import index_files
from pipelines.dicom.rtstruct import read_rtstruct
from pipelines.dicom.series import choose_series
from pipelines.dicom.walk import regular_files
from planner.errors import FrameMismatchError, InputError
from planner.grid import Grid

MATRICES = {"axial": affine(), "oblique": oblique(), "tilted": affine(step=(0.0, 0.8, 2.4))}
SHAPE = (12, 24, 22)
SQUARE = np.array([[3.5, 4.5], [15.5, 4.5], [15.5, 12.5], [3.5, 12.5]])


def item(**elements):
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def contour(points, kind="CLOSED_PLANAR"):
    values = [f"{v:.6f}" for v in np.asarray(points).ravel()]
    return item(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=values)


def on_slice(polygon, k, matrix):
    """Return a polygon (column, row) on slice `k` (a fraction is between slices) as a contour in mm."""
    ijk1 = np.column_stack([polygon, np.full(len(polygon), float(k)), np.ones(len(polygon))])
    return contour(ijk1 @ matrix[:3].T)


def rtstruct(path, contours, name="Tumour 1", frame=FRAME, series=SERIES, code=None):
    made = item(
        SOPClassUID=RTStructureSetStorage, SOPInstanceUID="1.2.3.9", SeriesInstanceUID="1.2.3.8", Modality="RTSTRUCT",
        StudyInstanceUID="1.2.3.7", PatientID="ID-4711",
        StructureSetROISequence=[item(ROINumber=4, ROIName=name, ReferencedFrameOfReferenceUID=frame)],
        ROIContourSequence=[item(ReferencedROINumber=4, ContourSequence=contours)],
        RTROIObservationsSequence=[item(ObservationNumber=1, ReferencedROINumber=4, RTROIInterpretedType="GTV")],
    )  # fmt: skip
    study = item(RTReferencedSeriesSequence=[item(SeriesInstanceUID=series)])
    made.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])]
    if code is not None:
        value, scheme, meaning = code
        coded = item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
        made.RTROIObservationsSequence[0].RTROIIdentificationCodeSequence = [coded]
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, "1.2.3.9"
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def drawn(tmp_path, contours, matrix=MATRICES["axial"], frame=FRAME):
    path = rtstruct(tmp_path / "rs.dcm", contours)
    return read_rtstruct(path).drawn(4, Grid(SHAPE, matrix, frame), "tumour_1")


def refused(tmp_path, contours, code, matrix=MATRICES["axial"]):
    with pytest.raises(InputError) as caught:
        drawn(tmp_path, contours, matrix)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_contours_on_slices_fill_the_images_lattice(tmp_path, matrix):
    found = drawn(tmp_path, [on_slice(SQUARE, k, matrix) for k in (3, 4, 5)], matrix)
    expected = np.zeros(SHAPE, dtype=bool)
    expected[3:6, 5:13, 4:16] = True
    np.testing.assert_array_equal(found.mask.voxels_kji, expected)
    assert found.mask.grid.same_lattice(Grid(SHAPE, matrix))
    assert found.mask.grid.frame_uid == FRAME
    assert found.notes == ()


def test_a_hole_a_keyhole_and_a_crossing_are_flagged(tmp_path):
    inner = SQUARE * 0.4 + (5.0, 5.0)
    keyhole = np.array([*SQUARE, SQUARE[0], inner[0], *inner[::-1]])
    matrix = MATRICES["axial"]
    nested = drawn(tmp_path, [on_slice(SQUARE, 3, matrix), on_slice(inner, 3, matrix)])
    through = drawn(tmp_path, [on_slice(keyhole, 3, matrix)])
    crossing = drawn(tmp_path, [on_slice(SQUARE, 3, matrix), on_slice(np.add(SQUARE, (4.0, 3.0)), 3, matrix)])
    np.testing.assert_array_equal(nested.mask.voxels_kji, through.mask.voxels_kji)
    assert not nested.mask.voxels_kji[3, 9, 9]
    what = "RTSTRUCT ROI 4, "
    assert nested.notes == (f"{what}planes with a contour within another, which counts as a hole (even-odd): 1",)
    assert through.notes == (f"{what}contours that reach a hole by a keyhole: 1",)
    assert crossing.notes[0].startswith(f"{what}planes with contours that cross")


def test_contours_on_every_second_slice_keep_planes_of_their_own(tmp_path):
    matrix = MATRICES["tilted"]
    found = drawn(tmp_path, [on_slice(SQUARE, k, matrix) for k in (2, 4, 6)], matrix)
    assert found.mask.voxels_kji.all(axis=0).sum() == 96
    assert found.mask.grid.shape_kji == (3, 24, 22)
    np.testing.assert_allclose(found.mask.grid.lps_mm((0, 0, 1)), Grid(SHAPE, matrix).lps_mm((0, 0, 4)), atol=1e-9)
    assert "drawn on planes 4.8 mm apart, the image's slices are 2.4 mm apart" in found.notes[0]


def test_single_slice_parts_far_apart_keep_the_images_slices(tmp_path):
    matrix = MATRICES["axial"]
    small = SQUARE * 0.3
    for parts in (((small, 1), (np.add(small, (14, 14)), 9)), ((small, 1), (np.add(small, (9, 9)), 5), (small, 9))):
        found = drawn(tmp_path, [on_slice(polygon, k, matrix) for polygon, k in parts])
        assert found.mask.grid.same_lattice(Grid(SHAPE, matrix))
        assert found.mask.volume_ml < len(parts) * 14 * 0.7 * 0.8 * 2.5 / 1000
        assert found.notes == ()
    refused(tmp_path, [on_slice(SQUARE, k, matrix) for k in (1, 5)], "contour-gap")
    refused(tmp_path, [on_slice(SQUARE, k + 0.4, matrix) for k in (1, 5)], "irregular-spacing")


def test_copies_are_left_out_and_contours_that_cancel_are_refused(tmp_path):
    matrix = MATRICES["axial"]
    once = [on_slice(SQUARE, k, matrix) for k in (3, 4, 5)]
    found = drawn(tmp_path, [*once, on_slice(np.add(SQUARE, (0.01, 0.0)), 4, matrix)])
    assert found.mask.voxels_kji.sum() == 3 * 96
    assert found.notes == ("RTSTRUCT ROI 4, copies of contours that were left out: 1",)
    twice = on_slice(np.concatenate([SQUARE, SQUARE]), 4, matrix)
    refused(tmp_path, [once[0], twice, once[2]], "crossing-contours")


def test_contours_between_slices_are_not_moved_onto_them(tmp_path):
    matrix = MATRICES["axial"]
    found = drawn(tmp_path, [on_slice(SQUARE, k + 0.4, matrix) for k in (2, 3, 4)])
    assert found.mask.volume_ml == pytest.approx(3 * 96 * 0.7 * 0.8 * 2.5 / 1000)
    heights = found.mask.centres_lps_mm()[:, 2]
    assert sorted(set(np.round(heights - 100.0, 6))) == [6.0, 8.5, 11.0]
    assert len(found.notes) == 1


def test_a_plane_that_was_skipped_is_interpolated_by_shape_and_flagged(tmp_path):
    matrix = MATRICES["axial"]
    wide, narrow = SQUARE, np.array([[5.5, 6.5], [13.5, 6.5], [13.5, 10.5], [5.5, 10.5]])
    found = drawn(tmp_path, [on_slice(p, k, matrix) for p, k in ((wide, 2), (wide, 3), (narrow, 5))])
    middle = np.array([[4.5, 5.5], [14.5, 5.5], [14.5, 11.5], [4.5, 11.5]])
    expected = drawn(tmp_path, [on_slice(middle, 4, matrix)]).mask.voxels_kji[4]
    between = found.mask.voxels_kji[4]
    assert 2 * (between & expected).sum() / (between.sum() + expected.sum()) > 0.95
    assert found.notes == ("RTSTRUCT ROI 4, planes between contours that were interpolated: 1",)


def test_parts_that_do_not_overlap_stay_apart(tmp_path):
    matrix = MATRICES["axial"]
    small = SQUARE * 0.3
    found = drawn(tmp_path, [on_slice(p, k, matrix) for p, k in ((small, 2), (small, 3), (np.add(small, (14, 14)), 8))])
    assert sorted(np.flatnonzero(found.mask.voxels_kji.any(axis=(1, 2)))) == [2, 3, 8]
    assert found.notes == ()


def test_several_skipped_planes_in_a_row_are_refused(tmp_path):
    matrix = MATRICES["axial"]
    said = refused(tmp_path, [on_slice(SQUARE, k, matrix) for k in (2, 3, 7)], "contour-gap")
    assert "3 planes in a row hold no contour between two that overlap" in said


def test_contours_that_are_not_parallel_to_the_slices_are_refused(tmp_path):
    leaning = contour([(-20.0, 20.0, 105.0), (-15.0, 20.0, 105.0), (-15.0, 25.0, 108.0)])
    assert "leaves the image's slices by 3.00 mm" in refused(tmp_path, [leaning], "oblique-contours")


def test_unevenly_spaced_planes_are_refused(tmp_path):
    matrix = MATRICES["axial"]
    refused(tmp_path, [on_slice(SQUARE, k, matrix) for k in (2.0, 3.3, 4.9)], "irregular-spacing")


def test_a_contour_that_leaves_the_image_keeps_what_is_outside(tmp_path):
    matrix = MATRICES["axial"]
    found = drawn(tmp_path, [on_slice(np.subtract(SQUARE, (8.0, 0.0)), k, matrix) for k in (-2, -1, 0)])
    assert found.mask.voxels_kji.sum() == 3 * 96
    low = found.mask.centres_lps_mm().min(axis=0)
    np.testing.assert_allclose(low, Grid(SHAPE, matrix).lps_mm((-4, 5, -2))[0], atol=1e-6)


def test_contours_far_from_the_image_are_refused(tmp_path):
    for off, k in (((5e4, 0.0), 3), ((0.0, -1e6), 3), ((0.0, 0.0), 1e6)):
        far = on_slice(np.add(SQUARE, off), k, MATRICES["axial"])
        assert "far outside the image" in refused(tmp_path, [far], "no-shared-space")


def test_points_and_open_contours_are_left_out_and_counted(tmp_path):
    matrix = MATRICES["axial"]
    closed = on_slice(SQUARE, 3, matrix)
    point, line = contour([(0, 20, 105)], "POINT"), contour([(0, 20, 105), (1, 20, 105), (2, 22, 105)], "OPEN_PLANAR")
    short = contour([(0, 20, 105), (1, 20, 105)])
    found = drawn(tmp_path, [closed, point, line, short])
    assert found.mask.voxels_kji.sum() == 96
    assert [n.removeprefix("RTSTRUCT ROI 4, contours ") for n in found.notes] == [
        "of fewer than 3 points that were left out: 1",
        "of type OPEN_PLANAR that were left out: 1",
        "of type POINT that were left out: 1",
    ]


@pytest.mark.parametrize(
    ("values", "code"),
    [(["1", "2", "3", "4"], "bad-number"), (["nan", "2", "3"] * 3, "bad-number"), (["x", "2", "3"] * 3, "bad-number")],
)
def test_malformed_contour_data_are_refused(tmp_path, values, code):
    path = rtstruct(tmp_path / "rs.dcm", [contour([(0, 20, 105)] * 3)])
    content = path.read_bytes()
    old = "\\".join(["0.000000", "20.000000", "105.000000"] * 3).encode()
    new = "\\".join(values).encode().ljust(len(old))
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_rtstruct(path)
    assert caught.value.code == code


def test_a_region_without_contours_is_empty(tmp_path):
    found = drawn(tmp_path, [])
    assert found.mask.is_empty


def test_another_frame_of_reference_is_refused_by_name(tmp_path):
    with pytest.raises(FrameMismatchError, match="RTSTRUCT ROI 4"):
        drawn(tmp_path, [on_slice(SQUARE, 3, MATRICES["axial"])], frame="1.2.99")


@pytest.mark.parametrize("kept", [200, 700])
def test_a_cut_file_is_refused(tmp_path, kept):
    path = rtstruct(tmp_path / "rs.dcm", [on_slice(SQUARE, 3, MATRICES["axial"])])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError) as caught:
        read_rtstruct(path)
    assert caught.value.code in ("bad-rtstruct", "truncated-file")


def test_a_code_means_a_role_and_a_name_is_the_label(tmp_path):
    path = rtstruct(tmp_path / "rs.dcm", [], name="mets", code=("10200004", "SCT", "Liver"))
    assert [(s.number, s.label, s.role) for s in read_rtstruct(path).segments] == [(4, "mets", "liver")]


def index_of(tmp_path, **kw):
    write(series_datasets(stored_values(SHAPE), affine()), tmp_path / "ct")
    rtstruct(tmp_path / "rs.dcm", [on_slice(SQUARE, 3, affine())], **kw)
    return index_files(regular_files(tmp_path))


def test_it_belongs_by_reference_else_by_frame_of_reference(tmp_path):
    index = index_of(tmp_path / "1")
    found = belonging(index, choose_series(index))
    assert found.notes == ("RTSTRUCT 1 of 1 belongs to the image by a reference to the series",)
    index = index_of(tmp_path / "2", series="1.2.3.404")
    found = belonging(index, choose_series(index))
    assert found.notes == ("RTSTRUCT 1 of 1 belongs to the image by an equal frame of reference",)


def test_one_of_another_frame_of_reference_is_refused(tmp_path):
    index = index_of(tmp_path, frame="1.2.3.4.5", series="1.2.3.4")
    with pytest.raises(FrameMismatchError, match="RTSTRUCT 1 of 1"):
        belonging(index, choose_series(index))


def changed(tmp_path, change):
    """Return the path of a structure set that was changed after it was written."""
    path = rtstruct(tmp_path / "rs.dcm", [on_slice(SQUARE, 3, MATRICES["axial"])])
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def twice(dataset):
    dataset.ROIContourSequence.append(dataset.ROIContourSequence[0])


def offset(dataset):
    dataset.ROIContourSequence[0].ContourSequence[0].ContourOffsetVector = ["0", "5", "0"]


@pytest.mark.parametrize("change", [twice, offset])
def test_what_would_be_lost_or_moved_is_refused(tmp_path, change):
    with pytest.raises(InputError) as caught:
        read_rtstruct(changed(tmp_path, change))
    assert caught.value.code == "bad-rtstruct"


def test_a_region_without_a_frame_of_reference_has_that_of_the_structure_set(tmp_path):
    def unstated(dataset):
        del dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID

    structures = read_rtstruct(changed(tmp_path, unstated))
    assert structures.rois[4].frame_uid == FRAME
    with pytest.raises(FrameMismatchError):
        structures.drawn(4, Grid(SHAPE, MATRICES["axial"], "1.2.99"), "tumour_1")


def test_one_of_another_patient_is_noted(tmp_path):
    write(series_datasets(stored_values(SHAPE), affine(), PatientID="ID-1"), tmp_path / "ct")
    rtstruct(tmp_path / "rs.dcm", [on_slice(SQUARE, 3, affine())])
    index = index_files(regular_files(tmp_path))
    assert "RTSTRUCT 1 of 1 states another patient" in belonging(index, choose_series(index)).notes[0]


@pytest.mark.parametrize("kept", [588, 627, 637, 1000])
def test_a_structure_set_that_is_cut_off_is_no_empty_one(tmp_path, kept):
    path = tmp_path / "RS.dcm"
    rtstruct(path, [on_slice(SQUARE * 0.6, k, affine()) for k in range(1, 5)])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError) as caught:
        read_rtstruct(path)
    assert caught.value.code in ("truncated-file", "bad-rtstruct")
