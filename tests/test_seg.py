from __future__ import annotations

from itertools import permutations, product

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_files import FRAME, affine, oblique, series_datasets, slice_dataset, stored_values, write, write_seg
from pydicom.dataset import Dataset

from pipelines.codes import ABLATION_ZONE, MORPHOLOGY, SEGMENT_CODES
from pipelines.dicom.belonging import belonging
from pipelines.dicom.index import index_files
from pipelines.dicom.seg import read_seg
from pipelines.dicom.series import choose_series, read_series
from pipelines.dicom.walk import regular_files
from planner.errors import FrameMismatchError, InputError
from planner.grid import Grid
from planner.marks import uid_mark
from planner.volume import Mask

SHAPE = (6, 5, 7)


def blob(seed, shape=SHAPE):
    """Return a random mask whose first and last slice are empty."""
    mask = np.random.default_rng(seed).random(shape) > 0.6
    mask[0] = mask[-1] = False
    return mask


def code_of(role):
    code = SEGMENT_CODES[role]
    return tuple((c.value, c.scheme, c.meaning) for c in (code.category, code.type))


def files(folder, matrix, masks, codes=None, **kw):
    """Write a series and its SEG; return the series' lattice and the segmentation."""
    datasets = series_datasets(stored_values(), matrix)
    write(datasets, folder / "ct")
    path = write_seg(folder / "seg.dcm", datasets, masks, codes or {}, **kw)
    index = index_files(regular_files(folder / "ct"))
    return read_series(choose_series(index)).volume.grid, read_seg(path)


def turns():
    """Yield the 24 turns of a cube that keep it a cube, by name."""
    for axes in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = np.zeros((3, 3))
            turn[axes, range(3)] = signs
            if np.linalg.det(turn) > 0:
                named = zip(axes, signs, strict=True)
                yield pytest.param(turn, id=" ".join(f"{'+' if s > 0 else '-'}{'LPS'[a]}" for a, s in named))


def voxels_by_place(mask):
    """Return the places of the set voxels, LPS mm, in an order of their own."""
    return np.unique(np.round(mask.centres_lps_mm(), 4), axis=0)


@pytest.mark.parametrize("turn", list(turns()))
@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_every_voxel_comes_back_in_all_24_orientations(tmp_path, turn, kind):
    """As highdicom writes it; with the series at hand on its lattice, without it on the frames' own."""
    truth = blob(1)
    matrix = affine(row=turn[:, 0], column=turn[:, 1], step=2.5 * turn[:, 2])
    grid, seg = files(tmp_path, matrix, {"A": truth}, segmentation_type=hd.seg.SegmentationTypeValues[kind])
    expected = Mask(truth, Grid(SHAPE, matrix), "truth")
    np.testing.assert_array_equal(seg.mask(1, grid).voxels_kji, truth)
    for found in (seg.mask(1, grid), seg.mask(1)):
        np.testing.assert_allclose(voxels_by_place(found), voxels_by_place(expected), atol=1e-4)


@pytest.mark.parametrize(
    "matrix", [affine(), oblique(), affine(step=(0.0, 0.8, 2.4))], ids=["axial", "oblique", "tilted"]
)
def test_overlapping_segments_come_back_voxel_for_voxel_on_the_series_lattice(tmp_path, matrix):
    masks = {"A": blob(1), "B": blob(2), "C": blob(3)}
    grid, seg = files(tmp_path, matrix, masks)
    assert (blob(1) & blob(2)).any()
    for number, truth in enumerate(masks.values(), start=1):
        mask = seg.mask(number, grid)
        assert mask.grid is grid
        np.testing.assert_array_equal(mask.voxels_kji, truth)


def test_omitted_empty_frames_are_empty_slices(tmp_path):
    truth = blob(1)
    truth[3] = False
    grid, seg = files(tmp_path, affine(), {"A": truth})
    assert len(seg.planes) == 3
    np.testing.assert_array_equal(seg.mask(1, grid).voxels_kji, truth)


