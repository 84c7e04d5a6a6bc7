"""`ablation plan` from files to files: what it leaves, at the right place, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import analytic
import nibabel
import numpy as np
import pytest
from cli_runs import ablation
from plan_cases import NO_ENTRY, write_study

from pipelines.store import FolderStore
from pipelines.store.plan_solids import stl_bytes, zone_labels
from planner.errors import InputError
from planner.grid import Grid
from planner.plan.zone import PlannedZone

pytestmark = pytest.mark.slow

GRID = analytic.lattice(60.0, (2.0, 1.5, 1.5), shift_mm=(-70.0, 20.0, 130.0))
TUMOUR, SECOND = np.array([-95.0, 0.0, 140.0]), np.array([-45.0, 30.0, 115.0])
BODIES = {
    "liver": analytic.ellipsoid((-70.0, 20.0, 130.0), (52.0, 45.0, 42.0)),
    "tumour_1": analytic.ball(TUMOUR, 7.0),
    "tumour_2": analytic.ball(SECOND, 9.0),
    "colon": analytic.ball((-60.0, -20.0, 100.0), 8.0),
}
ENTRY, TARGET = np.array([-110.0, -30.0, 150.0]), TUMOUR + np.array([1.0, 0.5, -1.0])
PLAN = f"""
[plan]
margin_mm = 5.0
[[needle]]
lesion = 1
length_mm = 46.0
width_mm = 30.0
tip_beyond_mm = 4.0
entry_lps_mm = {ENTRY.tolist()}
target_lps_mm = {TARGET.tolist()}
[[needle]]
lesion = 2
setting = "cool-tip-12min"
axis_lps = [1, 2, 0]
target_lps_mm = {SECOND.tolist()}
"""
AXIS = (TARGET - ENTRY) / np.linalg.norm(TARGET - ENTRY)
CENTRE = TARGET - 4.0 * AXIS
ZONE = PlannedZone(CENTRE, AXIS, 46.0, 30.0)
FACTS = '[facts]\nprimary = "colorectal"\none_session = true\n'
LEFT = {
    "result.json", "report.html", "report.pdf", "log.txt", "plan.toml",
    "needles/needle_1.mrk.json", "needles/needle_2.mrk.json",
    "zones/zone_1.nii.gz", "zones/zone_2.nii.gz", "zones/zone_1.stl", "zones/zone_2.stl",
}  # fmt: skip


def inside(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def without_times(path: Path) -> dict:
    document = json.loads(path.read_text(encoding="utf-8"))
    document["timings_s"] = {}
    document["provenance"].pop("written_at")
    document["provenance"].pop("inputs_sha256")
    return document


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A plan of two needles, one of them without an entry."""
    folder = tmp_path_factory.mktemp("plan")
    pre, plan, out = write_study(folder / "pre", GRID, BODIES), folder / "wanted.toml", folder / "out"
    plan.write_text(PLAN, encoding="utf-8")
    (folder / "case.toml").write_text(FACTS)
    ran = ablation("plan", pre, "-o", out, "--plan", plan, "--case", folder / "case.toml")
    assert ran.code == 0, ran.stderr
    return folder, json.loads((out / "result.json").read_text(encoding="utf-8")), ran


def test_it_leaves_everything_under_names_without_patient_data(made):
    folder, document, ran = made
    assert inside(folder / "out") == LEFT
    assert (document["kind"], document["schema_version"]) == ("plan", 1)
    assert ran.stdout.rstrip().endswith("report.html")
    assert "lesion 1: Size stated in the plan file" in ran.stdout


def test_each_number_is_there_with_its_unit_or_null_with_a_reason(made):
    _, document, _ = made
    first, second = document["needles"]
    assert first["depth_mm"] == pytest.approx(float(np.linalg.norm(TARGET - ENTRY)), abs=1e-3)
    assert (first["target_is"], second["target_is"]) == ("tip", "middle_of_zone")
    np.testing.assert_allclose(first["zone_centre_lps_mm"], CENTRE, atol=1e-3)
    assert (first["tip_towards_side"], first["tip_towards_end"]) == ("left", "feet")
    assert first["from_vertical_degrees"] == pytest.approx(np.degrees(np.arctan2(16.0, 30.5)), abs=1e-3)
    assert first["tilt_degrees"] == pytest.approx(np.degrees(np.arcsin(AXIS[2])), abs=1e-3)
    assert {d["structure"] for d in first["distances"]} == {"colon"}
    assert "stomach" in first["unknown_structures"]
    assert (second["entry_lps_mm"], second["depth_mm"], second["outside_scan_mm"]) == (None, None, None)
    assert {r["field"] for r in second["reasons"] if r["text"] == NO_ENTRY} >= {"entry_lps_mm", "depth_mm", "distances"}
    for lesion in document["lesions"]:
        assert lesion["status"] == "assessed"
        assert set(lesion["plan"]["p_at_least"]) == {"0", "5", "10"}
        assert "ltp" not in lesion
        assert not [r for r in lesion["reasons"] if str(r["field"]).startswith("ltp")]
    assert document["lesions"][0]["plan"]["trials"] == []
    names = {finding["name"]: finding for finding in document["findings"]}
    assert names["ablation.volume_ml"]["value"] == pytest.approx(21.68 + 21.97, rel=0.02)


