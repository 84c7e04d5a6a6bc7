"""Several posts of one patient as one case, and files at which the process that reads them ends."""

from __future__ import annotations

import json

import pytest
from cli_runs import ablation
from test_pair import cache, pair, rows, study  # noqa: F401 - the fixture keeps the tests' caches from the user's

from pipelines.batch.manifest import read_manifest
from pipelines.case_file import read_case_file
from pipelines.isolated import STALL_S
from pipelines.pairing.tree import index_tree


def course(tmp_path, *, flat: bool):
    """Write PRE on day 3, an early and a late POST, the late one first by name."""
    for number, mask, name in ((3, "tumour", "c"), (9, "ablation", "b"), (28, "ablation", "a")):
        folder = tmp_path / "tree" / ("" if flat else name)
        study(folder, number, mask, FrameOfReferenceUID="1.2.3.4")


@pytest.mark.parametrize("flat", [False, True])
def test_several_posts_of_one_pre_are_one_case_that_a_batch_reviews(tmp_path, flat):
    course(tmp_path, flat=flat)
    ran = pair(tmp_path)
    assert ran.code == 0, ran.stdout + ran.stderr
    (row,) = rows(tmp_path / "pairs" / "manifest.csv")
    (read,) = read_manifest(tmp_path / "pairs" / "manifest.csv")
    assert len(row["post"].split(";")) == 2
    case = read_case_file(read.case)
    assert len({post.series_uid for post in case.posts}) == 2
    done = ablation(
        "batch",
        tmp_path / "pairs" / "manifest.csv",
        "-o",
        tmp_path / "out",
        "--registration",
        "identity",
        "--jobs",
        "1",
    )
    assert done.code == 0, done.stdout + done.stderr
    document = json.loads((tmp_path / "out" / "case-0001" / "result.json").read_text())
    assert [post["timing"]["days_between_studies"] for post in posts(tmp_path, document)] == [6.0, 25.0]


def posts(tmp_path, document):
    return [
        json.loads((tmp_path / "out" / "case-0001" / post["folder"] / "result.json").read_text())
        for post in document["posts"]
    ]


def test_a_folder_that_no_cell_can_list_beside_another_makes_a_case_for_each_post(tmp_path):
    for number, mask, name in ((3, "tumour", "c"), (9, "ablation", "b;1"), (28, "ablation", "a")):
        study(tmp_path / "tree" / name, number, mask)
    assert pair(tmp_path).code == 0
    assert [row["post"][-3:] for row in rows(tmp_path / "pairs" / "manifest.csv")] == ["b;1", "e/a"]


def test_files_at_which_reading_ends_are_broken_and_the_rest_is_read(tmp_path, monkeypatch):
    study(tmp_path / "tree", 3, "tumour")
    whole = index_tree(tmp_path / "tree", None)
    assert whole.broken() == ()
    monkeypatch.setenv(STALL_S, "0.0000001")
    told = []
    found = index_tree(tmp_path / "tree", None, lambda done, of: told.append((done, of)))
    assert len(found.files) == len(whole.files) == 9
    assert told[-1] == (9, 9)