@pytest.mark.parametrize("stated", ["2.5", "5", None], ids=["right", "wrong", "unstated"])
def test_without_the_series_frames_make_their_own_lattice(tmp_path, stated):
    truth = blob(1)
    grid, _ = files(tmp_path, oblique(), {"A": truth})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if stated is None:
        del measures["SpacingBetweenSlices"]
    else:
        measures.SpacingBetweenSlices = stated
    dataset.save_as(tmp_path / "seg.dcm")
    mask = read_seg(tmp_path / "seg.dcm").mask(1)
    assert mask.grid.frame_uid == FRAME
    assert mask.grid.shape_kji == (4, 5, 7)
    np.testing.assert_allclose(mask.grid.lps_mm_from_ijk, grid.cropped((1, 0, 0), (4, 5, 7)).lps_mm_from_ijk, atol=1e-6)
    np.testing.assert_array_equal(mask.voxels_kji, truth[1:5])


def test_a_stated_spacing_fills_omitted_frames_between(tmp_path):
    truth = blob(1)
    truth[2] = truth[4] = False
    grid, _ = files(tmp_path, affine(), {"A": truth})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = "2.5"
    dataset.save_as(tmp_path / "seg.dcm")
    mask = read_seg(tmp_path / "seg.dcm").mask(1)
    assert mask.volume_ml == pytest.approx(np.count_nonzero(truth) * grid.voxel_mm3 / 1000)


def test_fractional_counts_more_than_half_as_inside_with_a_note(tmp_path):
    values = np.zeros(SHAPE)
    values[2, 1, 1:5] = (0.2, 0.5, 0.51, 1.0)
    grid, seg = files(tmp_path, affine(), {"A": values}, segmentation_type="FRACTIONAL", max_fractional_value=200)
    assert np.argwhere(seg.mask(1, grid).voxels_kji).tolist() == [[2, 1, 3], [2, 1, 4]]
    assert any("more than half" in note for note in seg.notes)


def test_a_label_map_is_read_by_its_values(tmp_path):
    masks = {"A": blob(1), "B": blob(2) & ~blob(1)}
    grid, seg = files(tmp_path, affine(), masks, segmentation_type="LABELMAP")
    assert [s.number for s in seg.segments] == [1, 2]
    for number, truth in enumerate(masks.values(), start=1):
        np.testing.assert_array_equal(seg.mask(number, grid).voxels_kji, truth)


def test_codes_mean_roles_and_modifiers_mean_sides(tmp_path):
    labels = {"a": "liver", "b": "hepatic_vein_left", "c": "kidney_right", "d": "left_hepatic_duct", "e": "tumour"}
    masks = {label: blob(n) for n, label in enumerate(labels)}
    codes = {label: code_of(role) for label, role in labels.items()}
    _, _ = files(tmp_path, affine(), masks, codes)
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    for segment, side in ((2, ("24028007", "Right")), (3, ("7771000", "Left"))):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = side[0], "SCT", side[1]
        dataset.SegmentSequence[segment].SegmentedPropertyTypeCodeSequence[
            0
        ].SegmentedPropertyTypeModifierCodeSequence = [item]
    dataset.save_as(tmp_path / "seg.dcm")
    assert [s.role for s in read_seg(tmp_path / "seg.dcm").segments] == list(labels.values())


@pytest.mark.parametrize(
    ("code", "role"),
    [
        (("T-62000", "SRT", "Liver"), "liver"),
        (("M-80003", "SRT", "Neoplasm, Primary"), "tumour"),
        (("14799000", "SCT", "Neoplasm, Secondary"), "tumour"),
        ((ABLATION_ZONE.value, ABLATION_ZONE.scheme, ABLATION_ZONE.meaning), "ablation"),
        (("85756007", "SCT", "Tissue"), None),
        (("64033007", "SCT", "Kidney"), None),
    ],
)
def test_retired_and_private_codes_are_known_and_a_kidney_needs_its_side(tmp_path, code, role):
    category = (MORPHOLOGY.value, MORPHOLOGY.scheme, MORPHOLOGY.meaning)
    _, seg = files(tmp_path, affine(), {"A": blob(1)}, {"A": (category, code)})
    assert seg.segments[0].role == role


