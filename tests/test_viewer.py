"""What the viewer carries: values, places and surfaces against independent readings; the same bytes each time."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from review_fixture import TUMOURS, a_review, lattice, rotation

from pipelines.bundled import text
from pipelines.ports import ReportVolume, Review
from pipelines.viewer import NO_LIBRARY, made_viewer, page
from pipelines.viewer.encoded import mesh, nifti, ras
from pipelines.viewer.region import OUTSIDE, SIDES_MM, region_around, region_of_all, stored
from planner.grid import Grid
from planner.report.viewer import Viewer
from planner.surface import surface_of
from planner.volume import Volume


def made(review: Review, volume: ReportVolume = "roi") -> tuple[Viewer | None, str]:
    return made_viewer(review.intake.case, review.assessment, volume)


@cache
def own_data() -> dict[str, Any]:
    return data_of(a_review())


def data_of(review: Review, volume: ReportVolume = "roi") -> dict[str, Any]:
    viewer, why = made(review, volume)
    assert viewer is not None, why
    found: dict[str, Any] = json.loads(viewer.data)
    return found


def read(packed: str) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(packed)))


def unpacked(packed: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    vertices, triangles = (gzip.decompress(base64.b64decode(packed[name])) for name in ("vertices", "triangles"))
    numbers = np.frombuffer(vertices, "<i2").reshape(-1, 3)
    order = np.cumsum(np.frombuffer(triangles, "<i4")).reshape(-1, 3)
    return np.asarray(packed["middle_mm"]) + packed["step_mm"] * numbers, order


def itk_image(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.voxels_kji)
    affine = volume.grid.lps_mm_from_ijk
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    return image


def itk_value(volume: Volume, point_lps_mm: np.ndarray) -> float:
    return float(itk_image(volume).EvaluateAtPhysicalPoint(point_lps_mm.tolist(), sitk.sitkLinear))


OBLIQUE = lattice((30, 41, 37), (1.7, 1.3, -2.2), rotation(0, 11.0) @ rotation(2, -8.0))
RAMP = np.array([3.0, -5.0, 7.0])


def ramp(grid: Grid, modality: str = "CT", scale: float = 1.0) -> Volume:
    """Values that tell every direction apart: linear, so that linear interpolation reads them exactly."""
    points = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1])
    return Volume((scale * points @ RAMP).reshape(grid.shape_kji), grid, modality)


def test_points_turn_to_ras_and_back() -> None:
    assert ras([[1.0, 2.0, 3.0]]).tolist() == [[-1.0, -2.0, 3.0]]
    assert ras(ras([1.0, 2.0, 3.0])).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("modality", "scale", "within"), [("CT", 1.0, 0.5), ("MR", 1.0, 0.5), ("MR", 1e-3, 1e-4)])
def test_a_voxel_of_an_oblique_flipped_scan_is_where_the_page_says(modality: str, scale: float, within: float) -> None:
    """Each stored voxel, at the RAS place that nibabel reads for it, holds the ramp's value at that place."""
    region = Grid.axis_aligned((9, 10, 11), (1.5, 1.5, 1.5), (-44.0, 1.0, 16.0))
    image = read(nifti(stored(ramp(OBLIQUE, modality, scale), region), region))
    assert image.shape == (11, 10, 9)
    ijk = np.argwhere(np.ones(image.shape, dtype=bool))
    places_ras = nib.affines.apply_affine(image.affine, ijk)
    expected = scale * (places_ras * [-1.0, -1.0, 1.0]) @ RAMP
    values = np.asarray(image.get_fdata()).reshape(-1)
    assert np.abs(values - expected).max() <= within * 1.01
    # the bound can fail: a mirrored or shifted reading is out by far more
    assert np.abs(values - scale * places_ras @ RAMP).max() > 50 * within


def test_what_lies_outside_a_scan_is_not_taken_for_air() -> None:
    region = region_of_all(OBLIQUE, np.array([-40.0, 5.0, 20.0]))
    numbers = stored(ramp(OBLIQUE), region).numbers_kji
    inside = OBLIQUE.ijk(region.lps_mm(np.argwhere(np.ones(region.shape_kji))[:, ::-1]))
    last = np.asarray(OBLIQUE.shape_kji[::-1]) - 1
    within = ((inside >= 0) & (inside <= last)).all(axis=1).reshape(region.shape_kji)
    assert 0.3 < within.mean() < 0.95
    assert ((numbers != OUTSIDE) == within).all()