def test_planning_eligibility_and_board_are_judged_and_the_rest_is_named(made):
    _, document, _ = made
    judged, elsewhere = ({one["rule"] for one in document[key]} for key in ("guidelines", "guidelines_elsewhere"))
    assert {"CO-02", "PP-13", "NC-06"} <= judged
    assert elsewhere
    assert not judged & elsewhere
    assert all("`ablation review` judges that" in one["reasons"][0] for one in document["guidelines_elsewhere"])


def test_the_chance_of_the_plan_takes_the_place_of_the_contours_interval(made):
    _, document, _ = made
    for lesion in document["lesions"]:
        chance = lesion["plan"]["p_at_least"]["10"]
        (verdict,) = [
            v for v in document["guidelines"] if (v["rule"], v["lesion_id"]) == ("CO-02", lesion["lesion_id"])
        ]
        edges = {edge["at"]: edge["p_above"] for edge in verdict["edges"]}
        assert verdict["borderline"] is bool(edges)
        assert (10.0 in edges) is (0.025 < chance < 0.975)
        if 10.0 in edges:
            assert edges[10.0] == pytest.approx(chance, abs=1e-4)


def test_a_planned_margin_is_that_of_the_same_bodies(made):
    """The first tumour lies 20 mm off any capsule: its margin is that of a ball in an ellipsoid."""
    _, document, _ = made
    angles = np.linspace(0.0, np.pi, 20_001)
    rim = np.stack([15.0 * np.sin(angles), 23.0 * np.cos(angles)], axis=1)
    off = TUMOUR - CENTRE
    along = float(off @ AXIS)
    expected = np.linalg.norm(rim - [np.sqrt(off @ off - along**2), along], axis=1).min() - 7.0
    assert document["lesions"][0]["margin"]["geometric_min_mm"] == pytest.approx(expected, abs=0.35)  # 2 mm voxels


def test_a_needle_opens_as_a_line_of_slicer_at_its_place(made):
    folder, _, _ = made
    document = json.loads((folder / "out" / "needles" / "needle_1.mrk.json").read_text(encoding="utf-8"))
    (line,) = document["markups"]
    assert document["@schema"].endswith("markups-schema-v1.0.3.json#")
    assert (line["type"], line["coordinateSystem"], line["coordinateUnits"]) == ("Line", "LPS", "mm")
    assert [p["positionStatus"] for p in line["controlPoints"]] == ["defined", "defined"]
    assert [p["label"] for p in line["controlPoints"]] == ["entry", "tip"]
    np.testing.assert_allclose([p["position"] for p in line["controlPoints"]], [ENTRY, TARGET])
    kinds = {"id": str, "label": str, "position": list, "selected": bool, "locked": bool, "visibility": bool}
    assert all(isinstance(p[key], kind) for p in line["controlPoints"] for key, kind in kinds.items())


def test_a_needle_without_an_entry_says_so_and_runs_outward(made):
    folder, _, _ = made
    document = json.loads((folder / "out" / "needles" / "needle_2.mrk.json").read_text(encoding="utf-8"))
    first, last = document["markups"][0]["controlPoints"]
    assert first["label"] == "entry not planned: 100 mm out along the axis"
    np.testing.assert_allclose(last["position"], SECOND)
    np.testing.assert_allclose(np.subtract(last["position"], first["position"]), 100.0 * np.array([1, 2, 0]) / 5**0.5)