def folder_with(tmp_path, series=None, **changes):
    """Write a series with a SEG whose elements are changed; return what belongs to the series."""
    files(tmp_path, affine(), {"A": blob(1)})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    if series is not None:
        dataset.ReferencedSeriesSequence[0].SeriesInstanceUID = series
    dataset.save_as(tmp_path / "seg.dcm")
    index = index_files(regular_files(tmp_path))
    return belonging(index, choose_series(index))


def test_a_seg_belongs_by_reference(tmp_path):
    found = folder_with(tmp_path)
    assert len(found.instances) == 1
    assert "reference to the series" in found.notes[0]


def test_a_seg_belongs_by_frame_of_reference_where_the_reference_leads_nowhere(tmp_path):
    found = folder_with(tmp_path, series="1.2.3.4")
    assert len(found.instances) == 1
    assert "equal frame of reference" in found.notes[0]


def test_a_seg_of_another_frame_of_reference_is_refused_and_both_are_named(tmp_path):
    with pytest.raises(FrameMismatchError) as caught:
        folder_with(tmp_path, FrameOfReferenceUID="1.2.3.987654321012")
    assert uid_mark("1.2.3.987654321012") in str(caught.value)
    assert "987654321012" not in str(caught.value)
    assert uid_mark(FRAME) in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_seg_of_another_series_of_the_folder_is_left_out_with_a_note(tmp_path):
    short = [slice_dataset(stored_values()[k], affine(), k, SeriesInstanceUID="1.2.3.4") for k in range(2)]
    write(short, tmp_path / "other")
    found = folder_with(tmp_path, series="1.2.3.4")
    assert not found.instances
    assert "another image series" in found.notes[0]


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_truncated_seg_is_refused(tmp_path, kept):
    files(tmp_path, affine(), {"A": blob(1), "B": blob(2)})
    content = (tmp_path / "seg.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError) as caught:
        read_seg(tmp_path / "cut.dcm").mask(2)
    assert str(caught.value).startswith("SEG: ")
    assert "cut" not in str(caught.value)


@pytest.mark.parametrize("change", ["position", "group", "count", "type"])
def test_a_malformed_seg_is_one_input_error(tmp_path, change):
    files(tmp_path, affine(), {"A": blob(1)})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    frames = dataset.PerFrameFunctionalGroupsSequence
    if change == "position":
        del frames[0].PlanePositionSequence[0]["ImagePositionPatient"]
    elif change == "group":
        del dataset["SharedFunctionalGroupsSequence"]
    elif change == "count":
        dataset.PerFrameFunctionalGroupsSequence = frames[:-1]
    else:
        dataset.SegmentationType = "SURFACE"
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError):
        read_seg(tmp_path / "seg.dcm")


def test_far_frames_of_unstated_spacing_are_refused(tmp_path):
    """Empty frames between them may have been omitted: nothing says how far apart the slices are."""
    truth = blob(1)
    truth[2:4] = False
    files(tmp_path, affine(), {"A": truth})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError) as caught:
        read_seg(tmp_path / "seg.dcm").mask(1)
    assert caught.value.code == "bad-spacing"


def test_a_frame_of_an_undescribed_segment_is_refused(tmp_path):
    files(tmp_path, affine(), {"A": blob(1)})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    groups = (*dataset.PerFrameFunctionalGroupsSequence, *dataset.SharedFunctionalGroupsSequence)
    for named in (item for group in groups for item in group.get("SegmentIdentificationSequence", [])):
        named.ReferencedSegmentNumber = 9
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError) as caught:
        read_seg(tmp_path / "seg.dcm")
    assert caught.value.code == "bad-seg"


def test_two_frames_of_a_segment_at_one_position_are_refused(tmp_path):
    grid, _ = files(tmp_path, affine(), {"A": blob(1)})
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    first, second = dataset.PerFrameFunctionalGroupsSequence[:2]
    second.PlanePositionSequence = first.PlanePositionSequence
    dataset.save_as(tmp_path / "seg.dcm")
    with pytest.raises(InputError) as caught:
        read_seg(tmp_path / "seg.dcm").mask(1, grid)
    assert caught.value.code == "bad-seg"