@pytest.mark.parametrize("spread", [4.0, 30.0, 300.0])
@pytest.mark.parametrize("lesions", [1, 4, 12])
def test_a_region_has_a_voxel_on_the_thin_spot_and_stays_small(spread: float, lesions: int) -> None:
    generator = np.random.default_rng(3)
    points = generator.uniform(-spread / 2, spread / 2, (50, 3)) + np.array([10.0, -20.0, 30.0])
    region = region_around(points, points[0], lesions)
    ijk = region.ijk(points[0])[0]
    assert np.abs(ijk - np.rint(ijk)).max() < 1e-6
    assert ((ijk >= -1e-6) & (ijk <= np.asarray(region.shape_kji[::-1]) - 1 + 1e-6)).all()
    step = region.spacing_kji_mm[0]
    assert step >= 1.0
    assert SIDES_MM[0] - step <= step * (region.shape_kji[0] - 1) <= SIDES_MM[1] + step
    assert lesions * np.prod(region.shape_kji) <= 4 * 97**3


def test_a_packed_surface_is_the_surface() -> None:
    surface = surface_of(a_review().intake.case.post.ablations["1"])
    packed = mesh(surface, None)
    points, triangles = unpacked(asdict(packed))
    assert np.abs(points - surface.vertices_lps_mm * [-1.0, -1.0, 1.0]).max() < 0.001
    assert (triangles == surface.triangles).all()


def test_the_thin_spots_value_is_that_of_both_scans() -> None:
    """POST from its own oblique, flipped lattice, PRE through the map, by ITK."""
    review = a_review()
    case, mapping = review.intake.case, review.assessment.alignment.map
    data = own_data()
    for lesion in (one for one in data["lesions"] if one["foot"]):
        margin = next(one.margin for one in review.assessment.lesions if one.lesion_id == lesion["id"])
        assert margin is not None
        at = np.asarray(margin.at_lps_mm)
        assert np.allclose(ras(lesion["at"]), at, atol=1e-4)
        expected = itk_value(case.post.image, at), itk_value(case.pre.image, mapping.pre_from_post(at)[0])
        for packed, value in zip(data["volumes"][lesion["volume"]]["images"], expected, strict=True):
            image = read(packed)
            ijk = np.linalg.inv(image.affine) @ [*lesion["at"], 1.0]
            assert np.abs(ijk - np.rint(ijk)).max() < 0.001
            assert image.dataobj[tuple(np.rint(ijk[:3]).astype(int))] == pytest.approx(value, abs=0.51)


def test_a_mirrored_lattice_of_the_same_scan_gives_the_same_viewer() -> None:
    """The same patient, stored from left to right and from head to feet: what the page holds differs in no voxel."""
    review = a_review()
    case = review.intake.case
    mirrored = replace(
        case,
        pre=replace(case.pre, image=flipped(case.pre.image)),
        post=replace(case.post, image=flipped(case.post.image)),
    )
    other = data_of(replace(review, intake=replace(review.intake, case=mirrored)))
    for ours, theirs in zip(own_data()["volumes"], other["volumes"], strict=True):
        for a, b in zip(ours["images"], theirs["images"], strict=True):
            difference = np.abs(read(a).get_fdata() - read(b).get_fdata())
            assert difference.max() <= 1.0  # a value that was rounded either way
            assert (difference > 0).mean() < 0.001


def flipped(volume: Volume) -> Volume:
    affine = np.array(volume.grid.lps_mm_from_ijk)
    last_ijk = np.asarray(volume.grid.shape_kji[::-1]) - 1
    affine[:3, 3] = volume.grid.lps_mm([(last_ijk[0], 0, last_ijk[2])])[0]
    affine[:3, 0] *= -1
    affine[:3, 2] *= -1
    return Volume(
        volume.voxels_kji[::-1, :, ::-1].copy(), Grid(volume.grid.shape_kji, affine, volume.grid.frame_uid), "CT"
    )


def test_two_runs_give_the_same_bytes() -> None:
    first, second = made(a_review())[0], made(a_review())[0]
    assert first is not None
    assert first == second


def test_the_worst_lesion_is_shown_first_and_all_are_there() -> None:
    data = own_data()
    assert [one["id"] for one in data["lesions"]] == ["1", "2", "3"]
    assert data["lesions"][data["first"]]["id"] == "2"
    assert [one["margin"] is None for one in data["lesions"]] == [False, False, True]
    assert {shape["kind"] for shape in data["lesions"][0]["shapes"]} == {"tumour", "zone", "vessels", "liver"}


def test_the_arrows_words_are_its_geometry() -> None:
    """Way and depths by hand from foot and thin spot: axial pictures are left along S, coronal along A, sagittal R."""
    said_of = {one["id"]: one for one in own_data()["lesions"]}
    assert said_of["3"]["arrow"] == ""
    for lesion_id, to in (("1", "the nearest unablated liver"), ("2", "the surface of the ablation zone")):
        one = said_of[lesion_id]
        way = np.asarray(one["foot"]) - one["at"]
        assert one["margin"].startswith("-") == (to == "the surface of the ablation zone")
        assert f"Arrow: from there to {to}, {np.linalg.norm(way):.1f} mm in 3D" in one["arrow"]
        for plane, axis in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
            assert (f"{abs(way[axis]):.1f} mm ({plane})" in one["arrow"]) == (abs(way[axis]) > 0.5)


