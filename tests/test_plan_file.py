"""Plan files, lines of 3D Slicer and charts: what they hold, and what is refused in one line without a name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_runs import ablation

from pipelines.catalogue import packaged_chart
from pipelines.chart_template import chart_template
from pipelines.formats.markup_line import line_bytes, read_line
from pipelines.plan_file import read_plan
from pipelines.site_chart import chart_of
from planner.errors import EvidenceError, InputError, UsageError
from planner.plan.setting import RADIUS_SD_MM

CHART = chart_of(None)
FIRST = packaged_chart()[0]
NEEDLE = """
[[needle]]
lesion = 1
setting = "pme-80w-5min"
entry_lps_mm = [-120, -40.5, 30.0]
target_lps_mm = [-60.0, 10.0, 20.0]
"""
SOMEBODY = "Smith-John-1950"


def written(folder: Path, text: str | bytes, name: str = f"{SOMEBODY}.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def test_a_plan_file_gives_its_needles_and_what_it_is_tried_against(tmp_path):
    text = "[plan]\nmargin_mm = 7\n[spread]\ntip_sd_mm = 1.5\nseed = 3\n" + NEEDLE
    text += "[[needle]]\nlesion = '2'\nlength_mm = 40\nwidth_mm = 30\nwidth_sd_mm = 5\ntip_beyond_mm = 4\n"
    text += "axis_lps = [0, 2, 0]\ntarget_lps_mm = [1, 2, 3]\n"
    found = read_plan(written(tmp_path, text), CHART.settings)
    first, second = found.needles
    assert (first.zone_id, first.lesion_id, first.setting) == ("1", "1", FIRST)
    np.testing.assert_allclose(first.entry_lps_mm, [-120.0, -40.5, 30.0])
    np.testing.assert_allclose(first.zone.centre_lps_mm, [-60.0, 10.0, 20.0])
    assert (second.zone_id, second.lesion_id, second.entry_lps_mm) == ("2", "2", None)
    np.testing.assert_allclose(second.zone.centre_lps_mm, [1.0, -2.0, 3.0])
    assert second.setting.radius_sd_mm == 2.5
    assert (found.asked.margin_mm, found.spread.tip_sd_mm, found.spread.seed, found.spread.radius_sd_mm) == (
        7,
        1.5,
        3,
        None,
    )
    assert set(found.sha256) == {"plan"}


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_a_line_of_slicer_is_entry_then_target_in_its_own_system(tmp_path, system):
    document = json.loads(line_bytes(np.array([-120.0, -40.0, 30.0]), np.array([-60.0, 10.0, 20.0]), "n", ("a", "b")))
    line = document["markups"][0]
    if system == "RAS":
        line["coordinateSystem"] = "RAS"
        for point in line["controlPoints"]:
            point["position"] = [-point["position"][0], -point["position"][1], point["position"][2]]
    line["controlPoints"].append({"label": SOMEBODY, "position": [9, 9, 9], "positionStatus": "undefined"})
    found = read_line(written(tmp_path, json.dumps(document), "n.mrk.json"))
    np.testing.assert_allclose(found.entry_lps_mm, [-120.0, -40.0, 30.0])
    np.testing.assert_allclose(found.target_lps_mm, [-60.0, 10.0, 20.0])


def test_a_plan_file_may_name_a_line_beside_it_and_a_line_may_stand_alone(tmp_path):
    ends = np.array([-120.0, -40.0, 30.0]), np.array([-60.0, 10.0, 20.0])
    line = written(tmp_path, line_bytes(*ends, "n", ("a", "b")), "n.mrk.json")
    text = '[[needle]]\nlesion = 1\nsetting = "pme-80w-5min"\nfile = "n.mrk.json"\n'
    named = read_plan(written(tmp_path, text), CHART.settings)
    alone = read_plan(line, CHART.settings, FIRST, "2")
    assert (named.needles[0].lesion_id, alone.needles[0].lesion_id) == ("1", "2")
    assert set(named.sha256) == {"plan", "needle_1"}
    for found in (named, alone):
        np.testing.assert_array_equal(found.needles[0].entry_lps_mm, ends[0])
    with pytest.raises(UsageError, match="expected one --setting"):
        read_plan(line, CHART.settings)


POINTS = "entry_lps_mm = [-120.0, -40.0, 30.0]\ntarget_lps_mm = [-60.0, 10.0, 20.0]\n"
ALONE = '[[needle]]\nlesion = 1\nsetting = "pme-80w-5min"\n'
BAD_PLANS = {
    "no toml": ("[[needle", "not TOML"),
    "not text": (b"\xff\xfe[", "not UTF-8"),
    "empty": ("", "'needle' is missing"),
    "no needle": ("needle = []", "at least 1 item"),
    "too many": (NEEDLE * 51, "at most 50 items"),
    "unknown key": (NEEDLE + f'"{SOMEBODY}" = 1\n', "unknown key"),
    "unknown table": (f'["{SOMEBODY}"]\n' + NEEDLE, "unknown key"),
    "a word for a number": (NEEDLE.replace("-40.5", f'"{SOMEBODY}"'), "valid number"),
    "two coordinates": (NEEDLE.replace("[-120, -40.5, 30.0]", "[1.0, 2.0]"), "at least 3 items"),
    "infinite": (NEEDLE.replace("-40.5", "inf"), "finite number"),
    "not a number": (NEEDLE.replace("-40.5", "nan"), "finite number"),
    "on the moon": (NEEDLE.replace("-40.5", "3.8e11"), "less than or equal"),
    "huge": (NEEDLE.replace("-40.5", "9" * 400), "not TOML|number|finite|less than"),
    "a flag": (NEEDLE.replace("-40.5", "true"), "valid number"),
    "one point": (NEEDLE.replace("[-120, -40.5, 30.0]", "[-60.0, 10.0, 20.0]"), "one point"),
    "no setting": (f"[[needle]]\nlesion = 1\n{POINTS}", "either a setting or length_mm and width_mm"),
    "unknown setting": (NEEDLE.replace("pme-80w-5min", SOMEBODY), "is in no chart"),
    "setting and size": (NEEDLE + "length_mm = 40\nwidth_mm = 30\n", "either a setting or"),
    "half a size": (f"[[needle]]\nlesion = 1\nlength_mm = 40\n{POINTS}", "either a setting or"),
    "no width": (f"[[needle]]\nlesion = 1\nlength_mm = 40\nwidth_mm = 0\n{POINTS}", "greater than 0"),
    "a giant": (f"[[needle]]\nlesion = 1\nlength_mm = 400\nwidth_mm = 30\n{POINTS}", "less than or equal"),
    "no place": ('[[needle]]\nlesion = 1\nsetting = "pme-80w-5min"\n', "expected a file, or target_lps_mm"),
    "file and place": (NEEDLE + 'file = "x.mrk.json"\n', "either a file or"),
    "entry and axis": (NEEDLE + "axis_lps = [0, 1, 0]\n", "expected a file, or target_lps_mm"),
    "no direction": (f"{ALONE}axis_lps = [0, 0, 0]\ntarget_lps_mm = [0, 0, 0]\n", "no direction"),
    "no file there": ('[[needle]]\nlesion = 1\nsetting = "pme-80w-5min"\nfile = "no.mrk.json"\n', "cannot be read"),
    "lesion 0": (NEEDLE.replace("lesion = 1", "lesion = 0"), "match pattern"),
    "negative margin": ("[plan]\nmargin_mm = -1\n" + NEEDLE, "greater than or equal"),
    "negative spread": ("[spread]\ntip_sd_mm = -1\n" + NEEDLE, "greater than or equal"),
    "deep": ("a = " + "[" * 3000 + "]" * 3000, "nested too deep|not TOML|unknown key"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PLANS)
def test_a_bad_plan_file_is_refused_in_a_line_that_repeats_nothing_of_it(tmp_path, name):
    text, said = BAD_PLANS[name]
    with pytest.raises(InputError, match=said) as caught:
        read_plan(written(tmp_path, text), CHART.settings)
    assert SOMEBODY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(("plan file: ", "needle file: "))


def test_a_large_plan_file_is_not_read_whole(tmp_path):
    with pytest.raises(InputError, match="larger than"):
        read_plan(written(tmp_path, b"#" * 1_000_001), CHART.settings)


def markups(**changed) -> str:
    document = json.loads(line_bytes(np.zeros(3), np.ones(3), "n", ("a", "b")))
    document["markups"][0].update(changed)
    return json.dumps(document)


def with_point(**changed) -> str:
    document = json.loads(line_bytes(np.zeros(3), np.ones(3), "n", ("a", SOMEBODY)))
    document["markups"][0]["controlPoints"][1].update(changed)
    return json.dumps(document)


BAD_LINES = {
    "no json": "{",
    "a list": "[]",
    "a number": "7",
    "no markups": '{"markups": []}',
    "markups is text": '{"markups": "Line"}',
    "markup is a number": '{"markups": [7]}',
    "another kind": markups(type="Fiducial"),
    "no system": markups(coordinateSystem=""),
    "another system": markups(coordinateSystem=SOMEBODY),
    "metres": markups(coordinateUnits="m"),
    "no points": markups(controlPoints=[]),
    "points is text": markups(controlPoints="ab"),
    "one undefined": with_point(positionStatus="undefined"),
    "two coordinates": with_point(position=[1.0, 2.0]),
    "a word": with_point(position=[1.0, 2.0, SOMEBODY]),
    "too large for a float": with_point(position=[10**400, 2.0, 3.0]),
    "a flag": with_point(position=[1.0, 2.0, True]),
    "null": with_point(position=None),
    "huge": with_point(position=[1.0, 2.0, 10**350]),
    "far": with_point(position=[1.0, 2.0, 1e9]),
    "not a number": with_point(position=[1.0, 2.0, float("nan")]),
    "infinite": with_point(position=[1.0, 2.0, float("inf")]),
    "deep": '{"markups": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "not text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_refused_without_what_stands_in_it(tmp_path, name):
    with pytest.raises(InputError) as caught:
        read_line(written(tmp_path, BAD_LINES[name], f"{SOMEBODY}.mrk.json"))
    assert str(caught.value).startswith("needle file: ")
    assert SOMEBODY not in str(caught.value)


def test_a_chart_template_loads_beside_the_packaged_rows(tmp_path):
    printed = ablation("plan", "--chart-template")
    assert (printed.code, printed.stdout) == (0, chart_template())
    found = chart_of(written(tmp_path, printed.stdout))
    assert set(found.settings) == {*CHART.settings, "example-60w-10min"}
    own = found.settings["example-60w-10min"]
    assert (own.model, own.radius_sd_mm) == ("user", 3.0)
    assert len(found.sha256) == 64


def test_every_packaged_row_has_a_source_and_the_default_spread():
    assert [one.id for one in packaged_chart()] == ["pme-80w-5min", "cool-tip-12min", "single-applicator-50kj"]
    for row in packaged_chart():
        assert row.source is not None
        assert row.radius_sd_mm == RADIUS_SD_MM
        assert row.model != "user"


ROW = '[[setting]]\nid = "a"\ndevice = "d"\nmodality = ""\nlength_mm = 40.0\nwidth_mm = 30.0\n'
BAD_CHARTS = {
    "unknown key": (ROW + "colour = 1\n", "a, colour: unknown key"),
    "no size": (ROW.replace("width_mm = 30.0\n", ""), "a, width_mm"),
    "negative": (ROW.replace("30.0", "-30.0"), "a, width_mm"),
    "twice": (ROW + ROW, "a: stands there twice"),
    "published, no source": (ROW + 'model = "patient"\n', "a: measured on patient, expected its source"),
    "a packaged id": (ROW.replace('"a"', '"pme-80w-5min"'), "is the id of a packaged setting"),
    "no row": ("", "setting"),
}


@pytest.mark.parametrize("name", BAD_CHARTS)
def test_a_bad_chart_is_refused_whole_with_its_row_and_the_reason(tmp_path, name):
    text, said = BAD_CHARTS[name]
    path = written(tmp_path, "schema_version = 1\n" + text)
    with pytest.raises(EvidenceError, match=said) as caught:
        chart_of(path)
    assert SOMEBODY not in str(caught.value)
    ran = ablation("plan", tmp_path, "-o", tmp_path / "out", "--chart", path, "--quiet")
    assert (ran.code, ran.stdout) == (3, "")
    assert "error [evidence]: chart: " in ran.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_setting_lists_the_known_ones():
    with pytest.raises(UsageError, match="did you mean 'cool-tip-12min'"):
        CHART.chosen(["cool-tip-12mins"])
    assert CHART.chosen(["cool-tip-12min", "cool-tip-12min"]) == (CHART.settings["cool-tip-12min"],)
    assert CHART.chosen([]) == tuple(one for one in CHART.settings.values() if not one.averaged)
