"""The two TotalSegmentator CTs, each reviewed against itself, moved by a known rigid motion."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from cli_runs import LEFT_BEHIND, Ran, ablation
from moved_pair import DATA, Ball, Image, Treated, ball_voxels, load, motion, save, write_post

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="real test data not found: set ABLATION_TEST_DATA"),
]


@dataclass(frozen=True)
class Reviewed:
    """A review, and what is true of it."""

    ran: Ran
    out: Path
    result: dict
    treated: list[Treated]
    post_from_pre: np.ndarray


def reviewed(
    folder: Path, pre: Path, ct: Image, liver: Image, treated: list[Treated], move, spacing, case=""
) -> Reviewed:
    """Paint the tumours into PRE, write POST, review both by the command."""
    middle = np.mean([one.tumour.centre for one in treated], axis=0)
    post_from_pre = motion(middle, *move)
    post = write_post(folder / "post", ct, liver, treated, post_from_pre, spacing)
    (folder / "case.toml").write_text(f'[case]\nid = "real"\n{case}')
    call = ["review", pre, post, "-o", folder / "out", "--case", folder / "case.toml"]
    ran = ablation(*call)
    assert ran.code == 0, ran.stderr
    result = json.loads((folder / "out" / "result.json").read_text())
    return Reviewed(ran, folder / "out", result, treated, post_from_pre)


def own_reading(folder: Path) -> Image:
    """Return an axial DICOM series by pydicom alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the empty UIDs
        slices = sorted((pydicom.dcmread(p) for p in folder.iterdir()), key=lambda d: float(d.ImagePositionPatient[2]))
        values = np.stack([d.pixel_array.T * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in slices], axis=2)
    first, last = (np.array(slices[n].ImagePositionPatient, float) for n in (0, -1))
    assert list(slices[0].ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    matrix = np.diag([*map(float, slices[0].PixelSpacing[::-1]), (last - first)[2] / (len(slices) - 1), 1.0])
    matrix[:3, 3] = first
    return Image(values, matrix)


@pytest.fixture(scope="module")
def dicom(tmp_path_factory) -> Reviewed:
    """20 slices of DICOM without SOP UIDs and their label map; the tumours are files of the case file."""
    folder = tmp_path_factory.mktemp("j2k")
    labels = load(DATA / "totalseg_ct_j2k_seg_117class.nii.gz")
    liver = Image((labels.values == 5).astype(np.uint8), labels.lps_from_ijk)
    treated = [
        Treated(Ball(np.array([-89.9, -121.8, -782.0]), 8.0), 12.0),
        Treated(Ball(np.array([-105.6, -160.8, -782.0]), 9.0), 10.0, (2.0, -2.0, 1.0)),
    ]
    case = f'[[mask]]\nstudy = "pre"\nfile = "{DATA}/totalseg_ct_j2k_seg_117class.nii.gz"\nlabel = "totalsegmentator"\n'
    for number, one in enumerate(treated, start=1):
        painted = ball_voxels(one.tumour, labels.values.shape, labels.lps_from_ijk)
        assert liver.values[painted > 0].all()
        save(folder / f"lesion_{number}.nii.gz", painted, labels.lps_from_ijk)
        case += f'[[mask]]\nstudy = "pre"\nrole = "tumour_{number}"\nfile = "lesion_{number}.nii.gz"\n'
    pre = DATA / "totalseg_ct_j2k"
    move = ((-1.5, 1.0, -4.0), (-9.0, 8.0, -3.0))
    return reviewed(folder, pre, own_reading(pre), liver, treated, move, (1.3, 1.3, 2.0), case)


@pytest.fixture(scope="module")
def nifti(tmp_path_factory) -> Reviewed:
    """A 3 mm NIfTI with TotalSegmentator's own output folder; the tumours lie beside the image."""
    folder = tmp_path_factory.mktemp("nifti")
    source, pre = DATA / "totalseg_ct_3mm", folder / "pre"
    pre.mkdir()
    for name in ("image.nii.gz", "segmentations"):
        (pre / name).symlink_to(source / name)
    liver = load(source / "segmentations" / "liver.nii.gz")
    liver = Image((liver.values > 0).astype(np.uint8), liver.lps_from_ijk)
    treated = [
        Treated(Ball(np.array([-94.6, -167.0, 394.8]), 8.0), 12.0),
        Treated(Ball(np.array([-101.0, -125.0, 399.0]), 10.0), 11.0, (2.0, -2.0, 1.0)),
    ]
    for number, one in enumerate(treated, start=1):
        painted = ball_voxels(one.tumour, liver.values.shape, liver.lps_from_ijk)
        assert liver.values[painted > 0].all()
        save(pre / f"tumour_{number}.nii.gz", painted, liver.lps_from_ijk)
    move = ((3.0, 2.0, -5.0), (10.0, 9.0, 5.0))
    return reviewed(folder, pre, load(source / "image.nii.gz"), liver, treated, move, (1.5, 1.5, 2.5))


@pytest.fixture(params=["dicom", "nifti"])
def review(request) -> Reviewed:
    return request.getfixturevalue(request.param)


def test_it_ends_in_a_report(review):
    assert {p.name for p in review.out.iterdir()} == LEFT_BEHIND
    assert review.result["status"] == "assessed"
    assert review.result["registration"]["transform"] in ("rigid", "deformable")
    assert [lesion["status"] for lesion in review.result["lesions"]] == ["assessed", "assessed"]


def test_volumes_are_those_of_the_painted_balls(review):
    for lesion, true in zip(review.result["lesions"], review.treated, strict=True):
        zone = Ball(np.zeros(3), true.zone_radius)
        assert lesion["tumour_ml"] == pytest.approx(true.tumour.ml, rel=0.03)
        assert lesion["ablation_ml"] == pytest.approx(zone.ml, rel=0.03)


def test_margins_lie_within_a_millimetre_and_their_intervals_around_the_truth(review):
    for lesion, true in zip(review.result["lesions"], review.treated, strict=True):
        margin = lesion["margin"]
        assert margin["definition"] == "parenchymal"
        assert margin["min_mm"] == pytest.approx(true.margin_mm, abs=1.0)
        assert margin["ci95_mm"][0] <= true.margin_mm <= margin["ci95_mm"][1]
    assert [true.margin_mm > 0 for true in review.treated] == [True, False]


def test_the_motion_is_found(review):
    import SimpleITK

    found = SimpleITK.ReadTransform(str(review.out / "transform.h5"))
    for lesion, true in zip(review.result["lesions"], review.treated, strict=True):
        post = (review.post_from_pre @ [*true.tumour.centre, 1.0])[:3]
        error = float(np.linalg.norm(np.array(found.TransformPoint(post)) - true.tumour.centre))
        assert np.linalg.norm(post - true.tumour.centre) > 5.0
        assert error < 1.0
        assert error < 2.0 * lesion["registration_error_mm"]


def test_empty_uids_are_tolerated_with_a_note(dicom):
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        assert any(f"PRE: {keyword} is empty in 20 of 20 slices" in note for note in dicom.result["notes"])


def test_a_liver_that_the_scan_cuts_has_no_volume_but_a_reason(review):
    (finding,) = (f for f in review.result["findings"] if f["name"] == "liver_ml")
    assert finding["value"] is None
    assert "truncated" in finding["reason"]


STRUCTURES = {
    "stomach": "stomach", "duodenum": "duodenum", "small_bowel": "small_bowel", "colon": "colon",
    "gallbladder": "gallbladder", "kidney_left": "kidney_left", "kidney_right": "kidney_right",
    "portal_vein": "portal_vein_and_splenic_vein", "ivc": "inferior_vena_cava", "spleen": "spleen",
    "pancreas": "pancreas", "aorta": "aorta", "heart_myocardium": "heart_myocardium",
}  # fmt: skip
"""Role -> file of TotalSegmentator: what this scan shows around the liver."""


def test_every_structure_of_the_scan_has_a_distance_that_its_voxels_confirm(nifti):
    for lesion, true in zip(nifti.result["lesions"], nifti.treated, strict=True):
        found = {d["structure"]: d for d in lesion["distances"] if d["from"] == "tumour"}
        assert set(found) >= set(STRUCTURES)
        for role, file in STRUCTURES.items():
            mask = load(DATA / "totalseg_ct_3mm" / "segmentations" / f"{file}.nii.gz")
            ijk = np.argwhere(mask.values > 0)
            centres = ijk @ mask.lps_from_ijk[:3, :3].T + mask.lps_from_ijk[:3, 3]
            to_centre = np.linalg.norm(centres - true.tumour.centre, axis=1).min() - true.tumour.radius
            half_voxel = 0.5 * np.linalg.norm(np.diag(mask.lps_from_ijk)[:3])
            assert to_centre - half_voxel - 0.5 <= found[role]["mm"] <= to_centre + 0.5, role
            assert found[role]["ci95_mm"][0] < found[role]["mm"] < found[role]["ci95_mm"][1]


def test_only_what_needs_the_whole_liver_is_unknown_where_the_scan_cuts_it(nifti):
    by_scope = {f["name"]: f for f in nifti.result["findings"] if f["scope"] != "lesion"}
    for name in ("liver_ml", "ablation.fraction_of_liver_percent"):
        assert by_scope[name]["value"] is None
        assert "truncated" in by_scope[name]["reason"]
    assert by_scope["patient.n_lesions"]["value"] == 2
    assert by_scope["ablation.volume_ml"]["value"] > 0
    unknown = [v for v in nifti.result["guidelines"] if any("truncated" in reason for reason in v["reasons"])]
    assert {v["rule"] for v in unknown} == {"PS-02", "CO-03", "CO-04"}


def test_every_distance_is_listed_with_both_parts_of_its_doubt(review):
    for lesion in review.result["lesions"]:
        starts = {(row["structure"], row["from"]) for row in lesion["distances"]}
        wanted = ("liver_capsule", "portal_vein", "ivc", "colon")
        assert {(name, start) for name in wanted for start in ("tumour", "ablation")} <= starts
        for row in lesion["distances"]:
            assert None not in (row["mm"], row["voxel_sd_mm"], row["registration_sd_mm"], *row["ci95_mm"])
    assert [vessel["vessel"] for vessel in review.result["vessels"]] == ["portal_vein"]