def test_the_legend_says_whose_outlines_are_seen() -> None:
    data = own_data()
    names = {stroke["kind"]: stroke["name"] for stroke in data["strokes"]}
    assert names["tumour"] == "tumour of PRE, moved"
    assert names["zone"] == "ablation zone, as drawn in POST"
    assert names["vessels"] == "vessels, as drawn in POST"
    assert data["outlines"] == "outlines: tumour of PRE, the others as drawn in POST"
    review = a_review()
    case = review.intake.case
    masks = {role: mask for role, mask in case.post.masks.items() if role != "hepatic_vein"}
    without = replace(case, post=replace(case.post, masks=masks))
    other = data_of(replace(review, intake=replace(review.intake, case=without)))
    assert {stroke["kind"]: stroke["name"] for stroke in other["strokes"]}["vessels"] == "vessels of PRE, moved"
    assert other["outlines"] == "outlines: tumour, vessels of PRE, the others as drawn in POST"
    assert any(shape["name"] == "hepatic vein, of PRE, moved" for shape in other["lesions"][0]["shapes"])


def test_the_livers_window_is_centred_on_the_liver_that_is_shown() -> None:
    """Against every voxel of POST's liver in the regions, not the points that the mean is taken of."""
    case, data = a_review().intake.case, own_data()
    liver = case.post.masks["liver"]
    points = liver.centres_lps_mm()
    values = case.post.image.voxels_kji[liver.voxels_kji]
    found = []
    for volume in data["volumes"]:
        image = read(volume["images"][0])
        ijk = nib.affines.apply_affine(np.linalg.inv(image.affine), ras(points))
        found.append(values[((ijk >= 0) & (ijk <= np.asarray(image.shape) - 1)).all(axis=1)])
    liver_window = next(one for one in data["windows"] if one["name"].startswith("liver"))
    (low, high), of_pre = liver_window["ranges"]
    level = (low + high) / 2
    assert (level % 5, high - low) == (0, 150)
    assert level == pytest.approx(np.concatenate(found).mean(), abs=4.0)
    assert abs(level - 60.0) > 10.0  # not what stands there without a liver
    assert of_pre == [low, high]
    assert liver_window["name"] == f"liver, width 150, level {level:g}"
    assert data["windows"][0]["name"].startswith("abdomen")


def test_a_margin_that_is_not_stated_is_not_shown() -> None:
    """The registration gate failed: what was measured on the way gives neither arrow nor band nor place."""
    review = a_review()
    gated = tuple(
        replace(one, status="not_assessable", margin=replace(one.margin, min_mm=None)) if one.margin else one
        for one in review.assessment.lesions
    )
    data = data_of(replace(review, assessment=replace(review.assessment, lesions=gated)))
    centre = TUMOURS["1"][0]
    for lesion in data["lesions"]:
        assert (lesion["margin"], lesion["foot"], lesion["out"], lesion["arrow"]) == (None, None, None, "")
        assert {shape["bands"] for shape in lesion["shapes"]} == {""}
    assert ras(data["lesions"][0]["at"]) == pytest.approx(centre, abs=0.2)


def test_the_whole_field_of_view_is_held_once() -> None:
    data = data_of(a_review(), "full")
    assert len(data["volumes"]) == 1
    assert {one["volume"] for one in data["lesions"]} == {0}
    post = a_review().intake.case.post.image.grid
    extent = np.ptp(post.corners_lps_mm(), axis=0)
    assert np.abs(np.asarray(read(data["volumes"][0]["images"][0]).shape) - extent).max() < 3


def test_without_volume_or_library_a_sentence_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, why = made(a_review(), "none")
    assert viewer is None
    assert "--report-volume none" in why
    monkeypatch.setattr(page, "LIBRARY", "assets/never.js")
    assert made(a_review()) == (None, NO_LIBRARY)


def test_the_library_is_there() -> None:
    """scripts/assets fetches it before any test: its absence in CI is a failure, never a skip."""
    assert len(text(page.LIBRARY)) > 2_000_000, "run scripts/assets"


def test_hostile_names_stay_text() -> None:
    review = a_review()
    name = '</script><script>alert(1)</script>\u202e"\n' + "x" * 300
    lesions = tuple(replace(one, lesion_id=name) if one.lesion_id == "2" else one for one in review.assessment.lesions)
    viewer, _ = made(replace(review, assessment=replace(review.assessment, lesions=lesions)))
    assert viewer is not None
    assert "<" not in viewer.data
    assert viewer.data.isascii()
    assert json.loads(viewer.data)["lesions"][1]["id"] == name
