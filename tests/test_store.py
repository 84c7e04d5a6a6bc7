from __future__ import annotations

import errno
import io
import json
import math
import os
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import nibabel
import numpy as np
import pytest
import SimpleITK
from review_fixture import TUMOURS, a_case, a_review, assessed, asymmetric_map, ball_margin, rotation
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

from pipelines.ports import Pages
from pipelines.store import FolderStore, folder, result_bytes, result_document
from pipelines.store.spatial import margin_map_bytes, nifti_bytes, tumours_in_post, write_transform
from planner.assessment import Distance, Passage
from planner.errors import OutputError
from planner.grid import Grid
from planner.measure.sensitivity import Sensitivity
from planner.measure.tissue import TissueChange
from planner.register.alignment import SpatialMap

ALL = {
    "result.json",
    "report.html",
    "report.pdf",
    "tumour_registered.nii.gz",
    "margin_map.vtp",
    "transform.h5",
    "log.txt",
}


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def store(out: Path) -> FolderStore:
    return FolderStore(out, lambda: "a line\n")


def test_a_review_leaves_every_file_and_nothing_else(tmp_path: Path) -> None:
    store(tmp_path / "deep" / "out").put(a_review(), Pages("<html>", b"%PDF"))
    assert names(tmp_path / "deep" / "out") == ALL
    assert (tmp_path / "deep" / "out" / "log.txt").read_text() == "a line\n"


def test_the_same_review_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        store(tmp_path / name).put(a_review(), Pages("<html>", b"%PDF"))
        time.sleep(1.1)  # a time stamp of whole seconds would differ
    for name in ALL - {"transform.h5"}:  # HDF5 notes the time of writing
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize("step", ["nifti_bytes", "margin_map_bytes", "write_transform", "result_bytes"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_log_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def broken(*_: object) -> None:
        raise error

    out = tmp_path / "out"
    store(out).put(a_review(), Pages("<html>", b"%PDF"))
    (out / "mine.txt").write_text("not ours")
    monkeypatch.setattr(folder, step, broken)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        store(out).put(a_review(), Pages("<html>", b"%PDF"))
    assert names(out) == {"log.txt", "mine.txt"}


def test_the_result_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    true_replace = Path.replace

    def noted(self: Path, target: Path) -> Path:
        moved.append(target.name)
        return true_replace(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    store(tmp_path / "out").put(a_review(), Pages("<html>", b"%PDF"))
    assert moved[-1] == "result.json"
    assert set(moved) == ALL


def test_a_failure_while_files_are_moved_into_place_leaves_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_replace = Path.replace

    def broken(self: Path, target: Path) -> Path:
        if target.name == "transform.h5":
            raise OSError(errno.EIO, "Input/output error")
        return true_replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError, match="Input/output error"):
        store(tmp_path / "out").put(a_review(), Pages("<html>", b"%PDF"))
    assert names(tmp_path / "out") == {"log.txt"}


def test_an_output_under_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        for act in (store(out).prepare, lambda out=out: store(out).put(a_review(), Pages(""))):
            with pytest.raises(OutputError, match="cannot be written") as caught:
                act()
            assert caught.value.exit_code == 5
            assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "in the way"


def test_preparing_takes_back_an_earlier_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store(out).put(a_review(), Pages("<html>", b"%PDF"))
    store(out).prepare()
    assert names(out) == set()


def test_a_transform_that_itk_cannot_write_is_an_output_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OutputError, match=r"transform\.h5: cannot be written: No such file or directory"):
        write_transform(asymmetric_map(), tmp_path / "absent" / "transform.h5")
    (tmp_path / "transform.h5").mkdir()
    with pytest.raises(OutputError, match="ITK could not write the transform"):
        write_transform(asymmetric_map(), tmp_path / "transform.h5")
    os.write(2, b"heard again")
    assert capfd.readouterr() == ("", "heard again")  # not HDF5's dump of its call stack


def test_a_full_disk_is_said_to_be_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        free.append(4096)
        raise RuntimeError("H5Dwrite failed")

    # Enough is free before, none when ITK has failed; then not enough from the start, so that ITK is not called.
    free = [10**9]
    monkeypatch.setattr("pipelines.store.spatial.shutil.disk_usage", lambda path: Mock(total=10**9, free=free[-1]))
    monkeypatch.setattr("SimpleITK.WriteTransform", fails)
    for calls in (1, 1):
        with pytest.raises(OutputError) as caught:
            write_transform(asymmetric_map(), tmp_path / "transform.h5")
        assert len(free) == 1 + calls
    # 20 x 22 x 24 vectors of three 8-byte numbers, 0.25 MB, and a head.
    assert str(caught.value) == "transform.h5: cannot be written: the disk is full (0.0 MB free, about 0.3 MB needed)"


@pytest.mark.parametrize("rigid_only", [False, True])
def test_itk_reads_the_same_map_from_the_transform(tmp_path: Path, *, rigid_only: bool) -> None:
    here = asymmetric_map()
    if rigid_only:
        here = SpatialMap(here.rigid_pre_from_post)
    write_transform(here, tmp_path / "transform.h5")
    read = SimpleITK.ReadTransform(str(tmp_path / "transform.h5"))
    points = np.random.default_rng(3).uniform((-90, -50, -20), (20, 60, 60), (200, 3))
    there = np.array([read.TransformPoint(point) for point in points.tolist()])
    assert np.abs(there - here.pre_from_post(points)).max() < 1e-3
    if not rigid_only:
        # The order matters here: were the rigid motion applied first, points would land elsewhere.
        displacement = here.displacement
        assert displacement is not None
        rigid_first = points @ here.rigid_pre_from_post[:3, :3].T + here.rigid_pre_from_post[:3, 3]
        assert np.abs(there - (rigid_first + displacement.at(rigid_first))).max() > 0.1


def test_the_moved_tumours_lie_where_their_balls_are() -> None:
    case = a_case()
    grid = case.post.image.grid
    labels = tumours_in_post(case, asymmetric_map())
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    centres = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji))[:, ::-1])
    for lesion, (centre, radius) in TUMOURS.items():
        depth = radius - np.linalg.norm(centres - centre, axis=1)
        label = labels.ravel() == int(lesion)
        # Half a diagonal of PRE's voxel (1.6 x 1.6 x 3 mm) is what the nearest voxel can be wrong by.
        assert label[depth > 1.9].all()
        assert not label[depth < -1.9].any()


