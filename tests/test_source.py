from __future__ import annotations

from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest
from dicom_files import FRAME, PATIENT_ID, affine, oblique, series_datasets, stored_values, write, write_seg
from test_seg import code_of

from pipelines.source import FolderSource, read_mask_file
from pipelines.study import reordered
from planner.errors import AmbiguousInputError, EmptyMaskError, FrameMismatchError, InputError, UsageError, shown_where
from planner.grid import Grid
from planner.marks import uid_mark
from planner.volume import Mask

SHAPE = (8, 9, 10)
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def box(*bounds, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in bounds)] = True
    return mask


LIVER = box((1, 7), (1, 8), (1, 9))
TUMOUR = box((3, 5), (3, 5), (3, 5))
ZONE = box((2, 6), (2, 6), (2, 6))
EMPTY = np.zeros(SHAPE, bool)


def nifti(path, values_kji, lps=None, dtype=np.float64):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values_kji.astype(dtype).transpose(2, 1, 0), None)
    image.header.set_sform(RAS @ (affine() if lps is None else lps), code=1)
    nibabel.save(image, path)


def voxel_study(folder, lps=None, **masks):
    nifti(folder / "image.nii.gz", stored_values(SHAPE), lps, np.int16)
    for name, mask in masks.items():
        nifti(folder / f"{name}.nii.gz", mask, lps)
    return folder


def dicom_study(folder, masks, codes=None, matrix=None, **changes):
    datasets = series_datasets(stored_values(SHAPE), affine() if matrix is None else matrix, **changes)
    write(datasets, folder / "ct")
    if masks:
        write_seg(folder / "seg" / "masks.dcm", datasets, masks, codes or {})
    return folder


def case_file(tmp_path, text):
    (tmp_path / "case.toml").write_text(text)
    return tmp_path / "case.toml"


@pytest.fixture
def post(tmp_path):
    return voxel_study(tmp_path / "post", ablation=ZONE)


def read(pre, post, case=None):
    return FolderSource(pre, post, case, "fallback").read(lambda what, done: None)


def test_a_dicom_folder_and_its_seg_become_a_study(tmp_path, post):
    codes = {"liver of the patient": code_of("liver"), "Lesion 2": code_of("tumour")}
    pre = dicom_study(tmp_path / "pre", {"liver of the patient": LIVER, "Lesion 2": TUMOUR, "odd": ZONE}, codes)
    intake = read(pre, post)
    study = intake.case.pre
    assert set(study.masks) == {"liver", "tumour_2"}
    np.testing.assert_array_equal(study.masks["tumour_2"].voxels_kji, TUMOUR)
    assert study.masks["liver"].grid.same_lattice(study.image.grid)
    assert study.image.grid.frame_uid == FRAME
    assert "SEG 1 of 1 segment 3 has no role here and was not read" in study.notes
    assert not [note for note in study.notes if "odd" in note or "patient" in note]
    assert set(intake.inputs_sha256) == {"pre/image", "pre/liver", "pre/tumour_2", "post/image", "post/ablation_1"}
    assert len(intake.case.patient_key) == 16
    said = repr(intake.case.patient_key) + str(study.notes) + str(intake.case.notes) + str(intake.inputs_sha256)
    assert PATIENT_ID not in said
    assert "Mustermann" not in said


def test_roles_follow_labels_where_codes_say_nothing(tmp_path, post):
    pre = dicom_study(tmp_path / "pre", {"Liver": LIVER, "Tumour 1": TUMOUR, "Tumor 2": ZONE})
    assert set(read(pre, post).case.pre.masks) == {"liver", "tumour_1", "tumour_2"}


def test_unnumbered_tumour_segments_are_numbered_by_order_with_a_note(tmp_path, post):
    codes = {"a": code_of("tumour"), "b": code_of("tumour")}
    study = read(dicom_study(tmp_path / "pre", {"a": TUMOUR, "b": ZONE}, codes), post).case.pre
    np.testing.assert_array_equal(study.tumours["2"].voxels_kji, ZONE)
    assert any("numbered by their order" in note for note in study.notes)