def test_the_stl_opens_in_vtk_at_its_place_and_faces_outward(made):
    from vtkmodules.vtkFiltersCore import vtkMassProperties
    from vtkmodules.vtkIOGeometry import vtkSTLReader

    folder, _, _ = made
    path = folder / "out" / "zones" / "zone_1.stl"
    assert b"SPACE=LPS" in path.read_bytes()[:80]
    reader = vtkSTLReader()
    reader.SetFileName(str(path))
    reader.Update()
    bounds = np.array(reader.GetOutput().GetBounds()).reshape(3, 2)
    half = np.sqrt(15.0**2 + (23.0**2 - 15.0**2) * AXIS**2)
    np.testing.assert_allclose(bounds, np.stack([CENTRE - half, CENTRE + half], axis=1), atol=0.05)
    mass = vtkMassProperties()
    mass.SetInputConnection(reader.GetOutputPort())
    assert mass.GetVolume() / 1000.0 == pytest.approx(ZONE.volume_ml, rel=0.003)
    raw = np.frombuffer(path.read_bytes()[84:], dtype=[("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")])
    outward = np.einsum("nk,nk->n", raw["n"], raw["c"].mean(axis=1) - CENTRE.astype("f4"))
    assert (outward > 0).all()


def test_the_label_map_has_the_scans_lattice_and_the_zones_place(made):
    folder, _, _ = made
    image = nibabel.load(folder / "out" / "zones" / "zone_1.nii.gz")
    labels = np.asarray(image.dataobj)
    scan = nibabel.load(folder / "pre" / "image.nii.gz")
    np.testing.assert_allclose(image.affine, scan.affine, atol=1e-4)
    assert labels.shape == scan.shape
    points = nibabel.affines.apply_affine(image.affine, np.argwhere(labels > 0)) * (-1.0, -1.0, 1.0)
    np.testing.assert_allclose(points.mean(axis=0), CENTRE, atol=0.1)
    assert len(points) * 4.5 / 1000.0 == pytest.approx(ZONE.volume_ml, rel=0.02)


def test_what_of_a_zone_lies_beyond_the_scan_is_cut_from_the_label_map_alone():
    grid = Grid.axis_aligned((10, 10, 10), (2.0, 2.0, 2.0))
    half = PlannedZone((0.0, 9.0, 9.0), (0, 1, 0), 12.0, 12.0)
    labels = zone_labels(half, grid)
    assert labels[:, :, 0].any()
    assert labels.sum() * 8.0 / 1000.0 == pytest.approx(half.volume_ml / 2.0, rel=0.35)
    assert not zone_labels(PlannedZone((500.0, 0.0, 0.0), (0, 1, 0), 12.0, 12.0), grid).any()
    assert len(stl_bytes(half.surface())) == 84 + 50 * len(half.surface().triangles)


def test_the_plan_that_it_leaves_gives_the_same_result_again(made):
    folder, _, _ = made
    again = folder / "again"
    call = ["--plan", folder / "out" / "plan.toml", "--case", folder / "case.toml", "--quiet"]
    ran = ablation("plan", folder / "pre", "-o", again, *call)
    assert (ran.code, ran.stderr) == (0, "")
    first, second = without_times(folder / "out" / "result.json"), without_times(again / "result.json")
    assert (first.pop("case_id"), second.pop("case_id")) == ("out", "again")
    assert (first.pop("patient_key"), second.pop("patient_key")) == ("out", "again")
    assert second == first
    assert (again / "plan.toml").read_text() == (folder / "out" / "plan.toml").read_text()


def test_the_page_names_what_it_is_and_never_calls_a_plan_safe(made):
    folder, _, ran = made
    whole = (folder / "out" / "report.html").read_text(encoding="utf-8")
    # The viewer's library and its licence are not what the page says of a plan.
    page = re.sub(r"<(script|pre|style)\b.*?</\1>", "", whole, flags=re.DOTALL)
    assert "Planned ablation zones" in page
    assert "From the needle&#39;s shaft, mm" in page
    assert "Unknown, not free (no mask)" in page
    assert "Published criteria beside these numbers" in page
    own, sources = page.split("Published criteria beside these numbers")
    assert "CO-02" in sources
    for text in (own, ran.stdout):
        assert "safe" not in text.lower()
    assert "://" not in page


def test_a_proposal_holds_the_target_and_its_file_gives_the_same_margins(made):
    folder, _, _ = made
    out, again = folder / "proposed", folder / "proposed_again"
    ran = ablation(
        "plan", folder / "pre", "-o", out, "--setting", "cool-tip-12min", "--margin", "4", "--quiet", "--json"
    )
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document == json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert document["provenance"]["settings"]["chosen"] == ["cool-tip-12min"]
    for lesion in document["lesions"]:
        (trial,) = lesion["plan"]["trials"]
        assert (trial["setting"], trial["covers"]) == ("cool-tip-12min", True)
        assert lesion["margin"]["min_mm"] > 3.9
        assert trial["largest_margin_mm"] >= lesion["margin"]["min_mm"] - 0.1
    ran = ablation("plan", folder / "pre", "-o", again, "--plan", out / "plan.toml", "--quiet", "--json")
    margins = [[one["margin"] for one in d["lesions"]] for d in (document, json.loads(ran.stdout))]
    assert margins[0] == margins[1]
    assert json.loads(ran.stdout)["asked_mm"] == 4.0


