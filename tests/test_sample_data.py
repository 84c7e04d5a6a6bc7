"""The synthetic patient: same seed, same bytes; known field; real DICOM; margins that hit their targets."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless
from scipy.ndimage import distance_transform_edt

from pipelines.codes import role_of_code
from pipelines.sample import make_patient, write_sample
from pipelines.sample.lattice import make_lattice
from pipelines.sample.rendering import draw

COARSE_MM = (4.0, 2.6, 2.6)
SEED = 5
ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_data"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    write_sample(SEED, out, spacing_kji_mm=COARSE_MM)
    return out


@pytest.fixture(scope="module")
def patient():
    return make_patient(SEED)


@pytest.fixture(scope="module")
def drawn(patient):
    return {study: draw(patient, study, make_lattice(patient, study, COARSE_MM)) for study in ("pre", "post")}


@pytest.fixture(scope="module")
def known(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def ct(folder, study):
    return [pydicom.dcmread(path) for path in sorted((folder / study).glob("CT_*.dcm"))]


def test_same_seed_gives_the_same_bytes(folder, tmp_path):
    write_sample(SEED, tmp_path, spacing_kji_mm=COARSE_MM)
    first = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    again = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert first.keys() == again.keys()
    assert [str(name) for name in first if first[name] != again[name]] == []


def test_another_seed_gives_another_patient_and_field(patient):
    other = make_patient(SEED + 1)
    assert not np.allclose(other.lesions[0].star.centre_mm, patient.lesions[0].star.centre_mm)
    assert not np.allclose(other.field.amplitudes_mm, patient.field.amplitudes_mm)


def test_field_and_its_inverse_undo_each_other_to_a_nanometre(patient):
    points = patient.liver_centre_mm + np.random.default_rng(1).uniform(-100, 100, (2000, 3))
    there = patient.field.post_from_pre(points)
    np.testing.assert_allclose(patient.field.pre_from_post(there), points, atol=1e-6)
    assert np.linalg.norm(there - points, axis=1).max() > 5


def test_field_never_folds(patient):
    points = patient.liver_centre_mm + np.random.default_rng(2).uniform(-130, 130, (4000, 3))
    assert np.linalg.det(patient.field.jacobian(points)).min() > 0.5


def test_field_can_be_rebuilt_from_the_parameters_in_the_truth(known, patient):
    field = {k: np.array(v) for k, v in known["field"].items() if k != "formula"}
    post = patient.liver_centre_mm + np.random.default_rng(3).uniform(-80, 80, (50, 3))
    moved = post + np.sin(post @ field["wave_vectors_per_mm"].T + field["phases_rad"]) @ field["amplitudes_mm"]
    for centre, fraction in zip(field["contraction_centres_mm"], field["contraction_fractions"], strict=True):
        reach = np.linalg.norm(post - centre, axis=1) / field["contraction_radius_mm"]
        moved += (fraction * np.exp(-(reach**4)))[:, None] * (post - centre)
    pre = (moved - field["centre_mm"]) @ field["rotation"].T + field["centre_mm"] + field["translation_mm"]
    np.testing.assert_allclose(pre, patient.field.pre_from_post(post), atol=1e-5)


@pytest.mark.parametrize(("index", "low", "high"), [(0, 5.7, 10.2), (1, 1.3, 2.7), (2, -6.2, -1.8)])
def test_each_lesion_has_the_margin_it_was_made_for(known, index, low, high):
    lesion = known["lesions"][index]
    assert low <= lesion["min_mm"] <= high
    assert lesion["min_mm"] == pytest.approx(lesion["target_mm"], abs=0.3)
    assert lesion["geometric_min_mm"] <= lesion["min_mm"] + 1e-6


def test_only_the_partly_uncovered_lesion_leaves_tumour_behind(known):
    residual = [lesion["residual_ml"] for lesion in known["lesions"]]
    assert residual[:2] == [0, 0]
    assert 0.01 < residual[2] < known["lesions"][2]["tumour_post_ml"]


def test_second_lesion_lies_beside_a_named_vessel(known):
    lesion = known["lesions"][1]
    gaps = {row["structure"]: row["mm"] for row in lesion["distances"] if row["from"] == "tumour"}
    assert gaps[lesion["beside"]] < 5


def test_masks_have_the_volumes_of_the_truth_as_far_as_coarse_voxels_can(drawn, known):
    voxel_ml = np.prod(COARSE_MM) / 1000
    for lesion in known["lesions"]:
        number = lesion["lesion_id"]
        tumour_ml = drawn["pre"][1][f"tumour_{number}"].sum() * voxel_ml
        assert tumour_ml == pytest.approx(lesion["tumour_ml"], rel=0.12)
        assert drawn["post"][1][f"ablation_{number}"].sum() * voxel_ml == pytest.approx(lesion["ablation_ml"], rel=0.08)


@pytest.mark.parametrize("index", [1, 2])
def test_margin_agrees_with_voxels_of_the_moved_bodies(patient, known, index):
    # An independent route: tumour, liver and zone voxelised in POST, distance to voxels of liver not ablated.
    step, body, zone = 0.6, patient.lesions[index], patient.zones[index]
    low, high = zone.star.box_mm + np.array([[-4.0], [4.0]])
    axes = [np.arange(a, b, step) for a, b in zip(low, high, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), -1).astype(np.float32)
    pre = patient.field.pre_from_post(nodes)
    liver = patient.anatomy.liver(pre) <= 0
    ablated = (zone.star(nodes) <= 0) & liver
    to_unablated = distance_transform_edt(~(liver & ~ablated), sampling=step)
    to_zone = distance_transform_edt(~ablated, sampling=step)
    signed = np.where(ablated, to_unablated, -to_zone)[body.star(pre) <= 0].min()
    assert signed == pytest.approx(known["lesions"][index]["min_mm"], abs=0.9)


def test_landmarks_are_pairs_of_the_same_tissue(known, patient):
    for lesion in known["lesions"]:
        for kind in ("tumour", "ring"):
            pairs = np.array(lesion["landmarks"][kind])
            assert pairs.shape == (300, 2, 3)
            np.testing.assert_allclose(patient.field.pre_from_post(pairs[:, 1]), pairs[:, 0], atol=1e-5)


@pytest.mark.parametrize("study", ["pre", "post"])
def test_ct_reads_back_as_the_picture_that_was_drawn(folder, patient, drawn, study):
    slices = ct(folder, study)
    assert {str(s.file_meta.TransferSyntaxUID) for s in slices} == {str(JPEG2000Lossless)}
    lattice = make_lattice(patient, study, COARSE_MM)
    image, _ = drawn[study]
    for k in (0, len(slices) // 2, len(slices) - 1):
        hu = slices[k].pixel_array * float(slices[k].RescaleSlope) + float(slices[k].RescaleIntercept)
        np.testing.assert_array_equal(hu, np.clip(np.rint(image[k]), -1024, 3071))
        corner = lattice.lps_mm_from_ijk @ [0, 0, k, 1]
        np.testing.assert_allclose([float(v) for v in slices[k].ImagePositionPatient], corner[:3], atol=1e-6)


def test_studies_share_a_patient_but_no_frame_of_reference(folder):
    pre, post = ct(folder, "pre")[0], ct(folder, "post")[0]
    assert pre.PatientID == post.PatientID == f"SYNTHETIC-{SEED}"
    assert pre.FrameOfReferenceUID != post.FrameOfReferenceUID
    assert pre.StudyInstanceUID != post.StudyInstanceUID


@pytest.mark.parametrize("study", ["pre", "post"])
def test_segments_carry_codes_that_mean_their_role_and_hold_their_mask(folder, drawn, study):
    seg = hd.seg.segread(folder / study / "seg.dcm")
    _, masks = drawn[study]
    described = [seg.get_segment_description(number) for number in seg.segment_numbers]
    assert [item.tracking_id for item in described] == list(masks)
    uids = [dataset.SOPInstanceUID for dataset in ct(folder, study)]
    pixels = seg.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True
    )
    for number, (item, role) in enumerate(zip(described, masks, strict=True)):
        kind = item.SegmentedPropertyTypeCodeSequence[0]
        sides = kind.get("SegmentedPropertyTypeModifierCodeSequence", [])
        side = sides[0].CodeMeaning.lower() if sides else None
        expected = role.rsplit("_", 1)[0] if role[-1].isdigit() else role
        assert role_of_code((kind.CodingSchemeDesignator, kind.CodeValue), side) == expected
        assert np.array_equal(pixels[..., number] > 0, masks[role])


def test_zones_are_cut_to_the_liver_and_tumours_lie_in_it(drawn):
    pre, post = drawn["pre"][1], drawn["post"][1]
    for number in (1, 2, 3):
        assert not (pre[f"tumour_{number}"] & ~pre["liver"]).any()
        assert not (post[f"ablation_{number}"] & ~post["liver"]).any()
    for masks in (pre, post):
        assert not masks["liver"][[0, -1]].any()


def test_case_file_names_the_primary(folder):
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    assert case["case"]["id"] == "sample"
    assert case["facts"]["primary"] == "colorectal"


def test_readme_of_the_committed_sample_has_the_hash_of_every_file():
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1::2] for line in text.splitlines() if line.startswith("| `")]
    listed = dict(rows)
    files = {
        path.relative_to(SAMPLE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in SAMPLE.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert listed == files


def test_committed_sample_fits_in_git():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= 25e6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 13, 40, 104])
def test_other_seeds_give_whole_patients(seed):
    patient = make_patient(seed)
    assert [zone.number for zone in patient.zones] == [1, 2, 3]
