"""`ablation margin` on balls whose margin is known in closed form, at 0.8 x 0.8 x 3 mm."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_runs import ablation, ball, lattice, save
from dicom_files import series_datasets, write_seg
from test_seg import code_of

FINE = (3.0, 0.8, 0.8)
WIDE = (24, 80, 80)
CENTRE = np.array([31.3, 32.1, 34.7])
TUMOUR_MM, ZONE_MM = 8.0, 13.0
TO_THE_LEFT = np.array([1.0, 0.0, 0.0])


def save_ball(path, radius_mm, offset=(0.0, 0.0, 0.0), matrix=None, shape=WIDE):
    """Write a ball, by default on the fine lattice."""
    matrix = lattice(spacing_kji_mm=FINE) if matrix is None else matrix
    return save(path, ball(CENTRE + np.asarray(offset), radius_mm, shape, matrix), matrix)


def measured(*arguments) -> dict:
    """Return the only lesion of `ablation margin --json`."""
    ran = ablation("margin", *arguments, "--json")
    assert ran.code == 0, ran.stderr
    assert ran.stderr == ""
    document = json.loads(ran.stdout)
    assert document["status"] == "assessed"
    (lesion,) = document["lesions"]
    assert lesion["lesion_id"] == "1"
    return lesion


@pytest.fixture
def tumour(tmp_path):
    return save_ball(tmp_path / "tumour.nii.gz", TUMOUR_MM)


def test_concentric_balls_are_apart_by_the_difference_of_their_radii(tmp_path, tumour):
    lesion = measured(tumour, save_ball(tmp_path / "zone.nii.gz", ZONE_MM))
    margin = lesion["margin"]
    assert margin["min_mm"] == pytest.approx(ZONE_MM - TUMOUR_MM, abs=0.5)
    assert margin["definition"] == "geometric"
    assert margin["geometric_min_mm"] == margin["min_mm"]
    assert margin["median_mm"] == pytest.approx(ZONE_MM - TUMOUR_MM, abs=0.3)
    assert margin["ci95_mm"][0] < ZONE_MM - TUMOUR_MM < margin["ci95_mm"][1]
    assert margin["residual_ml"] == pytest.approx(0.0, abs=0.005)
    assert lesion["tumour_ml"] == pytest.approx(4 / 3 * np.pi * TUMOUR_MM**3 / 1000, rel=0.03)
    assert lesion["ablation_ml"] == pytest.approx(4 / 3 * np.pi * ZONE_MM**3 / 1000, rel=0.03)
    assert lesion["max_diameter_mm"] == pytest.approx(2 * TUMOUR_MM, abs=1.0)
    assert lesion["registration_error_mm"] == 0
    assert lesion["zones"] == ["1"]


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd"])
def test_an_offset_ball_is_thinnest_where_it_was_moved_from(tmp_path, suffix):
    files = [
        save_ball(tmp_path / f"tumour.{suffix}", TUMOUR_MM),
        save_ball(tmp_path / f"zone.{suffix}", ZONE_MM, 3.0 * TO_THE_LEFT),
    ]
    margin = measured(*files)["margin"]
    assert margin["min_mm"] == pytest.approx(ZONE_MM - TUMOUR_MM - 3.0, abs=0.5)
    assert "right" in margin["direction"]
    assert np.linalg.norm(np.array(margin["at_lps_mm"]) - (CENTRE - TUMOUR_MM * TO_THE_LEFT)) < 4.0


def test_an_uncovered_ball_has_a_negative_margin(tmp_path, tumour):
    margin = measured(tumour, save_ball(tmp_path / "zone.nii.gz", 9.0, 4.0 * TO_THE_LEFT))["margin"]
    assert margin["min_mm"] == pytest.approx(9.0 - TUMOUR_MM - 4.0, abs=0.5)
    assert margin["surface_fraction_below"]["0"] > 0.2
    assert margin["residual_ml"] > 0.1


def test_masks_may_have_lattices_of_their_own(tmp_path, tumour):
    turn = np.array([[0.0, 1.0, 0.0], [0.6, 0.0, 0.8], [0.8, 0.0, -0.6]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * [1.1, 0.9, 1.7]
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ [25.2, 28.4, 14.9]
    zone = save_ball(tmp_path / "zone.nii.gz", ZONE_MM, 2.0 * TO_THE_LEFT, matrix, (30, 56, 50))
    assert measured(tumour, zone)["margin"]["min_mm"] == pytest.approx(ZONE_MM - TUMOUR_MM - 2.0, abs=0.5)


def test_a_second_zone_covers_what_the_first_leaves(tmp_path, tumour):
    right = save_ball(tmp_path / "right.nii.gz", 11.0, -4.0 * TO_THE_LEFT)
    left = save_ball(tmp_path / "left.nrrd", 11.0, 4.0 * TO_THE_LEFT)
    alone = measured(tumour, right)["margin"]["min_mm"]
    both = measured(tumour, right, "--ablation", left)
    # The thin place is their crease, a circle of radius sqrt(11^2 - 4^2) around the tumour's centre.
    crease = np.sqrt(11.0**2 - 4.0**2) - TUMOUR_MM
    assert alone == pytest.approx(11.0 - TUMOUR_MM - 4.0, abs=0.5)
    assert both["margin"]["min_mm"] == pytest.approx(crease, abs=0.5)
    assert both["zones"] == ["1", "2"]


def test_with_a_liver_the_margin_ends_at_liver_that_was_not_ablated(tmp_path):
    def half_space(points):
        return points[..., 0] < CENTRE[0] + 6.0

    from cli_runs import centres

    matrix = lattice(spacing_kji_mm=FINE)
    inside = half_space(centres(WIDE, matrix))
    liver = save(tmp_path / "liver.nii.gz", inside & ball(CENTRE, 29.0, WIDE, matrix), matrix)
    tumour = save(tmp_path / "tumour.nii.gz", inside & ball(CENTRE, 6.0, WIDE, matrix), matrix)
    zone = save(tmp_path / "zone.nii.gz", inside & ball(CENTRE, ZONE_MM, WIDE, matrix), matrix)
    without = measured(tumour, zone)["margin"]
    margin = measured(tumour, zone, "--liver", liver)["margin"]
    assert without["definition"] == "geometric"
    assert without["min_mm"] == pytest.approx(0.0, abs=0.5)
    assert without["capsule_facing_fraction"] is None
    assert margin["definition"] == "parenchymal"
    assert margin["min_mm"] == pytest.approx(ZONE_MM - 6.0, abs=0.75)
    assert margin["geometric_min_mm"] == pytest.approx(0.0, abs=0.5)
    assert 0 <= margin["capsule_facing_fraction"] <= 1


def dicom_seg(path, sources, radius_mm, matrix, label, **more):
    masks = {label: ball(CENTRE, radius_mm, (24, 80, 80), matrix)} | more
    return write_seg(path, sources, masks, {label: code_of("tumour")})


def test_dicom_segmentations_of_one_segment_are_masks_too(tmp_path):
    matrix = lattice(spacing_kji_mm=FINE)
    sources = series_datasets(np.zeros(WIDE, np.int16), matrix)
    tumour = dicom_seg(tmp_path / "t.dcm", sources, TUMOUR_MM, matrix, "a")
    zone = dicom_seg(tmp_path / "z", sources, ZONE_MM, matrix, "b")
    lesion = measured(tumour, zone)
    assert lesion["margin"]["min_mm"] == pytest.approx(ZONE_MM - TUMOUR_MM, abs=0.5)
    two = dicom_seg(tmp_path / "two.dcm", sources, ZONE_MM, matrix, "b", c=ball(CENTRE, 5.0, WIDE, matrix))
    ran = ablation("margin", tumour, two)
    assert ran.code == 3
    assert ran.stderr.startswith("error [ambiguous]: ablation_1: SEG: 2 segments")
    others = series_datasets(np.zeros(WIDE, np.int16), matrix, FrameOfReferenceUID="1.2.3.4")
    ran = ablation("margin", tumour, dicom_seg(tmp_path / "o.dcm", others, ZONE_MM, matrix, "b"))
    assert ran.code == 3
    assert ran.stderr.startswith("error [frame-mismatch]: tumour and ablation_1")


def test_the_table_says_the_same_as_the_document(tmp_path, tumour):
    zone = save_ball(tmp_path / "zone.nii.gz", ZONE_MM)
    shown = ablation("margin", tumour, zone)
    assert shown.code == 0
    assert shown.stderr == ""
    assert f" {measured(tumour, zone)['margin']['min_mm']:.1f} " in shown.stdout
    assert "Not a medical device" in shown.stdout


def noted(*arguments) -> tuple[dict, list[str]]:
    """Return the document of `ablation margin --json` and its notes, which stderr tells too, and nothing else."""
    ran = ablation("margin", *arguments, "--json", "--quiet")
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert ran.stderr.splitlines() == [f"note: {note}" for note in document["notes"]]
    return document, document["notes"]


def turned_lattice() -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[0.0, 1.0, 0.0], [0.6, 0.0, 0.8], [0.8, 0.0, -0.6]]) * [1.1, 0.9, 1.7]
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ [25.2, 28.4, 14.9]
    return matrix


@pytest.mark.parametrize("turned", [False, True])
def test_a_zone_wholly_inside_the_tumour_is_measured_with_a_note_that_they_may_be_swapped(tmp_path, tumour, turned):
    matrix, shape = (turned_lattice(), (30, 56, 50)) if turned else (None, WIDE)
    zone = save_ball(tmp_path / "zone.nii.gz", ZONE_MM, matrix=matrix, shape=shape)
    document, notes = noted(zone, tumour)
    assert document["lesions"][0]["margin"]["min_mm"] == pytest.approx(TUMOUR_MM - ZONE_MM, abs=0.6)
    (note,) = notes
    assert note.startswith("ablation_1: ")
    assert "swapped" in note
    assert noted(tumour, zone)[1] == []


def test_masks_that_only_overlap_or_are_equal_are_not_said_to_be_swapped(tmp_path, tumour):
    beside, inside = save_ball(tmp_path / "b.nii.gz", 5.0, 4.0 * TO_THE_LEFT), save_ball(tmp_path / "i.nii.gz", 5.0)
    assert noted(tumour, tumour)[1] == []
    assert noted(tumour, inside, "--ablation", beside)[1] == []


def test_a_tumour_of_one_voxel_is_measured_with_a_note(tmp_path):
    point = np.zeros(WIDE, bool)
    point[11, 40, 39] = True
    path = save(tmp_path / "point.nii.gz", point, lattice(spacing_kji_mm=FINE))
    _, (note,) = noted(path, save_ball(tmp_path / "zone.nii.gz", ZONE_MM))
    assert note.startswith("tumour: ")
    assert "single voxel" in note


def test_a_zone_that_fills_its_whole_lattice_is_measured_with_a_note(tmp_path, tumour):
    full = save(tmp_path / "full.nii.gz", np.ones((8, 9, 10), bool), lattice(CENTRE - 15.0, (4.0, 4.0, 4.0)))
    document, (note,) = noted(tumour, full)
    assert note.startswith("ablation_1: the mask fills its whole lattice")
    assert "truncated" in document["lesions"][0]["margin"]["flags"]


def test_a_tumour_outside_the_zone_is_not_treated(tmp_path, tumour):
    zone = save_ball(tmp_path / "zone.nii.gz", 5.0, 18.0 * TO_THE_LEFT)
    ran = ablation("margin", tumour, zone, "--json")
    assert ran.code == 0
    (lesion,) = json.loads(ran.stdout)["lesions"]
    assert lesion["status"] == "not_treated"
    assert lesion["margin"]["min_mm"] is None
    assert lesion["distances"][0]["mm"] == pytest.approx(18.0 - 5.0 - TUMOUR_MM, abs=0.5)
