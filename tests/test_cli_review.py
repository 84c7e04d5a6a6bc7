"""A whole review of a coarse synthetic patient, by the command, against its analytic truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest
from cli_runs import LEFT_BEHIND, ROOT, Ran, ablation, post_study, pre_study, python
from scipy.spatial import cKDTree

from pipelines.sample import write_sample

pytestmark = pytest.mark.slow

SEED = 21
COARSE_MM = (4.0, 2.6, 2.6)
KEYS = {
    "": "schema_version case_id patient_key status reasons registration lesions findings guidelines"
    " timings_s provenance",
    "registration": "transform passed checks",
    "lesion": "lesion_id status reasons zones max_axial_diameter_mm max_diameter_mm tumour_ml ablation_ml"
    " registration_error_mm margin distances ltp",
    "margin": "min_mm definition geometric_min_mm without_vessel_facing_mm ci95_mm p_at_least at_lps_mm direction"
    " q05_mm median_mm surface_fraction_below target_covered residual_ml capsule_facing_fraction flags",
    "ltp": "model relative_hazard reference_mm interval upper_bounded margin_in_range population notes",
    "population": "primary modality scan_days method",
    "finding": "name scope lesion_id value unit ci95 reason",
}
"""The keys of `result.json` that ARCHITECTURE promises."""


@dataclass(frozen=True)
class Reviewed:
    """A review of the sample patient and what is true of that."""

    sample: Path
    out: Path
    ran: Ran
    result: dict
    truth: dict

    def lesions(self):
        return zip(self.result["lesions"], self.truth["lesions"], strict=True)

    def call(self, out: Path) -> list:
        return ["review", self.sample / "pre", self.sample / "post", "-o", out, "--case", self.sample / "case.toml"]


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory) -> Reviewed:
    sample = tmp_path_factory.mktemp("sample")
    write_sample(SEED, sample, spacing_kji_mm=COARSE_MM)
    out = tmp_path_factory.mktemp("runs") / "new" / "out"
    found = Reviewed(sample, out, Ran(-1, "", ""), {}, json.loads((sample / "truth.json").read_text()))
    ran = ablation(*found.call(out))
    assert ran.code == 0, ran.stderr
    return Reviewed(sample, out, ran, json.loads((out / "result.json").read_text()), found.truth)


def transform(reviewed: Reviewed):
    import SimpleITK

    return SimpleITK.ReadTransform(str(reviewed.out / "transform.h5"))


def pre_from_post(reviewed: Reviewed, points) -> np.ndarray:
    found = transform(reviewed)
    return np.array([found.TransformPoint(point) for point in np.asarray(points, float)])


def poly_data(reviewed: Reviewed):
    """Return what `margin_map.vtp` holds, as VTK reads it."""
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(reviewed.out / "margin_map.vtp"))
    reader.Update()
    return reader.GetOutput()


def from_the_map_mm(reviewed: Reviewed, point) -> float:
    """Return how far a point lies from the triangles of `margin_map.vtp`."""
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

    distance = vtkImplicitPolyDataDistance()
    distance.SetInput(poly_data(reviewed))
    return abs(distance.EvaluateFunction(point))


def margin_map(reviewed: Reviewed):
    """Return the points of `margin_map.vtp` and its arrays by name."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    data = poly_data(reviewed)
    arrays = data.GetPointData()
    found = {arrays.GetArrayName(n): vtk_to_numpy(arrays.GetArray(n)) for n in range(arrays.GetNumberOfArrays())}
    return vtk_to_numpy(data.GetPoints().GetData()), found


def test_a_review_leaves_what_architecture_lists_and_nothing_else(reviewed):
    assert {p.name for p in reviewed.out.iterdir()} == LEFT_BEHIND
    assert all((reviewed.out / name).stat().st_size > 100 for name in LEFT_BEHIND)


def test_the_paper_is_small(reviewed):
    assert (reviewed.out / "report.pdf").stat().st_size < 3_000_000


def test_progress_goes_to_stderr_and_the_log_the_result_to_stdout(reviewed):
    log = (reviewed.out / "log.txt").read_text().splitlines()
    assert [line for line in reviewed.ran.stderr.splitlines() if line not in log] == []
    for step in ("reading PRE", "registration: rigid", "lesion 3", "report"):
        assert any(line.endswith(f"] {step}") for line in log)
    assert reviewed.ran.stdout.splitlines()[-1] == f"report: {reviewed.out / 'report.html'}"
    assert "Lesion 3: not covered on these images" in reviewed.ran.stdout