@pytest.mark.parametrize(
    ("masks", "codes", "words"),
    [
        ({"Liver": LIVER, "liver": ZONE}, {}, ["segment 1 (Liver)", "segment 2 (liver)"]),
        ({"Tumour": TUMOUR, "Tumour 2": ZONE}, {}, ["segment 1 (Tumour)", "segment 2 (Tumour 2)"]),
        ({"Ablation zone": ZONE}, {"Ablation zone": "tumour"}, ["tumour", "ablation"]),
        ({"GTV Mass": TUMOUR}, {}, ["GTV Mass"]),
    ],
)
def test_segments_whose_role_is_unclear_are_refused_and_listed(tmp_path, post, masks, codes, words):
    codes = {label: code_of(role) for label, role in codes.items()}
    with pytest.raises(InputError) as caught:
        read(dicom_study(tmp_path / "pre", masks, codes), post)
    assert str(caught.value).startswith("PRE: ")
    where = shown_where(caught.value.where, phi=True)
    assert all(word in f"{caught.value} where: {where}" for word in words)
    hidden = f"{caught.value} {shown_where(caught.value.where, phi=False)}"
    assert not [label for label in masks if f"({label})" in hidden]


def test_the_case_file_chooses_among_segments(tmp_path, post):
    pre = dicom_study(tmp_path / "pre", {"Liver": LIVER, "liver": ZONE, "GTV Mass": TUMOUR})
    case = case_file(
        tmp_path,
        '[case]\nid = "seven"\n'
        '[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "pre/seg/masks.dcm"\nsegment = 1\n'
        '[[mask]]\nstudy = "pre"\nrole = "tumour"\nfile = "pre/seg/masks.dcm"\nsegment = "GTV Mass"\n'
        "[[pair]]\nlesion = 1\nzones = [1]\n[facts]\nprimary = 'colorectal'\nmodality = ''\n",
    )
    intake = read(pre, post, case)
    assert intake.case.case_id == "seven"
    np.testing.assert_array_equal(intake.case.pre.masks["liver"].voxels_kji, LIVER)
    np.testing.assert_array_equal(intake.case.pre.masks["tumour_1"].voxels_kji, TUMOUR)
    assert dict(intake.case.pairs) == {"1": ("1",)}
    assert dict(intake.case.facts) == {"primary": "colorectal"}
    assert "fact 'modality' is empty in the case file: not entered" in intake.case.notes
    assert any("by the case file" in note for note in intake.case.pre.notes)
    assert "case.toml" in intake.inputs_sha256


@pytest.mark.parametrize(
    "facts",
    [
        "ablation_date = 2024-02-02\npost_scan_date = 2024-02-01",
        "ablation_date = 2024-02-01\npost_scan_date = 2024-02-02\ndays_since_ablation = 3",
        "primray = ''",
    ],
)
def test_facts_that_cannot_be_are_refused_before_any_study_is_read(tmp_path, facts):
    with pytest.raises(InputError) as caught:
        read(tmp_path / "gone", tmp_path / "gone", case_file(tmp_path, f"[facts]\n{facts}\n"))
    assert caught.value.code in ("bad-fact", "unknown-fact")


def test_a_mask_that_the_case_file_says_is_a_folder(tmp_path, post):
    (tmp_path / "masks.nii.gz").mkdir()
    for more in ("role = 'tumour'", "label = 'totalsegmentator'"):
        case = case_file(tmp_path, f"[[mask]]\nstudy = 'pre'\nfile = 'masks.nii.gz'\n{more}\n")
        with pytest.raises(InputError, match=r"^PRE: \[\[mask\]\] number 1.*: is a folder") as caught:
            read(voxel_study(tmp_path / "pre"), post, case)
        assert (caught.value.code, caught.value.where) == ("is-a-folder", "masks.nii.gz")


def test_a_case_file_mask_replaces_the_guessed_one_with_a_note(tmp_path, post):
    pre = voxel_study(tmp_path / "pre", liver=LIVER, tumour=TUMOUR)
    nifti(tmp_path / "better.nii.gz", ZONE)
    case = case_file(tmp_path, '[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "better.nii.gz"\n')
    study = read(pre, post, case).case.pre
    np.testing.assert_array_equal(study.masks["liver"].voxels_kji, ZONE)
    assert any("[[mask]] number 1" in note and "liver.nii.gz" in note for note in study.notes)


