from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.formats.landmarks import read_landmarks
from planner.errors import InputError

HEADER = "pre_x_mm,pre_y_mm,pre_z_mm,post_x_mm,post_y_mm,post_z_mm"


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "zebedee.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def slicer(path: Path, points: dict[str, tuple[float, ...]], system: str = "LPS", **more: object) -> Path:
    control = [{"label": label, "position": list(p), "positionStatus": "defined"} for label, p in points.items()]
    markup = {"type": "Fiducial", "coordinateSystem": system, "controlPoints": control, **more}
    path.write_text(json.dumps({"@schema": "markups-schema", "markups": [markup]}))
    return path


def test_a_table_is_read(tmp_path):
    found = read_landmarks([table(tmp_path, "1,2,3,4,5,6", "7,8,9,-1.5,-2,1e1")], map_given=False)
    assert found.landmarks.pre_lps_mm.tolist() == [[1, 2, 3], [7, 8, 9]]
    assert found.landmarks.post_lps_mm.tolist() == [[4, 5, 6], [-1.5, -2, 10]]
    assert not found.landmarks.fitted.any()
    assert list(found.sha256) == ["landmarks"]


def test_a_given_map_may_have_been_fitted_to_what_the_table_does_not_deny(tmp_path):
    path = table(tmp_path, "1,2,3,4,5,6,no", "1,2,3,4,5,6,", "1,2,3,4,5,6,yes", header=HEADER + ",used_for_fitting")
    assert read_landmarks([path], map_given=True).landmarks.fitted.tolist() == [False, True, True]
    assert read_landmarks([path], map_given=False).landmarks.fitted.tolist() == [False, False, True]


@pytest.mark.parametrize("system", ["LPS", "RAS", "1", "0"])
def test_two_lists_of_slicer_are_paired_by_label_whatever_their_order_and_system(tmp_path, system):
    sign = np.array([1, 1, 1] if system in ("LPS", "1") else [-1, -1, 1])
    before = slicer(tmp_path / "a.mrk.json", {"x": (1, 2, 3), "y": (4, 5, 6), "z": (0, 0, 0)}, system)
    after = slicer(tmp_path / "b.mrk.json", {"y": (7, 8, 9), "x": (10, 11, 12)})
    found = read_landmarks([before, after], map_given=False)
    assert found.landmarks.pre_lps_mm == pytest.approx(sign * [[1, 2, 3], [4, 5, 6]])
    assert found.landmarks.post_lps_mm.tolist() == [[10, 11, 12], [7, 8, 9]]
    assert sorted(found.sha256) == ["landmarks/post", "landmarks/pre"]


def test_a_point_that_was_never_placed_is_left_out(tmp_path):
    before = slicer(tmp_path / "a.mrk.json", {"x": (1, 2, 3), "y": (4, 5, 6)})
    content = json.loads(before.read_text())
    content["markups"][0]["controlPoints"][1]["positionStatus"] = "undefined"
    before.write_text(json.dumps(content))
    after = slicer(tmp_path / "b.mrk.json", {"x": (1, 2, 3), "y": (4, 5, 6)})
    assert len(read_landmarks([before, after], map_given=False).landmarks.fitted) == 1


@pytest.mark.parametrize(
    ("rows", "header", "code"),
    [
        ([], HEADER, "landmarks"),
        (["1,2,3,4,5"], HEADER, "landmarks"),
        (["1,2,3,4,5,nan"], HEADER, "bad-number"),
        (["1,2,3,4,5,zebedee"], HEADER, "bad-number"),
        (["1,2,3,4,5,6"], HEADER.replace("pre_x_mm", "x"), "columns"),
        (["1,2,3,4,5,6,perhaps"], HEADER + ",used_for_fitting", "landmarks"),
    ],
)
def test_a_table_with_a_fault_is_refused_in_one_line_without_what_stands_there(tmp_path, rows, header, code):
    with pytest.raises(InputError) as caught:
        read_landmarks([table(tmp_path, *rows, header=header)], map_given=False)
    assert caught.value.code == code
    assert "zebedee" not in str(caught.value)
    assert "\n" not in str(caught.value)


GOOD = {"x": (1.0, 2.0, 3.0)}
POINT = {"label": "x", "position": [1, 2, 3]}
BAD_LISTS = {
    "no pair": {"points": {"y": (1, 2, 3)}},
    "two numbers": {"points": {"x": (1, 2)}},
    "text": {"points": {"x": ("a", 2, 3)}},
    "system": {"points": GOOD, "system": "IJK"},
    "units": {"points": GOOD, "coordinateUnits": "um"},
    "empty": {"points": {}},
}
BAD_TEXTS = {
    "no json": "fiducials",
    "other json": "[1, 2]",
    "twice": json.dumps({"markups": [{"coordinateSystem": "LPS", "controlPoints": [POINT, POINT]}]}),
}


@pytest.mark.parametrize("fault", [*BAD_LISTS, *BAD_TEXTS, "missing", "alone", "three"])
def test_lists_with_a_fault_are_refused(tmp_path, fault):
    one, two = slicer(tmp_path / "a.mrk.json", GOOD), tmp_path / "b.mrk.json"
    if fault in BAD_LISTS:
        slicer(two, **BAD_LISTS[fault])
    elif fault in BAD_TEXTS:
        two.write_text(BAD_TEXTS[fault])
    paths = {"alone": [one], "three": [one, one, one]}.get(fault, [one, two])
    with pytest.raises(InputError, match="landmark"):
        read_landmarks(paths, map_given=False)