def test_margins_lie_near_the_truth_and_intervals_around_it(reviewed):
    for lesion, true in reviewed.lesions():
        margin = lesion["margin"]
        assert lesion["status"] == "assessed"
        assert lesion["lesion_id"] == true["lesion_id"]
        assert lesion["zones"] == true["zones"]
        assert margin["definition"] == "parenchymal"
        assert margin["min_mm"] == pytest.approx(true["min_mm"], abs=1.5)
        assert margin["geometric_min_mm"] == pytest.approx(true["geometric_min_mm"], abs=1.5)
        assert margin["ci95_mm"][0] <= true["min_mm"] <= margin["ci95_mm"][1]
        assert margin["median_mm"] == pytest.approx(true["median_mm"], abs=1.0)


def test_volumes_and_diameters_are_those_of_the_shapes(reviewed):
    for lesion, true in reviewed.lesions():
        assert lesion["tumour_ml"] == pytest.approx(true["tumour_ml"], rel=0.05)
        assert lesion["ablation_ml"] == pytest.approx(true["ablation_ml"], rel=0.05)
        assert lesion["max_diameter_mm"] == pytest.approx(true["max_diameter_pre_mm"], abs=2.6)
        assert lesion["margin"]["residual_ml"] == pytest.approx(true["residual_ml"], abs=0.15 * true["tumour_ml"])


def test_the_transform_takes_landmarks_of_post_to_pre_as_well_as_the_result_says(reviewed):
    for lesion, true in reviewed.lesions():
        pre, post = np.swapaxes(true["landmarks"]["tumour"], 0, 1)
        error = np.linalg.norm(pre_from_post(reviewed, post) - pre, axis=1).mean()
        apart = np.linalg.norm(post - pre, axis=1).mean()
        assert error < 0.5 * apart
        assert error < 2.0 * lesion["registration_error_mm"]


def test_the_margin_map_is_the_tumour_of_pre_brought_to_post(reviewed):
    points, arrays = margin_map(reviewed)
    for lesion, true in reviewed.lesions():
        own = arrays["lesion"] == int(lesion["lesion_id"])
        assert arrays["margin_mm"][own].min() == pytest.approx(lesion["margin"]["min_mm"], abs=0.05)
        back = pre_from_post(reviewed, points[own])
        gaps, _ = cKDTree(back).query(np.array(true["landmarks"]["tumour"])[:, 0])
        assert np.median(gaps) < 1.0
        assert from_the_map_mm(reviewed, lesion["margin"]["at_lps_mm"]) < 0.05  # it may lie between vertices


def test_the_registered_tumours_lie_where_post_has_them(reviewed):
    image = nibabel.load(reviewed.out / "tumour_registered.nii.gz")
    labels = np.asarray(image.dataobj)
    grid = reviewed.truth["grids"]["post"]
    assert labels.shape == tuple(grid["shape_kji"][::-1])
    np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ image.affine, grid["lps_mm_from_ijk"], atol=1e-3)
    voxel_ml = abs(np.linalg.det(image.affine[:3, :3])) / 1000
    whole_ml = sum(true["tumour_post_ml"] for _, true in reviewed.lesions())
    assert np.count_nonzero(labels) * voxel_ml == pytest.approx(whole_ml, rel=0.12)
    for lesion, true in reviewed.lesions():
        hits = np.argwhere(labels == int(lesion["lesion_id"]))
        assert len(hits) * voxel_ml == pytest.approx(true["tumour_post_ml"], rel=0.2)
        centre = (image.affine[:3, :3] @ hits.mean(axis=0) + image.affine[:3, 3]) * [-1, -1, 1]
        where = np.mean(true["landmarks"]["tumour"], axis=0)[1]
        assert np.linalg.norm(centre - where) < 3.5


def keys(document: dict) -> set[str]:
    return set(document)


def test_every_key_that_architecture_promises_is_there(reviewed):
    result = reviewed.result
    parts = [("", result), ("registration", result["registration"])]
    for lesion in result["lesions"]:
        parts += [("lesion", lesion), ("margin", lesion["margin"]), ("ltp", lesion["ltp"])]
        parts.append(("population", lesion["ltp"]["population"]))
        for part in ("p_at_least", "surface_fraction_below"):
            assert {"0", "5", "10"} <= keys(lesion["margin"][part])
        assert {"5", "10"} <= keys(lesion["margin"]["target_covered"])
    parts += [("finding", finding) for finding in result["findings"]]
    for name, document in parts:
        assert set(KEYS[name].split()) <= keys(document), name
    assert result["schema_version"] == 1
    assert result["case_id"] == "sample"
    assert result["registration"]["transform"] == "deformable"
    assert {"liver_ml"} <= {finding["name"] for finding in result["findings"]}