@pytest.mark.parametrize(
    ("label", "truth"), [("2", TUMOUR), ("[1, 2]", LIVER), ('"kidney_right"', TUMOUR)], ids=["one", "several", "named"]
)
def test_the_case_file_picks_labels_of_a_map(tmp_path, post, label, truth):
    nifti(tmp_path / "map.nii.gz", LIVER.astype(int) + TUMOUR)
    pre = voxel_study(tmp_path / "pre")
    case = case_file(tmp_path, f'[[mask]]\nstudy = "pre"\nrole = "liver"\nfile = "map.nii.gz"\nlabel = {label}\n')
    np.testing.assert_array_equal(read(pre, post, case).case.pre.masks["liver"].voxels_kji, truth)


def test_a_whole_totalsegmentator_map_gives_its_structures_to_a_dicom_series(tmp_path, post):
    values = np.zeros(SHAPE, int)
    values[LIVER], values[TUMOUR], values[0, 0, 0], values[7, 8, 9] = 5, 63, 64, 15
    flipped = np.diag([1, -1, 1, 1.0])
    flipped[1, 3] = SHAPE[1] - 1
    nifti(tmp_path / "all.nii.gz", values[:, ::-1], affine() @ flipped)
    pre = dicom_study(tmp_path / "pre", {})
    case = case_file(tmp_path, '[[mask]]\nstudy = "pre"\nfile = "all.nii.gz"\nlabel = "totalsegmentator"\n')
    study = read(pre, post, case).case.pre
    assert set(study.masks) == {"liver", "ivc", "portal_vein"}
    np.testing.assert_array_equal(study.masks["liver"].voxels_kji, LIVER & ~TUMOUR)
    assert study.masks["liver"].grid.same_lattice(study.image.grid)
    assert any("3 of 4 structures" in note for note in study.notes)
    assert any("another order of axes" in note for note in study.notes)


def test_a_folder_of_files_is_read_by_names_and_empty_structures_are_absent(tmp_path, post):
    pre = voxel_study(tmp_path / "pre", tumour_1=TUMOUR)
    for name, mask in {"liver": LIVER, "colon": EMPTY, "aorta": EMPTY, "esophagus": ZONE}.items():
        nifti(pre / "segmentations" / f"{name}.nii.gz", mask)
    study = read(pre, post).case.pre
    assert set(study.masks) == {"liver", "tumour_1"}
    assert sum("2 masks are empty" in note for note in study.notes) == 1
    assert study.image.grid.frame_uid == ""


def test_a_single_file_is_an_image_only(tmp_path, post):
    voxel_study(tmp_path / "pre", liver=LIVER)
    assert dict(read(tmp_path / "pre" / "image.nii.gz", post).case.pre.masks) == {}


def test_both_tumour_and_tumour_1_are_ambiguous(tmp_path, post):
    pre = voxel_study(tmp_path / "pre", tumour=TUMOUR, tumour_1=ZONE)
    with pytest.raises(AmbiguousInputError) as caught:
        read(pre, post)
    assert "tumour.nii.gz" in str(caught.value)
    assert "tumour_1.nii.gz" in str(caught.value)


def test_a_file_that_speaks_of_a_tumour_unclearly_is_never_ignored(tmp_path, post):
    pre = voxel_study(tmp_path / "pre", tumour_left_lobe=TUMOUR)
    with pytest.raises(InputError) as caught:
        read(pre, post)
    assert "mask file 1 of 1" in str(caught.value)
    assert caught.value.where == "tumour_left_lobe.nii.gz"


@pytest.mark.parametrize("kind", ["dicom", "files"])
def test_an_empty_tumour_is_refused(tmp_path, post, kind):
    if kind == "dicom":
        pre = dicom_study(tmp_path / "pre", {"Liver": LIVER, "Tumour": TUMOUR})
        dataset = pydicom.dcmread(pre / "seg" / "masks.dcm")
        dataset.PixelData = b"\0" * len(dataset.PixelData)
        dataset.save_as(pre / "seg" / "masks.dcm")
    else:
        pre = voxel_study(tmp_path / "pre", tumour=EMPTY)
    with pytest.raises(EmptyMaskError) as caught:
        read(pre, post)
    assert str(caught.value).startswith("PRE: ")
    assert caught.value.exit_code == 3