def test_a_new_plan_takes_back_the_needles_of_the_last_and_leaves_other_files_alone(made):
    folder, _, _ = made
    out, line = folder / "twice", folder / "out" / "needles" / "needle_1.mrk.json"
    (out / "zones").mkdir(parents=True)
    (out / "zones" / "mine.txt").write_text("kept")
    for plan, count in ((folder / "wanted.toml", 2), (line, 1)):
        more = ["--setting", "pme-80w-5min"] if plan == line else []
        assert ablation("plan", folder / "pre", "-o", out, "--plan", plan, "--quiet", *more).code == 0
        assert len(list((out / "needles").iterdir())) == count
    assert len(list((out / "zones").iterdir())) == 3
    assert json.loads((out / "result.json").read_text())["needles"][0]["setting"]["id"] == "pme-80w-5min"


def test_an_audit_does_not_take_a_plan_for_a_review(made):
    folder, _, _ = made
    ran = ablation("audit", folder / "out", "-o", folder / "audit")
    assert ran.code in {3, 8}
    assert "is the result of a plan, expected that of a review" in ran.stderr + "".join(
        path.read_text() for path in (folder / "audit").glob("*.csv")
    ) + "".join(path.read_text() for path in (folder / "audit").glob("*.json"))


def test_a_result_of_another_kind_in_the_same_folder_takes_the_plan_back(made, tmp_path):
    folder, _, _ = made
    out = tmp_path / "out"
    shutil.copytree(folder / "out", out)
    (out / "needles" / "mine.txt").write_text("kept")
    store = FolderStore(out)
    store.prepare()
    assert inside(out) == {"needles/mine.txt"}
    (out / "plan.toml").write_text("# mine: there is no result beside it")
    store.prepare()
    assert inside(out) == {"needles/mine.txt", "plan.toml"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("PRE",), 2, "missing option -o"),
        (("-o", "OUT"), 2, "missing argument PRE"),
        (("PRE", "-o", "OUT", "--setting", "nobody's"), 2, "is not known"),
        (("PRE", "-o", "OUT", "--plan", "PLAN", "--setting", "pme-80w-5min"), 2, "states its own settings"),
        (("PRE", "-o", "OUT", "--plan", "LINE"), 2, "expected one --setting"),
        (("PRE", "-o", "OUT", "--margin", "31"), 2, "31"),
        (("PRE", "-o", "OUT", "--tip-sd", "nan"), 2, "nan"),
        (("NOWHERE", "-o", "OUT"), 3, "PRE: no such folder"),
        (("PRE", "-o", "PRE/inside"), 3, "OUT is PRE or lies in it"),
        (("PRE", "-o", "OUT", "--plan", "NOWHERE"), 3, "plan file: cannot be read"),
        (("PRE", "-o", "HOLDER", "--plan", "HOLDER/plan.toml"), 3, "lies in OUT"),
        (("PRE", "-o", "OUT", "--plan", "OTHER"), 3, "lesion 7 has no tumour mask"),
        (("BARE", "-o", "OUT"), 3, "PRE: no tumour mask found"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_exit_code_that_fits(made, tmp_path, arguments, code, said):
    folder, _, _ = made
    places = {
        "PRE": folder / "pre", "OUT": tmp_path / "out", "NOWHERE": tmp_path / "nowhere", "HOLDER": tmp_path / "holder",
        "PLAN": folder / "wanted.toml", "LINE": folder / "out" / "needles" / "needle_1.mrk.json",
        "OTHER": tmp_path / "other.toml", "BARE": tmp_path / "bare",
    }  # fmt: skip
    places["HOLDER"].mkdir()
    (places["HOLDER"] / "plan.toml").write_text(PLAN)
    places["OTHER"].write_text(PLAN.replace("lesion = 2", "lesion = 7"))
    write_study(places["BARE"], GRID, {"liver": BODIES["liver"]})
    filled = []
    for argument in arguments:
        first, *rest = argument.split("/")
        filled.append(places[first].joinpath(*rest) if first in places else argument)
    ran = ablation("plan", *filled)
    assert ran.code == code
    assert said in ran.stderr
    assert ran.stdout == ""
    assert not (tmp_path / "out" / "result.json").exists()
    assert (places["HOLDER"] / "plan.toml").read_text() == PLAN


def test_the_share_of_a_small_liver_is_held_against_its_limit(tmp_path):
    """Twenty percent of a small liver are reached by two zones: the finding is there, and what asks for it answers."""
    bodies = {**BODIES, "liver": analytic.ellipsoid((-70.0, 20.0, 130.0), (44.0, 34.0, 24.0))}
    pre, plan, out = write_study(tmp_path / "pre", GRID, bodies), tmp_path / "p.toml", tmp_path / "out"
    plan.write_text(PLAN)
    (tmp_path / "case.toml").write_text(FACTS)
    ran = ablation("plan", pre, "-o", out, "--plan", plan, "--case", tmp_path / "case.toml", "--quiet", "--json")
    document = json.loads(ran.stdout)
    (share,) = [f["value"] for f in document["findings"] if f["name"] == "ablation.fraction_of_liver_percent"]
    liver_ml = 4.0 / 3.0 * np.pi * 44.0 * 34.0 * 24.0 / 1000.0
    assert share == pytest.approx(100.0 * 43.65 / liver_ml, rel=0.05)
    assert share > 20.0
    (asked,) = [verdict for verdict in document["guidelines"] if verdict["rule"] == "PS-02"]
    assert (asked["value"], asked["verdict"]) == (pytest.approx(share, abs=1e-3), "fail")


def test_a_zone_of_an_earlier_treatment_is_no_part_of_the_plan(tmp_path):
    bodies = {**BODIES, "ablation_3": analytic.ball(SECOND, 15.0)}
    out = tmp_path / "out"
    ran = ablation(
        "plan", write_study(tmp_path / "pre", GRID, bodies), "-o", out, "--setting", "cool-tip-12min", "--quiet"
    )
    assert ran.code == 0, ran.stderr
    document = json.loads((out / "result.json").read_text())
    assert [needle["zone"] for needle in document["needles"]] == ["1", "2"]
    assert [lesion["zones"] for lesion in document["lesions"]] == [["1"], ["2"]]
    assert any("earlier treatment" in note for note in document["notes"])


def test_an_error_of_a_line_is_not_taken_for_one_of_the_study(tmp_path):
    from pipelines.formats.markup_line import read_line

    with pytest.raises(InputError, match="needle file: cannot be read"):
        read_line(tmp_path / "none.mrk.json")


ASIDE = np.array([5.0, 0.0, 0.0])
SEVERAL = f"""
[[needle]]
lesion = 1
length_mm = 32.0
width_mm = 30.0
width_sd_mm = 1.0
axis_lps = [0, 1, 0]
target_lps_mm = {(TUMOUR - ASIDE).tolist()}
[[needle]]
lesion = 1
setting = "cool-tip-12min"
axis_lps = [0, 1, 0]
target_lps_mm = {(TUMOUR + ASIDE).tolist()}
"""


def test_the_chances_of_several_zones_are_told_and_judged_as_those_of_one(made, tmp_path):
    folder, _, _ = made
    (tmp_path / "several.toml").write_text(SEVERAL)
    call = ("plan", folder / "pre", "-o", tmp_path / "out", "--plan", tmp_path / "several.toml")
    ran = ablation(*call, "--case", folder / "case.toml")
    assert ran.code == 0, ran.stderr
    document = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    first, second = (lesion["plan"] for lesion in document["lesions"])
    chances = [first["p_at_least"][limit] for limit in ("0", "5", "10")]
    assert chances == sorted(chances, reverse=True)
    assert 0.0 < chances[1] < 1.0
    assert (first["needles"], first["radius_sd_mm"], first["radius_sds_mm"]) == (["1", "2"], None, [0.5, 3.0])
    assert ("radius_sd_mm", "differ") in {(reason["field"], reason["code"]) for reason in first["reasons"]}
    assert (second["p_at_least"], second["radius_sds_mm"]) == (None, [])
    assert {reason["text"] for reason in second["reasons"] if reason["code"] == "not-tried"} == {
        "no zone is planned for it"
    }
    (verdict,) = [v for v in document["guidelines"] if (v["rule"], v["lesion_id"]) == ("CO-02", "1")]
    edges = {edge["at"]: edge["p_above"] for edge in verdict["edges"]}
    assert (10.0 in edges) is (0.025 < chances[2] < 0.975)
    assert "Standard deviation of the zones' radii: zone 1 0.5 mm, zone 2 3 mm" in ran.stdout
    assert "each zone is large or small by itself" in ran.stdout
