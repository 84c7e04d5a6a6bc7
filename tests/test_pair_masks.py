"""Which mask belongs to which series: the same to pairing and to the review that follows."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pydicom
import pytest
from dicom_files import affine, slice_dataset
from test_pair import cache, codes, pair, rows, study

from pipelines.batch.manifest import read_manifest
from pipelines.case_file import read_case_file
from pipelines.dicom.belonging import belonging
from pipelines.dicom.index import index_files
from pipelines.dicom.series import choose_series
from pipelines.dicom.walk import regular_files
from pipelines.pairing.tree import index_tree
from planner.marks import uid_mark

__all__ = ["cache"]


def without_references(path, **changes):
    """Take the references to series from a mask."""
    mask = pydicom.dcmread(path)
    del mask.ReferencedSeriesSequence
    for keyword, value in changes.items():
        setattr(mask, keyword, value)
    mask.save_as(path)


def belongs(folder, number):
    index = index_files(regular_files(folder))
    return belonging(index, choose_series(index, uid_mark(f"1.2.3.{number}.1")))


def test_masks_of_another_series_of_a_folder_are_left_out_by_reference_frame_and_patient(tmp_path):
    study(tmp_path, 1, "tumour")
    study(tmp_path, 8, "ablation")
    study(tmp_path, 9, "ablation", PatientID="other")
    without_references(tmp_path / "m8")
    without_references(tmp_path / "m9", FrameOfReferenceUID="1.2.3.77")
    found = belongs(tmp_path, 1)
    assert [i.path.name for i in found.instances.values()] == ["m1"]
    assert any("frame of reference of another image series" in note for note in found.notes)
    assert any("states another patient" in note for note in found.notes)
    assert [i.path.name for i in belongs(tmp_path, 8).instances.values()] == ["m8"]


def test_a_copy_of_a_mask_is_left_out_and_another_mask_of_its_uid_is_not(tmp_path):
    study(tmp_path, 1, "tumour")
    shutil.copy(tmp_path / "m1", tmp_path / "m2")
    found = belongs(tmp_path, 1)
    assert len(found.instances) == 1
    assert "SEG 2 of 2 is a copy of SEG 1 of 2 and was not read" in found.notes
    other = pydicom.dcmread(tmp_path / "m2")
    other.SeriesDescription = "another"
    other.save_as(tmp_path / "m2")
    assert len(belongs(tmp_path, 1).instances) == 2


def test_a_mask_without_references_belongs_to_the_only_series_of_its_frame(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    without_references(tmp_path / "tree" / "x" / "m1")
    assert pair(tmp_path).code == 0
    assert "by an equal frame of reference" in (tmp_path / "pairs" / "cases" / "case-0001.toml").read_text()
    study(tmp_path / "tree" / "x", 2, "", FrameOfReferenceUID="1.2.3.1.2", StudyInstanceUID="1.2.3.1")
    assert pair(tmp_path, out="again").code == 3
    assert codes(tmp_path, "again") == {"mask-of-several-series"}


def test_a_series_without_its_uid_is_undecided(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    for path in (tmp_path / "tree" / "x").glob("a*"):
        one = pydicom.dcmread(path)
        one.SeriesInstanceUID = ""
        one.save_as(path)
    assert pair(tmp_path).code == 3
    assert {(row["code"], row["series"].split(",")[1]) for row in rows(tmp_path / "pairs" / "ambiguous.csv")} == {
        ("mask-of-several-series", " 8 slices 2.5 mm apart")
    }


def test_a_mask_that_lies_elsewhere_in_its_frame_does_not_belong(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    path = tmp_path / "tree" / "x" / "m1"
    mask = pydicom.dcmread(path)
    for frame in mask.PerFrameFunctionalGroupsSequence:
        frame.PlanePositionSequence[0].ImagePositionPatient[2] += 500
    mask.save_as(path)
    without_references(path)
    assert pair(tmp_path).code == 3
    assert codes(tmp_path) == {"no-tumour-masks"}


def test_everything_sent_twice_to_two_folders_is_one_study(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    shutil.copytree(tmp_path / "tree", tmp_path / "tree" / "again")
    assert pair(tmp_path).code == 0
    (row,) = read_manifest(tmp_path / "pairs" / "manifest.csv")
    assert (row.pre.name, row.post.name) == ("x", "y")
    assert read_case_file(row.case).mask == []


def test_a_mask_of_nobody_is_listed_and_one_of_an_absent_series_is_noted(tmp_path):
    study(tmp_path / "tree" / "x", 1, "tumour")
    study(tmp_path / "tree" / "y", 8, "ablation")
    for number, person in ((3, "ID-4711"), (4, "")):
        study(tmp_path / "gone", number, "tumour", mask_folder=tmp_path / "tree" / "z", PatientID=person)
    assert pair(tmp_path).code == 3
    (entry,) = rows(tmp_path / "pairs" / "ambiguous.csv")
    assert (entry["code"], entry["series_uid"]) == ("no-patient-id", "")
    assert "# rule: 1 file with masks of lesions" in (tmp_path / "pairs" / "cases" / "case-0001.toml").read_text()


@pytest.mark.parametrize("folder", ["with blank ", "quote\"d, 'and' comma", "=cmd", "äöü"])
def test_odd_folder_names_come_through(tmp_path, folder):
    study(tmp_path / "tree" / folder, 1, "tumour", mask_folder=tmp_path / "tree" / "m" / folder)
    study(tmp_path / "tree" / "y", 8, "ablation")
    assert pair(tmp_path).code == 0
    (row,) = read_manifest(tmp_path / "pairs" / "manifest.csv")
    assert row.pre.resolve() == (tmp_path / "tree" / folder).resolve()
    (mask,) = read_case_file(row.case).mask
    assert os.path.isfile(mask.file)  # noqa: PTH113


@pytest.mark.parametrize("folder", ["line\nbreak", os.fsdecode(b"not utf-8 \xff"), "bell\a"])
def test_folder_names_that_no_text_file_holds_are_undecided(tmp_path, folder):
    study(tmp_path / "tree" / "x", 1, "tumour")
    (tmp_path / "tree" / "x").rename(tmp_path / "tree" / folder)
    study(tmp_path / "tree" / "y", 8, "ablation")
    assert pair(tmp_path).code == 3
    assert codes(tmp_path) == {"unwritable-path"}


def test_long_private_elements_and_sequences_before_the_image_are_read(tmp_path):
    one = slice_dataset(np.zeros((4, 4)), affine(), 0)
    block = one.private_block(0x0009, "LONG", create=True)
    block.add_new(1, "OB", bytes(20_000))
    item = pydicom.Dataset()
    item.add_new(0x00091001, "OB", bytes(9000))
    item.is_undefined_length_sequence_item = True
    one.ReferencedImageSequence = [item] * 3
    one["ReferencedImageSequence"].is_undefined_length = True
    one.save_as(tmp_path / "a", enforce_file_format=True)
    (file,) = index_tree(tmp_path, None).files
    assert (file.head.kind, file.head.date, file.head.rows) == ("image", "20240102", 4)


def test_a_file_that_could_not_be_read_is_tried_again(tmp_path, cache, monkeypatch):
    from pipelines.pairing import reading

    def fails(*_):
        raise OSError(5, "Input/output error")

    study(tmp_path / "tree", 1, "")
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.isolated.AVAILABLE", False)  # what is patched here is not in a process apart
        patch.setattr(reading, "_fast", fails)
        patch.setattr(reading, "_whole", fails)
        assert index_tree(tmp_path / "tree", cache).broken() == tuple(range(1, 9))
    assert index_tree(tmp_path / "tree", cache).broken() == ()