def test_an_empty_zone_is_refused_by_post(tmp_path):
    pre = voxel_study(tmp_path / "pre", tumour=TUMOUR)
    with pytest.raises(EmptyMaskError, match=r"^POST: "):
        read(pre, voxel_study(tmp_path / "post", ablation=EMPTY))


def test_a_mask_outside_the_image_is_refused(tmp_path, post):
    pre = voxel_study(tmp_path / "pre")
    nifti(pre / "tumour.nii.gz", TUMOUR, affine(origin=(5000, 0, 0)))
    with pytest.raises(InputError) as caught:
        read(pre, post)
    assert caught.value.code == "no-shared-space"


def test_a_mask_of_another_lattice_keeps_it_with_a_note(tmp_path, post):
    pre = voxel_study(tmp_path / "pre")
    fine = affine(spacing=(0.35, 0.4, 1.25))
    nifti(pre / "tumour.nii.gz", TUMOUR, fine)
    study = read(pre, post).case.pre
    np.testing.assert_allclose(study.masks["tumour_1"].grid.lps_mm_from_ijk, fine, atol=1e-4)
    np.testing.assert_array_equal(study.masks["tumour_1"].voxels_kji, TUMOUR)
    assert any("own lattice" in note for note in study.notes)


def test_separate_parts_stay_one_lesion_with_a_note(tmp_path, post):
    pre = voxel_study(tmp_path / "pre", tumour=TUMOUR | box((7, 8), (7, 8), (7, 8)))
    study = read(pre, post).case.pre
    assert list(study.tumours) == ["1"]
    assert any("2 separate parts" in note for note in study.notes)


def test_a_lesion_of_one_voxel_and_a_zone_that_fills_its_lattice_are_read_with_a_note(tmp_path):
    pre = voxel_study(tmp_path / "pre", tumour=box((3, 4), (3, 4), (3, 4)), liver=~EMPTY)
    case = read(pre, voxel_study(tmp_path / "post", ablation=~EMPTY)).case
    assert case.pre.notes == ("tumour_1: the mask is a single voxel, its shape is not known",)
    assert any(note.startswith("ablation_1: the mask fills its whole lattice") for note in case.post.notes)


def test_dozens_of_bones_are_cropped_but_true_edges_stay_edges(tmp_path, post):
    pre = voxel_study(tmp_path / "pre", rib_left_7=box((0, 2), (3, 4), (3, 4)), rib_left_8=box((3, 5), (4, 5), (4, 5)))
    masks = read(pre, post).case.pre.masks
    assert masks["rib_left_7"].touches_edge()
    assert not masks["rib_left_8"].touches_edge()
    kji = np.argwhere(box((3, 5), (4, 5), (4, 5)))
    expected = Grid(SHAPE, affine()).lps_mm(kji[:, ::-1])
    np.testing.assert_allclose(masks["rib_left_8"].centres_lps_mm(), expected, atol=1e-4)


def test_a_seg_of_another_frame_of_reference_is_refused(tmp_path, post):
    pre = dicom_study(tmp_path / "pre", {"Tumour": TUMOUR})
    dataset = pydicom.dcmread(pre / "seg" / "masks.dcm")
    dataset.FrameOfReferenceUID = "1.2.3.111122223333"
    dataset.save_as(pre / "seg" / "masks.dcm")
    with pytest.raises(FrameMismatchError, match=rf"^PRE: .*{uid_mark('1.2.3.111122223333')}"):
        read(pre, post)


def test_an_image_file_beside_dicom_is_ambiguous(tmp_path, post):
    pre = dicom_study(tmp_path / "pre", {})
    voxel_study(pre)
    with pytest.raises(AmbiguousInputError, match=r"^PRE: "):
        read(pre, post)


def test_a_missing_or_empty_folder_is_one_line(tmp_path, post):
    with pytest.raises(InputError) as caught:
        read(tmp_path / "no", post)
    assert (str(caught.value), caught.value.where) == ("PRE: no such folder", ".../no")
    (tmp_path / "void").mkdir()
    with pytest.raises(InputError) as caught:
        read(tmp_path / "void", post)
    assert (str(caught.value), caught.value.where) == ("PRE: no DICOM, NIfTI or NRRD image found", ".../void")
    with pytest.raises(UsageError):
        read(None, post)


