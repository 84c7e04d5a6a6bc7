"""Segmentations of 3D Slicer, two of them written by Slicer itself (shipped with slicerio)."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import slicerio
from dicom_files import affine

from pipelines.case_file import CaseFile
from pipelines.formats.slicer import holds_segments, read_slicer_segmentation
from pipelines.study import read_study
from planner.errors import AmbiguousInputError, InputError
from planner.grid import Grid

BY_SLICER = Path(slicerio.__file__).parent / "data"
NOWHERE = Grid((1, 1, 1), np.eye(4))
LPS_FROM_IJK = affine()
TISSUE = ("SCT", "85756007", "Tissue")


def written(path, masks, **codes):
    """Write masks (axes i, j, k) by their names as slicerio does; overlapping ones get layers."""
    made = slicerio.create_segmentation(next(iter(masks.values())).shape, LPS_FROM_IJK)
    for number, (name, mask) in enumerate(masks.items(), start=1):
        kind = codes.get(name, TISSUE)
        terms = {"contextName": "general", "category": ["SCT", "123037004", "Anatomical Structure"], "type": list(kind)}
        slicerio.add_segment(made, mask, {"id": f"S{number}", "name": name, "terminology": terms})
    slicerio.write_segmentation(str(path), made)
    return path


def box(*ijk):
    mask = np.zeros((9, 8, 7), dtype=np.uint8)
    mask[tuple(slice(a, b) for a, b in ijk)] = 1
    return mask


LIVER, TUMOUR = box((1, 8), (1, 7), (1, 6)), box((3, 6), (3, 6), (2, 5))


@pytest.mark.parametrize("file", ["Segmentation.seg.nrrd", "SegmentationOverlapping.seg.nrrd"])
def test_slicers_own_files_hold_what_slicerio_reads(file):
    ours = read_slicer_segmentation(BY_SLICER / file)
    theirs = slicerio.read_segmentation(str(BY_SLICER / file))
    assert [s.label for s in ours.segments] == slicerio.segment_names(theirs)
    for segment in ours.segments:
        drawn = ours.drawn(segment.number, NOWHERE, "mask")
        known = slicerio.segment_from_name(theirs, segment.label)
        voxels = theirs["voxels"][known.get("layer", 0)] if theirs["voxels"].ndim == 4 else theirs["voxels"]
        np.testing.assert_array_equal(drawn.mask.voxels_kji, (voxels == known["labelValue"]).transpose(2, 1, 0))
        np.testing.assert_allclose(drawn.mask.grid.lps_mm_from_ijk, theirs["ijkToLPS"])
    roles = {s.label: s.role for s in ours.segments}
    assert (roles["right lung"], roles["ribs"]) == (None, None)


def test_codes_mean_roles_and_their_sides(tmp_path):
    kidney = ("SCT", "64033007", "Kidney")
    path = written(tmp_path / "a.seg.nrrd", {"one": LIVER, "two": TUMOUR}, one=("SCT", "10200004", "Liver"), two=kidney)
    content = path.read_bytes().replace(b"^Kidney~^^~", b"^Kidney~SCT^7771000^Left~")
    path.write_bytes(content)
    assert [s.role for s in read_slicer_segmentation(path).segments] == ["liver", "kidney_left"]


def study(tmp_path, masks, file="Segmentation.seg.nrrd", case=None, **codes):
    image = nibabel.Nifti1Image(np.zeros((9, 8, 7), np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]) @ LPS_FROM_IJK)
    nibabel.save(image, tmp_path / "image.nii.gz")
    written(tmp_path / file, masks, **codes)
    return read_study(tmp_path, "pre", case or CaseFile(), lambda *_: None).study


def test_a_folder_takes_segments_by_their_names(tmp_path):
    found = study(tmp_path, {"liver": LIVER, "Tumor 1": TUMOUR, "fat": LIVER})
    assert set(found.masks) == {"liver", "tumour_1"}
    np.testing.assert_array_equal(found.masks["tumour_1"].voxels_kji, TUMOUR.transpose(2, 1, 0))
    assert found.masks["liver"].grid.same_lattice(found.image.grid)
    assert any("segment 3 has no role here" in note for note in found.notes)


def test_the_files_name_speaks_where_its_only_segment_says_nothing(tmp_path):
    assert set(study(tmp_path, {"Segment_1": LIVER}, "liver.seg.nrrd").masks) == {"liver"}


def test_a_segment_that_hints_at_a_lesion_is_not_guessed(tmp_path):
    with pytest.raises(InputError) as caught:
        study(tmp_path, {"tumour bed": LIVER})
    assert caught.value.code == "unknown-role"


def test_a_case_file_names_a_segment(tmp_path):
    entry = {"study": "pre", "role": "tumour_1", "file": "Segmentation.seg.nrrd"}
    masks = {"whatever": TUMOUR, "fat": LIVER}
    case = CaseFile(mask=[entry | {"segment": "whatever"}], folder=tmp_path)
    assert study(tmp_path, masks, case=case).masks["tumour_1"].voxels_kji.sum() == TUMOUR.sum()
    case = CaseFile(mask=[entry | {"segment": 2}], folder=tmp_path)
    assert study(tmp_path, masks, case=case).masks["tumour_1"].voxels_kji.sum() == LIVER.sum()
    with pytest.raises(AmbiguousInputError):
        study(tmp_path, masks, case=CaseFile(mask=[entry], folder=tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Segment1_LabelValue:=2", b"Segment1_LabelValue:=1", "bad-seg"),
        (b"Segment1_LabelValue:=2", b"Segment1_LabelValue:=x", "bad-number"),
        (b"Segment1_Layer:=0", b"Segment1_Layer:=7", "bad-seg"),
    ],
)
def test_malformed_entries_are_refused(tmp_path, old, new, code):
    path = written(tmp_path / "a.seg.nrrd", {"one": LIVER - TUMOUR, "two": TUMOUR})
    assert path.read_bytes().count(old) == 1
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(InputError) as caught:
        read_slicer_segmentation(path)
    assert caught.value.code == code


def test_a_cut_file_is_refused_and_detached_data_are(tmp_path):
    path = written(tmp_path / "a.seg.nrrd", {"one": LIVER})
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with pytest.raises(InputError) as caught:
        read_slicer_segmentation(path)
    assert caught.value.code == "truncated-file"
    path.write_bytes(content.replace(b"encoding: gzip", b"encoding: gzip\ndata file: /etc/passwd"))
    assert not holds_segments(path)
    with pytest.raises(InputError) as caught:
        read_slicer_segmentation(path)
    assert caught.value.code == "detached-data"
