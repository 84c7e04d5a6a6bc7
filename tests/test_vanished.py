"""Tumours of a study before PRE that no tumour of PRE meets."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from analytic import Inside, ball, ball_ml, below, both, lattice, rigid, voxelised, without
from cli_runs import MIDDLE_MM, ablation, anatomy_after, post_study, pre_study, save, study
from cli_runs import ball as voxel_ball
from dicom_files import PATIENT_ID
from studies import MATRIX, ZONE, ZONE_CENTRE, grid, post, pre
from test_source import TUMOUR, case_file, dicom_study, read, voxel_study
from test_source import ZONE as VOXEL_ZONE

from pipelines.source import FolderSource
from pipelines.store.vanished import baseline_document
from planner.case import Case, Study
from planner.errors import InputError
from planner.register.alignment import Alignment, Check, SpatialMap
from planner.register.settings import RegistrationSettings
from planner.report.vanished import UNSEEN, baseline_sentences
from planner.surface import surface_of
from planner.vanished import NO_BASELINE, SinceBaseline, against_baseline, compared
from planner.volume import Volume

GRID = lattice(44.0, (2.0, 1.5, 1.5))
SHIFT = rigid(shift_mm=(5.0, -3.0, 2.0))


def pre_with(*tumours: Inside, **parts: Inside) -> Study:
    bodies = {f"tumour_{n}": body for n, body in enumerate(tumours, start=1)} | parts
    masks = {role: voxelised(body, GRID, role) for role, body in bodies.items()}
    return Study(Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID), masks)


def aligned(count: int, error_mm: float = 1.5, **more: object) -> Alignment:
    """The baseline lies 5, -3, 2 mm away from PRE, known but for an error."""
    known = SpatialMap(SHIFT)
    zones = [str(n) for n in range(1, count + 1)]
    errors = {"error_at_zone_mm": dict.fromkeys(zones, error_mm / 2)}
    errors["error_interval90_mm"] = dict.fromkeys(zones, (0.5, error_mm))
    return Alignment("rigid", known, known, **(errors | more))


def found_of(pre_study: Study, *tumours: Inside, alignment: Alignment | None = None) -> SinceBaseline:
    """`tumours` as they lie in the baseline."""
    surfaces = {str(n): surface_of(voxelised(body, GRID)) for n, body in enumerate(tumours, start=1)}
    return compared(pre_study, surfaces, alignment or aligned(len(tumours)))


HERE, THERE = (-15.0, 4.0, 3.0), (18.0, -8.0, -5.0)


def before(place: tuple[float, float, float], radius: float) -> Inside:
    """A ball that lies at a place of PRE, as the baseline has it."""
    return ball(np.asarray(place) - SHIFT[:3, 3], radius)


def test_a_tumour_that_shrank_is_met_and_one_that_is_gone_has_vanished() -> None:
    found = found_of(pre_with(ball(HERE, 5.0)), before(HERE, 9.0), before(THERE, 6.0))
    assert [lesion.vanished for lesion in found.lesions] == [False, True]
    gone = found.lesions[1]
    assert gone.volume_ml == pytest.approx(ball_ml(6.0), rel=0.02)
    assert gone.max_axial_diameter_mm == pytest.approx(12.0, abs=0.5)
    assert gone.at_pre_lps_mm == pytest.approx(THERE, abs=0.3)
    assert gone.nearest == "1"
    assert gone.gap_mm == pytest.approx(np.linalg.norm(np.subtract(HERE, THERE)) - 11.0, abs=0.3)
    assert (found.vanished.value, found.vanished.bound, found.vanished.reason) == (1.0, "exact", None)


@pytest.mark.parametrize(("apart_mm", "vanished"), [(-2.0, False), (1.0, False), (2.0, True), (6.0, True)])
def test_two_tumours_meet_that_lie_no_farther_apart_than_the_registration_may_be_off(apart_mm, vanished) -> None:
    beside = (HERE[0] + 11.0 + apart_mm, HERE[1], HERE[2])
    found = found_of(pre_with(ball(HERE, 5.0)), before(beside, 6.0), alignment=aligned(1, 1.5))
    assert found.lesions[0].vanished is vanished


def test_two_tumours_that_became_one_are_both_met() -> None:
    near = (HERE[0] + 8.0, HERE[1], HERE[2])
    found = found_of(pre_with(ball(HERE, 8.0)), before(HERE, 5.0), before(near, 5.0))
    assert found.vanished.value == 0.0


def test_where_the_registration_failed_at_a_tumour_the_count_is_a_bound() -> None:
    failed = {"1": (Check("predicted_error", 9.0, "mm", False, "far off"),)}
    found = found_of(
        pre_with(ball(HERE, 5.0)), before((0, 25, 0), 4.0), before(THERE, 6.0), alignment=aligned(2, zone_checks=failed)
    )
    assert [lesion.vanished for lesion in found.lesions] == [None, True]
    assert (found.vanished.value, found.vanished.bound) == (1.0, "at_least")
    assert "predicted_error" in str(found.lesions[0].reason)


def test_where_it_failed_altogether_nothing_is_known() -> None:
    failed = (Check("shared_view", 0.1, "", False, "too little"),)
    found = found_of(pre_with(ball(HERE, 5.0)), before(THERE, 6.0), alignment=aligned(1, checks=failed))
    assert found.vanished.value is None
    assert "registration" in str(found.vanished.reason)


def test_a_place_that_pre_does_not_show_is_not_known() -> None:
    off = Alignment("rigid", *[SpatialMap(rigid(shift_mm=(0.0, 0.0, 44.0)))] * 2)
    found = found_of(pre_with(ball(HERE, 5.0)), before((0.0, 0.0, 10.0), 3.0), alignment=off)
    assert found.lesions[0].vanished is None
    assert "does not hold" in str(found.lesions[0].reason)


def test_the_place_is_told_by_the_lobes_of_pre() -> None:
    liver = ball((0, 0, 0), 40.0)
    lobes = {"liver_right": both(liver, below(0, 0.8)), "liver_left": without(liver, below(0, 0.8))}
    found = found_of(pre_with(ball(HERE, 5.0), **lobes), before(THERE, 6.0))
    assert found.lesions[0].place == "left"
    assert any("left" in sentence for sentence in baseline_sentences(found))


def test_sentences_say_what_vanished_and_never_that_no_disease_is_left() -> None:
    found = found_of(pre_with(ball(HERE, 5.0)), before(HERE, 9.0), before(THERE, 6.0))
    met, gone, warning = baseline_sentences(found)
    assert met.startswith("Tumour 1 of the baseline (")
    assert "meets tumour 1 of PRE (overlapping by" in met
    assert "has no counterpart in PRE: tumour 1 is the nearest" in gone
    assert "18, -8, -5 mm (LPS)" in gone
    assert warning == UNSEEN
    assert baseline_sentences(NO_BASELINE) == ()
    assert baseline_sentences(SinceBaseline(reason="x")) == ("Not known: x.",)


def registered_case(*, with_masks: bool = True, **of_pre: Inside) -> Case:
    """A textured body as PRE, and as the baseline the same, carried by a known motion."""
    scan, here = pre(), post()[0]
    there = grid()
    before = Study(here.image, {"tumour_1": here.lesions["1"], "liver": here.liver} if with_masks else {})
    after = Study(scan.image, {"liver": scan.liver, **{k: voxelised(v, there, k) for k, v in of_pre.items()}})
    return Case("a", "a", after, after, baseline=before)


def test_the_baseline_is_registered_with_pre() -> None:
    at = MATRIX[:3, :3] @ ZONE_CENTRE + MATRIX[:3, 3]
    away = MATRIX[:3, :3] @ -ZONE_CENTRE + MATRIX[:3, 3]
    settings = RegistrationSettings(kind="rigid", working_mm=3.0)
    found = against_baseline(registered_case(tumour_1=ball(away, 6.0)), settings)
    (lesion,) = found.lesions
    assert lesion.vanished is True
    assert lesion.at_pre_lps_mm == pytest.approx(at, abs=1.5)
    met = against_baseline(registered_case(tumour_1=ball(away, 6.0), tumour_2=ball(at, 4.0)), settings)
    assert (met.lesions[0].vanished, met.lesions[0].nearest) == (False, "2")
    assert met.vanished.value == 0.0
    document = baseline_document(met)
    assert document["registration"]["transform"] == "rigid"
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_without_a_baseline_or_tumours_in_it_nothing_is_known() -> None:
    one = registered_case(with_masks=False, tumour_1=ZONE)
    assert against_baseline(replace(one, baseline=None), RegistrationSettings()) is NO_BASELINE
    assert against_baseline(one, RegistrationSettings()).reason == "the baseline study has no tumour mask"


def test_a_baseline_that_cannot_be_registered_is_unknown_not_an_error() -> None:
    flat = Study(Volume(np.zeros(GRID.shape_kji, dtype=np.float32), GRID, "CT"),
                 {"tumour_1": voxelised(ball(HERE, 5.0), GRID, "tumour_1")})  # fmt: skip
    found = against_baseline(Case("a", "a", flat, flat, baseline=flat), RegistrationSettings())
    assert found.vanished.value is None
    assert "could not be registered" in str(found.reason)


BASELINE = '[baseline]\npath = "first"\n'


def test_the_baseline_is_read_like_pre_and_hashed(tmp_path) -> None:
    voxel_study(tmp_path / "first", tumour=TUMOUR)
    pre_folder = voxel_study(tmp_path / "pre", tumour=TUMOUR)
    post_folder = voxel_study(tmp_path / "post", ablation=VOXEL_ZONE)
    voxel_study(tmp_path / "other", extra=TUMOUR)
    mask = '[[mask]]\nstudy = "baseline"\nrole = "tumour_2"\nfile = "other/extra.nii.gz"\n'
    intake = read(pre_folder, post_folder, case_file(tmp_path, BASELINE + mask))
    assert list(intake.case.baseline.tumours) == ["1", "2"]
    assert {"baseline/image", "baseline/tumour_1", "baseline/tumour_2"} <= set(intake.inputs_sha256)
    assert list(intake.case.pre.tumours) == ["1"]
    assert read(pre_folder, post_folder).case.baseline is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[baseline]\n", "'path' is missing"),
        ('[baseline]\npath = "nowhere"\n', "BASELINE: no such folder"),
        ('[[mask]]\nstudy = "baseline"\nrole = "tumour_1"\nfile = "x.nii.gz"\n', "no \\[baseline\\]"),
        ('[baseline]\npath = "pre"\npaht = "x"\n', "did you mean 'path'"),
    ],
)
def test_a_baseline_that_is_not_there_is_refused(tmp_path, text: str, said: str) -> None:
    pre_folder = voxel_study(tmp_path / "pre", tumour=TUMOUR)
    post_folder = voxel_study(tmp_path / "post", ablation=VOXEL_ZONE)
    with pytest.raises(InputError, match=said):
        read(pre_folder, post_folder, case_file(tmp_path, text))


def test_a_baseline_of_another_patient_is_refused_unless_allowed(tmp_path) -> None:
    codes = {}
    pre_folder = dicom_study(tmp_path / "pre", {"tumour": TUMOUR}, codes)
    post_folder = dicom_study(tmp_path / "post", {"ablation": VOXEL_ZONE}, codes)
    dicom_study(tmp_path / "first", {}, codes, PatientID=f"{PATIENT_ID}-2")
    path = case_file(tmp_path, BASELINE)
    with pytest.raises(InputError, match="BASELINE and PRE state different patients") as caught:
        read(pre_folder, post_folder, path)
    assert PATIENT_ID not in str(caught.value)
    allowed = FolderSource(pre_folder, post_folder, path, "c", allow_different_patients=True)
    assert "different-patients" in {c.code for c in allowed.read(lambda *_: None).case.cautions}


def test_out_may_not_lie_in_the_baseline(tmp_path) -> None:
    voxel_study(tmp_path / "first", tumour=TUMOUR)
    source = FolderSource(tmp_path / "pre", tmp_path / "post", case_file(tmp_path, BASELINE), "c")
    with pytest.raises(InputError, match="OUT is BASELINE or lies in it"):
        source.require_outside(tmp_path / "first" / "out")


@pytest.mark.slow
def test_a_review_says_which_tumour_of_the_baseline_has_vanished(tmp_path) -> None:
    away = MIDDLE_MM + np.array([-22.0, 12.0, 8.0])
    pre_study(tmp_path / "pre")
    post_study(tmp_path / "post")
    liver = voxel_ball(MIDDLE_MM, 50.0)
    study(tmp_path / "first", liver=liver, tumour_1=voxel_ball(MIDDLE_MM, 12.0), tumour_2=voxel_ball(away, 8.0))
    save(tmp_path / "first" / "image.nii.gz", anatomy_after())  # one image twice would be refused
    out = tmp_path / "out"
    path = case_file(tmp_path, BASELINE)
    ran = ablation("review", tmp_path / "pre", tmp_path / "post", "-o", out, "--case", path, "--registration", "rigid")
    assert ran.code in (0, 4), ran.stderr
    result = json.loads((out / "result.json").read_text())
    first, second = result["baseline"]["lesions"]
    assert (first["vanished"], second["vanished"]) == (False, True)
    count = next(f for f in result["findings"] if f["name"] == "patient.n_vanished_lesions")
    assert count["value"] == 1.0
    assert "has no counterpart in PRE" in (out / "report.html").read_text()
    assert any(name.startswith("baseline/") for name in result["provenance"]["inputs_sha256"])