def test_patients_are_told_apart_by_key(tmp_path, post):
    pre = dicom_study(tmp_path / "pre", {})
    same = dicom_study(tmp_path / "same", {})
    assert read(pre, same).case.patient_key == read(pre, post).case.patient_key
    assert read(pre, same).case.cautions == read(pre, post).case.cautions == ()
    nobody = read(post, post).case
    assert nobody.patient_key == "fallback"
    assert any("patient key is the case id" in note for note in nobody.notes)


@pytest.mark.parametrize(("stated", "key"), [("", "the patient key is that of PRE"), ("p-9", "is the stated one")])
def test_two_patients_in_one_case_are_refused_unless_they_are_allowed_with_a_caution(tmp_path, stated, key):
    pre = dicom_study(tmp_path / "pre", {})
    other = dicom_study(tmp_path / "other", {}, PatientID="Jane")
    source = FolderSource(pre, other, stated_patient_key=stated)
    with pytest.raises(InputError, match=r"^PRE and POST state different patients") as caught:
        source.read(lambda what, done: None)
    assert (caught.value.code, caught.value.exit_code) == ("different-patients", 3)
    assert "Jane" not in str(caught.value)
    case = replace(source, allow_different_patients=True).read(lambda what, done: None).case
    (caution,) = case.cautions
    assert caution.code == "different-patients"
    assert "PRE and POST state different patients" in caution.text
    assert key in caution.text
    assert "Jane" not in caution.text
    assert case.notes == ()
    assert not stated or case.patient_key == stated


def test_a_mask_file_is_read_from_nifti_and_from_a_seg_of_one_segment(tmp_path):
    nifti(tmp_path / "t.nii.gz", TUMOUR)
    np.testing.assert_array_equal(read_mask_file(tmp_path / "t.nii.gz", "tumour").voxels_kji, TUMOUR)
    one = dicom_study(tmp_path / "one", {"Tumour": TUMOUR}) / "seg" / "masks.dcm"
    mask = read_mask_file(one, "tumour")
    assert mask.grid.frame_uid == FRAME
    expected = Grid(SHAPE, affine()).lps_mm(np.argwhere(TUMOUR)[:, ::-1])
    np.testing.assert_allclose(mask.centres_lps_mm(), expected, atol=1e-6)
    two = dicom_study(tmp_path / "two", {"A": TUMOUR, "B": ZONE}) / "seg" / "masks.dcm"
    with pytest.raises(AmbiguousInputError, match=r"name one of: 1, 2$") as caught:
        read_mask_file(two, "tumour")
    assert shown_where(caught.value.where, phi=True) == "masks.dcm: 1 (A), 2 (B)"
    assert shown_where(caught.value.where, phi=False) == "masks.dcm: 1, 2"
    nifti(tmp_path / "e.nii.gz", EMPTY)
    with pytest.raises(EmptyMaskError):
        read_mask_file(tmp_path / "e.nii.gz", "tumour")
    with pytest.raises(InputError, match="no such file"):
        read_mask_file(tmp_path / "no.nii", "tumour")


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 0, 2), (2, 1, 0)])
@pytest.mark.parametrize("flips", [(), (0,), (1, 2), (0, 1, 2)])
def test_any_order_of_axes_is_taken_over_voxel_by_voxel(axes, flips):
    image = Grid(SHAPE, oblique())
    truth = np.random.default_rng(1).random(SHAPE) > 0.5
    stored_from_image = np.eye(4)[[*axes, 3]]
    ijk = np.flip(truth.transpose(2, 1, 0).transpose(axes), flips)
    for axis in flips:
        stored_from_image[axis] *= -1
        stored_from_image[axis, 3] = ijk.shape[axis] - 1
    stored = Grid(ijk.shape[::-1], oblique() @ np.linalg.inv(stored_from_image))
    found = reordered(Mask(ijk.transpose(2, 1, 0), stored), image)
    np.testing.assert_array_equal(found.voxels_kji, truth)


def test_a_shifted_lattice_is_not_taken_for_the_images():
    image = Grid(SHAPE, affine())
    assert reordered(Mask(TUMOUR, Grid(SHAPE, affine(origin=(-30.01, 12, 100)))), image) is None