def unknown(value, path=""):
    """Return the dotted paths of all nulls of a document."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [p for key, part in value.items() for p in unknown(part, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        return [p for part in value for p in unknown(part, path)]
    return []


def without_reason(result: dict) -> list[str]:
    """Return the nulls of the lesions and findings that no reason speaks of."""
    found = [f["name"] for f in result["findings"] if f["value"] is None and not f["reason"]]
    for lesion in result["lesions"]:
        fields = [reason["field"] for reason in lesion["reasons"]]
        assert len(fields) == len(set(fields)), fields
        nulls = unknown({key: value for key, value in lesion.items() if key != "reasons"})
        found += [path for path in nulls if not any(path == f or path.startswith(f"{f}.") for f in fields)]
    return found


def test_what_is_null_has_a_reason(reviewed):
    assert without_reason(reviewed.result) == []


def steady(document: dict) -> dict:
    """Return a result without what may differ between equal runs."""
    provenance = {key: value for key, value in document["provenance"].items() if key != "written_at"}
    return {**document, "provenance": provenance, "timings_s": sorted(document["timings_s"])}


def test_the_same_input_gives_the_same_result_and_quiet_means_quiet(reviewed, tmp_path):
    out = tmp_path / "again"
    again = python("-m", "pipelines.cli", *reviewed.call(out), "--json", "--quiet")
    assert again.code == 0
    assert again.stderr == ""
    assert json.loads(again.stdout) == json.loads((out / "result.json").read_text())
    assert steady(json.loads(again.stdout)) == steady(reviewed.result)
    for name in ("margin_map.vtp", "tumour_registered.nii.gz"):
        assert (out / name).read_bytes() == (reviewed.out / name).read_bytes()


def test_its_own_transform_given_back_gives_the_same_margins(reviewed, tmp_path):
    ran = ablation(*reviewed.call(tmp_path / "out"), "--registration", reviewed.out / "transform.h5", "--quiet")
    assert ran.code == 0, ran.stderr
    again = json.loads((tmp_path / "out" / "result.json").read_text())
    assert again["registration"]["transform"] == "file"
    for lesion, before in zip(again["lesions"], reviewed.result["lesions"], strict=True):
        for name in ("min_mm", "geometric_min_mm", "median_mm", "rigid_min_mm"):
            assert lesion["margin"][name] == pytest.approx(before["margin"][name], abs=0.02)


def test_the_provenance_names_software_settings_inputs_and_map(reviewed):
    found = reviewed.result["provenance"]
    assert found["software"] == "ablation-planner"
    assert {"numpy", "SimpleITK", "vtk", "pydicom"} <= set(found["libraries"])
    assert found["settings"]["registration"]["kind"] == "deformable"
    for name in ("settings_sha256", "transform_sha256"):
        assert len(found[name]) == 64
    roles = {"pre/image", "post/image", "pre/liver", "pre/tumour_1", "post/ablation_3", "case.toml"}
    assert roles <= set(found["inputs_sha256"])
    assert set(found["seeds"]) == {"registration", "interval"}


def test_the_report_is_one_file_that_needs_no_network(reviewed):
    page = (reviewed.out / "report.html").read_text()
    for word in ('src="http', "src='http", 'href="http', "@import", "<script src", "url(http"):
        assert word not in page
    for step in reviewed.result["timings_s"]:
        assert step in page
    assert "Not a medical device" in page


def test_a_case_that_fails_the_gate_is_kept_with_exit_4_and_no_margin(tmp_path):
    # PRE ends below the zone: less than 80 % of the liver around it lies in both scans.
    pre, post = pre_study(tmp_path / "pre"), post_study(tmp_path / "post")
    for path in pre.iterdir():
        image = nibabel.load(path)
        image.slicer[:, :, :19].to_filename(path)
    out = tmp_path / "out"
    ran = ablation("review", pre, post, "-o", out, "--registration", "rigid")
    assert ran.code == 4
    result = json.loads((out / "result.json").read_text())
    (lesion,) = result["lesions"]
    assert result["status"] == lesion["status"] == "not_assessable"
    assert lesion["margin"]["min_mm"] is None
    assert any("shared_field_of_view" in reason["code"] for reason in lesion["reasons"])
    assert without_reason(result) == []
    assert (out / "report.html").exists()


def test_the_demo_reviews_the_sample_in_this_checkout(tmp_path, monkeypatch, reviewed):
    from pipelines.cli import demo

    assert demo.SAMPLE == ROOT / "sample_data"
    monkeypatch.setattr(demo, "SAMPLE", tmp_path / "nowhere")
    ran = ablation("demo", "-o", tmp_path / "out")
    assert ran.code == 3
    assert "make_sample_data.py" in ran.stderr