def reread(content: bytes, tmp_path: Path) -> nibabel.Nifti1Image:
    (tmp_path / "labels.nii.gz").write_bytes(content)
    image = nibabel.load(tmp_path / "labels.nii.gz")
    assert isinstance(image, nibabel.Nifti1Image)
    return image


def test_nifti_and_itk_put_the_labels_at_the_same_patient_points(tmp_path: Path) -> None:
    grid = a_case().post.image.grid
    labels = np.zeros(grid.shape_kji, dtype=np.uint8)
    labels[5, 20, 90] = 7
    image = reread(nifti_bytes(labels, grid), tmp_path)
    assert image.get_data_dtype() == np.uint8
    voxel = np.argwhere(np.asarray(image.dataobj) == 7)[0]
    ras = nibabel.affines.apply_affine(image.affine, voxel)
    true_lps = grid.lps_mm((90, 20, 5))[0]
    assert np.abs(ras * (-1, -1, 1) - true_lps).max() < 1e-3
    itk = SimpleITK.ReadImage(str(tmp_path / "labels.nii.gz"))
    assert itk[90, 20, 5] == 7
    assert np.abs(np.array(itk.TransformIndexToPhysicalPoint((90, 20, 5))) - true_lps).max() < 1e-3


def test_a_sheared_lattice_is_stated_by_the_sform(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[:3, :3] = rotation(1, 12.0) @ np.array([[1.0, 0.0, 0.4], [0.0, 1.2, 0.0], [0.0, 0.0, 3.0]])
    grid = Grid((3, 4, 5), affine)
    image = reread(nifti_bytes(np.ones((3, 4, 5), dtype=np.uint8), grid), tmp_path)
    assert int(image.header["qform_code"]) == 0
    assert np.allclose(np.diag([-1, -1, 1, 1]) @ image.affine, affine, atol=1e-5)


def test_the_margin_map_reads_back_with_its_frame_and_sign() -> None:
    content = margin_map_bytes(a_review().assessment)
    assert content is not None
    reader = vtkXMLPolyDataReader()
    reader.ReadFromInputStringOn()
    reader.SetInputString(content.decode())
    reader.Update()
    data = reader.GetOutput()
    arrays = {
        name: vtk_to_numpy(data.GetPointData().GetArray(name))
        for name in ("margin_mm", "geometric_margin_mm", "capsule_facing", "lesion")
    }
    first, second = ball_margin("1").map, ball_margin("2").map
    assert np.allclose(arrays["margin_mm"], np.concatenate([first.primary_mm, second.primary_mm]))
    assert set(arrays["lesion"]) == {1.0, 2.0}
    points = vtk_to_numpy(data.GetPoints().GetData())
    assert np.allclose(points[arrays["lesion"] == 2], second.tumour.vertices_lps_mm)
    notes = data.GetFieldData()
    assert "LPS" in notes.GetAbstractArray("frame").GetValue(0)
    assert notes.GetAbstractArray("unit").GetValue(0) == "mm"
    assert "negative: not covered" in notes.GetAbstractArray("sign").GetValue(0)


def test_no_margin_makes_no_margin_map(tmp_path: Path) -> None:
    review = a_review()
    untreated = replace(review, assessment=replace(review.assessment, lesions=review.assessment.lesions[2:]))
    store(tmp_path / "out").put(untreated, Pages("<html>", b"%PDF"))
    assert names(tmp_path / "out") == ALL - {"margin_map.vtp"}


MARGIN_KEYS = {
    "min_mm", "definition", "geometric_min_mm", "without_vessel_facing_mm", "ci95_mm", "p_at_least", "at_lps_mm",
    "direction", "q05_mm", "median_mm", "surface_fraction_below", "target_covered", "residual_ml",
    "capsule_facing_fraction", "flags",
}  # fmt: skip
LESION_KEYS = {
    "lesion_id", "status", "reasons", "zones", "max_axial_diameter_mm", "max_diameter_mm", "tumour_ml", "ablation_ml",
    "registration_error_mm", "margin", "distances", "ltp", "planned", "sensitivity", "tissue_change", "pairing",
    "max_axial_diameter_ci95_mm", "max_diameter_ci95_mm", "tumour_ci95_ml",
}  # fmt: skip
CASE_KEYS = {
    "schema_version", "case_id", "patient_key", "status", "reasons", "registration", "lesions", "findings",
    "guidelines", "timings_s", "provenance",
}  # fmt: skip


def test_the_result_has_every_key_for_every_lesion() -> None:
    document = json.loads(result_bytes(result_document(a_review())))
    assert set(document) >= CASE_KEYS
    assert set(document["registration"]) >= {"transform", "passed", "checks"}
    for lesion in document["lesions"]:
        assert set(lesion) == LESION_KEYS
        assert set(lesion["margin"]) >= MARGIN_KEYS
        assert list(lesion["margin"]["p_at_least"]) == ["0", "5", "10"]
        assert list(lesion["margin"]["target_covered"]) == ["5", "10"]


def test_changes_of_tissue_and_assumptions_stand_beside_the_margin_with_their_labels() -> None:
    review = a_review()
    changed = replace(
        assessed("1"),
        tissue=TissueChange(-3.21, 0.6),
        sensitivity=(
            Sensitivity("zone_shrunk_by_10_percent", -10.0, 3.52),
            Sensitivity("zone_swollen_by_10_percent", 10.0, None, "because"),
        ),
    )
    whole = replace(review.assessment, lesions=(changed, *review.assessment.lesions[1:]))
    for days in (None, 1.0):
        found = result_document(replace(review, assessment=replace(whole, facts={"days_since_ablation": days})))
        assert found["lesions"][0]["tissue_change"] == {
            "surroundings_percent": -3.21, "zone_percent": 0.6,
            "zone_percent_source": "carried over by smoothness, not seen", "days_since_ablation": days,
        }  # fmt: skip
        said = {reason["field"]: reason["text"] for reason in found["lesions"][0]["reasons"]}
        assert ("tissue_change.days_since_ablation" in said) == (days is None)
        assert said["sensitivity.min_mm"] == "because"
        assert "tissue_change.zone_percent" not in said
    assert found["lesions"][0]["sensitivity"] == [
        {"assumption": "zone_shrunk_by_10_percent", "volume_change_percent": -10.0, "min_mm": 3.52},
        {"assumption": "zone_swollen_by_10_percent", "volume_change_percent": 10.0, "min_mm": None},
    ]  # fmt: skip
    untreated = found["lesions"][2]
    assert untreated["tissue_change"]["surroundings_percent"] is None
    assert [row["min_mm"] for row in untreated["sensitivity"]] == [None, None]
    said = {reason["field"]: reason["text"] for reason in untreated["reasons"]}
    assert said["tissue_change.surroundings_percent"] == said["tissue_change.zone_percent"]
    assert said["sensitivity.min_mm"] == "no margin was measured"


def unknown_fields(lesion: dict[str, object]) -> set[str]:
    margin = lesion["margin"]
    assert isinstance(margin, dict)
    flat = {
        key: value
        for key, value in lesion.items()
        if key not in {"margin", "ltp", "reasons", "distances", "tissue_change"}
    }
    flat |= {f"margin.{key}": value for key, value in margin.items()}
    return {
        key
        for key, value in flat.items()
        if value is None or (isinstance(value, list) and None in value)
        or (isinstance(value, dict) and None in value.values())
    }  # fmt: skip


def test_no_null_is_without_a_reason() -> None:
    review = a_review()
    lesion = assessed("1")
    assert lesion.margin is not None
    bare = replace(lesion, margin=replace(lesion.margin, interval=None, capsule_facing_fraction=None), coverage=None,
                   max_diameter_mm=None, distances=(Distance("skin", "tumour", None, None),))  # fmt: skip
    lesions = (bare, *review.assessment.lesions)
    document = result_document(replace(review, assessment=replace(review.assessment, lesions=lesions)))
    for found in document["lesions"]:
        explained = {reason["field"] for reason in found["reasons"]}
        missing = {field for field in unknown_fields(found) if field not in explained}
        if "margin" in explained:
            missing = {field for field in missing if not field.startswith("margin.")}
        assert not missing
        assert "ltp" in explained
    assert {"distances.mm", "distances.ci95_mm"} <= {r["field"] for r in document["lesions"][0]["reasons"]}


def test_distances_hold_both_parts_of_their_doubt_and_vessels_their_calibre_and_contact() -> None:
    review, lesion = a_review(), assessed("1")
    ends = ((0.0, 0.0, 0.0), (0.0, 2.0, 0.0))
    around = (
        Distance("colon", "ablation", 2.0, ends, (1.0, 3.0), 0.25, 1.0),
        Distance("portal_vein", "ablation", 2.0, ends, (1.0, 3.0), 0.25, 0.0, 7.5, None, 12.5),
        Distance("ivc", "tumour", 9.0, ends, (8.0, 10.0), 0.25, 0.0, None, "too coarse"),
        Distance("skin", "tumour", None, None, reason="the mask fills its lattice"),
    )
    passages = (Passage("portal_vein", True, "passes", 4.0, (7.5, 7.0)), Passage("hepatic_artery", None, "unknown",
                reason="too small"))  # fmt: skip
    changed = replace(review.assessment, lesions=(replace(lesion, distances=around),), passages=passages)
    document = json.loads(result_bytes(result_document(replace(review, assessment=changed))))
    colon, portal, ivc, _ = document["lesions"][0]["distances"]
    assert (colon["voxel_sd_mm"], colon["registration_sd_mm"]) == (0.25, 1.0)
    assert not {"calibre_mm", "contact_mm"} & set(colon)
    assert (portal["calibre_mm"], portal["contact_mm"]) == (7.5, 12.5)
    assert (ivc["calibre_mm"], "contact_mm" in ivc) == (None, False)
    said = {reason["field"]: reason["text"] for reason in document["lesions"][0]["reasons"]}
    assert said["distances.calibre_mm"] == "ivc: too coarse"
    assert said["distances.mm"] == "not determined: skin (the mask fills its lattice)"
    assert document["vessels"] == [
        {"vessel": "portal_vein", "preserved": True, "passage": "passes", "held_mm": 4.0, "calibres_mm": [7.5, 7.0],
         "reason": None, "to_be_confirmed": True},
        {"vessel": "hepatic_artery", "preserved": None, "passage": "unknown", "held_mm": None, "calibres_mm": [],
         "reason": "too small", "to_be_confirmed": True},
    ]  # fmt: skip


def test_infinite_values_are_null_and_never_reach_json() -> None:
    review = a_review()
    lesion = assessed("1")
    assert lesion.margin is not None
    endless = replace(lesion, margin=replace(lesion.margin, q05_mm=math.inf, median_mm=math.nan))
    changed = replace(review, assessment=replace(review.assessment, lesions=(endless,)),
                      provenance={"limit": math.inf, "path": io.StringIO})  # fmt: skip
    content = result_bytes(result_document(changed)).decode()
    assert "NaN" not in content
    assert "Infinity" not in content
    assert json.loads(content)["lesions"][0]["margin"]["q05_mm"] is None
    with pytest.raises(ValueError, match="JSON compliant"):
        result_bytes({"x": math.nan})


def test_the_result_names_inputs_and_transform_by_their_hashes() -> None:
    provenance = result_document(a_review())["provenance"]
    assert provenance["inputs_sha256"] == {"pre image": "cd" * 32}
    assert provenance["transform_sha256"] == asymmetric_map().parameters_sha256


def test_the_result_holds_the_facts_that_were_entered() -> None:
    review = a_review()
    found = replace(review, assessment=replace(review.assessment, facts={"primary": "colorectal", "approach": None}))
    assert result_document(found)["provenance"]["facts"] == {"primary": "colorectal", "approach": None}
